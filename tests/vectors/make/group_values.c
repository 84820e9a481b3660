/*
 * Texts of payloads: the values of fields, of each type that a field can have, and the bounds of
 * what stands beside them.
 */
#include "core/types.h"
#include "tests/vectors/make/group.h"

#include <stdio.h>
#include <string.h>

#define T(field) "{\"title\":\"S\"," field "}"

struct row {
    const char *name, *shows, *class;
    unsigned type;
    const char *fields;
};

static void add_rows(const struct row *rows, size_t count)
{
    char text[1024];
    for (size_t i = 0; i < count; i++) {
        int len = snprintf(text, sizeof(text),
                           "{\"form\":\"%s\",\"version\":1,\"recorded\":\"2026-01-02T03:04Z\","
                           "\"fields\":%s}",
                           sk_type_name(rows[i].type), rows[i].fields);
        MUST(len > 0 && (size_t)len < sizeof(text));
        sk_vector_bytes(rows[i].name, rows[i].shows, rows[i].class, text, (size_t)len,
                        json_pack("{s:i, s:i}", "type", rows[i].type, "body_length", 0));
    }
}

#define ADD(rows) add_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- texts, choices, numbers ---- */

static void make_plain(void)
{
    static const struct row rows[] = {
        {"text: any", "a string", "ok", SK_TYPE_SOURCE, T("\"author\":\"\\u0001 \\ufffe\"")},
        {"text: empty", "it may be, where nothing is required", "ok", SK_TYPE_SOURCE,
         T("\"author\":\"\"")},
        {"text: a number", "no string", "malformed", SK_TYPE_SOURCE, T("\"author\":1")},
        {"text: null", "no value", "malformed", SK_TYPE_SOURCE, T("\"author\":null")},
        {"text: false", "no value", "malformed", SK_TYPE_SOURCE, T("\"author\":false")},
        {"choice: a name", "one of the form's", "ok", SK_TYPE_SOURCE, T("\"kind\":\"court\"")},
        {"choice: a label", "names are written, not labels", "malformed", SK_TYPE_SOURCE,
         T("\"kind\":\"Court document\"")},
        {"choice: upper case", "the same case", "malformed", SK_TYPE_SOURCE,
         T("\"kind\":\"Court\"")},
        {"choice: an array", "one alone", "malformed", SK_TYPE_SOURCE, T("\"kind\":[\"court\"]")},
        {"choices: two", "in any order", "ok", SK_TYPE_PERSON,
         T("\"roles\":[\"witness\",\"victim\"]")},
        {"choices: none", "an empty array", "ok", SK_TYPE_PERSON, T("\"roles\":[]")},
        {"choices: one twice", "each at most once", "malformed", SK_TYPE_PERSON,
         T("\"roles\":[\"victim\",\"victim\"]")},
        {"choices: an unknown one", "of the form's", "malformed", SK_TYPE_PERSON,
         T("\"roles\":[\"victim\",\"king\"]")},
        {"choices: a string", "an array", "malformed", SK_TYPE_PERSON, T("\"roles\":\"victim\"")},
        {"integer: least", "64 bits with sign", "ok", SK_TYPE_EVENT,
         T("\"people_affected\":-9223372036854775808")},
        {"integer: greatest", "64 bits with sign", "ok", SK_TYPE_EVENT,
         T("\"people_affected\":9223372036854775807")},
        {"integer: one more", "than 64 bits hold", "malformed", SK_TYPE_EVENT,
         T("\"people_affected\":9223372036854775808")},
        {"integer: one less", "than 64 bits hold", "malformed", SK_TYPE_EVENT,
         T("\"people_affected\":-9223372036854775809")},
        {"integer: a point", "5.0 is not whole", "malformed", SK_TYPE_EVENT,
         T("\"people_affected\":5.0")},
        {"integer: an exponent", "5e0 is not whole", "malformed", SK_TYPE_EVENT,
         T("\"people_affected\":5e0")},
        {"integer: a string", "a number", "malformed", SK_TYPE_EVENT,
         T("\"people_affected\":\"5\"")},
        {"integer: true", "a number", "malformed", SK_TYPE_EVENT, T("\"people_affected\":true")},
        {"decimal: with a point", "a number", "ok", SK_TYPE_CASE,
         T("\"penalties\":[{\"amount\":12.5}]")},
        {"decimal: whole", "a number", "ok", SK_TYPE_CASE, T("\"penalties\":[{\"amount\":12}]")},
        {"decimal: a string", "no number", "malformed", SK_TYPE_CASE,
         T("\"penalties\":[{\"amount\":\"12.5\"}]")},
    };
    ADD(rows);
}

