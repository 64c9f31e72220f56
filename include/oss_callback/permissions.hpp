/**
 * Permissions for uploaders without a key: presigned URLs, and forms for browsers. Guard them like passwords.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_PERMISSIONS_HPP
#define OSS_CALLBACK_PERMISSIONS_HPP

#include "options.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/** Where a presigned URL carries its callback. */
enum class callback_in {
  /** In the URL, where the uploader can neither change nor drop it. */
  url,
  /** In headers, which must be sent with the URL. */
  headers,
};

/** From which parts someone else completes a multipart upload. */
enum class complete_of {
  /** All parts that OSS has; the request's body is empty. */
  all_parts,
  /** The parts in a list in OSS's format, which is the request's body. */
  listed_parts,
};

/**
 * A URL that lets anyone who has it make one particular request, until it expires. It is immutable: any thread may read
 * it. Views that it returns are valid as long as it lives.
 */
class presigned_url {
 public:
  /** Takes over a URL that a function of oss_callback.h returned. */
  explicit presigned_url(::oss_callback_presigned_url* handle) noexcept : handle_(handle) {}

  /** Makes one from what json() returned, on this machine or another. */
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
  /** Everything as JSON, for a web page or another machine. */
  [[nodiscard]] std::string_view json() const noexcept {
    return internal::view_of(::oss_callback_presigned_url_json(c_handle()));
  }
  /** When it expires, if its maker said so. */
  [[nodiscard]] std::optional<sys_seconds> expires() const noexcept {
    return internal::optional_time(::oss_callback_presigned_url_expires_at_s, c_handle());
  }
  /**
   * Headers that must be sent with it, exactly as they are. No other Content-Type, Content-MD5 or x-oss-... may be
   * sent.
   */
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

#if !defined(OSS_CALLBACK_SMALL)
/**
 * What a form permits; it needs a key or a prefix. Everything you set becomes a field of the form and a condition of
 * its policy, so the uploader cannot change it. Everything you leave out is open: any size, any type, a callback of the
 * uploader's own. Errors are kept and reported by client::sign_post_form. Not safe to share between threads while it
 * changes.
 */
class post_policy {
 public:
  post_policy() : handle_(internal::new_handle<::oss_callback_post_policy>(::oss_callback_post_policy_new)) {}

  /** The object's name. */
  post_policy& key(const text& key) {
    ::oss_callback_post_policy_set_key(handle_.get(), key.c_str());
    return *this;
  }
  /** The prefix of the object's name. The name of the uploaded file, which the uploader chooses, follows it. */
  post_policy& key_prefix(const text& key_prefix) {
    ::oss_callback_post_policy_set_key_prefix(handle_.get(), key_prefix.c_str());
    return *this;
  }
  /** How long the form is valid: 1 s to 7 days, or less if the credentials expire earlier. Default: 15 minutes. */
  post_policy& expires_in(std::chrono::seconds expires_in) {
    ::oss_callback_post_policy_set_expires_in_s(handle_.get(), internal::count(expires_in));
    return *this;
  }
  /** The smallest and largest size that the file may have, in bytes. */
  post_policy& content_length_range(std::uint64_t least, std::uint64_t most) {
    ::oss_callback_post_policy_set_content_length_range(handle_.get(), least, most);
    return *this;
  }
  /** Adds a Content-Type that the uploader may choose, through the field "x-oss-content-type". */
  post_policy& content_type(const text& content_type) {
    ::oss_callback_post_policy_add_content_type(handle_.get(), content_type.c_str());
    return *this;
  }
  /** Asks OSS to call the application server once the object is stored. The spec is copied. */
  post_policy& callback(const spec& spec) {
    ::oss_callback_post_policy_set_callback(handle_.get(), spec.c_handle());
    return *this;
  }
  /** A field and the value that it must have: "x-oss-meta-author", "success_action_status" and so on. */
  post_policy& field(const text& name, const text& value) {
    ::oss_callback_post_policy_set_field(handle_.get(), name.c_str(), value.c_str());
    return *this;
  }

  [[nodiscard]] const ::oss_callback_post_policy* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_post_policy, ::oss_callback_post_policy_free> handle_;
};
#endif

/**
 * A signed form: where to post it, and its fields. It is immutable: any thread may read it. Views that it returns are
 * valid as long as it lives.
 */
class post_form {
 public:
  /** Takes over a form that a function of oss_callback.h returned. */
  explicit post_form(::oss_callback_post_form* handle) noexcept : handle_(handle) {}

  /** Makes one from what json() returned, on this machine or another. */
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
  /** Everything as JSON, for a web page or another machine. */
  [[nodiscard]] std::string_view json() const noexcept {
    return internal::view_of(::oss_callback_post_form_json(c_handle()));
  }
  /** When it expires, if its maker said so. */
  [[nodiscard]] std::optional<sys_seconds> expires() const noexcept {
    return internal::optional_time(::oss_callback_post_form_expires_at_s, c_handle());
  }
  /** The form's fields, in order. They must come before the file. */
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
