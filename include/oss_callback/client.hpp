/**
 * The client: uploads, and enough other operations to inspect what was stored.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_CLIENT_HPP
#define OSS_CALLBACK_CLIENT_HPP

#include "client_options.hpp"
#include "multipart.hpp"
#include "objects.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/**
 * A connection to OSS, or to a server that speaks its protocol. It is immutable, and many threads may use it at once.
 * Create it after fork, not before.
 *
 * Every operation blocks for as long as the client's limits allow. Each has two forms: head_object throws, and
 * try_head_object returns a result. The comment on the try_ form applies to both.
 */
class client {
 public:
  /** Checks the options and sends nothing. The options may be used again. */
  static result<client> try_of(const client_options& options) {
    result<client> made = internal::make<client, ::oss_callback_client>(
        [&](auto** client, auto** error) { return ::oss_callback_client_new(options.c_handle(), client, error); });
    if (made) made->hooks_ = options.hooks_;
    return made;
  }
#if OSS_CALLBACK_EXCEPTIONS
  explicit client(const client_options& options) : client(try_of(options).value()) {}
#endif
  /** Takes over a client that a function of oss_callback.h returned. */
  explicit client(::oss_callback_client* handle) noexcept : handle_(handle) {}

  /* Uploads */

  /**
   * Uploads bytes as `object` into `bucket`, at most 5 GiB, and waits for the application server's answer. `callback`
   * is a spec or no_callback. A failed upload is tried up to three times where that may help, but with a callback only
   * while it is certain that nothing was stored: no callback is delivered twice.
   */
  [[nodiscard]] upload_result try_put_object(const text& bucket, const text& object, const bytes& body,
                                             const callback& callback, const put_options& options = {}) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_put_object_with_callback(c_handle(), bucket.c_str(), object.c_str(), body.data(), body.size(),
                                            callback.c_handle(), options.c_handle(), receipt, error);
    });
  }
  /** Uploads a regular file, which is read while it is sent. */
  [[nodiscard]] upload_result try_put_object_from_file(const text& bucket, const text& object,
                                                       const std::filesystem::path& path, const callback& callback,
                                                       const put_options& options = {}) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_put_object_from_file_with_callback(c_handle(), bucket.c_str(), object.c_str(),
                                                      internal::path_of(path).c_str(), callback.c_handle(),
                                                      options.c_handle(), receipt, error);
    });
  }
  /** Uploads `len` bytes of a file from `offset` on. */
  [[nodiscard]] upload_result try_put_object_from_file_range(const text& bucket, const text& object,
                                                             const std::filesystem::path& path, std::uint64_t offset,
                                                             std::uint64_t len, const callback& callback,
                                                             const put_options& options = {}) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_put_object_from_file_range_with_callback(c_handle(), bucket.c_str(), object.c_str(),
                                                            internal::path_of(path).c_str(), offset, len,
                                                            callback.c_handle(), options.c_handle(), receipt, error);
    });
  }
  /**
   * Uploads from a file descriptor's current position: `len` bytes, or everything up to the end if `len` is
   * std::nullopt. The descriptor is not closed. A pipe can be read only once, so another attempt is made only if
   * nothing was read yet.
   */
  [[nodiscard]] upload_result try_put_object_from_fd(const text& bucket, const text& object, int fd,
                                                     std::optional<std::uint64_t> len, const callback& callback,
                                                     const put_options& options = {}) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_put_object_from_fd_with_callback(c_handle(), bucket.c_str(), object.c_str(), fd,
                                                    internal::len_of(len), callback.c_handle(), options.c_handle(),
                                                    receipt, error);
    });
  }
  /**
   * Uploads a stream from its current position: the next `len` bytes or, if `len` is std::nullopt, everything up to its
   * end, sent in chunks. A stream can be read only once, so another attempt is made only if nothing was read yet. A
   * stream in a failed state, such as one whose file could not be opened, fails with code::body_unreadable.
   */
  [[nodiscard]] upload_result try_put_object_from_stream(const text& bucket, const text& object, std::istream& stream,
                                                         std::optional<std::uint64_t> len, const callback& callback,
                                                         const put_options& options = {}) const {
    return try_put_object_from_reader(bucket, object, internal::reader_of(stream, len), len, callback, options);
  }
  /**
   * Uploads what `read` returns: exactly `len` bytes, after which it is called once more to check for the end, or, if
   * `len` is std::nullopt, any number, sent in chunks. While `read` runs, neither a cancellation nor a time limit takes
   * effect.
   */
  [[nodiscard]] upload_result try_put_object_from_reader(const text& bucket, const text& object, const reader& read,
                                                         std::optional<std::uint64_t> len, const callback& callback,
                                                         const put_options& options = {}) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_put_object_from_reader_with_callback(c_handle(), bucket.c_str(), object.c_str(),
                                                        internal::read_body, internal::userdata_of(read),
                                                        internal::len_of(len), callback.c_handle(), options.c_handle(),
                                                        receipt, error);
    });
  }
  /**
   * Uploads a file of any size: one object, one callback, one receipt. A file larger than a part is sent in parts,
   * several at once; memory use does not grow with the file. An upload that fails midway is aborted. With a checkpoint
   * it is instead left for the next call, and failure::upload_id names it.
   */
  [[nodiscard]] upload_result try_upload_file(const text& bucket, const text& object, const std::filesystem::path& path,
                                              const callback& callback, const put_options& options = {}) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_upload_file_with_callback(c_handle(), bucket.c_str(), object.c_str(),
                                             internal::path_of(path).c_str(), callback.c_handle(), options.c_handle(),
                                             receipt, error);
    });
  }

  /* Multipart uploads, by hand */

  /**
   * Begins a multipart upload, with the headers, metadata and tags from the options. The upload remembers the options
   * that later requests need, such as the ACL. If an answer is lost, failure::notes or multipart_upload::notes says so,
   * and list_uploads_begun_since finds what OSS may have begun.
   */
  [[nodiscard]] result<multipart_upload> try_initiate_multipart_upload(const text& bucket, const text& object,
                                                                       const put_options& options = {}) const {
    return with_hooks(
        internal::make_with<oss_callback::multipart_upload, ::oss_callback_multipart_upload>(
            hooks_, [&](auto** upload, auto** error) {
              return ::oss_callback_client_initiate_multipart_upload(c_handle(), bucket.c_str(), object.c_str(),
                                                                     options.c_handle(), upload, error);
            }));
  }
  /** Resumes a multipart upload that was begun earlier, here or on another machine. Sends nothing. */
  [[nodiscard]] result<multipart_upload> try_resume_multipart_upload(const text& bucket, const text& object,
                                                                     const text& upload_id) const {
    return with_hooks(internal::make<multipart_upload, ::oss_callback_multipart_upload>(
        [&](auto** upload, auto** error) {
          return ::oss_callback_client_resume_multipart_upload(c_handle(), bucket.c_str(), object.c_str(), upload_id.c_str(),
                                                     upload, error);
        }));
  }
  /**
   * Lists the open multipart uploads of objects whose names begin with `prefix`. Names that contain `delimiter` after
   * the prefix are grouped under what they have in common. More than 100000 uploads are an error.
   */
  [[nodiscard]] result<open_uploads> try_list_multipart_uploads(const text& bucket, const text& prefix = nullptr,
                                                                const text& delimiter = nullptr,
                                                                const operation_options& options = {}) const {
    using handle = internal::owned<::oss_callback_multipart_uploads, ::oss_callback_multipart_uploads_free>;
    const auto listed =
        internal::make_with<handle, ::oss_callback_multipart_uploads>(hooks_, [&](auto** uploads, auto** error) {
          return ::oss_callback_client_list_multipart_uploads(c_handle(), bucket.c_str(), prefix.c_str(),
                                                              delimiter.c_str(), options.c_handle(), uploads, error);
        });
    if (!listed) return *listed.error();
    return open_of(listed->get());
  }
  /**
   * Lists the open multipart uploads of `object` that were begun at or after `since` by the local clock, such as those
   * whose answer was lost. Another program may have begun one of them, so check before you abort it.
   */
  [[nodiscard]] result<open_uploads> try_list_uploads_begun_since(const text& bucket, const text& object,
                                                                  std::chrono::system_clock::time_point since,
                                                                  const operation_options& options = {}) const {
    using handle = internal::owned<::oss_callback_multipart_uploads, ::oss_callback_multipart_uploads_free>;
    const auto listed =
        internal::make_with<handle, ::oss_callback_multipart_uploads>(hooks_, [&](auto** uploads, auto** error) {
          return ::oss_callback_client_list_uploads_begun_since(c_handle(), bucket.c_str(), object.c_str(),
                                                                internal::since_1970(since), options.c_handle(),
                                                                uploads, error);
        });
    if (!listed) return *listed.error();
    return open_of(listed->get());
  }

  /* Objects */

  /** Reads an object's metadata. code::not_found if there is no such object. */
  [[nodiscard]] result<object_metadata> try_head_object(const text& bucket, const text& object,
                                                        const operation_options& options = {}) const {
    return internal::make_with<object_metadata, ::oss_callback_object_metadata>(
        hooks_, [&](auto** metadata, auto** error) {
          return ::oss_callback_client_head_object(c_handle(), bucket.c_str(), object.c_str(), options.c_handle(),
                                                   metadata, error);
        });
  }
  /**
   * Downloads an object: calls `write(bytes)` with each block of its contents, and compares their CRC-64 with the one
   * that OSS has. The hook returns nothing, or true to continue and false to end the download with code::write_failed.
   * `write` may also be a std::ostream, which is flushed after each block. After any failure, discard what was written:
   * it is not the object.
   */
  template <class Write>
  [[nodiscard]] result<object_metadata> try_get_object(const text& bucket, const text& object, Write&& write,
                                                       const operation_options& options = {}) const {
    const auto hook = [&]() -> internal::write_function {
      if constexpr (std::is_base_of_v<std::ostream, std::decay_t<Write>>) {
        return internal::writer_of(write);
      } else {
        return [&write](bytes contents) { return internal::goes_on(write, contents); };
      }
    }();
    return internal::make_with<object_metadata, ::oss_callback_object_metadata>(
        hooks_, [&](auto** metadata, auto** error) {
          return ::oss_callback_client_get_object(c_handle(), bucket.c_str(), object.c_str(), internal::write_contents,
                                                  internal::userdata_of(hook), options.c_handle(), metadata, error);
        });
  }
  /** Deletes an object. An object that does not exist counts as deleted, as it does for OSS. */
  [[nodiscard]] result<void> try_delete_object(const text& bucket, const text& object,
                                               const operation_options& options = {}) const {
    return internal::run_with(hooks_, [&](auto** error) {
      return ::oss_callback_client_delete_object(c_handle(), bucket.c_str(), object.c_str(), options.c_handle(), error);
    });
  }

  /**
   * Finds out what became of an upload that ended with `unknown`, whose stored() is unknown. It looks at the object;
   * for a multipart upload it looks at the upload first. Changes nothing. code::invalid_argument if the outcome is
   * already known, or if the upload was by a presigned URL or a form. OSS does not record whether the callback was
   * answered: ask the application server.
   */
  [[nodiscard]] result<reconciled> try_reconcile(const failure& unknown, const operation_options& options = {}) const {
    return internal::make_with<reconciled, ::oss_callback_reconciled>(hooks_, [&](auto** found, auto** error) {
      return ::oss_callback_client_reconcile(c_handle(), unknown.c_handle(), options.c_handle(), found, error);
    });
  }

  /* Letting others upload */

