/*
 * Goal of this test: JSON is taken strictly and within limits, whatever is fed in; the words of an
 * error name the line and never the text; what is written is read back the same; records come one
 * by one from an object, an array and JSON Lines.
 */
#include "core/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct sk_buf out;
static json_t *json;

static int clear(void **state)
{
    (void)state;
    sk_buf_clear(&out);
    json_decref(json);
    json = NULL;
    return 0;
}

static enum sk_status parse(const char *text, size_t len, struct sk_error *err)
{
    (void)clear(NULL);
    return sk_json_parse(&json, text, len, err);
}

static void refuses_len(const char *text, size_t len, const char *words)
{
    struct sk_error err = SK_ERROR_INIT;

    if (parse(text, len, &err) != SK_REFUSED)
        fail_msg("taken: %.60s", text);
    assert_null(json);
    assert_string_equal(err.text, words);
}

static void refuses(const char *text, const char *words)
{
    refuses_len(text, strlen(text), words);
}

static void takes(const char *text, const char *written)
{
    struct sk_error err = SK_ERROR_INIT;

    if (parse(text, strlen(text), &err) != SK_OK)
        fail_msg("%.60s: %s", text, err.text);
    assert_int_equal(err.status, SK_OK);
    assert_int_equal(sk_json_write(&out, json, NULL), SK_OK);
    assert_string_equal(sk_buf_text(&out), written);
}

static void values_are_taken_and_written_back(void **state)
{
    (void)state;
    takes("{}", "{}");
    takes(" [ ] ", "[]");
    takes("{\"z\": 1, \"a\": [true, false, null], \"m\": {}}",
          "{\"z\":1,\"a\":[true,false,null],\"m\":{}}");
    takes("\"\\u0041\\n\xd0\x96\\ud83d\\ude00\"", "\"A\\n\xd0\x96\xf0\x9f\x98\x80\"");
    takes("[0.1, 1500.5, -2.5e-7, 0.30000000000000004]",
          "[0.10000000000000001,1500.5,-2.4999999999999999e-7,0.30000000000000004]");
    takes("{\"a\": [0.1, 12.5], \"b\": {\"c\": 3.0}}", "{\"a\":[0.1,12.5],\"b\":{\"c\":3.0}}");
    takes("{\"b\": {\"c\": 0.30000000000000004}}", "{\"b\":{\"c\":0.30000000000000004}}");
    takes("9223372036854775807", "9223372036854775807");
    takes("-9223372036854775808", "-9223372036854775808");
}

static void broken_json_is_refused_by_line(void **state)
{
    (void)state;
    refuses("", "line 1: the JSON ends too early");
    refuses("{\"a\": 1,\n \"b\": \"Secret\n\"}", "line 2: this is not valid JSON");
    refuses("{\"a\": 1}\n\nSecret", "line 3: there is more behind the end of the JSON value");
    refuses("{\"Secret\": 1,\n\"Secret\": 2}", "line 2: an object has two fields of the same name");
    refuses("{\"\\u0053ecret\": 1, \"Secret\": 2}",
            "line 1: an object has two fields of the same name");
    refuses("{\"a\": \"Secret\\u0000\"}", "line 1: a text holds a NUL character");
    refuses("{\"Secret\\u0000\": 1}", "line 1: a text holds a NUL character");
    refuses("[\"\xff\"]", "line 1: the text is not UTF-8");
    refuses("[\"\xc0\x80\"]", "line 1: the text is not UTF-8");
    refuses("[\"\xed\xa0\x80\"]", "line 1: the text is not UTF-8");
    refuses("[\"\\ud800\"]", "line 1: this is not valid JSON");
    refuses("[\"\\udc00\\ud800\"]", "line 1: this is not valid JSON");
    refuses("[99999999999999999999]", "line 1: a number is too large");
    refuses("[-99999999999999999999]", "line 1: a number is too large");
    refuses("[1e999]", "line 1: a number is too large");
    refuses("\xef\xbb\xbf{}", "line 1: this is not valid JSON");
}

