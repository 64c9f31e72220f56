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

// KeyPair is an access key with its secret. Printing it does not show the secret.
type KeyPair struct {
	AccessKeyID     string
	AccessKeySecret string
	// SecurityToken is the token that STS issued for a role.
	SecurityToken string
	// Expires is when the key pair expires; STS says when, for those that it issues.
	Expires time.Time
}

// String shows only the access key id.
func (p KeyPair) String() string { return fmt.Sprintf("KeyPair(%s)", p.AccessKeyID) }

// GoString shows only the access key id.
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

// Credentials identify the account that requests are sent for. Make them with [StaticCredentials],
// [EnvironmentCredentials], [AnonymousCredentials], [ProvidedCredentials] or [RemoteCredentials].
type Credentials struct {
	set func(a *arguments, options *C.oss_callback_client_options) *clientHooks
}

// String shows nothing.
func (Credentials) String() string { return "Credentials(...)" }

// GoString shows nothing.
func (Credentials) GoString() string { return "Credentials(...)" }

// StaticCredentials are a RAM user's key pair, or a role's with its token. When they expire you must make a new client;
// ProvidedCredentials avoid that.
func StaticCredentials(pair KeyPair) Credentials {
	return Credentials{func(a *arguments, options *C.oss_callback_client_options) *clientHooks {
		C.oss_callback_client_options_set_credentials(options, a.text("access_key_id", pair.AccessKeyID),
			a.text("access_key_secret", pair.AccessKeySecret), a.optionalText("security_token", pair.SecurityToken))
		return nil
	}}
}

// EnvironmentCredentials are read from OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role, OSS_SESSION_TOKEN when
// the client is made.
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

// AnonymousCredentials send unsigned requests. OSS delivers no callback for them.
func AnonymousCredentials() Credentials {
	return Credentials{func(a *arguments, options *C.oss_callback_client_options) *clientHooks {
		C.oss_callback_client_options_set_credentials_anonymous(options)
		return nil
	}}
}

// ProvidedCredentials come from a function that is called when a request needs credentials: the first time, within 5
// minutes of their expiry (or a fifth of their lifetime if that is shorter), and after OSS has refused them as expired.
// If they have no expiry, it is called for each request. It is never called twice at once, and must not use a client
// that calls it. It may block; contexts and time limits take effect when it returns. If it fails and no earlier
// credentials are valid, the operation fails with CredentialsFailed and wraps the function's error.
func ProvidedCredentials(provider func() (KeyPair, error)) Credentials {
	return hookedCredentials("provider", provider == nil, &clientHooks{provider: provider},
		func(a *arguments, options *C.oss_callback_client_options, handle C.uintptr_t) {
			C.osscallback_set_provider(options, handle)
		})
}

// A SigningRequest is a text to sign.
type SigningRequest struct {
	StringToSign string
	// SignatureVersion is 4 or 1.
	SignatureVersion int
	// Scope is the scope of a version 4 signature: "20261124/cn-hangzhou/oss/aliyun_v4_request".
	Scope string
}

// RemoteCredentials sign elsewhere, so that the secret stays there: on an application server, or in a key store.
// Version 4 requires the HMAC-SHA256 of the text under the scope's key, in lower-case hexadecimal; version 1 requires
// the HMAC-SHA1 under the secret, in Base64. The function is called once for each request that is sent; otherwise the
// rules of ProvidedCredentials apply.
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
		// The library deletes it when no client uses it any more.
		set(a, options, C.uintptr_t(cgo.NewHandle(hooks)))
		return hooks
	}}
}
