/*
 * Keys that an archive renews: the line of a receipt, receipts under the old and the next keys, and
 * bundles that are sealed to either.
 */
#include "tests/vectors/make/group.h"
#include "tests/vectors/make/paper.h"

#include <sodium.h>
#include <string.h>

/* ---- the line ---- */

/* A receipt's text of nothing, with these lines behind its root. */
static void add_text(const char *name, const char *shows, const char *class, const char *lines)
{
    struct sk_receipt r = {.number = 1, .day = 20001};
    sk_auto_buf text = SK_BUF_INIT;
    memcpy(r.archive_id, sk_archive.id, 32);
    memcpy(r.log_id, sk_device.id, 32);
    MUST(sk_receipt_format(&text, &r, NULL) == SK_OK);
    MUST(sk_buf_add_text(&text, lines, NULL) == SK_OK);
    sk_vector_bytes(name, shows, class, text.bytes, text.len, NULL);
}

#define DH   "<dh>"
#define SIGN "<sign>"

/* The lines with the keys in their places, as hex. */
static void expand(struct sk_buf *out, const char *lines, const char *dh, const char *sign)
{
    for (const char *at = lines; *at;) {
        const char *word = strncmp(at, DH, strlen(DH)) == 0       ? dh
                           : strncmp(at, SIGN, strlen(SIGN)) == 0 ? sign
                                                                  : NULL;
        if (word)
            MUST(sk_buf_add_text(out, word, NULL) == SK_OK);
        else
            MUST(sk_buf_add_byte(out, (uint8_t)*at, NULL) == SK_OK);
        at += word == dh && word ? strlen(DH) : word ? strlen(SIGN) : 1;
    }
}

static void hex_of(char out[static 65], const uint8_t key[static 32])
{
    MUST(sodium_bin2hex(out, 65, key, 32));
}

static void make_lines(void)
{
    static const struct {
        const char *name, *shows, *class, *lines;
    } rows[] = {
        {"next", "an X25519 key and an Ed25519 key", "ok", "next <dh> <sign>\n"},
        {"next behind revoked", "directly", "ok", "revoked 4\nnext <dh> <sign>\n"},
        {"next before remarks", "directly behind revoked's place", "ok",
         "next <dh> <sign>\nnotice words\n"},
        {"next before revoked", "the order of lines", "damaged", "next <dh> <sign>\nrevoked 4\n"},
        {"next before wanted", "the order of lines", "damaged", "next <dh> <sign>\nwanted 4 6\n"},
        {"next behind a remark", "the order of lines", "damaged",
         "notice words\nnext <dh> <sign>\n"},
        {"next twice", "one line", "damaged", "next <dh> <sign>\nnext <dh> <sign>\n"},
        {"next without anything", "two keys", "damaged", "next\n"},
        {"next without keys", "two keys", "damaged", "next \n"},
        {"next with one key", "two keys", "damaged", "next <dh>\n"},
        {"next with one key and a blank", "two keys", "damaged", "next <dh> \n"},
        {"next with three keys", "two keys", "damaged", "next <dh> <sign> <sign>\n"},
        {"next with words", "two keys", "damaged", "next <dh> <sign> why\n"},
        {"next with two blanks", "single ones", "damaged", "next <dh>  <sign>\n"},
        {"next with a blank at the end", "none", "damaged", "next <dh> <sign> \n"},
        {"next without a newline", "each line has one", "damaged", "next <dh> <sign>"},
        {"next with a digit less", "64 digits", "damaged",
         "next 00112233445566778899aabbccddeeff00112233445566778899aabbccddeef <sign>\n"},
        {"next with a digit more", "64 digits", "damaged", "next <dh>0 <sign>\n"},
        {"next with a letter that is no digit", "hex", "damaged",
         "next g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff <sign>\n"},
        {"next in upper case", "hex is lower case", "damaged",
         "next 00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff <sign>\n"},
        {"next with an X25519 key of zeros", "every agreement with it is zero", "damaged",
         "next 0000000000000000000000000000000000000000000000000000000000000000 <sign>\n"},
        {"next with the X25519 key 1", "it is of low order", "damaged",
         "next 0100000000000000000000000000000000000000000000000000000000000000 <sign>\n"},
        {"next with an X25519 key of order 8", "it is of low order", "damaged",
         "next e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800 <sign>\n"},
        {"next with an Ed25519 key of zeros", "a point of order 4", "damaged",
         "next <dh> 0000000000000000000000000000000000000000000000000000000000000000\n"},
        {"next with the neutral Ed25519 point", "it is of small order", "damaged",
         "next <dh> 0100000000000000000000000000000000000000000000000000000000000000\n"},
        {"next with an Ed25519 point of order 8", "it is of small order", "damaged",
         "next <dh> 26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05\n"},
        {"next with an Ed25519 key that is no point", "not on the curve", "damaged",
         "next <dh> 0200000000000000000000000000000000000000000000000000000000000000\n"},
        {"next with an Ed25519 key in another encoding", "not the canonical one", "damaged",
         "next <dh> eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f\n"},
    };
    char dh[65];
    char sign[65];
    hex_of(dh, sk_archive_2.dh_public);
    hex_of(sign, sk_archive_2.sign_public);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sk_auto_buf lines = SK_BUF_INIT;
        expand(&lines, rows[i].lines, dh, sign);
        add_text(rows[i].name, rows[i].shows, rows[i].class, sk_buf_text(&lines));
    }
}

