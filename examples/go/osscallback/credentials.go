package osscallback

// #include "hooks.h"
import "C"

import (
	"fmt"
	"os"
	"runtime/cgo"
	"strings"
	"time"
)

// KeyPair is an access key with its secret. It shows no secret when it is printed.
type KeyPair struct {
	AccessKeyID     string
	AccessKeySecret string
	// SecurityToken is the token that STS gave for a role.
	SecurityToken string
	// Expires is when they expire; those of STS say it.
	Expires time.Time
}

// String shows the access key id only.
func (p KeyPair) String() string { return fmt.Sprintf("KeyPair(%s)", p.AccessKeyID) }

// GoString shows the access key id only.
func (p KeyPair) GoString() string { return p.String() }

func (p KeyPair) check() error {
	for name, value := range map[string]string{
		"access_key_id":     p.AccessKeyID,
		"access_key_secret": p.AccessKeySecret,
		"security_token":    p.SecurityToken,
	} {
		if strings.ContainsRune(value, 0) {
			return invalidArgument("`%s` contains a NUL", name)
		}
	}
	if !p.Expires.IsZero() && p.Expires.Unix() < 0 {
		return invalidArgument("`expires` is before 1970")
	}
	return nil
}

// Credentials are whose requests are sent: those of [StaticCredentials], [EnvironmentCredentials],
// [AnonymousCredentials], [ProvidedCredentials] or [RemoteCredentials].
type Credentials struct {
	set func(a *arguments, options *C.oss_callback_client_options) *clientHooks
}

// String shows nothing.
func (Credentials) String() string { return "Credentials(...)" }

// GoString shows nothing.
func (Credentials) GoString() string { return "Credentials(...)" }

// StaticCredentials are a key pair of a RAM user, or of a role with its token. When they expire the client must be made
// anew: see ProvidedCredentials.
func StaticCredentials(pair KeyPair) Credentials {
	return Credentials{func(a *arguments, options *C.oss_callback_client_options) *clientHooks {
		C.oss_callback_client_options_set_credentials(options, a.text("access_key_id", pair.AccessKeyID),
			a.text("access_key_secret", pair.AccessKeySecret), a.optionalText("security_token", pair.SecurityToken))
		return nil
	}}
}

// EnvironmentCredentials are those of OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role, OSS_SESSION_TOKEN,
// when the client is made.
func EnvironmentCredentials() Credentials {
	return Credentials{func(a *arguments, options *C.oss_callback_client_options) *clientHooks {
		for _, name := range []string{"OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"} {
			if os.Getenv(name) == "" {
				a.fault("the environment variable %s is not set", name)
				return nil
			}
		}
		return StaticCredentials(KeyPair{
			AccessKeyID:     os.Getenv("OSS_ACCESS_KEY_ID"),
			AccessKeySecret: os.Getenv("OSS_ACCESS_KEY_SECRET"),
			SecurityToken:   os.Getenv("OSS_SESSION_TOKEN"),
		}).set(a, options)
	}}
}

// AnonymousCredentials are nobody's: requests are not signed. OSS delivers no callback for them.
func AnonymousCredentials() Credentials {
	return Credentials{func(a *arguments, options *C.oss_callback_client_options) *clientHooks {
		C.oss_callback_client_options_set_credentials_anonymous(options)
		return nil
	}}
}

// ProvidedCredentials are asked for when a request needs some: at first, within 5 minutes of their expiry (a fifth of
// their life if that is shorter), and when OSS has refused them as expired; without an expiry for each request. The
// function is never called twice at once, and must not use a client that asks it. It may block; contexts and time limits
// take effect when it returns. When it fails and no earlier credentials are valid, the operation fails with
// CredentialsFailed and wraps its error.
func ProvidedCredentials(provider func() (KeyPair, error)) Credentials {
	return hookedCredentials("provider", provider == nil, &clientHooks{provider: provider},
		func(a *arguments, options *C.oss_callback_client_options, handle C.uintptr_t) {
			C.osscallback_set_provider(options, handle)
		})
}

// A SigningRequest is a text that is to be signed.
type SigningRequest struct {
	StringToSign string
	// SignatureVersion is 4 or 1.
	SignatureVersion int
	// Scope is what a signature of version 4 is bound to: "20261124/cn-hangzhou/oss/aliyun_v4_request".
	Scope string
}

// RemoteCredentials sign elsewhere, so that the secret stays there: on an application server, in a key store. Version 4
// wants the HMAC-SHA256 of the text under the key of the scope, in lower-case hexadecimal; version 1 the HMAC-SHA1 under
// the secret, in Base64. The function runs once for each request that is sent, otherwise as that of ProvidedCredentials.
func RemoteCredentials(accessKeyID, securityToken string, signer func(SigningRequest) (string, error)) Credentials {
	return hookedCredentials("signer", signer == nil, &clientHooks{signer: signer},
		func(a *arguments, options *C.oss_callback_client_options, handle C.uintptr_t) {
			C.osscallback_set_signer(options, a.text("access_key_id", accessKeyID),
				a.optionalText("security_token", securityToken), handle)
		})
}

func hookedCredentials(name string, missing bool, hooks *clientHooks,
	set func(*arguments, *C.oss_callback_client_options, C.uintptr_t)) Credentials {
	return Credentials{func(a *arguments, options *C.oss_callback_client_options) *clientHooks {
		if missing {
			a.fault("`%s` is nil", name)
			return nil
		}
		// Deleted by the library, when no client uses it any more.
		set(a, options, C.uintptr_t(cgo.NewHandle(hooks)))
		return hooks
	}}
}
