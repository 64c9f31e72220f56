/* The second file of two_units.cpp. */

#include "fixture.hpp"

oss::error error_of_other_unit(const oss::client& client);

oss::error error_of_other_unit(const oss::client& client) {
  return error_of([&] { static_cast<void>(client.head_object(bucket, "missing")); });
}
