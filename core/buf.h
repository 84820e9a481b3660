/*
 * A byte buffer that grows. It may hold a record's text, so it is wiped whenever it lets memory go.
 *
 *     sk_auto_buf buf = SK_BUF_INIT;
 *     SK_TRY(sk_buf_add(&buf, bytes, len, err));
 *
 * `bytes` always has one zero after `len`, so that text can be read as a string.
 */
#ifndef SK_CORE_BUF_H
#define SK_CORE_BUF_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

struct sk_buf {
    uint8_t *bytes; /* NULL only before the first growth */
    size_t len;
    size_t room;
};

#define SK_BUF_INIT \
    {               \
        NULL, 0, 0  \
    }

/* Makes room for at least `more` further bytes. Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_buf_grow(struct sk_buf *buf, size_t more, struct sk_error *err);

/* Appends bytes, a string, formatted text, one byte. Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_buf_add(struct sk_buf *buf, const void *bytes, size_t len, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_buf_add_text(struct sk_buf *buf, const char *text, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_buf_printf(struct sk_buf *buf, struct sk_error *err, const char *format, ...)
    SK_PRINTF(3, 4);
SK_MUST_CHECK
enum sk_status sk_buf_add_byte(struct sk_buf *buf, uint8_t byte, struct sk_error *err);

/* The text, never NULL. */
const char *sk_buf_text(const struct sk_buf *buf);

/* Wipes what is held and keeps the memory. */
void sk_buf_reset(struct sk_buf *buf);

/* Wipes and frees; the buffer is empty and can be used again. */
void sk_buf_clear(struct sk_buf *buf);

#define sk_auto_buf __attribute__((cleanup(sk_buf_clear))) struct sk_buf

#endif
