/**
 * What happened: receipts and failures.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_OUTCOME_HPP
#define OSS_CALLBACK_OUTCOME_HPP

#include <cstdlib>
#include <variant>
#include <vector>

#include "arguments.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/**
 * The cause of a failure, and only that: failure::stored() says whether the object is stored. Newer versions of the
 * library may add codes, so a `switch` needs a `default`. oss_callback.h describes each code.
 */
enum class code : std::uint32_t {
  ok = OSS_CALLBACK_CODE_OK,
  invalid_argument = OSS_CALLBACK_CODE_INVALID_ARGUMENT,
  invalid_callback = OSS_CALLBACK_CODE_INVALID_CALLBACK,
  credentials_failed = OSS_CALLBACK_CODE_CREDENTIALS_FAILED,
  resolve = OSS_CALLBACK_CODE_RESOLVE,
  connect = OSS_CALLBACK_CODE_CONNECT,
  tls = OSS_CALLBACK_CODE_TLS,
  timeout = OSS_CALLBACK_CODE_TIMEOUT,
  connection_lost = OSS_CALLBACK_CODE_CONNECTION_LOST,
  protocol = OSS_CALLBACK_CODE_PROTOCOL,
  unexpected_answer = OSS_CALLBACK_CODE_UNEXPECTED_ANSWER,
  refused = OSS_CALLBACK_CODE_REFUSED,
  access_denied = OSS_CALLBACK_CODE_ACCESS_DENIED,
  not_found = OSS_CALLBACK_CODE_NOT_FOUND,
  conflict = OSS_CALLBACK_CODE_CONFLICT,
  server_error = OSS_CALLBACK_CODE_SERVER_ERROR,
  callback_failed = OSS_CALLBACK_CODE_CALLBACK_FAILED,
  checksum_mismatch = OSS_CALLBACK_CODE_CHECKSUM_MISMATCH,
  answer_damaged = OSS_CALLBACK_CODE_ANSWER_DAMAGED,
  cancelled = OSS_CALLBACK_CODE_CANCELLED,
  body_unreadable = OSS_CALLBACK_CODE_BODY_UNREADABLE,
  body_changed = OSS_CALLBACK_CODE_BODY_CHANGED,
  write_failed = OSS_CALLBACK_CODE_WRITE_FAILED,
  checkpoint_in_use = OSS_CALLBACK_CODE_CHECKPOINT_IN_USE,
  checkpoint_failed = OSS_CALLBACK_CODE_CHECKPOINT_FAILED,
  wrong_method = OSS_CALLBACK_CODE_WRONG_METHOD,
  body_too_large = OSS_CALLBACK_CODE_BODY_TOO_LARGE,
  missing_authorization = OSS_CALLBACK_CODE_MISSING_AUTHORIZATION,
  missing_pub_key_url = OSS_CALLBACK_CODE_MISSING_PUB_KEY_URL,
  bad_pub_key_url = OSS_CALLBACK_CODE_BAD_PUB_KEY_URL,
  key_unavailable = OSS_CALLBACK_CODE_KEY_UNAVAILABLE,
  bad_signature_encoding = OSS_CALLBACK_CODE_BAD_SIGNATURE_ENCODING,
  bad_signature = OSS_CALLBACK_CODE_BAD_SIGNATURE,
  bad_body = OSS_CALLBACK_CODE_BAD_BODY,
  seal_missing = OSS_CALLBACK_CODE_SEAL_MISSING,
  unknown_seal_key = OSS_CALLBACK_CODE_UNKNOWN_SEAL_KEY,
  bad_seal = OSS_CALLBACK_CODE_BAD_SEAL,
  seal_expired = OSS_CALLBACK_CODE_SEAL_EXPIRED,
  seal_violated = OSS_CALLBACK_CODE_SEAL_VIOLATED,
  replay_unknown = OSS_CALLBACK_CODE_REPLAY_UNKNOWN,
  not_confirmed = OSS_CALLBACK_CODE_NOT_CONFIRMED,
  internal = OSS_CALLBACK_CODE_INTERNAL,
};

/** The name of a code as in the C header, such as "CALLBACK_FAILED". */
inline std::string_view name(code code) noexcept { return ::oss_callback_code_name(static_cast<std::uint32_t>(code)); }

/** Did this operation store the object? */
enum class stored : std::uint32_t {
  /** Unknown: the answer was lost. Check with client::reconcile before you upload again. */
  unknown = OSS_CALLBACK_STORED_UNKNOWN,
  /** No. Uploading again cannot store it twice. */
  no = OSS_CALLBACK_STORED_NO,
  yes = OSS_CALLBACK_STORED_YES,
};

