/* The third file of two_units.cpp, compiled with -fno-exceptions. */

#include <sstream>
#include <string_view>

#include <oss_callback.hpp>

#if OSS_CALLBACK_EXCEPTIONS
#error "this file is about the other form"
#endif

const char* code_without_exceptions(const char* endpoint);

const char* code_without_exceptions(const char* endpoint) {
  oss_callback::client_options options;
  options.endpoint(endpoint).region("cn-hangzhou").credentials("id", "secret");
  const auto client = oss_callback::client::try_of(options);
  const auto missing = client->try_head_object("examplebucket", "missing");
  // Hooks, and what is a template, are there in this form, too.
  std::ostringstream stream;
  const std::string_view body = "hello";
  oss_callback::put_options watched;
  std::uint64_t sent = 0;
  watched.progress([&](std::uint64_t count, std::optional<std::uint64_t>) { sent = count; });
  const auto put = client->try_put_object("examplebucket", "other form", body, oss_callback::no_callback, watched);
  if (put.value().status() != 200 || sent != body.size()) return "put";
  if (!client->try_get_object("examplebucket", "other form", stream) || stream.str() != body) return "get";
  const auto stops = [](oss_callback::bytes) { return false; };
  const auto stopped = client->try_get_object("examplebucket", "other form", stops);
  if (stopped || stopped.error()->code() != oss_callback::code::write_failed) return "stop";
  const auto verifier = oss_callback::verifier::try_of();
  if (verifier->try_verify("GET", "/", {{"Authorization", "x"}}, body)) return "verify";
  return missing ? "OK" : oss_callback::name(missing.error()->code()).data();
}
