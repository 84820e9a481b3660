/*
 * Goal of this test: the built-in forms load and hold what the data model lists; a full record of
 * each type is taken; unknown fields, wrong types and missing titles are refused in words that name
 * the field and never the value; the three special answers are told apart; every type of field is
 * set from text, also inside groups and repeats, and a refused value changes nothing.
 */
#include "core/form.h"
#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static json_t *record;
static json_t *copy;
static struct sk_buf out;

static int load(void **state)
{
    (void)state;
    sk_json_init();
    return sk_forms_init(NULL) == SK_OK ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    sk_forms_clear();
    assert_null(sk_form_of(SK_TYPE_PERSON));
    return 0;
}

static int clear(void **state)
{
    (void)state;
    json_decref(record);
    json_decref(copy);
    record = copy = NULL;
    sk_buf_clear(&out);
    return 0;
}

static void parse(const char *text)
{
    (void)clear(NULL);
    assert_int_equal(sk_json_parse(&record, text, strlen(text), NULL), SK_OK);
}

static void read_sample(unsigned type)
{
    static char text[1 << 16];
    char path[64];

    (void)snprintf(path, sizeof(path), "data/forms/%s.json", sk_type_name(type));

    FILE *file = fopen(path, "r");

    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    assert_int_equal(fclose(file), 0);
    text[len] = '\0';
    parse(text);
}

static const struct sk_form *form_of(unsigned type)
{
    const struct sk_form *form = sk_form_of(type);

    assert_non_null(form);
    return form;
}

static void accepts(unsigned type)
{
    struct sk_error err = SK_ERROR_INIT;

    if (sk_form_check(form_of(type), record, &err) != SK_OK)
        fail_msg("%s: %s", sk_type_name(type), err.text);
    assert_int_equal(err.status, SK_OK);
}

static void refuses(unsigned type, const char *words)
{
    struct sk_error err = SK_ERROR_INIT;

    assert_int_equal(sk_form_check(form_of(type), record, &err), SK_REFUSED);
    assert_string_equal(err.text, words);
    assert_int_equal(sk_form_check(form_of(type), record, NULL), SK_REFUSED);
}

/* ---- the forms themselves ---- */

static void check_tree(const struct sk_field *fields, size_t count, bool top)
{
    for (size_t i = 0; i < count; i++) {
        const struct sk_field *field = &fields[i];

        assert_true(strlen(field->label) > 0);
        assert_true(sk_text_valid(field->label, strlen(field->label)));
        assert_non_null(field->hint);
        assert_int_equal(field->required, top && strcmp(field->name, "title") == 0);
        assert_true(strlen(sk_field_type_name(field->type)) > 0);
        check_tree(field->fields, field->field_count, false);
    }
}

static void every_type_has_its_form(void **state)
{
    (void)state;
    for (unsigned type = 1; type <= SK_TYPE_RECORD_LAST; type++) {
        const struct sk_form *form = form_of(type);

        assert_int_equal(form->type, type);
        assert_int_equal(form->version, 1);
        assert_true(strlen(form->label) > 0);
        assert_non_null(sk_form_field(form, "title"));
        assert_int_equal(sk_form_field(form, "notes")->type, SK_FIELD_TEXT);
        assert_null(sk_form_field(form, "Title"));
        assert_null(sk_form_field(form, ""));
        check_tree(form->fields, form->field_count, true);
    }
    assert_null(sk_form_of(0));
    assert_null(sk_form_of(SK_TYPE_LINK));
    assert_null(sk_form_of(UINT32_MAX));
    assert_string_equal(sk_form_field(form_of(SK_TYPE_PERSON), "title")->unless, "name");
    assert_null(sk_form_field(form_of(SK_TYPE_CASE), "title")->unless);
    assert_int_equal(sk_form_field(form_of(SK_TYPE_TESTIMONY), "text")->type, SK_FIELD_TEXT);
    assert_string_equal(sk_form_field(form_of(SK_TYPE_PERSON), "contact")->access, "protected");
    assert_string_equal(sk_form_field(form_of(SK_TYPE_CASE), "court")->access, "public");
    assert_string_equal(sk_field_type_name((enum sk_field_type)99), "unknown");
    assert_string_equal(sk_field_type_name(SK_FIELD_DATE), "date");
}

static void loading_twice_is_harmless(void **state)
{
    (void)state;
    assert_int_equal(sk_forms_init(NULL), SK_OK);
    every_type_has_its_form(NULL);
}

