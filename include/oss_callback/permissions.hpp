/**
 * Permissions for uploaders that have no key: presigned URLs, and forms for browsers. They are as good as passwords.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_PERMISSIONS_HPP
#define OSS_CALLBACK_PERMISSIONS_HPP

#include "options.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/** Where a presigned URL has its callback. */
enum class callback_in {
  /** In the URL, where the uploader can neither change nor drop it. */
  url,
  /** In headers, which must be sent along. */
  headers,
};

/** Of what somebody else completes an upload in parts. */
enum class complete_of {
  /** All parts that OSS has; an empty body is sent. */
  all_parts,
  /** Those in OSS's list of parts, which is the body. */
  listed_parts,
};

/**
 * A URL that permits one request to whoever has it, until it expires. It does not change: any thread may read it. Views
 * that it gives out are valid as long as it lives.
 */
class presigned_url {
 public:
  /** Takes a URL over that a function of oss_callback.h gave. */
  explicit presigned_url(::oss_callback_presigned_url* handle) noexcept : handle_(handle) {}

  /** One that somebody else made, from what json() gave, on any machine. */
  static result<presigned_url> try_from_json(const text& json) {
    return internal::make<presigned_url, ::oss_callback_presigned_url>(
        [&](auto** url, auto** error) { return ::oss_callback_presigned_url_new_from_json(json.c_str(), url, error); });
  }
#if OSS_CALLBACK_EXCEPTIONS
  static presigned_url from_json(const text& json) { return try_from_json(json).value(); }
#endif

  /** The HTTP method that it permits, such as "PUT". */
  [[nodiscard]] std::string_view method() const noexcept {
    return internal::view_of(::oss_callback_presigned_url_method(c_handle()));
  }
  /** Percent-encoded. */
  [[nodiscard]] std::string_view url() const noexcept {
    return internal::view_of(::oss_callback_presigned_url_url(c_handle()));
  }
  /** All of it as JSON, for a web page or another machine. */
  [[nodiscard]] std::string_view json() const noexcept {
    return internal::view_of(::oss_callback_presigned_url_json(c_handle()));
  }
  /** Until when it is good, if whoever made it has said so. */
  [[nodiscard]] std::optional<sys_seconds> expires() const noexcept {
    return internal::optional_time(::oss_callback_presigned_url_expires_at_s, c_handle());
  }
  /** What must be sent with it, exactly as it is. No other Content-Type, Content-MD5 or x-oss-... may be sent. */
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> headers() const {
    std::vector<std::pair<std::string, std::string>> headers;
    for (std::size_t index = 0; index < ::oss_callback_presigned_url_headers_len(c_handle()); ++index)
      headers.emplace_back(internal::view_of(::oss_callback_presigned_url_header_name(c_handle(), index)),
                           internal::view_of(::oss_callback_presigned_url_header_value(c_handle(), index)));
    return headers;
  }

  [[nodiscard]] const ::oss_callback_presigned_url* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_presigned_url, ::oss_callback_presigned_url_free> handle_;
};

/**
 * What a form permits; it needs a key or a prefix. Everything that is given becomes a field of the form and a condition
 * of its policy, so that the uploader can change none of it. What is not given is open: any size, any type, a callback
 * of the uploader's own. Faults are kept and reported by client::sign_post_form. Not safe to share between threads
 * while it changes.
 */
class post_policy {
 public:
  post_policy() : handle_(internal::new_handle<::oss_callback_post_policy>(::oss_callback_post_policy_new)) {}

  /** The object's name. */
  post_policy& key(const text& key) {
    ::oss_callback_post_policy_set_key(handle_.get(), key.c_str());
    return *this;
  }
  /** What the object's name begins with; the name of the uploaded file, which is the uploader's choice, follows. */
  post_policy& key_prefix(const text& key_prefix) {
    ::oss_callback_post_policy_set_key_prefix(handle_.get(), key_prefix.c_str());
    return *this;
  }
  /** For how long the form is good: 1 s to 7 days; less if the credentials end before. Default: 15 minutes. */
  post_policy& expires_in(std::chrono::seconds expires_in) {
    ::oss_callback_post_policy_set_expires_in_s(handle_.get(), internal::count(expires_in));
    return *this;
  }
  /** The sizes in bytes that the file may have, both included. */
  post_policy& content_length_range(std::uint64_t least, std::uint64_t most) {
    ::oss_callback_post_policy_set_content_length_range(handle_.get(), least, most);
    return *this;
  }
  /** Adds a Content-Type that the uploader may choose, by the field "x-oss-content-type". */
  post_policy& content_type(const text& content_type) {
    ::oss_callback_post_policy_add_content_type(handle_.get(), content_type.c_str());
    return *this;
  }
  /** Asks OSS to call the application server once the object is stored. The spec is copied. */
  post_policy& callback(const spec& spec) {
    ::oss_callback_post_policy_set_callback(handle_.get(), spec.c_handle());
    return *this;
  }
  /** A field with the value that it must have: "x-oss-meta-author", "success_action_status" and the like. */
  post_policy& field(const text& name, const text& value) {
    ::oss_callback_post_policy_set_field(handle_.get(), name.c_str(), value.c_str());
    return *this;
  }

  [[nodiscard]] const ::oss_callback_post_policy* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_post_policy, ::oss_callback_post_policy_free> handle_;
};

/**
 * A form that was signed: where to post it, and its fields. It does not change: any thread may read it. Views that it
 * gives out are valid as long as it lives.
 */
class post_form {
 public:
  /** Takes a form over that a function of oss_callback.h gave. */
  explicit post_form(::oss_callback_post_form* handle) noexcept : handle_(handle) {}

  /** One that somebody else made, from what json() gave, on any machine. */
  static result<post_form> try_from_json(const text& json) {
    return internal::make<post_form, ::oss_callback_post_form>(
        [&](auto** form, auto** error) { return ::oss_callback_post_form_new_from_json(json.c_str(), form, error); });
  }
#if OSS_CALLBACK_EXCEPTIONS
  static post_form from_json(const text& json) { return try_from_json(json).value(); }
#endif

  /** Where to post it. */
  [[nodiscard]] std::string_view url() const noexcept {
    return internal::view_of(::oss_callback_post_form_url(c_handle()));
  }
  /** All of it as JSON, for a web page or another machine. */
  [[nodiscard]] std::string_view json() const noexcept {
    return internal::view_of(::oss_callback_post_form_json(c_handle()));
  }
  /** Until when it is good, if whoever made it has said so. */
  [[nodiscard]] std::optional<sys_seconds> expires() const noexcept {
    return internal::optional_time(::oss_callback_post_form_expires_at_s, c_handle());
  }
  /** Its fields in their order. They stand before the file. */
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> fields() const {
    std::vector<std::pair<std::string, std::string>> fields;
    for (std::size_t index = 0; index < ::oss_callback_post_form_fields_len(c_handle()); ++index)
      fields.emplace_back(internal::view_of(::oss_callback_post_form_field_name(c_handle(), index)),
                          internal::view_of(::oss_callback_post_form_field_value(c_handle(), index)));
    return fields;
  }

  [[nodiscard]] const ::oss_callback_post_form* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_post_form, ::oss_callback_post_form_free> handle_;
};

}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_PERMISSIONS_HPP
