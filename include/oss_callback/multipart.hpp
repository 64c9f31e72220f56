/**
 * Multipart uploads, by hand: for a file, client::upload_file does all of this.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_MULTIPART_HPP
#define OSS_CALLBACK_MULTIPART_HPP

#include "permissions.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/** A part that OSS has. */
struct part {
  std::uint32_t number = 0;
  /** Opaque: compare it, do not interpret it. */
  std::string etag;
  /** Size in bytes and CRC-64/XZ; if they are unknown, the object's contents are not compared. */
  std::optional<std::uint64_t> size = std::nullopt;
  std::optional<std::uint64_t> crc64 = std::nullopt;
};

/**
 * Parts that OSS has, by number: plain values that you can keep and send elsewhere. Several threads may add to a list,
 * and upload parts into it, at once; read it only after they are done.
 */
class parts {
 public:
  parts() : handle_(internal::new_handle<::oss_callback_parts>(::oss_callback_parts_new)) {}
  /** Takes over a list that a function of oss_callback.h returned. */
  explicit parts(::oss_callback_parts* handle) noexcept : handle_(handle) {}

  /** Adds a part from its values; it replaces one with the same number. */
  result<void> try_add(const part& part) {
    return internal::run_with({}, [&](auto** error) {
      return ::oss_callback_parts_add(c_handle(), part.number, text(part.etag).c_str(),
                                      part.size ? &*part.size : nullptr, part.crc64 ? &*part.crc64 : nullptr, error);
    });
  }
  /** Adds a part from a line that json() returned, on this machine or another. */
  result<void> try_add_json(const text& json) {
    return internal::run_with(
        {}, [&](auto** error) { return ::oss_callback_parts_add_json(c_handle(), json.c_str(), error); });
  }
#if OSS_CALLBACK_EXCEPTIONS
  void add(const part& part) { try_add(part).value(); }
  void add_json(const text& json) { try_add_json(json).value(); }
#endif

  [[nodiscard]] std::size_t size() const noexcept { return ::oss_callback_parts_len(c_handle()); }
  /** The part at an index; index 0 has the lowest number. Past the end, a part with the number 0. */
  [[nodiscard]] part operator[](std::size_t index) const {
    part part;
    part.number = ::oss_callback_parts_number(c_handle(), index);
    part.etag = internal::view_of(::oss_callback_parts_etag(c_handle(), index));
    std::uint64_t number = 0;
    if (::oss_callback_parts_size(c_handle(), index, &number)) part.size = number;
    if (::oss_callback_parts_crc64(c_handle(), index, &number)) part.crc64 = number;
    return part;
  }
  /** Everything known about a part, as one line of JSON; empty past the end. */
  [[nodiscard]] std::string json(std::size_t index) const {
    return internal::copy_of(::oss_callback_parts_json(c_handle(), index));
  }

  /** The list that uploads of parts add to, on any thread. */
  [[nodiscard]] ::oss_callback_parts* c_handle() const noexcept { return handle_.get(); }

 private:
  internal::owned<::oss_callback_parts, ::oss_callback_parts_free> handle_;
};

/**
 * A multipart upload: from client::initiate_multipart_upload or, if it was begun earlier, here or on another machine,
 * from client::resume_multipart_upload. The object does not exist until the upload is completed; until then OSS keeps,
 * and bills, the parts. Destroying this object does not abort the upload.
 *
 * To send one object from many machines, let one of them begin the upload and tell the others its id(). Each machine
 * sends its part and hands back the line from parts::json. Add all the lines to a list and complete the upload.
 *
 * You may pass the same put_options to each step: each uses what applies to it. Tags, for instance, are set when the
 * upload begins, and the ACL when it is completed.
 *
 * Many threads may use it at once while no thread changes it. It keeps what it needs from its client.
 */
class multipart_upload {
 public:
  /** Takes over an upload that a function of oss_callback.h returned. */
  explicit multipart_upload(::oss_callback_multipart_upload* handle) noexcept : handle_(handle) {}

