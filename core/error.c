#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERRNO_TEXT_MAX 128

/* A text that did not fit loses a character that was cut in the middle (UTF-8), so that what is
 * shown stays valid. `text` is full up to its terminating zero. */
static void drop_cut_character(char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (len - (start - 1) < want)
        text[start - 1] = '\0';
}

static void append_text(struct sk_error *err, const char *text)
{
    size_t used = strlen(err->text);
    int wanted = snprintf(err->text + used, sizeof(err->text) - used, "%s", text);
    if (wanted >= 0 && (size_t)wanted >= sizeof(err->text) - used)
        drop_cut_character(err->text, strlen(err->text));
}

static void set_text(struct sk_error *err, const char *format, va_list args) SK_PRINTF(2, 0);
static void set_text(struct sk_error *err, const char *format, va_list args)
{
    int wanted = vsnprintf(err->text, sizeof(err->text), format, args);
    if (wanted < 0)
        err->text[0] = '\0';
    else if ((size_t)wanted >= sizeof(err->text))
        drop_cut_character(err->text, strlen(err->text));
}

enum sk_status sk_error_set(struct sk_error *err, enum sk_status status, const char *format, ...)
{
    if (err && err->status == SK_OK) {
        va_list args;
        va_start(args, format);
        set_text(err, format, args);
        va_end(args);
        err->status = status;
    }
    return status;
}

enum sk_status sk_error_set_errno(struct sk_error *err, enum sk_status status, const char *format,
                                  ...)
{
    int number = errno;
    if (status == SK_IO && (number == ENOSPC || number == EDQUOT || number == EFBIG))
        status = SK_FULL;
    if (status == SK_IO && number == ENOMEM)
        status = SK_NOMEM;
    if (err && err->status == SK_OK) {
        char room[ERRNO_TEXT_MAX];
        va_list args;
        va_start(args, format);
        set_text(err, format, args);
        va_end(args);
        append_text(err, ": ");
        append_text(err, strerror_r(number, room, sizeof(room)));
        err->status = status;
    }
    errno = number;
    return status;
}

enum sk_status sk_error_set_status(struct sk_error *err, enum sk_status status)
{
    return sk_error_set(err, status, "%s", sk_status_text(status));
}

void sk_error_clear(struct sk_error *err)
{
    if (err)
        *err = (struct sk_error)SK_ERROR_INIT;
}
