/*
 * Signed texts: checkpoints, the text of receipts, whole receipts.
 */
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "sync/receipt_forms.h"
#include "sync/receipt_note.h"
#include "tests/vectors/make/group.h"
#include "tests/vectors/make/paper.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static uint8_t root[32];

static void fill_root(void)
{
    memset(root, 0x2a, sizeof(root));
}

/* ---- checkpoints ---- */

json_t *sk_note_keys(void)
{
    return json_pack("{s:o, s:o}", "log", sk_hex_json(sk_device.id, 32), "sign",
                     sk_hex_json(sk_device.sign_public, 32));
}

static void add_note(const char *name, const char *shows, const char *class, const char *note)
{
    sk_vector_bytes(name, shows, class, note, strlen(note), NULL);
}

/* A text signed by the device's key under its origin. */
static void add_text(const char *name, const char *shows, const char *class, const char *text)
{
    char note[SK_CHECKPOINT_NOTE_MAX];
    char origin[SK_ORIGIN_LEN];
    sk_log_origin(origin, sk_device.id);
    sk_fixed_note(note, text, origin, sk_device.seed);
    add_note(name, shows, class, note);
}

static void make_signed(void)
{
    char note[SK_CHECKPOINT_NOTE_MAX];
    char text[SK_CHECKPOINT_TEXT_MAX];
    char origin[SK_ORIGIN_LEN];
    char base64[SK_BASE64_HASH_LEN + 1];
    static const struct {
        const char *name, *shows, *class, *size, *end;
    } rows[] = {
        {"greatest size", "a size has 64 bits", "ok", "18446744073709551615", "\n"},
        {"size of 65 bits", "no size", "damaged", "18446744073709551616", "\n"},
        {"leading zero", "a decimal has none", "damaged", "04", "\n"},
        {"sign", "a decimal has none", "damaged", "+4", "\n"},
        {"no size", "an empty line where it should stand", "damaged", "", "\n"},
        {"a fourth line", "exactly three", "damaged", "4", "\nextension\n"},
        {"blank behind the root", "44 characters", "damaged", "4", " \n"},
    };
    sk_log_origin(origin, sk_device.id);
    sk_base64_hash(base64, root);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(text, sizeof(text), "%s\n%s\n%s%s", origin, rows[i].size, base64,
                       rows[i].end);
        add_text(rows[i].name, rows[i].shows, rows[i].class, text);
    }
    (void)snprintf(text, sizeof(text), "%s\n4\n%.42sv=\n", origin, base64);
    add_text("base64 with bits left over", "the last character has bits that stand for nothing",
             "damaged", text);
    (void)snprintf(text, sizeof(text), "%s\n4\n%.43s\n", origin, base64);
    add_text("base64 without padding", "43 characters", "damaged", text);
    (void)snprintf(text, sizeof(text), "%s\n4\n", origin);
    add_text("no root", "two lines", "damaged", text);
    sk_fixed_checkpoint(note, &sk_device, &sk_stranger, 4, root);
    add_note("another log's origin", "signed under that name", "damaged", note);
    (void)snprintf(text, sizeof(text), "another\n4\n%s\n", base64);
    add_text("an origin that is not the key's name", "the two are the same", "damaged", text);
}

/* The honest note with a piece put in the place of another. */
static void add_changed(const char *name, const char *shows, const char *class, const char *note,
                        const char *from, const char *to)
{
    char changed[2 * SK_CHECKPOINT_NOTE_MAX];
    const char *at = strstr(note, from);
    MUST(at);
    (void)snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - note), note, to,
                   at + strlen(from));
    add_note(name, shows, class, changed);
}

