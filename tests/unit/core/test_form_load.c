/*
 * Goal of this test: forms that are not as they should be are refused as a whole, naming the fault.
 * The test brings embedded files of its own in place of those that are compiled into core.
 */
#include "core/embed.h"
#include "core/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define ROOM 4096
static char files[6][ROOM];

/* Blanks behind the text fill the room. */
const struct sk_embedded_file sk_embedded_forms[] = {
    {"1.json", files[0], ROOM - 1},
    {"2.json", files[1], ROOM - 1},
    {"3.json", files[2], ROOM - 1},
    {"4.json", files[3], ROOM - 1},
    {"5.json", files[4], ROOM - 1},
    {"6.json", files[5], ROOM - 1},
    {NULL, NULL, 0},
};

static void put(size_t file, const char *text)
{
    assert_true(strlen(text) < ROOM);
    memset(files[file], ' ', ROOM - 1);
    memcpy(files[file], text, strlen(text));
}

#define TITLE "{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\"}"

static void put_good(void)
{
    for (unsigned type = 1; type <= SK_TYPE_RECORD_LAST; type++) {
        char text[300];

        (void)snprintf(text, sizeof(text),
                       "{\"form\":\"%s\",\"version\":3,\"label\":\"L\",\"fields\":[" TITLE "]}",
                       sk_type_name(type));
        put(type - 1, text);
    }
}

static int start(void **state)
{
    (void)state;
    put_good();
    return 0;
}

static int clear(void **state)
{
    (void)state;
    sk_forms_clear();
    return 0;
}

static void refused(const char *words)
{
    struct sk_error err = SK_ERROR_INIT;

    if (sk_forms_init(&err) != SK_INTERNAL)
        fail_msg("loaded: %s", files[1]);
    assert_int_equal(err.status, SK_INTERNAL);
    assert_string_equal(err.text, words);
    for (unsigned type = 0; type <= SK_TYPE_LAST; type++)
        assert_null(sk_form_of(type));
}

/* The second form with these fields. */
static void put_fields(const char *fields)
{
    char text[ROOM];

    put_good();
    (void)snprintf(text, sizeof(text),
                   "{\"form\":\"case\",\"version\":1,\"label\":\"L\",\"fields\":%s}", fields);
    put(1, text);
}

static void refuses_fields(const char *fields, const char *words)
{
    put_fields(fields);
    refused(words);
}

static void good_forms_load(void **state)
{
    (void)state;
    assert_int_equal(sk_forms_init(NULL), SK_OK);
    assert_int_equal(sk_form_of(SK_TYPE_CONSENT)->version, 3);
    assert_string_equal(sk_form_field(sk_form_of(SK_TYPE_CASE), "title")->hint, "");
    assert_false(sk_form_field(sk_form_of(SK_TYPE_CASE), "title")->required);
    /* A form that says so may require other fields, also inside groups. */
    put_fields("[{\"name\":\"g\",\"label\":\"G\",\"type\":\"repeat\",\"access\":\"internal\","
               "\"fields\":[{\"name\":\"r\",\"label\":\"R\",\"type\":\"integer\","
               "\"required\":true,\"access\":\"internal\"}]}]");
    assert_int_equal(sk_forms_init(NULL), SK_OK);

    sk_auto_json record = json_pack("{s:[{}]}", "g");
    struct sk_error err = SK_ERROR_INIT;

    assert_int_equal(sk_form_check(sk_form_of(SK_TYPE_CASE), record, &err), SK_REFUSED);
    assert_string_equal(err.text, "g.0.r: has to be filled in");
    assert_string_equal(sk_form_title(sk_form_of(SK_TYPE_CASE), record), "");
}

static void broken_files_are_refused(void **state)
{
    static const char *const files_of_one[] = {
        "",
        "{}",
        "[]",
        "{\"form\":\"case\"",
        "{\"form\":\"case\",\"version\":1,\"label\":\"L\"}",
        "{\"form\":\"link\",\"version\":1,\"label\":\"L\",\"fields\":[" TITLE "]}",
        "{\"form\":\"nothing\",\"version\":1,\"label\":\"L\",\"fields\":[" TITLE "]}",
        "{\"form\":\"case\",\"version\":0,\"label\":\"L\",\"fields\":[" TITLE "]}",
        "{\"form\":\"case\",\"version\":-1,\"label\":\"L\",\"fields\":[" TITLE "]}",
        "{\"form\":\"case\",\"version\":\"1\",\"label\":\"L\",\"fields\":[" TITLE "]}",
        "{\"form\":\"case\",\"version\":1,\"label\":\"L\",\"fields\":[" TITLE "],\"more\":1}",
        "{\"form\":\"person\",\"version\":1,\"label\":\"L\",\"fields\":[" TITLE "]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files_of_one) / sizeof(files_of_one[0]); i++) {
        put_good();
        put(1, files_of_one[i]);
        refused("a built-in form is broken: 2.json");
    }
}

