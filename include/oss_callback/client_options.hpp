/**
 * Everything a client can be told.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_CLIENT_OPTIONS_HPP
#define OSS_CALLBACK_CLIENT_OPTIONS_HPP

#include "options.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/** Which certificate authorities a client trusts, besides those of client_options::ca_bundle. */
enum class root_certificates : std::uint32_t {
  /** The system's, if it has any, otherwise Mozilla's as bundled with the library. */
  automatic = OSS_CALLBACK_ROOT_CERTIFICATES_AUTOMATIC,
  /** The system's; it is an error if there are none. */
  system = OSS_CALLBACK_ROOT_CERTIFICATES_SYSTEM,
  /** Mozilla's, as bundled with the library. */
  bundled = OSS_CALLBACK_ROOT_CERTIFICATES_BUNDLED,
  /** None but those of the CA bundle. */
  none = OSS_CALLBACK_ROOT_CERTIFICATES_NONE,
};

/**
 * Everything a client can be told; only the endpoint and the credentials must be. The first fault is kept and reported
 * when a client is made. Not safe to share between threads while it changes.
 */
class client_options {
 public:
  client_options() : handle_(internal::new_handle<::oss_callback_client_options>(::oss_callback_client_options_new)) {}

  /** "https://oss-cn-hangzhou.aliyuncs.com"; https without a scheme. An IP address means path style. Required. */
  client_options& endpoint(const text& endpoint) {
    ::oss_callback_client_options_set_endpoint(handle_.get(), endpoint.c_str());
    return *this;
  }
  /** "cn-hangzhou". Read from a standard endpoint when not given; signature version 4 needs one. */
  client_options& region(const text& region) {
    ::oss_callback_client_options_set_region(handle_.get(), region.c_str());
    return *this;
  }
  /** An access key pair: of a RAM user, or of a role with the token that STS gave. Never part of a message. */
  client_options& credentials(const text& access_key_id, const text& access_key_secret,
                              const text& security_token = nullptr) {
    ::oss_callback_client_options_set_credentials(handle_.get(), access_key_id.c_str(), access_key_secret.c_str(),
                                                  security_token.c_str());
    hooks_ = nullptr;
    return *this;
  }
  /** OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role, OSS_SESSION_TOKEN. Read now. */
  client_options& credentials_from_env() {
    ::oss_callback_client_options_set_credentials_from_env(handle_.get());
    hooks_ = nullptr;
    return *this;
  }
  /** Requests are not signed: only a bucket that is open to everyone accepts them, without a callback. */
  client_options& credentials_anonymous() {
    ::oss_callback_client_options_set_credentials_anonymous(handle_.get());
    hooks_ = nullptr;
    return *this;
  }
  /**
   * Asks `provide` when a request needs credentials: at first, within 5 minutes of their expiry (a fifth of their life
   * if that is shorter), and when OSS has refused them as expired; without an expiry for each request.
   *
   * It runs on any thread that uses the client, and on threads of the library's, but in a process never on two at once. It may
   * block; time limits and cancellations take effect when it returns. What it throws, or its giving none, ends the
   * operation with code::credentials_failed, unless earlier credentials are still valid. It must not use the client. It
   * lives as long as the options, the clients made of them, and their uploads in parts.
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
   * Signs with `sign` in place of a secret, so that the secret stays elsewhere: on an application server, in a key
   * store. It runs once for each request that is sent; otherwise as a credentials_provider.
   */
  client_options& signer(const text& access_key_id, const text& security_token, oss_callback::signer sign) {
    const bool is_given = static_cast<bool>(sign);
    hooks_ = std::make_shared<internal::client_hooks>(std::move(sign));
    ::oss_callback_client_options_set_signer_hook(handle_.get(), access_key_id.c_str(), security_token.c_str(),
                                                  is_given ? internal::sign_text : nullptr,
                                                  new internal::shared_hooks(hooks_), internal::forget_client_hooks);
    return *this;
  }
  /** The version of the signature: 4 (default) or 1. */
  client_options& signature_version(unsigned version) {
    ::oss_callback_client_options_set_signature_version(handle_.get(), version);
    return *this;
  }
  /** The endpoint is a custom domain that is bound to one bucket. Default: false. */
  client_options& cname(bool cname) {
    ::oss_callback_client_options_set_cname(handle_.get(), cname);
    return *this;
  }
  /** URLs name the bucket in the path, not in the host; for servers other than OSS. Default: false. */
  client_options& path_style(bool path_style) {
    ::oss_callback_client_options_set_path_style(handle_.get(), path_style);
    return *this;
  }
  /** Printable ASCII. Default: "oss-callback/" and the version. */
  client_options& user_agent(const text& user_agent) {
    ::oss_callback_client_options_set_user_agent(handle_.get(), user_agent.c_str());
    return *this;
  }
  /** Time for finding the server's address, and time for connecting, TLS included. Default: 10 s each. */
  client_options& connect_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_client_options_set_connect_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** Time from the last byte sent until OSS answers; 5 s are added for each URL of a callback. Default: 30 s. */
  client_options& answer_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_client_options_set_answer_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The longest time without progress while a body is sent or received. Default: 30 s. */
  client_options& progress_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_client_options_set_progress_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** Time for an operation as a whole, all its attempts included. Default: no limit. */
  client_options& timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_client_options_set_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** Bytes of an answer's body that are read; more is an error. Default: 4 MiB. */
  client_options& max_answer_len(std::size_t max_answer_len) {
    ::oss_callback_client_options_set_max_answer_len(handle_.get(), max_answer_len);
    return *this;
  }
  client_options& retry(const retry_policy& policy) {
    ::oss_callback_client_options_set_max_attempts(handle_.get(), policy.max_attempts);
    ::oss_callback_client_options_set_retry_base_delay_ms(handle_.get(), internal::count(policy.base_delay));
    ::oss_callback_client_options_set_retry_max_delay_ms(handle_.get(), internal::count(policy.max_delay));
    return *this;
  }
  /** "http://user:password@proxy.example.com:3128". Default: none; the environment is not asked. */
  client_options& proxy(const text& url) {
    ::oss_callback_client_options_set_proxy(handle_.get(), url.c_str());
    return *this;
  }
  /** Adds an address, "127.0.0.1:443", to use for a host name in place of the system's. */
  client_options& address(const text& host, const text& address) {
    ::oss_callback_client_options_add_address(handle_.get(), host.c_str(), address.c_str());
    return *this;
  }
  /** Connections that are kept open between requests. Default: 64. */
  client_options& max_idle_connections(std::size_t max_idle_connections) {
    ::oss_callback_client_options_set_max_idle_connections(handle_.get(), max_idle_connections);
    return *this;
  }
  /** How long a connection is kept open between requests. Default: 15 s. */
  client_options& max_idle_time(std::chrono::milliseconds max_idle_time) {
    ::oss_callback_client_options_set_max_idle_time_ms(handle_.get(), internal::count(max_idle_time));
    return *this;
  }
  /** A library that was built without TLS refuses it. */
  client_options& root_certificates(oss_callback::root_certificates root_certificates) {
    ::oss_callback_client_options_set_root_certificates(handle_.get(), static_cast<std::uint32_t>(root_certificates));
    return *this;
  }
  /** Certificate authorities in PEM that are trusted besides, or alone with root_certificates::none. */
  client_options& ca_bundle(const bytes& pem) {
    ::oss_callback_client_options_set_ca_bundle(handle_.get(), pem.data(), pem.size());
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
