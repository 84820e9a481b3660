/*
 * Goal of this test: no control, bidirectional, format or broken character reaches a terminal, by
 * every code point and every pair of bytes; all others come out as they went in; JSON stays the
 * same JSON; widths are those of wcwidth(); dates and times follow the calendar.
 */
#include "core/json.h"
#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* What must not be shown, written down by category and apart from the table in text.c. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

static bool is_bidi(uint32_t c)
{
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static bool is_format(uint32_t c)
{
    return c == 0xad || (c >= 0x600 && c <= 0x605) || c == 0x6dd || c == 0x70f || c == 0x890 ||
           c == 0x891 || c == 0x8e2 || c == 0x180e || (c >= 0x200b && c <= 0x200d) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
           c == 0x110bd || c == 0x110cd || (c >= 0x13430 && c <= 0x1343f) ||
           (c >= 0x1bca0 && c <= 0x1bca3) || (c >= 0x1d173 && c <= 0x1d17a) ||
           (c >= 0xe0000 && c <= 0xe0fff && !(c >= 0xe0100 && c <= 0xe01ef));
}

static bool must_hide(uint32_t c)
{
    return is_control(c) || is_bidi(c) || is_format(c) || c == 0x2028 || c == 0x2029 ||
           (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xffff) >= 0xfffe;
}

/* The bytes of a code point by the plain rule, also for surrogates and what lies past the end. */
static size_t encode(char out[static 4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }

    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};

    out[0] = (char)(lead[more] | c >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

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

static const char *show(const void *text, size_t len, bool lines, unsigned indent)
{
    sk_buf_reset(&out);
    assert_int_equal(sk_text_show(&out, text, len, lines, indent, NULL), SK_OK);
    return sk_buf_text(&out);
}

static void every_code_point_is_shown_or_spelled_out(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char text[4];
        char spelled[16];
        size_t len = encode(text, c);

        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        (void)show(text, len, false, 0);
        if (must_hide(c)) {
            (void)snprintf(spelled, sizeof(spelled), "<U+%04X>", (unsigned)c);
            assert_string_equal(sk_buf_text(&out), spelled);
            assert_int_equal(sk_text_columns(text, len), out.len);
        } else {
            assert_int_equal(out.len, len);
            assert_memory_equal(out.bytes, text, len);
            assert_true(sk_text_columns(text, len) <= 2);
        }
        assert_int_equal(sk_text_valid(text, len), c != 0);
    }
}

/* Reads back what sk_text_show_json() made of one string. */
static void assert_json_same(const char *text, size_t len)
{
    sk_auto_buf plain = SK_BUF_INIT;

    (void)clear(NULL);
    json = json_stringn(text, len);
    assert_non_null(json);
    assert_int_equal(sk_json_write(&plain, json, NULL), SK_OK);
    assert_int_equal(sk_text_show_json(&out, sk_buf_text(&plain), plain.len, NULL), SK_OK);
    json_decref(json);
    json = NULL;
    assert_int_equal(sk_json_parse(&json, sk_buf_text(&out), out.len, NULL), SK_OK);
    assert_int_equal(json_string_length(json), len);
    assert_memory_equal(json_string_value(json), text, len);
}

static void every_code_point_stays_itself_in_json(void **state)
{
    (void)state;
    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        char text[4];
        size_t len = encode(text, c);

        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        assert_json_same(text, len);
        if (must_hide(c)) {
            for (size_t i = 0; i < out.len; i++)
                assert_true(out.bytes[i] >= 0x20 && out.bytes[i] < 0x7f);
        } else {
            assert_non_null(memmem(out.bytes, out.len, text, len));
        }
    }
}

static void json_keeps_newlines_between_tokens(void **state)
{
    static const char text[] = "{\n\t\"a\": [1,\r\n \"\xe2\x80\xae\x7f\"]\n}\n";

    (void)state;
    assert_int_equal(sk_text_show_json(&out, text, strlen(text), NULL), SK_OK);
    assert_string_equal(sk_buf_text(&out), "{\n \"a\": [1, \n \"\\u202e\\u007f\"]\n}\n");
    sk_buf_reset(&out);
    assert_int_equal(sk_text_show_json(&out, "\"\xf3\xa0\x80\x81\xff\"", 7, NULL), SK_OK);
    assert_string_equal(sk_buf_text(&out), "\"\\udb40\\udc01\\ufffd\"");
}

