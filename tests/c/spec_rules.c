/* A spec that OSS would refuse is not made: the error names the member and the code that OSS would have answered. And
 * what the setters put together is what goes out. */

#include "fixture.h"

static const char URL[] = "http://app.example.com/";

static oss_callback_spec_options *empty(void) {
    oss_callback_spec_options *options = NULL;
    assert(oss_callback_spec_options_new(&options) == OSS_CALLBACK_CODE_OK);
    return options;
}

/* No spec comes of these options, which are freed. `ec` NULL: OSS has no word for it. */
static void refused(oss_callback_spec_options *options, const char *message, const char *ec) {
    oss_callback_spec *spec = NULL;
    oss_callback_error *error = NULL;
    assert(oss_callback_spec_new(options, &spec, &error) == OSS_CALLBACK_CODE_INVALID_CALLBACK);
    assert(spec == NULL);
    assert(contains(oss_callback_error_message(error), message));
    if (ec != NULL) {
        assert(is(oss_callback_error_ec(error), ec));
        assert(contains(oss_callback_error_message(error), ec));
    } else {
        assert(oss_callback_error_ec(error) == NULL);
    }
    assert(oss_callback_error_status(error) == 0);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(error);
    oss_callback_spec_options_free(options);
}

static void rules(void) {
    char *long_body = malloc(6000);
    int count;
    oss_callback_spec_options *options = empty();
    oss_callback_spec_options_set_body(options, "a=${object}");
    refused(options, "`callbackUrl`", "0007-00000004");

    options = new_spec_options("ftp://app.example.com/");
    refused(options, "`callbackUrl`", "0007-00000004");
    options = new_spec_options("http://[::1]/");
    refused(options, "`callbackUrl`", "0007-00000004");

    options = new_spec_options(URL);
    for (count = 1; count < 6; count++) {
        oss_callback_spec_options_add_url(options, URL);
    }
    refused(options, "6 URLs", "0007-00000005");

    options = new_spec_options(URL);
    oss_callback_spec_options_set_host(options, "app.example.com:80");
    refused(options, "`callbackHost`", "0007-00000009");

    options = empty();
    oss_callback_spec_options_add_url(options, URL);
    refused(options, "`callbackBody`", "0007-00000011");
    options = new_spec_options(URL);
    oss_callback_spec_options_set_body(options, "");
    refused(options, "`callbackBody`", "0007-00000011");
    options = new_spec_options(URL);
    oss_callback_spec_options_set_body(options, "costs 5$");
    refused(options, "`callbackBody`", "0007-00000105");

    assert(long_body != NULL);
    memset(long_body, 'a', 5999);
    long_body[5999] = '\0';
    options = new_spec_options(URL);
    oss_callback_spec_options_set_body(options, long_body);
    refused(options, "`callback`", "0007-00000001");
    options = new_spec_options(URL);
    oss_callback_spec_options_add_variable(options, "name", long_body);
    refused(options, "`callback-var`", "0007-00000101");
    free(long_body);

    options = new_spec_options(URL);
    oss_callback_spec_options_add_variable(options, "userId", "1");
    refused(options, "upper-case", "0007-00000104");
    options = new_spec_options(URL);
    oss_callback_spec_options_add_variable(options, "id", "1");
    oss_callback_spec_options_add_variable(options, "x:id", "2");
    refused(options, "given twice", NULL);
    options = new_spec_options(URL);
    oss_callback_spec_options_add_member(options, "callbackSNI", "true");
    refused(options, "a setter of its own", NULL);
    options = new_spec_options(URL);
    oss_callback_spec_options_add_member(options, "callbackPolicy", "not JSON");
    refused(options, "is not JSON", NULL);
}