/* ---- checking ---- */

/* Whether a record fills every field, those of repeats in at least one entry. */
static void assert_filled(const struct sk_field *fields, size_t count, const json_t *object)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, fields[i].name);

        if (!value)
            fail_msg("the sample has no %s", fields[i].name);
        if (fields[i].type == SK_FIELD_GROUP)
            assert_filled(fields[i].fields, fields[i].field_count, value);
        if (fields[i].type == SK_FIELD_REPEAT) {
            sk_auto_json merged = json_object();

            for (size_t entry = 0; entry < json_array_size(value); entry++)
                (void)json_object_update_missing(merged, json_array_get(value, entry));
            assert_filled(fields[i].fields, fields[i].field_count, merged);
        }
    }
}

static void full_records_are_taken(void **state)
{
    (void)state;
    for (unsigned type = 1; type <= SK_TYPE_RECORD_LAST; type++) {
        const struct sk_form *form = form_of(type);

        read_sample(type);
        accepts(type);
        assert_filled(form->fields, form->field_count, record);
        assert_int_equal(sk_json_write(&out, record, NULL), SK_OK);
        assert_string_equal(sk_form_title(form, record),
                            json_string_value(json_object_get(record, "title")));
    }
}

/* Each field in turn gets a value of each kind; only those of its type are taken. */
static void values_of_another_type_are_refused(void **state)
{
    static const char *const values[] = {
        "true", "null", "1",   "1.5",  "\"x\"",   "\"2024\"",  "\"14:30\"", "\"2024-07-14T14:30Z\"",
        "[]",   "{}",   "[1]", "[[]]", "[\"x\"]", "{\"x\":1}", "[null]",
    };

    (void)state;
    for (unsigned type = 1; type <= SK_TYPE_RECORD_LAST; type++) {
        const struct sk_form *form = form_of(type);

        for (size_t i = 0; i < form->field_count; i++) {
            const struct sk_field *field = &form->fields[i];

            if (field->required)
                continue;
            for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
                char text[200];
                struct sk_error err = SK_ERROR_INIT;
                bool string = values[v][0] == '"';
                bool fits = (field->type == SK_FIELD_TEXT && string) ||
                            (field->type == SK_FIELD_INTEGER && v == 2) ||
                            (field->type == SK_FIELD_DECIMAL && (v == 2 || v == 3)) ||
                            (field->type == SK_FIELD_DATE && v == 5) ||
                            (field->type == SK_FIELD_TIME && v == 6) ||
                            (field->type == SK_FIELD_DATETIME && v == 7) ||
                            (field->type == SK_FIELD_CHOICES && v == 8) ||
                            (field->type == SK_FIELD_REPEAT && v == 8) ||
                            (field->type == SK_FIELD_GROUP && v == 9);

                (void)snprintf(text, sizeof(text), "{\"title\":\"t\",\"%s\":%s}", field->name,
                               values[v]);
                parse(text);
                if ((sk_form_check(form, record, &err) == SK_OK) != fits)
                    fail_msg("%s: %s", text, err.text);
                if (!fits)
                    assert_memory_equal(err.text, field->name, strlen(field->name));
            }
        }
    }
}

