/**
 * Options of uploads and of other operations, and how another thread ends them.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_OPTIONS_HPP
#define OSS_CALLBACK_OPTIONS_HPP

#include "spec.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/**
 * Ends operations from another thread. One may be given to any number of operations, which then end together; they
 * keep what they need of it, so that it may go before they end.
 */
class cancellation {
 public:
  cancellation() : handle_(internal::new_handle<::oss_callback_cancellation>(::oss_callback_cancellation_new)) {}

  /**
   * Ends the operations that carry this with code::cancelled, within 0.2 s whatever the connection is doing; while a
   * hook runs, when that returns. Operations that begin later send nothing. An upload whose answer has begun to come is
   * stored already and ends with code::answer_damaged. Any thread, and safe in a signal handler.
   */
  void cancel() const noexcept { ::oss_callback_cancellation_cancel(handle_.get()); }
  [[nodiscard]] bool is_cancelled() const noexcept { return ::oss_callback_cancellation_is_cancelled(handle_.get()); }

  [[nodiscard]] const ::oss_callback_cancellation* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_cancellation, ::oss_callback_cancellation_free> handle_;
};

/** When something that failed is sent again. What is certain to fail again, or might be done twice, never is. */
struct retry_policy {
  /** The first one counts: 1 means never again. */
  unsigned max_attempts = 3;
  /** Up to so much is waited before the second attempt, before each further one up to twice as long. */
  std::chrono::milliseconds base_delay{200};
  std::chrono::milliseconds max_delay{20000};
};

/**
 * Options of an upload, all optional. The first fault is kept and reported by the upload. May be used for any number
 * of uploads, from many threads at once while nobody changes it; its progress hook is then called by each of them.
 */
class put_options {
 public:
  put_options() : handle_(internal::new_handle<::oss_callback_put_options>(::oss_callback_put_options_new)) {}

