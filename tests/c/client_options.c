/* What a client is told about its connections holds: addresses, where they come from, proxy, connections that are kept,
 * retries, whom to trust. */

#include "fixture.h"

static oss_callback_code put(oss_callback_client_options *options, oss_callback_error **error) {
    oss_callback_client *client = new_client_of(options);
    oss_callback_code code = OSS_CALLBACK_CODE_OK;
    int count;
    for (count = 0; count < 2 && code == OSS_CALLBACK_CODE_OK; count++) {
        code = oss_put_object_with_callback(client, BUCKET, "object", (const uint8_t *)"x", 1, oss_callback_spec_none(), NULL, NULL, error);
    }
    oss_callback_client_free(client);
    return code;
}

/* No client comes of these options, which are freed. */
static void refused(oss_callback_client_options *options, const char *message) {
    oss_callback_client *client = NULL;
    oss_callback_error *error = NULL;
    assert(oss_callback_client_new(options, &client, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(client == NULL);
    assert(contains(oss_callback_error_message(error), message));
    oss_callback_error_free(error);
    oss_callback_client_options_free(options);
}

static void addresses(const char *endpoint, const char *address, const char *refusing) {
    oss_callback_error *error = NULL;
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_endpoint(options, endpoint);
    oss_callback_client_options_set_path_style(options, true);
    /* The second is tried when the first refuses. */
    oss_callback_client_options_add_address(options, "OSS.example.test", refusing);
    oss_callback_client_options_add_address(options, "oss.example.test", address);
    assert(put(options, NULL) == OSS_CALLBACK_CODE_OK);

    options = new_client_options();
    oss_callback_client_options_set_endpoint(options, endpoint);
    oss_callback_client_options_set_path_style(options, true);
    oss_callback_client_options_add_address(options, "oss.example.test", refusing);
    oss_callback_client_options_set_max_attempts(options, 5);
    oss_callback_client_options_set_retry_base_delay_ms(options, 0);
    oss_callback_client_options_set_retry_max_delay_ms(options, 0);
    assert(put(options, &error) == OSS_CALLBACK_CODE_CONNECT);
    assert(oss_callback_error_attempts(error) == 5);
    oss_callback_error_free(error);

    /* Without a port it is that of the URL, and the bucket's host ends in that of the endpoint. */
    options = new_client_options();
    oss_callback_client_options_set_endpoint(options, endpoint);
    oss_callback_client_options_add_address(options, "*.OSS.example.test", "127.0.0.1");
    assert(put(options, NULL) == OSS_CALLBACK_CODE_OK);
    options = new_client_options();
    oss_callback_client_options_add_address(options, "host", "::1");
    oss_callback_client_options_add_address(options, "host", "[::1]");
    oss_callback_client_options_add_address(options, "host", "[::1]:80");
    oss_callback_client_free(new_client_of(options));
    options = new_client_options();
    oss_callback_client_options_add_address(options, "host:80", "127.0.0.1");
    refused(options, "`host` \"host:80\" has addresses, but is not a name");
    options = new_client_options();
    oss_callback_client_options_add_address(options, "host", "localhost:80");
    refused(options, "`address` \"localhost:80\"");
}

/* Where connections come from. */
static void origins(void) {
    oss_callback_error *error = NULL;
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_local_address(options, "127.0.0.2");
    oss_callback_client_options_set_max_attempts(options, 1);
    assert(put(options, NULL) == OSS_CALLBACK_CODE_OK);

    options = new_client_options();
    oss_callback_client_options_set_local_address(options, "192.0.2.1");
    oss_callback_client_options_set_max_attempts(options, 1);
    assert(put(options, &error) == OSS_CALLBACK_CODE_CONNECT);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(contains(oss_callback_error_message(error), "`local_address` 192.0.2.1 is not an address of this machine"));
    oss_callback_error_free(error);

    options = new_client_options();
    oss_callback_client_options_set_network_interface(options, "no-such-device");
    oss_callback_client_options_set_max_attempts(options, 1);
    assert(put(options, &error) == OSS_CALLBACK_CODE_CONNECT);
    assert(contains(oss_callback_error_message(error), "`network_interface` no-such-device "));
    oss_callback_error_free(error);

    options = new_client_options();
    oss_callback_client_options_set_local_address(options, "localhost");
    refused(options, "`local_address` \"localhost\" is not an IP address");
    options = new_client_options();
    oss_callback_client_options_set_network_interface(options, "0123456789abcdef");
    refused(options, "`network_interface` \"0123456789abcdef\" is not the name of an interface");
}

static void proxies(const char *refusing) {
    char url[64];
    oss_callback_error *error = NULL;
    oss_callback_client_options *options = new_client_options();
    snprintf(url, sizeof url, "http://user:geheim@%s", refusing);
    oss_callback_client_options_set_proxy(options, url);
    oss_callback_client_options_set_max_attempts(options, 1);
    assert(put(options, &error) == OSS_CALLBACK_CODE_CONNECT);
    assert(contains(oss_callback_error_message(error), refusing));
    assert(!contains(oss_callback_error_message(error), "geheim"));
    oss_callback_error_free(error);

    options = new_client_options();
    oss_callback_client_options_set_proxy(options, "ftp://user:geheim@proxy");
    refused(options, "`proxy`");
}

static void limits(void) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_progress_timeout_ms(options, 0);
    refused(options, "`progress_timeout` is zero");

    options = new_client_options();
    oss_callback_client_options_set_progress_timeout_ms(options, UINT64_MAX);
    oss_callback_client_options_set_max_idle_connections(options, SIZE_MAX);
    oss_callback_client_options_set_max_idle_time_ms(options, UINT64_MAX);
    oss_callback_client_options_set_max_attempts(options, UINT32_MAX);
    oss_callback_client_options_set_retry_base_delay_ms(options, UINT64_MAX);
    oss_callback_client_options_set_retry_max_delay_ms(options, UINT64_MAX);
    assert(put(options, NULL) == OSS_CALLBACK_CODE_OK);
    options = new_client_options();
    oss_callback_client_options_set_max_idle_connections(options, 0);
    oss_callback_client_options_set_max_idle_time_ms(options, 0);
    oss_callback_client_options_set_max_attempts(options, 0);
    oss_callback_client_options_set_retry_base_delay_ms(options, 0);
    oss_callback_client_options_set_retry_max_delay_ms(options, 0);
    assert(put(options, NULL) == OSS_CALLBACK_CODE_OK);
}

static oss_callback_client_options *https(void) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_endpoint(options, "https://127.0.0.1");
    return options;
}

