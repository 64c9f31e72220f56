/* The third file of two_units.cpp, compiled with -fno-exceptions. */

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
  return missing ? "OK" : oss_callback::name(missing.error()->code()).data();
}
