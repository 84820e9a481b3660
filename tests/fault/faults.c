/*
 * Goal of this test: whichever read, write, sync, truncation, rename, removal or creation fails in
 * the story of a store, once or from then on, with EIO, ENOSPC, EINTR or half a write: the action
 * ends with a clear status and words, nothing is left in memory, the store holds what it held
 * before, and the same action succeeds when it is tried again. The same when a stick is pulled out
 * while it is read or written.
 *
 *     faults STORY
 */
#include "tests/support/effort.h"
#include "tests/support/stores.h"
#include "tests/support/story/attempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each of the first calls of a kind fails, then one in ever more. Interruptions and halves are met
 * in one place for all calls, so they are spread wider. */
#define ALL_UP_TO      3u
#define ALL_UP_TO_WIDE 2u
#define ALL_UP_TO_LONG 60u
#define FIRST_ALONE    0u

static const struct sk_story_plot *plot;
static struct sk_story_tale tale;
static struct sk_judge *judge;

static const struct kind {
    const char *name;
    unsigned calls;
    int error;
    const char *error_name;
} kinds[] = {
    {"read", SK_SIM_READS, EIO, "EIO"},
    {"read", SK_SIM_READS, EINTR, "EINTR"},
    {"write", SK_SIM_WRITES, EIO, "EIO"},
    {"write", SK_SIM_WRITES, ENOSPC, "ENOSPC"},
    {"write", SK_SIM_WRITES, EINTR, "EINTR"},
    {"write", SK_SIM_WRITES, SK_SIM_SHORT, "half"},
    {"sync", SK_SIM_SYNCS, EIO, "EIO"},
    {"sync", SK_SIM_SYNCS, ENOSPC, "ENOSPC"},
    {"sync", SK_SIM_SYNCS, EINTR, "EINTR"},
    {"truncation", SK_SIM_TRUNCATES, EIO, "EIO"},
    {"truncation", SK_SIM_TRUNCATES, ENOSPC, "ENOSPC"},
    {"rename", SK_SIM_RENAMES, EIO, "EIO"},
    {"rename", SK_SIM_RENAMES, ENOSPC, "ENOSPC"},
    {"rename", SK_SIM_RENAMES, EINTR, "EINTR"},
    {"removal", SK_SIM_UNLINKS, EIO, "EIO"},
    {"removal", SK_SIM_UNLINKS, EINTR, "EINTR"},
    {"creation", SK_SIM_CREATES, EIO, "EIO"},
    {"creation", SK_SIM_CREATES, ENOSPC, "ENOSPC"},
    {"creation", SK_SIM_CREATES, EINTR, "EINTR"},
    {"look", SK_SIM_LOOKS, EIO, "EIO"},
    {"look", SK_SIM_LOOKS, EINTR, "EINTR"},
    {"look", SK_SIM_LOOKS, EACCES, "EACCES"},
};

static void begin(void *context)
{
    sk_sim_arm(context);
}

static void end(void *context)
{
    (void)context;
    sk_sim_disarm();
}

/* A disk that fails is no damaged store and no fault of the program; a full one is called so. */
static bool may_give(void *context, enum sk_status status)
{
    const struct sk_sim_fault *fault = context;
    if (fault->error == ENOSPC && fault->calls != SK_SIM_CREATES)
        return status == SK_FULL;
    /* SQLite tries to open what it could not create, and forgets why it could not. */
    return status == SK_IO || status == SK_CREATE || (fault->error == ENOSPC && status == SK_FULL);
}

static void fail_each(size_t action, const struct kind *kind, unsigned disk, bool lasting,
                      struct sk_attempt_counts *counts)
{
    bool wide = kind->error == EINTR || kind->error == EACCES || kind->error == SK_SIM_SHORT;
    unsigned all = sk_test_effort(FIRST_ALONE, wide ? ALL_UP_TO_WIDE : ALL_UP_TO, ALL_UP_TO_LONG);
    for (unsigned number = 1;; number += all == FIRST_ALONE ? 7 * number : 1 + number / all) {
        char words[100];
        struct sk_sim_fault fault = {
            .calls = kind->calls,
            .number = number,
            .lasting = lasting,
            .error = kind->error,
            .disk = disk,
        };
        const struct sk_trouble trouble = {begin, end, &fault, may_give, words};
        (void)snprintf(words, sizeof(words), "%s %u fails with %s%s", kind->name, number,
                       kind->error_name, lasting ? " and so do all after it" : "");
        sk_attempt(judge, &tale, action, &trouble, counts);
        if (!sk_sim_struck())
            return;
    }
}

static int begin_story(void **state)
{
    (void)state;
    sk_sim_begin();
    sk_story_tell(&tale, plot);
    judge = sk_judge_new(&tale);
    return 0;
}

static int end_story(void **state)
{
    (void)state;
    sk_judge_free(judge);
    sk_story_forget(&tale);
    sk_sim_end();
    return 0;
}

static void tell(const char *trouble, const struct sk_attempt_counts *counts)
{
    print_message("%s, %s: %" PRIu64 " attempts, of which %" PRIu64 " ended in an error: %" PRIu64
                  " had done it all the same, %" PRIu64 " were tried again; wrong %" PRIu64 "\n",
                  plot->name, trouble, counts->attempts, counts->failed, counts->acted,
                  counts->retried, counts->wrong);
    assert_int_equal(counts->wrong, 0);
    assert_true(counts->failed > 0);
}

static void calls_fail_everywhere(void **state)
{
    struct sk_attempt_counts counts = {0};
    (void)state;
    for (size_t action = 0; action < plot->count; action++) {
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            if (plot->actions[action].far)
                continue;
            /* Once and from then on; of a sample the one, the other or neither. */
            unsigned all = sk_test_effort(0, 1, 1);
            if (all || (action + k) % 4 == 0)
                fail_each(action, &kinds[k], 0, false, &counts);
            if (all || (action + k) % 4 == 2)
                fail_each(action, &kinds[k], 0, true, &counts);
        }
    }
    tell("calls that fail", &counts);
}

/* A stick that is pulled out: the store's own disk goes on. */
static void the_stick_is_pulled_out(void **state)
{
    static const struct kind pulled[] = {
        {"call on the stick", SK_SIM_ANY, ENODEV, "ENODEV"},
        {"call on the stick", SK_SIM_ANY, EIO, "EIO"},
    };
    struct sk_attempt_counts counts = {0};
    (void)state;
    for (size_t action = 0; action < plot->count; action++)
        for (size_t k = 0; k < 2 && !plot->actions[action].far; k++)
            fail_each(action, &pulled[k], sk_sim_disk(SK_STORY_STICK), true, &counts);
    tell("a stick that is pulled out", &counts);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_fail_everywhere, begin_story, end_story),
        cmocka_unit_test_setup_teardown(the_stick_is_pulled_out, begin_story, end_story),
    };
    plot = argc > 1 ? sk_story_find(argv[1]) : NULL;
    if (!plot)
        return 64;
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