/** Did OSS accept the application server's answer to the callback? */
enum class answered : std::uint32_t {
  /** Unknown: the answer was lost. */
  unknown = OSS_CALLBACK_ANSWERED_UNKNOWN,
  /** No. In a callback_failed, the application server may still have received the callback. */
  no = OSS_CALLBACK_ANSWERED_NO,
  /** Yes: the application server answered, and OSS passed its answer on. */
  yes = OSS_CALLBACK_ANSWERED_YES,
  /** The request carried no callback. */
  not_requested = OSS_CALLBACK_ANSWERED_NOT_REQUESTED,
};

/** An attempt that failed and was followed by another. */
struct attempt {
  oss_callback::code code = code::ok;
  oss_callback::stored stored = stored::unknown;
  oss_callback::answered answered = answered::unknown;
  /** The HTTP status, or 0 if there was no answer. */
  unsigned status = 0;
  /** The time from the last byte sent until the head of the answer arrived. */
  std::chrono::milliseconds waited{0};
};

namespace internal {

inline attempt attempt_of(const ::oss_callback_attempt* from) noexcept {
  return {static_cast<code>(::oss_callback_attempt_code(from)),
          static_cast<stored>(::oss_callback_attempt_stored(from)),
          static_cast<answered>(::oss_callback_attempt_answered(from)), ::oss_callback_attempt_status(from),
          std::chrono::milliseconds(::oss_callback_attempt_waited_ms(from))};
}

}  // namespace internal

/**
 * What OSS said about a stored object, together with the application server's answer. Copies share one receipt, which
 * is immutable: any thread may read it. Views that it returns are valid as long as any copy lives.
 */
class receipt {
 public:
  /** Takes over a receipt that a function of oss_callback.h returned. */
  explicit receipt(::oss_callback_receipt* handle) : handle_(handle, ::oss_callback_receipt_free) {}
  /** A receipt inside another handle, which it keeps alive. */
  explicit receipt(std::shared_ptr<const ::oss_callback_receipt> handle) noexcept : handle_(std::move(handle)) {}

  /** The HTTP status: 200, or 203 in a callback_failed. */
  [[nodiscard]] unsigned status() const noexcept { return ::oss_callback_receipt_status(c_handle()); }
  /** The ETag without its quotes, as ${etag} appears in a callback body. */
  [[nodiscard]] std::optional<std::string_view> etag() const noexcept {
    return internal::optional_text(::oss_callback_receipt_etag(c_handle()));
  }
  /** The CRC-64 that OSS computed over the object (CRC-64/XZ). */
  [[nodiscard]] std::optional<std::uint64_t> crc64() const noexcept {
    return internal::optional_number(::oss_callback_receipt_crc64, c_handle());
  }
  /** The object's version, in a bucket with versioning. */
  [[nodiscard]] std::optional<std::string_view> version_id() const noexcept {
    return internal::optional_text(::oss_callback_receipt_version_id(c_handle()));
  }
  /** The id by which OSS's support finds the request; the callback carries the same one. */
  [[nodiscard]] std::optional<std::string_view> request_id() const noexcept {
    return internal::optional_text(::oss_callback_receipt_request_id(c_handle()));
  }
  /**
   * The application server's answer, byte for byte: usually JSON, but the library assumes nothing. Empty without a
   * callback and in a callback_failed; cut short in an error with code::answer_damaged.
   */
  [[nodiscard]] std::string_view answer() const noexcept {
    return internal::lent_bytes(::oss_callback_receipt_answer, c_handle());
  }
  /** The answer's Content-Type, as the application server sent it. */
  [[nodiscard]] std::optional<std::string_view> answer_content_type() const noexcept {
    return internal::optional_text(::oss_callback_receipt_answer_content_type(c_handle()));
  }
  /** A header of OSS's answer by name, in any case. */
  [[nodiscard]] std::optional<std::string_view> header(const text& name) const noexcept {
    return internal::optional_text(::oss_callback_receipt_header(c_handle(), name.c_str()));
  }
  /** How many times the request was sent until this answer came: 1 or more. */
  [[nodiscard]] unsigned attempts() const noexcept { return ::oss_callback_receipt_attempts(c_handle()); }
  /** The attempts before the last. */
  [[nodiscard]] std::vector<attempt> history() const {
    std::vector<attempt> history;
    for (std::size_t index = 0; index < ::oss_callback_receipt_earlier_attempts_len(c_handle()); ++index)
      history.push_back(internal::attempt_of(::oss_callback_receipt_earlier_attempt(c_handle(), index)));
    return history;
  }
  /** Notes about client::upload_file, such as why it did not resume from its checkpoint. */
  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    for (std::size_t index = 0; index < ::oss_callback_receipt_notes_len(c_handle()); ++index)
      notes.emplace_back(internal::view_of(::oss_callback_receipt_note(c_handle(), index)));
    return notes;
  }
  /** The time from the last byte sent until the head of the answer arrived: mostly the application server's time. */
  [[nodiscard]] std::chrono::milliseconds waited() const noexcept {
    return std::chrono::milliseconds(::oss_callback_receipt_waited_ms(c_handle()));
  }

  [[nodiscard]] const ::oss_callback_receipt* c_handle() const noexcept { return handle_.get(); }

 private:
  std::shared_ptr<const ::oss_callback_receipt> handle_;
};