  /** A view into this object, like object() and id(). */
  [[nodiscard]] std::string_view bucket() const noexcept {
    return internal::view_of(::oss_callback_multipart_upload_bucket(c_handle()));
  }
  [[nodiscard]] std::string_view object() const noexcept {
    return internal::view_of(::oss_callback_multipart_upload_object(c_handle()));
  }
  /** OSS's name for the upload. */
  [[nodiscard]] std::string_view id() const noexcept {
    return internal::view_of(::oss_callback_multipart_upload_id(c_handle()));
  }
  /** Notes about how it began, such as that OSS may have begun another upload whose id was lost with the answer. */
  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    for (std::size_t index = 0; index < ::oss_callback_multipart_upload_notes_len(c_handle()); ++index)
      notes.emplace_back(internal::view_of(::oss_callback_multipart_upload_note(c_handle(), index)));
    return notes;
  }

  /** Whether the requester pays for the requests of this upload. */
  multipart_upload& requester_pays(bool requester_pays) {
    ::oss_callback_multipart_upload_set_requester_pays(handle_.get(), requester_pays);
    return *this;
  }

  /**
   * Sends bytes as a part of the object, and adds the part to `into`. `number` is 1 to 10000 and gives the part's place
   * in the object. You may always send a failed part again: it replaces itself, and the object does not exist until the
   * upload is completed.
   */
  result<void> try_upload_part(std::uint32_t number, const bytes& body, parts& into,
                               const put_options& options = {}) const {
    return internal::run_with(hooks_, [&](auto** error) {
      return ::oss_callback_multipart_upload_upload_part(c_handle(), number, body.data(), body.size(), options.c_handle(),
                                                  into.c_handle(), error);
    });
  }
  /** Sends `len` bytes of a file from `offset` on. */
  result<void> try_upload_part_from_file(std::uint32_t number, const std::filesystem::path& path, std::uint64_t offset,
                                         std::uint64_t len, parts& into, const put_options& options = {}) const {
    return internal::run_with(hooks_, [&](auto** error) {
      return ::oss_callback_multipart_upload_upload_part_from_file(c_handle(), number, internal::path_of(path).c_str(), offset,
                                                            len, options.c_handle(), into.c_handle(), error);
    });
  }
  /** Sends what `read` returns. That must be exactly `len` bytes; the library then calls `read` once more to check. */
  result<void> try_upload_part_from_reader(std::uint32_t number, const reader& read, std::uint64_t len, parts& into,
                                           const put_options& options = {}) const {
    return internal::run_with(hooks_, [&](auto** error) {
      return ::oss_callback_multipart_upload_upload_part_from_reader(c_handle(), number, internal::read_body,
                                                              internal::userdata_of(read), internal::len_of(len),
                                                              options.c_handle(), into.c_handle(), error);
    });
  }
  /** Sends the next `len` bytes of a stream. */
  result<void> try_upload_part_from_stream(std::uint32_t number, std::istream& stream, std::uint64_t len, parts& into,
                                           const put_options& options = {}) const {
    return try_upload_part_from_reader(number, internal::reader_of(stream, len), len, into, options);
  }
  /** Lists the parts that OSS has. code::not_found if OSS does not know the upload, or no longer knows it. */
  [[nodiscard]] result<parts> try_list_parts(const put_options& options = {}) const {
    return internal::make_with<parts, ::oss_callback_parts>(hooks_, [&](auto** parts, auto** error) {
      return ::oss_callback_multipart_upload_list_parts(c_handle(), options.c_handle(), parts, error);
    });
  }
  /**
   * Makes the object from these parts and waits for the application server's answer. The callback is delivered once,
   * even if the request is sent again. The upload stays open as long as the failure says that nothing is stored and its
   * code is not code::not_found.
   */
  [[nodiscard]] upload_result try_complete(const parts& parts, const callback& callback,
                                           const put_options& options = {}) const {
    return complete(parts.c_handle(), callback, options);
  }
  /** Makes the object from all parts that OSS has; lists them first. */
  [[nodiscard]] upload_result try_complete_all_parts(const callback& callback,
                                                     const put_options& options = {}) const {
    return complete(nullptr, callback, options);
  }
  /** Aborts the upload and deletes its parts. Do not call this once the upload may have been completed. */
  result<void> try_abort(const put_options& options = {}) const {
    return internal::run_with(hooks_, [&](auto** error) {
      return ::oss_callback_multipart_upload_abort(c_handle(), options.c_handle(), error);
    });
  }
