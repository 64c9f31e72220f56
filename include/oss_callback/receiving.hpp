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
 * A callback that OSS has sent. No header is part of it, since no header is signed. It does not change: any thread may
 * read it. Views that it gives out are valid as long as it lives. What the body does not say is std::nullopt, and so is
 * everything in a body that cannot be read: see check_body.
 */
class verified {
 public:
  /** Takes a callback over that a function of oss_callback.h gave. */
  explicit verified(::oss_callback_verified* handle) noexcept : handle_(handle) {}

  /**
   * Path and query that OSS has signed: those of the callback URL, whatever a proxy made of them. For logs: /cb?id=1
   * and /cb%3Fid=1 are signed alike, and any customer of OSS can choose them.
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
  /** code::bad_body when the body is neither a form nor JSON, not UTF-8, or has a member twice. */
  [[nodiscard]] result<void> try_check_body() const {
    return internal::run_with({}, [&](auto** error) { return ::oss_callback_verified_check_body(c_handle(), error); });
  }
  /**
   * Looks the object up that the body names, and compares its ETag, size and CRC-64 with what the body says of them. Do
   * this before anything valuable: neither OSS's signature nor a seal proves that the upload took place. An object that
   * was there before passes as well, and without a seal the bucket may be anybody's.
   * code::not_confirmed when there is no such object, or it is another; every other code says that it is not known.
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

  /** A member of the body by its name there, case included; those of an object imageInfo are "imageInfo.height" etc. */
  [[nodiscard]] std::optional<std::string_view> member(const text& name) const noexcept {
    return internal::optional_text(::oss_callback_verified_member(c_handle(), name.c_str()));
  }
  /** A variable of the application's own, with or without "x:" in front. */
  [[nodiscard]] std::optional<std::string_view> variable(const text& name) const noexcept {
    return internal::optional_text(::oss_callback_verified_variable(c_handle(), name.c_str()));
  }
  [[nodiscard]] std::optional<std::string_view> bucket() const noexcept {
    return internal::optional_text(::oss_callback_verified_bucket(c_handle()));
  }
  /** Also found under the name filename. */
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

/** How callbacks are verified. The first fault is kept and reported when a verifier is made. */
class verifier_options {
 public:
  verifier_options()
      : handle_(internal::new_handle<::oss_callback_verifier_options>(::oss_callback_verifier_options_new)) {}

  /** Adds a key that OSS publishes: its URL below https://gosspublic.alicdn.com/ and its text, PEM. */
  verifier_options& key(const text& url, const text& pem) {
    ::oss_callback_verifier_options_add_key(handle_.get(), url.c_str(), pem.c_str());
    return *this;
  }
  /** Whether keys that are not known are fetched from OSS's key host. Default: false. */
  verifier_options& fetch_keys(bool fetch_keys) {
    ::oss_callback_verifier_options_set_fetch_keys(handle_.get(), fetch_keys);
    return *this;
  }
  /**
   * FOR TESTS ONLY: admits a key URL that is not OSS's, exactly as it stands, with this key (PEM). Whoever holds its
   * private half can forge callbacks. For local-oss, which prints the URL when it starts.
   */
  verifier_options& trust_key_url_for_tests(const text& exact_url, const text& pem) {
    ::oss_callback_verifier_options_trust_key_url_for_tests(handle_.get(), exact_url.c_str(), pem.c_str());
    return *this;
  }
  /** The longest body in bytes. Default: 1 MiB. */
  verifier_options& max_body_len(std::size_t max_body_len) {
    ::oss_callback_verifier_options_set_max_body_len(handle_.get(), max_body_len);
    return *this;
  }
  /** Puts back what a reverse proxy has stripped: with "/api" /callback may have been signed as /api/callback. */
  verifier_options& prepend_prefix(const text& prefix) {
    ::oss_callback_verifier_options_prepend_prefix(handle_.get(), prefix.c_str());
    return *this;
  }
  /** Takes off what a reverse proxy has added: with "/api" /api/callback may have been signed as /callback. */
  verifier_options& strip_prefix(const text& prefix) {
    ::oss_callback_verifier_options_strip_prefix(handle_.get(), prefix.c_str());
    return *this;
  }
  /** Believes a header such as X-Original-URI, in which a reverse proxy keeps the target as it came to it. */
  verifier_options& trust_target_header(const text& name) {
    ::oss_callback_verifier_options_trust_target_header(handle_.get(), name.c_str());
    return *this;
  }

