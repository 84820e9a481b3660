/*
 * Status codes shared by every layer, and the few attributes all headers need.
 *
 * SK_STATUS_LIST is the only place where a status is named: X(NAME, exit code of the programs,
 * sentence). The exit codes follow sysexits.h.
 */
#ifndef SK_CRYPTO_STATUS_H
#define SK_CRYPTO_STATUS_H

/* clang-format off */
#define SK_STATUS_LIST(X)                                                       \
    X(OK,         0, "done")                                                    \
    X(USAGE,     64, "the command was not understood")                          \
    X(DAMAGED,   65, "the data is damaged")                                     \
    X(REFUSED,   65, "the data was refused")                                    \
    X(LIMIT,     65, "the data is larger than the limits allow")                \
    X(MISSING,   66, "there is no such input")                                  \
    X(CREATE,    73, "the output cannot be created")                            \
    X(IO,        74, "reading or writing failed")                               \
    X(FULL,      74, "there is no space left")                                  \
    X(BUSY,      75, "another program is using it, try again")                  \
    X(WRONG_KEY, 77, "wrong passphrase or key")                                 \
    X(CONFIG,    78, "the installation or its settings do not allow it")        \
    X(NOMEM,      1, "out of memory")                                           \
    X(INTERNAL,   1, "internal error")
/* clang-format on */

enum sk_status {
#define SK_STATUS_ENUM(name, exit_code, sentence) SK_##name,
    SK_STATUS_LIST(SK_STATUS_ENUM)
#undef SK_STATUS_ENUM
        SK_STATUS_COUNT
};

#define SK_MUST_CHECK                  __attribute__((warn_unused_result))
#define SK_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))

/*
 * Hands over what an automatic variable owns: gives its value, and leaves zeros (or NULL) behind,
 * so that its cleanup has nothing to do: `*out = SK_TAKE(line);`
 */
#define SK_TAKE(variable)                                       \
    __extension__({                                             \
        __typeof__(variable) *const sk_take_from = &(variable); \
        __typeof__(variable) sk_take_value = *sk_take_from;     \
        *sk_take_from = (__typeof__(variable)){0};              \
        sk_take_value;                                          \
    })

/* For the rare call whose failure changes nothing any more, like tidying up after another failure.
 */
static inline void sk_ignore(enum sk_status status)
{
    (void)status;
}

/* The sentence for a status; a static string. */
const char *sk_status_text(enum sk_status status);

/* The status' name in lower case, as `error` in JSON output; a static string. */
const char *sk_status_name(enum sk_status status);

/* The exit code of the programs for a status (sysexits.h). */
int sk_status_exit_code(enum sk_status status);

#endif