#if !defined(OSS_CALLBACK_SMALL)
  /** Lets others send a part. Sends nothing. */
  [[nodiscard]] result<presigned_url> try_presign_part(std::uint32_t number, std::chrono::seconds expires_in) const {
    return internal::make_with<presigned_url, ::oss_callback_presigned_url>(hooks_, [&](auto** url, auto** error) {
      return ::oss_callback_multipart_upload_presign_part(c_handle(), number, internal::count(expires_in), url, error);
    });
  }
  /** Lets others complete the upload: from all parts that OSS has, or from the list that they send. */
  [[nodiscard]] result<presigned_url> try_presign_complete(complete_of of, const callback& callback,
                                                           std::chrono::seconds expires_in,
                                                           callback_in in = callback_in::url,
                                                           const put_options& options = {}) const {
    return internal::make_with<presigned_url, ::oss_callback_presigned_url>(hooks_, [&](auto** url, auto** error) {
      return ::oss_callback_multipart_upload_presign_complete(c_handle(), of == complete_of::all_parts,
                                                              callback.c_handle(), options.c_handle(),
                                                              internal::count(expires_in), in == callback_in::headers,
                                                              url, error);
    });
  }
#endif

#if OSS_CALLBACK_EXCEPTIONS
  void upload_part(std::uint32_t number, const bytes& body, parts& into, const put_options& options = {}) const {
    try_upload_part(number, body, into, options).value();
  }
  void upload_part_from_file(std::uint32_t number, const std::filesystem::path& path, std::uint64_t offset,
                             std::uint64_t len, parts& into, const put_options& options = {}) const {
    try_upload_part_from_file(number, path, offset, len, into, options).value();
  }
  void upload_part_from_reader(std::uint32_t number, const reader& read, std::uint64_t len, parts& into,
                               const put_options& options = {}) const {
    try_upload_part_from_reader(number, read, len, into, options).value();
  }
  void upload_part_from_stream(std::uint32_t number, std::istream& stream, std::uint64_t len, parts& into,
                               const put_options& options = {}) const {
    try_upload_part_from_stream(number, stream, len, into, options).value();
  }
  [[nodiscard]] parts list_parts(const put_options& options = {}) const {
    return try_list_parts(options).value();
  }
  receipt complete(const parts& parts, const callback& callback, const put_options& options = {}) const {
    return try_complete(parts, callback, options).value();
  }
  receipt complete_all_parts(const callback& callback, const put_options& options = {}) const {
    return try_complete_all_parts(callback, options).value();
  }
  void abort(const put_options& options = {}) const { try_abort(options).value(); }
#if !defined(OSS_CALLBACK_SMALL)
  [[nodiscard]] presigned_url presign_part(std::uint32_t number, std::chrono::seconds expires_in) const {
    return try_presign_part(number, expires_in).value();
  }
  [[nodiscard]] presigned_url presign_complete(complete_of of, const callback& callback,
                                               std::chrono::seconds expires_in, callback_in in = callback_in::url,
                                               const put_options& options = {}) const {
    return try_presign_complete(of, callback, expires_in, in, options).value();
  }
#endif
#endif

  [[nodiscard]] const ::oss_callback_multipart_upload* c_handle() const noexcept { return handle_.get(); }

 private:
  friend class client;

  [[nodiscard]] upload_result complete(const ::oss_callback_parts* parts, const callback& callback,
                                       const put_options& options) const {
    return internal::upload_with(hooks_, [&](auto** receipt, auto** error) {
      return ::oss_complete_multipart_upload_with_callback(c_handle(), parts, callback.c_handle(), options.c_handle(),
                                                           receipt, error);
    });
  }

  internal::owned<::oss_callback_multipart_upload, ::oss_callback_multipart_upload_free> handle_;
  internal::shared_hooks hooks_;
};

/** A multipart upload that was neither completed nor aborted. */
struct open_upload {
  std::string object;
  std::string id;
  /** When it was begun, as OSS gives it: "2012-02-23T04:18:23.000Z". */
  std::string initiated;
};

/** A bucket's open uploads, sorted by object, then by id. */
struct open_uploads {
  std::vector<open_upload> uploads;
  /** The common prefixes of uploads that were grouped by a delimiter. */
  std::vector<std::string> common_prefixes;
};

}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_MULTIPART_HPP