static void make_unsigned(void)
{
    char note[SK_CHECKPOINT_NOTE_MAX];
    char forged[SK_CHECKPOINT_NOTE_MAX];
    char line[SK_NOTE_LINE_MAX];
    char both[2 * SK_CHECKPOINT_NOTE_MAX];
    sk_fixed_checkpoint(note, &sk_device, &sk_device, 4, root);
    add_note("honest", "size 4", "ok", note);
    MUST(sk_note_sign(line, note, (size_t)(strstr(note, "\n\n") - note) + 1, "witness",
                      sk_stranger.seed) == SK_OK);
    (void)snprintf(both, sizeof(both), "%s%s", note, line);
    add_note("a witness behind it", "signatures by others are passed over", "ok", both);
    (void)snprintf(both, sizeof(both), "%.*s\n%s%s", (int)(strstr(note, "\n\n") - note) + 1, note,
                   line, strstr(note, "\n\n") + 2);
    add_note("a witness before it", "in any order", "ok", both);
    add_changed("another size", "the signature is of another text", "damaged", note, "\n4\n",
                "\n5\n");
    sk_fixed_checkpoint(forged, &sk_stranger, &sk_device, 4, root);
    add_note("signed by a stranger", "another key under the log's name", "damaged", forged);
    add_changed("no empty line", "between text and signature", "damaged", note, "\n\n", "\n");
    (void)snprintf(both, sizeof(both), "%.*s", (int)(strstr(note, "\n\n") - note) + 2, note);
    add_note("no signature", "the note ends with the empty line", "damaged", both);
    (void)snprintf(both, sizeof(both), "%.*s", (int)strlen(note) - 1, note);
    add_note("no newline at the end", "a signature line has one", "damaged", both);
    add_changed("a hyphen for the dash", "the line begins with U+2014", "damaged", note,
                "\xe2\x80\x94", "-");
    add_changed("a carriage return", "no control characters", "damaged", note, "\n4\n", "\r\n4\n");
    (void)snprintf(both, sizeof(both), "%s%s", note, line);
    add_changed("a byte that is no UTF-8", "in the line of another", "damaged", both, "witness",
                "wit\xffness");
    (void)snprintf(both, sizeof(both), "%ssomething else\n", note);
    add_note("a line that is no signature", "malformed lines are not passed over", "damaged", both);
    /* A signature of the right key that is wrong, beside one that is right. */
    MUST(sk_note_sign(line, "other\n", 6, "witness", sk_stranger.seed) == SK_OK);
    char origin[SK_ORIGIN_LEN];
    sk_log_origin(origin, sk_device.id);
    MUST(sk_note_sign(line, "other\n", 6, origin, sk_device.seed) == SK_OK);
    (void)snprintf(both, sizeof(both), "%s%s", note, line);
    add_note("a wrong signature beside the right one", "each by that key has to be right",
             "damaged", both);
}

void sk_make_notes(void)
{
    fill_root();
    make_unsigned();
    make_signed();
    sk_make_note_lines();
}

/* ---- the text of receipts ---- */

static void receipt_text(struct sk_buf *out, const struct sk_receipt *r)
{
    sk_buf_reset(out);
    MUST(sk_receipt_format(out, r, NULL) == SK_OK);
}

static void honest_receipt(struct sk_receipt *r)
{
    const uint64_t numbers[] = {3, 0, 4};
    const uint64_t position = 1;
    *r = (struct sk_receipt){.number = 1, .day = 20001, .size = 4};
    memcpy(r->archive_id, sk_archive.id, 32);
    memcpy(r->log_id, sk_device.id, 32);
    memcpy(r->root, root, 32);
    MUST(sk_receipt_add_stored(r, 0, 4, root, NULL) == SK_OK);
    MUST(sk_receipt_add_stored(r, 6, 8, root, NULL) == SK_OK);
    MUST(sk_ranges_add(&r->wanted, 4, 6, NULL) == SK_OK);
    MUST(sk_receipt_add_remark(r, SK_REMARK_QUARANTINED, numbers, "why", NULL) == SK_OK);
    MUST(sk_receipt_add_remark(r, SK_REMARK_MALFORMED, &position, "how \x1b[2J", NULL) == SK_OK);
    MUST(sk_receipt_add_remark(r, SK_REMARK_NOTICE, NULL, "words", NULL) == SK_OK);
}

#define HEX_63 "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX_64 "0" HEX_63

struct swap {
    const char *name, *shows, *class, *from, *to;
};

static void add_swap(const struct sk_buf *honest, const struct swap *s)
{
    sk_auto_buf changed = SK_BUF_INIT;
    const char *text = sk_buf_text(honest);
    const char *at = strstr(text, s->from);
    MUST(at);
    MUST(sk_buf_add(&changed, text, (size_t)(at - text), NULL) == SK_OK);
    MUST(sk_buf_add_text(&changed, s->to, NULL) == SK_OK);
    MUST(sk_buf_add_text(&changed, at + strlen(s->from), NULL) == SK_OK);
    sk_vector_bytes(s->name, s->shows, s->class, changed.bytes, changed.len, NULL);
}

