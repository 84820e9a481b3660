/*
 * Texts of payloads as JSON: strings, numbers, and how many values there can be.
 */
#include "tests/vectors/make/group.h"

#include <stdio.h>
#include <string.h>

#define HEAD(form) \
    "{\"form\":\"" form "\",\"version\":1,\"recorded\":\"2026-01-02T03:04Z\",\"fields\":{"
#define TITLE(text) HEAD("source") "\"title\":\"" text "\"}}"

static json_t *text_keys(unsigned type, unsigned body)
{
    return json_pack("{s:i, s:i}", "type", type, "body_length", body);
}

/* In these an @ stands for a NUL. */
static void make_strings(void)
{
    static const struct {
        const char *name, *shows, *class;
        unsigned type;
        const char *text;
    } rows[] = {
        {"a tab in a string", "control characters are escaped", "malformed", SK_TYPE_SOURCE,
         TITLE("a\tb")},
        {"a second half alone", "no character", "malformed", SK_TYPE_SOURCE, TITLE("\\udc00")},
        {"a first half and a letter", "no character", "malformed", SK_TYPE_SOURCE,
         TITLE("\\ud83d\\u0041")},
        {"two halves the other way", "no character", "malformed", SK_TYPE_SOURCE,
         TITLE("\\ude00\\ud83d")},
        {"a surrogate pair", "one character", "ok", SK_TYPE_SOURCE, TITLE("\\uD83d\\uDe00")},
        {"the first and the last pair", "one character each", "ok", SK_TYPE_SOURCE,
         TITLE("\\ud800\\udc00\\udbff\\udfff")},
        {"characters beside the halves", "no halves", "ok", SK_TYPE_SOURCE,
         TITLE("\\ud7ff\\ue000")},
        {"an unknown escape", "no JSON", "malformed", SK_TYPE_SOURCE, TITLE("\\x41")},
        {"an escape with another digit", "no JSON", "malformed", SK_TYPE_SOURCE, TITLE("\\u12g4")},
        {"every short escape", "each stands for one character", "ok", SK_TYPE_SOURCE,
         TITLE("\\b\\f\\n\\r\\t\\/\\\\\\\"")},
        {"no colon", "no JSON", "malformed", SK_TYPE_SOURCE, HEAD("source") "\"title\" \"S\"}}"},
        {"no comma", "no JSON", "malformed", SK_TYPE_SOURCE,
         HEAD("source") "\"title\":\"S\" \"author\":\"A\"}}"},
        {"a name without quotes", "no JSON", "malformed", SK_TYPE_SOURCE,
         HEAD("source") "title:\"S\"}}"},
        {"a comment", "no JSON", "malformed", SK_TYPE_SOURCE, TITLE("S") "/* */"},
        {"a vertical tab behind the text", "no blank of JSON", "malformed", SK_TYPE_SOURCE,
         TITLE("S") "\v"},
        {"a name twice, once by an escape", "names are compared as they are meant", "malformed",
         SK_TYPE_SOURCE, HEAD("source") "\"title\":\"S\",\"t\\u0069tle\":\"S\"}}"},
        {"a name by an escape", "it is that name", "ok", SK_TYPE_SOURCE,
         HEAD("source") "\"t\\u0069tle\":\"S\"}}"},
        {"a NUL behind the text", "one value", "malformed", SK_TYPE_SOURCE, TITLE("S") "@"},
        {"a NUL behind a number", "no blank of JSON", "malformed", SK_TYPE_EVENT,
         HEAD("event") "\"title\":\"S\",\"people_affected\":1@}}"},
        {"a NUL behind a number, before a comma", "no blank of JSON", "malformed", SK_TYPE_SOURCE,
         "{\"form\":\"source\",\"version\":1@,\"recorded\":\"2026-01-02T03:04Z\",\"fields\":{"
         "\"title\":\"S\"}}"},
        {"a NUL behind true", "no blank of JSON", "malformed", SK_TYPE_FORM,
         "{\"form\":\"d\",\"type\":\"case\",\"version\":1,\"label\":\"D\",\"fields\":[{\"name\":"
         "\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\",\"required\":true@}]}"},
        {"a NUL in a string", "control characters are escaped", "malformed", SK_TYPE_SOURCE,
         TITLE("a@b")},
        {"1e400", "infinite as 64 bits", "malformed", SK_TYPE_CASE,
         HEAD("case") "\"title\":\"S\",\"penalties\":[{\"amount\":1e400}]}}"},
        {"-1e400", "infinite as 64 bits", "malformed", SK_TYPE_CASE,
         HEAD("case") "\"title\":\"S\",\"penalties\":[{\"amount\":-1e400}]}}"},
        {"1e308", "finite as 64 bits", "ok", SK_TYPE_CASE,
         HEAD("case") "\"title\":\"S\",\"penalties\":[{\"amount\":1e308}]}}"},
        {"1e-400", "0 as 64 bits", "ok", SK_TYPE_CASE,
         HEAD("case") "\"title\":\"S\",\"penalties\":[{\"amount\":1e-400}]}}"},
        {"-0", "a whole number", "ok", SK_TYPE_EVENT,
         HEAD("event") "\"title\":\"S\",\"people_affected\":-0}}"},
        {"a number with a zero in front", "no JSON", "malformed", SK_TYPE_EVENT,
         HEAD("event") "\"title\":\"S\",\"people_affected\":05}}"},
        {"NaN", "no JSON", "malformed", SK_TYPE_CASE,
         HEAD("case") "\"title\":\"S\",\"penalties\":[{\"amount\":NaN}]}}"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[300];
        size_t len = strlen(rows[i].text);
        MUST(len < sizeof(text));
        memcpy(text, rows[i].text, len);
        for (size_t at = 0; at < len; at++)
            if (text[at] == '@')
                text[at] = '\0';
        sk_vector_bytes(rows[i].name, rows[i].shows, rows[i].class, text, len,
                        text_keys(rows[i].type, 0));
    }
}

/* ---- values of another kind ---- */

#define RECORDED "\"recorded\":\"2026-01-02T03:04Z\""
#define ID       "\"01010101010101010101010101010101\""
#define SHA      "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""
#define SOURCE(form, version, recorded, fields) \
    "{\"form\":" form ",\"version\":" version ",\"recorded\":" recorded ",\"fields\":" fields "}"
#define FIELDS "{\"title\":\"S\"}"
#define TIME   "\"2026-01-02T03:04Z\""
#define LINK(source, role, target) \
    "{" RECORDED ",\"source\":" source ",\"role\":" role ",\"target\":" target "}"
#define ATTACHED(record, name, size, sha)                                                \
    "{" RECORDED ",\"record\":" record ",\"name\":" name ",\"type\":\"\",\"size\":" size \
    ",\"sha256\":" sha "}"
#define FORM(name, type, label, field)                                                          \
    "{\"form\":" name ",\"type\":" type ",\"version\":1,\"label\":" label                       \
    ",\"fields\":[{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\"," \
    "\"required\":true}," field "]}"
#define FIELD(name, label, type, access, more) \
    FORM("\"d\"", "\"case\"", "\"D\"",         \
         "{\"name\":" name ",\"label\":" label ",\"type\":" type ",\"access\":" access more "}")
#define GOOD_FIELD "{\"name\":\"a\",\"label\":\"A\",\"type\":\"text\",\"access\":\"public\"}"
#define CHOICE(choice)                                  \
    FIELD("\"a\"", "\"A\"", "\"choice\"", "\"public\"", \
          ",\"choices\":[{\"name\":\"x\",\"label\":\"X\"}," choice "]")

static void make_kinds(void)
{
    static const size_t right = 5; /* the first of them */
    static const struct {
        const char *name;
        unsigned type;
        const char *text;
    } rows[] = {
        {"a form with a field more", SK_TYPE_FORM, FORM("\"d\"", "\"case\"", "\"D\"", GOOD_FIELD)},
        {"a form with two choices", SK_TYPE_FORM, CHOICE("{\"name\":\"y\",\"label\":\"Y\"}")},
        {"a form with a hint", SK_TYPE_FORM,
         FIELD("\"a\"", "\"A\"", "\"text\"", "\"public\"", ",\"hint\":\"H\"")},
        {"a link by its members", SK_TYPE_LINK, LINK(ID, "\"x\"", ID)},
        {"an attachment of nothing", SK_TYPE_ATTACHMENT, ATTACHED(ID, "\"a\"", "0", SHA)},
        {"a text that is a string", SK_TYPE_SOURCE, "\"S\""},
        {"a text that is null", SK_TYPE_SOURCE, "null"},
        {"a form's name that is a number", SK_TYPE_SOURCE, SOURCE("1", "1", TIME, FIELDS)},
        {"a form's name that is null", SK_TYPE_SOURCE, SOURCE("null", "1", TIME, FIELDS)},
        {"a version that is a string", SK_TYPE_SOURCE, SOURCE("\"source\"", "\"1\"", TIME, FIELDS)},
        {"a time of recording that is a number", SK_TYPE_SOURCE,
         SOURCE("\"source\"", "1", "2026", FIELDS)},
        {"a time of recording that is an object", SK_TYPE_SOURCE,
         SOURCE("\"source\"", "1", "{}", FIELDS)},
        {"fields that are null", SK_TYPE_SOURCE, SOURCE("\"source\"", "1", TIME, "null")},
        {"a title that is an object", SK_TYPE_SOURCE,
         SOURCE("\"source\"", "1", TIME, "{\"title\":{}}")},
        {"a special answer that is a number", SK_TYPE_SOURCE,
         SOURCE("\"source\"", "1", TIME, "{\"title\":\"S\",\"date\":{\"missing\":1}}")},
        {"a choice that is a number", SK_TYPE_SOURCE,
         SOURCE("\"source\"", "1", TIME, "{\"title\":\"S\",\"kind\":1}")},
        {"choices with a number", SK_TYPE_PERSON,
         SOURCE("\"person\"", "1", TIME, "{\"title\":\"S\",\"roles\":[1]}")},
        {"choices with an array", SK_TYPE_PERSON,
         SOURCE("\"person\"", "1", TIME, "{\"title\":\"S\",\"roles\":[[]]}")},
        {"a time that is a number", SK_TYPE_TESTIMONY,
         SOURCE("\"testimony\"", "1", TIME, "{\"title\":\"S\",\"breaks\":[{\"start\":1}]}")},
        {"a time with a zone that is a number", SK_TYPE_TESTIMONY,
         SOURCE("\"testimony\"", "1", TIME, "{\"title\":\"S\",\"start\":1}")},
        {"a link from a number", SK_TYPE_LINK, LINK("1", "\"x\"", ID)},
        {"a link to an array", SK_TYPE_LINK, LINK(ID, "\"x\"", "[]")},
        {"a role that is a number", SK_TYPE_LINK, LINK(ID, "1", ID)},
        {"a record that is a number", SK_TYPE_ATTACHMENT, ATTACHED("1", "\"a\"", "0", SHA)},
        {"a name that is a number", SK_TYPE_ATTACHMENT, ATTACHED(ID, "1", "0", SHA)},
        {"a size that is a string", SK_TYPE_ATTACHMENT, ATTACHED(ID, "\"a\"", "\"0\"", SHA)},
        {"a size that is null", SK_TYPE_ATTACHMENT, ATTACHED(ID, "\"a\"", "null", SHA)},
        {"a hash that is a number", SK_TYPE_ATTACHMENT, ATTACHED(ID, "\"a\"", "0", "1")},
        {"a continuation of numbers", SK_TYPE_CONTINUATION,
         "{" RECORDED ",\"log\":1,\"continues\":1,\"sign\":1,\"dh\":1,\"size\":1,\"root\":1,"
         "\"signature\":1}"},
        {"a form with a number for a name", SK_TYPE_FORM,
         FORM("1", "\"case\"", "\"D\"", GOOD_FIELD)},
        {"a form with a number for a type", SK_TYPE_FORM, FORM("\"d\"", "1", "\"D\"", GOOD_FIELD)},
        {"a form with a number for a label", SK_TYPE_FORM,
         FORM("\"d\"", "\"case\"", "1", GOOD_FIELD)},
        {"a field that is a number", SK_TYPE_FORM, FORM("\"d\"", "\"case\"", "\"D\"", "1")},
        {"a field with a number for a name", SK_TYPE_FORM,
         FIELD("1", "\"A\"", "\"text\"", "\"public\"", "")},
        {"a field with a number for a label", SK_TYPE_FORM,
         FIELD("\"a\"", "1", "\"text\"", "\"public\"", "")},
        {"a field with an array for a type", SK_TYPE_FORM,
         FIELD("\"a\"", "\"A\"", "[]", "\"public\"", "")},
        {"a field with an array for an access", SK_TYPE_FORM,
         FIELD("\"a\"", "\"A\"", "\"text\"", "[]", "")},
        {"a field with a number for a hint", SK_TYPE_FORM,
         FIELD("\"a\"", "\"A\"", "\"text\"", "\"public\"", ",\"hint\":1")},
        {"a field with an array that stands in", SK_TYPE_FORM,
         FIELD("\"a\"", "\"A\"", "\"text\"", "\"public\"", ",\"unless\":[]")},
        {"a choice that is a string", SK_TYPE_FORM, CHOICE("\"y\"")},
        {"a choice with a number for a name", SK_TYPE_FORM, CHOICE("{\"name\":1,\"label\":\"Y\"}")},
        {"a choice with a number for a label", SK_TYPE_FORM,
         CHOICE("{\"name\":\"y\",\"label\":1}")},
        {"choices that are an object", SK_TYPE_FORM,
         FIELD("\"a\"", "\"A\"", "\"choice\"", "\"public\"", ",\"choices\":{}")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector_bytes(rows[i].name, i < right ? "as it should be" : "another kind of value",
                        i < right ? "ok" : "malformed", rows[i].text, strlen(rows[i].text),
                        text_keys(rows[i].type, 0));
}

/* ---- long ones, told by their pieces ---- */

static void add_long(const char *name, const char *shows, const char *class, unsigned type,
                     const char *head, const char *piece, unsigned count, const char *end)
{
    sk_vector(name, shows, class,
              json_pack("[[o, i], [o, i], [o, i]]", sk_hex_json(head, strlen(head)), 1,
                        sk_hex_json(piece, strlen(piece)), count, sk_hex_json(end, strlen(end)), 1),
              text_keys(type, 0));
}

#define POSTS HEAD("person") "\"title\":\"S\",\"posts\":["
#define FILE_HEAD                                                                       \
    "{\"recorded\":\"2026-01-02T03:04Z\",\"record\":\"01010101010101010101010101010101" \
    "\",\"type\":\"\",\"size\":0,\"sha256\":"                                           \
    "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"name\":\""

static void make_long(void)
{
    /* The head has 7 signs, each piece 2, the end 1. */
    add_long("2^18 signs", "as many as there can be", "ok", SK_TYPE_PERSON, POSTS, "{},", 131068,
             "{}]}}");
    add_long("2^18 signs and one", "more than there can be", "malformed", SK_TYPE_PERSON, POSTS,
             "{},", 131068, "{}],\"name\":\"N\"}}");
    add_long("2^19 commas in a string", "they stand for nothing", "ok", SK_TYPE_SOURCE,
             HEAD("source") "\"title\":\"", ",", 1u << 19, "\"}}");
    add_long("2^18 commas behind an escaped quote", "the string goes on", "ok", SK_TYPE_SOURCE,
             HEAD("source") "\"title\":\"\\\\\\\"", "{,", 1u << 18, "\"}}");
    add_long("a name of 1,024 bytes", "the longest", "ok", SK_TYPE_ATTACHMENT, FILE_HEAD,
             "\xd0\xb6", 512, "\"}");
    add_long("a name of 1,025 bytes", "a byte too long", "malformed", SK_TYPE_ATTACHMENT, FILE_HEAD,
             "\xd0\xb6", 512, "x\"}");
}

void sk_make_json(void)
{
    make_strings();
    make_kinds();
    make_long();
}
