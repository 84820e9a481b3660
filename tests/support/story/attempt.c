#include "tests/support/story/attempt.h"

#include "crypto/secret.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define PRINTED_MAX 20
#define SECOND_TRY  1000

static unsigned printed;

SK_PRINTF(3, 4)
static void wrong(struct sk_attempt_counts *counts, const char *what, const char *format, ...)
{
    char text[400];
    va_list args;
    counts->wrong++;
    if (printed++ >= PRINTED_MAX)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    print_error("%s: %s\n", what, text);
}

/* The story as it was before the action, with its store open if it was. */
static void go_back(struct sk_story *story, const struct sk_story_mark *mark)
{
    *story = mark->story;
    sk_sim_load(&mark->image);
    if (mark->story.open)
        EXPECT_OK(sk_story_open(story, &sk_test_err));
}

/* Nothing is left in memory, and no file is open. */
static void check_tidy(struct sk_attempt_counts *counts, const char *what)
{
    if (sk_secret_live_count() != 0)
        wrong(counts, what, "%zu secrets are left", sk_secret_live_count());
    if (sk_sim_open_count() != 0)
        wrong(counts, what, "%u files are open", sk_sim_open_count());
}

static void check_words(struct sk_attempt_counts *counts, const char *what,
                        const struct sk_trouble *trouble, enum sk_status status,
                        const struct sk_error *err)
{
    if (!trouble->may_give(trouble->context, status))
        wrong(counts, what, "gave %s: %s", sk_status_name(status), err->text);
    if (err->text[0] == '\0' || err->status != status)
        wrong(counts, what, "gave %s without words (%s)", sk_status_name(status), err->text);
}

static void try_again(struct sk_judge *judge, struct sk_story *story,
                      const struct sk_story_mark *mark, const struct sk_story_action *action,
                      struct sk_attempt_counts *counts, const char *what)
{
    struct sk_error err = SK_ERROR_INIT;
    enum sk_status status = SK_OK;
    counts->retried++;
    story->number = mark->story.number + SECOND_TRY;
    if (mark->story.open)
        status = sk_story_open(story, &err);
    if (status == SK_OK)
        status = action->run(story, &err);
    if (status != SK_OK)
        wrong(counts, what, "and again: %s: %s", sk_status_name(status), err.text);
    if (sk_story_close(story, &err) != SK_OK)
        wrong(counts, what, "and does not close: %s", err.text);
    check_tidy(counts, what);
    if (!sk_judge_sound(judge, story->passphrase, what))
        counts->wrong++;
}

void sk_attempt(struct sk_judge *judge, const struct sk_story_tale *tale, size_t number,
                const struct sk_trouble *trouble, struct sk_attempt_counts *counts)
{
    const struct sk_story_action *action = &tale->plot->actions[number];
    const struct sk_story_mark *mark = &tale->marks[number];
    struct sk_error err = SK_ERROR_INIT;
    struct sk_story story;
    char what[200];
    bool acted = false;
    (void)snprintf(what, sizeof(what), "%s, \"%s\", %s", tale->plot->name, action->name,
                   trouble->words);
    go_back(&story, mark);
    story.number = (unsigned)number;
    sk_story_random(number);
    counts->attempts++;
    trouble->begin(trouble->context);
    enum sk_status status = action->run(&story, &err);
    /* Closing says as well what went wrong with what is not saved yet; opening again, whether. */
    enum sk_status closed = sk_story_close(&story, NULL);
    trouble->end(trouble->context);
    (void)closed;
    check_tidy(counts, what);
    if (status != SK_OK)
        check_words(counts, what, trouble, status, &err);
    if (!sk_judge_attempt(judge, number, status, what, &acted, &story.passphrase))
        counts->wrong++;
    if (status == SK_OK)
        return;
    counts->failed++;
    counts->acted += acted;
    /* Nobody is told that nothing was saved where something was. (A file that was whole when its
     * stick was pulled out may be handed over; it is made again under another name.) */
    if (acted && mark[1].file_count == mark->file_count && !strstr(err.text, "it was saved"))
        wrong(counts, what, "had done it, and says: %s", err.text);
    if (!acted || mark[1].file_count > mark->file_count)
        try_again(judge, &story, mark, action, counts, what);
}