static void near_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "[NaN]",    "[Infinity]", "[-Infinity]", "[01]",        "[.5]",    "[5.]",  "[+1]",
        "[0x10]",   "[1,]",       "{\"a\":1,}",  "{a:1}",       "{'a':1}", "[1 2]", "[/**/]",
        "[TRUE]",   "[\"\t\"]",   "[\"\\x41\"]", "[}",          "{]",      "]",     "}",
        "[[]",      "\"",         "\"\\",        "[\"\\u12\"]", "[1e]",    "[-]",   "{\"a\"}",
        "{\"a\":}", "{1:2}",      "nul",         "[\x01]",
    };
    struct sk_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        sk_error_clear(&err);
        if (parse(texts[i], strlen(texts[i]), &err) != SK_REFUSED)
            fail_msg("taken: %s", texts[i]);
        assert_memory_equal(err.text, "line 1: ", 8);
        assert_int_equal(parse(texts[i], strlen(texts[i]), NULL), SK_REFUSED);
    }
    /* Raw NULs, inside a text and behind a value. */
    assert_int_equal(parse("[\"a\0b\"]", 7, NULL), SK_REFUSED);
    assert_int_equal(parse("[1]\0", 4, NULL), SK_REFUSED);
    assert_int_equal(parse("\0", 1, NULL), SK_REFUSED);
    /* Behind what ends with the next sign, where the library passes over one. */
    refuses_len("[\n1\0]", 5, "line 2: this is not valid JSON");
    refuses_len("[1.5\0, 2]", 9, "line 1: this is not valid JSON");
    refuses_len("[true\0]", 7, "line 1: this is not valid JSON");
    refuses_len("{\"a\": null\0}", 12, "line 1: this is not valid JSON");
    assert_int_equal(parse(NULL, 0, NULL), SK_REFUSED);
}

static void nest(char *text, size_t levels, bool objects)
{
    char *at = text;

    for (size_t i = 0; i < levels; i++) {
        const char *open = objects && i + 1 < levels ? "{\"[\":" : "[";

        memcpy(at, open, strlen(open));
        at += strlen(open);
    }
    for (size_t i = levels; i-- > 0;)
        *at++ = objects && i + 1 < levels ? '}' : ']';
    *at = '\0';
}

static void nesting_ends_at_the_limit(void **state)
{
    static char text[1 << 20];

    (void)state;
    for (size_t levels = 1; levels < 80; levels++) {
        for (int objects = 0; objects < 2; objects++) {
            nest(text, levels, objects != 0);
            if (levels <= SK_JSON_DEPTH_MAX)
                assert_int_equal(parse(text, strlen(text), NULL), SK_OK);
            else
                refuses(text, "line 1: the JSON is nested too deeply");
        }
    }
    memset(text, '[', sizeof(text));
    refuses_len(text, sizeof(text), "line 1: the JSON is nested too deeply");
    memcpy(text, "1 ", 2);
    assert_int_equal(parse(text, sizeof(text), NULL), SK_REFUSED);
    /* Brackets in texts are not nesting, behind an escaped quote neither. */
    text[0] = '[';
    text[1] = '"';
    memcpy(text + 2, "\\\"", 2);
    memcpy(text + sizeof(text) - 2, "\"]", 2);
    assert_int_equal(parse(text, sizeof(text), NULL), SK_OK);
}

/* Every way to cut a text short or to change one byte ends in a refusal or in another JSON text. */
static void hostile_bytes_do_no_harm(void **state)
{
    static const char sample[] =
        "{\"name\": \"\xd0\x90\\u0416\\n\", \"n\": [1, -2.5e3, true, null], \"o\": {\"k\": []}}";
    char text[sizeof(sample)];

    (void)state;
    assert_int_equal(parse(sample, strlen(sample), NULL), SK_OK);
    for (size_t len = 0; len < strlen(sample); len++)
        assert_int_equal(parse(sample, len, NULL), SK_REFUSED);
    for (size_t at = 0; at < strlen(sample); at++) {
        for (int c = 0; c < 256; c++) {
            memcpy(text, sample, sizeof(sample));
            text[at] = (char)c;
            if (parse(text, strlen(sample), NULL) == SK_OK) {
                assert_int_equal(sk_json_write(&out, json, NULL), SK_OK);
                json_decref(json);
                json = NULL;
                assert_int_equal(sk_json_parse(&json, sk_buf_text(&out), out.len, NULL), SK_OK);
            }
        }
    }
}

