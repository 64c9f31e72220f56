/**
 * The settings of a client.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_CLIENT_OPTIONS_HPP
#define OSS_CALLBACK_CLIENT_OPTIONS_HPP

#include "options.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/** Which certificate authorities a client trusts, in addition to those in client_options::ca_bundle. */
enum class root_certificates : std::uint32_t {
  /** The system's if it has any, otherwise Mozilla's, which are bundled with the library. */
  automatic = OSS_CALLBACK_ROOT_CERTIFICATES_AUTOMATIC,
  /** The system's; having none is an error. */
  system = OSS_CALLBACK_ROOT_CERTIFICATES_SYSTEM,
  /** Mozilla's, which are bundled with the library. */
  bundled = OSS_CALLBACK_ROOT_CERTIFICATES_BUNDLED,
  /** Only those in the CA bundle. */
  none = OSS_CALLBACK_ROOT_CERTIFICATES_NONE,
};

/**
 * The settings of a client; only the endpoint and the credentials are required. The first error is kept and reported
 * when a client is made. Not safe to share between threads while it changes.
 */
class client_options {
 public:
  client_options() : handle_(internal::new_handle<::oss_callback_client_options>(::oss_callback_client_options_new)) {}

  /**
   * "https://oss-cn-hangzhou.aliyuncs.com"; https if there is no scheme. An IP address implies path style. Required.
   */
  client_options& endpoint(const text& endpoint) {
    ::oss_callback_client_options_set_endpoint(handle_.get(), endpoint.c_str());
    return *this;
  }
  /** "cn-hangzhou". Default: taken from a standard endpoint. Signature version 4 needs a region. */
  client_options& region(const text& region) {
    ::oss_callback_client_options_set_region(handle_.get(), region.c_str());
    return *this;
  }
  /** An access key pair: a RAM user's, or a role's with the token that STS issued. It never appears in a message. */
  client_options& credentials(const text& access_key_id, const text& access_key_secret,
                              const text& security_token = nullptr) {
    ::oss_callback_client_options_set_credentials(handle_.get(), access_key_id.c_str(), access_key_secret.c_str(),
                                                  security_token.c_str());
    hooks_ = nullptr;
    return *this;
  }
  /** Reads OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role, OSS_SESSION_TOKEN, at this call. */
  client_options& credentials_from_env() {
    ::oss_callback_client_options_set_credentials_from_env(handle_.get());
    hooks_ = nullptr;
    return *this;
  }
  /** Sends unsigned requests: only a bucket that is open to everyone accepts them, and only without a callback. */
  client_options& credentials_anonymous() {
    ::oss_callback_client_options_set_credentials_anonymous(handle_.get());
    hooks_ = nullptr;
    return *this;
  }
  /**
   * Calls `provide` when a request needs credentials: the first time, within 5 minutes of their expiry (or a fifth of
   * their lifetime if that is shorter), and after OSS has refused them as expired. If they have no expiry, it is called
   * for each request.
   *
   * It may run on any thread that uses the client and on the library's own threads, but never on two at once in one
   * process. It may block; time limits and cancellations take effect when it returns. If it throws or returns none, the
   * operation ends with code::credentials_failed, unless earlier credentials are still valid. It must not use the
   * client. It lives as long as the options, the clients made from them, and those clients' multipart uploads.
   */
  client_options& credentials_provider(oss_callback::credentials_provider provide) {
    const bool is_given = static_cast<bool>(provide);
    hooks_ = std::make_shared<internal::client_hooks>(std::move(provide));
    ::oss_callback_client_options_set_credentials_hook(handle_.get(),
                                                       is_given ? internal::provide_credentials : nullptr,
                                                       new internal::shared_hooks(hooks_),
                                                       internal::forget_client_hooks);
    return *this;
  }
  /**
   * Signs with `sign` instead of a secret, so that the secret can stay elsewhere: on an application server, or in a key
   * store. It runs once for each request that is sent; otherwise the rules of credentials_provider apply.
   */
  client_options& signer(const text& access_key_id, const text& security_token, oss_callback::signer sign) {
    const bool is_given = static_cast<bool>(sign);
    hooks_ = std::make_shared<internal::client_hooks>(std::move(sign));
    ::oss_callback_client_options_set_signer_hook(handle_.get(), access_key_id.c_str(), security_token.c_str(),
                                                  is_given ? internal::sign_text : nullptr,
                                                  new internal::shared_hooks(hooks_), internal::forget_client_hooks);
    return *this;
  }
  /** The signature version: 4 (default) or 1. */
  client_options& signature_version(unsigned version) {
    ::oss_callback_client_options_set_signature_version(handle_.get(), version);
    return *this;
  }
  /** Whether the endpoint is a custom domain bound to one bucket. Default: false. */
  client_options& cname(bool cname) {
    ::oss_callback_client_options_set_cname(handle_.get(), cname);
    return *this;
  }
  /** Whether URLs name the bucket in the path instead of the host; for servers other than OSS. Default: false. */
  client_options& path_style(bool path_style) {
    ::oss_callback_client_options_set_path_style(handle_.get(), path_style);
    return *this;
  }
  /** Printable ASCII. Default: "oss-callback/" and the version. */
  client_options& user_agent(const text& user_agent) {
    ::oss_callback_client_options_set_user_agent(handle_.get(), user_agent.c_str());
    return *this;
  }
  /**
   * The time limit for resolving the server's name and, separately, for connecting, including TLS. Default: 10 s each.
   */
  client_options& connect_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_client_options_set_connect_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The time limit from the last byte sent until OSS answers; each callback URL adds 5 s. Default: 30 s. */
  client_options& answer_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_client_options_set_answer_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The longest time without progress while a body leaves this machine or is received. Default: 30 s. */
  client_options& progress_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_client_options_set_progress_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The time limit for an operation, including all its attempts. Default: no limit. */
  client_options& timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_client_options_set_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** How many bytes of an answer's body to read; a longer body is an error. Default: 4 MiB. */
  client_options& max_answer_len(std::size_t max_answer_len) {
    ::oss_callback_client_options_set_max_answer_len(handle_.get(), max_answer_len);
    return *this;
  }
  client_options& retry(const retry_policy& policy) {
    internal::set_retry(handle_.get(), policy, ::oss_callback_client_options_set_max_attempts,
                        ::oss_callback_client_options_set_retry_base_delay_ms,
                        ::oss_callback_client_options_set_retry_max_delay_ms);
    return *this;
  }
  /** An HTTP proxy for all requests, "http://user:password@proxy.example.com:3128". Default: none. */
  client_options& proxy(const text& url) {
    ::oss_callback_client_options_set_proxy(handle_.get(), url.c_str());
    return *this;
  }
  /**
   * Whether making a client reads the proxy from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, if none is set. No other
   * thread may change the environment meanwhile. Default: false. oss_callback.h has the rules.
   */
  client_options& proxy_from_env(bool from_env) {
    ::oss_callback_client_options_set_proxy_from_env(handle_.get(), from_env);
    return *this;
  }
  /**
   * Adds an address, "127.0.0.1:443" or "::1", to use for a host name instead of those the system finds; without a port,
   * it is that of the URL. "*.oss.example.com" is every name that ends so.
   */
  client_options& address(const text& host, const text& address) {
    ::oss_callback_client_options_add_address(handle_.get(), host.c_str(), address.c_str());
    return *this;
  }
  /** The IP address of this machine that connections come from. Lookups are not bound. Default: the system chooses. */
  client_options& local_address(const text& local_address) {
    ::oss_callback_client_options_set_local_address(handle_.get(), local_address.c_str());
    return *this;
  }
  /** The network interface, "eth1", that connections go through; Linux only. Lookups are not bound. */
  client_options& network_interface(const text& network_interface) {
    ::oss_callback_client_options_set_network_interface(handle_.get(), network_interface.c_str());
    return *this;
  }
  /** How many connections to keep open between requests. Default: 64. */
  client_options& max_idle_connections(std::size_t max_idle_connections) {
    ::oss_callback_client_options_set_max_idle_connections(handle_.get(), max_idle_connections);
    return *this;
  }
  /** How long to keep a connection open between requests. Default: 15 s. */
  client_options& max_idle_time(std::chrono::milliseconds max_idle_time) {
    ::oss_callback_client_options_set_max_idle_time_ms(handle_.get(), internal::count(max_idle_time));
    return *this;
  }
  /** A library built without TLS refuses it. */
  client_options& root_certificates(oss_callback::root_certificates root_certificates) {
    ::oss_callback_client_options_set_root_certificates(handle_.get(), static_cast<std::uint32_t>(root_certificates));
    return *this;
  }
  /**
   * Certificates in PEM, of authorities or of the server itself, to trust in addition, or exclusively with
   * root_certificates::none.
   */
  client_options& ca_bundle(const bytes& pem) {
    ::oss_callback_client_options_set_ca_bundle(handle_.get(), pem.data(), pem.size());
    return *this;
  }
  /** The same from a file, in place of the bytes. The client's constructor reads it. */
  client_options& ca_bundle_file(const std::filesystem::path& path) {
    ::oss_callback_client_options_set_ca_bundle_file(handle_.get(), internal::path_of(path).c_str());
    return *this;
  }
  /**
   * The certificate to show to a server that asks for one, with its chain, and its private key, which is not encrypted;
   * both in PEM. The key never appears in messages.
   */
  client_options& client_certificate(const bytes& certificate, const bytes& key) {
    ::oss_callback_client_options_set_client_certificate(handle_.get(), certificate.data(), certificate.size(), key.data(),
                                                         key.size());
    return *this;
  }
  /** The same from files, in place of the bytes. The client's constructor reads them. */
  client_options& client_certificate_files(const std::filesystem::path& certificate, const std::filesystem::path& key) {
    ::oss_callback_client_options_set_client_certificate_files(handle_.get(), internal::path_of(certificate).c_str(),
                                                               internal::path_of(key).c_str());
    return *this;
  }

  [[nodiscard]] const ::oss_callback_client_options* c_handle() const noexcept { return handle_.get(); }

 private:
  friend class client;

  internal::owned<::oss_callback_client_options, ::oss_callback_client_options_free> handle_;
  internal::shared_hooks hooks_;
};

}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_CLIENT_OPTIONS_HPP