  /** Default: guessed from the extension of the file, else of the object's name, else application/octet-stream. */
  put_options& content_type(const text& content_type) {
    ::oss_callback_put_options_set_content_type(handle_.get(), content_type.c_str());
    return *this;
  }
  /** Adds user metadata, x-oss-meta-name. Names are letters, digits and hyphens; all together at most 8 KiB. */
  put_options& metadata(const text& name, const text& value) {
    ::oss_callback_put_options_set_metadata(handle_.get(), name.c_str(), value.c_str());
    return *this;
  }
  /** "default", "private", "public-read" or "public-read-write". */
  put_options& object_acl(const text& object_acl) {
    ::oss_callback_put_options_set_object_acl(handle_.get(), object_acl.c_str());
    return *this;
  }
  /** "Standard", "IA", "Archive", "ColdArchive" or "DeepColdArchive". Default: as the bucket says. */
  put_options& storage_class(const text& storage_class) {
    ::oss_callback_put_options_set_storage_class(handle_.get(), storage_class.c_str());
    return *this;
  }
  /** Adds a tag: at most 10, each key once; keys have 1 to 128 bytes, values at most 256. */
  put_options& tag(const text& key, const text& value) {
    ::oss_callback_put_options_add_tag(handle_.get(), key.c_str(), value.c_str());
    return *this;
  }
  /** "AES256", "SM4" or "KMS". Default: as the bucket says. */
  put_options& server_side_encryption(const text& server_side_encryption) {
    ::oss_callback_put_options_set_server_side_encryption(handle_.get(), server_side_encryption.c_str());
    return *this;
  }
  /** The key of "KMS" by its id. Refused without "KMS". */
  put_options& server_side_encryption_key_id(const text& key_id) {
    ::oss_callback_put_options_set_server_side_encryption_key_id(handle_.get(), key_id.c_str());
    return *this;
  }
  /** "SM4", with "KMS" only. Default: by AES-256. */
  put_options& server_side_data_encryption(const text& server_side_data_encryption) {
    ::oss_callback_put_options_set_server_side_data_encryption(handle_.get(), server_side_data_encryption.c_str());
    return *this;
  }
  /** Asks OSS to take no more than so many BITS per second, 819200 to 838860800. */
  put_options& traffic_limit(std::uint64_t bits_per_second) {
    ::oss_callback_put_options_set_traffic_limit_bits_per_s(handle_.get(), bits_per_second);
    return *this;
  }
  /** Sends no more than so many BYTES per second. Default: no limit; 0 is refused. */
  put_options& bandwidth(std::uint64_t bytes_per_second) {
    ::oss_callback_put_options_set_bandwidth_bytes_per_s(handle_.get(), bytes_per_second);
    return *this;
  }
  /** Whether an object of this name is kept: the upload then fails with code::conflict. Default: false. */
  put_options& forbid_overwrite(bool forbid_overwrite) {
    ::oss_callback_put_options_set_forbid_overwrite(handle_.get(), forbid_overwrite);
    return *this;
  }
  put_options& cache_control(const text& cache_control) {
    ::oss_callback_put_options_set_cache_control(handle_.get(), cache_control.c_str());
    return *this;
  }
  put_options& content_disposition(const text& content_disposition) {
    ::oss_callback_put_options_set_content_disposition(handle_.get(), content_disposition.c_str());
    return *this;
  }
  /** The body is sent as it is given. */
  put_options& content_encoding(const text& content_encoding) {
    ::oss_callback_put_options_set_content_encoding(handle_.get(), content_encoding.c_str());
    return *this;
  }
  put_options& content_language(const text& content_language) {
    ::oss_callback_put_options_set_content_language(handle_.get(), content_language.c_str());
    return *this;
  }
  /** When copies of the object become stale, up to the end of the year 9999. */
  template <class Duration>
  put_options& expires(std::chrono::time_point<std::chrono::system_clock, Duration> expires) {
    ::oss_callback_put_options_set_expires_at_s(handle_.get(), internal::since_1970(expires));
    return *this;
  }
  /** Whether who sends the request pays for it. Default: false. */
  put_options& requester_pays(bool requester_pays) {
    ::oss_callback_put_options_set_requester_pays(handle_.get(), requester_pays);
    return *this;
  }
  /** Whether the body's MD5 goes along: it is read twice then, and one that cannot be is refused. Default: false. */
  put_options& content_md5(bool content_md5) {
    ::oss_callback_put_options_set_content_md5(handle_.get(), content_md5);
    return *this;
  }
  /** Whether the CRC-64 that OSS computed is compared with the one of what was sent. Default: true. */
  put_options& compare_crc64(bool compare_crc64) {
    ::oss_callback_put_options_set_compare_crc64(handle_.get(), compare_crc64);
    return *this;
  }
  /** Adds any other header of PutObject. Headers that the library sets itself are refused. */
  put_options& header(const text& name, const text& value) {
    ::oss_callback_put_options_set_header(handle_.get(), name.c_str(), value.c_str());
    return *this;
  }
  /** Time for finding the server's address, and time for connecting, TLS included. */
  put_options& connect_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_put_options_set_connect_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** Time from the last byte sent until OSS answers; time for callbacks is added to it. */
  put_options& answer_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_put_options_set_answer_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The longest time without progress while the body is sent. */
  put_options& progress_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_put_options_set_progress_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** Time for the upload with all its attempts. */
  put_options& timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_put_options_set_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** A deadline that all uploads with these options share, and so do the steps of an upload in parts. */
  put_options& deadline(std::chrono::steady_clock::time_point deadline) {
    ::oss_callback_put_options_set_deadline_ms(handle_.get(), internal::left_until(deadline));
    return *this;
  }
  put_options& retry(const retry_policy& policy) {
    ::oss_callback_put_options_set_max_attempts(handle_.get(), policy.max_attempts);
    ::oss_callback_put_options_set_retry_base_delay_ms(handle_.get(), internal::count(policy.base_delay));
    ::oss_callback_put_options_set_retry_max_delay_ms(handle_.get(), internal::count(policy.max_delay));
    return *this;
  }
  /**
   * Says that the application server does the right thing when the same callback reaches it twice. Only then is an
   * upload with a callback sent again after its answer was lost. Default: false.
   */
  put_options& callback_is_idempotent(bool callback_is_idempotent) {
    ::oss_callback_put_options_set_callback_is_idempotent(handle_.get(), callback_is_idempotent);
    return *this;
  }
  /**
   * A name for this upload that no other upload has, stored with the object as metadata, by which client::reconcile can
   * tell whether it was this upload that stored it. The same upload, sent again, has the same. Default: none.
   */
  put_options& idempotency_id(const text& idempotency_id) {
    ::oss_callback_put_options_set_idempotency_id(handle_.get(), idempotency_id.c_str());
    return *this;
  }
  /** Lets another thread end the uploads with these options. */
  put_options& cancellation(const oss_callback::cancellation& cancellation) {
    ::oss_callback_put_options_set_cancellation(handle_.get(), cancellation.c_handle());
    return *this;
  }
  /**
   * Calls `hook(std::uint64_t sent, std::optional<std::uint64_t> total)` after each block of up to 128 KiB, on the
   * thread that uploads. It returns nothing, or true to go on and false to end the upload with code::cancelled; what it
   * throws ends the upload, too.
   */
  template <class Hook>
  put_options& progress(Hook hook) {
    progress_ = std::make_unique<internal::progress_function>(
        [hook = std::move(hook)](std::uint64_t sent, std::optional<std::uint64_t> total) mutable {
          return internal::goes_on(hook, sent, total);
        });
    ::oss_callback_put_options_set_progress_hook(handle_.get(), internal::report_progress, progress_.get());
    return *this;
  }

