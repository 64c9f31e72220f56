/**
 * What is known about objects that are, or may be, stored.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_OBJECTS_HPP
#define OSS_CALLBACK_OBJECTS_HPP

#include "outcome.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/**
 * What OSS says about an object. Copies share it, and it is immutable: any thread may read it. Views that it returns
 * are valid as long as any copy lives.
 */
class object_metadata {
 public:
  /** Takes over metadata that a function of oss_callback.h returned. */
  explicit object_metadata(::oss_callback_object_metadata* handle)
      : handle_(handle, ::oss_callback_object_metadata_free) {}
  /** Metadata inside another handle, which it keeps alive. */
  explicit object_metadata(std::shared_ptr<const ::oss_callback_object_metadata> handle) noexcept
      : handle_(std::move(handle)) {}

  /** Size in bytes. */
  [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept {
    return internal::optional_number(::oss_callback_object_metadata_content_length, c_handle());
  }
  /** CRC-64/XZ. */
  [[nodiscard]] std::optional<std::uint64_t> crc64() const noexcept {
    return internal::optional_number(::oss_callback_object_metadata_crc64, c_handle());
  }
  /** When the object was stored. */
  [[nodiscard]] std::optional<sys_seconds> last_modified() const noexcept {
    return internal::optional_time(::oss_callback_object_metadata_last_modified_at_s, c_handle());
  }
  /** The ETag without its quotes. */
  [[nodiscard]] std::optional<std::string_view> etag() const noexcept {
    return internal::optional_text(::oss_callback_object_metadata_etag(c_handle()));
  }
  /** A header of OSS's answer by name (in any case), such as "Content-Type" or "x-oss-meta-author". */
  [[nodiscard]] std::optional<std::string_view> header(const text& name) const noexcept {
    return internal::optional_text(::oss_callback_object_metadata_header(c_handle(), name.c_str()));
  }

  [[nodiscard]] const ::oss_callback_object_metadata* c_handle() const noexcept { return handle_.get(); }

 private:
  std::shared_ptr<const ::oss_callback_object_metadata> handle_;
};

/** The result of looking up an upload. */
enum class outcome : std::uint32_t {
  /** A different object is there, which may have replaced this one; or one that cannot be compared. */
  still_unknown = OSS_CALLBACK_OUTCOME_STILL_UNKNOWN,
  /** The upload is stored; its idempotency id, or its used-up upload id, proves it. */
  stored = OSS_CALLBACK_OUTCOME_STORED,
  /**
   * An object with the upload's size and CRC-64 is there; an earlier upload with the same contents may have stored it.
   */
  content_present = OSS_CALLBACK_OUTCOME_CONTENT_PRESENT,
  /** The upload is not there. A request still on its way may yet arrive. */
  not_there = OSS_CALLBACK_OUTCOME_NOT_THERE,
};

/** What became of an upload whose outcome was unknown. Copies share it; any thread may read it. */
class reconciled {
 public:
  /** Takes over a result that a function of oss_callback.h returned. */
  explicit reconciled(::oss_callback_reconciled* handle) : handle_(handle, ::oss_callback_reconciled_free) {}

  [[nodiscard]] oss_callback::outcome outcome() const noexcept {
    return static_cast<oss_callback::outcome>(::oss_callback_reconciled_outcome(c_handle()));
  }
  /** The object that was found, if the outcome is stored or content_present. */
  [[nodiscard]] std::optional<object_metadata> object() const noexcept {
    const ::oss_callback_object_metadata* inside = ::oss_callback_reconciled_object(c_handle());
    if (inside == nullptr) return std::nullopt;
    return object_metadata(std::shared_ptr<const ::oss_callback_object_metadata>(handle_, inside));
  }
  /** The time, by OSS's clock, when OSS said that the upload is not there; only if the outcome is not_there. */
  [[nodiscard]] std::optional<sys_seconds> observed_at() const noexcept {
    return internal::optional_time(::oss_callback_reconciled_observed_at_s, c_handle());
  }

  [[nodiscard]] const ::oss_callback_reconciled* c_handle() const noexcept { return handle_.get(); }

 private:
  std::shared_ptr<const ::oss_callback_reconciled> handle_;
};

}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_OBJECTS_HPP
