/* What a stranger may send to the application server's side, and what becomes of it.
 *
 *   receiving_attacks KEY-URL KEY BASE64-OF-KEY-URL [TARGET BODY AUTHORIZATION]...
 *
 * The requests are all signed, in this order. The seal is that of the first, but for the last. */

#include "fixture.h"

enum { GENUINE, OTHER_CONTENTS, OTHER_OBJECT, TOO_LARGE, OTHER_VARIABLE, COPIED, TWICE, ENDING };

#define SECRET ((const uint8_t *)"a secret of thirty-two bytes ...")
#define OTHER_SECRET ((const uint8_t *)"another secret of thirty-two ...")

/* An error handle is freed at once: the code is enough. */
#define GIVES(expected, call)                                              \
    do {                                                                   \
        oss_callback_error *error = NULL;                                  \
        oss_callback_code code = (call);                                   \
        if (code != OSS_CALLBACK_CODE_##expected) {                        \
            fprintf(stderr, "%s: %s %s\n", #call, oss_callback_code_name(code), \
                    error ? oss_callback_error_message(error) : "");       \
        }                                                                  \
        assert(code == OSS_CALLBACK_CODE_##expected);                      \
        oss_callback_error_free(error);                                    \
    } while (0)

static char **arguments;

static const char *target_of(int request) { return arguments[4 + 3 * request]; }
static const char *body_of(int request) { return arguments[5 + 3 * request]; }
static const char *authorization_of(int request) { return arguments[6 + 3 * request]; }

static oss_callback_verifier_options *new_options(void) {
    oss_callback_verifier_options *options = NULL;
    assert(oss_callback_verifier_options_new(&options) == OSS_CALLBACK_CODE_OK);
    oss_callback_verifier_options_trust_key_url_for_tests(options, arguments[1], arguments[2]);
    return options;
}

static oss_callback_verifier *new_verifier_of(oss_callback_verifier_options *options) {
    oss_callback_verifier *verifier = NULL;
    assert(oss_callback_verifier_new(options, &verifier, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_verifier_options_free(options);
    return verifier;
}

/* Verifies a request as it may come out of a proxy; the verifier is freed. `more` is a header that comes first. */
static oss_callback_code verify(oss_callback_verifier *verifier, int request, const char *target, const char *more[2],
                                oss_callback_verified **verified) {
    const char *headers[6] = {"authorization", authorization_of(request), "X-OSS-PUB-KEY-URL", arguments[3], more[0], more[1]};
    size_t headers_len = more[0] ? 3 : 2;
    const uint8_t *body = (const uint8_t *)body_of(request);
    oss_callback_code code = oss_callback_verifier_verify(verifier, "POST", target, headers, headers_len, body,
                                                          strlen(body_of(request)), verified, NULL);
    oss_callback_verifier_free(verifier);
    return code;
}

static const char *NOTHING_MORE[2] = {NULL, NULL};

static oss_callback_verified *verified_of(int request) {
    oss_callback_verified *verified = NULL;
    assert(verify(new_verifier_of(new_options()), request, target_of(request), NOTHING_MORE, &verified) ==
           OSS_CALLBACK_CODE_OK);
    return verified;
}

static oss_callback_sealer *new_sealer(const char *key_id, const uint8_t *secret) {
    oss_callback_sealer *sealer = NULL;
    assert(oss_callback_sealer_new(key_id, secret, 32, &sealer, NULL) == OSS_CALLBACK_CODE_OK);
    return sealer;
}

static oss_callback_sealed *sealed_of(int request) {
    oss_callback_sealer *sealer = new_sealer("2026-01", SECRET);
    oss_callback_verified *verified = verified_of(request);
    oss_callback_sealed *sealed = NULL;
    GIVES(OK, oss_callback_sealer_check(sealer, verified, &sealed, &error));
    oss_callback_verified_free(verified);
    oss_callback_sealer_free(sealer);
    return sealed;
}

static void what_is_no_callback(void) {
    const char *none[] = {"x-oss-pub-key-url", arguments[3]};
    const char *fetched[] = {"Authorization", "AAAA", "x-oss-pub-key-url",
                             /* https://gosspublic.alicdn.com/callback_pub_key_v9.pem */
                             "aHR0cHM6Ly9nb3NzcHVibGljLmFsaWNkbi5jb20vY2FsbGJhY2tfcHViX2tleV92OS5wZW0="};
    const char *garbage[] = {"Authorization", "not Base64", "x-oss-pub-key-url", arguments[3]};
    const char *twice[] = {"Authorization", authorization_of(GENUINE), "Authorization", "!",
                           "x-oss-pub-key-url", arguments[3],          "X-Oss-Pub-Key-Url", "!"};
    const uint8_t *body = (const uint8_t *)body_of(GENUINE);
    size_t body_len = strlen(body_of(GENUINE));
    const char *target = target_of(GENUINE);
    oss_callback_verifier_options *options = new_options();
    oss_callback_verifier *verifier = new_verifier_of(new_options()), *strict = NULL, *production = NULL;
    oss_callback_verified *verified = NULL;

#define VERIFY(with, method, target, headers, len) \
    oss_callback_verifier_verify(with, method, target, headers, len, body, body_len, &verified, &error)
    GIVES(WRONG_METHOD, VERIFY(verifier, "post", target, none, 1));
    GIVES(MISSING_AUTHORIZATION, VERIFY(verifier, "POST", target, none, 1));
    GIVES(MISSING_PUB_KEY_URL, VERIFY(verifier, "POST", target, garbage, 1));
    GIVES(KEY_UNAVAILABLE, VERIFY(verifier, "POST", target, fetched, 2));
    GIVES(BAD_SIGNATURE_ENCODING, VERIFY(verifier, "POST", target, garbage, 2));
    GIVES(BAD_SIGNATURE, VERIFY(verifier, "POST", "/\xff\xfe%zz", twice, 4));
    /* Without trust in the test's key it is a forgery. */
    GIVES(OK, oss_callback_verifier_new(NULL, &production, &error));
    GIVES(BAD_PUB_KEY_URL, VERIFY(production, "POST", target, twice, 4));
    oss_callback_verifier_options_set_max_body_len(options, body_len - 1);
    GIVES(OK, oss_callback_verifier_new(options, &strict, &error));
    GIVES(BODY_TOO_LARGE, VERIFY(strict, "POST", target, twice, 4));
    assert(verified == NULL);
    /* Of headers that come twice the first counts. */
    GIVES(OK, VERIFY(verifier, "POST", target, twice, 4));
    oss_callback_verified_free(verified);
    oss_callback_verifier_free(strict);
    oss_callback_verifier_free(production);
    oss_callback_verifier_free(verifier);

    /* Who lets keys be fetched does so for one form of name only. */
    fetched[3] = "aHR0cHM6Ly9nb3NzcHVibGljLmFsaWNkbi5jb20vb3RoZXIucGVt"; /* https://gosspublic.alicdn.com/other.pem */
    oss_callback_verifier_options_set_fetch_keys(options, true);
    oss_callback_verifier_options_set_max_body_len(options, body_len);
    GIVES(OK, oss_callback_verifier_new(options, &verifier, &error));
    GIVES(KEY_UNAVAILABLE, VERIFY(verifier, "POST", target, fetched, 2));
    GIVES(OK, VERIFY(verifier, "POST", target, twice, 4));
    oss_callback_verified_free(verified);
    oss_callback_verifier_free(verifier);

    /* Keys of another host cannot be added. */
    oss_callback_verifier_options_add_key(options, "https://gosspublic.alicdn.com:443/k.pem", arguments[2]);
    GIVES(INVALID_ARGUMENT, oss_callback_verifier_new(options, &verifier, &error));
    oss_callback_verifier_options_free(options);
}

static void behind_a_proxy(void) {
    const char *original[2] = {"x-original-uri", target_of(GENUINE)};
    oss_callback_verifier_options *options = new_options();
    oss_callback_verified *verified = NULL;
    char added[200];

    assert(snprintf(added, sizeof added, "/internal%s", target_of(GENUINE)) < (int)sizeof added);
    oss_callback_verifier_options_add_stripped_prefix(options, "/internal");
    assert(verify(new_verifier_of(options), GENUINE, added, NOTHING_MORE, &verified) == OSS_CALLBACK_CODE_OK);
    assert(is(oss_callback_verified_signed_target(verified), target_of(GENUINE)));
    oss_callback_verified_free(verified);

    options = new_options();
    oss_callback_verifier_options_add_target_header(options, "X-Original-URI");
    assert(verify(new_verifier_of(options), GENUINE, "/else", original, &verified) == OSS_CALLBACK_CODE_OK);
    assert(is(oss_callback_verified_signed_target(verified), target_of(GENUINE)));
    oss_callback_verified_free(verified);
    /* Not told to trust it. */
    assert(verify(new_verifier_of(new_options()), GENUINE, "/else", original, &verified) ==
           OSS_CALLBACK_CODE_BAD_SIGNATURE);
}

static void what_was_not_permitted(void) {
    oss_callback_sealer *sealer = new_sealer("2026-01", SECRET);
    oss_callback_sealed *sealed = NULL;
    oss_callback_verified *verified = verified_of(OTHER_OBJECT);

    GIVES(BAD_SEAL, oss_callback_sealer_check(sealer, verified, &sealed, &error));
    oss_callback_verified_free(verified);
    verified = verified_of(OTHER_VARIABLE);
    GIVES(BAD_SEAL, oss_callback_sealer_check(sealer, verified, &sealed, &error));
    oss_callback_verified_free(verified);
    verified = verified_of(TOO_LARGE);
    GIVES(SEAL_VIOLATED, oss_callback_sealer_check(sealer, verified, &sealed, &error));
    oss_callback_verified_free(verified);

    /* Two readers could understand it in two ways, so nothing is said of it but its bytes. */
    verified = verified_of(TWICE);
    GIVES(BAD_BODY, oss_callback_verified_check_body(verified, &error));
    GIVES(BAD_BODY, oss_callback_sealer_check(sealer, verified, &sealed, &error));
    assert(oss_callback_verified_bucket(verified) == NULL && oss_callback_verified_object(verified) == NULL);
    assert(oss_callback_verified_member(verified, "size") == NULL);
    assert(oss_callback_verified_variable(verified, "user") == NULL);
    assert(!oss_callback_verified_size(verified, NULL));
    assert(oss_callback_verified_body(verified, NULL) != NULL);
    oss_callback_verified_free(verified);

    /* It is permitted for some seconds more. */
    verified = verified_of(ENDING);
    oss_callback_code code;
    while ((code = oss_callback_sealer_check(sealer, verified, &sealed, NULL)) == OSS_CALLBACK_CODE_OK) {
        oss_callback_sealed_free(sealed);
    }
    assert(code == OSS_CALLBACK_CODE_SEAL_EXPIRED);
    oss_callback_verified_free(verified);
    oss_callback_sealer_free(sealer);
}

/* The seal is genuine and the permission was given; there is only no object. */
static void a_copied_seal(void) {
    oss_callback_verified *verified = verified_of(COPIED);
    oss_callback_client *client = new_client();
    oss_callback_object_metadata *metadata = NULL;

    oss_callback_sealed_free(sealed_of(COPIED));
    GIVES(NOT_CONFIRMED, oss_callback_verified_confirm(verified, client, &metadata, &error));
    assert(metadata == NULL);
    oss_callback_client_free(client);
    oss_callback_verified_free(verified);
}

static void keys_that_rotate(void) {
    oss_callback_sealer *sealer = new_sealer("2026-02", OTHER_SECRET);
    oss_callback_verified *verified = verified_of(GENUINE);
    oss_callback_sealed *sealed = NULL;

    GIVES(UNKNOWN_SEAL_KEY, oss_callback_sealer_check(sealer, verified, &sealed, &error));
    GIVES(INVALID_ARGUMENT, oss_callback_sealer_accept(sealer, "2026-02", SECRET, 32, &error));
    GIVES(OK, oss_callback_sealer_accept(sealer, "2026-01", SECRET, 32, &error));
    GIVES(OK, oss_callback_sealer_check(sealer, verified, &sealed, &error));
    assert(is(oss_callback_sealed_key_id(sealed), "2026-01"));
    oss_callback_sealed_free(sealed);
    oss_callback_sealer_free(sealer);

    /* The same id with another secret. */
    sealer = new_sealer("2026-01", OTHER_SECRET);
    GIVES(BAD_SEAL, oss_callback_sealer_check(sealer, verified, &sealed, &error));
    oss_callback_sealer_free(sealer);
    oss_callback_verified_free(verified);
}

static void replays(void) {
    oss_callback_sealed *first = sealed_of(GENUINE), *again = sealed_of(GENUINE), *other = sealed_of(OTHER_CONTENTS);
    oss_callback_sealed *copied = sealed_of(COPIED);
    oss_callback_replay_guard *guard = NULL;
    oss_callback_seen seen = OSS_CALLBACK_SEEN_REPLAYED;

    /* One permission: what a database needs to find that out, too. */
    assert(memcmp(oss_callback_sealed_nonce(first), oss_callback_sealed_nonce(other), 16) == 0);
    assert(memcmp(oss_callback_sealed_body_digest(first), oss_callback_sealed_body_digest(again), 32) == 0);
    assert(memcmp(oss_callback_sealed_body_digest(first), oss_callback_sealed_body_digest(other), 32) != 0);
    assert(memcmp(oss_callback_sealed_nonce(first), oss_callback_sealed_nonce(copied), 16) != 0);

    GIVES(OK, oss_callback_replay_guard_new(1, &guard));
    GIVES(OK, oss_callback_replay_guard_check(guard, first, &seen, &error));
    assert(seen == OSS_CALLBACK_SEEN_FIRST);
    GIVES(OK, oss_callback_replay_guard_check(guard, again, &seen, &error));
    assert(seen == OSS_CALLBACK_SEEN_REPEATED);
    GIVES(OK, oss_callback_replay_guard_check(guard, other, &seen, &error));
    assert(seen == OSS_CALLBACK_SEEN_REPLAYED);
    /* A full guard forgets nothing, and writes nothing of what it does not know. */
    GIVES(REPLAY_UNKNOWN, oss_callback_replay_guard_check(guard, copied, &seen, &error));
    assert(seen == OSS_CALLBACK_SEEN_REPLAYED);
    GIVES(OK, oss_callback_replay_guard_check(guard, again, &seen, &error));
    assert(seen == OSS_CALLBACK_SEEN_REPEATED);
    oss_callback_replay_guard_free(guard);
    oss_callback_sealed_free(first);
    oss_callback_sealed_free(again);
    oss_callback_sealed_free(other);
    oss_callback_sealed_free(copied);
}

static void a_permission_that_is_over(void) {
    oss_callback_sealer *sealer = new_sealer("2026-01", SECRET);
    oss_callback_permission *permission = NULL;
    oss_callback_spec_options *options = new_spec_options("http://app.example.com/");
    oss_callback_spec *spec = NULL;
    const uint64_t ends[] = {0, 1, 1700000000, UINT64_MAX};
    size_t i;

    GIVES(OK, oss_callback_permission_new_object("b", "o", &permission, &error));
    oss_callback_permission_set_max_size(permission, 1);
    oss_callback_spec_options_set_body(options, "bucket=${bucket}&object=${object}&size=${size}&seal=${x:seal}");
    for (i = 0; i < sizeof ends / sizeof *ends; i++) {
        oss_callback_permission_set_expires_at_s(permission, ends[i]);
        GIVES(INVALID_ARGUMENT, oss_callback_sealer_seal(sealer, options, permission, &spec, &error));
    }
    oss_callback_permission_set_valid_for_s(permission, UINT64_MAX);
    GIVES(INVALID_ARGUMENT, oss_callback_sealer_seal(sealer, options, permission, &spec, &error));
    oss_callback_permission_set_valid_for_s(permission, 60);
    GIVES(OK, oss_callback_sealer_seal(sealer, options, permission, &spec, &error));
    oss_callback_spec_free(spec);
    oss_callback_spec_options_free(options);
    oss_callback_permission_free(permission);
    oss_callback_sealer_free(sealer);
}

int main(int argc, char **argv) {
    assert(argc == 4 + 3 * (ENDING + 1));
    arguments = argv;
    what_is_no_callback();
    behind_a_proxy();
    keys_that_rotate();
    replays();
    a_copied_seal();
    what_was_not_permitted();
    a_permission_that_is_over();
    return 0;
}
