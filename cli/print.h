/*
 * What goes out: results on standard output, messages on standard error. Text that a person or a
 * bundle wrote passes sk_text_show() or sk_text_show_json() here and nowhere else.
 */
#ifndef SK_CLI_PRINT_H
#define SK_CLI_PRINT_H

#include "core/form.h"
#include "core/json.h"
#include "core/store.h"

#include <stdbool.h>
#include <stdio.h>

/* Gives standard output a buffer that sk_out_end() wipes. */
void sk_out_begin(void);

/* Flushes, closes and wipes. Errors: SK_IO or SK_FULL when anything was not written. */
SK_MUST_CHECK enum sk_status sk_out_end(struct sk_error *err);

/* Hands on what was written so far, for a command that goes on for long. Errors: SK_IO, SK_FULL. */
SK_MUST_CHECK enum sk_status sk_out_flush(struct sk_error *err);

/* The result: plain lines of the program's own. */
void sk_out(const char *format, ...) SK_PRINTF(1, 2);

/* The result: text of others, in one line. */
SK_MUST_CHECK enum sk_status sk_out_text(const char *text, struct sk_error *err);

/* One JSON value in one line, without the newline. */
SK_MUST_CHECK enum sk_status sk_out_json(const json_t *json, struct sk_error *err);

/* A JSON value that is the whole result, owned by the caller; NULL stands for "no memory". */
SK_MUST_CHECK enum sk_status sk_out_json_line(const json_t *json, struct sk_error *err);

/* An array that is written while it is made: begin, each, end. */
struct sk_out_array {
    size_t count;
};
void sk_out_array_begin(struct sk_out_array *array);
/* Takes the reference; NULL stands for "no memory". Errors: SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_out_array_add(struct sk_out_array *array, json_t *element,
                                              struct sk_error *err);
void sk_out_array_end(struct sk_out_array *array);
/* After a failure: an array that was not ended is not shown, as long as it fits the buffer and none
 * of it was handed on. */
void sk_out_array_drop(void);

/* A message on standard error with the program's name before it; the arguments may be anything. */
void sk_say(const char *program, const char *format, ...) SK_PRINTF(2, 3);

/* Columns of the terminal behind a stream, 0 when it is none. */
unsigned sk_columns(FILE *stream);

/* Text of others cut to `columns` and filled up with spaces to them (0: as it is). */
SK_MUST_CHECK enum sk_status sk_out_cell(const char *text, size_t columns, struct sk_error *err);

/* A record's fields by their labels, one a line, deeper ones indented; appended ready to be shown.
 */
SK_MUST_CHECK enum sk_status sk_fields_show(struct sk_buf *out, const struct sk_field *fields,
                                            size_t count, const json_t *object, unsigned indent,
                                            struct sk_error *err);

/* "5", "[5, 8)" as JSON [[from, to] ...], and "5-7, 9" for a person; NULL: no memory. */
json_t *sk_ranges_json(const struct sk_ranges *ranges);
SK_MUST_CHECK enum sk_status sk_ranges_text(struct sk_buf *out, const struct sk_ranges *ranges,
                                            struct sk_error *err);

/* "1 entry", "2 entries": appended to a message as "%llu %s". */
const char *sk_plural(uint64_t count, const char *one, const char *many);

/* "12.3 MB" (16 bytes with NUL). */
#define SK_SIZE_TEXT_LEN 16
void sk_size_text(char out[static SK_SIZE_TEXT_LEN], uint64_t bytes);

/*
 * A progress bar on standard error, if that is a terminal:
 *     sk_auto_bar bar;
 *     sk_bar_begin(&bar, "exporting");
 *     ... &bar.progress ...
 */
struct sk_bar {
    struct sk_progress progress;
    const char *what;
    int64_t shown_ms; /* when it was drawn last */
    bool drawn;
};
void sk_bar_begin(struct sk_bar *bar, const char *what);
void sk_bar_end(struct sk_bar *bar);
#define sk_auto_bar __attribute__((cleanup(sk_bar_end))) struct sk_bar

#endif