/* ---- days and times ---- */

#define DAY(text)  T("\"date\":\"" text "\"")
#define WHEN(text) T("\"start\":\"" text "\"")
#define HOUR(text) T("\"breaks\":[{\"start\":\"" text "\"}]")

static void make_days(void)
{
    static const struct row rows[] = {
        {"date: a day", "of a leap year", "ok", SK_TYPE_SOURCE, DAY("2024-02-29")},
        {"date: a year", "partial", "ok", SK_TYPE_SOURCE, DAY("1800")},
        {"date: about a month", "approximate", "ok", SK_TYPE_SOURCE, DAY("2199-12~")},
        {"date: before", "an open beginning", "ok", SK_TYPE_SOURCE, DAY("../2024-07")},
        {"date: after", "an open end", "ok", SK_TYPE_SOURCE, DAY("2024-07~/..")},
        {"date: between", "one month in the other's year", "ok", SK_TYPE_SOURCE,
         DAY("2024/2024-01")},
        {"date: from a month to its year", "the month's first day is not behind the year's last",
         "ok", SK_TYPE_SOURCE, DAY("2024-02/2024")},
        {"date: after month 13", "no such month", "malformed", SK_TYPE_SOURCE, DAY("2024-13/..")},
        {"date: before month 13", "no such month", "malformed", SK_TYPE_SOURCE, DAY("../2024-13")},
        {"date: the other way", "the first lies behind the second", "malformed", SK_TYPE_SOURCE,
         DAY("2024-02/2024-01")},
        {"date: no leap year", "no such day", "malformed", SK_TYPE_SOURCE, DAY("2100-02-29")},
        {"date: month 13", "no such month", "malformed", SK_TYPE_SOURCE, DAY("2024-13")},
        {"date: 1799", "before 1800", "malformed", SK_TYPE_SOURCE, DAY("1799-12-31")},
        {"date: 2200", "after 2199", "malformed", SK_TYPE_SOURCE, DAY("2200")},
        {"date: open on both sides", "says nothing", "malformed", SK_TYPE_SOURCE, DAY("../..")},
        {"date: two dots", "says nothing", "malformed", SK_TYPE_SOURCE, DAY("..")},
        {"date: three days", "two at most", "malformed", SK_TYPE_SOURCE, DAY("2024/2025/2026")},
        {"date: a blank behind it", "nothing around it", "malformed", SK_TYPE_SOURCE, DAY("2024 ")},
        {"date: a mark twice", "one ~", "malformed", SK_TYPE_SOURCE, DAY("2024~~")},
        {"date: other digits", "of ASCII", "malformed", SK_TYPE_SOURCE,
         DAY("\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa4")},
        {"date: a number", "a string", "malformed", SK_TYPE_SOURCE, T("\"date\":2024")},
        {"date: empty", "no date", "malformed", SK_TYPE_SOURCE, DAY("")},
        {"time: minutes", "seconds may be missing", "ok", SK_TYPE_TESTIMONY, HOUR("00:00")},
        {"time: seconds", "with seconds", "ok", SK_TYPE_TESTIMONY, HOUR("23:59:59")},
        {"date: month 0", "no such month", "malformed", SK_TYPE_SOURCE, DAY("2024-00")},
        {"date: a day of month 0", "no such month", "malformed", SK_TYPE_SOURCE, DAY("2024-00-10")},
        {"date: day 0", "no such day", "malformed", SK_TYPE_SOURCE, DAY("2024-01-00")},
        {"date: 31 April", "no such day", "malformed", SK_TYPE_SOURCE, DAY("2024-04-31")},
        {"date: between one day", "the first is not behind the second", "ok", SK_TYPE_SOURCE,
         DAY("2024-01-01/2024-01-01")},
        {"date: the other way, about", "~ moves neither day", "malformed", SK_TYPE_SOURCE,
         DAY("2024-02~/2024-01~")},
        {"time: minute 60", "no such minute", "malformed", SK_TYPE_TESTIMONY, HOUR("00:60")},
        {"datetime: offset of minute 60", "no such minute", "malformed", SK_TYPE_TESTIMONY,
         WHEN("2024-01-01T00:00+00:60")},
        {"time: 24:00", "no such hour", "malformed", SK_TYPE_TESTIMONY, HOUR("24:00")},
        {"time: second 60", "no such second", "malformed", SK_TYPE_TESTIMONY, HOUR("23:59:60")},
        {"time: a zone", "it has none", "malformed", SK_TYPE_TESTIMONY, HOUR("23:59Z")},
        {"datetime: Z", "the offset 0", "ok", SK_TYPE_TESTIMONY, WHEN("1800-01-01T00:00Z")},
        {"datetime: 14 hours", "the greatest offset", "ok", SK_TYPE_TESTIMONY,
         WHEN("2199-12-31T23:59:59+14:00")},
        {"datetime: -00:00", "an offset", "ok", SK_TYPE_TESTIMONY, WHEN("2024-01-01T00:00-00:00")},
        {"datetime: 14 hours and a minute", "beyond the greatest", "malformed", SK_TYPE_TESTIMONY,
         WHEN("2024-01-01T00:00-14:01")},
        {"datetime: minute 59 of the offset", "the last one", "ok", SK_TYPE_TESTIMONY,
         WHEN("2024-01-01T00:00+05:59")},
        {"datetime: minute 60 of the offset", "no such minute", "malformed", SK_TYPE_TESTIMONY,
         WHEN("2024-01-01T00:00+01:60")},
        {"datetime: no offset", "it has one", "malformed", SK_TYPE_TESTIMONY,
         WHEN("2024-01-01T00:00")},
        {"datetime: a month", "a whole day", "malformed", SK_TYPE_TESTIMONY,
         WHEN("2024-01T00:00Z")},
        {"datetime: about", "a day without ~", "malformed", SK_TYPE_TESTIMONY,
         WHEN("2024-01-01~T00:00Z")},
        {"datetime: small letters", "T and Z", "malformed", SK_TYPE_TESTIMONY,
         WHEN("2024-01-01t00:00z")},
    };
    ADD(rows);
}