/* One byte, two bytes: what is well-formed by table 3-7 comes out, the rest is spelled. */
static void every_one_and_two_bytes(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        const uint8_t one[] = {(uint8_t)a};

        assert_int_equal(sk_text_valid(one, 1), a > 0 && a < 0x80);
        (void)show(one, 1, false, 0);
        assert_int_equal(strchr(sk_buf_text(&out), '<') != NULL, a < 0x20 || a >= 0x7f || a == '<');
        for (unsigned b = 0; b < 256; b++) {
            const uint8_t two[] = {(uint8_t)a, (uint8_t)b};
            bool ascii = a > 0 && a < 0x80 && b > 0 && b < 0x80;
            bool pair = a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf;

            assert_int_equal(sk_text_valid(two, 2), ascii || pair);
            (void)show(two, 2, false, 0);
            for (size_t i = 0; i < out.len; i++)
                assert_true(out.bytes[i] >= 0x20 && out.bytes[i] != 0x7f);
            assert_true(sk_text_valid(out.bytes, out.len));
            assert_true(sk_text_columns((const char *)two, 2) <= out.len);
        }
    }
}

static void surrogates_and_overlong_forms_are_refused(void **state)
{
    static const char *const bad[] = {
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80",
        "\xff",
        "\xfe",
        "\x80",
        "\xc3",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xe2\x28\xa1",
        "\xe2\x82\x28",
        "\xf0\x9f\x28\x80",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(sk_text_valid(bad[i], strlen(bad[i])));
        (void)show(bad[i], strlen(bad[i]), true, 0);
        assert_int_equal(memcmp(out.bytes, "<0x", 3), 0);
        assert_true(sk_text_valid(out.bytes, out.len));
    }
    for (uint32_t c = 0xd800; c <= 0xdfff; c++) {
        char text[4];
        size_t len = encode(text, c);

        assert_false(sk_text_valid(text, len));
        (void)show(text, len, false, 0);
        assert_int_equal(out.len, 3 * strlen("<0xff>"));
    }
    assert_true(sk_text_valid("", 0));
    assert_false(sk_text_valid("a\0b", 3));
}

static void lines_continue_at_the_indent(void **state)
{
    static const char text[] = "one\ttwo\nthree\r\n\x1b[2J";

    (void)state;
    assert_string_equal(show(text, strlen(text), true, 2),
                        "one\ttwo\n  three<U+000D>\n  <U+001B>[2J");
    assert_string_equal(show(text, strlen(text), false, 2),
                        "one<U+0009>two<U+000A>three<U+000D><U+000A><U+001B>[2J");
    assert_string_equal(show("a\0b", 3, true, 0), "a<U+0000>b");
    assert_string_equal(show("\xff\xe2\x80\xae", 4, true, 0), "<0xff><U+202E>");
    assert_string_equal(show("", 0, true, 0), "");
}

static void columns_are_those_of_wcwidth(void **state)
{
    static const uint32_t spans[][2] = {
        {0x20, 0x7e},     {0xa0, 0xac},     {0xae, 0x52f},      {0x300, 0x36f},
        {0x1e00, 0x1eff}, {0x20d0, 0x20f0}, {0x3041, 0x3096},   {0x3400, 0x4dbf},
        {0x4e00, 0x9fcc}, {0xac00, 0xd7a3}, {0xff01, 0xff60},   {0x1f600, 0x1f64f},
        {0x2de0, 0x2dff}, {0x0591, 0x05bd}, {0x20000, 0x2a6d6}, {0xfe20, 0xfe2f},
    };

    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        for (uint32_t c = spans[i][0]; c <= spans[i][1]; c++) {
            char text[4];
            int expected = wcwidth((wchar_t)c);

            if (expected >= 0)
                assert_int_equal(sk_text_columns(text, encode(text, c)), expected);
        }
    }
}