  [[nodiscard]] const ::oss_callback_verifier_options* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_verifier_options, ::oss_callback_verifier_options_free> handle_;
};

/** Headers of a request, where nothing else holds them. */
using header_list = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/**
 * Decides whether requests are OSS's. It does not change and may be used from many threads at once.
 *
 * A signature proves that OSS has sent the request, and no more: any customer of OSS can have such a request sent to
 * any URL, with any body, and it never expires. What proves that the upload was permitted is a sealer.
 */
class verifier {
 public:
  /** Takes a verifier over that a function of oss_callback.h gave. */
  explicit verifier(::oss_callback_verifier* handle) noexcept : handle_(handle) {}

  /** Without options: OSS's production key, and no proxy. */
  static result<verifier> try_of(const verifier_options& options = {}) {
    return internal::make<verifier, ::oss_callback_verifier>(
        [&](auto** made, auto** error) { return ::oss_callback_verifier_new(options.c_handle(), made, error); });
  }

  /**
   * Verifies a request as it came to the application server, before anything has decoded it. `target` is path and query
   * as they stand in the request line. `headers` are pairs of name and value, in a std::vector, a std::multimap, or
   * between braces: Authorization, x-oss-pub-key-url, Content-Type and what proxies add; of several with one name the
   * first counts. `body` are its bytes.
   *
   * Takes some 20 microseconds and does no I/O, unless keys are fetched. A failure is for the application's log; who
   * sent the request gets reply::refused. code::key_unavailable says nothing about the request.
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
 * What an uploader may do: one object or those below a prefix, up to a size, until a time. Without a size and an end
 * nothing can be sealed. Faults are kept and reported by sealer::seal. Not safe to share between threads while it
 * changes.
 */
class permission {
 public:
  /** Takes a permission over that a function of oss_callback.h gave. */
  explicit permission(::oss_callback_permission* handle) noexcept : handle_(handle) {}

  /** The upload of one object. */
  static result<permission> try_object(const text& bucket, const text& object) {
    return internal::make<permission, ::oss_callback_permission>([&](auto** permission, auto** error) {
      return ::oss_callback_permission_new_object(bucket.c_str(), object.c_str(), permission, error);
    });
  }
  /** The upload of one object whose name begins so and is otherwise the uploader's choice, be it one that exists. */
  static result<permission> try_prefix(const text& bucket, const text& prefix) {
    return internal::make<permission, ::oss_callback_permission>([&](auto** permission, auto** error) {
      return ::oss_callback_permission_new_prefix(bucket.c_str(), prefix.c_str(), permission, error);
    });
  }
#if OSS_CALLBACK_EXCEPTIONS
  static permission object(const text& bucket, const text& object) { return try_object(bucket, object).value(); }
  static permission prefix(const text& bucket, const text& prefix) { return try_prefix(bucket, prefix).value(); }
#endif

  /** The largest size in bytes. */
  permission& max_size(std::uint64_t bytes) {
    ::oss_callback_permission_set_max_size(handle_.get(), bytes);
    return *this;
  }
  /** The size in bytes, in place of a largest one. */
  permission& exact_size(std::uint64_t bytes) {
    ::oss_callback_permission_set_exact_size(handle_.get(), bytes);
    return *this;
  }
  /** The end, by the clock of the application server. The callback must arrive before it. */
  template <class Duration>
  permission& expires_at(std::chrono::time_point<std::chrono::system_clock, Duration> end) {
    ::oss_callback_permission_set_expires_at_s(handle_.get(), internal::since_1970(end));
    return *this;
  }
  /** The end, from now. */
  permission& valid_for(std::chrono::seconds time) {
    ::oss_callback_permission_set_valid_for_s(handle_.get(), internal::count(time));
    return *this;
  }

  [[nodiscard]] const ::oss_callback_permission* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_permission, ::oss_callback_permission_free> handle_;
};

/**
 * A callback whose upload was permitted: what the seal covers, and nothing else. It does not change: any thread may
 * read it. Views that it gives out are valid as long as it lives.
 */
class sealed {
 public:
  /** Takes a callback over that a function of oss_callback.h gave. */
  explicit sealed(::oss_callback_sealed* handle) noexcept : handle_(handle) {}

