/*
 * Lines of signed texts: how many there can be, the shortest, and what stands in them.
 */
#include "core/log.h"
#include "sync/receipt_note.h"
#include "tests/vectors/make/group.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* ---- signature lines ---- */

static void add_lines(const char *name, const char *shows, const char *class, const char *line,
                      unsigned count)
{
    sk_auto_buf note = SK_BUF_INIT;
    char head[SK_CHECKPOINT_NOTE_MAX];
    uint8_t root[32];
    memset(root, 0x2a, sizeof(root));
    sk_fixed_checkpoint(head, &sk_device, &sk_device, 4, root);
    MUST(sk_buf_add_text(&note, head, NULL) == SK_OK);
    for (unsigned i = 0; i < count; i++)
        MUST(sk_buf_add_text(&note, line, NULL) == SK_OK);
    sk_vector_bytes(name, shows, class, note.bytes, note.len, NULL);
}

#define LINE(name, base64) "\xe2\x80\x94 " name " " base64 "\n"

/* The log's own line a second time, altered: the length of its signature, its name, its key id. */
static void add_own_line(const char *name, const char *shows, const char *class, size_t len,
                         const char *other_name, bool other_key)
{
    char note[SK_CHECKPOINT_NOTE_MAX];
    char line[SK_NOTE_LINE_MAX];
    uint8_t payload[68];
    uint8_t root[32];
    size_t got = 0;
    memset(root, 0x2a, sizeof(root));
    sk_fixed_checkpoint(note, &sk_device, &sk_device, 4, root);
    const char *own = strstr(note, "\n\n") + 2;
    const size_t head = (size_t)(strrchr(own, ' ') + 1 - own);
    MUST(sodium_base642bin(payload, sizeof(payload), own + head, strlen(own + head), "\n", &got,
                           NULL, sodium_base64_VARIANT_ORIGINAL) == 0);
    if (other_key)
        payload[0] ^= 1;
    if (other_name)
        payload[4] ^= 1;
    (void)snprintf(line, sizeof(line), "%.*s", (int)head, own);
    if (other_name)
        (void)snprintf(line, sizeof(line), "\xe2\x80\x94 %s ", other_name);
    sodium_bin2base64(line + strlen(line), sizeof(line) - strlen(line), payload, 4 + len,
                      sodium_base64_VARIANT_ORIGINAL);
    MUST(strlen(line) + 2 < sizeof(line));
    memcpy(line + strlen(line), "\n", 2);
    add_lines(name, shows, class, line, 1);
}

/* The log's own signature with the order of the group added to its second half: an equation that
 * holds, in an encoding that nobody writes. */
static void add_uncanonical(void)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    char note[SK_CHECKPOINT_NOTE_MAX];
    uint8_t payload[68];
    uint8_t root[32];
    size_t len = 0;
    memset(root, 0x2a, sizeof(root));
    sk_fixed_checkpoint(note, &sk_device, &sk_device, 4, root);
    char *base64 = strrchr(note, ' ') + 1;
    MUST(sodium_base642bin(payload, sizeof(payload), base64, strlen(base64), "\n", &len, NULL,
                           sodium_base64_VARIANT_ORIGINAL) == 0);
    MUST(len == sizeof(payload));
    sodium_add(payload + 36, order, sizeof(order));
    sodium_bin2base64(base64, SK_CHECKPOINT_NOTE_MAX - (size_t)(base64 - note), payload, len,
                      sodium_base64_VARIANT_ORIGINAL);
    MUST(strlen(note) + 1 < sizeof(note));
    memcpy(note + strlen(note), "\n", 2);
    sk_vector_bytes("the second half of a signature and the group's order", "it is below the order",
                    "damaged", note, strlen(note), NULL);
}