static void texts_are_cut_at_a_characters_border(void **state)
{
    /* Latin, Cyrillic, a wide character, a combining acute. */
    static const char text[] = "ab\xd0\x96\xe6\xbc\xa2"
                               "e\xcc\x81z";
    size_t len = strlen(text);

    (void)state;
    assert_int_equal(sk_text_columns(text, len), 7);
    assert_int_equal(sk_text_fit(text, len, 0), 0);
    assert_int_equal(sk_text_fit(text, len, 3), 4);
    assert_int_equal(sk_text_fit(text, len, 4), 4);
    assert_int_equal(sk_text_fit(text, len, 5), 7);
    assert_int_equal(sk_text_fit(text, len, 6), 10);
    assert_int_equal(sk_text_fit(text, len, 7), len);
    assert_int_equal(sk_text_fit(text, len, 700), len);
    assert_int_equal(sk_text_columns("\x1b", 1), 8);
    assert_int_equal(sk_text_fit("\x1b", 1, 7), 0);
    assert_int_equal(sk_text_columns("\xff", 1), 6);
}

static void date_is(const char *text, bool good)
{
    struct sk_error err = SK_ERROR_INIT;
    enum sk_status status = sk_date_check(text, &err);

    if ((status == SK_OK) != good)
        fail_msg("%s", text);
    assert_int_equal(err.status, good ? SK_OK : SK_REFUSED);
    assert_int_equal(strlen(err.text) > 0, !good);
}

static void dates_follow_the_calendar(void **state)
{
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    (void)state;
    for (unsigned year = 1795; year <= 2205; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        for (unsigned month = 0; month <= 13; month++) {
            for (unsigned day = 0; day <= 32; day++) {
                char text[16];
                bool month_ok = year >= 1800 && year <= 2199 && month >= 1 && month <= 12;
                unsigned last = month_ok ? lengths[month - 1] + (month == 2 && leap) : 0;

                (void)snprintf(text, sizeof(text), "%04u-%02u-%02u", year, month, day);
                date_is(text, month_ok && day >= 1 && day <= last);
                text[7] = '\0';
                date_is(text, month_ok);
            }
        }
    }
}

