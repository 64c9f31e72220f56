/* What a hook throws ends its call, and comes out of it when the library has returned; never as a claim that is not
 * true.
 *
 *   hooks_throw FILE CLOSING, where FILE has more than one part and CLOSING is an endpoint that takes a request and
 *   closes without an answer */

#include "fixture.hpp"

#include <atomic>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

struct own_exception : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** What a function throws of the program's own. */
template <class Function>
std::string thrown_by(const Function& function) {
  try {
    function();
  } catch (const own_exception& exception) {
    return exception.what();
  }
  std::cerr << "nothing was thrown\n";
  std::abort();
}

const oss::client& it() {
  static const oss::client client = ::client();
  return client;
}

std::string large(4 << 20, 'x');

void readers() {
  const auto read = [](std::uint8_t*, std::size_t) -> std::ptrdiff_t { throw own_exception("reader"); };
  assert(thrown_by([&] { it().put_object_from_reader(bucket, "x", read, 5, spec()); }) == "reader");
  assert(thrown_by([&] { it().put_object_from_reader(bucket, "x", read, std::nullopt, spec()); }) == "reader");

  const oss::upload_result result = it().try_put_object_from_reader(bucket, "x", read, 5, spec());
  const auto* const error = std::get_if<oss::error>(&result.outcome());
  assert(error != nullptr && error->code() == oss::code::body_unreadable && error->stored() == oss::stored::no);
  assert(error->thrown() != nullptr);
  assert(thrown_by([&] { std::rethrow_exception(error->thrown()); }) == "reader");

  // Anything may be thrown.
  try {
    it().put_object_from_reader(
        bucket, "x", [](std::uint8_t*, std::size_t) -> std::ptrdiff_t { throw 7; }, 5, spec());
    std::abort();
  } catch (int number) {
    assert(number == 7);
  }

  // The buffer of a stream throws.
  struct throwing : std::stringbuf {
    std::streamsize xsgetn(char*, std::streamsize) override { throw own_exception("buffer"); }
  } buffer;
  std::istream stream(&buffer);
  assert(thrown_by([&] { it().put_object_from_stream(bucket, "x", stream, std::nullopt, spec()); }) == "buffer");
}

void progress(const char* file) {
  std::uint64_t last = 0;
  oss::put_options options;
  // So most of the body is here still when the hook is told of the first of it.
  options.bandwidth(16 << 20).progress([&](std::uint64_t sent, std::optional<std::uint64_t> total) {
    assert(total == large.size() && sent > last);
    last = sent;
    if (sent > 1 << 20) throw own_exception("progress");
  });
  assert(thrown_by([&] { it().put_object(bucket, "x", large, spec(), options); }) == "progress");
  assert(last < large.size());
  // Once everything has left the object may be stored, and the error says so.
  options.progress([&](std::uint64_t sent, std::optional<std::uint64_t>) {
    if (sent == large.size()) throw own_exception("at the end");
  });
  const oss::error late = error_of([&] { it().put_object(bucket, "perhaps", large, oss::no_callback, options); });
  assert(late.code() == oss::code::cancelled && late.stored() == oss::stored::unknown);
  assert(thrown_by([&] { std::rethrow_exception(late.thrown()); }) == "at the end");

  options.progress([](std::uint64_t sent, std::optional<std::uint64_t>) { return sent < 1 << 20; });
  const oss::error ended = error_of([&] { it().put_object(bucket, "x", large, spec(), options); });
  assert(ended.code() == oss::code::cancelled && ended.thrown() == nullptr);

  oss::put_options of_parts;
  const std::thread::id self = std::this_thread::get_id();
  of_parts.part_size(102400).progress([&](std::uint64_t, std::optional<std::uint64_t>) {
    assert(std::this_thread::get_id() == self);
    throw own_exception("parts");
  });
  assert(thrown_by([&] { it().upload_file(bucket, "x", file, spec(), of_parts); }) == "parts");

  // A hook may itself use the library: each call has its own.
  oss::put_options outer;
  int calls = 0;
  outer.progress([&](std::uint64_t, std::optional<std::uint64_t>) {
    if (calls++ > 0) return;
    const auto read = [](std::uint8_t*, std::size_t) -> std::ptrdiff_t { throw own_exception("inner"); };
    assert(thrown_by([&] { it().put_object_from_reader(bucket, "x", read, 5, spec()); }) == "inner");
  });
  it().put_object(bucket, "outer", large, oss::no_callback, outer);

  // Threads share options, and each is thrown its own, while most of the body is here still.
  oss::put_options shared;
  shared.bandwidth(4 << 20).progress([](std::uint64_t sent, std::optional<std::uint64_t> total) {
    if (sent > *total / 2) throw own_exception(std::to_string(*total));
  });
  std::vector<std::thread> threads;
  for (std::size_t size = 1 << 20; size < (1 << 20) + 4; ++size)
    threads.emplace_back([&shared, size] {
      const std::string body(size, 'x');
      const auto upload = [&] { it().put_object(bucket, "x", body, oss::no_callback, shared); };
      assert(thrown_by(upload) == std::to_string(size));
    });
  for (std::thread& thread : threads) thread.join();
}

