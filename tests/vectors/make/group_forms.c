/*
 * Forms of organisations: as texts of entries, and the records made with them.
 */
#include "core/form_own.h"
#include "tests/vectors/make/group.h"

#include <stdio.h>
#include <string.h>

#define TITLE                                                                                     \
    "{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"internal\",\"required\":" \
    "true}"
#define FORM(name, type, version, label, fields)                                              \
    "{\"form\":\"" name "\",\"type\":\"" type "\",\"version\":" version ",\"label\":\"" label \
    "\",\"fields\":" fields "}"
#define FIELDS(fields)  FORM("detention", "testimony", "2", "Detention", "[" TITLE "," fields "]")
#define FIELD(more)     FIELDS("{\"label\":\"L\",\"access\":\"public\"," more "}")
#define CHOICE(choices) FIELD("\"name\":\"c\",\"type\":\"choice\",\"choices\":" choices)

#define OF(name, type, more) \
    "{\"name\":\"" name "\",\"label\":\"L\",\"access\":\"public\",\"type\":\"" type "\"" more "}"
#define ONE_CHOICE ",\"choices\":[{\"name\":\"x\",\"label\":\"X\"}]"
#define TEN_TYPES                                                                              \
    FIELDS(OF("a", "integer", "") "," OF("b", "decimal", "") "," OF("c", "date", "") "," OF(   \
        "d", "time",                                                                           \
        "") "," OF("e", "datetime",                                                            \
                   "") "," OF("f", "choice",                                                   \
                              ONE_CHOICE) "," OF("g", "choices",                               \
                                                 ONE_CHOICE) "," OF("h", "group",              \
                                                                    ",\"fields\":[" TITLE      \
                                                                    "]") "," OF("i", "repeat", \
                                                                                ",\"fields\":" \
                                                                                "[" TITLE "]"))

const char sk_form_text[] =
    FIELDS("{\"name\":\"days\",\"label\":\"Days\",\"type\":\"integer\",\"access\":\"public\"},"
           "{\"name\":\"how\",\"label\":\"How\",\"type\":\"choice\",\"access\":\"public\","
           "\"choices\":[{\"name\":\"fine\",\"label\":\"Fine\"}]}");

