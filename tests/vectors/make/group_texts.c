/*
 * Texts of payloads: what a reader marks as malformed, and keeps.
 */
#include "core/continuation.h"
#include "crypto/bytes.h"
#include "tests/vectors/make/group.h"

#include <sodium.h>
#include <string.h>

#define RECORDED       "\"recorded\":\"2026-01-02T03:04:05+00:00\""
#define ID_A           "01010101010101010101010101010101"
#define ID_B           "02020202020202020202020202020202"
#define SHA_HELLO      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define SOURCE(fields) "{\"form\":\"source\",\"version\":1," RECORDED ",\"fields\":" fields "}"
#define NEWER(form) \
    "{\"form\":\"" form "\",\"version\":2," RECORDED ",\"fields\":{\"title\":\"S\"}}"
#define LINK(more) \
    "{" RECORDED ",\"source\":\"" ID_A "\",\"role\":\"victim\",\"target\":\"" ID_B "\"" more "}"
#define ATTACHED(record, name, size, sha)                                                    \
    "{" RECORDED ",\"record\":\"" record "\",\"name\":\"" name "\",\"type\":\"text/plain\"," \
    "\"size\":" size ",\"sha256\":\"" sha "\"}"

static const struct {
    const char *name, *shows, *class;
    unsigned type;
    unsigned body;
    const char *text;
} rows[] = {
    {"a source", "with a title", "ok", SK_TYPE_SOURCE, 0, SOURCE("{\"title\":\"S\"}")},
    {"members in another order", "any order, any blanks", "ok", SK_TYPE_SOURCE, 0,
     "{ \"fields\" : {\"title\":\"S\"},\n\"version\":1, " RECORDED ", \"form\":\"source\" }"},
    {"a link", "between two ids", "ok", SK_TYPE_LINK, 0, LINK("")},
    {"an attachment", "of five bytes", "ok", SK_TYPE_ATTACHMENT, 5,
     ATTACHED(ID_A, "a.txt", "5", SHA_HELLO)},
    {"an empty text", "no JSON", "malformed", SK_TYPE_SOURCE, 0, ""},
    {"a text cut short", "no JSON", "malformed", SK_TYPE_SOURCE, 0, "{\"form\":\"source\""},
    {"something behind the object", "one value", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{\"title\":\"S\"}") "{}"},
    {"an array", "not an object", "malformed", SK_TYPE_SOURCE, 0, "[]"},
    {"a member twice", "names are unique", "malformed", SK_TYPE_SOURCE, 0,
     "{\"form\":\"source\",\"version\":1,\"version\":1," RECORDED ",\"fields\":{\"title\":\"S\"}}"},
    {"a field twice", "names are unique at every depth", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{\"title\":\"S\",\"title\":\"T\"}")},
    {"bytes that are no UTF-8", "JSON is UTF-8", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{\"title\":\"\xff\"}")},
    {"an overlong encoding", "JSON is UTF-8", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{\"title\":\"\xc0\xaf\"}")},
    {"an escaped NUL", "strings have none", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{\"title\":\"a\\u0000b\"}")},
    {"half a surrogate pair", "no character", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{\"title\":\"\\ud800\"}")},
    {"a byte order mark", "JSON has none", "malformed", SK_TYPE_SOURCE, 0,
     "\xef\xbb\xbf" SOURCE("{\"title\":\"S\"}")},
    {"a comma behind the last member", "no JSON", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{\"title\":\"S\",}")},
    {"33 levels", "deeper than there can be", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")},
    {"a number of 65 bits", "whole numbers have 64 with sign", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{\"title\":9223372036854775808}")},
    {"an infinite number", "numbers are finite", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{\"title\":1e999}")},
    {"an unknown field", "the form has none of this name", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{\"title\":\"S\",\"tale\":\"S\"}")},
    {"a field is missing", "the form requires a title", "malformed", SK_TYPE_SOURCE, 0,
     SOURCE("{}")},
    {"another form", "not that of the type", "malformed", SK_TYPE_EVENT, 0,
     SOURCE("{\"title\":\"S\"}")},
    {"a newer form", "version 1000", "malformed", SK_TYPE_SOURCE, 0,
     "{\"form\":\"source\",\"version\":1000," RECORDED ",\"fields\":{\"title\":\"S\"}}"},
    {"a newer person", "all are of version 1", "malformed", SK_TYPE_PERSON, 0, NEWER("person")},
    {"a newer case", "all are of version 1", "malformed", SK_TYPE_CASE, 0, NEWER("case")},
    {"a newer event", "all are of version 1", "malformed", SK_TYPE_EVENT, 0, NEWER("event")},
    {"a newer testimony", "all are of version 1", "malformed", SK_TYPE_TESTIMONY, 0,
     NEWER("testimony")},
    {"a newer source", "all are of version 1", "malformed", SK_TYPE_SOURCE, 0, NEWER("source")},
    {"a newer consent", "all are of version 1", "malformed", SK_TYPE_CONSENT, 0, NEWER("consent")},
    {"version 0", "versions count from 1", "malformed", SK_TYPE_SOURCE, 0,
     "{\"form\":\"source\",\"version\":0," RECORDED ",\"fields\":{\"title\":\"S\"}}"},
    {"an unknown member", "exactly these", "malformed", SK_TYPE_SOURCE, 0,
     "{\"form\":\"source\",\"version\":1," RECORDED ",\"fields\":{\"title\":\"S\"},\"x\":1}"},
    {"no time of recording", "exactly these", "malformed", SK_TYPE_SOURCE, 0,
     "{\"form\":\"source\",\"version\":1,\"fields\":{\"title\":\"S\"}}"},
    {"a time without an offset", "it has one", "malformed", SK_TYPE_SOURCE, 0,
     "{\"form\":\"source\",\"version\":1,\"recorded\":\"2026-01-02T03:04:05\","
     "\"fields\":{\"title\":\"S\"}}"},
    {"a record with a body", "only an attachment has one", "malformed", SK_TYPE_SOURCE, 1,
     SOURCE("{\"title\":\"S\"}")},
    {"a link with a member more", "exactly these", "malformed", SK_TYPE_LINK, 0, LINK(",\"x\":1")},
    {"a link to no id", "an id has 32 hex digits", "malformed", SK_TYPE_LINK, 0,
     "{" RECORDED ",\"source\":\"" ID_A "\",\"role\":\"victim\",\"target\":\"x\"}"},
    {"a role in upper case", "a to z, 0 to 9 and hyphens", "malformed", SK_TYPE_LINK, 0,
     "{" RECORDED ",\"source\":\"" ID_A "\",\"role\":\"Victim\",\"target\":\"" ID_B "\"}"},
    {"a role that begins with a hyphen", "it does not", "malformed", SK_TYPE_LINK, 0,
     "{" RECORDED ",\"source\":\"" ID_A "\",\"role\":\"-x\",\"target\":\"" ID_B "\"}"},
    {"an attachment of another size", "than its body", "malformed", SK_TYPE_ATTACHMENT, 4,
     ATTACHED(ID_A, "a.txt", "5", SHA_HELLO)},
    {"an attachment of a negative size", "no size", "malformed", SK_TYPE_ATTACHMENT, 5,
     ATTACHED(ID_A, "a.txt", "-5", SHA_HELLO)},
    {"an attachment of half a byte", "a size is whole", "malformed", SK_TYPE_ATTACHMENT, 5,
     ATTACHED(ID_A, "a.txt", "5.0", SHA_HELLO)},
    {"a name with a line break", "any bytes but a slash; it is not shown as it stands", "ok",
     SK_TYPE_ATTACHMENT, 5, ATTACHED(ID_A, "a\\n.txt", "5", SHA_HELLO)},
    {"a name with a folder", "none", "malformed", SK_TYPE_ATTACHMENT, 5,
     ATTACHED(ID_A, "../a", "5", SHA_HELLO)},
    {"the name ..", "none", "malformed", SK_TYPE_ATTACHMENT, 5,
     ATTACHED(ID_A, "..", "5", SHA_HELLO)},
    {"an empty name", "none", "malformed", SK_TYPE_ATTACHMENT, 5,
     ATTACHED(ID_A, "", "5", SHA_HELLO)},
    {"a hash of 63 digits", "64", "malformed", SK_TYPE_ATTACHMENT, 5,
     ATTACHED(ID_A, "a.txt", "5",
              "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b982")},
};

/* ---- continuations ---- */

void sk_continuation_text(char text[static SK_CONTINUATION_TEXT], const struct sk_continuation *c)
{
    char hex[6][129];
    const struct {
        const uint8_t *bytes;
        size_t len;
    } members[] = {{c->log_id, 32},    {c->old_id, 32}, {c->sign_public, 32},
                   {c->dh_public, 32}, {c->root, 32},   {c->signature, 64}};
    for (size_t i = 0; i < 6; i++)
        sodium_bin2hex(hex[i], sizeof(hex[i]), members[i].bytes, members[i].len);
    (void)snprintf(text, SK_CONTINUATION_TEXT,
                   "{" RECORDED ",\"log\":\"%s\",\"continues\":\"%s\",\"sign\":\"%s\","
                   "\"dh\":\"%s\",\"size\":%llu,\"root\":\"%s\",\"signature\":\"%s\"}",
                   hex[0], hex[1], hex[2], hex[3], (unsigned long long)c->size, hex[4], hex[5]);
}

static void add_continuation(const char *name, const char *shows, const char *class,
                             const struct sk_continuation *c)
{
    char text[SK_CONTINUATION_TEXT];
    sk_continuation_text(text, c);
    sk_vector_bytes(name, shows, class, text, strlen(text),
                    json_pack("{s:i, s:i}", "type", SK_TYPE_CONTINUATION, "body_length", 0));
}

static void make_continuations(void)
{
    struct sk_continuation c = {.size = 4};
    struct sk_continuation changed;
    memcpy(c.log_id, sk_stranger.id, 32);
    memcpy(c.old_id, sk_device.id, 32);
    memcpy(c.sign_public, sk_device.sign_public, 32);
    memcpy(c.dh_public, sk_device.dh_public, 32);
    memset(c.root, 0x2b, 32);
    sk_continuation_sign(&c, sk_device.seed);
    add_continuation("a continuation", "signed by the old key", "ok", &c);
    changed = c;
    changed.size++;
    add_continuation("a continuation of another size", "than was signed", "malformed", &changed);
    changed = c;
    changed.root[0] ^= 1;
    add_continuation("a continuation with another root", "than was signed", "malformed", &changed);
    changed = c;
    memcpy(changed.log_id, sk_rival.id, 32);
    add_continuation("a continuation for another log", "than was signed", "malformed", &changed);
    changed = c;
    memcpy(changed.dh_public, sk_stranger.dh_public, 32);
    add_continuation("a continuation with another X25519 key", "the log id is of both keys",
                     "malformed", &changed);
    changed = c;
    changed.size = 1ull << 40;
    sk_continuation_sign(&changed, sk_device.seed);
    add_continuation("a continuation of 2^40 entries", "the greatest number", "ok", &changed);
    char large[SK_CONTINUATION_TEXT];
    sk_continuation_text(large, &c);
    memcpy(strstr(large, "2b2b2b"), "2B", 2);
    sk_vector_bytes("a continuation in upper case", "its hex is lower case", "malformed", large,
                    strlen(large),
                    json_pack("{s:i, s:i}", "type", SK_TYPE_CONTINUATION, "body_length", 0));
    changed = c;
    changed.size = (1ull << 40) + 1;
    sk_continuation_sign(&changed, sk_device.seed);
    add_continuation("a continuation of 2^40 + 1 entries", "a greater number", "malformed",
                     &changed);
    changed = c;
    sk_continuation_sign(&changed, sk_stranger.seed);
    add_continuation("a continuation signed by the new key", "not by the old one", "malformed",
                     &changed);
}

/* Another text with a piece put in the place of another. */
static void add_changed(const char *name, const char *shows, unsigned type, unsigned body,
                        const char *text, const char *from, const char *to)
{
    char changed[SK_CONTINUATION_TEXT + 100];
    const char *at = strstr(text, from);
    MUST(at);
    (void)snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, to,
                   at + strlen(from));
    sk_vector_bytes(name, shows, "malformed", changed, strlen(changed),
                    json_pack("{s:i, s:i}", "type", type, "body_length", body));
}

