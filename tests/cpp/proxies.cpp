/* The environment names a proxy when it is asked: proxies ENDPOINT PROXY, where only the proxy knows the endpoint's host. */

#include "fixture.hpp"

#include <cstdlib>

int main(int argc, char** argv) {
  assert(argc == 3);
  unsetenv("http_proxy"), unsetenv("no_proxy"), unsetenv("NO_PROXY"), unsetenv("REQUEST_METHOD");
  setenv("HTTP_PROXY", argv[2], 1);
  const oss::client asking(client_options().endpoint(argv[1]).path_style(true).proxy_from_env(true));
  asking.put_object(bucket, "by environment", "1"sv, oss::no_callback);
  setenv("HTTP_PROXY", "socks5://me:geheim@proxy", 1);
  const oss::client named(client_options().endpoint(argv[1]).path_style(true).proxy_from_env(true).proxy(argv[2]));
  named.put_object(bucket, "by option", "1"sv, oss::no_callback);
  try {
    const oss::client refused(client_options().proxy_from_env(true));
    assert(false);
  } catch (const oss::error& error) {
    assert(error.code() == oss::code::invalid_argument);
    assert(std::string(error.what()).find("`HTTP_PROXY`") != std::string::npos);
  }
}
