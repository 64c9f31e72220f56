/**
 * Options of uploads and other operations, and how to end them from another thread.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_OPTIONS_HPP
#define OSS_CALLBACK_OPTIONS_HPP

#include "spec.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/**
 * Ends operations from another thread. You may give one cancellation to any number of operations; they then end
 * together. They keep what they need of it, so it may be destroyed before they end.
 */
class cancellation {
 public:
  cancellation() : handle_(internal::new_handle<::oss_callback_cancellation>(::oss_callback_cancellation_new)) {}

  /**
   * Ends the operations that carry this, with code::cancelled, within 0.2 s whatever the connection is doing. If a hook
   * is running, its operation ends when it returns. Operations that begin later send nothing. If an upload's answer has
   * begun to arrive, the object is already stored, and the upload ends with code::answer_damaged. Safe on any thread
   * and in a signal handler.
   */
  void cancel() const noexcept { ::oss_callback_cancellation_cancel(handle_.get()); }
  [[nodiscard]] bool is_cancelled() const noexcept { return ::oss_callback_cancellation_is_cancelled(handle_.get()); }

  [[nodiscard]] const ::oss_callback_cancellation* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_cancellation, ::oss_callback_cancellation_free> handle_;
};

/**
 * When to retry. A request that is certain to fail again, or that might be carried out twice, is never retried. What is not
 * given is as the client's policy says; the client's own defaults are 3 attempts, 200 ms and 20000 ms.
 */
struct retry_policy {
  /** Includes the first attempt: 1 means no retry. */
  std::optional<unsigned> max_attempts{};
  /** The longest wait before the second attempt; it doubles for each further attempt, up to max_delay. */
  std::optional<std::chrono::milliseconds> base_delay{};
  std::optional<std::chrono::milliseconds> max_delay{};
};

namespace internal {
/* Sets what a policy gives, by the setters of one kind of options. */
template <class Options>
void set_retry(Options* options, const retry_policy& policy, void (*max_attempts)(Options*, std::uint32_t),
               void (*base_delay)(Options*, std::uint64_t), void (*max_delay)(Options*, std::uint64_t)) {
  if (policy.max_attempts) max_attempts(options, *policy.max_attempts);
  if (policy.base_delay) base_delay(options, count(*policy.base_delay));
  if (policy.max_delay) max_delay(options, count(*policy.max_delay));
}
}  // namespace internal

/**
 * Options of an upload, all optional. The first error is kept and reported by the upload. They may be used for any
 * number of uploads, from many threads at once while no thread changes them; each upload then calls the progress hook.
 */
class put_options {
 public:
  put_options() : handle_(internal::new_handle<::oss_callback_put_options>(::oss_callback_put_options_new)) {}