static const struct {
    const char *name, *shows, *class;
    unsigned body;
    const char *text;
} rows[] = {
    {"a form", "with two fields of its own", "ok", 0, sk_form_text},
    {"a form in another order", "any order, any blanks", "ok", 0,
     "{ \"fields\" : [" TITLE
     "],\n\"version\":1,\"label\":\"D\",\"type\":\"case\",\"form\":\"d\"}"},
    {"a form with a body", "only an attachment has one", "malformed", 1, sk_form_text},
    {"a form that is an array", "an object", "malformed", 0, "[]"},
    {"a form with a time of recording", "exactly these members", "malformed", 0,
     "{\"recorded\":\"2026-01-02T03:04Z\",\"form\":\"d\",\"type\":\"case\",\"version\":1,"
     "\"label\":\"D\",\"fields\":[" TITLE "]}"},
    {"a form without a version", "exactly these members", "malformed", 0,
     "{\"form\":\"d\",\"type\":\"case\",\"label\":\"D\",\"fields\":[" TITLE "]}"},
    {"a name of 40 letters", "the longest", "ok", 0,
     FORM("0123456789012345678901234567890123456-az", "event", "1", "L", "[" TITLE "]")},
    {"a name of 41 letters", "too long", "malformed", 0,
     FORM("0123456789012345678901234567890123456-abz", "event", "1", "L", "[" TITLE "]")},
    {"a name in upper case", "no letter of a name", "malformed", 0,
     FORM("Detention", "event", "1", "L", "[" TITLE "]")},
    {"a name with a hyphen first", "it would be an option", "malformed", 0,
     FORM("-d", "event", "1", "L", "[" TITLE "]")},
    {"no name", "one letter at least", "malformed", 0, FORM("", "event", "1", "L", "[" TITLE "]")},
    {"the name of a type", "built-in forms have these", "malformed", 0,
     FORM("person", "person", "1", "L", "[" TITLE "]")},
    {"the name of another type", "neither", "malformed", 0,
     FORM("continuation", "person", "1", "L", "[" TITLE "]")},
    {"a form of a link", "only records have forms", "malformed", 0,
     FORM("d", "link", "1", "L", "[" TITLE "]")},
    {"the greatest version", "2^31 - 1", "ok", 0,
     FORM("d", "person", "2147483647", "L", "[" TITLE "]")},
    {"version 2^31", "below that", "malformed", 0,
     FORM("d", "person", "2147483648", "L", "[" TITLE "]")},
    {"version 2^32 + 1", "no bits are cut off", "malformed", 0,
     FORM("d", "person", "4294967297", "L", "[" TITLE "]")},
    {"version 0 of a form", "they count from 1", "malformed", 0,
     FORM("d", "person", "0", "L", "[" TITLE "]")},
    {"a version with a point", "it is whole", "malformed", 0,
     FORM("d", "person", "1.0", "L", "[" TITLE "]")},
    {"a label in Cyrillic", "words of any script", "ok", 0,
     FORM("d", "person", "1", "\xd0\xaf", "[" TITLE "]")},
    {"an empty label", "one letter at least", "malformed", 0,
     FORM("d", "person", "1", "", "[" TITLE "]")},
    {"a label that ends with a blank", "none at either end", "malformed", 0,
     FORM("d", "person", "1", "L ", "[" TITLE "]")},
    {"a label with a line break", "words that can be shown", "malformed", 0,
     FORM("d", "person", "1", "L\\nM", "[" TITLE "]")},
    {"a label from right to left", "words that can be shown", "malformed", 0,
     FORM("d", "person", "1", "L\\u202eM", "[" TITLE "]")},
    {"no fields", "one at least", "malformed", 0, FORM("d", "person", "1", "L", "[]")},
    {"fields that are an object", "an array", "malformed", 0, FORM("d", "person", "1", "L", "{}")},
    {"no title", "lists call a record by it", "malformed", 0,
     FORM("d", "person", "1", "L",
          "[{\"name\":\"name\",\"label\":\"N\",\"type\":\"text\",\"access\":\"public\","
          "\"required\":true}]")},
    {"a title that may be missing", "it is required", "malformed", 0,
     FORM("d", "person", "1", "L",
          "[{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\"}]")},
    {"a title that is a number", "a text", "malformed", 0,
     FORM("d", "person", "1", "L",
          "[{\"name\":\"title\",\"label\":\"T\",\"type\":\"integer\",\"access\":\"public\","
          "\"required\":true}]")},
    {"a title with another field in its place", "of type text", "ok", 0,
     FORM("d", "person", "1", "L",
          "[{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\","
          "\"required\":true,\"unless\":\"name\"},"
          "{\"name\":\"name\",\"label\":\"N\",\"type\":\"text\",\"access\":\"public\"}]")},
    {"a title with a number in its place", "of type text", "malformed", 0,
     FORM("d", "person", "1", "L",
          "[{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\","
          "\"required\":true,\"unless\":\"n\"},"
          "{\"name\":\"n\",\"label\":\"N\",\"type\":\"integer\",\"access\":\"public\"}]")},
    {"a title that stands in for itself", "another field", "malformed", 0,
     FORM("d", "person", "1", "L",
          "[{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\","
          "\"required\":true,\"unless\":\"title\"}]")},
    {"an access of its own", "one of three", "malformed", 0,
     FIELDS("{\"name\":\"a\",\"label\":\"L\",\"type\":\"text\",\"access\":\"secret\"}")},
    {"a field without a label", "it has one", "malformed", 0,
     FIELDS("{\"name\":\"a\",\"type\":\"text\",\"access\":\"public\"}")},
    {"a field without an access", "it has one", "malformed", 0,
     FIELDS("{\"name\":\"a\",\"label\":\"L\",\"type\":\"text\"}")},
    {"a label that begins with a blank", "none at either end", "malformed", 0,
     FORM("d", "person", "1", " L", "[" TITLE "]")},
    {"a label with a tag by escapes", "words that can be shown", "malformed", 0,
     FORM("d", "person", "1", "L\\udb40\\udc41", "[" TITLE "]")},
    {"a label with a face by escapes", "words that can be shown", "ok", 0,
     FORM("d", "person", "1", "L\\ud83d\\ude00", "[" TITLE "]")},
    {"all ten types", "each once", "ok", 0, TEN_TYPES},
    {"two fields of one name", "names are unique", "malformed", 0, FIELDS(TITLE)},
    {"one name in two groups", "they are no neighbours", "ok", 0,
     FIELD("\"name\":\"g\",\"type\":\"group\",\"fields\":[" TITLE "]")},
    {"a field named missing", "a special answer would look like it", "malformed", 0,
     FIELD("\"name\":\"missing\",\"type\":\"text\"")},
    {"a field with a hyphen", "no letter of its name", "malformed", 0,
     FIELD("\"name\":\"a-b\",\"type\":\"text\"")},
    {"a field of no type", "one of ten", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"geopoint\"")},
    {"a field with a member more", "no others", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"text\",\"relevant\":\"x\"")},
    {"a field required by 1", "true or false", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"text\",\"required\":1")},
    {"a field not required", "true or false", "ok", 0,
     FIELD("\"name\":\"a\",\"type\":\"text\",\"required\":false,\"hint\":\"\"")},
    {"a title required by false", "it is required", "malformed", 0,
     FORM("d", "person", "1", "L",
          "[{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\","
          "\"required\":false}]")},
    {"a field that is not required, and one in its place", "it may be named all the same", "ok", 0,
     FIELD("\"name\":\"a\",\"type\":\"text\",\"unless\":\"title\"")},
    {"a field's label that ends with a blank", "words, as that of the form", "malformed", 0,
     FIELDS("{\"name\":\"a\",\"label\":\"L \",\"type\":\"text\",\"access\":\"public\"}")},
    {"a field's label from right to left", "words, as that of the form", "malformed", 0,
     FIELDS("{\"name\":\"a\",\"label\":\"L\\u202eM\",\"type\":\"text\",\"access\":\"public\"}")},
    {"a choice's label that begins with a blank", "words, as that of the form", "malformed", 0,
     CHOICE("[{\"name\":\"x\",\"label\":\" X\"}]")},
    {"a choice's label with a line break", "words, as that of the form", "malformed", 0,
     CHOICE("[{\"name\":\"x\",\"label\":\"X\\nY\"}]")},
    {"a hint that ends with a blank", "words", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"text\",\"hint\":\"H \"")},
    {"a hint from right to left", "words", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"text\",\"hint\":\"H\\u202eI\"")},
    {"a label with a no-break space at an end", "only U+0020 is a blank", "ok", 0,
     FORM("d", "person", "1", "\\u00a0L", "[" TITLE "]")},
    {"a hint of null", "a string", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"text\",\"hint\":null")},
    {"an unknown field stands in", "one of the same array", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"text\",\"unless\":\"b\"")},
    {"a text with choices", "only where one chooses", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"text\",\"choices\":[{\"name\":\"x\",\"label\":\"X\"}]")},
    {"a text with no choices", "not even none", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"text\",\"choices\":[]")},
    {"a group without fields", "it has some", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"group\"")},
    {"a group with no field", "one at least", "malformed", 0,
     FIELD("\"name\":\"a\",\"type\":\"repeat\",\"fields\":[]")},
    {"no choices", "one at least", "malformed", 0, CHOICE("[]")},
    {"a choice named missing", "it is a string in a record", "ok", 0,
     CHOICE("[{\"name\":\"missing\",\"label\":\"M\"}]")},
    {"a choice with a comma", "commas stand between choices", "malformed", 0,
     CHOICE("[{\"name\":\"x\",\"label\":\"a, b\"}]")},
    {"a choice in upper case", "no letter of its name", "malformed", 0,
     CHOICE("[{\"name\":\"A\",\"label\":\"a\"}]")},
    {"a choice with a member more", "no others", "malformed", 0,
     CHOICE("[{\"name\":\"a\",\"label\":\"a\",\"x\":1}]")},
    {"two labels that differ in the case of a Cyrillic letter", "only A to Z are alike", "ok", 0,
     CHOICE("[{\"name\":\"x\",\"label\":\"\xd0\xb6\"},{\"name\":\"y\",\"label\":\"\xd0\x96\"}]")},
    {"a name that is another's label", "a person could mean either", "malformed", 0,
     CHOICE("[{\"name\":\"y\",\"label\":\"Z\"},{\"name\":\"x\",\"label\":\"Y\"}]")},
    {"two choices of one name", "names are unique", "malformed", 0,
     CHOICE("[{\"name\":\"x\",\"label\":\"a\"},{\"name\":\"x\",\"label\":\"b\"}]")},
    {"two labels that differ in case", "a person could mean either", "malformed", 0,
     CHOICE("[{\"name\":\"x\",\"label\":\"Left\"},{\"name\":\"y\",\"label\":\"left\"}]")},
    {"a label that is another's name", "a person could mean either", "malformed", 0,
     CHOICE("[{\"name\":\"x\",\"label\":\"Y\"},{\"name\":\"y\",\"label\":\"Z\"}]")},
    {"a label that is the choice's own name", "it means that", "ok", 0,
     CHOICE("[{\"name\":\"x\",\"label\":\"X\"},{\"name\":\"y\",\"label\":\"Y\"}]")},
};