void sk_make_note_lines(void)
{
    add_uncanonical();
    add_own_line("the right line twice", "each of them is right", "ok", 64, NULL, false);
    add_own_line("63 bytes under the log's name and key", "each of them has to be right", "damaged",
                 63, NULL, false);
    add_own_line("a byte under the log's name and another key", "it is passed over", "ok", 1, NULL,
                 true);
    add_own_line("a wrong line under the log's key and another name", "it is passed over", "ok", 64,
                 "witness", false);
    static const struct {
        const char *name, *shows, *class, *line;
        unsigned count;
    } rows[] = {
        {"100 signature lines", "as many as there can be", "ok", LINE("w", "AAAAAAA="), 99},
        {"101 signature lines", "one more", "damaged", LINE("w", "AAAAAAA="), 100},
        {"4 bytes in base64", "a key id and no signature", "damaged", LINE("w", "AAAAAA=="), 1},
        {"base64 without padding in another's line", "each line is looked at", "damaged",
         LINE("w", "AAAAAAA"), 1},
        {"base64 with bits left over in another's line", "canonical", "damaged",
         LINE("w", "AAAAAAB="), 1},
        {"base64 of URLs", "+ and /", "damaged", LINE("w", "____AAA="), 1},
        {"a plus in another's name", "names have none", "damaged", LINE("w+w", "AAAAAAA="), 1},
        {"U+3000 in another's name", "white space", "damaged", LINE("w\xe3\x80\x80w", "AAAAAAA="),
         1},
        {"U+0001 in another's name", "a control character", "damaged", LINE("w\x01w", "AAAAAAA="),
         1},
        {"U+0085 in another's name", "white space", "damaged", LINE("w\xc2\x85w", "AAAAAAA="), 1},
        {"U+00A0 in another's name", "white space", "damaged", LINE("w\xc2\xa0w", "AAAAAAA="), 1},
        {"U+1680 in another's name", "white space", "damaged", LINE("w\xe1\x9a\x80w", "AAAAAAA="),
         1},
        {"U+2007 in another's name", "white space", "damaged", LINE("w\xe2\x80\x87w", "AAAAAAA="),
         1},
        {"U+2028 in another's name", "white space", "damaged", LINE("w\xe2\x80\xa8w", "AAAAAAA="),
         1},
        {"U+205F in another's name", "white space", "damaged", LINE("w\xe2\x81\x9fw", "AAAAAAA="),
         1},
        {"U+007F in another's name", "not below U+0020", "ok", LINE("w\x7fw", "AAAAAAA="), 1},
        {"U+180E in another's name", "no white space", "ok", LINE("w\xe1\xa0\x8ew", "AAAAAAA="), 1},
        {"U+200B in another's name", "no white space", "ok", LINE("w\xe2\x80\x8bw", "AAAAAAA="), 1},
        {"U+FEFF in another's name", "no white space", "ok", LINE("w\xef\xbb\xbfw", "AAAAAAA="), 1},
        {"no name", "a name is not empty", "damaged", LINE("", "AAAAAAA="), 1},
        {"an empty line between signatures", "the last empty line ends the text", "damaged",
         "\n" LINE("w", "AAAAAAA="), 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        add_lines(rows[i].name, rows[i].shows, rows[i].class, rows[i].line, rows[i].count);
}

/* ---- cosignatures ---- */

void sk_cosigned_line(char line[static SK_NOTE_LINE_MAX], const char *text, size_t text_len,
                      uint64_t time, size_t len)
{
    const uint8_t type = len == 64 ? 1 : 4;
    uint8_t payload[4 + 73] = {0};
    uint8_t digest[crypto_hash_sha256_BYTES];
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    char base64[sodium_base64_ENCODED_LEN(sizeof(payload), sodium_base64_VARIANT_ORIGINAL)];
    sk_auto_buf message = SK_BUF_INIT;
    sk_receipt_key_name(name, sk_archive.id);
    MUST(len < sizeof(payload) - 4 + 1);
    MUST(sk_buf_printf(&message, NULL, "%s\n", name) == SK_OK);
    MUST(sk_buf_add_byte(&message, type, NULL) == SK_OK);
    MUST(sk_buf_add(&message, sk_archive.sign_public, 32, NULL) == SK_OK);
    crypto_hash_sha256(digest, message.bytes, message.len);
    memcpy(payload, digest, 4);
    sk_buf_reset(&message);
    if (type == 4) {
        for (unsigned i = 0; i < 8; i++)
            payload[4 + i] = (uint8_t)(time >> (8 * (7 - i)));
        MUST(sk_buf_printf(&message, NULL, "cosignature/v1\ntime %llu\n",
                           (unsigned long long)time) == SK_OK);
    }
    MUST(sk_buf_add(&message, text, text_len, NULL) == SK_OK);
    sk_sign(payload + (type == 4 ? 12 : 4), message.bytes, message.len, sk_archive.seed);
    sodium_bin2base64(base64, sizeof(base64), payload, 4 + len, sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(line, SK_NOTE_LINE_MAX, "\xe2\x80\x94 %s %s\n", name, base64);
}

/* ---- lines of a receipt ---- */

/* A text without lists, up to the root. */
static void head_of(struct sk_buf *out)
{
    struct sk_receipt r = {.number = 1, .day = 20001, .size = 4};
    memcpy(r.archive_id, sk_archive.id, 32);
    memcpy(r.log_id, sk_device.id, 32);
    memset(r.root, 0x2a, 32);
    MUST(sk_receipt_format(out, &r, NULL) == SK_OK);
}

static void add_counted(const char *name, const char *shows, const char *class, const char *word,
                        unsigned count)
{
    sk_auto_buf text = SK_BUF_INIT;
    char base64[SK_BASE64_HASH_LEN + 1];
    uint8_t root[32];
    memset(root, 0x2a, sizeof(root));
    sk_base64_hash(base64, root);
    head_of(&text);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(word, "stored") == 0)
            MUST(sk_buf_printf(&text, NULL, "stored %u %u %s\n", 2 * i, 2 * i + 1, base64) ==
                 SK_OK);
        else if (strcmp(word, "wanted") == 0 || strcmp(word, "bare") == 0 ||
                 strcmp(word, "withdrawn") == 0)
            MUST(sk_buf_printf(&text, NULL, "%s %u %u\n", word, 2 * i, 2 * i + 1) == SK_OK);
        else
            MUST(sk_buf_printf(&text, NULL, "%s\n", word) == SK_OK);
    }
    sk_vector_bytes(name, shows, class, text.bytes, text.len, NULL);
}

/* A text that ends behind so many lines; the next one is missing, with all behind it. */
static void make_early_ends(void)
{
    static const char *const words[] = {"skrynia", "archive", "log", "number",
                                        "day",     "size",    "root"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        sk_auto_buf text = SK_BUF_INIT;
        char name[60];
        head_of(&text);
        size_t len = 0;
        for (size_t lines = 0; lines < i; len++)
            lines += text.bytes[len] == '\n';
        (void)snprintf(name, sizeof(name), "a text that ends before its line %s", words[i]);
        sk_vector_bytes(name, i == 0 ? "it is empty" : "between two lines", "damaged", text.bytes,
                        len, NULL);
    }
}

void sk_make_receipt_lines(void)
{
    make_early_ends();
    sk_make_shown();
    static const struct {
        const char *name, *shows, *class, *line;
        unsigned count;
    } rows[] = {
        {"no lists", "all of them may be missing", "ok", "", 0},
        {"1000 ranges stored", "as many as there can be", "ok", "stored", 1000},
        {"1001 ranges stored", "one more", "damaged", "stored", 1001},
        {"1000 ranges wanted", "as many as there can be", "ok", "wanted", 1000},
        {"1001 ranges wanted", "one more", "damaged", "wanted", 1001},
        {"1000 bare ranges", "as many as there can be", "ok", "bare", 1000},
        {"1001 bare ranges", "one more", "damaged", "bare", 1001},
        {"1000 withdrawn ranges", "as many as there can be", "ok", "withdrawn", 1000},
        {"1001 withdrawn ranges", "one more", "damaged", "withdrawn", 1001},
        {"1000 remarks of quarantined", "as many as there can be", "ok", "quarantined 1 0 2 x",
         1000},
        {"1001 remarks of quarantined", "one more", "damaged", "quarantined 1 0 2 x", 1001},
        {"1000 remarks of malformed", "as many as there can be", "ok", "malformed 1 x", 1000},
        {"1001 remarks of malformed", "one more", "damaged", "malformed 1 x", 1001},
        {"a right-to-left override in a reason", "words are safe to show", "damaged",
         "quarantined 1 0 2 a\xe2\x80\xae"
         "b",
         1},
        {"1000 notices", "as many as there can be", "ok", "notice x", 1000},
        {"1001 notices", "one more", "damaged", "notice x", 1001},
        {"an empty reason", "the blank before it stands there", "ok", "malformed 1 ", 1},
        {"an empty reason without a blank", "it is missing", "damaged", "malformed 1", 1},
        {"an empty notice", "the blank before it stands there", "ok", "notice ", 1},
        {"an empty notice without a blank", "it is missing", "damaged", "notice", 1},
        {"quarantined n0 above n1", "nobody looks at it", "ok", "quarantined 0 9 2 x", 1},
        {"quarantined with a leading zero", "a decimal has none", "damaged", "quarantined 1 00 2 x",
         1},
        {"one position malformed twice", "nobody looks at it", "ok", "malformed 5 x", 2},
        {"malformed 2^63", "below 2^63", "damaged", "malformed 9223372036854775808 x", 1},
        {"U+FFFE in a notice", "it is no character", "damaged", "notice \xef\xbf\xbe", 1},
        {"U+1FFFF in a notice", "it is no character", "damaged", "notice \xf0\x9f\xbf\xbf", 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        add_counted(rows[i].name, rows[i].shows, rows[i].class, rows[i].line, rows[i].count);
}
