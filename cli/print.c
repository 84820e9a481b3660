#include "cli/print.h"

#include "core/text.h"
#include "core/types.h"
#include "crypto/secret.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define OUT_BUFFER_LEN 65536

static char out_buffer[OUT_BUFFER_LEN];
static int out_errno; /* why a flush before the end failed */
static bool in_array; /* one was begun and not ended */

void sk_out_begin(void)
{
    (void)setvbuf(stdout, out_buffer, _IOFBF, sizeof(out_buffer));
}

enum sk_status sk_out_end(struct sk_error *err)
{
    bool failed = ferror(stdout) != 0;

    errno = out_errno;
    failed |= fclose(stdout) != 0;
    sk_wipe(out_buffer, sizeof(out_buffer));
    if (!failed)
        return SK_OK;
    if (errno == 0)
        return sk_fail(err, SK_IO, "standard output could not be written");
    return sk_fail_errno(err, SK_IO, "standard output could not be written");
}

enum sk_status sk_out_flush(struct sk_error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return SK_OK;
    if (out_errno == 0)
        out_errno = errno;
    errno = out_errno;
    return sk_fail_errno(err, SK_IO, "standard output could not be written");
}

void sk_out(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(stdout, format, args);
    va_end(args);
}

enum sk_status sk_out_text(const char *text, struct sk_error *err)
{
    sk_auto_buf shown = SK_BUF_INIT;

    SK_TRY(sk_text_show(&shown, text, strlen(text), false, 0, err));
    (void)fwrite(sk_buf_text(&shown), 1, shown.len, stdout);
    return SK_OK;
}

enum sk_status sk_out_json(const json_t *json, struct sk_error *err)
{
    sk_auto_buf raw = SK_BUF_INIT;
    sk_auto_buf shown = SK_BUF_INIT;

    if (!json)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_json_write(&raw, json, err));
    SK_TRY(sk_text_show_json(&shown, sk_buf_text(&raw), raw.len, err));
    (void)fwrite(sk_buf_text(&shown), 1, shown.len, stdout);
    return SK_OK;
}

enum sk_status sk_out_json_line(const json_t *json, struct sk_error *err)
{
    SK_TRY(sk_out_json(json, err));
    sk_out("\n");
    return SK_OK;
}

void sk_out_array_begin(struct sk_out_array *array)
{
    array->count = 0;
    in_array = true;
    sk_out("[");
}

enum sk_status sk_out_array_add(struct sk_out_array *array, json_t *element, struct sk_error *err)
{
    sk_auto_json owned = element;

    sk_out(array->count++ == 0 ? "\n" : ",\n");
    return sk_out_json(owned, err);
}

void sk_out_array_end(struct sk_out_array *array)
{
    sk_out(array->count == 0 ? "]\n" : "\n]\n");
    in_array = false;
}

void sk_out_array_drop(void)
{
    if (in_array)
        __fpurge(stdout);
    in_array = false;
}

/* What can be shown where there is no memory for more. */
static void only_ascii(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

void sk_say(const char *program, const char *format, ...)
{
    sk_auto_buf shown = SK_BUF_INIT;
    char text[2048];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    /* The result comes first where both go to one terminal. */
    if (fflush(stdout) != 0 && out_errno == 0)
        out_errno = errno;
    if (sk_text_show(&shown, text, strlen(text), true, 0, NULL) != SK_OK)
        only_ascii(text);
    (void)fprintf(stderr, "%s: %s\n", program, shown.len > 0 ? sk_buf_text(&shown) : text);
}

unsigned sk_columns(FILE *stream)
{
    struct winsize size;
    int fd = fileno(stream);

    if (fd < 0 || !isatty(fd))
        return 0;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

enum sk_status sk_out_cell(const char *text, size_t columns, struct sk_error *err)
{
    sk_auto_buf shown = SK_BUF_INIT;

    SK_TRY(sk_text_show(&shown, text, strlen(text), false, 0, err));

    size_t len = columns > 0 ? sk_text_fit(sk_buf_text(&shown), shown.len, columns) : shown.len;
    size_t used = sk_text_columns(sk_buf_text(&shown), len);

    (void)fwrite(sk_buf_text(&shown), 1, len, stdout);
    if (columns > used)
        sk_out("%*s", (int)(columns - used), "");
    return SK_OK;
}

/* ---- a record's fields ---- */

static enum sk_status show_indent(struct sk_buf *out, unsigned indent, struct sk_error *err)
{
    for (unsigned i = 0; i < indent; i++)
        SK_TRY(sk_buf_add_byte(out, ' ', err));
    return SK_OK;
}

static enum sk_status show_value(struct sk_buf *out, const struct sk_field *field,
                                 const json_t *value, unsigned indent, struct sk_error *err)
{
    sk_auto_buf raw = SK_BUF_INIT;

    SK_TRY(sk_form_value_text(&raw, field, value, err));

    bool several = memchr(sk_buf_text(&raw), '\n', raw.len) != NULL;

    SK_TRY(sk_buf_add_text(out, several ? "\n" : " ", err));
    if (several)
        SK_TRY(show_indent(out, indent + 4, err));
    SK_TRY(sk_text_show(out, sk_buf_text(&raw), raw.len, true, indent + 4, err));
    return sk_buf_add_byte(out, '\n', err);
}

static enum sk_status show_field(struct sk_buf *out, const struct sk_field *field,
                                 const json_t *value, unsigned indent, struct sk_error *err)
{
    const json_t *entry;
    size_t index;

    if (field->type == SK_FIELD_REPEAT && json_is_array(value)) {
        json_array_foreach(value, index, entry)
        {
            SK_TRY(show_indent(out, indent, err));
            SK_TRY(sk_buf_printf(out, err, "%s, %zu:\n", field->label, index + 1));
            SK_TRY(sk_fields_show(out, field->fields, field->field_count, entry, indent + 4, err));
        }
        return SK_OK;
    }
    SK_TRY(show_indent(out, indent, err));
    SK_TRY(sk_buf_printf(out, err, "%s:", field->label));
    if (field->type == SK_FIELD_GROUP && !json_object_get(value, "missing")) {
        SK_TRY(sk_buf_add_byte(out, '\n', err));
        return sk_fields_show(out, field->fields, field->field_count, value, indent + 4, err);
    }
    return show_value(out, field, value, indent, err);
}

enum sk_status sk_fields_show(struct sk_buf *out, const struct sk_field *fields, size_t count,
                              const json_t *object, unsigned indent, struct sk_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, fields[i].name);

        if (value)
            SK_TRY(show_field(out, &fields[i], value, indent, err));
    }
    return SK_OK;
}