static json_t *text_keys(unsigned type, unsigned body, const char *form)
{
    json_t *keys = json_pack("{s:i, s:i}", "type", type, "body_length", body);
    if (form)
        json_object_set_new(keys, "forms", json_pack("[o]", sk_hex_json(form, strlen(form))));
    return keys;
}

static void add_form(const char *name, const char *shows, const char *class, const char *text,
                     size_t len)
{
    sk_vector_bytes(name, shows, class, text, len, text_keys(SK_TYPE_FORM, 0, NULL));
}

/* ---- counts ---- */

/* Fields f0, f1 ... of type text, `count` of them. */
static void add_fields(struct sk_buf *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        MUST(sk_buf_printf(out, NULL,
                           ",{\"name\":\"f%u\",\"label\":\"L\",\"type\":\"text\","
                           "\"access\":\"public\"}",
                           i) == SK_OK);
}

#define HEAD "{\"form\":\"d\",\"type\":\"case\",\"version\":1,\"label\":\"D\",\"fields\":[" TITLE
#define GROUP_HEAD(name)                                                                \
    ",{\"name\":\"" name "\",\"label\":\"G\",\"type\":\"group\",\"access\":\"public\"," \
    "\"fields\":[" TITLE

/* A group with `inside` text fields, a second one with as many, and `more` at the top; each of the
 * three arrays has a title too. */