void sk_make_receipt_texts(void)
{
    static const struct swap swaps[] = {
        {"honest", "a gap, and a remark of each kind", "ok", "day", "day"},
        {"greatest number", "2^63 - 1", "ok", "number 1\n", "number 9223372036854775807\n"},
        {"a leap day", "of the year 2028", "ok", "day 2024-10-05", "day 2028-02-29"},
        {"the first day", "1970-01-01", "ok", "day 2024-10-05", "day 1970-01-01"},
        {"no remarks of one kind", "they may be missing", "ok", "notice words\n", ""},
        {"another first line", "no receipt", "damaged", "receipt 1", "receipt 2"},
        {"a checkpoint for a first line", "no receipt", "damaged", "skrynia receipt 1",
         "skrynia/1"},
        {"archive in upper case", "hex is lower case", "damaged", "archive ", "archive A"},
        {"number 0", "receipts count from 1", "damaged", "number 1\n", "number 0\n"},
        {"number 2^63", "below 2^63", "damaged", "number 1\n", "number 9223372036854775808\n"},
        {"leading zero", "a decimal has none", "damaged", "number 1\n", "number 01\n"},
        {"two blanks", "single ones", "damaged", "size 4", "size  4"},
        {"a blank at the end", "none", "damaged", "size 4", "size 4 "},
        {"carriage return", "lines end with a newline", "damaged", "size 4\n", "size 4\r\n"},
        {"no such day", "30 February", "damaged", "day 2024-10-05", "day 2024-02-30"},
        {"a leap day in 2100", "which has none", "damaged", "day 2024-10-05", "day 2100-02-29"},
        {"a day before 1970", "days count from there", "damaged", "day 2024-10-05",
         "day 1969-12-31"},
        {"a day with one digit", "two digits", "damaged", "day 2024-10-05", "day 2024-10-5"},
        {"base64 with bits left over", "one encoding", "damaged", "Kio=\nstored", "Kip=\nstored"},
        {"size before day", "the order of lines", "damaged", "day 2024-10-05\nsize 4",
         "size 4\nday 2024-10-05"},
        {"an empty range", "from is below to", "damaged", "wanted 4 6", "wanted 4 4"},
        {"a range the other way", "from is below to", "damaged", "wanted 4 6", "wanted 6 4"},
        {"stored ranges that touch", "they would be one", "damaged", "stored 6 8", "stored 4 8"},
        {"stored ranges that overlap", "rising", "damaged", "stored 6 8", "stored 3 8"},
        {"stored ranges that fall", "rising", "damaged", "stored 0 4", "stored 9 10"},
        {"wanted ranges that touch", "they would be one", "damaged", "wanted 4 6\n",
         "wanted 4 6\nwanted 6 7\n"},
        {"wanted before stored", "the order of lines", "damaged", "stored 6 8",
         "wanted 4 5\nstored 6 8"},
        {"remarks in another order", "the order of lines", "damaged", "quarantined 3 0 4 why",
         "notice why\nquarantined 3 0 4 why"},
        {"quarantined without a number", "three numbers", "damaged", "quarantined 3 0 4 why",
         "quarantined 3 0 why"},
        {"malformed without a number", "one number", "damaged", "malformed 1 ", "malformed "},
        {"an unknown line", "nothing else stands there", "damaged", "notice words", "note words"},
        {"an escape sequence", "words are safe to show", "damaged", "<U+001B>", "\x1b"},
        {"a right-to-left override", "words are safe to show", "damaged", "notice words",
         "notice \xe2\x80\xae"
         "words"},
        {"words that are no UTF-8", "words are safe to show", "damaged", "notice words",
         "notice w\xffrds"},
        {"bare", "stored without what it commits to, behind what is wanted", "ok", "wanted 4 6\n",
         "wanted 4 6\nbare 1 2\nbare 3 4\n"},
        {"bare and nothing wanted", "lists may be empty", "ok", "wanted 4 6\n", "bare 0 4\n"},
        {"bare where nothing is stored", "the lists are not held against each other", "ok",
         "wanted 4 6\n", "wanted 4 6\nbare 4 6\n"},
        {"bare and revoked", "the order of lines", "ok", "wanted 4 6\n", "bare 1 2\nrevoked 4\n"},
        {"bare before wanted", "the order of lines", "damaged", "wanted 4 6\n",
         "bare 1 2\nwanted 4 6\n"},
        {"bare behind revoked", "the order of lines", "damaged", "wanted 4 6\n",
         "revoked 4\nbare 1 2\n"},
        {"bare ranges that touch", "they would be one", "damaged", "wanted 4 6\n",
         "bare 1 2\nbare 2 3\n"},
        {"bare ranges that fall", "rising", "damaged", "wanted 4 6\n", "bare 2 3\nbare 0 1\n"},
        {"an empty bare range", "from is below to", "damaged", "wanted 4 6\n", "bare 1 1\n"},
        {"bare with a root", "two numbers", "damaged", "wanted 4 6\n", "bare 1 2 why\n"},
        {"revoked", "from a position on, behind what is wanted", "ok", "wanted 4 6\n",
         "wanted 4 6\nrevoked 4\n"},
        {"revoked from the beginning", "position 0", "ok", "wanted 4 6\n",
         "wanted 4 6\nrevoked 0\n"},
        {"revoked and nothing wanted", "lists may be empty", "ok", "wanted 4 6\n", "revoked 4\n"},
        {"revoked from the greatest number", "2^63 - 1", "ok", "wanted 4 6\n",
         "revoked 9223372036854775807\n"},
        {"revoked from 2^63", "below 2^63", "damaged", "wanted 4 6\n",
         "revoked 9223372036854775808\n"},
        {"revoked twice", "one line", "damaged", "wanted 4 6\n", "revoked 4\nrevoked 4\n"},
        {"revoked before wanted", "the order of lines", "damaged", "wanted 4 6\n",
         "revoked 4\nwanted 4 6\n"},
        {"revoked behind a remark", "the order of lines", "damaged", "notice words\n",
         "notice words\nrevoked 4\n"},
        {"revoked without a number", "it has one", "damaged", "wanted 4 6\n", "revoked \n"},
        {"revoked without anything", "a blank and a number", "damaged", "wanted 4 6\n",
         "revoked\n"},
        {"revoked with a leading zero", "a decimal has none", "damaged", "wanted 4 6\n",
         "revoked 04\n"},
        {"revoked with a range", "one number", "damaged", "wanted 4 6\n", "revoked 4 6\n"},
        {"revoked with words", "one number", "damaged", "wanted 4 6\n", "revoked 4 why\n"},
        {"no newline at the end", "each line has one", "damaged", "notice words\n", "notice words"},
        {"a form", "behind everything else", "ok", "notice words\n",
         "notice words\nform a 1 " HEX_64 "\n"},
        {"two forms", "rising", "ok", "notice words\n",
         "notice words\nform a 2147483647 " HEX_64 "\nform a-1 1 " HEX_64 "\n"},
        {"a form twice", "strictly rising", "damaged", "notice words\n",
         "notice words\nform a 1 " HEX_64 "\nform a 1 " HEX_64 "\n"},
        {"forms that fall", "rising", "damaged", "notice words\n",
         "notice words\nform b 1 " HEX_64 "\nform a 1 " HEX_64 "\n"},
        {"a form before a remark", "the order of lines", "damaged", "notice words\n",
         "form a 1 " HEX_64 "\nnotice words\n"},
        {"a form with the name of a type", "no name of a form", "damaged", "notice words\n",
         "form person 1 " HEX_64 "\n"},
        {"a form named with a hyphen first", "no name of a form", "damaged", "notice words\n",
         "form -a 1 " HEX_64 "\n"},
        {"a form of version 0", "versions count from 1", "damaged", "notice words\n",
         "form a 0 " HEX_64 "\n"},
        {"a form of version 01", "no leading zero", "damaged", "notice words\n",
         "form a 01 " HEX_64 "\n"},
        {"a form of version 2^31", "below that", "damaged", "notice words\n",
         "form a 2147483648 " HEX_64 "\n"},
        {"a form with a hash of 63 digits", "64", "damaged", "notice words\n",
         "form a 1 " HEX_63 "\n"},
        {"a form with a hash in upper case", "lower case", "damaged", "notice words\n",
         "form a 1 A" HEX_63 "\n"},
        {"a form with something behind it", "nothing", "damaged", "notice words\n",
         "form a 1 " HEX_64 " x\n"},
        {"a form without a newline", "each line has one", "damaged", "notice words\n",
         "form a 1 " HEX_64},
    };
    struct sk_receipt r;
    sk_auto_buf honest = SK_BUF_INIT;
    fill_root();
    honest_receipt(&r);
    receipt_text(&honest, &r);
    sk_receipt_clear(&r);
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++)
        add_swap(&honest, &swaps[i]);
    sk_make_receipt_lines();
    sk_make_next_texts();
}

