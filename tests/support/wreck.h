/*
 * Stores that somebody damages: all files of a store in memory, to be changed and put on disk, and
 * the question what a program makes of them. Whatever it shows has to be what some committed state
 * held; a state that is not named as damaged has to be one of them as a whole.
 */
#ifndef SK_TESTS_WRECK_H
#define SK_TESTS_WRECK_H

#include "core/buf.h"
#include "tests/support/stores.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SK_WRECK_FILES  12
#define SK_WRECK_STATES 8

struct sk_wreck_file {
    char name[64]; /* within the store: "keys", "data", "data-wal", "media/<32 hex digits>" */
    uint8_t *bytes;
    size_t len;
};

struct sk_wreck {
    struct sk_wreck_file files[SK_WRECK_FILES];
    unsigned count;
};

/* The files of the store, closed or left by a process that died. Cleared by the caller. */
struct sk_wreck sk_wreck_take(const char *path);
struct sk_wreck sk_wreck_copy(const struct sk_wreck *wreck);
void sk_wreck_clear(struct sk_wreck *wreck);

/* The file of that name; "media" is the first attachment. NULL when there is none. */
struct sk_wreck_file *sk_wreck_find(struct sk_wreck *wreck, const char *name);
/* Sets a file's bytes, adding it; NULL removes it. */
void sk_wreck_set(struct sk_wreck *wreck, const char *name, const uint8_t *bytes, size_t len);

/* Makes the folder of exactly these files. */
void sk_wreck_put(const struct sk_wreck *wreck, const char *path);

/* What a state of the store shows, piece by piece, a line each: records, their revisions and links,
 * bytes of attachments, and what a search for the words of the test's records finds. */
struct sk_wreck_story {
    char **lines;
    size_t count;
};

/* The committed states that may be shown, and how often each outcome was met. */
struct sk_wreck_trial {
    const char *path; /* of the folder that is opened */
    struct sk_wreck_story states[SK_WRECK_STATES];
    unsigned state_count;
    unsigned tried, refused, told, same, older;
};

/* Adds what the store at trial->path shows now as a state; the last one is the newest. */
void sk_wreck_learn(struct sk_wreck_trial *trial);
void sk_wreck_trial_clear(struct sk_wreck_trial *trial);

enum sk_wreck_outcome {
    SK_WRECK_REFUSED, /* the store does not open, and the words name a file */
    SK_WRECK_TOLD,    /* it opens; verifying names something; what can be read is genuine */
    SK_WRECK_SAME,    /* it opens, verifies, and shows the newest state */
    SK_WRECK_OLDER,   /* it opens, verifies, and shows another committed state as a whole */
};

/*
 * Puts the files on disk, opens, verifies and reads everything. `names`: words of which at least
 * one stands in what is said when something is refused or told. Anything but these outcomes ends
 * the test, with `what`.
 */
enum sk_wreck_outcome sk_wreck_try(struct sk_wreck_trial *trial, const struct sk_wreck *wreck,
                                   const char *what, const char *names);
/* The same for what is at trial->path already. */
enum sk_wreck_outcome sk_wreck_look(struct sk_wreck_trial *trial, const char *what,
                                    const char *names);

/* The words of the last refusal, or all that verifying said, a line each. */
const char *sk_wreck_said(void);

/* One line that says how often each outcome was met. */
void sk_wreck_print(const struct sk_wreck_trial *trial, const char *what);

/* A folder for temporary files that is in memory, where there is one: nothing here tests a disk. */
void sk_wreck_in_memory(void);

#endif