#if !defined(OSS_CALLBACK_SMALL)
  /**
   * Lets others upload for 1 s to 7 days, or less if the client's credentials expire earlier. Sends nothing. Only the
   * object's headers are taken from the options: they are signed, and must be sent with the URL.
   */
  [[nodiscard]] result<presigned_url> try_presign_put_object(const text& bucket, const text& object,
                                                             const callback& callback, std::chrono::seconds expires_in,
                                                             const put_options& options = {},
                                                             callback_in in = callback_in::url) const {
    return internal::make_with<presigned_url, ::oss_callback_presigned_url>(hooks_, [&](auto** url, auto** error) {
      return ::oss_callback_client_presign_put_object(c_handle(), bucket.c_str(), object.c_str(), callback.c_handle(),
                                                      options.c_handle(), internal::count(expires_in),
                                                      in == callback_in::headers, url, error);
    });
  }
  /** Lets others download, likewise. */
  [[nodiscard]] result<presigned_url> try_presign_get_object(const text& bucket, const text& object,
                                                             std::chrono::seconds expires_in) const {
    return internal::make_with<presigned_url, ::oss_callback_presigned_url>(hooks_, [&](auto** url, auto** error) {
      return ::oss_callback_client_presign_get_object(c_handle(), bucket.c_str(), object.c_str(),
                                                      internal::count(expires_in), url, error);
    });
  }
  /** Lets others request an object's metadata, to check whether their upload has arrived. */
  [[nodiscard]] result<presigned_url> try_presign_head_object(const text& bucket, const text& object,
                                                              std::chrono::seconds expires_in) const {
    return internal::make_with<presigned_url, ::oss_callback_presigned_url>(hooks_, [&](auto** url, auto** error) {
      return ::oss_callback_client_presign_head_object(c_handle(), bucket.c_str(), object.c_str(),
                                                       internal::count(expires_in), url, error);
    });
  }
