/*
 * Goal of this test: Argon2id is that of the reference implementation, subkeys are those of
 * crypto_kdf; parameters outside floor and ceiling are refused before memory is asked for.
 */
#include "crypto/kdf.h"
#include "tests/support/effort.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t salt[SK_KDF_SALT_LEN];
static const uint8_t passphrase[] = "passphrase";

/* sk_kdf_passphrase() takes 16 bytes of salt; this ties the library below it to older vectors. */
static void the_library_matches_the_published_strings(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/argon2id-phc.txt");
    while (sk_vectors_next(v)) {
        const char *text = sk_vectors_text(v, "passphrase");
        const char *phc = sk_vectors_text(v, "phc");
        assert_int_equal(crypto_pwhash_argon2id_str_verify(phc, text, strlen(text)), 0);
        assert_int_not_equal(crypto_pwhash_argon2id_str_verify(phc, text, strlen(text) - 1), 0);
    }
}

static void passphrase_keys_match_the_vectors(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/kdf.txt");
    while (sk_vectors_next(v)) {
        uint8_t text[256], its_salt[SK_KDF_SALT_LEN], want[32];
        struct sk_secret *key = NULL;
        size_t len = sk_vectors_bytes(v, "passphrase", text, sizeof(text));
        sk_vectors_exactly(v, "salt", its_salt, sizeof(its_salt));
        sk_vectors_exactly(v, "key", want, sizeof(want));
        struct sk_kdf_params params = {
            .memory_kib = (uint32_t)sk_vectors_number(v, "memory"),
            .passes = (uint32_t)sk_vectors_number(v, "passes"),
        };
        params.insecure = params.memory_kib < SK_KDF_MEMORY_KIB;
        assert_int_equal(sk_kdf_passphrase(&key, len ? text : NULL, len, its_salt, &params), SK_OK);
        assert_int_equal(sk_secret_len(key), sizeof(want));
        assert_memory_equal(sk_secret_view(key), want, sizeof(want));
        sk_secret_free(key);
    }
}

static void assert_refused(uint32_t memory_kib, uint32_t passes, int insecure)
{
    const struct sk_kdf_params params = {memory_kib, passes, insecure};
    struct sk_secret *key = NULL;
    assert_int_equal(sk_kdf_passphrase(&key, passphrase, sizeof(passphrase), salt, &params),
                     SK_LIMIT);
    assert_null(key);
    assert_int_equal(sk_secret_live_count(), 0);
}

static void parameters_outside_the_limits_are_refused(void **state)
{
    (void)state;
    assert_refused(SK_KDF_MEMORY_KIB - 1, SK_KDF_PASSES, 0);
    assert_refused(SK_KDF_MEMORY_KIB, SK_KDF_PASSES - 1, 0);
    assert_refused(SK_KDF_TEST_MEMORY_KIB, SK_KDF_TEST_PASSES, 0);
    assert_refused(SK_KDF_MEMORY_KIB_MAX + 1, SK_KDF_PASSES, 0);
    assert_refused(UINT32_MAX, SK_KDF_PASSES, 0);
    assert_refused(SK_KDF_MEMORY_KIB, SK_KDF_PASSES_MAX + 1, 0);
    assert_refused(SK_KDF_MEMORY_KIB, UINT32_MAX, 0);
    assert_refused(SK_KDF_TEST_MEMORY_KIB - 1, SK_KDF_TEST_PASSES, 1);
    assert_refused(0, SK_KDF_TEST_PASSES, 1);
    assert_refused(SK_KDF_TEST_MEMORY_KIB, 0, 1);
    assert_refused(SK_KDF_MEMORY_KIB_MAX + 1, SK_KDF_TEST_PASSES, 1);
    assert_refused(SK_KDF_TEST_MEMORY_KIB, SK_KDF_PASSES_MAX + 1, 1);
}

/* The test floor is as low as the library goes; should that move, our constant must move too. */
static void the_test_floor_is_that_of_the_library(void **state)
{
    (void)state;
    assert_int_equal(SK_KDF_TEST_MEMORY_KIB * 1024, crypto_pwhash_argon2id_MEMLIMIT_MIN);
    assert_int_equal(SK_KDF_TEST_PASSES, crypto_pwhash_argon2id_OPSLIMIT_MIN);
}

static void an_overlong_passphrase_is_refused_unread(void **state)
{
    (void)state;
    const struct sk_kdf_params params = {SK_KDF_TEST_MEMORY_KIB, SK_KDF_TEST_PASSES, 1};
    struct sk_secret *key = NULL;
    size_t len = (size_t)crypto_pwhash_argon2id_PASSWD_MAX + 1;
    assert_int_equal(sk_kdf_passphrase(&key, passphrase, len, salt, &params), SK_USAGE);
    assert_null(key);
}

/* In a process of its own, whose address space is too small for the memory asked for. */
static int derive_in_a_small_process(void)
{
    const struct sk_kdf_params params = {SK_KDF_MEMORY_KIB, SK_KDF_PASSES, 0};
    const struct rlimit limit = {(rlim_t)SK_KDF_MEMORY_KIB * 1024,
                                 (rlim_t)SK_KDF_MEMORY_KIB * 1024};
    struct sk_secret *key = NULL;

    if (setrlimit(RLIMIT_AS, &limit))
        return 10;
    if (sk_kdf_passphrase(&key, passphrase, sizeof(passphrase), salt, &params) != SK_NOMEM || key)
        return 11;
    return sk_secret_live_count() == 0 ? 0 : 12;
}

static void want_of_memory_is_told(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    pid_t pid = fork();
    if (pid == 0)
        _exit(derive_in_a_small_process());
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void subkeys_match_the_vectors(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/subkey.txt");
    while (sk_vectors_next(v)) {
        uint8_t key[32], want[32], got[32];
        uint64_t id = sk_vectors_number(v, "id");
        sk_vectors_exactly(v, "key", key, sizeof(key));
        sk_vectors_exactly(v, "subkey", want, sizeof(want));
        sk_kdf_subkey(got, key, id);
        assert_memory_equal(got, want, sizeof(want));
        sk_kdf_subkey(key, key, id);
        assert_memory_equal(key, want, sizeof(want));
    }
}

static int setup(void **state)
{
    (void)state;
    return sk_crypto_init() ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    return sk_secret_live_count() == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_matches_the_published_strings),
        cmocka_unit_test(passphrase_keys_match_the_vectors),
        cmocka_unit_test(parameters_outside_the_limits_are_refused),
        cmocka_unit_test(the_test_floor_is_that_of_the_library),
        cmocka_unit_test(an_overlong_passphrase_is_refused_unread),
        cmocka_unit_test(want_of_memory_is_told),
        cmocka_unit_test(subkeys_match_the_vectors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
