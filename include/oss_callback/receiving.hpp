/**
 * The application server's side: is this request from OSS, was the upload permitted, and is it new?
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_RECEIVING_HPP
#define OSS_CALLBACK_RECEIVING_HPP

#include <initializer_list>

#include "client.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/**
 * A callback that OSS sent. It includes no headers, because OSS does not sign them. It is immutable: any thread may
 * read it. Views that it returns are valid as long as it lives. Values missing from the body are std::nullopt; if the
 * body is unreadable, all of them are: see check_body.
 */
class verified {
 public:
  /** Takes over a callback that a function of oss_callback.h returned. */
  explicit verified(::oss_callback_verified* handle) noexcept : handle_(handle) {}

  /**
   * The path and query that OSS signed: those of the callback URL, whatever a proxy made of them. For logs only:
   * /cb?id=1 and /cb%3Fid=1 have the same signature, and any customer of OSS can choose them.
   */
  [[nodiscard]] std::string_view signed_target() const noexcept {
    return internal::view_of(::oss_callback_verified_signed_target(c_handle()));
  }
  /** The URL of the key, as the callback named it. */
  [[nodiscard]] std::string_view key_url() const noexcept {
    return internal::view_of(::oss_callback_verified_key_url(c_handle()));
  }
  /** The body, byte for byte. */
  [[nodiscard]] std::string_view body() const noexcept {
    return internal::lent_bytes(::oss_callback_verified_body, c_handle());
  }
  /** code::bad_body if the body is neither a form nor JSON, is not UTF-8, or has a member twice. */
  [[nodiscard]] result<void> try_check_body() const {
    return internal::run_with({}, [&](auto** error) { return ::oss_callback_verified_check_body(c_handle(), error); });
  }
  /**
   * Looks up the object that the body names, and compares its ETag, size and CRC-64 with those in the body. Do this
   * before anything valuable: neither OSS's signature nor a seal proves that the upload took place. An object that was
   * there before passes as well, and without a seal the bucket may be anyone's. code::not_confirmed if there is no such
   * object, or if it differs; any other code means that the result is unknown.
   */
  [[nodiscard]] result<object_metadata> try_confirm(const client& client) const {
    return internal::make_with<object_metadata, ::oss_callback_object_metadata>(
        client.hooks_, [&](auto** metadata, auto** error) {
          return ::oss_callback_verified_confirm(c_handle(), client.c_handle(), metadata, error);
        });
  }
#if OSS_CALLBACK_EXCEPTIONS
  void check_body() const { try_check_body().value(); }
  object_metadata confirm(const client& client) const { return try_confirm(client).value(); }
#endif

  /**
   * A member of the body by its exact name (case-sensitive). Members of an object imageInfo are "imageInfo.height" etc.
   */
  [[nodiscard]] std::optional<std::string_view> member(const text& name) const noexcept {
    return internal::optional_text(::oss_callback_verified_member(c_handle(), name.c_str()));
  }
  /** A variable of the application's own, with or without the prefix "x:". */
  [[nodiscard]] std::optional<std::string_view> variable(const text& name) const noexcept {
    return internal::optional_text(::oss_callback_verified_variable(c_handle(), name.c_str()));
  }
  [[nodiscard]] std::optional<std::string_view> bucket() const noexcept {
    return internal::optional_text(::oss_callback_verified_bucket(c_handle()));
  }
  /** Also read from a member named filename. */
  [[nodiscard]] std::optional<std::string_view> object() const noexcept {
    return internal::optional_text(::oss_callback_verified_object(c_handle()));
  }
  /** Without quotes. */
  [[nodiscard]] std::optional<std::string_view> etag() const noexcept {
    return internal::optional_text(::oss_callback_verified_etag(c_handle()));
  }
  [[nodiscard]] std::optional<std::string_view> mime_type() const noexcept {
    return internal::optional_text(::oss_callback_verified_mime_type(c_handle()));
  }
  [[nodiscard]] std::optional<std::string_view> image_format() const noexcept {
    return internal::optional_text(::oss_callback_verified_image_format(c_handle()));
  }
  /** In Base64. */
  [[nodiscard]] std::optional<std::string_view> content_md5() const noexcept {
    return internal::optional_text(::oss_callback_verified_content_md5(c_handle()));
  }
  [[nodiscard]] std::optional<std::string_view> request_id() const noexcept {
    return internal::optional_text(::oss_callback_verified_request_id(c_handle()));
  }
  [[nodiscard]] std::optional<std::string_view> client_ip() const noexcept {
    return internal::optional_text(::oss_callback_verified_client_ip(c_handle()));
  }
  [[nodiscard]] std::optional<std::string_view> vpc_id() const noexcept {
    return internal::optional_text(::oss_callback_verified_vpc_id(c_handle()));
  }
  /** PutObject, PostObject or CompleteMultipartUpload. */
  [[nodiscard]] std::optional<std::string_view> operation() const noexcept {
    return internal::optional_text(::oss_callback_verified_operation(c_handle()));
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const noexcept {
    return internal::optional_number(::oss_callback_verified_size, c_handle());
  }
  [[nodiscard]] std::optional<std::uint64_t> crc64() const noexcept {
    return internal::optional_number(::oss_callback_verified_crc64, c_handle());
  }
  [[nodiscard]] std::optional<std::uint64_t> image_height() const noexcept {
    return internal::optional_number(::oss_callback_verified_image_height, c_handle());
  }
  [[nodiscard]] std::optional<std::uint64_t> image_width() const noexcept {
    return internal::optional_number(::oss_callback_verified_image_width, c_handle());
  }

  [[nodiscard]] const ::oss_callback_verified* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_verified, ::oss_callback_verified_free> handle_;
};

/** How callbacks are verified. The first error is kept and reported when a verifier is made. */
class verifier_options {
 public:
  verifier_options()
      : handle_(internal::new_handle<::oss_callback_verifier_options>(::oss_callback_verifier_options_new)) {}