#endif
  /**
   * Uploads bytes with a URL that someone else signed, and waits for the answer to its callback, if it has one. The
   * client's credentials are not used. For an https URL the client's endpoint must be https, too. Headers that were not
   * signed are refused.
   */
  [[nodiscard]] upload_result try_put_object_with_url(const presigned_url& url, const bytes& body,
                                                      const put_options& options = {}) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_put_object_with_url(c_handle(), url.c_handle(), body.data(), body.size(),
                                                       options.c_handle(), receipt, error);
    });
  }
  /** Uploads a file, likewise. */
  [[nodiscard]] upload_result try_put_object_from_file_with_url(const presigned_url& url,
                                                                const std::filesystem::path& path,
                                                                const put_options& options = {}) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_put_object_from_file_with_url(
          c_handle(), url.c_handle(), internal::path_of(path).c_str(), options.c_handle(), receipt, error);
    });
  }
#if !defined(OSS_CALLBACK_SMALL)
  /** Signs a form for an upload into `bucket`. Sends nothing. */
  [[nodiscard]] result<post_form> try_sign_post_form(const text& bucket, const post_policy& policy) const {
    return internal::make_with<post_form, ::oss_callback_post_form>(hooks_, [&](auto** form, auto** error) {
      return ::oss_callback_client_sign_post_form(c_handle(), bucket.c_str(), policy.c_handle(), form, error);
    });
  }
