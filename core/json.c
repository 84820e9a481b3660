#include "core/json.h"

#include "crypto/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_LEN 65536

/* An allocation failed: the library does not always say so, and drops bytes of a text instead. */
static _Thread_local bool starved;

static void *json_malloc(size_t len)
{
    void *memory = malloc(len);
    starved |= !memory;
    return memory;
}

void sk_json_init(void)
{
    json_set_alloc_funcs(json_malloc, sk_wipe_free);
}

bool sk_json_starved(void)
{
    bool was = starved;

    starved = false;
    return was;
}

void sk_json_put(json_t **object, const char *key, json_t *value)
{
    sk_auto_json owned = value;

    if (*object && json_object_set(*object, key, owned) == 0)
        return;
    json_decref(*object);
    *object = NULL;
}

/*
 * A piece of a text, and where it stands, for the words of an error: `line` counts from 1, `record`
 * is 0 when the text is one value.
 */
struct piece {
    const char *text;
    size_t len;
    size_t line;
    size_t record;
};

static enum sk_status piece_fail(const struct piece *piece, size_t line, const char *sentence,
                                 struct sk_error *err)
{
    if (piece->record == 0)
        return sk_fail(err, SK_REFUSED, "line %zu: %s", line, sentence);
    return sk_fail(err, SK_REFUSED, "record %zu, line %zu: %s", piece->record, line, sentence);
}

/* What is known of the value at the start of a text before it is parsed. */
struct bounds {
    size_t used;      /* bytes up to and with the bracket that closes the first one */
    unsigned deepest; /* the most levels seen */
    size_t values;    /* how many begin, or a few more */
};

/*
 * How far the brackets of the value at the start of a text reach, and whether they end there. It
 * only counts; whether the brackets match is for the parser. It stops where there is too much of
 * something: a parsed value takes many times the memory of its text.
 */
static bool value_bounds(const char *text, size_t len, struct bounds *out)
{
    unsigned depth = 0;
    bool in_string = false;

    *out = (struct bounds){0, 0, 0};
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > out->deepest)
                out->deepest = depth;
            if (depth > SK_JSON_DEPTH_MAX || ++out->values > SK_JSON_VALUES_MAX)
                return false;
        } else if (c == ',') {
            if (++out->values > SK_JSON_VALUES_MAX)
                return false;
        } else if ((c == '}' || c == ']') && (depth == 0 || --depth == 0)) {
            out->used = i + 1;
            return true;
        }
    }
    return false;
}

static enum sk_status check_bounds(const struct piece *piece, struct sk_error *err)
{
    struct bounds bounds;

    (void)value_bounds(piece->text, piece->len, &bounds);
    if (bounds.deepest > SK_JSON_DEPTH_MAX)
        return piece_fail(piece, piece->line, "the JSON is nested too deeply", err);
    if (bounds.values > SK_JSON_VALUES_MAX)
        return piece_fail(piece, piece->line, "the JSON has too many values", err);
    return SK_OK;
}

enum sk_status sk_json_check(const char *text, size_t len, struct sk_error *err)
{
    return check_bounds(&(struct piece){text, len, 1, 0}, err);
}

/* The library's own sentences quote the text, these do not. */
static const char *sentence_of(enum json_error_code code)
{
    switch (code) {
    case json_error_invalid_utf8:
        return "the text is not UTF-8";
    case json_error_premature_end_of_input:
        return "the JSON ends too early";
    case json_error_end_of_input_expected:
        return "there is more behind the end of the JSON value";
    case json_error_duplicate_key:
        return "an object has two fields of the same name";
    case json_error_numeric_overflow:
        return "a number is too large";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a text holds a NUL character";
    default:
        return "this is not valid JSON";
    }
}

/* The library passes over a NUL behind a number or a literal, since it takes one for the end of
 * what it has read so far. */
static enum sk_status check_nul(const struct piece *piece, struct sk_error *err)
{
    const char *nul = memchr(piece->text, '\0', piece->len);
    size_t line = piece->line;

    if (!nul)
        return SK_OK;
    for (const char *at = piece->text; at < nul; at++)
        line += *at == '\n';
    return piece_fail(piece, line, sentence_of(json_error_invalid_syntax), err);
}

static enum sk_status parse_piece(json_t **out, const struct piece *piece, struct sk_error *err)
{
    json_error_t error;