  /** Adds a key that OSS publishes: its URL below https://gosspublic.alicdn.com/ and its text in PEM. */
  verifier_options& key(const text& url, const text& pem) {
    ::oss_callback_verifier_options_add_key(handle_.get(), url.c_str(), pem.c_str());
    return *this;
  }
  /** Whether to fetch unknown keys from OSS's key host. Default: false. */
  verifier_options& fetch_keys(bool fetch_keys) {
    ::oss_callback_verifier_options_set_fetch_keys(handle_.get(), fetch_keys);
    return *this;
  }
  /**
   * FOR TESTS ONLY: trusts this exact key URL, which is not OSS's, with this key (PEM). Anyone who holds its private
   * half can forge callbacks. For local-oss, which prints the URL when it starts.
   */
  verifier_options& trust_key_url_for_tests(const text& exact_url, const text& pem) {
    ::oss_callback_verifier_options_trust_key_url_for_tests(handle_.get(), exact_url.c_str(), pem.c_str());
    return *this;
  }
  /** The longest body to accept, in bytes. Default: 1 MiB. */
  verifier_options& max_body_len(std::size_t max_body_len) {
    ::oss_callback_verifier_options_set_max_body_len(handle_.get(), max_body_len);
    return *this;
  }
  /** Restores a prefix that a reverse proxy stripped: with "/api", /callback may have been signed as /api/callback. */
  verifier_options& prepend_prefix(const text& prefix) {
    ::oss_callback_verifier_options_add_prepended_prefix(handle_.get(), prefix.c_str());
    return *this;
  }
  /** Removes a prefix that a reverse proxy added: with "/api", /api/callback may have been signed as /callback. */
  verifier_options& strip_prefix(const text& prefix) {
    ::oss_callback_verifier_options_add_stripped_prefix(handle_.get(), prefix.c_str());
    return *this;
  }
  /** Trusts a header such as X-Original-URI, in which a reverse proxy passes on the original target. */
  verifier_options& trust_target_header(const text& name) {
    ::oss_callback_verifier_options_add_target_header(handle_.get(), name.c_str());
    return *this;
  }

  [[nodiscard]] const ::oss_callback_verifier_options* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_verifier_options, ::oss_callback_verifier_options_free> handle_;
};

/** A request's headers, written between braces. */
using header_list = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/**
 * Decides whether requests come from OSS. It is immutable, and many threads may use it at once.
 *
 * A signature proves only that OSS sent the request. Any customer of OSS can have OSS send such a request to any URL,
 * with any body, and the signature never expires. A sealer proves that the upload was permitted.
 */
class verifier {
 public:
  /** Takes over a verifier that a function of oss_callback.h returned. */
  explicit verifier(::oss_callback_verifier* handle) noexcept : handle_(handle) {}

  /** Without options: OSS's production key and no proxy. */
  static result<verifier> try_of(const verifier_options& options = {}) {
    return internal::make<verifier, ::oss_callback_verifier>(
        [&](auto** made, auto** error) { return ::oss_callback_verifier_new(options.c_handle(), made, error); });
  }

