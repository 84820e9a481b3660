/*
 * A raw deflate stream of a long run of one letter, made bit by bit: what a library makes of the
 * same bytes differs from one to the next, and vectors must not.
 */
#ifndef SK_TESTS_VECTORS_SQUEEZE_H
#define SK_TESTS_VECTORS_SQUEEZE_H

#include "core/buf.h"

#include <stdint.h>

/* Appends one stream: `head` as it is, then `run` times the byte 'a'. */
void sk_squeeze(struct sk_buf *out, const void *head, size_t head_len, size_t run);

/* Zeros, of which two bits stand for 258: the most that deflate can do (1032:1). */
void sk_squeeze_dense(struct sk_buf *out, size_t zeros);

/* 'a', and three bytes from before the beginning. */
void sk_squeeze_far(struct sk_buf *out);

#endif
