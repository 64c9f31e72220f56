package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"time"
	"unsafe"
)

// RootCertificates are the certificate authorities that a client trusts in addition to its CA bundle.
type RootCertificates int

const (
	// RootsAutomatic are the system's if it has any, otherwise Mozilla's, which are bundled with the library.
	RootsAutomatic RootCertificates = C.OSS_CALLBACK_ROOT_CERTIFICATES_AUTOMATIC
	// RootsSystem are the system's; having none is an error.
	RootsSystem RootCertificates = C.OSS_CALLBACK_ROOT_CERTIFICATES_SYSTEM
	// RootsBundled are Mozilla's, which are bundled with the library.
	RootsBundled RootCertificates = C.OSS_CALLBACK_ROOT_CERTIFICATES_BUNDLED
	// RootsNone means only those in the CA bundle.
	RootsNone RootCertificates = C.OSS_CALLBACK_ROOT_CERTIFICATES_NONE
)

// RetryPolicy says when an operation is retried. The wait before the second attempt is at most BaseDelay; before each
// further attempt the limit doubles, up to MaxDelay. Only failures that may end differently are retried, only with a
// body that can be read again, and with a callback only while it is certain that nothing was stored. A zero value means the
// client's; the client's own defaults are 3 attempts, 200 ms and 20 s.
type RetryPolicy struct {
	// MaxAttempts includes the first attempt: 1 means no retry.
	MaxAttempts int
	BaseDelay   time.Duration
	MaxDelay    time.Duration
}

// ClientOptions are the settings of a client; only Endpoint and Credentials are required. A zero value means the
// default.
type ClientOptions struct {
	// Endpoint is the server: "https://oss-cn-hangzhou.aliyuncs.com"; https if there is no scheme. An IP address
	// implies path style, http://127.0.0.1:9000/bucket/object.
	Endpoint string
	// Region is "cn-hangzhou" or "oss-cn-hangzhou". Default: taken from a standard endpoint.
	Region string
	// Credentials identify the account that requests are sent for.
	Credentials Credentials
	// SignatureVersion is 4 (default) or 1.
	SignatureVersion int
	// CNAME says that the endpoint is a custom domain bound to one bucket.
	CNAME bool
	// PathStyle makes URLs name the bucket in the path instead of the host.
	PathStyle bool
	// UserAgent is the User-Agent of requests. Default: "oss-callback/" and the version.
	UserAgent string
	// ConnectTimeout limits resolving the server's name and, separately, connecting. Default: 10 s each.
	ConnectTimeout time.Duration
	// AnswerTimeout runs from the last byte sent until OSS answers. Default: 30 s, plus 5 s for each callback URL.
	AnswerTimeout time.Duration
	// ProgressTimeout is the longest time without progress; less than 1 KiB in that time counts as no progress.
	// Default: 30 s.
	ProgressTimeout time.Duration
	// Timeout limits an operation, including all its attempts. Default: no limit but the context's.
	Timeout time.Duration
	// MaxAnswerLen is how many bytes of an answer's body to read. Default: 4 MiB.
	MaxAnswerLen int
	// RetryPolicy applies to operations without one of their own. Default: 3 attempts, 200 ms, 20 s.
	RetryPolicy *RetryPolicy
	// Proxy is an HTTP proxy for all requests, "http://user:password@proxy.example.com:3128". Default: none.
	Proxy string
	// ProxyFromEnv makes NewClient read the proxy from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY if Proxy is empty,
	// by the rules of oss_callback_client_options_set_proxy_from_env. The environment must not change meanwhile.
	ProxyFromEnv bool
	// Addresses maps host names to addresses to use instead of those the system finds: "127.0.0.1:443" or "::1"; without
	// a port, it is that of the URL. "*.oss.example.com" is every name that ends so.
	Addresses map[string][]string
	// LocalAddress is the IP address of this machine that connections come from. Lookups are not bound. Default: the
	// system chooses.
	LocalAddress string
	// NetworkInterface is what connections go through, "eth1"; Linux only. Lookups are not bound.
	NetworkInterface string
	// MaxIdleConnections is how many connections to keep open between requests. Default: 64.
	MaxIdleConnections int
	// MaxIdleTime is how long to keep them open. Default: 15 s.
	MaxIdleTime time.Duration
	// RootCertificates are trusted in addition to CABundle. Default: RootsAutomatic.
	RootCertificates RootCertificates
	// CABundle contains certificates in PEM, of authorities or of the server itself.
	CABundle []byte
	// CABundleFile is a file with the same, to use instead. NewClient reads it.
	CABundleFile string
	// ClientCertificate, with its chain, is for a server that asks for one. ClientKey is its private key, not encrypted.
	// Both are PEM. The key never appears in messages.
	ClientCertificate, ClientKey []byte
	// ClientCertificateFile and ClientKeyFile are files with the same, to use instead. NewClient reads them.
	ClientCertificateFile, ClientKeyFile string
}

// Client is a connection to OSS, or to a server that speaks its protocol. It may be used by many goroutines at once.
type Client struct {
	handle *handle
	hooks  *clientHooks
}

// NewClient checks the options and makes a client. It sends nothing.
func NewClient(options ClientOptions) (*Client, error) {
	var a arguments
	defer a.free()
	var o *C.oss_callback_client_options
	if err := newError(C.oss_callback_client_options_new(&o), nil); err != nil {
		return nil, err
	}
	defer C.oss_callback_client_options_free(o)
	hooks := options.apply(&a, o)
	if a.err != nil {
		return nil, a.err
	}
	var client *C.oss_callback_client
	var failure *C.oss_callback_error
	code := C.oss_callback_client_new(o, &client, &failure)
	if err := newError(code, failure); err != nil {
		return nil, err
	}
	return &Client{hooks: hooks, handle: newHandle("client", unsafe.Pointer(client), func(pointer unsafe.Pointer) {
		C.oss_callback_client_free((*C.oss_callback_client)(pointer))
	})}, nil
}