/* What is a rule of every type. */
static void make_loose(void)
{
    static const char attached[] = ATTACHED(ID_A, "a.txt", "5", SHA_HELLO);
    static const char link[] = LINK("");
    const unsigned type = SK_TYPE_ATTACHMENT;
    char text[SK_CONTINUATION_TEXT];
    struct sk_continuation c = {.size = 4};
    memcpy(c.log_id, sk_stranger.id, 32);
    memcpy(c.old_id, sk_device.id, 32);
    memcpy(c.sign_public, sk_device.sign_public, 32);
    memcpy(c.dh_public, sk_device.dh_public, 32);
    sk_continuation_sign(&c, sk_device.seed);
    sk_continuation_text(text, &c);
    add_changed("a continuation of a size with a point", "it is whole", SK_TYPE_CONTINUATION, 0,
                text, "\"size\":4,", "\"size\":4.0,");
    add_changed("a link recorded on 29 February", "in no leap year", SK_TYPE_LINK, 0, link,
                "2026-01-02", "2026-02-29");
    add_changed("an attachment recorded on 29 February", "in no leap year", type, 5, attached,
                "2026-01-02", "2026-02-29");
    add_changed("a continuation recorded on 29 February", "in no leap year", SK_TYPE_CONTINUATION,
                0, text, "2026-01-02", "2026-02-29");
    add_changed("an attachment with a member more", "exactly these", type, 5, attached, "{",
                "{\"x\":1,");
    add_changed("a continuation with a member more", "exactly these", SK_TYPE_CONTINUATION, 0, text,
                "{", "{\"x\":1,");
    add_changed("the name .", "none", type, 5, attached, "a.txt", ".");
    add_changed("a type that is a number", "a string", type, 5, attached, "\"text/plain\"", "1");
    add_changed("a target that is a number", "a string", SK_TYPE_LINK, 0, link, "\"" ID_B "\"",
                "2");
}

void sk_make_texts(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector_bytes(rows[i].name, rows[i].shows, rows[i].class, rows[i].text,
                        strlen(rows[i].text),
                        json_pack("{s:i, s:i}", "type", rows[i].type, "body_length", rows[i].body));
    make_continuations();
    make_loose();
    sk_make_json();
    sk_make_values();
    sk_make_forms();
}
