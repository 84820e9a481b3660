/*
 * Goal of this test: whichever allocation fails in the story of a store, ours or that of a library,
 * once or from then on, the action ends with a clear status and words, nothing is left in memory,
 * the store holds what it held before, and the same action succeeds when it is tried again. The
 * guarded pages of secrets fail each by itself as well. Pages that cannot be locked stop nothing.
 *
 *     starved STORY
 */
#include "tests/support/famine.h"
#include "tests/support/stores.h"
#include "tests/support/story/attempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP      9u /* each of the first allocations, then one in ever more */
#define STEP_LONG 200u
#define EACH      UINT32_MAX

static const struct sk_story_plot *plot;

static void begin(void *context)
{
    sk_famine_begin(context);
}

static void end(void *context)
{
    (void)context;
    sk_famine_end();
}

static bool may_give(void *context, enum sk_status status)
{
    const struct sk_famine *famine = context;
    return status == SK_NOMEM && famine->kinds != SK_FAMINE_LOCKS;
}

struct starving {
    struct sk_judge *judge;
    const struct sk_story_tale *tale;
    struct sk_attempt_counts heap, secrets, locks;
};

/* One attempt; whether there were so many allocations. */
static bool starve_once(struct starving *s, size_t action, struct sk_famine wanted,
                        struct sk_attempt_counts *counts)
{
    char words[100];
    const struct sk_trouble trouble = {begin, end, &wanted, may_give, words};
    (void)snprintf(words, sizeof(words), "%s %" PRIu64 " fails%s",
                   wanted.kinds == SK_FAMINE_SECRETS ? "secret"
                   : wanted.kinds == SK_FAMINE_LOCKS ? "locking"
                                                     : "allocation",
                   wanted.number, wanted.lasting ? " and so do all after it" : "");
    int64_t before = sk_famine_live();
    sk_attempt(s->judge, s->tale, action, &trouble, counts);
    if (sk_famine_live() != before) {
        print_error("%s: %" PRId64 " blocks are left\n", words, sk_famine_live() - before);
        counts->wrong++;
    }
    return sk_famine_counted() >= wanted.number;
}

static void starve(struct starving *s, size_t action, unsigned kinds, unsigned step,
                   struct sk_attempt_counts *counts)
{
    for (int lasting = 0; lasting < 2; lasting++) {
        struct sk_famine wanted = {.kinds = kinds, .number = 1, .lasting = lasting == 1};
        while (starve_once(s, action, wanted, counts))
            wanted.number += 1 + wanted.number / step;
    }
}

static void starve_action(struct starving *s, size_t action)
{
    struct sk_attempt_counts first = {0}; /* what libraries keep for good */
    const struct sk_trouble none = {begin, end, &(struct sk_famine){.kinds = 0}, may_give, ""};
    sk_attempt(s->judge, s->tale, action, &none, &first);
    if (SK_FAMINE_HEAP)
        starve(s, action, SK_FAMINE_HEAP | SK_FAMINE_SECRETS, getenv("SK_LONG") ? STEP_LONG : STEP,
               &s->heap);
    starve(s, action, SK_FAMINE_SECRETS, EACH, &s->secrets);
    /* Memory that cannot be locked is warned about, and all goes on. */
    const struct sk_famine unlocked = {.kinds = SK_FAMINE_LOCKS, .number = 1, .lasting = true};
    (void)starve_once(s, action, unlocked, &s->locks);
}

static void print_counts(const char *what, const struct sk_attempt_counts *counts)
{
    print_message("%s, %s: %" PRIu64 " attempts, of which %" PRIu64 " ended in an error: %" PRIu64
                  " had done it all the same, %" PRIu64 " were tried again; wrong %" PRIu64 "\n",
                  plot->name, what, counts->attempts, counts->failed, counts->acted,
                  counts->retried, counts->wrong);
}

static void allocations_fail_everywhere(void **state)
{
    struct sk_story_tale tale;
    (void)state;
    sk_sim_begin();
    sk_story_tell(&tale, plot);
    struct starving s = {.judge = sk_judge_new(&tale), .tale = &tale};
    for (size_t action = 0; action < plot->count; action++)
        if (!plot->actions[action].far)
            starve_action(&s, action);
    print_counts("allocations that fail", &s.heap);
    print_counts("secrets that get no memory", &s.secrets);
    print_counts("memory that cannot be locked", &s.locks);
    sk_judge_free(s.judge);
    sk_story_forget(&tale);
    sk_sim_end();
    assert_int_equal(s.heap.wrong + s.secrets.wrong + s.locks.wrong, 0);
    assert_true(s.secrets.failed > 0);
    assert_true(s.heap.failed > 0 || !SK_FAMINE_HEAP);
    assert_true(s.locks.attempts > 0 && s.locks.failed == 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(allocations_fail_everywhere)};
    if (argc < 2)
        return 64;
    sk_sim_memory = (struct sk_sim_memory){sk_famine_malloc, sk_famine_realloc, sk_famine_free};
    plot = sk_story_find(argv[1]);
    if (!plot)
        return 64;
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