static void make_count(const char *name, const char *shows, const char *class, unsigned more,
                       unsigned first, unsigned second)
{
    sk_auto_buf text = SK_BUF_INIT;
    MUST(sk_buf_add_text(&text, HEAD, NULL) == SK_OK);
    add_fields(&text, more);
    MUST(sk_buf_add_text(&text, GROUP_HEAD("g"), NULL) == SK_OK);
    add_fields(&text, first);
    MUST(sk_buf_add_text(&text, "]}" GROUP_HEAD("h"), NULL) == SK_OK);
    add_fields(&text, second);
    MUST(sk_buf_add_text(&text, "]}]}", NULL) == SK_OK);
    add_form(name, shows, class, sk_buf_text(&text), text.len);
}

static void make_levels(const char *name, const char *class, unsigned levels)
{
    sk_auto_buf text = SK_BUF_INIT;
    MUST(sk_buf_add_text(&text, HEAD, NULL) == SK_OK);
    for (unsigned i = 1; i < levels; i++)
        MUST(sk_buf_add_text(&text, GROUP_HEAD("g"), NULL) == SK_OK);
    for (unsigned i = 1; i < levels; i++)
        MUST(sk_buf_add_text(&text, "]}", NULL) == SK_OK);
    MUST(sk_buf_add_text(&text, "]}", NULL) == SK_OK);
    add_form(name, "arrays in one another", class, sk_buf_text(&text), text.len);
}