static void trust(void) {
    static const char PEM[] = "-----BEGIN CERTIFICATE-----\nnot Base64\n-----END CERTIFICATE-----\n";
    oss_callback_client_options *options = https();
    oss_callback_client_options_set_root_certificates(options, 4);
    refused(options, "`root_certificates` 4 is not one of oss_callback_root_certificates");
    options = https();
    oss_callback_client_options_set_root_certificates(options, OSS_CALLBACK_ROOT_CERTIFICATES_NONE);
    refused(options, "`ca_bundle`");
    options = https();
    oss_callback_client_options_set_ca_bundle(options, (const uint8_t *)PEM, sizeof PEM - 1);
    refused(options, "`ca_bundle`");
    options = https();
    oss_callback_client_options_set_ca_bundle(options, (const uint8_t *)"", 0);
    refused(options, "`ca_bundle`");
    options = https();
    oss_callback_client_options_set_root_certificates(options, OSS_CALLBACK_ROOT_CERTIFICATES_BUNDLED);
    oss_callback_client_free(new_client_of(options));
}

/* A library without TLS refuses these instead of trusting nobody silently. */
static void trust_without_tls(void) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_root_certificates(options, OSS_CALLBACK_ROOT_CERTIFICATES_SYSTEM);
    refused(options, "built without TLS");
    options = new_client_options();
    oss_callback_client_options_set_ca_bundle(options, (const uint8_t *)"x", 1);
    refused(options, "built without TLS");
    options = new_client_options();
    oss_callback_client_options_set_ca_bundle_file(options, "/");
    refused(options, "`path`: this library was built without TLS");
    options = new_client_options();
    oss_callback_client_options_set_client_certificate(options, (const uint8_t *)"x", 1, (const uint8_t *)"x", 1);
    refused(options, "`client_certificate`: this library was built without TLS");
    options = new_client_options();
    oss_callback_client_options_set_client_certificate_files(options, "/", "/");
    refused(options, "`client_certificate`: this library was built without TLS");
}

/* argv: "tls" or "no tls", http://oss.example.test with the server's port, the server's address, and one that refuses
 * connections. */
int main(int argc, char **argv) {
    assert(argc == 5);
    limits();
    if (is(argv[1], "tls")) {
        trust();
    } else {
        trust_without_tls();
    }
    addresses(argv[2], argv[3], argv[4]);
    origins();
    proxies(argv[4]);
    return 0;
}
