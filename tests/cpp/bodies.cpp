/* Bodies of each kind are stored as they are; those that cannot be read are errors, never empty objects.
 *
 *   bodies FILE FOLDER, where FILE has the digits 0123456789 */

#include "fixture.hpp"

#include <array>
#include <cstdio>
#include <sstream>
#include <vector>
#if __has_include(<span>)
#include <span>
#endif

#include <fcntl.h>
#include <unistd.h>

namespace {

const oss::client& it() {
  static const oss::client client = ::client();
  return client;
}

void containers() {
  const std::vector<std::uint8_t> vector{'v', 'e', 'c', 't', 'o', 'r'};
  const std::array<std::byte, 2> array{std::byte{0}, std::byte{255}};
  const unsigned char plain[] = {'p', 'l', 'a', 'i', 'n'};
  it().put_object(bucket, "vector", vector, oss::no_callback);
  it().put_object(bucket, "array", array, oss::no_callback);
  it().put_object(bucket, "plain", plain, oss::no_callback);
  it().put_object(bucket, "string", "a\0b"s, oss::no_callback);
  it().put_object(bucket, "view", "view"sv, oss::no_callback);
  it().put_object(bucket, "empty", std::vector<char>(), oss::no_callback);
  it().put_object(bucket, "nothing", {}, oss::no_callback);
#if __cpp_lib_span
  it().put_object(bucket, "span", std::span(vector).first(3), oss::no_callback);
  it().put_object(bucket, "span of bytes", std::as_bytes(std::span(vector)), oss::no_callback);
  const std::span<const std::uint8_t> taken = oss::bytes(vector);
  assert(taken.data() == vector.data() && taken.size() == vector.size());
#else
  it().put_object(bucket, "span", "vec"sv, oss::no_callback);
  it().put_object(bucket, "span of bytes", "vector"sv, oss::no_callback);
#endif
}

void files(const char* file) {
  it().put_object_from_file(bucket, "file", file, oss::no_callback);
  it().put_object_from_file_range(bucket, "range", file, 3, 4, oss::no_callback);
  const int fd = ::open(file, O_RDONLY | O_CLOEXEC);
  assert(fd >= 0);
  it().put_object_from_fd(bucket, "descriptor", fd, std::nullopt, oss::no_callback);
  it().put_object_from_fd(bucket, "5 of descriptor", fd, 5, oss::no_callback);
  ::close(fd);
  it().upload_file(bucket, "uploaded", file, oss::no_callback);
}

void streams(const char* file) {
  std::ifstream whole(file);
  it().put_object_from_stream(bucket, "stream", whole, std::nullopt, oss::no_callback);
  std::ifstream some(file);
  some.ignore(2);
  it().put_object_from_stream(bucket, "4 of stream", some, 4, oss::no_callback);
  assert(some.get() == '6');
  std::istringstream empty;
  it().put_object_from_stream(bucket, "empty stream", empty, std::nullopt, oss::no_callback);
  // The end is no failure for a stream that throws at it.
  std::ifstream throwing(file);
  throwing.exceptions(std::ios::failbit | std::ios::badbit | std::ios::eofbit);
  it().put_object_from_stream(bucket, "throwing stream", throwing, 10, oss::no_callback);
}

void is_unreadable(const oss::error& error) {
  assert(error.code() == oss::code::body_unreadable && error.stored() == oss::stored::no && !error.receipt());
}

void unreadable(const char* file, const char* folder) {
  std::ifstream missing(file + ".missing"s);
  is_unreadable(error_of([&] {
    it().put_object_from_stream(bucket, "wrong", missing, std::nullopt, oss::no_callback);
  }));
  std::istream none(nullptr);
  is_unreadable(error_of([&] { it().put_object_from_stream(bucket, "wrong", none, std::nullopt, oss::no_callback); }));
  is_unreadable(error_of([&] { it().put_object_from_file(bucket, "wrong", folder, oss::no_callback); }));
  // It is not the file whose name comes before the NUL.
  is_unreadable(error_of([&] {
    it().put_object_from_file(bucket, "wrong", std::filesystem::path(file + "\0.txt"s), oss::no_callback);
  }));

  std::istringstream little("little");
  assert(error_of([&] { it().put_object_from_stream(bucket, "wrong", little, 7, oss::no_callback); }).code() ==
         oss::code::body_changed);
  is_unreadable(error_of([&] {
    it().put_object_from_reader(
        bucket, "wrong", [](std::uint8_t*, std::size_t) { return -1; }, std::nullopt, oss::no_callback);
  }));
  is_unreadable(error_of([&] {
    it().put_object_from_reader(
        bucket, "wrong", [](std::uint8_t*, std::size_t size) { return size + 1; }, 7, oss::no_callback);
  }));
  // The number that means "unknown" in C is a length like any other.
  assert(error_of([&] {
           it().put_object_from_reader(
               bucket, "wrong", [](std::uint8_t*, std::size_t) { return 0; }, UINT64_MAX, oss::no_callback);
         }).code() == oss::code::invalid_argument);
}

void texts() {
  const std::string text = "text";
  const char* const missing = nullptr;
  it().put_object(bucket.c_str(), text, "1"sv, oss::no_callback, oss::put_options().metadata("a"sv, "b"s));
  it().put_object(std::string_view(bucket), "text and more"sv.substr(0, 4), "2"sv, oss::no_callback);
  const auto refused = [](const oss::text& object, const oss::put_options& options) {
    return std::string(error_of([&] { it().put_object(bucket, object, "3"sv, oss::no_callback, options); }).message());
  };
  assert(contains(refused(missing, {}), "`object` is NULL"));
  assert(contains(refused("text\0more"s, {}), "`object` is not UTF-8"));
  assert(contains(refused("text\0more"sv, {}), "`object` is not UTF-8"));
  assert(contains(refused("text", oss::put_options().content_type("a\0b"sv)), "`content_type` is not UTF-8"));
  assert(contains(refused("text", oss::put_options().timeout(std::chrono::seconds(-1))), "`timeout` is zero"));
}

}  // namespace

int main(int argc, char** argv) {
  assert(argc == 3);
  containers();
  files(argv[1]);
  streams(argv[1]);
  unreadable(argv[1], argv[2]);
  texts();
}
