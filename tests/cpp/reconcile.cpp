/* What became of uploads whose answers were lost, and of uploads that did not arrive.
 *
 *   reconcile ANSWERS REQUESTS, endpoints that lose answers, and requests */

#include "fixture.hpp"

namespace {

/** How an upload of "hello" ends when nobody knows whether it is stored. */
oss::error lose(const char* endpoint, const oss::text& object, const oss::put_options& options) {
  const oss::client client(client_options().endpoint(endpoint).max_idle_connections(0).retry({1, {}, {}}));
  oss::error error = error_of([&] { client.put_object(bucket, object, "hello"sv, oss::no_callback, options); });
  assert(error.code() == oss::code::connection_lost && error.stored() == oss::stored::unknown);
  return error;
}

}  // namespace

int main(int argc, char** argv) {
  assert(argc == 3);
  const oss::client client = ::client();
  const oss::put_options named = std::move(oss::put_options().idempotency_id("1"));

  const oss::reconciled missing = client.reconcile(lose(argv[2], "put", named));
  assert(missing.outcome() == oss::outcome::not_there && !missing.object() && missing.observed_at());
  std::optional<oss::object_metadata> object;
  {
    const oss::reconciled stored = client.reconcile(lose(argv[1], "put", named));
    assert(stored.outcome() == oss::outcome::stored && !stored.observed_at());
    object = stored.object();
  }
  // It outlives what it came from.
  assert(object->content_length() == 5u && object->header("x-oss-meta-idempotency-id") == "1");

  const oss::error nameless = lose(argv[1], "nameless", {});
  assert(client.reconcile(nameless).outcome() == oss::outcome::content_present);
  client.put_object(bucket, "nameless", "another"sv, oss::no_callback);
  assert(client.reconcile(nameless).outcome() == oss::outcome::still_unknown);

  // What an upload's policy leaves open is the client's.
  const oss::client twice(client_options().endpoint(argv[2]).max_idle_connections(0).retry({2, {}, {}}));
  const oss::put_options soon = std::move(oss::put_options().retry({{}, std::chrono::milliseconds(1), {}}));
  const oss::error lost = error_of([&] { twice.put_object(bucket, "twice", {}, oss::no_callback, soon); });
  assert(lost.attempts() == 2);

  const oss::error known = error_of([&] { client.put_object("nosuchbucket", "o", {}, oss::no_callback); });
  assert(client.try_reconcile(known).error()->code() == oss::code::invalid_argument);
}
