/**
 * What to ask OSS to call once it has stored an object.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_SPEC_HPP
#define OSS_CALLBACK_SPEC_HPP

#include "hooks.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/** The type of a callback's body, which becomes its Content-Type. */
enum class body_type : std::uint32_t {
  /** application/x-www-form-urlencoded, which is OSS's default, too. */
  form = OSS_CALLBACK_BODY_TYPE_FORM,
  /** application/json */
  json = OSS_CALLBACK_BODY_TYPE_JSON,
};

/**
 * The body of a callback, built member by member so that names and values are escaped properly. A plain-text body does
 * not need a template: see spec_options::body. Not safe to share between threads while it changes.
 */
class body_template {
 public:
  explicit body_template(body_type type)
      : handle_(internal::new_handle<::oss_callback_body_template>(::oss_callback_body_template_new,
                                                             static_cast<std::uint32_t>(type))) {}

  /**
   * Adds a member whose value OSS fills in: bucket, object, etag, size, mimeType, imageInfo.height, imageInfo.width,
   * imageInfo.format, crc64, contentMd5, vpcId, clientIp, reqId, operation, or a variable that begins with x:.
   */
  body_template& variable(const text& name, const text& variable) {
    ::oss_callback_body_template_add_variable(handle_.get(), name.c_str(), variable.c_str());
    return *this;
  }
  /** Adds a member with a fixed value, which is escaped. */
  body_template& fixed(const text& name, const text& value) {
    ::oss_callback_body_template_add_text(handle_.get(), name.c_str(), value.c_str());
    return *this;
  }

  [[nodiscard]] const ::oss_callback_body_template* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_body_template, ::oss_callback_body_template_free> handle_;
};

/**
 * The settings of a callback; only a URL and a body are required. Errors are kept and reported when a spec is made. Not
 * safe to share between threads while it changes.
 */
class spec_options {
 public:
  spec_options() : handle_(internal::new_handle<::oss_callback_spec_options>(::oss_callback_spec_options_new)) {}

  /**
   * Adds a URL of the application server, percent-encoded. There may be up to five; OSS tries them until one agrees.
   */
  spec_options& url(const text& url) {
    ::oss_callback_spec_options_add_url(handle_.get(), url.c_str());
    return *this;
  }
  /** The Host header of the callback. Default: the host of the URL. */
  spec_options& host(const text& host) {
    ::oss_callback_spec_options_set_host(handle_.get(), host.c_str());
    return *this;
  }
  /**
   * The body that OSS sends, with placeholders: "filename=${object}&size=${size}", or {"filename":${object}} in JSON.
   */
  spec_options& body(const text& body, oss_callback::body_type type = body_type::form) {
    ::oss_callback_spec_options_set_body(handle_.get(), body.c_str());
    ::oss_callback_spec_options_set_body_type(handle_.get(), static_cast<std::uint32_t>(type));
    return *this;
  }
  /** The body from a template, which is copied. */
  spec_options& body(const body_template& body) {
    ::oss_callback_spec_options_set_body_template(handle_.get(), body.c_handle());
    return *this;
  }
  /**
   * Whether OSS names the host in the TLS handshake (SNI) of an https URL. Default: false. Without it, a server with
   * several certificates typically fails the callback with "Error status : 502."
   */
  spec_options& sni(bool sni) {
    ::oss_callback_spec_options_set_sni(handle_.get(), sni);
    return *this;
  }
  /** Adds a variable of your own, which the body names as ${x:name}. Upper-case letters are refused. */
  spec_options& variable(const text& name, const text& value) {
    ::oss_callback_spec_options_add_variable(handle_.get(), name.c_str(), value.c_str());
    return *this;
  }
  /** Adds another member of the callback, such as "callbackPolicy". In the JSON text, a string needs its quotes. */
  spec_options& member(const text& name, const text& json) {
    ::oss_callback_spec_options_add_member(handle_.get(), name.c_str(), json.c_str());
    return *this;
  }

  [[nodiscard]] const ::oss_callback_spec_options* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_spec_options, ::oss_callback_spec_options_free> handle_;
};

