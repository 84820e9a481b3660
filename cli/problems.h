/*
 * The problems of a store that a command prints while it checks: a line each on standard output, or
 * kept for the JSON that follows.
 */
#ifndef SK_CLI_PROBLEMS_H
#define SK_CLI_PROBLEMS_H

#include "core/verify.h"

#include <jansson.h>

struct sk_problems {
    json_t *list; /* owned by the command; NULL without --json */
    uint64_t count;
    bool lost; /* one could not be kept: no memory */
};

/* A sk_problem_fn; context: struct sk_problems. */
void sk_problems_add(void *context, const char *sentence);

#endif