static void make_choices(const char *name, const char *class, unsigned count)
{
    sk_auto_buf text = SK_BUF_INIT;
    MUST(sk_buf_add_text(&text,
                         HEAD ",{\"name\":\"c\",\"label\":\"C\",\"type\":\"choices\","
                              "\"access\":\"public\",\"choices\":[",
                         NULL) == SK_OK);
    for (unsigned i = 0; i < count; i++)
        MUST(sk_buf_printf(&text, NULL, "%s{\"name\":\"c%u\",\"label\":\"C %u\"}", i ? "," : "", i,
                           i) == SK_OK);
    MUST(sk_buf_add_text(&text, "]}]}", NULL) == SK_OK);
    add_form(name, "choices of one field", class, sk_buf_text(&text), text.len);
}

/* A text of exactly that many bytes: blanks stand behind it. */
static void make_long(const char *name, const char *class, size_t len)
{
    sk_auto_buf text = SK_BUF_INIT;
    MUST(sk_buf_add_text(&text, sk_form_text, NULL) == SK_OK);
    while (text.len < len)
        MUST(sk_buf_add_byte(&text, ' ', NULL) == SK_OK);
    add_form(name, "with the blanks behind it", class, sk_buf_text(&text), len);
}

/* A label and a hint of that many bytes. */
static void make_words(const char *name, const char *class, int label, int hint)
{
    char text[2048];
    int len = snprintf(text, sizeof(text),
                       "{\"form\":\"d\",\"type\":\"case\",\"version\":1,\"label\":\"%0*d\","
                       "\"fields\":[{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\","
                       "\"access\":\"public\",\"required\":true,\"hint\":\"%0*d\"}]}",
                       label, 0, hint, 0);
    add_form(name, "bytes of a label and of a hint", class, text, (size_t)len);
}

/* A label of that many Cyrillic letters. */
static void make_wide_words(const char *name, const char *class, unsigned letters)
{
    sk_auto_buf label = SK_BUF_INIT;
    char text[1024];
    for (unsigned i = 0; i < letters; i++)
        MUST(sk_buf_add_text(&label, "\xd0\xaf", NULL) == SK_OK);
    int len = snprintf(text, sizeof(text), FORM("d", "person", "1", "%s", "[" TITLE "]"),
                       sk_buf_text(&label));
    MUST(len > 0 && (size_t)len < sizeof(text));
    add_form(name, "bytes are counted, not letters", class, text, (size_t)len);
}

/* ---- records ---- */

static void add_record(const char *name, const char *shows, const char *class, unsigned type,
                       const char *held, const char *form, const char *version, const char *fields)
{
    char text[1024];
    int len = snprintf(text, sizeof(text),
                       "{\"form\":\"%s\",\"version\":%s,\"recorded\":\"2026-01-02T03:04Z\","
                       "\"fields\":%s}",
                       form, version, fields);
    MUST(len > 0 && (size_t)len < sizeof(text));
    sk_vector_bytes(name, shows, class, text, (size_t)len, text_keys(type, 0, held));
}

void sk_form_text_hash(char out[static 65])
{
    uint8_t hash[32];
    sk_own_form_hash(hash, sk_form_text, strlen(sk_form_text));
    sk_hex(out, hash, sizeof(hash));
}