/* ---- groups, repeats, and no answer ---- */

#define THIRTY_TWO "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

static void make_consent(void)
{
    static const struct row rows[] = {
        {"a consent", "of the sixth type", "ok", SK_TYPE_CONSENT,
         T("\"given_by\":\"self\",\"purpose\":\"P\"")},
        {"a consent by nobody", "of the form's choices", "malformed", SK_TYPE_CONSENT,
         T("\"given_by\":\"nobody\"")},
    };
    ADD(rows);
}

static void make_nested(void)
{
    static const struct row rows[] = {
        {"group: two fields", "an object", "ok", SK_TYPE_PERSON,
         T("\"health\":{\"care\":\"no\",\"medicines\":\"\"}")},
        {"group: empty", "an object", "ok", SK_TYPE_PERSON, T("\"health\":{}")},
        {"group: an unknown field", "of the group's", "malformed", SK_TYPE_PERSON,
         T("\"health\":{\"title\":\"x\"}")},
        {"group: a wrong value", "each of its own type", "malformed", SK_TYPE_PERSON,
         T("\"health\":{\"care\":\"none\"}")},
        {"group: an array", "an object", "malformed", SK_TYPE_PERSON, T("\"health\":[]")},
        {"repeat: two", "an array of objects", "ok", SK_TYPE_PERSON,
         T("\"posts\":[{\"from\":\"2020\"},{}]")},
        {"repeat: none", "an empty array", "ok", SK_TYPE_PERSON, T("\"posts\":[]")},
        {"repeat: an object", "an array", "malformed", SK_TYPE_PERSON, T("\"posts\":{}")},
        {"repeat: a string in it", "objects", "malformed", SK_TYPE_PERSON, T("\"posts\":[\"x\"]")},
        {"repeat: a wrong value in the second", "each of its own type", "malformed", SK_TYPE_PERSON,
         T("\"posts\":[{},{\"from\":\"x\"}]")},
        {"repeat: an escaped NUL in it", "strings have none", "malformed", SK_TYPE_PERSON,
         T("\"posts\":[{\"rank\":\"a\\u0000b\"}]")},
        {"repeat: a NUL in a name in it", "strings have none", "malformed", SK_TYPE_PERSON,
         T("\"posts\":[{\"rank\\u0000\":\"a\"}]")},
        {"repeat: half a surrogate pair in it", "no character", "malformed", SK_TYPE_PERSON,
         T("\"posts\":[{\"rank\":\"\\udc00\"}]")},
        {"group: an escaped NUL in it", "strings have none", "malformed", SK_TYPE_PERSON,
         T("\"health\":{\"medicines\":\"\\u0000\"}")},
        {"missing: unknown", "in the place of a date", "ok", SK_TYPE_SOURCE,
         T("\"date\":{\"missing\":\"unknown\"}")},
        {"missing: refused", "in the place of a repeat", "ok", SK_TYPE_PERSON,
         T("\"posts\":{\"missing\":\"refused\"}")},
        {"missing: not asked", "in the place of a group", "ok", SK_TYPE_PERSON,
         T("\"health\":{\"missing\":\"not asked\"}")},
        {"missing: for a title", "it is an answer", "ok", SK_TYPE_SOURCE,
         "{\"title\":{\"missing\":\"unknown\"}}"},
        {"missing: another answer", "one of three", "malformed", SK_TYPE_SOURCE,
         T("\"date\":{\"missing\":\"lost\"}")},
        {"missing: something beside it", "one member", "malformed", SK_TYPE_SOURCE,
         T("\"date\":{\"missing\":\"unknown\",\"x\":1}")},
        {"missing: within a repeat", "it stands for the whole", "malformed", SK_TYPE_PERSON,
         T("\"posts\":[{\"missing\":\"unknown\"}]")},
        {"missing: within choices", "it stands for the whole", "malformed", SK_TYPE_PERSON,
         T("\"roles\":[{\"missing\":\"unknown\"}]")},
        {"missing: of all fields", "the form has no field of this name", "malformed",
         SK_TYPE_SOURCE, "{\"missing\":\"unknown\"}"},
        {"required: blanks", "nothing is filled in", "malformed", SK_TYPE_SOURCE,
         "{\"title\":\" \\t\\r\\n\"}"},
        {"required: another blank", "U+00A0 is not blank", "ok", SK_TYPE_SOURCE,
         "{\"title\":\"\\u00a0\"}"},
        {"required: the field that stands in", "a person's name for a title", "ok", SK_TYPE_PERSON,
         "{\"name\":\"N\"}"},
        {"required: of a person", "a name or a title", "malformed", SK_TYPE_PERSON, "{}"},
        {"required: of a case", "a title", "malformed", SK_TYPE_CASE, "{}"},
        {"required: of an event", "a title", "malformed", SK_TYPE_EVENT, "{}"},
        {"required: of a testimony", "a title", "malformed", SK_TYPE_TESTIMONY, "{}"},
        {"required: of a consent", "a title", "malformed", SK_TYPE_CONSENT, "{}"},
        {"required: it is blank too", "neither is filled in", "malformed", SK_TYPE_PERSON,
         "{\"title\":\"\",\"name\":\" \"}"},
        {"32 levels", "as deep as it can be: no value, though", "malformed", SK_TYPE_SOURCE,
         T("\"author\":" THIRTY_TWO)},
        {"fields: an array", "an object", "malformed", SK_TYPE_SOURCE, "[]"},
    };
    ADD(rows);
}