static void a_value_that_cannot_be_written_leaves_the_buffer(void **state)
{
    (void)state;
    assert_int_equal(sk_buf_add_text(&out, "before", NULL), SK_OK);
    json = json_pack("[s, o]", "Secret", json_string_nocheck("\xff"));
    assert_non_null(json);
    assert_int_not_equal(sk_json_write(&out, json, NULL), SK_OK);
    assert_string_equal(sk_buf_text(&out), "before");
    assert_int_equal(out.len, 6);
}

/* A text that is read in steps: sk_json_each() must not care where they end. */
struct steps {
    const char *text;
    size_t left;
    size_t step;
};

static enum sk_status read_step(void *from, void *bytes, size_t len, size_t *got,
                                struct sk_error *err)
{
    struct steps *steps = from;
    (void)err;
    *got = steps->left < steps->step ? steps->left : steps->step;
    *got = *got < len ? *got : len;
    memcpy(bytes, steps->text, *got);
    steps->text += *got;
    steps->left -= *got;
    return SK_OK;
}

static enum sk_status each_of(const char *text, size_t len, size_t step, sk_json_each_fn *each,
                              void *context, struct sk_error *err)
{
    struct steps steps = {text, len, step};
    return sk_json_each(read_step, &steps, each, context, err);
}

/* Records that begin and never end. */
static enum sk_status read_for_ever(void *from, void *bytes, size_t len, size_t *got,
                                    struct sk_error *err)
{
    const char **beginning = from;
    (void)err;
    memset(bytes, 'a', len);
    memcpy(bytes, *beginning, strlen(*beginning));
    *beginning = "";
    *got = len;
    return SK_OK;
}

static enum sk_status no_record(void *context, json_t *object, size_t number, struct sk_error *err)
{
    (void)context, (void)object, (void)number, (void)err;
    fail();
    return SK_OK;
}

static void endless_records_are_refused(void **state)
{
    static const char *const beginnings[] = {"{\"a\": \"", "[{\"a\": \"", "\n\n{"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sk_error err = SK_ERROR_INIT;
        const char *beginning = beginnings[i];
        assert_int_equal(sk_json_each(read_for_ever, &beginning, no_record, NULL, &err),
                         SK_REFUSED);
        assert_non_null(strstr(err.text, "this record is too long"));
    }
}

/* What sk_json_each() handed on, one line a record. */
static enum sk_status collect(void *context, json_t *object, size_t number, struct sk_error *err)
{
    size_t *stop = context;

    assert_true(json_is_object(object));
    if (stop && *stop == number)
        return sk_fail(err, SK_BUSY, "stopped");
    SK_TRY(sk_buf_printf(&out, err, "%zu", number));
    SK_TRY(sk_json_write(&out, object, err));
    return sk_buf_add_byte(&out, '\n', err);
}

static void each_gives(const char *text, const char *expected)
{
    for (size_t step = 1; step < 8; step++) {
        struct sk_error err = SK_ERROR_INIT;

        (void)clear(NULL);
        if (each_of(text, strlen(text), step, collect, NULL, &err) != SK_OK)
            fail_msg("%s: %s", text, err.text);
        assert_string_equal(sk_buf_text(&out), expected);
    }
}

static void each_refuses(const char *text, const char *given, const char *words)
{
    for (size_t step = 1; step < 8; step++) {
        struct sk_error err = SK_ERROR_INIT;

        (void)clear(NULL);
        if (each_of(text, strlen(text), step, collect, NULL, &err) != SK_REFUSED)
            fail_msg("taken: %s", text);
        assert_string_equal(sk_buf_text(&out), given);
        assert_string_equal(err.text, words);
    }
}

