/* What the programs share: a client and a spec from the environment, and a way to say what came of an upload. */

#ifndef FIXTURE_HPP
#define FIXTURE_HPP

#undef NDEBUG
#include <cassert>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include <oss_callback.hpp>

namespace oss = oss_callback;
using namespace std::string_literals;
using namespace std::string_view_literals;

/** A variable of the environment that the test has set. */
inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  assert(value != nullptr);
  return value;
}

inline const std::string bucket = variable("OSS_BUCKET");

inline oss::client_options client_options() {
  oss::client_options options;
  options.endpoint(variable("OSS_ENDPOINT")).region(variable("OSS_REGION")).credentials_from_env();
  return options;
}

inline oss::client client() { return std::move(oss::client::try_of(client_options()).value()); }

inline oss::spec_options spec_options() {
  oss::spec_options options;
  options.url(variable("OSS_CALLBACK_URL")).body("filename=${object}&size=${size}&mimeType=${mimeType}");
  return options;
}

inline oss::spec spec() { return std::move(oss::spec::try_of(spec_options()).value()); }

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

inline std::string_view word(oss::stored stored) {
  switch (stored) {
    case oss::stored::unknown: return "Unknown";
    case oss::stored::no: return "No";
    case oss::stored::yes: return "Yes";
  }
  std::abort();
}

inline std::string_view word(oss::answered answered) {
  switch (answered) {
    case oss::answered::unknown: return "Unknown";
    case oss::answered::no: return "No";
    case oss::answered::yes: return "Yes";
    case oss::answered::not_requested: return "NotRequested";
  }
  std::abort();
}

/** What became of an upload, in one line. */
inline std::string line_of(const oss::receipt& receipt) {
  assert(receipt.status() == 200 && receipt.etag() && receipt.crc64() && receipt.request_id());
  return "receipt OK Yes Yes " + std::string(receipt.answer());
}

inline std::string line_of(const char* type, const oss::failure& failure) {
  std::string line = type + " "s;
  line.append(oss::name(failure.code())).append(" ").append(word(failure.stored())).append(" ");
  line.append(word(failure.answered())).append(" ").append(failure.oss_message().value_or("-"));
  assert(failure.receipt().has_value() == (failure.stored() == oss::stored::yes));
  assert(failure.message() == failure.what() && !failure.message().empty());
  return line;
}

inline std::string line_of(const oss::callback_failed& failed) {
  assert(failed.receipt().status() == 203 && failed.receipt().answer().empty());
  assert(failed.receipt().etag() == failed.failure::receipt()->etag() && failed.receipt().etag());
  assert(failed.oss_code() == "CallbackFailed" && failed.status() == 203 && failed.diagnosis() && failed.ec());
  return line_of("callback_failed", failed);
}

inline std::string line_of(const oss::error& error) { return line_of("error", error); }

inline std::string line_of(const oss::upload_result& result) {
  const std::string line = result.visit([](const oss::receipt& receipt) { return line_of(receipt); },
                                        [](const oss::callback_failed& failed) { return line_of(failed); },
                                        [](const oss::error& error) { return line_of(error); });
  assert(contains(line, " " + std::string(word(result.stored())) + " "));
  return line;
}

#if OSS_CALLBACK_EXCEPTIONS
/** The error that a function throws. */
template <class Function>
oss::error error_of(const Function& function) {
  try {
    function();
  } catch (const oss::error& error) {
    return error;
  }
  std::cerr << "nothing was thrown\n";
  std::abort();
}
#endif

#endif
