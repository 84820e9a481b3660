#include "core/buf.h"

#include "crypto/secret.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64

/* `room` counts bytes apart from the zero that always follows. */
enum sk_status sk_buf_grow(struct sk_buf *buf, size_t more, struct sk_error *err)
{
    if (buf->bytes && buf->room - buf->len >= more)
        return SK_OK;
    if (more >= SIZE_MAX / 2 - buf->len)
        return sk_fail_status(err, SK_NOMEM);

    size_t room = buf->room < FIRST_ROOM ? FIRST_ROOM : buf->room * 2;
    if (room < buf->len + more)
        room = buf->len + more;
    uint8_t *bytes = malloc(room + 1);
    if (!bytes)
        return sk_fail_status(err, SK_NOMEM);

    if (buf->bytes) {
        memcpy(bytes, buf->bytes, buf->len);
        sk_wipe(buf->bytes, buf->room);
        free(buf->bytes);
    }
    bytes[buf->len] = 0;
    buf->bytes = bytes;
    buf->room = room;
    return SK_OK;
}

enum sk_status sk_buf_add(struct sk_buf *buf, const void *bytes, size_t len, struct sk_error *err)
{
    SK_TRY(sk_buf_grow(buf, len, err));
    if (len > 0)
        memcpy(buf->bytes + buf->len, bytes, len);
    buf->len += len;
    buf->bytes[buf->len] = 0;
    return SK_OK;
}

enum sk_status sk_buf_add_text(struct sk_buf *buf, const char *text, struct sk_error *err)
{
    return sk_buf_add(buf, text, strlen(text), err);
}

enum sk_status sk_buf_printf(struct sk_buf *buf, struct sk_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return sk_fail_status(err, SK_INTERNAL);

    SK_TRY(sk_buf_grow(buf, (size_t)len, err));
    va_start(args, format);
    (void)vsnprintf((char *)buf->bytes + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
    return SK_OK;
}

enum sk_status sk_buf_add_byte(struct sk_buf *buf, uint8_t byte, struct sk_error *err)
{
    return sk_buf_add(buf, &byte, 1, err);
}

const char *sk_buf_text(const struct sk_buf *buf)
{
    return buf->bytes ? (const char *)buf->bytes : "";
}

void sk_buf_reset(struct sk_buf *buf)
{
    if (buf->bytes)
        sk_wipe(buf->bytes, buf->len);
    buf->len = 0;
}

void sk_buf_clear(struct sk_buf *buf)
{
    if (buf->bytes) {
        sk_wipe(buf->bytes, buf->room);
        free(buf->bytes);
    }
    *buf = (struct sk_buf)SK_BUF_INIT;
}