  [[nodiscard]] std::string_view bucket() const noexcept {
    return internal::view_of(::oss_callback_sealed_bucket(c_handle()));
  }
  /** The permitted object, or one that begins with the permitted prefix. */
  [[nodiscard]] std::string_view object() const noexcept {
    return internal::view_of(::oss_callback_sealed_object(c_handle()));
  }
  /** The size in bytes that the callback says, within what was permitted. */
  [[nodiscard]] std::uint64_t size() const noexcept { return ::oss_callback_sealed_size(c_handle()); }
  /** A sealed variable by its name, with or without "x:" in front. */
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
   * 16 random bytes that no other seal has. With body_digest they are what a database needs that several servers share
   * in place of a replay_guard: keep the digest under the nonce until after the permission's end; a nonce that is there
   * with another digest is a replay.
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
 * A seal proves that the holder of the secret has permitted an upload: to this bucket and object or prefix, of this
 * size, until this time, with these variables. It does not prove that the upload took place: see verified::confirm.
 * After the last accept it may be used from many threads at once.
 */
class sealer {
 public:
  /** Takes a sealer over that a function of oss_callback.h gave. */
  explicit sealer(::oss_callback_sealer* handle) noexcept : handle_(handle) {}

  /** A key: an id, which stands in every seal and is no secret, and at least 32 random bytes, which are copied. */
  static result<sealer> try_of(const text& key_id, const bytes& secret) {
    return internal::make<sealer, ::oss_callback_sealer>([&](auto** sealer, auto** error) {
      return ::oss_callback_sealer_new(key_id.c_str(), secret.data(), secret.size(), sealer, error);
    });
  }
  /** Also accepts the seals of another key, for rotation. Nobody else may use the sealer meanwhile. */
  result<void> try_accept(const text& key_id, const bytes& secret) {
    return internal::run_with({}, [&](auto** error) {
      return ::oss_callback_sealer_accept(handle_.get(), key_id.c_str(), secret.data(), secret.size(), error);
    });
  }
  /**
   * Makes a spec of these options with a seal in the variable x:seal: for one upload. Give the uploader its callback()
   * and callback_var(). The body must carry ${bucket}, ${object}, ${size}, ${x:seal} and every variable, each as a
   * member of that name; otherwise code::invalid_callback names what is missing. The permission must not have ended.
   */
  [[nodiscard]] result<spec> try_seal(const spec_options& options, const permission& permission) const {
    return internal::make<spec, ::oss_callback_spec>([&](auto** spec, auto** error) {
      return ::oss_callback_sealer_seal(c_handle(), options.c_handle(), permission.c_handle(), spec, error);
    });
  }
  /** Checks the seal of a verified callback against what its body says, by the clock of this machine. */
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

/** What a replay_guard knows of a callback. */
enum class seen : std::uint32_t {
  /** It comes for the first time: handle it. */
  first_seen = OSS_CALLBACK_SEEN_FIRST,
  /** The same again, byte for byte, as OSS itself may deliver it: answer as before, and do nothing. */
  repeated = OSS_CALLBACK_SEEN_REPEATED,
  /** The same seal with another body: refuse it. */
  replayed = OSS_CALLBACK_SEEN_REPLAYED,
};

/** Tells callbacks that come for the first time from others. May be used from many threads at once. */
class replay_guard {
 public:
  /** Remembers up to `capacity` permissions that have not ended yet, each in some 200 bytes, in this process only. */
  explicit replay_guard(std::size_t capacity)
      : handle_(internal::new_handle<::oss_callback_replay_guard>(::oss_callback_replay_guard_new, capacity)) {}

  /**
   * Looks and remembers. Of threads that ask for one callback at once, one is told seen::first_seen.
   * code::replay_unknown when the guard is full: answer with a 5xx, as reply::refused does.
   */
  [[nodiscard]] result<seen> try_check(const sealed& sealed) const {
    ::oss_callback_seen found = OSS_CALLBACK_SEEN_REPLAYED;
    const result<void> done = internal::run_with({}, [&](auto** error) {
      return ::oss_callback_replay_guard_check(handle_.get(), sealed.c_handle(), &found, error);
    });
    if (!done) return *done.error();
    return static_cast<seen>(found);
  }
  /** Takes seen::first_seen back, when what was to be done has failed and a repetition is welcome. */
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
  /** For Content-Type. */
  std::string content_type;
  /** Its length is the value for Content-Length. */
  std::string body;
  /** The whole answer as it goes over the wire, after which the connection is to be closed. */
  std::string http;

  /** An answer that OSS accepts and hands to the uploader. code::invalid_argument when `json` is no JSON. */
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
   * Refuses a request after a failure of verifying or sealing, with a status that goes with it and no word of the
   * reason: 405, 413, 400, 403, and 503 where it is not known.
   */
  static reply refused(const failure& failure) { return refused(failure.c_handle()); }
  /** Refuses a request after a failure of something else: 503. */
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
