/*
 * The numbers that stand in log entries, and the ids of records. SK_TYPE_LIST is the only place
 * where a type is named: X(NAME, number in the log, name in commands and JSON).
 */
#ifndef SK_CORE_TYPES_H
#define SK_CORE_TYPES_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define SK_TYPE_LIST(X)                 \
    X(PERSON,     1, "person")          \
    X(CASE,       2, "case")            \
    X(EVENT,      3, "event")           \
    X(TESTIMONY,  4, "testimony")       \
    X(SOURCE,     5, "source")          \
    X(CONSENT,    6, "consent")         \
    X(LINK,       7, "link")            \
    X(ATTACHMENT, 8, "attachment")      \
    X(ERASURE,    9, "erasure")         \
    X(FORM,      10, "form")            \
    X(CONTINUATION, 11, "continuation")
/* clang-format on */

enum sk_type {
#define SK_TYPE_ENUM(name, number, text) SK_TYPE_##name = (number),
    SK_TYPE_LIST(SK_TYPE_ENUM)
#undef SK_TYPE_ENUM
        SK_TYPE_RECORD_LAST = SK_TYPE_CONSENT,
    SK_TYPE_LAST = SK_TYPE_CONTINUATION,
};

/* The name of a type, "unknown" for a number that is none. */
const char *sk_type_name(unsigned type);

/* The number of a name, 0 when there is none. */
unsigned sk_type_from_name(const char *name);

/* Whether the type is one of the six records. */
bool sk_type_is_record(unsigned type);

/* Ids of records, links and attachments: 16 random bytes, shown as 32 hex digits. */
#define SK_ID_LEN      16
#define SK_ID_TEXT_LEN 33 /* with NUL */
struct sk_id {
    uint8_t bytes[SK_ID_LEN];
};

void sk_id_random(struct sk_id *id);
void sk_id_format(char out[static SK_ID_TEXT_LEN], const struct sk_id *id);
/* Exactly 32 hex digits of either case. Errors: SK_USAGE. */
SK_MUST_CHECK
enum sk_status sk_id_parse(struct sk_id *id, const char *text);

/* Lower-case hex of `len` bytes: 2 * len characters and NUL. */
void sk_hex(char *out, const uint8_t *bytes, size_t len);

/* Back from exactly 2 * len lower-case digits; false when it is anything else. */
bool sk_hex_parse(uint8_t *out, size_t len, const char *text);

/* Half-open range of positions in a log. */
struct sk_range {
    uint64_t from;
    uint64_t to;
};

/* A list of ranges, sorted, disjoint, not touching. */
struct sk_ranges {
    struct sk_range *items; /* owned */
    size_t count;
    size_t room;
};
#define SK_RANGES_INIT \
    {                  \
        NULL, 0, 0     \
    }
void sk_ranges_clear(struct sk_ranges *ranges);
#define sk_auto_ranges __attribute__((cleanup(sk_ranges_clear))) struct sk_ranges

/* Unites the list with [from, to). Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_ranges_add(struct sk_ranges *ranges, uint64_t from, uint64_t to,
                             struct sk_error *err);
/* out (empty) becomes what of [0, size) is not in `ranges`. Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_ranges_missing(struct sk_ranges *out, const struct sk_ranges *ranges,
                                 uint64_t size, struct sk_error *err);
/* out (empty) becomes what is in both. Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_ranges_common(struct sk_ranges *out, const struct sk_ranges *a,
                                const struct sk_ranges *b, struct sk_error *err);
/* How many positions they hold. */
uint64_t sk_ranges_total(const struct sk_ranges *ranges);
bool sk_ranges_contain(const struct sk_ranges *ranges, uint64_t position);

#endif