#define FIELD(rest)     "[{\"label\":\"L\",\"access\":\"public\"," rest "}]"
#define CHOICE(choices) FIELD("\"name\":\"c\",\"type\":\"choice\",\"choices\":" choices)

static void broken_fields_are_refused(void **state)
{
    (void)state;
    refuses_fields("[]", "a built-in form is broken: no fields, or groups too deep in groups");
    refuses_fields("{}", "a built-in form is broken: no fields, or groups too deep in groups");
    refuses_fields("[1]", "a built-in form is broken: a field");
    refuses_fields("[{}]", "a built-in form is broken: a field");
    refuses_fields(FIELD("\"name\":\"a\",\"type\":\"text\",\"more\":1"),
                   "a built-in form is broken: a field");
    refuses_fields(FIELD("\"name\":\"a\",\"type\":\"words\""), "a built-in form is broken: a");
    refuses_fields(FIELD("\"name\":\"A\",\"type\":\"text\""), "a built-in form is broken: A");
    refuses_fields(FIELD("\"name\":\"\",\"type\":\"text\""), "a built-in form is broken: ");
    refuses_fields(FIELD("\"name\":\"missing\",\"type\":\"text\""),
                   "a built-in form is broken: missing");
    refuses_fields(FIELD("\"name\":\"a\",\"type\":\"text\",\"unless\":\"b\""),
                   "a built-in form is broken: a");
    refuses_fields(FIELD("\"name\":\"a\",\"type\":\"group\""), "a built-in form is broken: a");
    refuses_fields(FIELD("\"name\":\"a\",\"type\":\"text\",\"fields\":[" TITLE "]"),
                   "a built-in form is broken: a");
    refuses_fields("[" TITLE "," TITLE "]", "a built-in form is broken: title");
    refuses_fields("[{\"name\":\"a\",\"label\":\"L\",\"type\":\"text\",\"access\":\"secret\"}]",
                   "a built-in form is broken: a");
}

static void broken_choices_are_refused(void **state)
{
    (void)state;
    refuses_fields(FIELD("\"name\":\"c\",\"type\":\"choice\""), "a built-in form is broken: c");
    refuses_fields(CHOICE("[]"), "a built-in form is broken: c");
    refuses_fields(CHOICE("[1]"), "a built-in form is broken: c");
    refuses_fields(CHOICE("[{\"name\":\"x\"}]"), "a built-in form is broken: c");
    refuses_fields(CHOICE("[{\"name\":\"X\",\"label\":\"l\"}]"), "a built-in form is broken: c");
    refuses_fields(CHOICE("[{\"name\":\"x\",\"label\":\"a, b\"}]"), "a built-in form is broken: c");
    refuses_fields(CHOICE("[{\"name\":\"x\",\"label\":\"a\"},{\"name\":\"x\",\"label\":\"b\"}]"),
                   "a built-in form is broken: c");
    refuses_fields(FIELD("\"name\":\"a\",\"type\":\"text\",\"choices\":[{\"name\":\"x\","
                         "\"label\":\"a\"}]"),
                   "a built-in form is broken: a");
}

static void groups_end_at_the_limit(void **state)
{
    char fields[ROOM / 2];

    (void)state;
    for (unsigned levels = 1; levels <= 7; levels++) {
        size_t len = 0;

        for (unsigned i = 1; i < levels; i++)
            len += (size_t)snprintf(fields + len, sizeof(fields) - len,
                                    "[{\"name\":\"g\",\"label\":\"G\",\"type\":\"group\","
                                    "\"access\":\"public\",\"fields\":");
        len += (size_t)snprintf(fields + len, sizeof(fields) - len, "[" TITLE "]");
        for (unsigned i = 1; i < levels; i++)
            len += (size_t)snprintf(fields + len, sizeof(fields) - len, "}]");
        put_fields(fields);
        if (levels <= 6)
            assert_int_equal(sk_forms_init(NULL), SK_OK);
        else
            refused("a built-in form is broken: no fields, or groups too deep in groups");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_forms_load, start, clear),
        cmocka_unit_test_setup_teardown(broken_files_are_refused, start, clear),
        cmocka_unit_test_setup_teardown(broken_fields_are_refused, start, clear),
        cmocka_unit_test_setup_teardown(broken_choices_are_refused, start, clear),
        cmocka_unit_test_setup_teardown(groups_end_at_the_limit, start, clear),
    };
    sk_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