static void records_come_one_by_one(void **state)
{
    (void)state;
    each_gives("{}", "1{}\n");
    each_gives("\xef\xbb\xbf \r\n{\n \"a\": \"}\\\"{\"\n}\n\n", "1{\"a\":\"}\\\"{\"}\n");
    each_gives("[]", "");
    each_gives(" [ ] ", "");
    each_gives("[{\"a\":[{}]}]", "1{\"a\":[{}]}\n");
    each_gives("[\n{\"a\":\"[\"} ,\n{\"b\":\n2},{}\n]\n", "1{\"a\":\"[\"}\n2{\"b\":2}\n3{}\n");
    each_gives("{\"a\":1}\n{\"b\":2}", "1{\"a\":1}\n2{\"b\":2}\n");
    each_gives("\xef\xbb\xbf{\"a\":1}\r\n\n  \r\n {\"b\":2} \r\n{\"c\":3}\n\n",
               "1{\"a\":1}\n2{\"b\":2}\n3{\"c\":3}\n");
    each_gives("{\n\"a\":1}\n{\"a\":\n2}\n", "1{\"a\":1}\n2{\"a\":2}\n");
}

static enum sk_status count_long(void *context, json_t *object, size_t number, struct sk_error *err)
{
    size_t *count = context;
    (void)err;
    assert_int_equal(number, ++*count);
    assert_int_equal(json_string_length(json_object_get(object, "text")), 1000 * number);
    return SK_OK;
}

/* Records that are longer than what is read at once, with brackets and quotes in them. */
static void long_records_are_read_piece_by_piece(void **state)
{
    sk_auto_buf text = SK_BUF_INIT;
    size_t count = 0;

    (void)state;
    for (size_t number = 1; number <= 200; number++) {
        assert_int_equal(sk_buf_add_text(&text, "{\"text\":\"", NULL), SK_OK);
        for (size_t i = 0; i < 500 * number; i++)
            assert_int_equal(sk_buf_add_text(&text, "}\\\"", NULL), SK_OK);
        assert_int_equal(sk_buf_add_text(&text, "\"}\n", NULL), SK_OK);
    }
    assert_int_equal(each_of((const char *)text.bytes, text.len, 50000, count_long, &count, NULL),
                     SK_OK);
    assert_int_equal(count, 200);
}

static void broken_records_are_named(void **state)
{
    (void)state;
    each_refuses("", "", "there is no record in it");
    each_refuses("\xef\xbb\xbf\n \n", "", "there is no record in it");
    each_refuses("Secret", "", "record 1, line 1: a record is a JSON object, in { and }");
    each_refuses("\n\"Secret\"", "", "record 1, line 2: a record is a JSON object, in { and }");
    each_refuses("[1]", "", "record 1, line 1: a record is a JSON object, in { and }");
    each_refuses("[{},\n[{}]]", "1{}\n", "record 2, line 2: a record is a JSON object, in { and }");
    each_refuses("[{},\n]", "1{}\n", "record 2, line 2: a record is a JSON object, in { and }");
    each_refuses("[{},\n", "1{}\n", "record 2, line 2: the JSON ends too early");
    each_refuses("[", "", "record 1, line 1: the JSON ends too early");
    each_refuses("[{}", "1{}\n", "record 2, line 1: a comma or ] is missing before this");
    each_refuses("[{}\n{}]", "1{}\n", "record 2, line 2: a comma or ] is missing before this");
    each_refuses("[{}]\n{}", "1{}\n",
                 "record 2, line 2: there is more behind the end of the array");
    each_refuses("[{},\n{\"a\":\n\"Secret", "1{}\n", "record 2, line 3: the JSON ends too early");
    each_refuses("{\"a\":1}\n{\"a\":2}{}\n", "1{\"a\":1}\n",
                 "record 2, line 2: there is more behind the end of the JSON value");
    each_refuses("{\"a\":1}\n{\"a\":\n2\n", "1{\"a\":1}\n",
                 "record 2, line 4: the JSON ends too early");
    each_refuses("{\"a\":1}\n\n[]\n", "1{\"a\":1}\n",
                 "record 2, line 3: a record is a JSON object, in { and }");
    each_refuses("{\"a\":1,\n{\"b\":2}\n", "", "record 1, line 2: this is not valid JSON");
    each_refuses("{\"a\":1,\n\"a\":2}", "",
                 "record 1, line 2: an object has two fields of the same name");
    each_refuses("[{\"a\":{]}]", "", "record 1, line 1: this is not valid JSON");
}

/* Each "1," and what begins the array count; `more` goes before the end. */
static char *many(size_t count, const char *more)
{
    char *text = malloc(2 * count + strlen(more) + 2);

    assert_non_null(text);
    text[0] = '[';
    for (size_t i = 1; i < count; i++)
        memcpy(text + 2 * i - 1, "1,", 2);
    (void)snprintf(text + 2 * count - 1, strlen(more) + 3, "%s]", more);
    return text;
}

