/*
 * Raw deflate (RFC 1951) of one buffer into another. Private to sync. Written by ISA-L where the
 * build has it, else by zlib; always read by zlib.
 *
 * Both keep a copy of what they work on; this memory is wiped before it is given back.
 */
#ifndef SK_SYNC_DEFLATE_H
#define SK_SYNC_DEFLATE_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sk_deflater;
struct sk_inflater;

enum sk_effort {
    SK_EFFORT_FAST,
    SK_EFFORT_SMALL, /* zlib's level 6: fewer bytes for more work (tests/bench/RESULTS.md) */
};

/* Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_deflater_new(struct sk_deflater **out, enum sk_effort effort,
                               struct sk_error *err);
void sk_deflater_free(struct sk_deflater *deflater);

/* Compresses; the length of the result, or 0 when it does not fit into `room` bytes. */
size_t sk_deflate(struct sk_deflater *deflater, uint8_t *out, size_t room, const uint8_t *bytes,
                  size_t len);

/* Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_inflater_new(struct sk_inflater **out, struct sk_error *err);
void sk_inflater_free(struct sk_inflater *inflater);

/*
 * Whether `bytes` are one whole raw deflate stream, with nothing behind it, of exactly `plain_len`
 * bytes; these are then in `out`. Never writes more than plain_len bytes.
 */
bool sk_inflate(struct sk_inflater *inflater, uint8_t *out, size_t plain_len, const uint8_t *bytes,
                size_t len);

#endif