  /**
   * Verifies a request as the application server received it, before anything decodes it. `target` is the path and
   * query exactly as in the request line. `headers` are pairs of name and value, in a std::vector, a std::multimap or
   * between braces: Authorization, x-oss-pub-key-url, Content-Type and what proxies add; if a name appears more than
   * once, the first counts. `body` holds the request's bytes.
   *
   * It takes about 20 microseconds and does no I/O, unless it fetches keys. Log a failure, but do not reveal it: send
   * reply::refused to the peer. code::key_unavailable says nothing about the request.
   */
  template <class Headers = header_list>
  [[nodiscard]] result<verified> try_verify(const text& method, const text& target, const Headers& headers,
                                            const bytes& body) const {
    std::vector<std::unique_ptr<const text>> texts;
    std::vector<const char*> pairs;
    for (const auto& [name, value] : headers) {
      texts.push_back(std::make_unique<const text>(name));
      pairs.push_back(texts.back()->c_str());
      texts.push_back(std::make_unique<const text>(value));
      pairs.push_back(texts.back()->c_str());
    }
    return internal::make<verified, ::oss_callback_verified>([&](auto** verified, auto** error) {
      return ::oss_callback_verifier_verify(c_handle(), method.c_str(), target.c_str(), pairs.data(), pairs.size() / 2,
                                            body.data(), body.size(), verified, error);
    });
  }
#if OSS_CALLBACK_EXCEPTIONS
  explicit verifier(const verifier_options& options = {}) : verifier(try_of(options).value()) {}

  template <class Headers = header_list>
  [[nodiscard]] verified verify(const text& method, const text& target, const Headers& headers,
                                const bytes& body) const {
    return try_verify(method, target, headers, body).value();
  }
#endif

  [[nodiscard]] const ::oss_callback_verifier* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_verifier, ::oss_callback_verifier_free> handle_;
};

/**
 * What an uploader may do: upload one object, or one below a prefix, up to a size, until a time. A size and an end are
 * required for sealing. Errors are kept and reported by sealer::seal. Not safe to share between threads while it
 * changes.
 */
class permission {
 public:
  /** Takes over a permission that a function of oss_callback.h returned. */
  explicit permission(::oss_callback_permission* handle) noexcept : handle_(handle) {}

  /** Permits the upload of one object. */
  static result<permission> try_object(const text& bucket, const text& object) {
    return internal::make<permission, ::oss_callback_permission>([&](auto** permission, auto** error) {
      return ::oss_callback_permission_new_object(bucket.c_str(), object.c_str(), permission, error);
    });
  }
  /**
   * Permits the upload of one object whose name begins with `prefix`; the uploader chooses the rest, even an existing
   * name.
   */
  static result<permission> try_prefix(const text& bucket, const text& prefix) {
    return internal::make<permission, ::oss_callback_permission>([&](auto** permission, auto** error) {
      return ::oss_callback_permission_new_prefix(bucket.c_str(), prefix.c_str(), permission, error);
    });
  }
#if OSS_CALLBACK_EXCEPTIONS
  static permission object(const text& bucket, const text& object) { return try_object(bucket, object).value(); }
  static permission prefix(const text& bucket, const text& prefix) { return try_prefix(bucket, prefix).value(); }
#endif

  /** The maximum size in bytes. */
  permission& max_size(std::uint64_t bytes) {
    ::oss_callback_permission_set_max_size(handle_.get(), bytes);
    return *this;
  }
  /** The exact size in bytes, instead of a maximum. */
  permission& exact_size(std::uint64_t bytes) {
    ::oss_callback_permission_set_exact_size(handle_.get(), bytes);
    return *this;
  }
  /** When it ends, by the application server's clock. The callback must arrive before then. */
  template <class Duration>
  permission& expires_at(std::chrono::time_point<std::chrono::system_clock, Duration> end) {
    ::oss_callback_permission_set_expires_at_s(handle_.get(), internal::since_1970(end));
    return *this;
  }
  /** How long it lasts from now. */
  permission& valid_for(std::chrono::seconds time) {
    ::oss_callback_permission_set_valid_for_s(handle_.get(), internal::count(time));
    return *this;
  }

  [[nodiscard]] const ::oss_callback_permission* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_permission, ::oss_callback_permission_free> handle_;
};

/**
 * A callback whose upload was permitted: what the seal covers, and nothing else. It is immutable: any thread may read
 * it. Views that it returns are valid as long as it lives.
 */
class sealed {
 public:
  /** Takes over a callback that a function of oss_callback.h returned. */
  explicit sealed(::oss_callback_sealed* handle) noexcept : handle_(handle) {}