/* ---- whole receipts ---- */

/* The device's own log: the entries of an honest bundle. */
static struct sk_draft own;

static void make_own(void)
{
    sk_draft_clear(&own);
    sk_draft_init(&own, "own");
    sk_draft_base(&own);
}

json_t *sk_receipt_keys(void)
{
    uint8_t key[32];
    json_t *entries = json_array();
    make_own();
    for (size_t i = 0; i < own.entry_count; i++)
        json_array_append_new(entries, sk_hex_json(own.entries[i], SK_ENTRY_LEN));
    sk_ratchet_receipts(key, sk_psk);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "scalar", sk_hex_json(sk_device.scalar, 32),
                     "device_sign", sk_hex_json(sk_device.sign_public, 32), "psk",
                     sk_hex_json(sk_psk, 32), "archive_sign",
                     sk_hex_json(sk_archive.sign_public, 32), "archive_dh",
                     sk_hex_json(sk_archive.dh_public, 32), "entries", entries);
}

static void own_root(uint64_t size, uint8_t out[static 32])
{
    struct sk_merkle tree;
    uint8_t leaf[32];
    sk_merkle_init(&tree);
    for (uint64_t i = 0; i < size; i++) {
        sk_merkle_leaf(leaf, own.entries[i], SK_ENTRY_LEN);
        sk_merkle_append(&tree, leaf);
    }
    sk_merkle_root(&tree, out);
}

