/* Each option of an upload goes out in the words of OSS, once: options ENDPOINT, which keeps what it is sent */

#include "fixture.hpp"

int main(int argc, char** argv) {
  assert(argc == 2);
  const oss::client client(client_options().endpoint(argv[1]).user_agent("agent/1").local_address("127.0.0.1"));
  oss::put_options options;
  options.content_type("text/x-test")
      .metadata("author", "Ming")
      .object_acl("public-read")
      .storage_class("IA")
      .tag("a b", "1&2")
      .tag("empty", "")
      .server_side_encryption("KMS")
      .server_side_encryption_key_id("key-id")
      .server_side_data_encryption("SM4")
      .traffic_limit(838860800)
      .forbid_overwrite(true)
      .cache_control("no-cache")
      .content_disposition("inline")
      .content_encoding("gzip")
      .content_language("zh-CN")
      .expires(oss::sys_seconds(std::chrono::seconds(784111777)))
      .requester_pays(true)
      .content_md5(true)
      .deadline(std::chrono::steady_clock::now() + std::chrono::hours(1))
      .header("x-oss-other", "other");
  client.put_object(bucket, "object", "1"sv, oss::no_callback, options);
  // A deadline that is over ends what begins after it, a later one does not.
  const auto now = std::chrono::steady_clock::now();
  oss::operation_options late;
  late.deadline(now - std::chrono::seconds(1));
  assert(client.try_head_object(bucket, "object", late).error()->code() == oss::code::timeout);
  try {
    client.put_object(bucket, "object", "1"sv, oss::no_callback, oss::put_options().deadline(now));
    assert(false);
  } catch (const oss::error& ended) {
    assert(ended.code() == oss::code::timeout && ended.stored() == oss::stored::no);
  }
  // Where connections go to and come from is checked when the client is made, or when it connects.
  const auto one = [&](oss::client_options& options) -> oss::client_options& {
    return options.endpoint(argv[1]).retry({1, {}, {}});
  };
  auto named = client_options(), host = client_options(), address = client_options(), device = client_options();
  const auto refused = [&](oss::client_options& options) {
    return error_of([&] { oss::client{options}; }).code() == oss::code::invalid_argument;
  };
  assert(refused(one(named).network_interface("an/interface")));
  assert(refused(one(host).address("http://host", "::1")));
  for (auto* options : {&one(address).local_address("192.0.2.1"), &one(device).network_interface("no-such-device")}) {
    const oss::client lost(*options);
    const auto error = error_of([&] { lost.put_object(bucket, "object", "1"sv, oss::no_callback); });
    assert(error.code() == oss::code::connect && error.stored() == oss::stored::no);
  }
}
