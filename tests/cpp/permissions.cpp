/* Permissions for others: signed by one client, used by another that has no key. permissions agrees|fails FILE */

#include "fixture.hpp"

#include <algorithm>

namespace {

bool agrees;

/** What came of an upload is what the application server answers to all of them. */
template <class Upload>
void is_told(const Upload& upload) {
  try {
    const oss::receipt receipt = upload();
    assert(agrees && receipt.answer() == "{\"Status\":\"OK\"}");
  } catch (const oss::callback_failed& failed) {
    assert(!agrees && failed.receipt().status() == 203 && failed.answered() == oss::answered::no);
  }
}

}  // namespace

int main(int argc, char** argv) {
  assert(argc == 3);
  agrees = argv[1] == "agrees"sv;
  const oss::client signing = client();
  const oss::client uploader(client_options().credentials_anonymous());
  const oss::put_options image = std::move(oss::put_options().content_type("image/png"));
  const auto soon = std::chrono::system_clock::now() + std::chrono::minutes(9);

  for (const oss::callback_in in : {oss::callback_in::url, oss::callback_in::headers}) {
    const oss::presigned_url url =
        signing.presign_put_object(bucket, "mine.png", spec(), std::chrono::minutes(10), image, in);
    assert(url.method() == "PUT" && *url.expires() > soon);
    assert(contains(url.url(), "callback=") == (in == oss::callback_in::url));
    assert(url.headers().size() == (in == oss::callback_in::url ? 1u : 2u));
    const oss::presigned_url same = oss::presigned_url::from_json(url.json());
    is_told([&] { return uploader.put_object_with_url(same, "12345"sv); });
    is_told([&] { return uploader.put_object_from_file_with_url(same, argv[2]); });
    std::string other(url.json());
    other.replace(other.find("/mine.png?"), 10, "/your.png?");
    const auto use = [&] { uploader.put_object_with_url(oss::presigned_url::from_json(other), "12345"sv); };
    assert(error_of(use).code() == oss::code::access_denied);
  }
  assert(signing.presign_get_object(bucket, "mine.png", std::chrono::hours(1)).method() == "GET");
  assert(signing.presign_head_object(bucket, "mine.png", std::chrono::hours(1)).method() == "HEAD");
  const auto too_long = [&] { static_cast<void>(signing.presign_get_object(bucket, "x", std::chrono::hours(200))); };
  assert(error_of(too_long).code() == oss::code::invalid_argument);

  const oss::multipart_upload upload = signing.initiate_multipart_upload(bucket, "in parts");
  assert(contains(upload.presign_part(3, std::chrono::minutes(1)).url(), "partNumber=3"));
  const auto presign = [&](oss::complete_of of) {
    return upload.presign_complete(of, oss::no_callback, std::chrono::minutes(1)).headers();
  };
  assert(presign(oss::complete_of::all_parts) != presign(oss::complete_of::listed_parts));
  upload.abort();

  oss::post_policy policy;
  policy.key_prefix("from-cpp/").expires_in(std::chrono::minutes(10)).content_length_range(1, 10);
  policy.content_type("image/jpeg").content_type("image/png").field("x-oss-meta-author", "Ming").callback(spec());
  const oss::post_form signed_form = signing.sign_post_form(bucket, policy);
  const oss::post_form form = oss::post_form::from_json(signed_form.json());
  const auto fields = form.fields();
  assert(*form.expires() > soon && contains(form.url(), "http://") && fields == signed_form.fields());
  assert(std::count(fields.begin(), fields.end(), std::pair("x-oss-meta-author"s, "Ming"s)) == 1);
  is_told([&] { return uploader.post_object(form, "12345"sv, "a.png", "image/png"); });
  is_told([&] { return uploader.post_object_from_file(form, argv[2], nullptr, "image/jpeg"); });
  const auto too_large = [&] { uploader.post_object(form, "12345678901"sv, "a.png", "image/png"); };
  assert(error_of(too_large).stored() == oss::stored::no);
}
