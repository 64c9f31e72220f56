/* Each option of PutObject goes out as OSS wants it; what OSS would refuse is refused by name before it is sent. */

#include "fixture.h"

static oss_callback_client *client;

static void refuses(oss_callback_put_options *options, const char *message) {
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    assert(oss_put_object_with_callback(client, BUCKET, "refused", (const uint8_t *)"x", 1, oss_callback_spec_none(), options, &receipt,
                                        &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(receipt == NULL);
    assert(contains(oss_callback_error_message(error), message));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(error);
    oss_callback_put_options_free(options);
}

/* A setter of one value, and what is said of a wrong one. */
#define REFUSES(setter, message)                             \
    do {                                                     \
        oss_callback_put_options *options = new_put_options(); \
        setter;                                              \
        refuses(options, message);                           \
    } while (0)

static void limits(void) {
    char text[300], key[3];
    int count;
    oss_callback_put_options *many = new_put_options();
    memset(text, 'x', sizeof text);
    text[257] = '\0';

    REFUSES(oss_callback_put_options_set_object_acl(options, "public"),
            "`object_acl` \"public\" is not one of default, private, public-read, public-read-write");
    REFUSES(oss_callback_put_options_set_storage_class(options, "standard"),
            "`storage_class` \"standard\" is not one of Standard, IA, Archive, ColdArchive, DeepColdArchive");
    REFUSES(oss_callback_put_options_set_server_side_encryption(options, ""),
            "`server_side_encryption` \"\" is not one of AES256, KMS, SM4");
    REFUSES(oss_callback_put_options_set_server_side_data_encryption(options, "AES256"),
            "`server_side_data_encryption` \"AES256\" is not one of SM4");
    REFUSES(oss_callback_put_options_set_server_side_encryption_key_id(options, "id"),
            "`server_side_encryption_key_id` is given, but `server_side_encryption` is not KMS");
    REFUSES(oss_callback_put_options_set_server_side_data_encryption(options, "SM4"),
            "`server_side_data_encryption` is given, but `server_side_encryption` is not KMS");
    REFUSES(oss_callback_put_options_add_tag(options, "", "value"), "`tag` has an empty key");
    REFUSES(oss_callback_put_options_add_tag(options, text, "value"), "`tag` has a key of 257 bytes");
    REFUSES(oss_callback_put_options_add_tag(options, "key", text), "`tag` \"key\" has a value of 257 bytes");
    for (count = 0; count < 11; count++) {
        snprintf(key, sizeof key, "%d", count);
        oss_callback_put_options_add_tag(many, key, "");
    }
    refuses(many, "`tag` \"10\" is one too many");
    REFUSES(oss_callback_put_options_set_traffic_limit_bits_per_s(options, 0), "`traffic_limit` 0 is not in 819200 to 838860800");
    REFUSES(oss_callback_put_options_set_traffic_limit_bits_per_s(options, UINT64_MAX), "`traffic_limit` 18446744073709551615");
    REFUSES(oss_callback_put_options_set_expires_at_s(options, 253402300800), "`expires` is not in the years 1970 to 9999");
    REFUSES(oss_callback_put_options_set_expires_at_s(options, UINT64_MAX), "`expires`");
    REFUSES(oss_callback_put_options_set_content_language(options, "zh\r\nx-oss-object-acl: public-read"),
            "header Content-Language has a value with a control character");
    REFUSES(oss_callback_put_options_set_object_acl(options, "\xff"), "`object_acl` is not UTF-8");
}

int main(void) {
    int count;
    oss_callback_put_options *options = new_put_options();
    client = new_client();
    limits();

    /* A later value replaces an earlier one, but tags join. */
    for (count = 0; count < 1000; count++) {
        oss_callback_put_options_set_storage_class(options, "Archive");
    }
    oss_callback_put_options_set_storage_class(options, "IA");
    oss_callback_put_options_set_object_acl(options, "public-read");
    oss_callback_put_options_add_tag(options, "a b", "1&2");
    oss_callback_put_options_add_tag(options, "empty", "");
    oss_callback_put_options_set_server_side_encryption(options, "KMS");
    oss_callback_put_options_set_server_side_encryption_key_id(options, "key-id");
    oss_callback_put_options_set_server_side_data_encryption(options, "SM4");
    oss_callback_put_options_set_traffic_limit_bits_per_s(options, 838860800);
    oss_callback_put_options_set_forbid_overwrite(options, true);
    oss_callback_put_options_set_cache_control(options, "no-cache");
    oss_callback_put_options_set_content_disposition(options, "inline");
    oss_callback_put_options_set_content_encoding(options, "gzip");
    oss_callback_put_options_set_content_language(options, "zh-CN");
    oss_callback_put_options_set_expires_at_s(options, 784111777);
    oss_callback_put_options_set_requester_pays(options, true);
    oss_callback_put_options_set_content_md5(options, true);
    assert(oss_put_object_with_callback(client, BUCKET, "object", (const uint8_t *)"1", 1, oss_callback_spec_none(), options, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_free(options);
    oss_callback_client_free(client);
    return 0;
}