/* Names a form in a paper and puts a text behind it. */
static void offer(struct paper *p, const char *name, uint32_t version, const char *text)
{
    struct sk_receipt_form form = {.version = version};
    uint8_t len[4];
    (void)snprintf(form.name, sizeof(form.name), "%s", name);
    sk_own_form_hash(form.hash, text, strlen(text));
    p->receipt.forms = realloc(p->receipt.forms, (p->receipt.form_count + 1) * sizeof(form));
    MUST(p->receipt.forms);
    p->receipt.forms[p->receipt.form_count++] = form;
    sk_put_u32(len, (uint32_t)strlen(text));
    MUST(sk_buf_add(&p->forms, len, sizeof(len), NULL) == SK_OK);
    MUST(sk_buf_add_text(&p->forms, text, NULL) == SK_OK);
}

static void add_signed(struct sk_buf *inner, const struct paper *p)
{
    sk_auto_buf text = SK_BUF_INIT;
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    char line[SK_NOTE_LINE_MAX];
    uint8_t len[4];
    receipt_text(&text, &p->receipt);
    sk_receipt_key_name(name, sk_archive.id);
    MUST(sk_note_sign(line, sk_buf_text(&text), text.len, name, p->signer->seed) == SK_OK);
    MUST(sk_buf_printf(&text, NULL, "\n%s", line) == SK_OK);
    sk_put_u32(len, (uint32_t)text.len);
    MUST(sk_buf_add(inner, len, 4, NULL) == SK_OK);
    MUST(sk_buf_add(inner, text.bytes, text.len, NULL) == SK_OK);
}

static void add_head(struct sk_buf *inner, const struct paper *p)
{
    char note[SK_CHECKPOINT_NOTE_MAX] = "";
    char line[SK_NOTE_LINE_MAX] = "";
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    uint8_t len[4];
    uint8_t head[32];
    sk_receipt_key_name(name, sk_archive.id);
    if (p->head != UINT64_MAX) {
        own_root(p->head, head);
        sk_fixed_checkpoint(note, p->device, p->device, p->head, head);
        MUST(sk_note_cosign(line, note, (size_t)(strstr(note, "\n\n") - note) + 1, name, 1728000000,
                            p->cosigner->seed) == SK_OK);
    }
    char *signature = p->cosigned ? strstr(note, "\n\n") + 2 : note + strlen(note);
    if (p->cosigned)
        sk_cosigned_line(line, note, (size_t)(signature - note) - 1, p->time, p->cosigned);
    sk_put_u32(len, (uint32_t)(strlen(note) + strlen(line)));
    MUST(sk_buf_add(inner, len, 4, NULL) == SK_OK);
    MUST(sk_buf_add(inner, note, (size_t)(signature - note), NULL) == SK_OK);
    MUST(sk_buf_add_text(inner, p->cosigned_first ? line : signature, NULL) == SK_OK);
    MUST(sk_buf_add_text(inner, p->cosigned_first ? signature : line, NULL) == SK_OK);
}

/* The file; what the paper owns goes. */
static json_t *paper_file(const char *name, struct paper *p)
{
    static struct sk_draft draft;
    struct sk_bundle_case c = {.name = name, .edits = {{0}}};
    c.edits[0] = p->edit;
    sk_draft_init(&draft, name);
    sk_ratchet_receipts(draft.chain_key, sk_psk);
    draft.chain_index = p->index;
    draft.receiver = &sk_device;
    sk_draft_header(&draft, &c);
    add_signed(&draft.inner, p);
    add_head(&draft.inner, p);
    MUST(sk_buf_add(&draft.inner, sk_buf_text(&p->forms), p->forms.len, NULL) == SK_OK);
    if (p->edit.stage == SK_STAGE_INNER)
        sk_edit_apply(&draft.inner, &p->edit);
    json_t *file = sk_draft_file(&draft, &c);
    sk_draft_clear(&draft);
    sk_receipt_clear(&p->receipt);
    sk_buf_clear(&p->forms);
    return file;
}

static void add_paper(const char *name, const char *shows, const char *class, struct paper *p)
{
    sk_vector(name, shows, class, paper_file(name, p), NULL);
}

/* Of the whole log of four entries. */
static struct paper honest_paper(void)
{
    struct paper p = {.receipt = {.number = 1, .day = 20001, .size = 4},
                      .signer = &sk_archive,
                      .cosigner = &sk_archive,
                      .device = &sk_device,
                      .head = 4};
    uint8_t at[32];
    memcpy(p.receipt.archive_id, sk_archive.id, 32);
    memcpy(p.receipt.log_id, sk_device.id, 32);
    own_root(4, p.receipt.root);
    own_root(4, at);
    MUST(sk_receipt_add_stored(&p.receipt, 0, 4, at, NULL) == SK_OK);
    return p;
}