static void refusals_name_the_field(void **state)
{
    (void)state;
    parse("{\"title\": 5}");
    refuses(SK_TYPE_EVENT, "title: takes text");
    parse("{\"title\": \"t\", \"people_affected\": \"Secret\"}");
    refuses(SK_TYPE_EVENT, "people_affected: takes a whole number");
    parse("{\"title\": \"t\", \"people_affected\": 1.5}");
    refuses(SK_TYPE_EVENT, "people_affected: takes a whole number");
    parse("{\"title\": \"t\", \"acts\": {}}");
    refuses(SK_TYPE_EVENT, "acts: takes a list of groups of fields");
    parse("{\"title\": \"t\", \"acts\": [{}, \"Secret\"]}");
    refuses(SK_TYPE_EVENT, "acts.1: takes a group of fields");
    parse("{\"title\": \"t\", \"acts\": [{}, {\"perpetrators\": [{\"who\": [\"Secret\"]}]}]}");
    refuses(SK_TYPE_EVENT, "acts.1.perpetrators.0.who: takes text");
    parse("{\"title\": \"t\", \"acts\": [{\"date\": \"2024-02-30\"}]}");
    assert_int_equal(sk_form_check(form_of(SK_TYPE_EVENT), record, NULL), SK_REFUSED);
    parse("{\"title\": \"t\", \"start\": \"2025/2024\"}");
    refuses(SK_TYPE_EVENT, "start: the first date is later than the second");
    parse("{\"title\": \"t\", \"sex\": \"Secret\"}");
    refuses(SK_TYPE_PERSON, "sex: takes one of female, male, other");
    parse("{\"title\": \"t\", \"roles\": [\"victim\", 7]}");
    refuses(SK_TYPE_PERSON,
            "roles: takes any of victim, witness, relative, official, perpetrator, lawyer, other");
    parse("{\"title\": \"t\", \"roles\": [\"victim\", \"victim\"]}");
    refuses(SK_TYPE_PERSON, "roles: the same choice stands twice");
    parse("{\"title\": \"t\", \"acts\": [{\"type\": \"Secret\"}]}");
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_form_check(form_of(SK_TYPE_EVENT), record, &err), SK_REFUSED);
    assert_non_null(strstr(err.text, "acts.0.type: takes one of arrest, ill_treatment, torture, "));
    assert_string_equal(err.text + strlen(err.text) - 5, ", ...");
}

static void unknown_fields_are_refused(void **state)
{
    (void)state;
    parse("{\"title\": \"t\", \"plase\": \"x\"}");
    refuses(SK_TYPE_EVENT, "plase: there is no such field, did you mean place?");
    parse("{\"title\": \"t\", \"acts\": [{\"victims\": \"x\"}]}");
    refuses(SK_TYPE_EVENT, "acts.0.victims: there is no such field, did you mean victim?");
    parse("{\"title\": \"t\", \"quite_another\": \"x\"}");
    refuses(SK_TYPE_EVENT, "quite_another: there is no such field");
    parse("{\"title\": \"t\", \"x\": \"x\"}");
    refuses(SK_TYPE_EVENT, "x: there is no such field");
    /* A name that is none is not repeated: it may be a value, or aim at the terminal. */
    parse("{\"title\": \"t\", \"Secret Person\": \"x\"}");
    refuses(SK_TYPE_EVENT, "?: there is no such field");
    parse("{\"title\": \"t\", \"\\u001b[2J\": \"x\"}");
    refuses(SK_TYPE_EVENT, "?: there is no such field");
    parse("{\"title\": \"t\", \"\": \"x\"}");
    refuses(SK_TYPE_EVENT, "?: there is no such field");
    parse("{\"title\": \"t\", \"a23456789_123456789_123456789_123456789_1\": \"x\"}");
    refuses(SK_TYPE_EVENT, "?: there is no such field");
    parse("[]");
    refuses(SK_TYPE_EVENT, "a record is a JSON object");
    assert_int_equal(sk_form_check(form_of(SK_TYPE_EVENT), NULL, NULL), SK_REFUSED);
}

static void titles_are_required(void **state)
{
    static const char *const blank[] = {"{}", "{\"title\": \"\"}", "{\"title\": \" \\t\\n\"}"};

    (void)state;
    for (unsigned type = 1; type <= SK_TYPE_RECORD_LAST; type++) {
        for (size_t i = 0; i < 3; i++) {
            parse(blank[i]);
            refuses(type, type == SK_TYPE_PERSON ? "title: this or name has to be filled in"
                                                 : "title: has to be filled in");
            assert_true(strspn(sk_form_title(form_of(type), record), " \t\n") ==
                        strlen(sk_form_title(form_of(type), record)));
        }
        parse("{\"title\": \"t\"}");
        accepts(type);
        assert_string_equal(sk_form_title(form_of(type), record), "t");
        parse("{\"title\": {\"missing\": \"unknown\"}}");
        accepts(type);
        assert_string_equal(sk_form_title(form_of(type), record), "");
    }
    parse("{\"name\": \"n\"}");
    accepts(SK_TYPE_PERSON);
    assert_string_equal(sk_form_title(form_of(SK_TYPE_PERSON), record), "n");
    parse("{\"title\": \" \", \"name\": \"n\"}");
    accepts(SK_TYPE_PERSON);
    assert_string_equal(sk_form_title(form_of(SK_TYPE_PERSON), record), "n");
    parse("{\"name\": \"\"}");
    refuses(SK_TYPE_PERSON, "title: this or name has to be filled in");
    parse("{}");
    assert_string_equal(sk_form_title(form_of(SK_TYPE_CASE), record), "");
}

