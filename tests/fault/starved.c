/*
 * Goal of this test: whichever allocation fails in the story of a store, ours or that of a library,
 * once or from then on, the action ends with a clear status and words, nothing is left in memory,
 * the store holds what it held before, and the same action succeeds when it is tried again.
 *
 *     starved STORY
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

#if SANITIZED

/* The sanitizer's own allocator cannot be replaced. */
int main(void)
{
    return 0;
}

#else

#define STEP      9u /* each of the first allocations, then one in ever more */
#define STEP_LONG 200u

static const struct sk_story_plot *plot;

/* These stand before the C library's allocator, for this program and every library it uses. The
 * simulated disk has memory of its own. */

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t count, size_t len);
void *__libc_realloc(void *p, size_t len);
void __libc_free(void *p);

struct famine {
    bool armed;
    uint64_t counted; /* allocations since it began */
    uint64_t fail_at; /* the one that fails */
    bool lasting;     /* and all after it */
};
static struct famine famine;
static int64_t live; /* blocks that are not freed */

static bool fails(void)
{
    if (!famine.armed)
        return false;
    famine.counted++;
    if (famine.counted < famine.fail_at || (famine.counted > famine.fail_at && !famine.lasting))
        return false;
    errno = ENOMEM;
    return true;
}

static void *took(void *p)
{
    live += p != NULL;
    return p;
}

void *malloc(size_t len)
{
    return fails() ? NULL : took(__libc_malloc(len));
}

void *calloc(size_t count, size_t len)
{
    return fails() ? NULL : took(__libc_calloc(count, len));
}

void *realloc(void *p, size_t len)
{
    if (fails())
        return NULL;
    return p ? __libc_realloc(p, len) : took(__libc_malloc(len));
}

void free(void *p)
{
    live -= p != NULL;
    __libc_free(p);
}

static void begin(void *context)
{
    famine = *(const struct famine *)context;
    famine.armed = true;
}

static void end(void *context)
{
    (void)context;
    famine.armed = false;
}

static bool may_give(void *context, enum sk_status status)
{
    (void)context;
    return status == SK_NOMEM;
}

static void starve(struct sk_judge *judge, const struct sk_story_tale *tale, size_t action,
                   bool lasting, struct sk_attempt_counts *counts)
{
    unsigned step = getenv("SK_LONG") ? STEP_LONG : STEP;
    for (uint64_t number = 1;; number += 1 + number / step) {
        char words[100];
        struct famine wanted = {.fail_at = number, .lasting = lasting};
        const struct sk_trouble trouble = {begin, end, &wanted, may_give, words};
        (void)snprintf(words, sizeof(words), "allocation %" PRIu64 " fails%s", number,
                       lasting ? " and so do all after it" : "");
        int64_t before = live;
        sk_attempt(judge, tale, action, &trouble, counts);
        if (live != before) {
            print_error("%s: %" PRId64 " blocks are left\n", words, live - before);
            counts->wrong++;
        }
        if (famine.counted < number)
            return;
    }
}

static void allocations_fail_everywhere(void **state)
{
    struct sk_story_tale tale;
    struct sk_attempt_counts counts = {0};
    (void)state;
    sk_sim_begin();
    sk_story_tell(&tale, plot);
    struct sk_judge *judge = sk_judge_new(&tale);
    for (size_t action = 0; action < plot->count; action++)
        if (!plot->actions[action].far) {
            struct sk_attempt_counts first = {0}; /* what libraries keep for good */
            struct famine none = {.fail_at = UINT64_MAX};
            const struct sk_trouble trouble = {begin, end, &none, may_give, ""};
            sk_attempt(judge, &tale, action, &trouble, &first);
            starve(judge, &tale, action, false, &counts);
            starve(judge, &tale, action, true, &counts);
        }
    print_message("%s, allocations that fail: %" PRIu64 " attempts, of which %" PRIu64
                  " ended in an error: %" PRIu64 " had done it all the same, %" PRIu64
                  " were tried again; wrong %" PRIu64 "\n",
                  plot->name, counts.attempts, counts.failed, counts.acted, counts.retried,
                  counts.wrong);
    sk_judge_free(judge);
    sk_story_forget(&tale);
    sk_sim_end();
    assert_int_equal(counts.wrong, 0);
    assert_true(counts.failed > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(allocations_fail_everywhere)};
    if (argc < 2)
        return 64;
    sk_sim_memory = (struct sk_sim_memory){__libc_malloc, __libc_realloc, __libc_free};
    plot = sk_story_find(argv[1]);
    if (!plot)
        return 64;
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

#endif