#endif
  /**
   * Uploads bytes with a form that someone signed, and waits for the answer to its callback, if it has one. `file_name`
   * stands in for the file's name in the object's name; `content_type` is the object's. Either may be nullptr if the
   * form does not ask for it.
   */
  [[nodiscard]] upload_result try_post_object(const post_form& form, const bytes& body, const text& file_name = nullptr,
                                              const text& content_type = nullptr,
                                              const put_options& options = {}) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_post_object_with_form(c_handle(), form.c_handle(), body.data(), body.size(), file_name.c_str(),
                                               content_type.c_str(), options.c_handle(), receipt, error);
    });
  }
  /** Uploads a file, likewise; its own name is the default for `file_name`. */
  [[nodiscard]] upload_result try_post_object_from_file(const post_form& form, const std::filesystem::path& path,
                                                        const text& file_name = nullptr,
                                                        const text& content_type = nullptr,
                                                        const put_options& options = {}) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_post_object_from_file_with_form(c_handle(), form.c_handle(), internal::path_of(path).c_str(),
                                                         file_name.c_str(), content_type.c_str(), options.c_handle(),
                                                         receipt, error);
    });
  }

#if OSS_CALLBACK_EXCEPTIONS
  /* The same, throwing: callback_failed, error, or what a hook threw */

  receipt put_object(const text& bucket, const text& object, const bytes& body, const callback& callback,
                     const put_options& options = {}) const {
    return try_put_object(bucket, object, body, callback, options).value();
  }
  receipt put_object_from_file(const text& bucket, const text& object, const std::filesystem::path& path,
                               const callback& callback, const put_options& options = {}) const {
    return try_put_object_from_file(bucket, object, path, callback, options).value();
  }
  receipt put_object_from_file_range(const text& bucket, const text& object, const std::filesystem::path& path,
                                     std::uint64_t offset, std::uint64_t len, const callback& callback,
                                     const put_options& options = {}) const {
    return try_put_object_from_file_range(bucket, object, path, offset, len, callback, options).value();
  }
  receipt put_object_from_fd(const text& bucket, const text& object, int fd, std::optional<std::uint64_t> len,
                             const callback& callback, const put_options& options = {}) const {
    return try_put_object_from_fd(bucket, object, fd, len, callback, options).value();
  }
  receipt put_object_from_stream(const text& bucket, const text& object, std::istream& stream,
                                 std::optional<std::uint64_t> len, const callback& callback,
                                 const put_options& options = {}) const {
    return try_put_object_from_stream(bucket, object, stream, len, callback, options).value();
  }
  receipt put_object_from_reader(const text& bucket, const text& object, const reader& read,
                                 std::optional<std::uint64_t> len, const callback& callback,
                                 const put_options& options = {}) const {
    return try_put_object_from_reader(bucket, object, read, len, callback, options).value();
  }
  receipt upload_file(const text& bucket, const text& object, const std::filesystem::path& path,
                      const callback& callback, const put_options& options = {}) const {
    return try_upload_file(bucket, object, path, callback, options).value();
  }
  [[nodiscard]] multipart_upload initiate_multipart_upload(const text& bucket, const text& object,
                                                           const put_options& options = {}) const {
    return try_initiate_multipart_upload(bucket, object, options).value();
  }
  [[nodiscard]] multipart_upload resume_multipart_upload(const text& bucket, const text& object,
                                                         const text& upload_id) const {
    return try_resume_multipart_upload(bucket, object, upload_id).value();
  }
  [[nodiscard]] open_uploads list_multipart_uploads(const text& bucket, const text& prefix = nullptr,
                                                    const text& delimiter = nullptr,
                                                    const operation_options& options = {}) const {
    return try_list_multipart_uploads(bucket, prefix, delimiter, options).value();
  }
  [[nodiscard]] open_uploads list_uploads_begun_since(const text& bucket, const text& object,
                                                      std::chrono::system_clock::time_point since,
                                                      const operation_options& options = {}) const {
    return try_list_uploads_begun_since(bucket, object, since, options).value();
  }
  [[nodiscard]] object_metadata head_object(const text& bucket, const text& object,
                                            const operation_options& options = {}) const {
    return try_head_object(bucket, object, options).value();
  }
  template <class Write>
  object_metadata get_object(const text& bucket, const text& object, Write&& write,
                             const operation_options& options = {}) const {
    return try_get_object(bucket, object, std::forward<Write>(write), options).value();
  }
  void delete_object(const text& bucket, const text& object, const operation_options& options = {}) const {
    try_delete_object(bucket, object, options).value();
  }
  [[nodiscard]] reconciled reconcile(const failure& unknown, const operation_options& options = {}) const {
    return try_reconcile(unknown, options).value();
  }