static void texts_are_utf8_without_nul(void **state)
{
    (void)state;
    record = json_pack("{s:o}", "title", json_stringn_nocheck("a\0b", 3));
    refuses(SK_TYPE_EVENT, "title: the text is not UTF-8");
    (void)clear(NULL);
    record = json_pack("{s:s, s:o}", "title", "t", "start", json_stringn_nocheck("2024\0", 5));
    refuses(SK_TYPE_EVENT, "start: the text is not UTF-8");
    (void)clear(NULL);
    record = json_pack("{s:o}", "title", json_string_nocheck("\xed\xa0\x80"));
    refuses(SK_TYPE_EVENT, "title: the text is not UTF-8");
}

static void special_answers_are_taken_and_told_apart(void **state)
{
    static const char *const answers[] = {"unknown", "refused", "not asked"};
    static const char *const shown[] = {"(unknown)", "(refused)", "(not asked)"};
    static const char *const wrong[] = {
        "{\"missing\": \"lost\"}",    "{\"missing\": 1}",
        "{\"missing\": \"Unknown\"}", "{\"missing\": \"unknown\", \"more\": 1}",
        "{\"absent\": \"unknown\"}",
    };

    (void)state;
    for (unsigned type = 1; type <= SK_TYPE_RECORD_LAST; type++) {
        const struct sk_form *form = form_of(type);

        for (size_t i = 0; i < form->field_count; i++) {
            const char *name = form->fields[i].name;
            char text[200];

            for (size_t a = 0; a < 3; a++) {
                (void)clear(NULL);
                (void)snprintf(text, sizeof(text), "?%s", answers[a]);
                record = json_pack("{s:s}", "title", "t");
                assert_int_equal(sk_form_set(form, record, name, text, NULL), SK_OK);
                accepts(type);

                const json_t *value = json_object_get(record, name);

                assert_string_equal(json_string_value(json_object_get(value, "missing")),
                                    answers[a]);
                assert_int_equal(sk_form_value_text(&out, &form->fields[i], value, NULL), SK_OK);
                assert_string_equal(sk_buf_text(&out), shown[a]);
            }
            for (size_t w = 0; w < sizeof(wrong) / sizeof(wrong[0]); w++) {
                (void)snprintf(text, sizeof(text), "{\"title\":\"t\",\"%s\":%s}", name, wrong[w]);
                if (strcmp(name, "title") == 0)
                    (void)snprintf(text, sizeof(text), "{\"title\":%s}", wrong[w]);
                parse(text);
                assert_int_equal(sk_form_check(form, record, NULL), SK_REFUSED);
            }
        }
    }
}

/* ---- setting ---- */

static void set(unsigned type, const char *name, const char *value, const char *expected)
{
    struct sk_error err = SK_ERROR_INIT;

    if (sk_form_set(form_of(type), record, name, value, &err) != SK_OK)
        fail_msg("%s=%s: %s", name, value, err.text);
    sk_buf_reset(&out);
    assert_int_equal(sk_json_write(&out, record, NULL), SK_OK);
    assert_string_equal(sk_buf_text(&out), expected);
}

/* A refused value leaves the record as it was. */
static void set_fails(unsigned type, const char *name, const char *value, enum sk_status status,
                      const char *words)
{
    struct sk_error err = SK_ERROR_INIT;

    json_decref(copy);
    copy = json_deep_copy(record);
    if (sk_form_set(form_of(type), record, name, value, &err) != status)
        fail_msg("%s=%s: %s", name, value, err.text);
    assert_string_equal(err.text, words);
    assert_int_equal(err.status, status);
    assert_true(json_equal(copy, record));
}