    SK_TRY(check_bounds(piece, err));
    SK_TRY(check_nul(piece, err));
    starved = false;
    json_t *json =
        json_loadb(piece->text, piece->len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

    if (json && !starved) {
        *out = json;
        return SK_OK;
    }
    json_decref(json);

    enum json_error_code code = json_error_code(&error);
    size_t line = piece->line + (error.line > 0 ? (size_t)error.line - 1 : 0);

    sk_wipe(&error, sizeof(error));
    if (starved || code == json_error_out_of_memory)
        return sk_fail_status(err, SK_NOMEM);
    return piece_fail(piece, line, sentence_of(code), err);
}

enum sk_status sk_json_parse(json_t **out, const char *text, size_t len, struct sk_error *err)
{
    return parse_piece(out, &(struct piece){len > 0 ? text : "", len, 1, 0}, err);
}

enum sk_status sk_json_copy(json_t **out, const json_t *json, struct sk_error *err)
{
    starved = false;
    json_t *copy = json_deep_copy(json);

    if (!copy || starved) {
        json_decref(copy);
        return sk_fail_status(err, SK_NOMEM);
    }
    *out = copy;
    return SK_OK;
}

/*
 * The digits in which each number of a value comes back as it was: 15 keep 0.1 as it was written,
 * 17 are needed for numbers that came out of a computation.
 */
static size_t digits_needed(const json_t *json)
{
    const char *key;
    json_t *member;
    size_t index;
    size_t digits = 15;

    if (json_is_real(json)) {
        char text[32];

        (void)snprintf(text, sizeof(text), "%.15g", json_real_value(json));
        return strtod(text, NULL) == json_real_value(json) ? 15 : 17;
    }
    json_array_foreach(json, index, member)
    {
        if (digits_needed(member) > digits)
            digits = 17;
    }
    json_object_foreach(sk_json_plain(json), key, member)
    {
        if (digits_needed(member) > digits)
            digits = 17;
    }
    return digits;
}

struct writing {
    struct sk_buf *out;
    enum sk_status status;
    struct sk_error *err;
};

/* The library goes on after a piece of an object's key that was not taken, and says nothing. */
static int write_piece(const char *text, size_t len, void *context)
{
    struct writing *writing = context;

    if (writing->status != SK_OK)
        return -1;
    writing->status = sk_buf_add(writing->out, text, len, writing->err);
    return writing->status == SK_OK ? 0 : -1;
}

enum sk_status sk_json_write(struct sk_buf *out, const json_t *json, struct sk_error *err)
{
    struct writing writing = {out, SK_OK, err};
    size_t before = out->len;
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits_needed(json));

    if (json_dump_callback(json, write_piece, &writing, flags) == 0 && writing.status == SK_OK)
        return SK_OK;
    if (out->len > before) {
        sk_wipe(out->bytes + before, out->len - before);
        out->len = before;
    }
    /* Apart from memory only a value that no parser made can fail: a loop, a text that is no UTF-8.
     */
    return writing.status != SK_OK ? writing.status : sk_fail_status(err, SK_NOMEM);
}

/* A place in the text of sk_json_each(), of which a window is in memory. */
struct cursor {
    sk_json_read_fn *read;
    void *from;
    bool ended; /* there is nothing behind the window */
    struct sk_buf window;
    size_t at; /* in the window */
    size_t line;
    size_t number; /* of the record, from 1 */
    sk_json_each_fn *each;
    void *context;
};

static enum sk_status cursor_fail(const struct cursor *cursor, const char *sentence,
                                  struct sk_error *err)
{
    return piece_fail(&(struct piece){"", 0, 0, cursor->number}, cursor->line, sentence, err);
}

static const char *here(const struct cursor *cursor)
{
    return sk_buf_text(&cursor->window) + cursor->at;
}

static size_t left(const struct cursor *cursor)
{
    return cursor->window.len - cursor->at;
}

/* Reads on: what was passed leaves the window, and at least as much as is left comes in. */
static enum sk_status fill(struct cursor *cursor, struct sk_error *err)
{
    struct sk_buf *window = &cursor->window;
    size_t keep = left(cursor);
    size_t step = keep > WINDOW_LEN ? keep : WINDOW_LEN;
    size_t got = 0;

    if (keep > SK_JSON_RECORD_MAX)
        return cursor_fail(cursor, "this record is too long", err);
    if (keep > 0)
        memmove(window->bytes, window->bytes + cursor->at, keep);
    window->len = keep;
    cursor->at = 0;
    SK_TRY(sk_buf_grow(window, step, err));
    SK_TRY(cursor->read(cursor->from, window->bytes + keep, step, &got, err));
    window->len = keep + got;
    cursor->ended = got == 0;
    return SK_OK;
}

/* The character that stands `ahead` bytes from here, -1 behind the end. */
static enum sk_status peek(struct cursor *cursor, size_t ahead, int *c, struct sk_error *err)
{
    while (ahead >= left(cursor) && !cursor->ended)
        SK_TRY(fill(cursor, err));
    *c = ahead < left(cursor) ? (unsigned char)here(cursor)[ahead] : -1;
    return SK_OK;
}