/* The next key with a point of order 8 added: it signs nothing that is canonical. */
static void make_mixed(void)
{
    static const uint8_t small[32] = {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0,
                                      0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
                                      0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
                                      0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};
    sk_auto_buf lines = SK_BUF_INIT;
    uint8_t mixed[32];
    char dh[65];
    char sign[65];
    MUST(crypto_core_ed25519_add(mixed, sk_archive_2.sign_public, small) == 0);
    hex_of(dh, sk_archive_2.dh_public);
    hex_of(sign, mixed);
    expand(&lines, "next <dh> <sign>\n", dh, sign);
    add_text("next with an Ed25519 key of another group", "not of prime order", "damaged",
             sk_buf_text(&lines));
}

void sk_make_next_texts(void)
{
    make_lines();
    make_mixed();
}

/* ---- receipts ---- */

/* Signed with keys of the archive, of a number under the index before it; `next`: what it names. */
static struct paper by(const struct sk_fixed_party *keys, uint64_t number,
                       const struct sk_fixed_party *next)
{
    struct paper p = sk_paper();
    p.signer = p.cosigner = keys;
    p.index = (uint32_t)number - 1;
    p.receipt.number = number;
    p.receipt.renews = next != NULL;
    if (next) {
        memcpy(p.receipt.next.dh_public, next->dh_public, 32);
        memcpy(p.receipt.next.sign_public, next->sign_public, 32);
    }
    return p;
}

static void add_receipt(const char *name, const char *shows, const char *class, struct paper p)
{
    sk_vector(name, shows, class, sk_paper_file(name, &p), NULL);
}

void sk_make_next_receipts(void)
{
    struct paper p;
    add_receipt("next keys", "they are announced", "ok", by(&sk_archive, 1, &sk_archive_2));
    p = by(&sk_archive, 1, &sk_archive_2);
    p.receipt.revokes = true;
    p.receipt.revoked = 2;
    add_receipt("next keys and a revocation", "both count", "ok", p);
    p = by(&sk_archive, 1, &sk_archive_2);
    p.receipt.root[0] ^= 1;
    add_receipt("next keys, with another root", "nothing is kept", "ok", p);
    add_receipt("next keys that sign", "the keys of now", "damaged",
                by(&sk_archive, 1, &sk_archive));
    p = by(&sk_archive, 1, &sk_archive_2);
    memcpy(p.receipt.next.sign_public, sk_archive.sign_public, 32);
    add_receipt("a next Ed25519 key that signs", "the key of now", "damaged", p);
    p = by(&sk_archive, 1, &sk_archive_2);
    memcpy(p.receipt.next.dh_public, sk_archive.dh_public, 32);
    add_receipt("a next X25519 key of the pair that signs", "the key of now", "damaged", p);
    p = by(&sk_archive, 1, &sk_archive_2);
    memcpy(p.receipt.next.dh_public, sk_archive.sign_public, 32);
    add_receipt("a next X25519 key that is the Ed25519 key that signs", "as bytes", "damaged", p);
    p = by(&sk_archive, 1, &sk_archive);
    memcpy(p.receipt.log_id, sk_stranger.id, 32);
    add_receipt("next keys that sign, for another log", "ids come first", "refused", p);
    p = by(&sk_archive, 1, &sk_archive);
    memcpy(p.receipt.next.dh_public, sk_archive_2.dh_public, 32);
    p.cosigner = &sk_rival;
    add_receipt("next keys that sign, with a wrong cosignature", "either is damaged", "damaged", p);
    add_receipt("under keys that were never announced", "nobody's", "damaged",
                by(&sk_archive_2, 1, NULL));
    p = by(&sk_archive, 1, &sk_archive_2);
    p.cosigner = &sk_archive_2;
    add_receipt("cosigned by the next keys", "and signed by those of now", "damaged", p);
}