static void every_type_of_field_is_set(void **state)
{
    (void)state;
    record = json_object();
    set(SK_TYPE_CASE, "title", " as \"written\"\n", "{\"title\":\" as \\\"written\\\"\\n\"}");
    set(SK_TYPE_CASE, "title", "", "{}");
    set(SK_TYPE_CASE, "title", "", "{}");
    set(SK_TYPE_EVENT, "people_affected", "007", "{\"people_affected\":7}");
    set(SK_TYPE_EVENT, "people_affected", "-12", "{\"people_affected\":-12}");
    set(SK_TYPE_EVENT, "people_affected", "", "{}");
    set(SK_TYPE_CASE, "penalties.0.amount", "12.5", "{\"penalties\":[{\"amount\":12.5}]}");
    set(SK_TYPE_CASE, "penalties.0.amount", "0.1", "{\"penalties\":[{\"amount\":0.1}]}");
    set(SK_TYPE_CASE, "penalties", "", "{}");
    set(SK_TYPE_CASE, "opened", "2024-07~", "{\"opened\":\"2024-07~\"}");
    set(SK_TYPE_CASE, "opened", "", "{}");
    set(SK_TYPE_CASE, "hearings.0.time", "14:30", "{\"hearings\":[{\"time\":\"14:30\"}]}");
    set(SK_TYPE_CASE, "hearings", "", "{}");
    set(SK_TYPE_TESTIMONY, "start", "2024-07-14T14:30Z", "{\"start\":\"2024-07-14T14:30Z\"}");
    set(SK_TYPE_TESTIMONY, "start", "", "{}");
    set(SK_TYPE_CASE, "kind", "criminal", "{\"kind\":\"criminal\"}");
    set(SK_TYPE_CASE, "kind", "Administrative", "{\"kind\":\"administrative\"}");
    set(SK_TYPE_CASE, "kind", "", "{}");
    set(SK_TYPE_CASE, "verdict", "guilty in part", "{\"verdict\":\"partly\"}");
    set(SK_TYPE_CASE, "verdict", "", "{}");
    set(SK_TYPE_PERSON, "roles", "victim", "{\"roles\":[\"victim\"]}");
    set(SK_TYPE_PERSON, "roles", " Witness , OFFICIAL", "{\"roles\":[\"witness\",\"official\"]}");
    set(SK_TYPE_PERSON, "roles", "", "{}");
    set(SK_TYPE_CASE, "appeal", "{\"filed\": \"yes\"}", "{\"appeal\":{\"filed\":\"yes\"}}");
    set(SK_TYPE_CASE, "appeal", "", "{}");
    set(SK_TYPE_CASE, "articles", "[{\"article\": \"342\"}]",
        "{\"articles\":[{\"article\":\"342\"}]}");
    set(SK_TYPE_CASE, "articles", "?not asked", "{\"articles\":{\"missing\":\"not asked\"}}");
    set(SK_TYPE_CASE, "articles", "", "{}");
    set(SK_TYPE_CASE, "title", "?Unknown", "{\"title\":\"?Unknown\"}");
}

static void fields_inside_are_set(void **state)
{
    (void)state;
    record = json_object();
    set(SK_TYPE_CASE, "appeal.court", "", "{}");
    set(SK_TYPE_CASE, "appeal.court", "C", "{\"appeal\":{\"court\":\"C\"}}");
    set(SK_TYPE_CASE, "appeal.date", "2022", "{\"appeal\":{\"court\":\"C\",\"date\":\"2022\"}}");
    set(SK_TYPE_CASE, "appeal.court", "D", "{\"appeal\":{\"court\":\"D\",\"date\":\"2022\"}}");
    set(SK_TYPE_CASE, "appeal.court", "", "{\"appeal\":{\"date\":\"2022\"}}");
    set(SK_TYPE_CASE, "appeal.date", "?unknown",
        "{\"appeal\":{\"date\":{\"missing\":\"unknown\"}}}");
    set(SK_TYPE_CASE, "appeal.date", "", "{}");
    set(SK_TYPE_CASE, "appeal", "?refused", "{\"appeal\":{\"missing\":\"refused\"}}");
    set(SK_TYPE_CASE, "appeal.filed", "yes", "{\"appeal\":{\"filed\":\"yes\"}}");
    set(SK_TYPE_CASE, "appeal", "", "{}");
    set(SK_TYPE_CASE, "sentences", "?unknown", "{\"sentences\":{\"missing\":\"unknown\"}}");
    set(SK_TYPE_CASE, "sentences.0.length.years", "2",
        "{\"sentences\":[{\"length\":{\"years\":2}}]}");
    set(SK_TYPE_CASE, "sentences.1.kind", "fine",
        "{\"sentences\":[{\"length\":{\"years\":2}},{\"kind\":\"fine\"}]}");
    set(SK_TYPE_CASE, "sentences.0.length.months", "6",
        "{\"sentences\":[{\"length\":{\"years\":2,\"months\":6}},{\"kind\":\"fine\"}]}");
    set(SK_TYPE_CASE, "sentences.0.length", "", "{\"sentences\":[{},{\"kind\":\"fine\"}]}");
    set(SK_TYPE_CASE, "sentences.2.kind", "", "{\"sentences\":[{},{\"kind\":\"fine\"}]}");
    set(SK_TYPE_CASE, "sentences", "", "{}");
    set(SK_TYPE_EVENT, "acts.0.perpetrators.0.involvement", "ordered it",
        "{\"acts\":[{\"perpetrators\":[{\"involvement\":\"ordered\"}]}]}");
}

