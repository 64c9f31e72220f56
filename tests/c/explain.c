/* Warnings, previews and explanations: what a callback will do, without sending anything. */

#include "fixture.h"

int main(void) {
    oss_callback_spec_options *options = new_spec_options("http://127.0.0.1:8080/cb?id=1");
    oss_callback_object_facts *facts = NULL;
    oss_callback_preview *preview = NULL;
    oss_callback_explanation *explanation = NULL;
    oss_callback_error *error = NULL;
    oss_callback_spec *spec = NULL;

    oss_callback_spec_options_add_url(options, "https://app.example.com/");
    oss_callback_spec_options_set_body(options, "o=${object}&s=${size}&w=${imageInfo.width}&u=${x:user}&n=${nothing}");
    oss_callback_spec_options_add_variable(options, "user", "a b");
    spec = new_spec_of(options);
    assert(oss_callback_spec_warnings_len(spec) == 2);
    assert(contains(oss_callback_spec_warning(spec, 0), "private address"));
    assert(contains(oss_callback_spec_warning(spec, 1), "${nothing}"));
    assert(oss_callback_spec_warning(spec, 2) == NULL);

    assert(oss_callback_object_facts_new(BUCKET, "a/b", &facts, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_object_facts_set(facts, "size", "5");
    oss_callback_object_facts_set_image(facts, 3, 4, "jpg");
    assert(oss_callback_spec_preview(spec, facts, &preview, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_preview_len(preview) == 2);
    assert(is(oss_callback_preview_url(preview, 0), "http://127.0.0.1:8080/cb?id=1"));
    assert(is(oss_callback_preview_target(preview, 0), "/cb?id=1"));
    assert(is(oss_callback_preview_target(preview, 1), "/"));
    assert(is(oss_callback_preview_body(preview, 0), "o=a%2Fb&s=5&w=4&u=a%20b&n="));
    assert(contains(oss_callback_preview_http(preview, 1), "POST / HTTP/1.1\nHost: app.example.com\n"));
    assert(oss_callback_preview_url(preview, 2) == NULL && oss_callback_preview_target(preview, 2) == NULL);
    assert(oss_callback_preview_body(preview, 2) == NULL && oss_callback_preview_http(preview, 2) == NULL);
    oss_callback_preview_free(preview);

    oss_callback_object_facts_set(facts, "size", "many");
    assert(oss_callback_spec_preview(spec, facts, &preview, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), "size is not a number"));
    oss_callback_error_free(error);
    oss_callback_object_facts_free(facts);

    assert(oss_callback_explanation_new(oss_callback_spec_callback(spec), oss_callback_spec_callback_var(spec),
                                        &explanation, NULL) == OSS_CALLBACK_CODE_OK);
    assert(contains(oss_callback_explanation_text(explanation), "POST to http://127.0.0.1:8080/cb?id=1"));
    assert(contains(oss_callback_explanation_text(explanation), "${x:user} becomes the variable \"a b\""));
    assert(contains(oss_callback_explanation_text(explanation), "Warning: "));
    assert(oss_callback_explanation_problems_len(explanation) == 0);
    oss_callback_explanation_free(explanation);
    oss_callback_spec_free(spec);

    assert(oss_callback_explanation_new("e30=", NULL, &explanation, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_explanation_problems_len(explanation) == 1);
    assert(contains(oss_callback_explanation_text(explanation), "Wrong: `callbackUrl` is missing"));
    oss_callback_explanation_free(explanation);

    assert(oss_callback_spec_new_from_json("{}", NULL, &spec, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_spec_warnings_len(spec) == 0);
    oss_callback_spec_free(spec);
    return 0;
}