#define FILES_MAX 4

struct step {
    const struct sk_fixed_party *keys;
    uint64_t number;
    const struct sk_fixed_party *next;
};

/* Behind a receipt that announced the next keys. */
static void add_behind(const char *name, const char *shows, const char *classes, struct paper *p)
{
    char first[100];
    struct paper before = by(&sk_archive, 1, &sk_archive_2);
    (void)snprintf(first, sizeof(first), "%s 0", name);
    json_t *file = sk_paper_file(first, &before);
    sk_vector_steps(name, shows, classes, json_pack("[o, o]", file, sk_paper_file(name, p)), NULL);
}

static void make_doubts(void)
{
    const struct sk_fixed_party *one = &sk_archive, *two = &sk_archive_2;
    struct paper p = by(one, 2, NULL);
    p.receipt.root[0] ^= 1;
    add_behind("no next keys, with another root", "keys come before roots", "ok refused", &p);
    p = by(one, 1, NULL);
    p.index = 1;
    add_behind("no next keys under the newest number", "which changes nothing", "ok ok", &p);
    p = by(one, 2, two);
    p.receipt.root[0] ^= 1;
    add_behind("the same next keys, with another root", "another history", "ok ok", &p);
    p = by(one, 2, NULL);
    sk_paper_sign(&p, one, false);
    sk_paper_sign(&p, two, false);
    p.cosigner = two;
    add_behind("signed by the keys in force and the next", "the next count", "ok ok", &p);
    p = by(one, 2, NULL);
    sk_paper_sign(&p, one, false);
    sk_paper_sign(&p, two, false);
    add_behind("signed by both, cosigned by the keys in force", "the next have signed",
               "ok damaged", &p);
    p = by(one, 2, two);
    sk_paper_sign(&p, two, true);
    sk_paper_sign(&p, one, false);
    add_behind("a wrong line by the next keys beside a right one", "the keys in force have signed",
               "ok ok", &p);
    p = by(one, 2, NULL);
    sk_paper_sign(&p, two, true);
    sk_paper_sign(&p, one, false);
    add_behind("a wrong line by the next keys, and no next keys",
               "the keys in force have signed: refused", "ok refused", &p);
}