static void make_honest_receipts(void)
{
    struct paper p = honest_paper();
    add_paper("honest", "everything is stored", "ok", &p);
    p = honest_paper();
    p.head = 3;
    add_paper("an older checkpoint", "the newest that the archive holds", "ok", &p);
    p = honest_paper();
    p.receipt.stored_count = 0;
    p.receipt.size = 0;
    own_root(0, p.receipt.root);
    p.head = UINT64_MAX;
    MUST(sk_ranges_add(&p.receipt.wanted, 0, 9, NULL) == SK_OK);
    add_paper("nothing yet", "no checkpoint; what is wanted is cut at the log's size", "ok", &p);
    p = honest_paper();
    p.receipt.root[0] ^= 1;
    add_paper("another root", "the archive holds another history: nothing is acknowledged", "ok",
              &p);
    p = honest_paper();
    p.receipt.size = 5;
    add_paper("more than the log has", "the store was put back: nothing is acknowledged", "ok", &p);
    p = honest_paper();
    p.receipt.stored[0].root[0] ^= 1;
    add_paper("another root of a range", "each has to be the log's own", "ok", &p);
    p = honest_paper();
    p.receipt.revokes = true;
    p.receipt.revoked = 2;
    add_paper("revoked", "what was stored is acknowledged all the same", "ok", &p);
    p = honest_paper();
    p.receipt.revokes = true;
    p.receipt.revoked = 2;
    p.receipt.root[0] ^= 1;
    add_paper("revoked, with another root", "it is told, and nothing is kept", "ok", &p);
}

static void make_loose_receipts(void)
{
    struct paper p;
    p = honest_paper();
    p.head = UINT64_MAX;
    add_paper("no checkpoint", "it may be missing whatever the size is", "ok", &p);
    p = honest_paper();
    p.receipt.stored_count = 0;
    add_paper("size alone", "acknowledges nothing", "ok", &p);
    p = honest_paper();
    p.receipt.size = 2;
    own_root(2, p.receipt.root);
    add_paper("more stored than size", "the range is acknowledged", "ok", &p);
}

static void make_cosignatures(void)
{
    static const struct {
        const char *name, *shows, *class;
        uint64_t time;
        size_t len;
        bool first;
    } rows[] = {
        {"a cosignature before the signature", "in any order", "ok", 1728000000, 72, true},
        {"a cosignature at time 0", "the first second", "ok", 0, 72, false},
        {"a cosignature at 2^63 - 1", "the last second", "ok", INT64_MAX, 72, false},
        {"a cosignature at 2^63", "signed as it should be", "damaged", 1ull << 63, 72, false},
        {"a cosignature of 71 bytes", "a time and 64 bytes", "damaged", 1728000000, 71, false},
        {"a cosignature of 73 bytes", "a time and 64 bytes", "damaged", 1728000000, 73, false},
        {"a cosignature that is a signature", "of the other type", "damaged", 1728000000, 64,
         false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct paper p = honest_paper();
        p.time = rows[i].time;
        p.cosigned = rows[i].len;
        p.cosigned_first = rows[i].first;
        add_paper(rows[i].name, rows[i].shows, rows[i].class, &p);
    }
}

struct paper sk_paper(void)
{
    make_own();
    return honest_paper();
}

json_t *sk_paper_file(const char *name, struct paper *p)
{
    return paper_file(name, p);
}

#define OTHER_FORM                                                                                 \
    "{\"form\":\"arrest\",\"type\":\"event\",\"version\":1,\"label\":\"A\",\"fields\":[{\"name\":" \
    "\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\",\"required\":true}]}"

static void make_form_receipts(void)
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
    struct paper p = honest_paper();
    offer(&p, "arrest", 1, OTHER_FORM);
    offer(&p, "detention", 2, sk_form_text);
    add_paper("two forms", "each behind its line", "ok", &p);
    p = honest_paper();
    offer(&p, "arrest", 1, "{\"form\":\"arrest\"}");
    offer(&p, "detention", 2, sk_form_text);
    add_paper("a form that is none", "the other is taken, and everything else", "ok", &p);
    p = honest_paper();
    offer(&p, "arrest", 2, OTHER_FORM);
    add_paper("a form of another version than its line", "it is not taken", "ok", &p);
    p = honest_paper();
    offer(&p, "prison", 1, OTHER_FORM);
    add_paper("a form of another name than its line", "it is not taken", "ok", &p);
    p = honest_paper();
    offer(&p, "arrest", 1, OTHER_FORM);
    p.receipt.root[0] ^= 1;
    add_paper("a form in a receipt of another history", "nothing is taken", "ok", &p);
    p = honest_paper();
    offer(&p, "arrest", 1, OTHER_FORM);
    sk_buf_clear(&p.forms);
    add_paper("a line without its form", "as many as there are lines", "damaged", &p);
    p = honest_paper();
    offer(&p, "arrest", 1, OTHER_FORM);
    offer(&p, "detention", 2, sk_form_text);
    memcpy(p.receipt.forms[0].hash, p.receipt.forms[1].hash, 32);
    add_paper("a form under another's hash", "each has its own", "damaged", &p);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        p = honest_paper();
        offer(&p, "detention", 2, sk_form_text);
        p.edit = rows[i].edit;
        add_paper(rows[i].name, rows[i].shows, rows[i].class, &p);
    }
    for (unsigned count = 32; count <= 33; count++) {
        p = honest_paper();
        for (unsigned i = 0; i < count; i++)
            offer(&p, (char[]){(char)('a' + i / 10), (char)('0' + i % 10), 0}, 1, OTHER_FORM);
        add_paper(count == 32 ? "32 forms" : "33 forms",
                  count == 32 ? "none of them is that of its line" : "more than there can be",
                  count == 32 ? "ok" : "limit", &p);
    }
}

