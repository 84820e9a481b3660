/*
 * Goal of this test: secrets are zeroed, counted and fenced; memory that could not be locked is
 * counted; the helpers wipe, compare and draw as they say.
 */
#include "crypto/secret.h"
#include "tests/support/effort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static void secrets_are_zeroed_and_counted(void **state)
{
    (void)state;
    static const uint8_t zeros[100];
    struct sk_secret *a = NULL, *b = NULL;

    assert_int_equal(sk_secret_live_count(), 0);
    assert_int_equal(sk_secret_new(&a, sizeof(zeros)), SK_OK);
    assert_int_equal(sk_secret_new(&b, 1), SK_OK);
    assert_int_equal(sk_secret_live_count(), 2);
    assert_int_equal(sk_secret_len(a), sizeof(zeros));
    assert_memory_equal(sk_secret_view(a), zeros, sizeof(zeros));
    assert_ptr_equal(sk_secret_bytes(a), sk_secret_view(a));
    memset(sk_secret_bytes(a), 1, sk_secret_len(a));
    sk_secret_free(a);
    assert_int_equal(sk_secret_live_count(), 1);
    sk_secret_free(b);
    sk_secret_free(NULL);
    assert_int_equal(sk_secret_live_count(), 0);
    assert_int_equal(sk_secret_unlocked_count(), 0);
}

static void lengths_out_of_range_are_refused(void **state)
{
    (void)state;
    struct sk_secret *secret = NULL;
    assert_int_equal(sk_secret_new(&secret, 0), SK_NOMEM);
    assert_int_equal(sk_secret_new(&secret, 1024 * 1024 + 1), SK_NOMEM);
    assert_int_equal(sk_secret_new(&secret, SIZE_MAX), SK_NOMEM);
    assert_null(secret);
    assert_int_equal(sk_secret_live_count(), 0);
}

static void the_scope_frees(void **state)
{
    (void)state;
    {
        sk_auto_secret secret = NULL;
        assert_int_equal(sk_secret_new(&secret, 32), SK_OK);
        assert_int_equal(sk_secret_live_count(), 1);
    }
    assert_int_equal(sk_secret_live_count(), 0);
}

/* Runs `child` in a process of its own; its exit status, or minus the signal that ended it. */
static int run_child(int (*child)(void))
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(child());
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Root may lock past the limit, so the child first becomes somebody else. */
static int count_unlocked_without_a_limit(void)
{
    const struct rlimit none = {0, 0};
    struct sk_secret *a = NULL, *b = NULL;

    if (setrlimit(RLIMIT_MEMLOCK, &none) || (geteuid() == 0 && setuid(NOBODY)))
        return 10;
    if (sk_secret_new(&a, 32) || sk_secret_unlocked_count() != 1)
        return 11;
    if (sk_secret_new(&b, 32) || sk_secret_unlocked_count() != 2)
        return 12;
    sk_secret_free(a);
    if (sk_secret_unlocked_count() != 1 || sk_secret_live_count() != 1)
        return 13;
    sk_secret_free(b);
    return sk_secret_unlocked_count() == 0 && sk_secret_live_count() == 0 ? 0 : 14;
}

static void memory_that_cannot_be_locked_is_counted(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    assert_int_equal(run_child(count_unlocked_without_a_limit), 0);
}

#define ALLOWED_PAGES 4

/* The second lock of a page must not itself use up the limit. */
static int lock_up_to_the_limit(void)
{
    rlim_t bytes = (rlim_t)ALLOWED_PAGES * (rlim_t)sysconf(_SC_PAGESIZE);
    const struct rlimit limit = {bytes, bytes};
    struct sk_secret *secrets[ALLOWED_PAGES + 2] = {0};
    int result = 0;

    if (setrlimit(RLIMIT_MEMLOCK, &limit) || (geteuid() == 0 && setuid(NOBODY)))
        return 10;
    for (size_t i = 0; i < ALLOWED_PAGES + 2; i++) {
        size_t unlocked = i < ALLOWED_PAGES ? 0 : i + 1 - ALLOWED_PAGES;
        if (sk_secret_new(&secrets[i], 32) || sk_secret_unlocked_count() != unlocked)
            result = 20 + (int)i;
    }
    for (size_t i = 0; i < ALLOWED_PAGES + 2; i++)
        sk_secret_free(secrets[i]);
    return result;
}

static void pages_are_locked_up_to_the_limit(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    assert_int_equal(run_child(lock_up_to_the_limit), 0);
}

static int ask_for_more_than_there_is(void)
{
    const struct rlimit none = {0, 0};
    struct sk_secret *secret = NULL;
    if (setrlimit(RLIMIT_AS, &none))
        return 10;
    if (sk_secret_new(&secret, 32) != SK_NOMEM || secret)
        return 11;
    return sk_secret_live_count() == 0 ? 0 : 12;
}

static void want_of_memory_is_told(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    assert_int_equal(run_child(ask_for_more_than_there_is), 0);
}

static int overrun(void)
{
    struct sk_secret *secret = NULL;
    (void)signal(SIGSEGV, SIG_DFL);
    if (sk_secret_new(&secret, 32))
        return 10;
    volatile uint8_t *bytes = sk_secret_bytes(secret);
    bytes[32] = 1;
    return 0;
}

static void an_overrun_faults(void **state)
{
    (void)state;
    assert_int_equal(run_child(overrun), -SIGSEGV);
}

static void wiping_leaves_zeros(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    uint8_t bytes[64];
    memset(bytes, 1, sizeof(bytes));
    sk_wipe(bytes, sizeof(bytes));
    assert_memory_equal(bytes, zeros, sizeof(zeros));
    sk_wipe(NULL, 0);

    struct sk_key key;
    memset(&key, 1, sizeof(key));
    sk_key_cleanup(&key);
    assert_memory_equal(key.bytes, zeros, sizeof(key.bytes));
}

static void comparing_tells_every_difference(void **state)
{
    (void)state;
    uint8_t a[40] = "the same", b[40] = "the same";
    assert_true(sk_equal(a, b, sizeof(a)));
    for (size_t bit = 0; bit < 8 * sizeof(a); bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(sk_equal(a, b, sizeof(a)));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(sk_equal(a, b, 0));
}

static void random_numbers_stay_below_their_bound(void **state)
{
    (void)state;
    unsigned seen[6] = {0};
    for (int i = 0; i < 6000; i++) {
        uint32_t n = sk_random_below(6);
        assert_in_range(n, 0, 5);
        seen[n]++;
    }
    for (size_t n = 0; n < 6; n++)
        assert_in_range(seen[n], 700, 1300);
    assert_int_equal(sk_random_below(1), 0);

    uint8_t a[32], b[32];
    sk_random(a, sizeof(a));
    sk_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

static int setup(void **state)
{
    (void)state;
    int first = sk_crypto_init();
    int again = sk_crypto_init();
    return first || again ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_zeroed_and_counted),
        cmocka_unit_test(lengths_out_of_range_are_refused),
        cmocka_unit_test(the_scope_frees),
        cmocka_unit_test(memory_that_cannot_be_locked_is_counted),
        cmocka_unit_test(pages_are_locked_up_to_the_limit),
        cmocka_unit_test(want_of_memory_is_told),
        cmocka_unit_test(an_overrun_faults),
        cmocka_unit_test(wiping_leaves_zeros),
        cmocka_unit_test(comparing_tells_every_difference),
        cmocka_unit_test(random_numbers_stay_below_their_bound),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