  /**
   * Default: guessed from the extension of the file, or else of the object's name, or else application/octet-stream.
   */
  put_options& content_type(const text& content_type) {
    ::oss_callback_put_options_set_content_type(handle_.get(), content_type.c_str());
    return *this;
  }
  /** Sets user metadata, x-oss-meta-name. Names are letters, digits and hyphens; at most 8 KiB in total. */
  put_options& metadata(const text& name, const text& value) {
    ::oss_callback_put_options_set_metadata(handle_.get(), name.c_str(), value.c_str());
    return *this;
  }
  /** "default", "private", "public-read" or "public-read-write". */
  put_options& object_acl(const text& object_acl) {
    ::oss_callback_put_options_set_object_acl(handle_.get(), object_acl.c_str());
    return *this;
  }
  /** "Standard", "IA", "Archive", "ColdArchive" or "DeepColdArchive". Default: the bucket's. */
  put_options& storage_class(const text& storage_class) {
    ::oss_callback_put_options_set_storage_class(handle_.get(), storage_class.c_str());
    return *this;
  }
  /** Adds a tag: at most 10, each key once; keys have 1 to 128 bytes, values at most 256. */
  put_options& tag(const text& key, const text& value) {
    ::oss_callback_put_options_add_tag(handle_.get(), key.c_str(), value.c_str());
    return *this;
  }
  /** "AES256", "SM4" or "KMS". Default: the bucket's. */
  put_options& server_side_encryption(const text& server_side_encryption) {
    ::oss_callback_put_options_set_server_side_encryption(handle_.get(), server_side_encryption.c_str());
    return *this;
  }
  /** The id of the "KMS" key. Refused without "KMS". */
  put_options& server_side_encryption_key_id(const text& key_id) {
    ::oss_callback_put_options_set_server_side_encryption_key_id(handle_.get(), key_id.c_str());
    return *this;
  }
  /** "SM4", with "KMS" only. Default: AES-256. */
  put_options& server_side_data_encryption(const text& server_side_data_encryption) {
    ::oss_callback_put_options_set_server_side_data_encryption(handle_.get(), server_side_data_encryption.c_str());
    return *this;
  }
  /** Asks OSS to accept at most this many BITS per second, 819200 to 838860800. */
  put_options& traffic_limit(std::uint64_t bits_per_second) {
    ::oss_callback_put_options_set_traffic_limit_bits_per_s(handle_.get(), bits_per_second);
    return *this;
  }
  /** Sends at most this many BYTES per second. Default: no limit; 0 is refused. */
  put_options& bandwidth(std::uint64_t bytes_per_second) {
    ::oss_callback_put_options_set_bandwidth_bytes_per_s(handle_.get(), bytes_per_second);
    return *this;
  }
  /** Whether to keep an existing object of this name: the upload then fails with code::conflict. Default: false. */
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
  /** Whether the requester pays, as another account's bucket may require. Default: false. */
  put_options& requester_pays(bool requester_pays) {
    ::oss_callback_put_options_set_requester_pays(handle_.get(), requester_pays);
    return *this;
  }
  /** Whether to send the body's MD5. The body is then read twice; one that cannot be is refused. Default: false. */
  put_options& content_md5(bool content_md5) {
    ::oss_callback_put_options_set_content_md5(handle_.get(), content_md5);
    return *this;
  }
  /** Whether to compare the CRC-64 that OSS computed with that of the bytes sent. Default: true. */
  put_options& compare_crc64(bool compare_crc64) {
    ::oss_callback_put_options_set_compare_crc64(handle_.get(), compare_crc64);
    return *this;
  }
  /** Sets any other header of PutObject. Headers that the library sets itself are refused. */
  put_options& header(const text& name, const text& value) {
    ::oss_callback_put_options_set_header(handle_.get(), name.c_str(), value.c_str());
    return *this;
  }
  /** The time limit for resolving the server's name and, separately, for connecting, including TLS. */
  put_options& connect_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_put_options_set_connect_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The time limit from the last byte sent until OSS answers; time for callbacks is added. */
  put_options& answer_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_put_options_set_answer_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The longest time without progress while the body leaves this machine. */
  put_options& progress_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_put_options_set_progress_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The time limit for the upload, including all its attempts. */
  put_options& timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_put_options_set_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** A deadline shared by all uploads with these options, and by the steps of a multipart upload. */
  put_options& deadline(std::chrono::steady_clock::time_point deadline) {
    ::oss_callback_put_options_set_deadline_ms(handle_.get(), internal::left_until(deadline));
    return *this;
  }
  put_options& retry(const retry_policy& policy) {
    internal::set_retry(handle_.get(), policy, ::oss_callback_put_options_set_max_attempts,
                        ::oss_callback_put_options_set_retry_base_delay_ms,
                        ::oss_callback_put_options_set_retry_max_delay_ms);
    return *this;
  }
  /**
   * Says that the application server does the right thing if the same callback reaches it twice. Without this, an
   * upload with a callback is not sent again once its answer is lost. Default: false.
   */
  put_options& callback_is_idempotent(bool callback_is_idempotent) {
    ::oss_callback_put_options_set_callback_is_idempotent(handle_.get(), callback_is_idempotent);
    return *this;
  }
  /**
   * A unique name for this upload, stored with the object as metadata. It lets client::reconcile tell whether this
   * upload stored the object. When you send the same upload again, use the same name. Default: none.
   */
  put_options& idempotency_id(const text& idempotency_id) {
    ::oss_callback_put_options_set_idempotency_id(handle_.get(), idempotency_id.c_str());
    return *this;
  }
  /** Lets another thread end the uploads that have these options. */
  put_options& cancellation(const oss_callback::cancellation& cancellation) {
    ::oss_callback_put_options_set_cancellation(handle_.get(), cancellation.c_handle());
    return *this;
  }
  /**
   * Calls `hook(std::uint64_t sent, std::optional<std::uint64_t> total)` as bytes leave this machine (see
   * oss_callback_progress_hook), on the uploading thread: after each block of up to 128 KiB, and on a slow line every
   * 20 ms while some leave. The hook returns nothing, or true to continue and false to end the upload with
   * code::cancelled. If it throws, that ends the upload, too.
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

  /** The part size in bytes, 102400 to 5368709120; for client::upload_file only. Default: at least 8 MiB. */
  put_options& part_size(std::uint64_t part_size) {
    ::oss_callback_put_options_set_part_size(handle_.get(), part_size);
    return *this;
  }
  /** How many parts to send at once: 1 to 256; for client::upload_file only. Default: 4. */
  put_options& parallel(unsigned parallel) {
    ::oss_callback_put_options_set_parallel(handle_.get(), parallel);
    return *this;
  }
  /**
   * A file that records which parts were sent, so that the same call resumes after a failure; for client::upload_file
   * only. If another file is in its place, that file is never replaced. Default: none; a failed upload is aborted.
   */
  put_options& checkpoint(const std::filesystem::path& path) {
    ::oss_callback_put_options_set_checkpoint(handle_.get(), internal::path_of(path).c_str());
    return *this;
  }
  /**
   * Whether a resumed upload rereads from the file every part that OSS has, and compares it; for client::upload_file
   * only. Default: false, which does so only if the file may have been touched.
   */
  put_options& verify_parts(bool verify = true) {
    ::oss_callback_put_options_set_verify_parts(handle_.get(), verify);
    return *this;
  }

