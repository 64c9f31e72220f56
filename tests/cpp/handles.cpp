/* Objects with a handle move, and free it once; outcomes are shared, and outlive what gave them. */

#include "fixture.hpp"

#include <optional>
#include <type_traits>

namespace {

template <class... Types>
constexpr bool all_move_only =
    ((!std::is_copy_constructible_v<Types> && !std::is_copy_assignable_v<Types> &&
      std::is_nothrow_move_constructible_v<Types> && std::is_nothrow_move_assignable_v<Types>)&&...);

static_assert(all_move_only<oss::client, oss::client_options, oss::spec, oss::spec_options, oss::body_template,
                            oss::object_facts, oss::put_options, oss::operation_options, oss::cancellation, oss::parts,
                            oss::multipart_upload, oss::presigned_url, oss::post_policy,
                            oss::post_form, oss::verifier, oss::verifier_options, oss::verified, oss::permission,
                            oss::sealer, oss::sealed, oss::replay_guard>);
static_assert(std::is_nothrow_copy_constructible_v<oss::error> && std::is_nothrow_copy_constructible_v<oss::receipt> &&
              std::is_nothrow_copy_constructible_v<oss::callback_failed> &&
              std::is_nothrow_copy_constructible_v<oss::object_metadata> &&
              std::is_nothrow_copy_constructible_v<oss::reconciled>);
// A callback that failed is neither a success nor an error.
static_assert(!std::is_constructible_v<bool, oss::upload_result>);
static_assert(!std::is_convertible_v<oss::callback_failed*, oss::error*> &&
              !std::is_convertible_v<oss::error*, oss::callback_failed*>);
static_assert(std::is_base_of_v<std::exception, oss::failure> && std::is_base_of_v<oss::failure, oss::error> &&
              std::is_base_of_v<oss::failure, oss::callback_failed>);
// Nobody slices one of them.
static_assert(!std::is_copy_constructible_v<oss::failure> && !std::is_constructible_v<oss::failure, oss::error>);

void options_move_with_their_hook() {
  int calls = 0;
  std::optional<oss::put_options> first(std::in_place);
  first->content_type("text/x-moved").progress([&](std::uint64_t, std::optional<std::uint64_t>) { ++calls; });
  oss::put_options second = std::move(*first);
  first.reset();
  oss::put_options third;
  third.progress([](std::uint64_t, std::optional<std::uint64_t>) { std::abort(); });
  third = std::move(second);
  client().put_object(bucket, "moved", "12345"sv, oss::no_callback, third);
  assert(calls == 1);
}

void clients_move_with_their_provider() {
  auto state = std::make_shared<int>(0);
  {
    std::optional<oss::client> moved;
    std::optional<oss::multipart_upload> upload;
    {
      oss::client_options options = client_options();
      options.credentials_provider([state]() -> oss::credentials {
        ++*state;
        return {"id", "secret"};
      });
      oss::client made(options);
      moved = std::move(made);
    }
    moved->put_object(bucket, "provided", "1"sv, oss::no_callback);
    assert(*state == 1);
    upload = moved->initiate_multipart_upload(bucket, "in parts");
    moved.reset();
    assert(upload->try_abort());
    assert(*state == 3 && state.use_count() == 2);
  }
  // It was destroyed with the last that could call it.
  assert(state.use_count() == 1);
}

void outcomes_outlive_everything() {
  std::optional<oss::receipt> receipt;
  std::exception_ptr thrown;
  {
    const oss::client client = ::client();
    receipt = client.put_object(bucket, "stored", "12345"sv, oss::no_callback);
    try {
      client.put_object(bucket, "stored", "12345"sv, spec());
    } catch (const oss::callback_failed&) {
      thrown = std::current_exception();
    }
  }
  const oss::receipt copy = *receipt;
  receipt.reset();
  assert(copy.etag() == "827CCB0EEA8A706C4C34A16891F84E7B" && copy.attempts() == 1 && copy.history().empty());

  std::optional<oss::receipt> inside;
  try {
    std::rethrow_exception(std::exchange(thrown, nullptr));
  } catch (const oss::callback_failed& failed) {
    inside = failed.receipt();
  }
  // The failure is gone, what it lent is not.
  assert(inside->status() == 203 && inside->etag() == copy.etag() && inside->crc64() == copy.crc64());
}

/* `catch (const error&)` is for errors: who forgets 203 hears of it. */
void an_error_handler_lets_a_failed_callback_pass() {
  bool passed = false;
  try {
    try {
      client().put_object(bucket, "stored", "12345"sv, spec());
    } catch (const oss::error&) {
      std::abort();
    }
  } catch (const oss::failure& failure) {
    passed = failure.stored() == oss::stored::yes && contains(failure.what(), "stored");
  }
  assert(passed);
}

void results_throw_when_their_value_is_asked_for() {
  const oss::client client = ::client();
  oss::result<oss::object_metadata> missing = client.try_head_object(bucket, "missing");
  assert(!missing && !missing.has_value() && missing.error()->code() == oss::code::not_found);
  assert(error_of([&] { static_cast<void>(missing->etag()); }).code() == oss::code::not_found);
  assert(error_of([&] { static_cast<void>(*std::move(missing)); }).code() == oss::code::not_found);
  const oss::result<void> deleted = client.try_delete_object("no-such-bucket", "object");
  assert(!deleted && error_of([&] { deleted.value(); }).oss_code() == "NoSuchBucket");
  assert(client.try_delete_object(bucket, "missing").has_value());
  const oss::error error = error_of([&] { client.delete_object("no-such-bucket", "object"); });
  assert(error.status() == 404 && error.request_id() && error.host_id() && error.ec() && error.attempts() == 1);
  assert(error.detail("bucketname") == "no-such-bucket" && error.header("Content-Type") == "application/xml");
  assert(contains(error.body(), "<Code>NoSuchBucket</Code>") && !error.upload_id() && error.notes().empty());
}

}  // namespace

int main() {
  options_move_with_their_hook();
  clients_move_with_their_provider();
  outcomes_outlive_everything();
  an_error_handler_lets_a_failed_callback_pass();
  results_throw_when_their_value_is_asked_for();
}
