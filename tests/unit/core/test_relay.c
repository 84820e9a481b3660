/*
 * Goal of this test: every piece arrives whole and in order, however fast either side is; little
 * needs no thread; an error of the side that takes reaches the one that gives, and nothing is
 * taken after it; stopping in the middle leaves no thread behind.
 */
#include "core/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define PIECE_LEN ((size_t)4096)
#define PIECES    500u

struct taker {
    unsigned count;
    unsigned fails_at; /* 0: never */
    unsigned slow_us;
    bool other_thread;
    bool signals_blocked;
    pthread_t giver;
    atomic_uint given;
    unsigned most_waiting;
};

static size_t len_of(unsigned number)
{
    return number % 7 == 0 ? PIECE_LEN : 1 + number * 37 % PIECE_LEN;
}

static void note_thread(struct taker *taker)
{
    sigset_t mask;
    taker->other_thread = !pthread_equal(pthread_self(), taker->giver);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    taker->signals_blocked = sigismember(&mask, SIGINT) && sigismember(&mask, SIGTERM);
}

/* cmocka's assertions belong to the thread that runs the test: a wrong piece is an error here. */
static enum sk_status take(void *context, const uint8_t *bytes, size_t len, struct sk_error *err)
{
    struct taker *taker = context;
    unsigned number = taker->count++;
    unsigned waiting = atomic_load(&taker->given) - number;
    const struct timespec pause = {0, (long)taker->slow_us * 1000};
    taker->most_waiting = waiting > taker->most_waiting ? waiting : taker->most_waiting;
    note_thread(taker);
    if (taker->slow_us)
        (void)nanosleep(&pause, NULL);
    if (taker->fails_at && taker->count >= taker->fails_at)
        return sk_fail(err, SK_FULL, "no space for piece %u", taker->count);
    if (len != len_of(number))
        return sk_fail(err, SK_INTERNAL, "piece %u has a wrong length", number);
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != (uint8_t)(number + i))
            return sk_fail(err, SK_INTERNAL, "piece %u was changed", number);
    return SK_OK;
}

static enum sk_status give(struct sk_relay *relay, struct taker *taker, unsigned number,
                           struct sk_error *err)
{
    uint8_t *piece = sk_relay_piece(relay);
    for (size_t i = 0; i < len_of(number); i++)
        piece[i] = (uint8_t)(number + i);
    atomic_fetch_add(&taker->given, 1);
    return sk_relay_give(relay, len_of(number), err);
}

static struct taker new_taker(void)
{
    return (struct taker){.giver = pthread_self()};
}

static void run_all(struct taker *taker)
{
    sk_auto_relay relay = NULL;
    assert_int_equal(sk_relay_new(&relay, PIECE_LEN, take, taker, NULL), SK_OK);
    for (unsigned i = 0; i < PIECES; i++)
        assert_int_equal(give(relay, taker, i, NULL), SK_OK);
    assert_int_equal(sk_relay_end(relay, NULL), SK_OK);
    assert_int_equal(taker->count, PIECES);
}

static void all_arrive_in_order(void **state)
{
    struct taker taker = new_taker();
    (void)state;
    run_all(&taker);
    assert_true(taker.other_thread);
    assert_true(taker.signals_blocked);
}

static void a_slow_taker_holds_up_the_giver(void **state)
{
    struct taker taker = new_taker();
    (void)state;
    taker.slow_us = 200;
    run_all(&taker);
    assert_in_range(taker.most_waiting, 1, SK_RELAY_PIECES + 1);
}

static void little_needs_no_thread(void **state)
{
    struct taker taker = new_taker();
    sk_auto_relay relay = NULL;
    (void)state;
    assert_int_equal(sk_relay_new(&relay, PIECE_LEN, take, &taker, NULL), SK_OK);
    assert_int_equal(sk_relay_end(relay, NULL), SK_OK);
    for (unsigned i = 0; i < SK_RELAY_ALONE; i++) {
        assert_int_equal(give(relay, &taker, i, NULL), SK_OK);
        assert_int_equal(taker.count, i + 1);
    }
    assert_int_equal(sk_relay_end(relay, NULL), SK_OK);
    assert_false(taker.other_thread);
}

static void it_goes_on_after_an_end(void **state)
{
    struct taker taker = new_taker();
    sk_auto_relay relay = NULL;
    (void)state;
    assert_int_equal(sk_relay_new(&relay, PIECE_LEN, take, &taker, NULL), SK_OK);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(give(relay, &taker, i, NULL), SK_OK);
        if (i % 3 == 0)
            assert_int_equal(sk_relay_end(relay, NULL), SK_OK);
        if (i % 3 == 0)
            assert_int_equal(taker.count, i + 1);
    }
    assert_int_equal(sk_relay_end(relay, NULL), SK_OK);
    assert_int_equal(taker.count, 20);
}

static void an_error_ends_both_sides(void **state)
{
    (void)state;
    for (unsigned at = 1; at < 12; at++) {
        struct taker taker = new_taker();
        struct sk_error err = SK_ERROR_INIT;
        struct sk_error again = SK_ERROR_INIT;
        char words[64];
        enum sk_status status = SK_OK;
        sk_auto_relay relay = NULL;
        taker.fails_at = at;
        assert_int_equal(sk_relay_new(&relay, PIECE_LEN, take, &taker, NULL), SK_OK);
        for (unsigned i = 0; status == SK_OK && i < PIECES; i++)
            status = give(relay, &taker, i, &err);
        assert_int_equal(status, SK_FULL);
        (void)snprintf(words, sizeof(words), "no space for piece %u", at);
        assert_string_equal(err.text, words);
        assert_int_equal(give(relay, &taker, 0, &again), SK_FULL);
        assert_int_equal(sk_relay_end(relay, NULL), SK_FULL);
        assert_int_equal(taker.count, at);
    }
}

/* With the thread running, and nothing given behind it. */
static void an_error_of_the_last_piece_is_told(void **state)
{
    struct taker taker = new_taker();
    enum sk_status status = SK_OK;
    sk_auto_relay relay = NULL;
    (void)state;
    taker.fails_at = PIECES;
    taker.slow_us = 20;
    assert_int_equal(sk_relay_new(&relay, PIECE_LEN, take, &taker, NULL), SK_OK);
    for (unsigned i = 0; i + 1 < PIECES; i++)
        assert_int_equal(give(relay, &taker, i, NULL), SK_OK);
    status = give(relay, &taker, PIECES - 1, NULL);
    assert_true(status == SK_OK || status == SK_FULL);
    assert_int_equal(sk_relay_end(relay, NULL), SK_FULL);
}

static void it_may_stop_anywhere(void **state)
{
    (void)state;
    for (unsigned count = 0; count < 10; count++) {
        struct taker taker = new_taker();
        sk_auto_relay relay = NULL;
        taker.slow_us = count % 2 * 300;
        assert_int_equal(sk_relay_new(&relay, PIECE_LEN, take, &taker, NULL), SK_OK);
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(give(relay, &taker, i, NULL), SK_OK);
    }
    sk_relay_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_arrive_in_order),
        cmocka_unit_test(a_slow_taker_holds_up_the_giver),
        cmocka_unit_test(little_needs_no_thread),
        cmocka_unit_test(it_goes_on_after_an_end),
        cmocka_unit_test(an_error_ends_both_sides),
        cmocka_unit_test(an_error_of_the_last_piece_is_told),
        cmocka_unit_test(it_may_stop_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
