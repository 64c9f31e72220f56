/* One program of files with and without exceptions; each includes the header and means its own functions. */

#include "fixture.hpp"

oss::error error_of_other_unit(const oss::client& client);
const char* code_without_exceptions(const char* endpoint);

int main() {
  const oss::client client = ::client();
  assert(error_of_other_unit(client).code() == oss::code::not_found);
  assert(error_of([&] { static_cast<void>(client.head_object(bucket, "missing")); }).code() == oss::code::not_found);
  assert(code_without_exceptions(variable("OSS_ENDPOINT").c_str()) == "NOT_FOUND"sv);
}