static void dates_carry_their_precision(void **state)
{
    static const char *const good[] = {
        "2024",
        "2024-07",
        "2024-07-14",
        "2024~",
        "2024-07~",
        "2024-07-14~",
        "../2024",
        "../2024-07-14~",
        "2024/..",
        "2024-07-14~/..",
        "2024/2024",
        "2024-07/2024",
        "2024/2024-07",
        "2024-07-14/2024-07-15",
        "2024-02-29/2024-02",
        "2023~/2024-01-01~",
    };
    static const char *const bad[] = {
        "",
        "~",
        "..",
        "../..",
        "/",
        "2024/",
        "/2024",
        "./2024",
        "../",
        "../2024/..",
        "2024/../..",
        "2024/...",
        "2024-",
        "2024-7",
        "2024-07-",
        "2024-07-1",
        "2024-07-14T10:00",
        "24",
        "02024",
        "2024 ",
        " 2024",
        "2024~~",
        "2024?",
        "-2024",
        "+2024",
        "2024-07-14/2024-07-13",
        "2025/2024",
        "2024-08/2024-07-31",
        "20240714",
        "2024/07/14",
        "14.07.2024",
        "2024-07-14/",
        "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa4",
        "2024-1e-01",
        "2024\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        date_is(good[i], true);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        date_is(bad[i], false);
}

static void times_are_checked(void **state)
{
    static const char *const good[] = {"00:00", "23:59", "14:30:05", "23:59:59"};
    static const char *const bad[] = {"",       "24:00",   "14:60",  "14:30:60",
                                      "14:30:", "1:30",    "14:3",   "14.30",
                                      "14:30Z", "14:30:5", " 14:30", "14:30:05.5"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(sk_time_check(good[i], NULL), SK_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sk_time_check(bad[i], NULL), SK_REFUSED);
}

static void datetimes_need_an_offset(void **state)
{
    static const char *const good[] = {
        "2024-07-14T14:30+03:00", "2024-07-14T14:30:05+03:00", "2024-02-29T00:00Z",
        "2024-07-14T14:30-11:30", "2024-07-14T14:30:05Z",      "2024-07-14T14:30+14:00",
    };
    static const char *const bad[] = {
        "",
        "2024-07-14",
        "2024-07-14T14:30",
        "2024-07T14:30Z",
        "2024T14:30Z",
        "2024-07-14~T14:30Z",
        "2023-02-29T00:00Z",
        "2024-07-14 14:30Z",
        "2024-07-14T24:30Z",
        "2024-07-14T14:30z",
        "2024-07-14T14:30+3:00",
        "2024-07-14T14:30+0300",
        "2024-07-14T14:30+14:01",
        "2024-07-14T14:30+03:60",
        "2024-07-14T14:30Z ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(sk_datetime_check(good[i], NULL), SK_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sk_datetime_check(bad[i], NULL), SK_REFUSED);
}

static void now_is_a_valid_datetime_of_today(void **state)
{
    static const char *const zones[] = {"UTC0", "UUU-3", "YYY+9:30", "ZZZ-14", "VVV+11"};
    static const char *const offsets[] = {"+00:00", "+03:00", "-09:30", "+14:00", "-11:00"};

    (void)state;
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        char text[SK_DATETIME_LEN];
        char day[11];

        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        tzset();
        do {
            sk_day_format(day, sk_day_now());
            sk_datetime_now(text);
        } while (strncmp(text, day, 10) != 0 && strcmp(text + 11, "00:00:01") < 0);
        assert_int_equal(sk_datetime_check(text, NULL), SK_OK);
        assert_string_equal(text + 19, offsets[i]);
        assert_memory_equal(text, day, 10);
    }
}

static void days_count_through_the_calendar(void **state)
{
    uint32_t day = 0;
    char text[11];
    char expected[16];
    uint32_t parsed;

    (void)state;
    for (unsigned year = 1970; year < 2200; year++) {
        for (unsigned month = 1; month <= 12; month++) {
            for (unsigned d = 1; d <= 31; d++) {
                (void)snprintf(expected, sizeof(expected), "%04u-%02u-%02u", year, month, d);
                bool valid = sk_date_check(expected, NULL) == SK_OK;
                assert_int_equal(sk_day_parse(&parsed, expected), valid ? SK_OK : SK_REFUSED);
                if (!valid)
                    continue;
                assert_int_equal(parsed, day);
                sk_day_format(text, day++);
                assert_string_equal(text, expected);
            }
        }
    }
    sk_day_format(text, 2932896);
    assert_string_equal(text, "9999-12-31");
    sk_day_format(text, UINT32_MAX);
    assert_string_equal(text, "9999-12-31");
    assert_int_equal(sk_day_parse(&parsed, text), SK_OK);
    assert_int_equal(parsed, 2932896);
}

static void only_whole_days_are_parsed(void **state)
{
    static const char *const bad[] = {"",           "2024",        "2024-07",     "2024-7-14",
                                      "2024-07-1",  "2024-07-144", "2024-07-14 ", " 024-07-14",
                                      "2024-07-00", "2024-00-14",  "1969-12-31",  "2024/07/14",
                                      "+024-07-14", "2024-07-14~", "2023-02-29"};
    uint32_t day = 77;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sk_day_parse(&day, bad[i]), SK_REFUSED);
    assert_int_equal(day, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_code_point_is_shown_or_spelled_out, clear),
        cmocka_unit_test_teardown(every_code_point_stays_itself_in_json, clear),
        cmocka_unit_test_teardown(json_keeps_newlines_between_tokens, clear),
        cmocka_unit_test_teardown(every_one_and_two_bytes, clear),
        cmocka_unit_test_teardown(surrogates_and_overlong_forms_are_refused, clear),
        cmocka_unit_test_teardown(lines_continue_at_the_indent, clear),
        cmocka_unit_test(columns_are_those_of_wcwidth),
        cmocka_unit_test(texts_are_cut_at_a_characters_border),
        cmocka_unit_test(dates_follow_the_calendar),
        cmocka_unit_test(dates_carry_their_precision),
        cmocka_unit_test(times_are_checked),
        cmocka_unit_test(datetimes_need_an_offset),
        cmocka_unit_test(now_is_a_valid_datetime_of_today),
        cmocka_unit_test(days_count_through_the_calendar),
        cmocka_unit_test(only_whole_days_are_parsed),
    };
    sk_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
