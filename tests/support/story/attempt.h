/*
 * One action of a story in which something goes wrong: it ends with a status and words, leaves
 * nothing behind in memory, the store holds what it held before (or all of the action), and the
 * same action succeeds when it is tried again.
 */
#ifndef SK_TESTS_STORY_ATTEMPT_H
#define SK_TESTS_STORY_ATTEMPT_H

#include "tests/support/story/judge.h"

/* What goes wrong, from when to when. */
struct sk_trouble {
    void (*begin)(void *context);
    void (*end)(void *context);
    void *context;
    bool (*may_give)(void *context, enum sk_status status);
    const char *words;
};

struct sk_attempt_counts {
    uint64_t attempts;
    uint64_t failed;  /* the action gave an error */
    uint64_t acted;   /* ... and what it was to do is there all the same */
    uint64_t retried; /* ... and was tried again */
    uint64_t wrong;
};

/* Does action number `action` of the story from where it stands in the tale. */
void sk_attempt(struct sk_judge *judge, const struct sk_story_tale *tale, size_t action,
                const struct sk_trouble *trouble, struct sk_attempt_counts *counts);

#endif