  [[nodiscard]] std::string_view bucket() const noexcept {
    return internal::view_of(::oss_callback_sealed_bucket(c_handle()));
  }
  /** The permitted object, or one whose name begins with the permitted prefix. */
  [[nodiscard]] std::string_view object() const noexcept {
    return internal::view_of(::oss_callback_sealed_object(c_handle()));
  }
  /** The size in bytes that the callback reports; it is within the permission. */
  [[nodiscard]] std::uint64_t size() const noexcept { return ::oss_callback_sealed_size(c_handle()); }
  /** A sealed variable by name, with or without the prefix "x:". */
  [[nodiscard]] std::optional<std::string_view> variable(const text& name) const noexcept {
    return internal::optional_text(::oss_callback_sealed_variable(c_handle(), name.c_str()));
  }
  /** The id of the key that sealed it. */
  [[nodiscard]] std::string_view key_id() const noexcept {
    return internal::view_of(::oss_callback_sealed_key_id(c_handle()));
  }
  /** When the permission ends. */
  [[nodiscard]] sys_seconds expires() const noexcept {
    return internal::time_of(::oss_callback_sealed_expires_at_s(c_handle()));
  }
  /**
   * 16 random bytes that no other seal has. Servers that share a database can use it with body_digest instead of a
   * replay_guard: keep the digest under the nonce until the permission has ended. If the nonce is already there with
   * another digest, the callback is a replay.
   */
  [[nodiscard]] std::array<std::uint8_t, 16> nonce() const noexcept {
    return internal::array_of<16>(::oss_callback_sealed_nonce(c_handle()));
  }
  /** The SHA-256 of the body. */
  [[nodiscard]] std::array<std::uint8_t, 32> body_digest() const noexcept {
    return internal::array_of<32>(::oss_callback_sealed_body_digest(c_handle()));
  }

  [[nodiscard]] const ::oss_callback_sealed* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_sealed, ::oss_callback_sealed_free> handle_;
};

/**
 * Seals callbacks on the application server, and checks the seals of those that come back.
 *
 * A seal proves that the holder of the secret permitted an upload: to this bucket and object or prefix, of this size,
 * until this time, with these variables. It does not prove that the upload took place: see verified::confirm. Many
 * threads may use a sealer at once, after the last accept.
 */
class sealer {
 public:
  /** Takes over a sealer that a function of oss_callback.h returned. */
  explicit sealer(::oss_callback_sealer* handle) noexcept : handle_(handle) {}

  /**
   * Makes a sealer with a key: an id, which is in every seal and is not secret, and at least 32 random bytes, which are
   * copied.
   */
  static result<sealer> try_of(const text& key_id, const bytes& secret) {
    return internal::make<sealer, ::oss_callback_sealer>([&](auto** sealer, auto** error) {
      return ::oss_callback_sealer_new(key_id.c_str(), secret.data(), secret.size(), sealer, error);
    });
  }
  /** Also accepts the seals of another key, for rotation. No other thread may use the sealer during this call. */
  result<void> try_accept(const text& key_id, const bytes& secret) {
    return internal::run_with({}, [&](auto** error) {
      return ::oss_callback_sealer_accept(handle_.get(), key_id.c_str(), secret.data(), secret.size(), error);
    });
  }
  /**
   * Makes a spec from these options, with a seal in the variable x:seal, for one upload. Give the uploader its
   * callback() and callback_var(). The body must carry ${bucket}, ${object}, ${size}, ${x:seal} and every variable,
   * each as a member of that name; otherwise code::invalid_callback names what is missing. The permission must not have
   * ended.
   */
  [[nodiscard]] result<spec> try_seal(const spec_options& options, const permission& permission) const {
    return internal::make<spec, ::oss_callback_spec>([&](auto** spec, auto** error) {
      return ::oss_callback_sealer_seal(c_handle(), options.c_handle(), permission.c_handle(), spec, error);
    });
  }
  /** Checks a verified callback's seal against the callback's body, by this machine's clock. */
  [[nodiscard]] result<sealed> try_check(const verified& verified) const {
    return internal::make<sealed, ::oss_callback_sealed>([&](auto** sealed, auto** error) {
      return ::oss_callback_sealer_check(c_handle(), verified.c_handle(), sealed, error);
    });
  }
#if OSS_CALLBACK_EXCEPTIONS
  sealer(const text& key_id, const bytes& secret) : sealer(try_of(key_id, secret).value()) {}
  void accept(const text& key_id, const bytes& secret) { try_accept(key_id, secret).value(); }
  [[nodiscard]] spec seal(const spec_options& options, const permission& permission) const {
    return try_seal(options, permission).value();
  }
  [[nodiscard]] sealed check(const verified& verified) const { return try_check(verified).value(); }
#endif

