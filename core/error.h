/*
 * What went wrong, in words: the last parameter of every function in core and sync that can fail.
 *
 * The caller owns it and starts it as `struct sk_error err = SK_ERROR_INIT;`. It is set where the
 * fault is found, never overwritten, untouched on success, and never holds a record's text. A NULL
 * err is allowed everywhere.
 */
#ifndef SK_CORE_ERROR_H
#define SK_CORE_ERROR_H

#include "crypto/status.h"

#define SK_ERROR_TEXT_MAX 400

struct sk_error {
    enum sk_status status; /* SK_OK while nothing is wrong */
    char text[SK_ERROR_TEXT_MAX];
};

#define SK_ERROR_INIT \
    {                 \
        SK_OK, ""     \
    }

/*
 * Sets the words unless some are there already, and returns `status`:
 * `return sk_fail(err, SK_DAMAGED, "%s: the header is damaged", name);`
 */
#define sk_fail(...) sk_failed(sk_error_set(__VA_ARGS__))

/* The same, with the words of errno after ": "; ENOSPC, EDQUOT and EFBIG turn SK_IO into SK_FULL,
 * ENOMEM into SK_NOMEM. */
#define sk_fail_errno(...) sk_failed(sk_error_set_errno(__VA_ARGS__))

/* Sets the status' own sentence as words. For what `crypto` returned. */
#define sk_fail_status(err, status) sk_failed(sk_error_set_status(err, status))

/* What stands behind the three. */
enum sk_status sk_error_set(struct sk_error *err, enum sk_status status, const char *format, ...)
    SK_PRINTF(3, 4);
enum sk_status sk_error_set_errno(struct sk_error *err, enum sk_status status, const char *format,
                                  ...) SK_PRINTF(3, 4);
enum sk_status sk_error_set_status(struct sk_error *err, enum sk_status status);

/* A failure is never SK_OK. Inline, so that compilers and analysers know it of each place. */
static inline enum sk_status sk_failed(enum sk_status status)
{
    return status == SK_OK ? SK_INTERNAL : status;
}

/* Forgets what was set, so that the structure can be used for another try. */
void sk_error_clear(struct sk_error *err);

/* `SK_TRY(call)` returns from the enclosing function when the call does not give SK_OK. */
#define SK_TRY(call)                           \
    do {                                       \
        enum sk_status sk_try_status = (call); \
        if (sk_try_status != SK_OK)            \
            return sk_try_status;              \
    } while (0)

#endif
