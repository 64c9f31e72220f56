/* Uploads the named file, or a few bytes if none is named, and prints the application server's answer.
 *
 * Set OSS_ENDPOINT, OSS_REGION, OSS_BUCKET, OSS_CALLBACK_URL, OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, with
 * temporary credentials, OSS_SESSION_TOKEN; or let `make run` do it. */

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string_view>

#include <oss_callback.hpp>

namespace oss = oss_callback;

static int upload(const char* bucket, const std::optional<std::filesystem::path>& file) {
  // README begin
  const oss::client client(oss::client_options()
                               .endpoint(std::getenv("OSS_ENDPOINT"))
                               .region(std::getenv("OSS_REGION"))
                               .credentials_from_env());
  const oss::spec spec(oss::spec_options()
                           .url(std::getenv("OSS_CALLBACK_URL"))
                           .body("filename=${object}&size=${size}&mimeType=${mimeType}"));
  try {
    const oss::receipt receipt =
        file ? client.put_object_from_file(bucket, file->filename().string(), *file, spec)
             : client.put_object(bucket, "hello.txt", std::string_view("hello"), spec);
    std::cout << receipt.answer() << '\n';
    return EXIT_SUCCESS;
  } catch (const oss::callback_failed& failed) {
    std::cerr << failed.what() << "\nIt is stored: do not upload it again.\n";
  } catch (const oss::error& error) {
    const bool is_certain = error.stored() == oss::stored::no;
    std::cerr << error.what() << '\n' << (is_certain ? "It is not stored.\n" : "Check whether it is stored.\n");
  }
  return EXIT_FAILURE;
  // README end
}

int main(int argc, char** argv) {
  try {
    return upload(std::getenv("OSS_BUCKET"), argc > 1 ? std::optional<std::filesystem::path>(argv[1]) : std::nullopt);
  } catch (const std::exception& exception) {
    std::cerr << exception.what() << '\n';
    return EXIT_FAILURE;
  }
}
