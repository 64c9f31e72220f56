/* An object in parts by hand, and a file of any size: multipart FILE CHECKPOINT, where FILE has 3 * 102400 bytes */

#include "fixture.hpp"

#include <chrono>
#include <sstream>
#include <thread>
#include <vector>

namespace {

constexpr std::uint64_t part = 102400;

void by_hand(const char* file) {
  oss::multipart_upload upload = [&] {
    const oss::client client = ::client();
    return client.initiate_multipart_upload(bucket, "by hand", oss::put_options().content_type("text/x-parts"));
  }();
  assert(upload.bucket() == bucket && upload.object() == "by hand" && !upload.id().empty());

  oss::parts parts;
  std::thread other([&] { upload.upload_part(1, std::string(part, 'a'), parts); });
  upload.upload_part_from_file(2, file, 7, part, parts);
  std::istringstream stream(std::string(part, 's') + "left");
  upload.upload_part_from_stream(3, stream, part, parts);
  other.join();
  std::size_t left = 3;
  upload.upload_part_from_reader(
      4,
      [&](std::uint8_t* buffer, std::size_t) -> std::ptrdiff_t {
        if (left == 0) return 0;
        *buffer = static_cast<std::uint8_t>('0' + left--);
        return 1;
      },
      3, parts);
  assert(parts.size() == 4 && parts[3].number == 4 && parts[3].size == 3u && parts[3].crc64);

  // By way of text, as to another machine, or of numbers.
  const oss::parts listed = upload.list_parts();
  oss::parts others;
  others.add_json(listed.json(0));
  for (std::size_t index = 1; index < listed.size(); ++index) others.add(listed[index]);
  assert(others.size() == 4 && others.json(3) == parts.json(3) && others[9].number == 0 && others.json(9).empty());
  const auto add = [&] { others.add_json("{}"); };
  assert(error_of(add).code() == oss::code::invalid_argument);

  const oss::client client = ::client();
  const oss::open_uploads open = client.list_multipart_uploads(bucket, "by ");
  assert(open.uploads.size() == 1 && open.uploads[0].id == upload.id() && open.uploads[0].object == "by hand");
  assert(!open.uploads[0].initiated.empty() && open.common_prefixes.empty());
  assert(client.list_multipart_uploads(bucket, nullptr, " ").common_prefixes == std::vector<std::string>{"by "});
  const auto now = std::chrono::system_clock::now();
  const auto since = client.list_uploads_begun_since(bucket, "by hand", now - std::chrono::hours(1));
  assert(since.uploads.size() == 1 && since.uploads[0].id == upload.id() && upload.notes().empty());
  assert(client.list_uploads_begun_since(bucket, "by hand", now + std::chrono::hours(1)).uploads.empty());
  const oss::multipart_upload resumed = client.resume_multipart_upload(bucket, "by hand", upload.id());
  const oss::receipt receipt = resumed.complete(others, spec());
  assert(receipt.answer() == "{\"Status\":\"OK\"}");

  const oss::error again = error_of([&] { resumed.complete_all_parts(spec()); });
  assert(again.code() == oss::code::not_found && again.stored() == oss::stored::no);

  const oss::multipart_upload aborted = client.initiate_multipart_upload(bucket, "aborted");
  aborted.abort();
  assert(aborted.try_abort().error()->code() == oss::code::not_found);
}

void a_file(const char* file, const char* checkpoint) {
  const oss::client client = ::client();
  oss::put_options options;
  options.part_size(part).parallel(2).checkpoint(checkpoint).verify_parts();
  // The first run ends when something was sent, the second goes on.
  int calls = 0;
  options.progress([&](std::uint64_t sent, std::optional<std::uint64_t> total) {
    assert(total == 3 * part && sent <= 3 * part);
    ++calls;
    return sent < 2 * part;
  });
  const oss::error error = error_of([&] { client.upload_file(bucket, "file", file, spec(), options); });
  assert(error.code() == oss::code::cancelled && error.stored() == oss::stored::no && error.upload_id());
  assert(client.list_multipart_uploads(bucket).uploads.at(0).id == error.upload_id());
  options.progress([&](std::uint64_t, std::optional<std::uint64_t>) { ++calls; });
  const oss::receipt receipt = client.upload_file(bucket, "file", file, spec(), options);
  assert(receipt.answer() == "{\"Status\":\"OK\"}" && receipt.notes().empty() && calls > 1);
  const auto put = [&] { client.put_object(bucket, "file", "1"sv, spec(), options); };
  assert(contains(error_of(put).what(), "upload_file"));
}

}  // namespace

int main(int argc, char** argv) {
  assert(argc == 3);
  by_hand(argv[1]);
  a_file(argv[1], argv[2]);
}