static void advance(struct cursor *cursor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (here(cursor)[i] == '\n')
            cursor->line++;
    cursor->at += count;
}

/* Passes over white space; *c becomes the character behind it. */
static enum sk_status skip_space(struct cursor *cursor, int *c, struct sk_error *err)
{
    for (;;) {
        SK_TRY(peek(cursor, 0, c, err));
        if (*c != ' ' && *c != '\t' && *c != '\r' && *c != '\n')
            return SK_OK;
        advance(cursor, 1);
    }
}

/* The length of the value that begins here; all that is left when it has no end. */
static enum sk_status measure(struct cursor *cursor, size_t *len, struct sk_error *err)
{
    struct bounds bounds;

    while (!value_bounds(here(cursor), left(cursor), &bounds)) {
        *len = left(cursor);
        if (cursor->ended || bounds.deepest > SK_JSON_DEPTH_MAX ||
            bounds.values > SK_JSON_VALUES_MAX)
            return SK_OK;
        SK_TRY(fill(cursor, err));
    }
    *len = bounds.used;
    return SK_OK;
}

/* A record that is not in an array has the rest of its line for itself. */
static enum sk_status check_line_ends(struct cursor *cursor, size_t len, struct sk_error *err)
{
    int c;

    do
        SK_TRY(peek(cursor, len++, &c, err));
    while (c == ' ' || c == '\t' || c == '\r');
    return c == '\n' || c == -1
               ? SK_OK
               : cursor_fail(cursor, "there is more behind the end of the JSON value", err);
}

/* Parses one object, hands it on and moves behind it. */
static enum sk_status take_object(struct cursor *cursor, bool in_array, struct sk_error *err)
{
    sk_auto_json object = NULL;
    size_t len = 0;
    int c;

    SK_TRY(peek(cursor, 0, &c, err));
    if (c == -1)
        return cursor_fail(cursor, "the JSON ends too early", err);
    if (c != '{')
        return cursor_fail(cursor, "a record is a JSON object, in { and }", err);
    SK_TRY(measure(cursor, &len, err));
    SK_TRY(parse_piece(&object, &(struct piece){here(cursor), len, cursor->line, cursor->number},
                       err));
    if (!in_array)
        SK_TRY(check_line_ends(cursor, len, err));
    SK_TRY(cursor->each(cursor->context, object, cursor->number, err));
    advance(cursor, len);
    cursor->number++;
    return SK_OK;
}

static enum sk_status each_of_array(struct cursor *cursor, struct sk_error *err)
{
    int c;

    advance(cursor, 1);
    SK_TRY(skip_space(cursor, &c, err));
    while (c != ']' || cursor->number > 1) {
        SK_TRY(take_object(cursor, true, err));
        SK_TRY(skip_space(cursor, &c, err));
        if (c == ']')
            break;
        if (c != ',')
            return cursor_fail(cursor, "a comma or ] is missing before this", err);
        advance(cursor, 1);
        SK_TRY(skip_space(cursor, &c, err));
    }
    advance(cursor, 1);
    SK_TRY(skip_space(cursor, &c, err));
    return c == -1 ? SK_OK : cursor_fail(cursor, "there is more behind the end of the array", err);
}

static enum sk_status each_of_lines(struct cursor *cursor, struct sk_error *err)
{
    int c;

    do {
        SK_TRY(take_object(cursor, false, err));
        SK_TRY(skip_space(cursor, &c, err));
    } while (c != -1);
    return SK_OK;
}

static enum sk_status each_of_text(struct cursor *cursor, struct sk_error *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    int c;

    SK_TRY(peek(cursor, 2, &c, err));
    if (c != -1 && memcmp(here(cursor), byte_order_mark, 3) == 0)
        advance(cursor, 3);
    SK_TRY(skip_space(cursor, &c, err));
    if (c == -1)
        return sk_fail(err, SK_REFUSED, "there is no record in it");
    return c == '[' ? each_of_array(cursor, err) : each_of_lines(cursor, err);
}

enum sk_status sk_json_each(sk_json_read_fn *read, void *from, sk_json_each_fn *each, void *context,
                            struct sk_error *err)
{
    struct cursor cursor = {
        .read = read,
        .from = from,
        .window = SK_BUF_INIT,
        .line = 1,
        .number = 1,
        .each = each,
        .context = context,
    };
    enum sk_status status = each_of_text(&cursor, err);

    sk_buf_clear(&cursor.window);
    return status;
}
