/*
 * JSON in and out (jansson), strict: UTF-8, no duplicate keys, no NUL anywhere, nothing after the
 * value, at most SK_JSON_DEPTH_MAX levels and about SK_JSON_VALUES_MAX values, reals refused where
 * they are not finite.
 */
#ifndef SK_CORE_JSON_H
#define SK_CORE_JSON_H

#include "core/buf.h"

#include <jansson.h>
#include <stdbool.h>

#define SK_JSON_DEPTH_MAX  32
#define SK_JSON_VALUES_MAX ((size_t)1 << 18)          /* of {, [ and commas outside of texts */
#define SK_JSON_RECORD_MAX ((size_t)64 * 1024 * 1024) /* bytes of a record for sk_json_each() */

static inline void sk_json_cleanup(json_t **json)
{
    json_decref(*json);
}
#define sk_auto_json __attribute__((cleanup(sk_json_cleanup))) json_t *

/* For jansson's iteration and packing, which want a value that is not const and change nothing. */
static inline json_t *sk_json_plain(const json_t *json)
{
    const union {
        const json_t *given;
        json_t *plain;
    } pointer = {json};
    return pointer.plain;
}

/* Makes jansson allocate memory that is wiped when freed. Called once at the start. */
void sk_json_init(void);

/* Whether an allocation of jansson failed in this thread since sk_json_parse() or this was called
 * last: what it gives back then may be wrong, also where it is no error of memory. */
bool sk_json_starved(void);

/* Parses; *out is owned by the caller. The words name the line, never the text. Errors: SK_REFUSED,
 * SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_json_parse(json_t **out, const char *text, size_t len, struct sk_error *err);

/* Whether a text that is JSON keeps the limits of levels and values. Errors: SK_REFUSED. */
SK_MUST_CHECK
enum sk_status sk_json_check(const char *text, size_t len, struct sk_error *err);

/* A copy of a value and all that is in it; the caller's. The library's own leaves out members for
 * which there is no memory, and says nothing. Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_json_copy(json_t **out, const json_t *json, struct sk_error *err);

/* Gives an object one more member, or another value for one, and takes the reference of the value.
 * Where there is no memory, and where `value` is NULL for want of it, the whole object is dropped
 * and *object is NULL: what lacks a member is never shown. Does nothing more to a NULL. */
void sk_json_put(json_t **object, const char *key, json_t *value);

/* Appends the value in compact form, keys in the order of insertion, UTF-8 as it is.
 * Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_json_write(struct sk_buf *out, const json_t *json, struct sk_error *err);

/* Fills up to len bytes; *got is 0 at the end of the text. */
typedef enum sk_status sk_json_read_fn(void *from, void *out, size_t len, size_t *got,
                                       struct sk_error *err);

/*
 * Reads records for `--from`: an array of objects, or objects of which each begins on a line of its
 * own (JSON Lines; one object is the simplest case). Calls `each` with each object (borrowed) and
 * its number, from 1; stops at the first status that is not SK_OK. Memory follows the longest
 * record, which may have SK_JSON_RECORD_MAX bytes, and not the text.
 * Errors: SK_REFUSED naming the record and line, those of both callbacks, SK_NOMEM.
 */
typedef enum sk_status sk_json_each_fn(void *context, json_t *object, size_t number,
                                       struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_json_each(sk_json_read_fn *read, void *from, sk_json_each_fn *each, void *context,
                            struct sk_error *err);

#endif
