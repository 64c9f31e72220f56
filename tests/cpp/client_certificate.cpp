/* A client that says who it is: client_certificate CA_FILE FILE, of which the second holds a certificate and its key */

#include "fixture.hpp"

static std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int main(int argc, char** argv) {
  assert(argc == 3);
  const std::string ca = argv[1];
  const std::string own = argv[2];
  {
    auto options = client_options();
    options.root_certificates(oss::root_certificates::none).ca_bundle_file(ca).client_certificate_files(own, own);
    oss::client(options).put_object(bucket, "files", "1"sv, oss::no_callback);
  }
  {
    auto options = client_options();
    options.root_certificates(oss::root_certificates::none)
        .ca_bundle(contents(ca))
        .client_certificate(contents(own), contents(own));
    oss::client(options).put_object(bucket, "bytes", "1"sv, oss::no_callback);
  }
  auto options = client_options();
  options.root_certificates(oss::root_certificates::none).ca_bundle_file(ca);
  try {
    oss::client(options).put_object(bucket, "never", "1"sv, oss::no_callback);
    assert(false);
  } catch (const oss::error& refused) {
    assert(refused.code() == oss::code::tls && refused.stored() == oss::stored::no && refused.attempts() == 1);
  }
  options.client_certificate_files(own, ca);
  assert(contains(oss::client::try_of(options).error()->message(), "`client_key` holds no private key"));
  return 0;
}