void downloads() {
  it().put_object(bucket, "downloaded", large, oss::no_callback);
  const auto get = [] {
    it().get_object(bucket, "downloaded", [](oss::bytes) { throw own_exception("write"); });
  };
  assert(thrown_by(get) == "write");
  std::string contents;
  it().get_object(bucket, "downloaded", [&](oss::bytes bytes) { contents += bytes.text(); });
  assert(contents == large);
  const auto stops = [](oss::bytes) { return false; };
  assert(error_of([&] { it().get_object(bucket, "downloaded", stops); }).code() == oss::code::write_failed);

  std::ostringstream stream;
  const oss::object_metadata metadata = it().get_object(bucket, "downloaded", stream);
  assert(stream.str() == large && metadata.content_length() == large.size());
  std::ofstream full("/dev/full");
  assert(error_of([&] { it().get_object(bucket, "downloaded", full); }).code() == oss::code::write_failed);
  it().put_object(bucket, "small", "1"sv, oss::no_callback);
  std::ofstream full_too("/dev/full");
  assert(error_of([&] { it().get_object(bucket, "small", full_too); }).code() == oss::code::write_failed);
}

void credentials(const char* file) {
  std::atomic<int> calls = 0;
  std::atomic<bool> throws = false;
  const auto provide = [&]() -> oss::credentials {
    ++calls;
    if (throws) throw own_exception("provider");
    return {"id", "secret"};
  };
  const oss::client client(client_options().credentials_provider(provide));
  client.put_object(bucket, "provided", "1"sv, oss::no_callback);
  assert(calls == 1);
  const oss::multipart_upload upload = client.initiate_multipart_upload(bucket, "x");
  throws = true;
  assert(thrown_by([&] { client.put_object(bucket, "x", "1"sv, spec()); }) == "provider");
  assert(thrown_by([&] { static_cast<void>(client.head_object(bucket, "provided")); }) == "provider");
  assert(thrown_by([&] { static_cast<void>(client.presign_get_object(bucket, "x", std::chrono::hours(1))); }) ==
         "provider");
  // Also from an upload in parts, which may outlive its client, and from threads of the library's.
  assert(thrown_by([&] { upload.abort(); }) == "provider");
  assert(thrown_by([&] {
           client.upload_file(bucket, "x", file, spec(), oss::put_options().part_size(102400).retry({1, {}, {}}));
         }) == "provider");
  const oss::upload_result result = client.try_put_object(bucket, "x", "1"sv, spec());
  assert(std::get<oss::error>(result.outcome()).code() == oss::code::credentials_failed);
  throws = false;
  upload.abort();

  // Credentials that are still valid count more than a failure to have others.
  bool first = true;
  const auto once = [&]() -> std::optional<oss::credentials> {
    if (!std::exchange(first, false)) throw own_exception("too early");
    return oss::credentials{"id", "secret", std::nullopt,
                            std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
                                std::chrono::seconds(60)};
  };
  const oss::client patient(client_options().credentials_provider(once));
  patient.put_object(bucket, "valid", "1"sv, oss::no_callback);
  patient.put_object(bucket, "still valid", "1"sv, oss::no_callback);

  const oss::client none(client_options().credentials_provider([] { return std::nullopt; }));
  const oss::error given_none = error_of([&] { none.put_object(bucket, "x", "1"sv, spec()); });
  assert(given_none.code() == oss::code::credentials_failed && given_none.thrown() == nullptr);
  assert(error_of([] { oss::client(client_options().credentials_provider(nullptr)); }).code() ==
         oss::code::invalid_argument);

  const auto sign = [](const oss::signing_request& request) -> std::string {
    assert(request.signature_version == 4 && contains(*request.scope, "cn-hangzhou"));
    assert(contains(request.string_to_sign, "OSS4-HMAC-SHA256"));
    throw own_exception("signer");
  };
  const oss::client signing(client_options().signer("id", nullptr, sign));
  assert(thrown_by([&] { signing.put_object(bucket, "x", "1"sv, spec()); }) == "signer");
  const oss::client lengthy(client_options().signer("id", nullptr, [](const oss::signing_request&) {
    return std::string(10000, 'a');
  }));
  assert(error_of([&] { lengthy.put_object(bucket, "x", "1"sv, spec()); }).code() == oss::code::credentials_failed);
}

/* The hook's exception means that nothing is stored. Where an earlier attempt may have stored the object, the error is
 * thrown that says so, and has the exception. */
void says_what_is_not_known(const char* closing) {
  int calls = 0;
  const auto provide = [&]() -> oss::credentials {
    if (++calls > 1) throw own_exception("second attempt");
    return {"id", "secret"};
  };
  const oss::client client(client_options().endpoint(closing).credentials_provider(provide));
  const oss::error error = error_of([&] {
    client.put_object(bucket, "x", "1"sv, oss::no_callback, oss::put_options().retry({2, {}, {}}));
  });
  assert(error.code() == oss::code::credentials_failed && error.stored() == oss::stored::unknown);
  assert(error.attempts() == 2 && error.history().size() == 1);
  assert(error.history()[0].code == oss::code::connection_lost);
  assert(error.history()[0].stored == oss::stored::unknown);
  assert(thrown_by([&] { std::rethrow_exception(error.thrown()); }) == "second attempt");
}

}  // namespace

int main(int argc, char** argv) {
  assert(argc == 3);
  readers();
  progress(argv[1]);
  downloads();
  credentials(argv[1]);
  says_what_is_not_known(argv[2]);
}