static void values_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    record = json_pack("{s:s, s:[{s:s}]}", "title", "t", "sentences", "kind", "fine");
    set_fails(SK_TYPE_EVENT, "people_affected", "many", SK_REFUSED,
              "people_affected: takes a whole number");
    set_fails(SK_TYPE_EVENT, "people_affected", "1.5", SK_REFUSED,
              "people_affected: takes a whole number");
    set_fails(SK_TYPE_EVENT, "people_affected", "-", SK_REFUSED,
              "people_affected: takes a whole number");
    set_fails(SK_TYPE_EVENT, "people_affected", "99999999999999999999", SK_REFUSED,
              "people_affected: the number is too large");
    set_fails(SK_TYPE_CASE, "penalties.0.amount", "12,5", SK_REFUSED,
              "penalties.0.amount: takes a number, such as 12.5");
    set_fails(SK_TYPE_CASE, "penalties.0.amount", "1e5", SK_REFUSED,
              "penalties.0.amount: takes a number, such as 12.5");
    set_fails(SK_TYPE_CASE, "penalties.0.amount", "5.", SK_REFUSED,
              "penalties.0.amount: takes a number, such as 12.5");
    set_fails(SK_TYPE_CASE, "hearings.0.time", "25:00", SK_REFUSED,
              "hearings.0.time: not a time: write 14:30 or 14:30:05");
    set_fails(SK_TYPE_CASE, "kind", "Secret", SK_REFUSED,
              "kind: takes one of criminal, administrative, civil, other");
    set_fails(
        SK_TYPE_PERSON, "roles", "victim,", SK_REFUSED,
        "roles: takes any of victim, witness, relative, official, perpetrator, lawyer, other");
    set_fails(SK_TYPE_PERSON, "roles", "victim, Victim", SK_REFUSED,
              "roles: the same choice stands twice");
    set_fails(SK_TYPE_CASE, "appeal", "Secret", SK_REFUSED,
              "appeal: line 1: this is not valid JSON");
    set_fails(SK_TYPE_CASE, "appeal", "[]", SK_REFUSED, "appeal: takes a group of fields");
    set_fails(SK_TYPE_CASE, "articles", "{}", SK_REFUSED,
              "articles: takes a list of groups of fields");
    set_fails(SK_TYPE_CASE, "appeal", "{\"filled\": 1}", SK_REFUSED,
              "appeal.filled: there is no such field, did you mean filed?");
    set_fails(SK_TYPE_CASE, "title", "\xff", SK_REFUSED, "title: the text is not UTF-8");
    set_fails(SK_TYPE_CASE, "kind", "\xff", SK_REFUSED, "kind: the text is not UTF-8");
}

static void paths_that_lead_nowhere_are_refused(void **state)
{
    static const char entry[] = "sentences: write the number of an entry and a field, such as "
                                "0.name; 0 is the first, the next number makes a new entry";

    (void)state;
    record = json_pack("{s:s, s:[{s:s}]}", "title", "t", "sentences", "kind", "fine");
    set_fails(SK_TYPE_CASE, "titel", "x", SK_USAGE,
              "titel: there is no such field, did you mean title?");
    set_fails(SK_TYPE_CASE, "Secret", "x", SK_USAGE, "?: there is no such field");
    set_fails(SK_TYPE_CASE, "", "x", SK_USAGE, "?: there is no such field");
    set_fails(SK_TYPE_CASE, ".", "x", SK_USAGE, "?: there is no such field");
    set_fails(SK_TYPE_CASE, "a23456789_123456789_123456789_123456789_1", "x", SK_USAGE,
              "?: there is no such field");
    set_fails(SK_TYPE_CASE, "title.x", "x", SK_USAGE, "title: there are no fields inside this one");
    set_fails(SK_TYPE_CASE, "appeal.", "x", SK_USAGE, "appeal.?: there is no such field");
    set_fails(SK_TYPE_CASE, "appeal.curt", "x", SK_USAGE,
              "appeal.curt: there is no such field, did you mean court?");
    set_fails(SK_TYPE_CASE, "sentences.kind", "x", SK_USAGE, entry);
    set_fails(SK_TYPE_CASE, "sentences.", "x", SK_USAGE, entry);
    set_fails(SK_TYPE_CASE, "sentences.0", "{}", SK_USAGE, entry);
    set_fails(SK_TYPE_CASE, "sentences.2.kind", "fine", SK_USAGE, entry);
    set_fails(SK_TYPE_CASE, "sentences.-1.kind", "fine", SK_USAGE, entry);
    set_fails(SK_TYPE_CASE, "sentences.18446744073709551616.kind", "fine", SK_USAGE, entry);
    set_fails(SK_TYPE_CASE, "sentences.0.knd", "fine", SK_USAGE,
              "sentences.0.knd: there is no such field, did you mean kind?");
    set_fails(SK_TYPE_CASE, "sentences.0.length.years", "two", SK_REFUSED,
              "sentences.0.length.years: takes a whole number");
}