/* ---- other members ---- */

#define SOURCE_AT(time)                                             \
    "{\"form\":\"source\",\"version\":1,\"recorded\":\"" time "\"," \
    "\"fields\":{\"title\":\"S\"}}"
#define LINKED(id)                                                                           \
    "{\"recorded\":\"2026-01-02T03:04Z\",\"source\":\"" id "\",\"role\":\"x\",\"target\":\"" \
    "0202020202020202020202020202020a\"}"
#define ATTACHED(record, sha)                                                                     \
    "{\"recorded\":\"2026-01-02T03:04Z\",\"record\":\"" record "\",\"name\":\"a\",\"type\":\"\"," \
    "\"size\":5,\"sha256\":\"" sha "\"}"
#define SHA   "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define LARGE "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824"

static void make_members(void)
{
    static const struct {
        const char *name, *shows, *class;
        unsigned type, body;
        const char *text;
    } rows[] = {
        {"recorded at 23:59:59", "the last second of a day", "ok", SK_TYPE_SOURCE, 0,
         SOURCE_AT("2199-12-31T23:59:59-14:00")},
        {"recorded at second 60", "no such second", "malformed", SK_TYPE_SOURCE, 0,
         SOURCE_AT("2016-12-31T23:59:60Z")},
        {"recorded at 24:00", "no such hour", "malformed", SK_TYPE_SOURCE, 0,
         SOURCE_AT("2016-12-31T24:00Z")},
        {"recorded in 1799", "before 1800", "malformed", SK_TYPE_SOURCE, 0,
         SOURCE_AT("1799-12-31T23:59Z")},
        {"recorded on 30 February", "no such day", "malformed", SK_TYPE_SOURCE, 0,
         SOURCE_AT("2016-02-30T23:59Z")},
        {"an id in upper case", "either case", "ok", SK_TYPE_LINK, 0,
         LINKED("0A0b0C0d0E0f0102030405060708090A")},
        {"an id of 31 digits", "32", "malformed", SK_TYPE_LINK, 0,
         LINKED("0A0b0C0d0E0f0102030405060708090")},
        {"a record of 33 digits", "an id has 32", "malformed", SK_TYPE_ATTACHMENT, 5,
         ATTACHED("010101010101010101010101010101010", SHA)},
        {"a hash in upper case", "either case", "ok", SK_TYPE_ATTACHMENT, 5,
         ATTACHED("01010101010101010101010101010101", LARGE)},
        {"a hash with another letter", "hex digits", "malformed", SK_TYPE_ATTACHMENT, 5,
         ATTACHED("01010101010101010101010101010101",
                  "gcf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")},
        {"an empty form", "it has members", "malformed", SK_TYPE_FORM, 0, "{}"},
        {"version 1.0", "a version is whole", "malformed", SK_TYPE_SOURCE, 0,
         "{\"form\":\"source\",\"version\":1.0,\"recorded\":\"2026-01-02T03:04Z\","
         "\"fields\":{\"title\":\"S\"}}"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector_bytes(rows[i].name, rows[i].shows, rows[i].class, rows[i].text,
                        strlen(rows[i].text),
                        json_pack("{s:i, s:i}", "type", rows[i].type, "body_length", rows[i].body));
}

void sk_make_values(void)
{
    make_plain();
    make_days();
    make_nested();
    make_consent();
    make_members();
}