  /** Size of the parts in bytes, 102400 to 5368709120; for client::upload_file only. Default: 8 MiB at least. */
  put_options& part_size(std::uint64_t part_size) {
    ::oss_callback_put_options_set_part_size(handle_.get(), part_size);
    return *this;
  }
  /** How many parts are sent at once: 1 to 256; for client::upload_file only. Default: 4. */
  put_options& parallel(unsigned parallel) {
    ::oss_callback_put_options_set_parallel(handle_.get(), parallel);
    return *this;
  }
  /**
   * A file that remembers the parts that were sent, so that the same call resumes after a failure; for
   * client::upload_file only. A file of somebody else's in its place is never replaced. Default: none; a failed upload is
   * aborted.
   */
  put_options& checkpoint(const std::filesystem::path& path) {
    ::oss_callback_put_options_set_checkpoint(handle_.get(), internal::path_of(path).c_str());
    return *this;
  }
  /**
   * Whether an upload that is resumed reads every part that OSS has from the file again and compares it; for
   * client::upload_file only. Default: false, only when the file may have been touched.
   */
  put_options& verify_parts(bool verify = true) {
    ::oss_callback_put_options_set_verify_parts(handle_.get(), verify);
    return *this;
  }

  [[nodiscard]] const ::oss_callback_put_options* c_handle() const noexcept { return handle_.get(); }

 private:
  // The handle knows its address, which stays when the options are moved.
  std::unique_ptr<internal::progress_function> progress_;
  internal::owned<::oss_callback_put_options, ::oss_callback_put_options_free> handle_;
};

/**
 * Options of an operation other than an upload, all optional. May be used for any number of operations, from many
 * threads at once while nobody changes it.
 */
class operation_options {
 public:
  operation_options()
      : handle_(internal::new_handle<::oss_callback_operation_options>(::oss_callback_operation_options_new)) {}

  /** Time for finding the server's address, and time for connecting, TLS included. */
  operation_options& connect_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_operation_options_set_connect_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** Time from the last byte sent until OSS answers, and then again for the answer. */
  operation_options& answer_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_operation_options_set_answer_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The longest time without progress while a body is sent or received. */
  operation_options& progress_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_operation_options_set_progress_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** Time for the operation with all its attempts. */
  operation_options& timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_operation_options_set_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** A deadline that all operations with these options share. */
  operation_options& deadline(std::chrono::steady_clock::time_point deadline) {
    ::oss_callback_operation_options_set_deadline_ms(handle_.get(), internal::left_until(deadline));
    return *this;
  }
  /** A download is tried again only until its hook has got a byte. */
  operation_options& retry(const retry_policy& policy) {
    ::oss_callback_operation_options_set_max_attempts(handle_.get(), policy.max_attempts);
    ::oss_callback_operation_options_set_retry_base_delay_ms(handle_.get(), internal::count(policy.base_delay));
    ::oss_callback_operation_options_set_retry_max_delay_ms(handle_.get(), internal::count(policy.max_delay));
    return *this;
  }
  /** Lets another thread end the operations with these options. */
  operation_options& cancellation(const oss_callback::cancellation& cancellation) {
    ::oss_callback_operation_options_set_cancellation(handle_.get(), cancellation.c_handle());
    return *this;
  }

  [[nodiscard]] const ::oss_callback_operation_options* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_operation_options, ::oss_callback_operation_options_free> handle_;
};

}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_OPTIONS_HPP