static void shared_values_stay_apart(void **state)
{
    (void)state;
    parse("{\"sentences\": [{\"length\": {\"years\": 2}}]}");
    copy = json_copy(record); /* shares everything below the top */
    assert_int_equal(
        sk_form_set(form_of(SK_TYPE_CASE), copy, "sentences.0.length.years", "3", NULL), SK_OK);
    set(SK_TYPE_CASE, "title", "t", "{\"sentences\":[{\"length\":{\"years\":2}}],\"title\":\"t\"}");
}

/* ---- showing ---- */

static void shows(unsigned type, const char *name, const char *value, const char *expected)
{
    parse(value);
    assert_int_equal(sk_form_value_text(&out, sk_form_field(form_of(type), name), record, NULL),
                     SK_OK);
    assert_string_equal(sk_buf_text(&out), expected);
}

static void values_are_shown_in_one_line(void **state)
{
    (void)state;
    shows(SK_TYPE_CASE, "title", "\"raw\\u001b\"", "raw\x1b");
    shows(SK_TYPE_CASE, "opened", "\"2024-07~\"", "2024-07~");
    shows(SK_TYPE_EVENT, "people_affected", "12", "12");
    shows(SK_TYPE_EVENT, "people_affected", "0.1", "0.1");
    shows(SK_TYPE_CASE, "kind", "\"administrative\"", "Administrative");
    shows(SK_TYPE_CASE, "kind", "\"of a later version\"", "of a later version");
    shows(SK_TYPE_PERSON, "roles", "[\"victim\", \"official\"]", "Victim, Official");
    shows(SK_TYPE_PERSON, "roles", "[\"later\", 5]", "later, ");
    shows(SK_TYPE_PERSON, "roles", "[]", "");
    shows(SK_TYPE_CASE, "appeal", "{\"filed\": \"yes\"}", "");
    shows(SK_TYPE_CASE, "articles", "[{\"code\": \"x\"}]", "");
    shows(SK_TYPE_CASE, "articles", "[\"x\"]", "");
    shows(SK_TYPE_CASE, "appeal", "{\"missing\": \"refused\"}", "(refused)");
    shows(SK_TYPE_CASE, "title", "true", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_its_form),
        cmocka_unit_test(loading_twice_is_harmless),
        cmocka_unit_test_teardown(full_records_are_taken, clear),
        cmocka_unit_test_teardown(values_of_another_type_are_refused, clear),
        cmocka_unit_test_teardown(refusals_name_the_field, clear),
        cmocka_unit_test_teardown(unknown_fields_are_refused, clear),
        cmocka_unit_test_teardown(titles_are_required, clear),
        cmocka_unit_test_teardown(texts_are_utf8_without_nul, clear),
        cmocka_unit_test_teardown(special_answers_are_taken_and_told_apart, clear),
        cmocka_unit_test_teardown(every_type_of_field_is_set, clear),
        cmocka_unit_test_teardown(fields_inside_are_set, clear),
        cmocka_unit_test_teardown(values_that_do_not_fit_are_refused, clear),
        cmocka_unit_test_teardown(paths_that_lead_nowhere_are_refused, clear),
        cmocka_unit_test_teardown(shared_values_stay_apart, clear),
        cmocka_unit_test_teardown(values_are_shown_in_one_line, clear),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