#if !defined(OSS_CALLBACK_SMALL)
/**
 * What OSS knows about an upload when it renders a callback; for spec::preview. Facts that you leave out stay empty.
 */
class object_facts {
 public:
  /** Takes over facts that a function of oss_callback.h returned. */
  explicit object_facts(::oss_callback_object_facts* handle) noexcept : handle_(handle) {}

  /** The facts of an object that PutObject has stored. */
  static result<object_facts> try_of(const text& bucket, const text& object) {
    return internal::make<object_facts, ::oss_callback_object_facts>([&](auto** facts, auto** error) {
      return ::oss_callback_object_facts_new(bucket.c_str(), object.c_str(), facts, error);
    });
  }
#if OSS_CALLBACK_EXCEPTIONS
  object_facts(const text& bucket, const text& object) : object_facts(try_of(bucket, object).value()) {}
#endif

  /** size (decimal digits), etag, mimeType, crc64, contentMd5, clientIp, vpcId, reqId or operation. */
  object_facts& set(const text& variable, const text& value) {
    ::oss_callback_object_facts_set(handle_.get(), variable.c_str(), value.c_str());
    return *this;
  }
  /** Says that the object is an image of this height and width in pixels and of this format, such as "jpg". */
  object_facts& image(std::uint64_t height, std::uint64_t width, const text& format) {
    ::oss_callback_object_facts_set_image(handle_.get(), height, width, format.c_str());
    return *this;
  }

  [[nodiscard]] const ::oss_callback_object_facts* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_object_facts, ::oss_callback_object_facts_free> handle_;
};

/** A request that OSS would send. */
struct previewed_request {
  std::string url;
  /** Path and query. */
  std::string target;
  std::string body;
  /** The whole request as sent, with words in parentheses for what only OSS can know. */
  std::string http;
};
#endif

/**
 * A callback, encoded and checked against OSS's rules. It is immutable and may be used for any number of uploads, from
 * many threads at once.
 */
class spec {
 public:
  /** Takes over a spec that a function of oss_callback.h returned. */
  explicit spec(::oss_callback_spec* handle) noexcept : handle_(handle) {}

  /** Fails with code::invalid_callback; the error names the member and its problem. The options may be used again. */
  static result<spec> try_of(const spec_options& options) {
    return internal::make<spec, ::oss_callback_spec>(
        [&](auto** spec, auto** error) { return ::oss_callback_spec_new(options.c_handle(), spec, error); });
  }
  /**
   * Takes a callback that someone else issued, already in Base64: the values of x-oss-callback and, if there are
   * variables, x-oss-callback-var. They are sent byte for byte and unchecked: see check.
   */
  static result<spec> try_from_base64(const text& callback, const text& callback_var = nullptr) {
    return internal::make<spec, ::oss_callback_spec>([&](auto** spec, auto** error) {
      return ::oss_callback_spec_new_from_base64(callback.c_str(), callback_var.c_str(), spec, error);
    });
  }
  /** The same from the JSON texts, before Base64. */
  static result<spec> try_from_json(const text& callback, const text& callback_var = nullptr) {
    return internal::make<spec, ::oss_callback_spec>([&](auto** spec, auto** error) {
      return ::oss_callback_spec_new_from_json(callback.c_str(), callback_var.c_str(), spec, error);
    });
  }
  /** Checks a spec made elsewhere against OSS's rules. A private address is not an error. */
  [[nodiscard]] result<void> try_check() const {
    return internal::run_with({}, [&](auto** error) { return ::oss_callback_spec_check(c_handle(), error); });
  }
#if !defined(OSS_CALLBACK_SMALL)
  /** Renders the requests that OSS would send, one for each URL. Sends nothing. */
  [[nodiscard]] result<std::vector<previewed_request>> try_preview(const object_facts& facts) const {
    using handle = internal::owned<::oss_callback_preview, ::oss_callback_preview_free>;
    const auto made = internal::make<handle, ::oss_callback_preview>([&](auto** preview, auto** error) {
      return ::oss_callback_spec_preview(c_handle(), facts.c_handle(), preview, error);
    });
    if (!made) return *made.error();
    const ::oss_callback_preview* preview = made->get();
    std::vector<previewed_request> requests;
    for (std::size_t index = 0; index < ::oss_callback_preview_len(preview); ++index)
      requests.push_back({internal::copy_of(::oss_callback_preview_url(preview, index)),
                          internal::copy_of(::oss_callback_preview_target(preview, index)),
                          internal::copy_of(::oss_callback_preview_body(preview, index)),
                          internal::copy_of(::oss_callback_preview_http(preview, index))});
    return requests;
  }
#if OSS_CALLBACK_EXCEPTIONS
  [[nodiscard]] std::vector<previewed_request> preview(const object_facts& facts) const {
    return try_preview(facts).value();
  }
#endif
#endif
#if OSS_CALLBACK_EXCEPTIONS
  explicit spec(const spec_options& options) : spec(try_of(options).value()) {}
  static spec from_base64(const text& callback, const text& callback_var = nullptr) {
    return try_from_base64(callback, callback_var).value();
  }
  static spec from_json(const text& callback, const text& callback_var = nullptr) {
    return try_from_json(callback, callback_var).value();
  }
  void check() const { try_check().value(); }
#endif