/* ---- ranges, counts, sizes ---- */

json_t *sk_ranges_json(const struct sk_ranges *ranges)
{
    sk_auto_json array = json_array();

    for (size_t i = 0; array && i < ranges->count; i++) {
        json_t *pair =
            json_pack("[II]", (json_int_t)ranges->items[i].from, (json_int_t)ranges->items[i].to);

        if (json_array_append_new(array, pair) != 0)
            return NULL;
    }
    return json_incref(array);
}

enum sk_status sk_ranges_text(struct sk_buf *out, const struct sk_ranges *ranges,
                              struct sk_error *err)
{
    if (ranges->count == 0)
        return sk_buf_add_text(out, "none", err);
    for (size_t i = 0; i < ranges->count; i++) {
        unsigned long long from = ranges->items[i].from;
        unsigned long long last = ranges->items[i].to - 1;

        SK_TRY(sk_buf_add_text(out, i > 0 ? ", " : "", err));
        SK_TRY(sk_buf_printf(out, err, "%llu", from));
        if (last != from)
            SK_TRY(sk_buf_printf(out, err, "-%llu", last));
    }
    return SK_OK;
}

const char *sk_plural(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

void sk_size_text(char out[static SK_SIZE_TEXT_LEN], uint64_t bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    uint64_t tenths = bytes * 10;
    size_t unit = 0;

    if (bytes < 1000) {
        (void)snprintf(out, SK_SIZE_TEXT_LEN, "%u B", (unsigned)bytes);
        return;
    }
    while (tenths >= 10000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        tenths /= 1000;
        unit++;
    }
    (void)snprintf(out, SK_SIZE_TEXT_LEN, "%u.%u %s", (unsigned)(tenths / 10),
                   (unsigned)(tenths % 10), units[unit]);
}

/* ---- progress ---- */

#define BAR_WIDTH    30
#define BAR_FIRST_MS 400 /* short tasks draw nothing */
#define BAR_EVERY_MS 100

static int64_t now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void draw(void *context, uint64_t done, uint64_t total)
{
    struct sk_bar *bar = context;
    int64_t now = now_ms();
    double part = total > 0 ? (double)done / (double)total : 0;
    int full = (int)(part * BAR_WIDTH);

    if (now - bar->shown_ms < (bar->drawn ? BAR_EVERY_MS : BAR_FIRST_MS))
        return;
    if (full > BAR_WIDTH)
        full = BAR_WIDTH;
    bar->shown_ms = now;
    bar->drawn = true;
    (void)fprintf(stderr, "\r%s [%.*s%*s] %3d%%", bar->what, full, "##############################",
                  BAR_WIDTH - full, "", full * 100 / BAR_WIDTH);
}

void sk_bar_begin(struct sk_bar *bar, const char *what)
{
    *bar = (struct sk_bar){.progress = {draw, bar}, .what = what, .shown_ms = now_ms()};
    if (!isatty(STDERR_FILENO))
        bar->progress.tell = NULL;
}

void sk_bar_end(struct sk_bar *bar)
{
    if (bar->drawn)
        (void)fprintf(stderr, "\r%*s\r", (int)strlen(bar->what) + BAR_WIDTH + 9, "");
    bar->drawn = false;
}