func (options *ClientOptions) apply(a *arguments, o *C.oss_callback_client_options) *clientHooks {
	C.oss_callback_client_options_set_endpoint(o, a.text("endpoint", options.Endpoint))
	for _, field := range []struct {
		name, value string
		set         func(*C.char)
	}{
		{"region", options.Region, func(text *C.char) { C.oss_callback_client_options_set_region(o, text) }},
		{"user_agent", options.UserAgent, func(text *C.char) { C.oss_callback_client_options_set_user_agent(o, text) }},
		{"proxy", options.Proxy, func(text *C.char) { C.oss_callback_client_options_set_proxy(o, text) }},
		{"local_address", options.LocalAddress, func(text *C.char) { C.oss_callback_client_options_set_local_address(o, text) }},
		{"network_interface", options.NetworkInterface, func(text *C.char) {
			C.oss_callback_client_options_set_network_interface(o, text)
		}},
	} {
		if field.value != "" {
			field.set(a.text(field.name, field.value))
		}
	}
	if options.SignatureVersion != 0 {
		C.oss_callback_client_options_set_signature_version(o, a.number("signature_version", options.SignatureVersion))
	}
	C.oss_callback_client_options_set_cname(o, C.bool(options.CNAME))
	C.oss_callback_client_options_set_path_style(o, C.bool(options.PathStyle))
	C.oss_callback_client_options_set_proxy_from_env(o, C.bool(options.ProxyFromEnv))
	a.limits(options.ConnectTimeout, options.AnswerTimeout, options.ProgressTimeout, options.Timeout, [4]func(C.uint64_t){
		func(ms C.uint64_t) { C.oss_callback_client_options_set_connect_timeout_ms(o, ms) },
		func(ms C.uint64_t) { C.oss_callback_client_options_set_answer_timeout_ms(o, ms) },
		func(ms C.uint64_t) { C.oss_callback_client_options_set_progress_timeout_ms(o, ms) },
		func(ms C.uint64_t) { C.oss_callback_client_options_set_timeout_ms(o, ms) },
	})
	if options.MaxAnswerLen != 0 {
		C.oss_callback_client_options_set_max_answer_len(o, C.size_t(a.length("max_answer_len", int64(options.MaxAnswerLen))))
	}
	if policy := options.RetryPolicy; policy != nil {
		if policy.MaxAttempts != 0 {
			C.oss_callback_client_options_set_max_attempts(o, a.number("max_attempts", policy.MaxAttempts))
		}
		if policy.BaseDelay != 0 {
			C.oss_callback_client_options_set_retry_base_delay_ms(o, a.milliseconds("base_delay", policy.BaseDelay))
		}
		if policy.MaxDelay != 0 {
			C.oss_callback_client_options_set_retry_max_delay_ms(o, a.milliseconds("max_delay", policy.MaxDelay))
		}
	}
	for host, addresses := range options.Addresses {
		for _, address := range addresses {
			C.oss_callback_client_options_add_address(o, a.text("host", host), a.text("address", address))
		}
	}
	if options.MaxIdleConnections != 0 {
		C.oss_callback_client_options_set_max_idle_connections(o, C.size_t(a.length("max_idle_connections", int64(options.MaxIdleConnections))))
	}
	if options.MaxIdleTime != 0 {
		C.oss_callback_client_options_set_max_idle_time_ms(o, a.milliseconds("max_idle_time", options.MaxIdleTime))
	}
	if options.RootCertificates != RootsAutomatic {
		C.oss_callback_client_options_set_root_certificates(o, a.number("root_certificates", int(options.RootCertificates)))
	}
	if options.CABundle != nil {
		C.oss_callback_client_options_set_ca_bundle(o, bytesPointer(options.CABundle), C.size_t(len(options.CABundle)))
	}
	if options.CABundleFile != "" {
		C.oss_callback_client_options_set_ca_bundle_file(o, a.text("ca_bundle", options.CABundleFile))
	}
	if certificate, key := options.ClientCertificate, options.ClientKey; certificate != nil || key != nil {
		C.oss_callback_client_options_set_client_certificate(o, bytesPointer(certificate), C.size_t(len(certificate)),
			bytesPointer(key), C.size_t(len(key)))
	}
	if certificate, key := options.ClientCertificateFile, options.ClientKeyFile; certificate != "" || key != "" {
		C.oss_callback_client_options_set_client_certificate_files(o, a.optionalText("client_certificate", certificate),
			a.optionalText("client_key", key))
	}
	if options.Credentials.set == nil {
		a.fault("`credentials` are missing")
		return nil
	}
	return options.Credentials.set(a, o)
}

// limits sets the time limits that are given.
func (a *arguments) limits(connect, answer, progress, whole time.Duration, set [4]func(C.uint64_t)) {
	names := [4]string{"connect_timeout", "answer_timeout", "progress_timeout", "timeout"}
	for i, limit := range [4]time.Duration{connect, answer, progress, whole} {
		if limit != 0 {
			set[i](a.milliseconds(names[i], limit))
		}
	}
}

// Close frees the client once no operation uses it; operations in progress continue. It always returns nil, even when
// called again.
func (c *Client) Close() error {
	c.handle.close()
	return nil
}