/**
 * An operation that failed, with everything known about it: either an error or a callback_failed. Copies share one
 * failure, which is immutable: any thread may read it. Views that it returns are valid as long as any copy lives.
 */
class failure : public std::exception {
 public:
  ~failure() override = default;

  /** The cause. */
  [[nodiscard]] oss_callback::code code() const noexcept { return code_; }
  /**
   * Did the operation store the object anyway? For an operation that stores nothing, such as client::head_object: no.
   */
  [[nodiscard]] oss_callback::stored stored() const noexcept {
    return static_cast<oss_callback::stored>(::oss_callback_error_stored(c_handle()));
  }
  /** Did OSS accept the application server's answer? */
  [[nodiscard]] oss_callback::answered answered() const noexcept {
    return static_cast<oss_callback::answered>(::oss_callback_error_answered(c_handle()));
  }
  /** What was attempted and what happened, in one line of UTF-8 without secrets. */
  [[nodiscard]] const char* what() const noexcept override { return ::oss_callback_error_message(c_handle()); }
  [[nodiscard]] std::string_view message() const noexcept { return what(); }
  /** For a failed callback: the usual cause and what to do, in one or two sentences. */
  [[nodiscard]] std::optional<std::string_view> diagnosis() const noexcept {
    return internal::optional_text(::oss_callback_error_diagnosis(c_handle()));
  }
  /** What is known about the stored object; present if and only if stored() says yes. */
  [[nodiscard]] std::optional<oss_callback::receipt> receipt() const {
    if (::oss_callback_error_receipt(c_handle()) == nullptr) return std::nullopt;
    return borrowed_receipt();
  }
  /** The HTTP status, or 0 if there was no answer. */
  [[nodiscard]] unsigned status() const noexcept { return ::oss_callback_error_status(c_handle()); }
  /** The code in OSS's error document, such as "NoSuchBucket" or "CallbackFailed". */
  [[nodiscard]] std::optional<std::string_view> oss_code() const noexcept {
    return internal::optional_text(::oss_callback_error_oss_code(c_handle()));
  }
  /**
   * The message in OSS's error document: for a failed callback, what the application server did, such as "Error status
   * : 502."
   */
  [[nodiscard]] std::optional<std::string_view> oss_message() const noexcept {
    return internal::optional_text(::oss_callback_error_oss_message(c_handle()));
  }
  /** The code for OSS's troubleshooting pages, such as "0007-00000203": show it, do not branch on it. */
  [[nodiscard]] std::optional<std::string_view> ec() const noexcept {
    return internal::optional_text(::oss_callback_error_ec(c_handle()));
  }
  /** The id by which OSS's support finds the request; none if there was no answer. */
  [[nodiscard]] std::optional<std::string_view> request_id() const noexcept {
    return internal::optional_text(::oss_callback_error_request_id(c_handle()));
  }
  /** The host that, according to OSS, answered. */
  [[nodiscard]] std::optional<std::string_view> host_id() const noexcept {
    return internal::optional_text(::oss_callback_error_host_id(c_handle()));
  }
  /** Another element of OSS's error document by name, such as "ArgumentName" or "StringToSign". */
  [[nodiscard]] std::optional<std::string_view> detail(const text& name) const noexcept {
    return internal::optional_text(::oss_callback_error_detail(c_handle(), name.c_str()));
  }
  /** A header of OSS's answer by name, in any case. */
  [[nodiscard]] std::optional<std::string_view> header(const text& name) const noexcept {
    return internal::optional_text(::oss_callback_error_header(c_handle(), name.c_str()));
  }
  /** The body of OSS's answer as received, up to the client's limit. */
  [[nodiscard]] std::string_view body() const noexcept {
    return internal::lent_bytes(::oss_callback_error_body, c_handle());
  }
  /** How many times the request was sent: 1 or more; also 1 if nothing was sent. */
  [[nodiscard]] unsigned attempts() const noexcept { return ::oss_callback_error_attempts(c_handle()); }
  /** The attempts before the last. stored() and answered() already take them into account. */
  [[nodiscard]] std::vector<attempt> history() const {
    std::vector<attempt> history;
    for (std::size_t index = 0; index < ::oss_callback_error_earlier_attempts_len(c_handle()); ++index)
      history.push_back(internal::attempt_of(::oss_callback_error_earlier_attempt(c_handle(), index)));
    return history;
  }
  /** Notes about client::upload_file, for instance that an upload could not be aborted. */
  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    for (std::size_t index = 0; index < ::oss_callback_error_notes_len(c_handle()); ++index)
      notes.emplace_back(internal::view_of(::oss_callback_error_note(c_handle(), index)));
    return notes;
  }
  /** The multipart upload that client::upload_file left open: resume it with its checkpoint, or abort it. */
  [[nodiscard]] std::optional<std::string_view> upload_id() const noexcept {
    return internal::optional_text(::oss_callback_error_upload_id(c_handle()));
  }
  /** In the last attempt, the time from the last byte sent until the head of the answer arrived. */
  [[nodiscard]] std::chrono::milliseconds waited() const noexcept {
    return std::chrono::milliseconds(::oss_callback_error_waited_ms(c_handle()));
  }
  /** What one of your hooks threw, if that ended the operation; otherwise null. */
  [[nodiscard]] std::exception_ptr thrown() const noexcept { return thrown_; }

  [[nodiscard]] const ::oss_callback_error* c_handle() const noexcept { return handle_.get(); }

 protected:
  failure(oss_callback::code code, ::oss_callback_error* handle, std::exception_ptr thrown)
      // NOLINTNEXTLINE(bugprone-throw-keyword-missing): an exception_ptr is no exception
      : code_(code), handle_(handle, ::oss_callback_error_free), thrown_(std::move(thrown)) {}

  failure(const failure&) = default;
  failure(failure&&) = default;
  failure& operator=(const failure&) = default;
  failure& operator=(failure&&) = default;

  /** The receipt inside, which keeps the failure alive. */
  [[nodiscard]] oss_callback::receipt borrowed_receipt() const noexcept {
    return oss_callback::receipt(
        std::shared_ptr<const ::oss_callback_receipt>(handle_, ::oss_callback_error_receipt(handle_.get())));
  }

 private:
  oss_callback::code code_;
  std::shared_ptr<const ::oss_callback_error> handle_;
  std::exception_ptr thrown_;
};

