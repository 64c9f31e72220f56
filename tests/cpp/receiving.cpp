/* The application server's side: seals a callback, and receives one.
 *
 *   receiving seal URL
 *   receiving receive PREFIX KEY-URL KEY METHOD TARGET BODY [NAME VALUE]...
 *
 * Prints what the library says, a name and a value a line. */

#include "fixture.hpp"

#include <map>
#include <vector>

namespace {

oss::sealer sealer() { return {"2026-01", "a secret of thirty-two bytes ..."sv}; }

void seal(const char* url) {
  oss::body_template body(oss::body_type::json);
  body.variable("bucket", "bucket").variable("object", "object").variable("size", "size").variable("etag", "etag");
  body.variable("user", "x:user").variable("seal", "x:seal").variable("crc64", "crc64").fixed("from", "\"C++\"");
  oss::spec_options options;
  options.url(url).variable("user", "4711").body(body);
  oss::permission permission = oss::permission::prefix(bucket, "photos/");
  const auto seal = [&] { static_cast<void>(sealer().seal(options, permission)); };
  assert(contains(error_of(seal).what(), "`permission` has no size"));
  permission.max_size(10).valid_for(std::chrono::minutes(10));
  const oss::spec spec = sealer().seal(options, permission);
  assert(spec.callback_var());
  std::cout << "callback " << spec.callback() << "\ncallback_var " << *spec.callback_var() << '\n';
  assert(oss::permission::try_object(nullptr, "x").error()->code() == oss::code::invalid_argument);
  const oss::permission exact = std::move(
      oss::permission::object(bucket, "photos/1.jpg").exact_size(5).expires_at(std::chrono::system_clock::now()));
  assert(sealer().try_seal(options, exact).error()->code() == oss::code::invalid_argument);
}

std::string_view word(oss::seen seen) {
  switch (seen) {
    case oss::seen::first: return "first";
    case oss::seen::repeated: return "repeated";
    case oss::seen::replayed: return "replayed";
  }
  std::abort();
}

void show(const oss::reply& reply) {
  assert(reply.content_type == "application/json" && reply.http.rfind("HTTP/1.1 ", 0) == 0);
  assert(reply.http.substr(reply.http.size() - reply.body.size()) == reply.body);
  std::cout << "status " << reply.status << '\n';
}

void receive(int argc, char** argv) {
  oss::verifier_options options;
  options.trust_key_url_for_tests(argv[3], argv[4]);
  if (*argv[2] != '\0') options.prepend_prefix(argv[2]);
  const oss::verifier verifier(options);
  std::vector<std::pair<std::string, std::string>> headers;
  for (int index = 8; index < argc; index += 2) headers.emplace_back(argv[index], argv[index + 1]);

  oss::verified verified = verifier.verify(argv[5], argv[6], headers, std::string_view(argv[7]));
  const std::map<std::string_view, std::string_view> same(headers.begin(), headers.end());
  verified = verifier.verify(argv[5], argv[6], same, std::string_view(argv[7]));
  verified.check_body();
  assert(verified.body() == argv[7] && verified.key_url() == argv[3]);
  assert(!verified.image_width() && !verified.operation());
  assert(verified.variable("user") == "4711" && verified.variable("x:user") == "4711");
  assert(verified.member("from") == "\"C++\"" && !verified.member("no such"));
  std::cout << "signed_target " << verified.signed_target() << "\nobject " << *verified.object() << "\nsize "
            << *verified.size() << "\ncrc64 " << *verified.crc64() << '\n';

  const oss::sealed sealed = sealer().check(verified);
  assert(sealed.bucket() == verified.bucket() && sealed.object() == verified.object());
  assert(sealed.size() == verified.size());
  assert(sealed.variable("user") == "4711" && !sealed.variable("from") && sealed.key_id() == "2026-01");
  assert(sealed.expires() > std::chrono::system_clock::now() && sealed.nonce() != decltype(sealed.nonce()){});
  assert(sealed.body_digest() != decltype(sealed.body_digest()){});
  oss::sealer newer("2026-02", "another secret of 32 bytes ....."sv);
  assert(newer.try_check(verified).error()->code() == oss::code::unknown_seal_key);
  newer.accept("2026-01", "a secret of thirty-two bytes ..."sv);
  assert(newer.check(verified).nonce() == sealed.nonce());

  const oss::replay_guard guard(1);
  std::cout << "first " << word(guard.check(sealed)) << "\nsecond " << word(guard.check(sealed)) << '\n';
  guard.forget(sealed);
  std::cout << "third " << word(guard.check(sealed)) << '\n';

  std::cout << "confirmed_etag " << *verified.confirm(client()).etag() << '\n';
  assert(contains(error_of([] { oss::reply::ok("OK"); }).what(), "`json` is not JSON"));
  assert(contains(error_of([] { oss::reply::ok("{}\0"s); }).what(), "`json` is not UTF-8"));
  show(oss::reply::ok("{\"Status\":\"OK\"}"));
  std::cout << "code OK\n";
}

void strangers() {
  const oss::verifier verifier;
  const auto refuses = [&](const oss::text& method, std::string_view value, oss::code code, unsigned status) {
    const auto result = verifier.try_verify(method, "/", {{"Authorization", value}}, ""sv);
    assert(result.error()->code() == code && oss::reply::refused(*result.error()).status == status);
  };
  refuses("GET", "x", oss::code::wrong_method, 405);
  refuses("POST\0"s, "x", oss::code::wrong_method, 405);
  refuses("POST", "x", oss::code::missing_pub_key_url, 403);
  refuses("POST", "x\0y"sv, oss::code::missing_pub_key_url, 403);
  assert(verifier.try_verify("POST", "/", {}, ""sv).error()->code() == oss::code::missing_authorization);
  assert(oss::reply::refused().status == 503);
}

}  // namespace

int main(int argc, char** argv) {
  assert(argc > 2);
  strangers();
  if (argv[1] == "seal"sv) {
    seal(argv[2]);
    return 0;
  }
  try {
    receive(argc, argv);
  } catch (const oss::error& error) {
    std::cout << "code " << oss::name(error.code()) << "\nmessage " << error.what() << "\ndiagnosis "
              << error.diagnosis().value_or("") << '\n';
    show(oss::reply::refused(error));
  }
}
