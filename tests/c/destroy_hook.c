/* A destroy hook is called once, when nothing uses its userdata any more: neither options, nor a client, nor an upload. */

#include "fixture.h"

static int give(oss_callback_credentials *credentials, void *userdata) {
    (void)userdata;
    oss_callback_credentials_set_key_pair(credentials, variable("OSS_ACCESS_KEY_ID"), variable("OSS_ACCESS_KEY_SECRET"),
                                          NULL);
    return 0;
}

static int64_t never_signs(const char *string_to_sign, uint32_t version, const char *scope, char *signature,
                           size_t signature_len, void *userdata) {
    (void)string_to_sign, (void)version, (void)scope, (void)signature, (void)signature_len, (void)userdata;
    abort();
}

static void count(void *userdata) {
    int *destroyed = userdata;
    (*destroyed)++;
}

/* Sets one of the two hooks. */
static void set(oss_callback_client_options *options, bool signs, int *destroyed) {
    if (signs) {
        oss_callback_client_options_set_signer_hook(options, "id", NULL, never_signs, destroyed, count);
    } else {
        oss_callback_client_options_set_credentials_hook(options, give, destroyed, count);
    }
}

static void is_called_with_the_options(bool signs) {
    int first = 0, second = 0;
    oss_callback_client_options *options = new_client_options();
    set(options, signs, &first);
    oss_callback_client_options_set_cname(options, false);
    assert(first == 0);
    /* Replaced, by its kind or by others. */
    set(options, signs, &second);
    assert(first == 1 && second == 0);
    oss_callback_client_options_set_credentials_from_env(options);
    assert(second == 1);
    oss_callback_client_options_free(options);
    assert(first == 1 && second == 1);

    options = new_client_options();
    set(options, signs, &first);
    oss_callback_client_options_free(options);
    assert(first == 2);
}

static void is_called_after_the_last_user(bool signs) {
    int destroyed = 0;
    oss_callback_client *one = NULL, *other = NULL;
    oss_callback_multipart_upload *upload = NULL;
    oss_callback_client_options *options = new_client_options();
    set(options, signs, &destroyed);
    assert(oss_callback_client_new(options, &one, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_client_new(options, &other, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_options_free(options);
    assert(oss_callback_client_resume_multipart_upload(one, BUCKET, "object", "id", &upload, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_free(one);
    oss_callback_client_free(other);
    assert(destroyed == 0);
    oss_callback_multipart_upload_free(upload);
    assert(destroyed == 1);
}

static void is_called_after_requests(void) {
    int destroyed = 0;
    oss_callback_client *client;
    oss_callback_client_options *options = new_client_options();
    set(options, false, &destroyed);
    client = new_client_of(options);
    assert(oss_put_object_with_callback(client, BUCKET, "object", NULL, 0, oss_callback_spec_none(), NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(destroyed == 0);
    oss_callback_client_free(client);
    assert(destroyed == 1);
}

/* What is refused is not kept. */
static void is_called_at_once(void) {
    int destroyed = 0;
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_credentials_hook(NULL, give, &destroyed, count);
    assert(destroyed == 1);
    oss_callback_client_options_set_credentials_hook(options, NULL, &destroyed, count);
    assert(destroyed == 2);
    oss_callback_client_options_set_signer_hook(NULL, "id", NULL, never_signs, &destroyed, count);
    assert(destroyed == 3);
    oss_callback_client_options_set_signer_hook(options, "id", NULL, NULL, &destroyed, count);
    assert(destroyed == 4);
    oss_callback_client_options_set_signer_hook(options, "\xff", NULL, never_signs, &destroyed, count);
    assert(destroyed == 5);
    oss_callback_client_options_free(options);
    assert(destroyed == 5);
}

static oss_callback_client_options *shared;
static int times;

static void makes_a_client(void *userdata) {
    oss_callback_client *client = NULL;
    (void)userdata;
    times++;
    assert(oss_callback_client_new(shared, &client, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_free(client);
}

static void sets_a_hook(void *userdata) {
    times++;
    oss_callback_client_options_set_credentials_hook(shared, give, userdata, count);
}

/* It may come back with the options that it belonged to. */
static void may_use_the_options(void) {
    int destroyed = 0;
    shared = new_client_options();
    oss_callback_client_options_set_credentials_hook(shared, give, NULL, makes_a_client);
    oss_callback_client_options_set_credentials(shared, "id", "secret", NULL);
    assert(times == 1);
    oss_callback_client_options_set_credentials_hook(shared, give, &destroyed, sets_a_hook);
    oss_callback_client_options_set_credentials_anonymous(shared);
    assert(times == 2 && destroyed == 0);
    oss_callback_client_options_free(shared);
    assert(destroyed == 1);
}

int main(void) {
    may_use_the_options();
    is_called_with_the_options(false);
    is_called_with_the_options(true);
    is_called_after_the_last_user(false);
    is_called_after_the_last_user(true);
    is_called_after_requests();
    is_called_at_once();
    return 0;
}
