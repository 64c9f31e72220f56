/* Specs are checked, previewed and explained: specs URL */

#include "fixture.hpp"

int main(int argc, char** argv) {
  assert(argc == 2);
  const oss::spec spec = ::spec();
  const oss::spec same = oss::spec::from_base64(spec.callback());
  assert(same.callback() == spec.callback() && !same.callback_var() && !spec.warnings().empty());
  same.check();

  oss::body_template body(oss::body_type::form);
  body.variable("object", "object").variable("height", "imageInfo.height").variable("own", "x:own").fixed("a&b", "c d");
  const oss::spec made(oss::spec_options()
                           .url(argv[1])
                           .host("app.example.com")
                           .body(body)
                           .variable("own", "1")
                           .sni(true)
                           .member("callbackPolicy", "1"));
  oss::object_facts facts(bucket, "a b.jpg");
  facts.set("size", "5").image(2, 3, "jpg");
  const std::vector<oss::previewed_request> requests = made.preview(facts);
  assert(requests.size() == 1 && requests[0].url == argv[1] && requests[0].target == "/callback");
  assert(requests[0].body == "object=a%20b.jpg&height=2&own=1&a%26b=c%20d");
  assert(contains(requests[0].http, "POST /callback HTTP/1.1") && contains(requests[0].http, "app.example.com"));

  const oss::explanation explained = oss::explain(made.callback(), std::string(*made.callback_var()));
  assert(explained.problems == 0 && contains(explained.text, "/callback"));
  assert(oss::explain("e30=").problems > 0);

  const oss::spec json(oss::spec_options().url(argv[1]).body("{\"o\":${object}}", oss::body_type::json));
  assert(json.preview(facts)[0].body == "{\"o\":\"a b.jpg\"}");
  const oss::spec raw = oss::spec::from_json("{}");
  assert(error_of([&] { raw.check(); }).code() == oss::code::invalid_callback);
  const oss::error no_body = error_of([&] { oss::spec(oss::spec_options().url(argv[1])); });
  assert(no_body.code() == oss::code::invalid_callback && no_body.stored() == oss::stored::no);
  const oss::error upper = error_of([&] { oss::spec(spec_options().variable("Own", "1")); });
  assert(upper.code() == oss::code::invalid_callback);
  assert(oss::library_version() == OSS_CALLBACK_VERSION);
  assert(oss::library_version_number() == OSS_CALLBACK_VERSION_NUMBER);
}