  /** What OSS accepts but is probably a mistake: a private address, or a variable that is not defined. */
  [[nodiscard]] std::vector<std::string> warnings() const {
    std::vector<std::string> warnings;
    for (std::size_t index = 0; index < ::oss_callback_spec_warnings_len(c_handle()); ++index)
      warnings.emplace_back(internal::view_of(::oss_callback_spec_warning(c_handle(), index)));
    return warnings;
  }
  /** The value of the header x-oss-callback: Base64 of JSON. A view into the spec. */
  [[nodiscard]] std::string_view callback() const noexcept {
    return internal::view_of(::oss_callback_spec_callback(c_handle()));
  }
  /** The value of the header x-oss-callback-var; none without variables. */
  [[nodiscard]] std::optional<std::string_view> callback_var() const noexcept {
    return internal::optional_text(::oss_callback_spec_callback_var(c_handle()));
  }

  [[nodiscard]] const ::oss_callback_spec* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_spec, ::oss_callback_spec_free> handle_;
};

/** The type of no_callback, which marks an upload without a callback. */
struct no_callback_type {
  explicit no_callback_type() = default;
};
inline constexpr no_callback_type no_callback{};

/** The callback argument of an upload: a spec, which must live until the call returns, or no_callback. */
class callback {
 public:
  callback(const spec& spec) noexcept : spec_(spec.c_handle()) {}
  callback(no_callback_type /*none*/) noexcept {}

  [[nodiscard]] const ::oss_callback_spec* c_handle() const noexcept { return spec_; }

 private:
  const ::oss_callback_spec* spec_ = ::oss_callback_spec_none();
};

#if !defined(OSS_CALLBACK_SMALL)
/** A callback explained in sentences. */
struct explanation {
  /** What OSS will do, then what is wrong, then what is probably a mistake; one sentence per line. */
  std::string text;
  /** The number of reasons for which OSS would refuse it. */
  std::size_t problems = 0;
};

/**
 * Explains what a callback will do, from the value of x-oss-callback (or of the parameter callback) and that of its
 * variables. They may be percent-encoded, in the URL-safe alphabet, without padding or with line breaks. The
 * explanation shows the values of the variables.
 */
inline result<explanation> try_explain(const text& callback, const text& callback_var = nullptr) {
  using handle = internal::owned<::oss_callback_explanation, ::oss_callback_explanation_free>;
  const auto made = internal::make<handle, ::oss_callback_explanation>([&](auto** explanation, auto** error) {
    return ::oss_callback_explanation_new(callback.c_str(), callback_var.c_str(), explanation, error);
  });
  if (!made) return *made.error();
  return explanation{internal::copy_of(::oss_callback_explanation_text(made->get())),
                     ::oss_callback_explanation_problems_len(made->get())};
}
#if OSS_CALLBACK_EXCEPTIONS
inline explanation explain(const text& callback, const text& callback_var = nullptr) {
  return try_explain(callback, callback_var).value();
}
#endif
#endif

}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_SPEC_HPP