void sk_make_next_receipt_sequences(void)
{
    const struct sk_fixed_party *one = &sk_archive, *two = &sk_archive_2, *three = &sk_archive_3;
    const struct {
        const char *name, *shows;
        struct step steps[FILES_MAX];
    } rows[] = {
        {"next keys are put in force",
         "by the first receipt under them; then the old are given up",
         {{one, 1, two}, {two, 2, NULL}, {one, 3, two}, {two, 4, NULL}}},
        {"next keys twice", "the same again is nothing new", {{one, 1, two}, {one, 2, two}}},
        {"other next keys", "while some are announced: refused", {{one, 1, two}, {one, 2, three}}},
        {"next keys, and then none", "refused", {{one, 1, two}, {one, 2, NULL}}},
        {"an older receipt without next keys", "changes nothing", {{one, 2, two}, {one, 1, NULL}}},
        {"an older receipt with other next keys",
         "changes nothing",
         {{one, 2, two}, {one, 1, three}}},
        {"an older receipt under the next keys",
         "puts nothing in force",
         {{one, 2, two}, {two, 1, NULL}, {one, 3, two}}},
        {"next keys of next keys",
         "a renewal was skipped",
         {{one, 1, two}, {two, 2, three}, {three, 3, NULL}, {two, 4, three}}},
        {"the keys before the ones given up",
         "they are nobody's",
         {{one, 1, two}, {two, 2, three}, {three, 3, NULL}, {one, 4, two}}},
        {"announced keys that announce themselves", "damaged", {{one, 1, two}, {two, 2, two}}},
        {"announced keys that announce the old ones",
         "never backwards: damaged",
         {{one, 1, two}, {two, 2, one}}},
        {"keys in force that announce those given up",
         "never backwards: damaged",
         {{one, 1, two}, {two, 2, NULL}, {two, 3, one}, {two, 4, three}}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *files = json_array();
        for (size_t k = 0; k < FILES_MAX && rows[i].steps[k].keys; k++) {
            const struct step *s = &rows[i].steps[k];
            struct paper p = by(s->keys, s->number, s->next);
            char name[100];
            (void)snprintf(name, sizeof(name), "%s %zu", rows[i].name, k);
            json_array_append_new(files, sk_paper_file(name, &p));
        }
        sk_vector(rows[i].name, rows[i].shows, "ok", files, NULL);
    }
    make_doubts();
}

/* ---- bundles ---- */

static const struct sk_fixed_party *sealed_to;
static uint32_t index_used;

static void start(struct sk_draft *draft)
{
    sk_draft_base(draft);
    draft->receiver = sealed_to;
    draft->chain_index = index_used;
    draft->number = index_used + 1;
}

json_t *sk_renewed_keys(const char *how)
{
    return json_pack("{s:s, s:o, s:o}", "renewed", how, "next_scalar",
                     sk_hex_json(sk_archive_2.scalar, 32), "next_sign",
                     sk_hex_json(sk_archive_2.sign_public, 32));
}

static json_t *bundle(const char *name, const struct sk_fixed_party *to, uint32_t number,
                      struct sk_edit edit)
{
    struct sk_bundle_case c = {.name = name, .start = start, .edits = {{0}}};
    c.edits[0] = edit;
    sealed_to = to;
    index_used = number;
    return sk_bundle_file(&c);
}

void sk_make_next_bundles(void)
{
    static const struct sk_edit none = {0};
    static const struct sk_edit zeros = {SK_STAGE_SLOT, SK_SET, 63, "01"};
    static const struct sk_edit mac = {SK_STAGE_MAC, SK_XOR, -1, "01"};
    static const struct sk_edit newer = {SK_STAGE_SLOT, SK_SET, 51, "02"};
    const struct sk_fixed_party *one = &sk_archive, *two = &sk_archive_2;
    const struct {
        const char *name, *shows, *class, *how; /* how: NULL, "next" or "forgotten" */
        const struct sk_fixed_party *to;
        struct sk_edit edit;
    } rows[] = {
        {"sealed to the next keys", "the archive has them", "ok", "next", two, none},
        {"sealed to the keys in force", "on its way while they were renewed", "ok", "next", one,
         none},
        {"sealed to next keys that are in force", "the first are forgotten", "ok", "forgotten", two,
         none},
        {"sealed to forgotten keys", "nobody can open it", "refused", "forgotten", one, none},
        {"sealed to another archive's keys", "after keys were forgotten", "refused", "forgotten",
         &sk_archive_3, none},
        {"sealed to another archive's keys, with next ones", "none was forgotten", "damaged",
         "next", &sk_archive_3, none},
        {"sealed to next keys that are not there", "the archive has none", "damaged", NULL, two,
         none},
        {"sealed to the keys in force, with a slot that is not zero", "it opens", "damaged",
         "forgotten", two, zeros},
        {"sealed to the next keys, with a wrong MAC", "the slot opens", "damaged", "next", two,
         mac},
        {"sealed to the next keys, of a newer format", "the slot opens", "config", "next", two,
         newer},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector(rows[i].name, rows[i].shows, rows[i].class,
                  bundle(rows[i].name, rows[i].to, 0, rows[i].edit),
                  rows[i].how ? sk_renewed_keys(rows[i].how) : NULL);
}

void sk_make_next_sequences(void)
{
    static const struct sk_edit none = {0};
    sk_vector("the next keys, then the old", "what was on its way still comes", "ok",
              json_pack("[o, o]", bundle("renewed 1", &sk_archive_2, 1, none),
                        bundle("renewed 2", &sk_archive, 0, none)),
              sk_renewed_keys("next"));
    sk_vector("forgotten keys leave the index unspent", "what is under it is not read", "ok",
              json_pack("[o, o]", bundle("forgotten 1", &sk_archive, 0, none),
                        bundle("forgotten 2", &sk_archive_2, 0, none)),
              sk_renewed_keys("forgotten"));
}
