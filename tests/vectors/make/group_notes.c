/*
 * Signed texts: checkpoints, and the text of receipts.
 */
#include "sync/receipt_note.h"
#include "tests/vectors/make/group.h"

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
    add_changed("U+0080 in a name", "only those below U+0020 are control characters", "ok", both,
                "witness", "wit\xc2\x80ness");
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
        {"month 0", "no such month", "damaged", "day 2024-10-05", "day 1970-00-01"},
        {"month 13", "no such month", "damaged", "day 2024-10-05", "day 1970-13-01"},
        {"day 0", "no such day", "damaged", "day 2024-10-05", "day 1970-01-00"},
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
        {"withdrawn", "stored, and erased by the word of another log", "ok", "wanted 4 6\n",
         "wanted 4 6\nwithdrawn 1 2\nwithdrawn 3 4\n"},
        {"withdrawn behind bare", "the order of lines", "ok", "wanted 4 6\n",
         "bare 0 1\nwithdrawn 1 2\nrevoked 4\n"},
        {"withdrawn where it is bare too", "the lists are not held against each other", "ok",
         "wanted 4 6\n", "bare 0 2\nwithdrawn 1 3\n"},
        {"withdrawn before bare", "the order of lines", "damaged", "wanted 4 6\n",
         "withdrawn 1 2\nbare 0 1\n"},
        {"withdrawn behind revoked", "the order of lines", "damaged", "wanted 4 6\n",
         "revoked 4\nwithdrawn 1 2\n"},
        {"withdrawn ranges that touch", "they would be one", "damaged", "wanted 4 6\n",
         "withdrawn 1 2\nwithdrawn 2 3\n"},
        {"withdrawn ranges that fall", "rising", "damaged", "wanted 4 6\n",
         "withdrawn 2 3\nwithdrawn 0 1\n"},
        {"an empty withdrawn range", "from is below to", "damaged", "wanted 4 6\n",
         "withdrawn 1 1\n"},
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