  [[nodiscard]] const ::oss_callback_put_options* c_handle() const noexcept { return handle_.get(); }

 private:
  // The handle stores the hook's address, which must not change when the options are moved.
  std::unique_ptr<internal::progress_function> progress_;
  internal::owned<::oss_callback_put_options, ::oss_callback_put_options_free> handle_;
};

/**
 * Options of an operation other than an upload, all optional. They may be used for any number of operations, from many
 * threads at once while no thread changes them.
 */
class operation_options {
 public:
  operation_options()
      : handle_(internal::new_handle<::oss_callback_operation_options>(::oss_callback_operation_options_new)) {}

  /** The time limit for resolving the server's name and, separately, for connecting, including TLS. */
  operation_options& connect_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_operation_options_set_connect_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The time limit from the last byte sent until OSS answers, and then again for the answer. */
  operation_options& answer_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_operation_options_set_answer_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The longest time without progress while a body leaves this machine or is received. */
  operation_options& progress_timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_operation_options_set_progress_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** The time limit for the operation, including all its attempts. */
  operation_options& timeout(std::chrono::milliseconds timeout) {
    ::oss_callback_operation_options_set_timeout_ms(handle_.get(), internal::count(timeout));
    return *this;
  }
  /** A deadline shared by all operations with these options. */
  operation_options& deadline(std::chrono::steady_clock::time_point deadline) {
    ::oss_callback_operation_options_set_deadline_ms(handle_.get(), internal::left_until(deadline));
    return *this;
  }
  /** A download is retried only until its hook has received a byte. */
  operation_options& retry(const retry_policy& policy) {
    internal::set_retry(handle_.get(), policy, ::oss_callback_operation_options_set_max_attempts,
                        ::oss_callback_operation_options_set_retry_base_delay_ms,
                        ::oss_callback_operation_options_set_retry_max_delay_ms);
    return *this;
  }
  /** Lets another thread end the operations that have these options. */
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