void sk_make_receipts(void)
{
    struct paper p;
    make_own();
    make_form_receipts();
    make_honest_receipts();
    make_loose_receipts();
    make_cosignatures();
    p = honest_paper();
    p.signer = &sk_rival;
    add_paper("signed by another archive", "under this archive's name", "damaged", &p);
    p = honest_paper();
    p.cosigner = &sk_rival;
    add_paper("cosigned by another archive", "under this archive's name", "damaged", &p);
    p = honest_paper();
    p.device = &sk_stranger;
    add_paper("the checkpoint of another device", "cosigned as it should be", "damaged", &p);
    p = honest_paper();
    memcpy(p.receipt.archive_id, sk_rival.id, 32);
    add_paper("another archive's id", "signed as it should be", "refused", &p);
    p = honest_paper();
    memcpy(p.receipt.log_id, sk_stranger.id, 32);
    add_paper("for another log", "signed as it should be", "refused", &p);
    p = honest_paper();
    memcpy(p.receipt.log_id, sk_stranger.id, 32);
    p.cosigner = &sk_rival;
    add_paper("for another log, with a wrong cosignature", "ids come before the checkpoint",
              "refused", &p);
    p = honest_paper();
    memcpy(p.receipt.log_id, sk_stranger.id, 32);
    p.signer = &sk_rival;
    add_paper("for another log, with a wrong signature", "the signature comes before ids",
              "damaged", &p);
    static const struct {
        const char *name, *shows, *class;
        struct sk_edit edit;
    } rows[] = {
        {"a note of 2^20 + 1 bytes",
         "longer than there can be",
         "limit",
         {SK_STAGE_INNER, SK_SET, 0, "01001000"}},
        {"a note of 2^32 - 1 bytes",
         "as long as can be said",
         "limit",
         {SK_STAGE_INNER, SK_SET, 0, "ffffffff"}},
        {"a note beyond the stream",
         "it ends too early",
         "damaged",
         {SK_STAGE_INNER, SK_SET, 0, "00001000"}},
        {"no note",
         "a length of 0: letters are read as the next length",
         "limit",
         {SK_STAGE_INNER, SK_SET, 0, "00000000"}},
        {"a changed letter", "of what is signed", "damaged", {SK_STAGE_INNER, SK_XOR, 100, "01"}},
        {"a byte behind the checkpoint",
         "zeros to the end",
         "damaged",
         {SK_STAGE_INNER, SK_INSERT, -1, "0a"}},
        {"a NUL in the checkpoint",
         "its length goes beyond its text",
         "damaged",
         {SK_STAGE_INNER, SK_XOR, -2, "3d"}},
        {"a changed chunk", "its tag is wrong", "damaged", {SK_STAGE_FILE, SK_XOR, 70000, "01"}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        p = honest_paper();
        p.edit = rows[i].edit;
        add_paper(rows[i].name, rows[i].shows, rows[i].class, &p);
    }
    sk_make_next_receipts();
    sk_draft_clear(&own);
}

/* ---- receipts, one after the other ---- */

/* Of the first `size` entries, and what is wanted of the rest. */
static json_t *numbered(const char *name, uint32_t index, uint64_t number, uint64_t size)
{
    struct paper p = honest_paper();
    p.index = index;
    p.receipt.number = number;
    p.receipt.size = p.head = size;
    p.receipt.stored[0].to = size;
    own_root(size, p.receipt.root);
    own_root(size, p.receipt.stored[0].root);
    if (size < 4)
        MUST(sk_ranges_add(&p.receipt.wanted, size, 4, NULL) == SK_OK);
    return paper_file(name, &p);
}

/* All is stored, and the log is revoked from a position on. */
static json_t *revoking(const char *name, uint32_t index, uint64_t number, uint64_t revoked)
{
    struct paper p = honest_paper();
    p.index = index;
    p.receipt.number = number;
    p.receipt.revokes = true;
    p.receipt.revoked = revoked;
    return paper_file(name, &p);
}

static json_t *damaged_copy(const char *name)
{
    struct paper p = honest_paper();
    p.edit = (struct sk_edit){SK_STAGE_FILE, SK_XOR, 70000, "01"};
    return paper_file(name, &p);
}

static void add_two(const char *name, const char *shows, json_t *first, json_t *second)
{
    sk_vector(name, shows, "ok", json_pack("[o, o]", first, second), NULL);
}

/* Of a store that has more than the device's: nothing of it counts. */
static json_t *of_another(const char *name, uint32_t index, uint64_t number)
{
    struct paper p = honest_paper();
    p.index = index;
    p.receipt.number = number;
    p.receipt.size = 5;
    return paper_file(name, &p);
}

static void make_unspent(void)
{
    sk_vector("an older number leaves its index unspent", "another receipt under it is taken", "ok",
              json_pack("[o, o, o]", numbered("unspent 1", 1, 2, 2), numbered("unspent 2", 0, 1, 2),
                        numbered("unspent 3", 0, 3, 4)),
              NULL);
    add_two("of another log, then a lower number", "neither index nor number was noted",
            of_another("rollback 1", 0, 5), numbered("rollback 2", 0, 3, 4));
    add_two("an older number of another log", "both are told", numbered("both 1", 0, 5, 4),
            of_another("both 2", 1, 4));
}

/* Offers a form of that version, or nothing with version 0. */
static json_t *offering(const char *name, uint32_t index, uint64_t number, uint32_t version,
                        const char *label)
{
    char text[300];
    struct paper p = honest_paper();
    p.index = index;
    p.receipt.number = number;
    (void)snprintf(text, sizeof(text),
                   "{\"form\":\"arrest\",\"type\":\"event\",\"version\":%u,\"label\":\"%s\","
                   "\"fields\":[{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\","
                   "\"access\":\"public\",\"required\":true}]}",
                   version, label);
    if (version > 0)
        offer(&p, "arrest", version, text);
    return paper_file(name, &p);
}

static void make_offers(void)
{
    add_two("a newer version of a form", "it takes the place", offering("newer 1", 0, 1, 1, "A"),
            offering("newer 2", 1, 2, 2, "B"));
    add_two("an older version of a form", "it does not take the place",
            offering("back 1", 0, 1, 2, "B"), offering("back 2", 1, 2, 1, "A"));
    add_two("the same version of a form with other content", "it does not take the place",
            offering("content 1", 0, 1, 1, "A"), offering("content 2", 1, 2, 1, "B"));
    add_two("a form in an older receipt", "nothing is taken of that",
            offering("older 2", 1, 2, 0, ""), offering("older 1", 0, 1, 1, "A"));
    sk_vector("a form that is not offered any more, and is again",
              "its version is remembered, and an older one is not taken", "ok",
              json_pack("[o, o, o, o]", offering("gone 1", 0, 1, 2, "B"),
                        offering("gone 2", 1, 2, 0, ""), offering("gone 3", 2, 3, 1, "A"),
                        offering("gone 4", 3, 4, 2, "B")),
              NULL);
}

void sk_make_receipt_sequences(void)
{
    make_own();
    make_offers();
    make_unspent();
    add_two("in order", "the second acknowledges more", numbered("order 1", 0, 1, 2),
            numbered("order 2", 1, 2, 4));
    add_two("in reverse order", "a number that is not above the newest changes nothing",
            numbered("reverse 2", 1, 2, 4), numbered("reverse 1", 0, 1, 2));
    add_two("one number twice", "under another index: nothing changes",
            numbered("twice 1", 0, 1, 2), numbered("twice 2", 1, 1, 4));
    add_two("fewer entries than before", "what was acknowledged stays so",
            numbered("fewer 1", 0, 1, 4), numbered("fewer 2", 1, 2, 2));
    add_two("revoked, and then not", "a revocation is never taken back",
            revoking("back 1", 0, 1, 3), numbered("back 2", 1, 2, 4));
    add_two("revoked, and then later", "it never begins later", revoking("later 1", 0, 1, 3),
            revoking("later 2", 1, 2, 4));
    add_two("revoked, and then earlier", "it may begin earlier", revoking("earlier 1", 0, 1, 3),
            revoking("earlier 2", 1, 2, 0));
    add_two("revoked in an older receipt", "which changes nothing", numbered("stale 2", 1, 2, 4),
            revoking("stale 1", 0, 1, 3));
    json_t *first = numbered("same", 0, 1, 4);
    add_two("the same file twice", "it is known, and nothing happens", first, json_incref(first));
    add_two("another receipt under a spent index", "refused", numbered("spent 1", 0, 1, 2),
            numbered("spent 2", 0, 2, 4));
    add_two("a damaged copy first", "the index stays unspent", damaged_copy("copy"),
            numbered("copy", 0, 1, 4));
    add_two("a damaged copy afterwards", "the index is spent", numbered("later", 0, 1, 4),
            damaged_copy("later"));
    sk_make_next_receipt_sequences();
    sk_draft_clear(&own);
}