static void values_are_counted_before_memory_is_taken(void **state)
{
    char *text = many(SK_JSON_VALUES_MAX, "1");
    char *record;
    struct sk_error err = SK_ERROR_INIT;

    (void)state;
    assert_int_equal(parse(text, strlen(text), NULL), SK_OK);
    assert_int_equal(sk_json_check(text, strlen(text), NULL), SK_OK);
    free(text);
    text = many(SK_JSON_VALUES_MAX, "{}");
    refuses(text, "line 1: the JSON has too many values");
    assert_int_equal(sk_json_check(text, strlen(text), NULL), SK_REFUSED);
    assert_true(asprintf(&record, "{\"a\":%s}", text) > 0);
    assert_int_equal(each_of(record, strlen(record), 100000, collect, NULL, &err), SK_REFUSED);
    assert_string_equal(err.text, "record 1, line 1: the JSON has too many values");
    free(record);
    free(text);
    /* Not what stands in a text. */
    text = many(SK_JSON_VALUES_MAX, "\"[{,\\\",\"");
    assert_int_equal(parse(text, strlen(text), NULL), SK_OK);
    free(text);
}

static void deep_records_are_refused(void **state)
{
    char text[400];

    (void)state;
    text[0] = '[';
    nest(text + 1, SK_JSON_DEPTH_MAX + 1, true);
    each_refuses(text + 1, "", "record 1, line 1: the JSON is nested too deeply");
    each_refuses(text, "", "record 1, line 1: the JSON is nested too deeply");
}

static void the_callback_can_stop(void **state)
{
    static const char *const texts[] = {"[{},{},{}]", "{}\n{}\n{}"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t stop = 1; stop <= 3; stop++) {
            struct sk_error err = SK_ERROR_INIT;

            (void)clear(NULL);
            assert_int_equal(each_of(texts[i], strlen(texts[i]), 9, collect, &stop, &err), SK_BUSY);
            assert_string_equal(err.text, "stopped");
            assert_int_equal(out.len, 4 * (stop - 1));
        }
    }
}

static void cut_records_do_no_harm(void **state)
{
    static const char *const texts[] = {
        "[{\"a\": \"\\\"[\"}, {\"b\": [1, {\"c\": 2}]}]",
        "{\"a\": \"\\\"[\"}\n{\"b\": [1, {\"c\": 2}]}\n",
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t at = 0; at < strlen(texts[i]); at++) {
            (void)clear(NULL);
            if (i == 0)
                assert_int_equal(each_of(texts[i], at, 9, collect, NULL, NULL), SK_REFUSED);
            for (int c = 0; c < 256; c++) {
                enum sk_status status;

                (void)clear(NULL);
                memcpy(text, texts[i], strlen(texts[i]));
                text[at] = (char)c;
                status = each_of(text, strlen(texts[i]), 9, collect, NULL, NULL);
                assert_true(status == SK_OK || status == SK_REFUSED);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(values_are_taken_and_written_back, clear),
        cmocka_unit_test_teardown(broken_json_is_refused_by_line, clear),
        cmocka_unit_test_teardown(near_json_is_refused, clear),
        cmocka_unit_test_teardown(nesting_ends_at_the_limit, clear),
        cmocka_unit_test_teardown(hostile_bytes_do_no_harm, clear),
        cmocka_unit_test_teardown(a_value_that_cannot_be_written_leaves_the_buffer, clear),
        cmocka_unit_test_teardown(records_come_one_by_one, clear),
        cmocka_unit_test_teardown(long_records_are_read_piece_by_piece, clear),
        cmocka_unit_test_teardown(broken_records_are_named, clear),
        cmocka_unit_test_teardown(values_are_counted_before_memory_is_taken, clear),
        cmocka_unit_test_teardown(deep_records_are_refused, clear),
        cmocka_unit_test_teardown(the_callback_can_stop, clear),
        cmocka_unit_test_teardown(cut_records_do_no_harm, clear),
        cmocka_unit_test(endless_records_are_refused),
    };
    sk_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
