//! The proxy of a client.

use libc::c_char;

use super::client::{build, oss_callback_client_options, set_text};

/// Sets an HTTP proxy for all requests, such as "http://user:password@proxy.example.com:3128". User and
/// password are percent-encoded; they are sent as Basic authentication. Requests to an https endpoint go
/// through a tunnel (CONNECT); those to an http endpoint are sent to the proxy in absolute form. A proxy that
/// is itself reached over https, and SOCKS, are refused. Default: none.
///
/// A proxy that refuses (4xx) is not asked again: the code is OSS_CALLBACK_CODE_CONNECT, nothing is stored,
/// oss_callback_error_status is the proxy's status, and the message says what to set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_proxy(
    options: Option<&mut oss_callback_client_options>,
    url: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe { set_text(options, url, "url", |settings| &mut settings.proxy) }
}

/// Sets whether oss_callback_client_new reads the proxy from the environment, if none is set. No other thread
/// may change the environment meanwhile. Default: false.
///
/// https_proxy or HTTPS_PROXY is for https endpoints, http_proxy or HTTP_PROXY for http ones; otherwise
/// all_proxy or ALL_PROXY counts. The first of them that is not empty is used; without a scheme it is http.
/// HTTP_PROXY is ignored if REQUEST_METHOD is set: in a CGI program, the sender of a request sets it.
///
/// no_proxy or NO_PROXY lists what is reached directly, separated by commas or blanks: * for everything, a
/// domain with all its subdomains (aliyuncs.com or .aliyuncs.com), an IP address, or a range of addresses
/// (10.0.0.0/8), which contains no names. A port may follow (example.com:8080). Other entries match nothing.
/// localhost and loopback addresses are always reached directly.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_proxy_from_env(
    options: Option<&mut oss_callback_client_options>,
    from_env: bool,
) {
    build(options, |builder| builder.proxy_from_env(from_env));
}