#if !defined(OSS_CALLBACK_SMALL)
  [[nodiscard]] presigned_url presign_put_object(const text& bucket, const text& object, const callback& callback,
                                                 std::chrono::seconds expires_in, const put_options& options = {},
                                                 callback_in in = callback_in::url) const {
    return try_presign_put_object(bucket, object, callback, expires_in, options, in).value();
  }
  [[nodiscard]] presigned_url presign_get_object(const text& bucket, const text& object,
                                                 std::chrono::seconds expires_in) const {
    return try_presign_get_object(bucket, object, expires_in).value();
  }
  [[nodiscard]] presigned_url presign_head_object(const text& bucket, const text& object,
                                                  std::chrono::seconds expires_in) const {
    return try_presign_head_object(bucket, object, expires_in).value();
  }
#endif
  receipt put_object_with_url(const presigned_url& url, const bytes& body, const put_options& options = {}) const {
    return try_put_object_with_url(url, body, options).value();
  }
  receipt put_object_from_file_with_url(const presigned_url& url, const std::filesystem::path& path,
                                        const put_options& options = {}) const {
    return try_put_object_from_file_with_url(url, path, options).value();
  }
#if !defined(OSS_CALLBACK_SMALL)
  [[nodiscard]] post_form sign_post_form(const text& bucket, const post_policy& policy) const {
    return try_sign_post_form(bucket, policy).value();
  }
#endif
  receipt post_object(const post_form& form, const bytes& body, const text& file_name = nullptr,
                      const text& content_type = nullptr, const put_options& options = {}) const {
    return try_post_object(form, body, file_name, content_type, options).value();
  }
  receipt post_object_from_file(const post_form& form, const std::filesystem::path& path,
                                const text& file_name = nullptr, const text& content_type = nullptr,
                                const put_options& options = {}) const {
    return try_post_object_from_file(form, path, file_name, content_type, options).value();
  }
#endif

  [[nodiscard]] const ::oss_callback_client* c_handle() const noexcept { return handle_.get(); }

 private:
  static open_uploads open_of(const ::oss_callback_multipart_uploads* uploads) {
    open_uploads open;
    for (std::size_t index = 0; index < ::oss_callback_multipart_uploads_len(uploads); ++index)
      open.uploads.push_back({internal::copy_of(::oss_callback_multipart_uploads_object(uploads, index)),
                              internal::copy_of(::oss_callback_multipart_uploads_id(uploads, index)),
                              internal::copy_of(::oss_callback_multipart_uploads_initiated(uploads, index))});
    for (std::size_t index = 0; index < ::oss_callback_multipart_uploads_common_prefixes_len(uploads); ++index)
      open.common_prefixes.emplace_back(
          internal::view_of(::oss_callback_multipart_uploads_common_prefix(uploads, index)));
    return open;
  }

  friend class verified;

  [[nodiscard]] result<multipart_upload> with_hooks(result<multipart_upload> upload) const {
    if (upload) upload->hooks_ = hooks_;
    return upload;
  }

  internal::owned<::oss_callback_client, ::oss_callback_client_free> handle_;
  internal::shared_hooks hooks_;
};

}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_CLIENT_HPP