  [[nodiscard]] const ::oss_callback_sealer* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_sealer, ::oss_callback_sealer_free> handle_;
};

/** What a replay_guard knows about a callback. */
enum class seen : std::uint32_t {
  /** The first time: handle it. */
  first = OSS_CALLBACK_SEEN_FIRST,
  /** The same callback again, byte for byte, as OSS itself may deliver it: answer as before, and do nothing else. */
  repeated = OSS_CALLBACK_SEEN_REPEATED,
  /** The same seal with another body: refuse it. */
  replayed = OSS_CALLBACK_SEEN_REPLAYED,
};

/** Tells new callbacks from repeated ones. Many threads may use it at once. */
class replay_guard {
 public:
  /** Remembers up to `capacity` permissions that have not yet ended, at about 200 bytes each, in this process only. */
  explicit replay_guard(std::size_t capacity)
      : handle_(internal::new_handle<::oss_callback_replay_guard>(::oss_callback_replay_guard_new, capacity)) {}

  /**
   * Checks a callback and remembers it. If several threads check the same callback at once, one of them gets
   * seen::first. code::replay_unknown if the guard is full: answer with a 5xx, as reply::refused does.
   */
  [[nodiscard]] result<seen> try_check(const sealed& sealed) const {
    ::oss_callback_seen found = OSS_CALLBACK_SEEN_REPLAYED;
    const result<void> done = internal::run_with({}, [&](auto** error) {
      return ::oss_callback_replay_guard_check(handle_.get(), sealed.c_handle(), &found, error);
    });
    if (!done) return *done.error();
    return static_cast<seen>(found);
  }
  /** Takes seen::first back, because handling the callback failed and a repetition is welcome. */
  result<void> try_forget(const sealed& sealed) const {
    return internal::run_with({}, [&](auto** error) {
      return ::oss_callback_replay_guard_forget(handle_.get(), sealed.c_handle(), error);
    });
  }
#if OSS_CALLBACK_EXCEPTIONS
  [[nodiscard]] seen check(const sealed& sealed) const { return try_check(sealed).value(); }
  void forget(const sealed& sealed) const { try_forget(sealed).value(); }
#endif

 private:
  internal::owned<::oss_callback_replay_guard, ::oss_callback_replay_guard_free> handle_;
};

/** An answer to a callback. */
struct reply {
  /** The HTTP status. */
  unsigned status = 0;
  /** The value for Content-Type. */
  std::string content_type;
  /** The body; its length is the value for Content-Length. */
  std::string body;
  /** The whole answer as sent over the connection, which must be closed afterwards. */
  std::string http;

  /** An answer that OSS accepts and passes to the uploader. code::invalid_argument if `json` is not JSON. */
  static result<reply> try_ok(const text& json) {
    const auto made = internal::make<owner, ::oss_callback_reply>(
        [&](auto** reply, auto** error) { return ::oss_callback_reply_new_ok(json.c_str(), reply, error); });
    if (!made) return *made.error();
    return of(made->get());
  }
#if OSS_CALLBACK_EXCEPTIONS
  static reply ok(const text& json) { return try_ok(json).value(); }
#endif
  /**
   * Refuses a request after verifying or sealing failed, with a fitting status and without giving the reason: 405, 413,
   * 400, 403, or 503 if the result is unknown.
   */
  static reply refused(const failure& failure) { return refused(failure.c_handle()); }
  /** Refuses a request after any other failure: 503. */
  static reply refused() { return refused(nullptr); }

 private:
  using owner = internal::owned<::oss_callback_reply, ::oss_callback_reply_free>;

  static reply refused(const ::oss_callback_error* error) {
    return of(owner(internal::new_handle<::oss_callback_reply>(::oss_callback_reply_new_refused, error)).get());
  }
  static reply of(const ::oss_callback_reply* from) {
    return {::oss_callback_reply_status(from), internal::copy_of(::oss_callback_reply_content_type(from)),
            std::string(internal::lent_bytes(::oss_callback_reply_body, from)),
            std::string(internal::lent_bytes(::oss_callback_reply_http, from))};
  }
};

}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_RECEIVING_HPP
