/* A proxy is named by an option, or by the environment if that is asked for: proxies ENDPOINT ADDRESS PROXY, where the
 * endpoint is plain http, the address is the server's, and the proxy wants the login me:p@ss. */

/* setenv */
#define _POSIX_C_SOURCE 200809L

#include "fixture.h"

/* What becomes of an upload of this object; options are freed. */
static oss_callback_code put(oss_callback_client_options *options, const char *object, oss_callback_error **error) {
    oss_callback_client *client = NULL;
    oss_callback_code code = oss_callback_client_new(options, &client, error);
    if (code == OSS_CALLBACK_CODE_OK) {
        code = oss_put_object_with_callback(client, BUCKET, object, (const uint8_t *)"x", 1, oss_callback_spec_none(), NULL,
                                            NULL, error);
    }
    oss_callback_client_free(client);
    oss_callback_client_options_free(options);
    return code;
}

static oss_callback_client_options *options_for(const char *endpoint, const char *address) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_endpoint(options, endpoint);
    oss_callback_client_options_set_path_style(options, true);
    oss_callback_client_options_add_address(options, "oss.example.test", address);
    return options;
}

int main(int argc, char **argv) {
    char right[128], wrong[128];
    oss_callback_error *error = NULL;
    oss_callback_client_options *options = NULL;
    assert(argc == 4);
    unsetenv("http_proxy"), unsetenv("no_proxy"), unsetenv("NO_PROXY"), unsetenv("REQUEST_METHOD");
    snprintf(right, sizeof right, "http://me:p%%40ss@%s", argv[3]);
    snprintf(wrong, sizeof wrong, "http://me:geheim@%s", argv[3]);

    options = options_for(argv[1], argv[2]);
    oss_callback_client_options_set_proxy(options, right);
    assert(put(options, "by option", NULL) == OSS_CALLBACK_CODE_OK);

    options = options_for(argv[1], argv[2]);
    oss_callback_client_options_set_proxy(options, wrong);
    assert(put(options, "never", &error) == OSS_CALLBACK_CODE_CONNECT);
    assert(oss_callback_error_status(error) == 407 && oss_callback_error_attempts(error) == 1);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(contains(oss_callback_error_message(error), "check the user and the password"));
    assert(!contains(oss_callback_error_message(error), "geheim"));
    oss_callback_error_free(error);
    error = NULL;

    /* Never by itself. */
    setenv("HTTP_PROXY", right, 1);
    assert(put(options_for(argv[1], argv[2]), "direct", NULL) == OSS_CALLBACK_CODE_OK);
    options = options_for(argv[1], argv[2]);
    oss_callback_client_options_set_proxy_from_env(options, true);
    assert(put(options, "by environment", NULL) == OSS_CALLBACK_CODE_OK);
    options = options_for(argv[1], argv[2]);
    oss_callback_client_options_set_proxy_from_env(options, true);
    oss_callback_client_options_set_proxy_from_env(options, false);
    assert(put(options, "direct again", NULL) == OSS_CALLBACK_CODE_OK);

    /* What the caller names comes first; NULL takes that away, not the environment. */
    setenv("HTTP_PROXY", "socks5://me:geheim@proxy:1080", 1);
    options = options_for(argv[1], argv[2]);
    oss_callback_client_options_set_proxy_from_env(options, true);
    oss_callback_client_options_set_proxy(options, right);
    assert(put(options, "by option again", NULL) == OSS_CALLBACK_CODE_OK);
    options = options_for(argv[1], argv[2]);
    oss_callback_client_options_set_proxy_from_env(options, true);
    oss_callback_client_options_set_proxy(options, right);
    oss_callback_client_options_set_proxy(options, NULL);
    assert(put(options, "never", &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), "`HTTP_PROXY` is a SOCKS proxy"));
    assert(!contains(oss_callback_error_message(error), "geheim"));
    oss_callback_error_free(error);

    setenv("HTTP_PROXY", right, 1);
    setenv("NO_PROXY", "localhost,.example.test", 1);
    options = options_for(argv[1], argv[2]);
    oss_callback_client_options_set_proxy_from_env(options, true);
    assert(put(options, "excepted", NULL) == OSS_CALLBACK_CODE_OK);
    return 0;
}
