/*
 * Receipts with forms: what a device takes of them, and what it remembers.
 */
#include "sync/receipt_forms.h"
#include "tests/vectors/make/group.h"
#include "tests/vectors/make/paper.h"

#include <string.h>

/* ---- one receipt ---- */

#define OTHER_FORM                                                                                 \
    "{\"form\":\"arrest\",\"type\":\"event\",\"version\":1,\"label\":\"A\",\"fields\":[{\"name\":" \
    "\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\",\"required\":true}]}"

void sk_make_form_receipts(void)
{
    static const struct {
        const char *name, *shows, *class;
        struct sk_edit edit;
    } rows[] = {
        {"a form of 65,537 bytes in a receipt",
         "longer than there can be",
         "limit",
         {SK_STAGE_INNER, SK_INSERT, -1, "01000100"}},
        {"a form more than there are lines",
         "each has a line",
         "damaged",
         {SK_STAGE_INNER, SK_INSERT, -1, "020000007b7d"}},
        {"a changed letter of a form",
         "the hash is of another",
         "damaged",
         {SK_STAGE_INNER, SK_XOR, -2, "01"}},
        {"a form beyond the stream",
         "it ends too early",
         "damaged",
         {SK_STAGE_INNER, SK_INSERT, -1, "ffff0000"}},
    };
    struct paper p = sk_paper();
    sk_paper_offer(&p, "arrest", 1, OTHER_FORM);
    sk_paper_offer(&p, "detention", 2, sk_form_text);
    sk_vector_paper("two forms", "each behind its line", "ok", &p);
    p = sk_paper();
    sk_paper_offer(&p, "arrest", 1, "{\"form\":\"arrest\"}");
    sk_paper_offer(&p, "detention", 2, sk_form_text);
    sk_vector_paper("a form that is none", "the other is taken, and everything else", "ok", &p);
    p = sk_paper();
    sk_paper_offer(&p, "arrest", 2, OTHER_FORM);
    sk_vector_paper("a form of another version than its line", "it is not taken", "ok", &p);
    p = sk_paper();
    sk_paper_offer(&p, "prison", 1, OTHER_FORM);
    sk_vector_paper("a form of another name than its line", "it is not taken", "ok", &p);
    p = sk_paper();
    sk_paper_offer(&p, "arrest", 1, OTHER_FORM);
    p.receipt.root[0] ^= 1;
    sk_vector_paper("a form in a receipt of another history", "nothing is taken", "ok", &p);
    p = sk_paper();
    sk_paper_offer(&p, "arrest", 1, OTHER_FORM);
    sk_buf_clear(&p.forms);
    sk_vector_paper("a line without its form", "as many as there are lines", "damaged", &p);
    p = sk_paper();
    sk_paper_offer(&p, "arrest", 1, OTHER_FORM);
    sk_paper_offer(&p, "detention", 2, sk_form_text);
    memcpy(p.receipt.forms[0].hash, p.receipt.forms[1].hash, 32);
    sk_vector_paper("a form under another's hash", "each has its own", "damaged", &p);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        p = sk_paper();
        sk_paper_offer(&p, "detention", 2, sk_form_text);
        p.edit = rows[i].edit;
        sk_vector_paper(rows[i].name, rows[i].shows, rows[i].class, &p);
    }
    for (unsigned count = 32; count <= 33; count++) {
        p = sk_paper();
        for (unsigned i = 0; i < count; i++)
            sk_paper_offer(&p, (char[]){(char)('a' + i / 10), (char)('0' + i % 10), 0}, 1,
                           OTHER_FORM);
        sk_vector_paper(count == 32 ? "32 forms" : "33 forms",
                        count == 32 ? "none of them is that of its line" : "more than there can be",
                        count == 32 ? "ok" : "limit", &p);
    }
    p = sk_paper();
    p.signer = &sk_rival;
    for (unsigned i = 0; i < 33; i++)
        sk_paper_offer(&p, (char[]){(char)('a' + i / 10), (char)('0' + i % 10), 0}, 1, OTHER_FORM);
    sk_vector_paper("33 forms and a wrong signature", "the limit comes before the signature",
                    "limit", &p);
}

/* ---- several ---- */

/* Offers a form of that version, or nothing with version 0. */
static json_t *offering(const char *name, uint32_t index, uint64_t number, uint32_t version,
                        const char *label)
{
    char text[300];
    struct paper p = sk_paper();
    p.index = index;
    p.receipt.number = number;
    (void)snprintf(text, sizeof(text),
                   "{\"form\":\"arrest\",\"type\":\"event\",\"version\":%u,\"label\":\"%s\","
                   "\"fields\":[{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\","
                   "\"access\":\"public\",\"required\":true}]}",
                   version, label);
    if (version > 0)
        sk_paper_offer(&p, "arrest", version, text);
    return sk_paper_file(name, &p);
}

static void add_offers(const char *name, const char *shows, json_t *first, json_t *second)
{
    sk_vector_steps(name, shows, "ok ok", json_pack("[o, o]", first, second), NULL);
}

/* Names a form of that version, whose text is none. */
static json_t *offering_none(const char *name, uint32_t index, uint64_t number, uint32_t version)
{
    struct paper p = sk_paper();
    p.index = index;
    p.receipt.number = number;
    sk_paper_offer(&p, "arrest", version, "{}");
    return sk_paper_file(name, &p);
}

static void make_broken(void)
{
    add_offers("a newer version that is no form", "the older one is offered as before",
               offering("broken 1", 0, 1, 1, "A"), offering_none("broken 2", 1, 2, 2));
    sk_vector_steps("a newer version that is no form, when none was offered",
                    "the older one is not offered again", "ok ok ok",
                    json_pack("[o, o, o]", offering("absent 1", 0, 1, 1, "A"),
                              offering("absent 2", 1, 2, 0, ""),
                              offering_none("absent 3", 2, 3, 2)),
                    NULL);
    sk_vector_steps("a form that is offered again, of the same version with other content",
                    "it is not taken", "ok ok ok ok",
                    json_pack("[o, o, o, o]", offering("other 1", 0, 1, 2, "B"),
                              offering("other 2", 1, 2, 0, ""), offering("other 3", 2, 3, 2, "C"),
                              offering("other 4", 3, 4, 2, "B")),
                    NULL);
}

void sk_make_offers(void)
{
    add_offers("a newer version of a form", "it takes the place", offering("newer 1", 0, 1, 1, "A"),
               offering("newer 2", 1, 2, 2, "B"));
    add_offers("an older version of a form", "it does not take the place",
               offering("back 1", 0, 1, 2, "B"), offering("back 2", 1, 2, 1, "A"));
    add_offers("the same version of a form with other content", "it does not take the place",
               offering("content 1", 0, 1, 1, "A"), offering("content 2", 1, 2, 1, "B"));
    add_offers("a form in an older receipt", "nothing is taken of that",
               offering("older 2", 1, 2, 0, ""), offering("older 1", 0, 1, 1, "A"));
    sk_vector("a form that is not offered any more, and is again",
              "its version is remembered, and an older one is not taken", "ok",
              json_pack("[o, o, o, o]", offering("gone 1", 0, 1, 2, "B"),
                        offering("gone 2", 1, 2, 0, ""), offering("gone 3", 2, 3, 1, "A"),
                        offering("gone 4", 3, 4, 2, "B")),
              NULL);
    make_broken();
}