/** Every failure except callback_failed. Most store nothing; stored() says so for each. */
class error final : public failure {
 public:
  /** Takes over an error that a function of oss_callback.h returned, together with its code. */
  error(oss_callback::code code, ::oss_callback_error* handle, std::exception_ptr thrown = nullptr)
      : failure(code, handle, std::move(thrown)) {}

#if OSS_CALLBACK_EXCEPTIONS
  /**
   * Throws. If a hook threw, and thereby ended the operation before anything was stored, rethrows the hook's exception;
   * otherwise throws a copy of this. So a hook's exception always means that nothing is stored.
   */
  [[noreturn]] void raise() const {
    if (thrown() && stored() == oss_callback::stored::no) std::rethrow_exception(thrown());
    throw error(*this);
  }
#endif
};

/**
 * HTTP 203: the object IS STORED, but the application server was not reached or did not agree. Do not upload again. It
 * is not an error: `catch (const error&)` does not catch it.
 */
class callback_failed final : public failure {
 public:
  /** Takes over an error that a function of oss_callback.h returned with OSS_CALLBACK_CODE_CALLBACK_FAILED. */
  explicit callback_failed(::oss_callback_error* handle)
      : failure(oss_callback::code::callback_failed, handle, nullptr) {}

  /** What is known about the stored object. */
  [[nodiscard]] oss_callback::receipt receipt() const noexcept { return borrowed_receipt(); }
};

}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_OUTCOME_HPP