/* In the group "h" and in each object of the repeat "i" a title is required. */
static void make_records_of_groups(void)
{
    static const struct {
        const char *name, *shows, *class, *fields;
    } groups[] = {
        {"a group without what it requires", "it is there", "malformed",
         "{\"title\":\"S\",\"h\":{}}"},
        {"a group that was not asked for", "it is not there, and requires nothing", "ok",
         "{\"title\":\"S\",\"h\":{\"missing\":\"not asked\"}}"},
        {"an object of a repeat without what it requires", "each is a group", "malformed",
         "{\"title\":\"S\",\"i\":[{\"title\":\"T\"},{}]}"},
        {"a repeat of nothing", "none requires anything", "ok", "{\"title\":\"S\",\"i\":[]}"},
    };
    uint8_t hash[32];
    char form[65];
    sk_own_form_hash(hash, TEN_TYPES, strlen(TEN_TYPES));
    sk_hex(form, hash, sizeof(hash));
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        add_record(groups[i].name, groups[i].shows, groups[i].class, SK_TYPE_TESTIMONY, TEN_TYPES,
                   form, "2", groups[i].fields);
}

#define GOOD "{\"title\":\"S\",\"days\":3,\"how\":\"fine\"}"

static void make_records(void)
{
    static const unsigned t = SK_TYPE_TESTIMONY;
    char hash[65];
    char large[65];
    sk_form_text_hash(hash);
    sk_form_text_hash(large);
    for (char *at = large; *at; at++)
        *at = (char)(*at >= 'a' ? *at - 'a' + 'A' : *at);
    add_record("a record with a form", "which its log holds", "ok", t, sk_form_text, hash, "2",
               GOOD);
    add_record("a record without its form", "its log holds none", "malformed", t, NULL, hash, "2",
               GOOD);
    add_record("a record with another form", "its log holds that alone", "malformed", t,
               FORM("d", "testimony", "2", "L", "[" TITLE "]"), hash, "2", GOOD);
    add_record("a record with what is no form", "it does not count", "malformed", t,
               FORM("D", "testimony", "2", "L", "[" TITLE "]"), hash, "2", GOOD);
    add_record("a form's hash in upper case", "lower case", "malformed", t, sk_form_text, large,
               "2", GOOD);
    add_record("a form by its name", "by its hash", "malformed", t, sk_form_text, "detention", "2",
               GOOD);
    add_record("a record of another type", "than its form makes", "malformed", SK_TYPE_CASE,
               sk_form_text, hash, "2", GOOD);
    add_record("a record of a lower version", "exactly the form's", "malformed", t, sk_form_text,
               hash, "1", GOOD);
    add_record("a record of a higher version", "exactly the form's", "malformed", t, sk_form_text,
               hash, "3", GOOD);
    add_record("a version that is not whole", "exactly the form's", "malformed", t, sk_form_text,
               hash, "2.0", GOOD);
    add_record("a field of the built-in form", "which its form has not", "malformed", t,
               sk_form_text, hash, "2", "{\"title\":\"S\",\"language\":\"x\"}");
    make_records_of_groups();
    add_record("a record without a title", "its form requires it", "malformed", t, sk_form_text,
               hash, "2", "{\"days\":3}");
    add_record("a choice that its form has not", "of the form's", "malformed", t, sk_form_text,
               hash, "2", "{\"title\":\"S\",\"how\":\"arrest\"}");
    add_record("a special answer in a form's field", "in the place of any value", "ok", t,
               sk_form_text, hash, "2", "{\"title\":\"S\",\"days\":{\"missing\":\"refused\"}}");
    add_record("a built-in form beside one that is held", "as ever", "ok", t, sk_form_text,
               "testimony", "1", "{\"title\":\"S\"}");
}

/* ---- what is required ---- */

#define REQUIRED ",\"required\":true"
#define NUMBER   OF("n", "integer", REQUIRED)