/* The same spec from setters as from the JSON that they stand for. */
static void same(oss_callback_spec_options *options, const char *callback, const char *callback_var) {
    oss_callback_spec *built = NULL;
    oss_callback_spec *expected = NULL;
    assert(oss_callback_spec_new(options, &built, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_spec_new_from_json(callback, callback_var, &expected, NULL) == OSS_CALLBACK_CODE_OK);
    assert(is(oss_callback_spec_callback(built), oss_callback_spec_callback(expected)));
    if (callback_var != NULL) {
        assert(is(oss_callback_spec_callback_var(built), oss_callback_spec_callback_var(expected)));
    } else {
        assert(oss_callback_spec_callback_var(built) == NULL);
    }
    assert(oss_callback_spec_check(built, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_spec_free(expected);
    oss_callback_spec_free(built);
}

static void setters(void) {
    oss_callback_spec_options *options = empty();
    oss_callback_spec_options_add_url(options, "http://app.example.com/a");
    oss_callback_spec_options_set_body(options, "a=${object}");
    same(options, "{\"callbackBody\":\"a=${object}\",\"callbackUrl\":\"http://app.example.com/a\"}", NULL);

    /* Options may be used again, and grow. */
    oss_callback_spec_options_add_url(options, "https://app.example.com/b");
    oss_callback_spec_options_set_host(options, "app.example.com");
    oss_callback_spec_options_set_body(options, "{\"a\":${object},\"u\":${x:user}}");
    oss_callback_spec_options_set_body_type(options, OSS_CALLBACK_BODY_TYPE_JSON);
    oss_callback_spec_options_set_sni(options, true);
    oss_callback_spec_options_add_variable(options, "user", "R\"D");
    oss_callback_spec_options_add_variable(options, "x:no", "\xe6\x96\x87");
    oss_callback_spec_options_add_member(options, "callbackPolicy", "{\"retry\":1}");
    same(options,
         "{\"callbackBody\":\"{\\\"a\\\":${object},\\\"u\\\":${x:user}}\","
         "\"callbackBodyType\":\"application/json\",\"callbackHost\":\"app.example.com\","
         "\"callbackPolicy\":{\"retry\":1},\"callbackSNI\":true,"
         "\"callbackUrl\":\"http://app.example.com/a;https://app.example.com/b\"}",
         "{\"x:no\":\"\xe6\x96\x87\",\"x:user\":\"R\\\"D\"}");
    oss_callback_spec_options_free(options);
}

static oss_callback_body_template *new_template(uint32_t body_type) {
    oss_callback_body_template *body_template = NULL;
    assert(oss_callback_body_template_new(body_type, &body_template) == OSS_CALLBACK_CODE_OK);
    oss_callback_body_template_add_variable(body_template, "file name", "object");
    oss_callback_body_template_add_text(body_template, "price", "5$ & \"more\"");
    return body_template;
}

static void templates(void) {
    oss_callback_spec_options *options = empty();
    oss_callback_body_template *form = new_template(OSS_CALLBACK_BODY_TYPE_FORM);
    oss_callback_body_template *json = new_template(OSS_CALLBACK_BODY_TYPE_JSON);
    oss_callback_spec_options_add_url(options, URL);

    oss_callback_spec_options_set_body_template(options, form);
    /* Copied: what is added later is not in it. */
    oss_callback_body_template_add_text(form, "later", "1");
    same(options,
         "{\"callbackBody\":\"file%20name=${object}&price=5%24%20%26%20%22more%22\","
         "\"callbackBodyType\":\"application/x-www-form-urlencoded\","
         "\"callbackUrl\":\"http://app.example.com/\"}",
         NULL);

    oss_callback_spec_options_set_body_template(options, json);
    same(options,
         "{\"callbackBody\":\"{\\\"file name\\\":${object},"
         "\\\"price\\\":\\\"5\\\\u0024 & \\\\\\\"more\\\\\\\"\\\"}\","
         "\"callbackBodyType\":\"application/json\",\"callbackUrl\":\"http://app.example.com/\"}",
         NULL);

    /* The type is the template's. */
    oss_callback_spec_options_set_body_type(options, OSS_CALLBACK_BODY_TYPE_FORM);
    refused(options, "`body_type`", NULL);

    options = empty();
    oss_callback_spec_options_add_url(options, URL);
    oss_callback_body_template_add_variable(form, "name", "not}a{name");
    oss_callback_spec_options_set_body_template(options, form);
    refused(options, "no placeholder can name", NULL);

    oss_callback_body_template_free(form);
    oss_callback_body_template_free(json);
}

int main(void) {
    rules();
    setters();
    templates();
    return 0;
}
