/* What became of an upload, from each source, in both forms, in one line: outcome SOURCE FILE LIMIT-MS */

#include "fixture.hpp"

#include <cstring>
#include <sstream>

namespace {

constexpr std::string_view contents = "contents";

oss::reader reading(std::string_view rest) {
  return [rest](std::uint8_t* buffer, std::size_t size) mutable {
    const std::size_t count = std::min(rest.size(), size);
    std::memcpy(buffer, rest.data(), count);
    rest.remove_prefix(count);
    return count;
  };
}

oss::upload_result upload(std::string_view source, const char* file, const oss::client& client, const oss::spec& spec,
                          const oss::put_options& options) {
  if (source == "bytes") return client.try_put_object(bucket, "object", contents, spec, options);
  if (source == "file") return client.try_put_object_from_file(bucket, "object", file, spec, options);
  if (source == "stream") {
    std::istringstream stream{std::string(contents)};
    return client.try_put_object_from_stream(bucket, "object", stream, std::nullopt, spec, options);
  }
  assert(source == "reader");
  return client.try_put_object_from_reader(bucket, "object", reading(contents), contents.size(), spec, options);
}

#if OSS_CALLBACK_EXCEPTIONS
oss::receipt upload_or_throw(std::string_view source, const char* file, const oss::client& client,
                             const oss::spec& spec, const oss::put_options& options) {
  if (source == "bytes") return client.put_object(bucket, "object", contents, spec, options);
  if (source == "file") return client.put_object_from_file(bucket, "object", file, spec, options);
  if (source == "stream") {
    std::istringstream stream{std::string(contents)};
    return client.put_object_from_stream(bucket, "object", stream, std::nullopt, spec, options);
  }
  return client.put_object_from_reader(bucket, "object", reading(contents), contents.size(), spec, options);
}
#endif

}  // namespace

int main(int argc, char** argv) {
  assert(argc == 4);
  const oss::client client = ::client();
  const oss::spec spec = ::spec();
  oss::put_options options;
  options.retry({1, {}, {}}).timeout(std::chrono::milliseconds(std::atoi(argv[3])));
  std::cout << line_of(upload(argv[1], argv[2], client, spec, options)) << '\n';
#if OSS_CALLBACK_EXCEPTIONS
  try {
    std::cout << line_of(upload_or_throw(argv[1], argv[2], client, spec, options)) << '\n';
  } catch (const oss::error& error) {
    std::cout << line_of(error) << '\n';
  } catch (const oss::callback_failed& failed) {
    std::cout << line_of(failed) << '\n';
  }
#endif
}