static void make_required(void)
{
    static const struct {
        const char *name, *shows, *class, *form, *fields;
    } required[] = {
        {"a required group that is empty", "it is blank", "malformed",
         FIELDS(OF("g", "group", REQUIRED ",\"fields\":[" TITLE "]")), "{\"g\":{}}"},
        {"a required group with a blank in it", "it is not blank itself", "ok",
         FIELDS(OF("g", "group", REQUIRED ",\"fields\":[" OF("a", "text", "") "]")),
         "{\"g\":{\"a\":\"\"}}"},
        {"a required repeat that is empty", "it is blank", "malformed",
         FIELDS(OF("g", "repeat", REQUIRED ",\"fields\":[" TITLE "]")), "{\"g\":[]}"},
        {"required choices that are none", "they are blank", "malformed",
         FIELDS(OF("c", "choices", REQUIRED ONE_CHOICE)), "{\"c\":[]}"},
        {"required choices", "one of them", "ok", FIELDS(OF("c", "choices", REQUIRED ONE_CHOICE)),
         "{\"c\":[\"x\"]}"},
        {"a required field missing in a group", "the group is there", "malformed",
         FIELDS(OF("g", "group", ",\"fields\":[" NUMBER "]")), "{\"g\":{}}"},
        {"a required field of a group that is not there", "nothing is missing", "ok",
         FIELDS(OF("g", "group", ",\"fields\":[" NUMBER "]")), "{}"},
        {"a required field missing in the second of a repeat", "each is looked at", "malformed",
         FIELDS(OF("g", "repeat", ",\"fields\":[" NUMBER "]")), "{\"g\":[{\"n\":0},{}]}"},
        {"a required field with another in its place", "in a group", "ok",
         FIELDS(OF("g", "group",
                   ",\"fields\":[" OF("n", "integer",
                                      REQUIRED ",\"unless\":\"a\"") "," OF("a", "text", "") "]")),
         "{\"g\":{\"a\":\"x\"}}"},
        {"a required field with no answer in its place", "an answer is not blank", "ok",
         FIELDS(OF("n", "integer", REQUIRED ",\"unless\":\"a\"") "," OF("a", "text", "")),
         "{\"a\":{\"missing\":\"refused\"}}"},
    };
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        uint8_t hash[32];
        char hex[65];
        char fields[200];
        const char *more = required[i].fields + 1;
        sk_own_form_hash(hash, required[i].form, strlen(required[i].form));
        sk_hex(hex, hash, sizeof(hash));
        (void)snprintf(fields, sizeof(fields), "{\"title\":\"S\"%s%s", *more == '}' ? "" : ",",
                       more);
        add_record(required[i].name, required[i].shows, required[i].class, SK_TYPE_TESTIMONY,
                   required[i].form, hex, "2", fields);
    }
}

void sk_make_forms(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector_bytes(rows[i].name, rows[i].shows, rows[i].class, rows[i].text,
                        strlen(rows[i].text), text_keys(SK_TYPE_FORM, rows[i].body, NULL));
    make_count("200 fields in an array", "as many as there can be", "ok", 197, 1, 1);
    make_count("201 fields in an array", "one more than there can be", "malformed", 198, 1, 1);
    make_count("500 fields", "as many as there can be", "ok", 197, 199, 99);
    make_count("501 fields", "one more than there can be", "malformed", 197, 199, 100);
    make_levels("6 levels of fields", "ok", 6);
    make_levels("7 levels of fields", "malformed", 7);
    make_choices("500 choices", "ok", 500);
    make_choices("501 choices", "malformed", 501);
    make_long("a form of 65,536 bytes", "ok", 65536);
    make_long("a form of 65,537 bytes", "malformed", 65537);
    make_words("words of 200 and 500 bytes", "ok", 200, 500);
    make_words("a label of 201 bytes", "malformed", 201, 500);
    make_words("a hint of 501 bytes", "malformed", 200, 501);
    make_wide_words("a label of 100 letters and 200 bytes", "ok", 100);
    make_wide_words("a label of 101 letters and 202 bytes", "malformed", 101);
    make_records();
    make_required();
}
