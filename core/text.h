/*
 * Text: what is valid, what may be shown, dates and times.
 *
 * Text is kept byte for byte as written. What a person or a hostile bundle wrote reaches a terminal
 * only through sk_text_show() or sk_text_show_json().
 */
#ifndef SK_CORE_TEXT_H
#define SK_CORE_TEXT_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether bytes are well-formed UTF-8 (Unicode 15, table 3-7) without NUL. */
bool sk_text_valid(const void *bytes, size_t len);

/*
 * Appends text so that it is safe on a terminal: every control character (C0, DEL, C1),
 * bidirectional control, other invisible format character, line or paragraph separator,
 * noncharacter and byte that is no UTF-8 is written as <U+202E> or <0xff>. Newline and tab are kept
 * when `lines` is true; a newline then continues at the column given by `indent` spaces. Errors:
 * SK_NOMEM.
 */
SK_MUST_CHECK
enum sk_status sk_text_show(struct sk_buf *out, const char *text, size_t len, bool lines,
                            unsigned indent, struct sk_error *err);

/* Whether sk_text_show() would leave every character of it as it is, newlines and tabs excepted. */
bool sk_text_plain(const char *text, size_t len);

/*
 * Appends JSON text (valid UTF-8, as made by a JSON encoder) with every character that
 * sk_text_show() would replace written as a \uXXXX escape (a surrogate pair where needed). Newlines
 * between tokens are kept. Errors: SK_NOMEM.
 */
SK_MUST_CHECK
enum sk_status sk_text_show_json(struct sk_buf *out, const char *json, size_t len,
                                 struct sk_error *err);

/* Columns a text takes on a terminal once shown (wcwidth of C.UTF-8, wide characters 2). */
size_t sk_text_columns(const char *text, size_t len);

/* Cuts at a character's border so that at most `columns` columns remain; returns the bytes kept. */
size_t sk_text_fit(const char *text, size_t len, size_t columns);

/*
 * A date as in ISO 8601-2 (EDTF): "2024", "2024-07", "2024-07-14"; with "~" after it approximate;
 * "../D" before, "D/.." after, "D/E" between (D not after E). The calendar is checked (years 1800
 * to 2199, days of the month). Errors: SK_REFUSED with words.
 */
SK_MUST_CHECK
enum sk_status sk_date_check(const char *text, struct sk_error *err);

/* "14:30", "14:30:05". Errors: SK_REFUSED. */
SK_MUST_CHECK
enum sk_status sk_time_check(const char *text, struct sk_error *err);

/* ISO 8601 with an offset: "2024-07-14T14:30+03:00", seconds optional, "Z" allowed. */
SK_MUST_CHECK
enum sk_status sk_datetime_check(const char *text, struct sk_error *err);

/* The local time now, "2024-07-14T14:30:05+03:00" (26 bytes with NUL). */
#define SK_DATETIME_LEN 26
void sk_datetime_now(char out[static SK_DATETIME_LEN]);

/* Days since 1970-01-01 of the local date now. */
uint32_t sk_day_now(void);

/* "2024-07-14" for a day number (11 bytes with NUL). */
void sk_day_format(char out[static 11], uint32_t day);

/* Back from what sk_day_format() makes, and from nothing else. Errors: SK_REFUSED. */
SK_MUST_CHECK
enum sk_status sk_day_parse(uint32_t *day, const char *text);

#endif
