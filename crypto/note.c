#include "crypto/note.h"

#include "crypto/secret.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TYPE_SIGNATURE   0x01
#define TYPE_COSIGNATURE 0x04

#define KEY_ID_LEN     4
#define TIME_LEN       8
#define TIME_MAX_S     INT64_MAX /* tlog-cosignature: must not exceed 2^63 - 1 */
#define PAYLOAD_MAX    (KEY_ID_LEN + TIME_LEN + SK_SIGNATURE_LEN)
#define SIGNATURES_MAX 100

#define DASH     "\xe2\x80\x94 "
#define DASH_LEN 4

/* Room for "cosignature/v1\ntime <20 digits>\n" and a checkpoint. */
#define COSIGNED_MAX (64 + SK_CHECKPOINT_TEXT_MAX)

/* A piece of a text that somebody else owns. */
struct span {
    const char *at;
    size_t len;
};

struct signature_line {
    struct span name;
    uint8_t payload[PAYLOAD_MAX]; /* as much of it as our signatures can have */
    size_t payload_len;
};

/* --- Text ------------------------------------------------------------------------------------ */

#define RUNE_BAD UINT32_MAX

/* Takes one code point off the span; RUNE_BAD for what is not shortest-form UTF-8 (RFC 3629). */
static uint32_t next_rune(struct span *s)
{
    static const struct {
        uint8_t first, last; /* of the leading byte */
        uint8_t more;        /* bytes that follow it */
        uint8_t mask;
        uint32_t least; /* what fewer bytes could not have said */
    } forms[] = {
        {0x00, 0x7f, 0, 0x7f, 0},
        {0xc2, 0xdf, 1, 0x1f, 0x80},
        {0xe0, 0xef, 2, 0x0f, 0x800},
        {0xf0, 0xf4, 3, 0x07, 0x10000},
    };
    const uint8_t *p = (const uint8_t *)s->at;
    size_t form = 0;

    while (form < 4 && (p[0] < forms[form].first || p[0] > forms[form].last))
        form++;
    if (form == 4 || s->len <= forms[form].more)
        return RUNE_BAD;
    uint32_t rune = p[0] & forms[form].mask;
    for (size_t i = 1; i <= forms[form].more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return RUNE_BAD;
        rune = rune << 6 | (p[i] & 0x3f);
    }
    if (rune < forms[form].least || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
        return RUNE_BAD;
    s->at += 1 + forms[form].more;
    s->len -= (size_t)1 + forms[form].more;
    return rune;
}

/* White space as Unicode has it. */
static int is_space(uint32_t rune)
{
    return (rune >= 0x09 && rune <= 0x0d) || rune == ' ' || rune == 0x85 || rune == 0xa0 ||
           rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 ||
           rune == 0x2029 || rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

/* UTF-8 without control characters other than the newline. */
static int text_valid(struct span s)
{
    while (s.len > 0) {
        uint32_t rune = next_rune(&s);
        if (rune == RUNE_BAD || (rune < 0x20 && rune != '\n'))
            return 0;
    }
    return 1;
}

static int name_valid(struct span s)
{
    if (s.len == 0)
        return 0;
    while (s.len > 0) {
        uint32_t rune = next_rune(&s);
        if (rune == RUNE_BAD || rune < 0x20 || rune == '+' || is_space(rune))
            return 0;
    }
    return 1;
}

/* Cuts off what stands before the first `separator`, which is dropped; 0 when there is none. */
static int cut(struct span *rest, char separator, struct span *before)
{
    const char *found = memchr(rest->at, separator, rest->len);
    if (!found)
        return 0;
    size_t len = (size_t)(found - rest->at);
    *before = (struct span){rest->at, len};
    rest->at = found + 1;
    rest->len -= len + 1;
    return 1;
}

/* --- Base64 ---------------------------------------------------------------------------------- */

#define PIECE_TEXT  256
#define PIECE_BYTES 192 /* PIECE_TEXT / 4 * 3 */

/* Decodes at most PIECE_TEXT characters; 0 unless encoding gives the very same text again. */
static int decode_piece(const char *text, size_t len, uint8_t bytes[static PIECE_BYTES],
                        size_t *bytes_len)
{
    char again[sodium_base64_ENCODED_LEN(PIECE_BYTES, sodium_base64_VARIANT_ORIGINAL)];

    if (sodium_base642bin(bytes, PIECE_BYTES, text, len, NULL, bytes_len, NULL,
                          sodium_base64_VARIANT_ORIGINAL))
        return 0;
    sodium_bin2base64(again, sizeof(again), bytes, *bytes_len, sodium_base64_VARIANT_ORIGINAL);
    return strlen(again) == len && memcmp(again, text, len) == 0;
}

/*
 * Decodes canonical base64 of any length, keeping the first `max` bytes: signatures of kinds we do
 * not know may be long, and have to be well-formed all the same. Returns 0 when they are not.
 */
static int decode(struct span text, uint8_t *out, size_t max, size_t *out_len)
{
    uint8_t piece[PIECE_BYTES];
    size_t total = 0;

    while (text.len > 0) {
        size_t take = text.len < PIECE_TEXT ? text.len : PIECE_TEXT;
        size_t piece_len = 0;
        if (!decode_piece(text.at, take, piece, &piece_len))
            return 0;
        text.at += take;
        text.len -= take;
        if (text.len > 0 && piece_len != PIECE_BYTES)
            return 0; /* padding before the end */
        if (total < max)
            memcpy(out + total, piece, piece_len < max - total ? piece_len : max - total);
        total += piece_len;
    }
    *out_len = total;
    return 1;
}

void sk_base64_hash(char out[static SK_BASE64_HASH_LEN + 1],
                    const uint8_t hash[static SK_MERKLE_LEN])
{
    sodium_bin2base64(out, SK_BASE64_HASH_LEN + 1, hash, SK_MERKLE_LEN,
                      sodium_base64_VARIANT_ORIGINAL);
}

enum sk_status sk_base64_hash_parse(uint8_t out[static SK_MERKLE_LEN],
                                    const char text[static SK_BASE64_HASH_LEN])
{
    uint8_t hash[SK_MERKLE_LEN];
    size_t len = 0;
    if (!decode((struct span){text, SK_BASE64_HASH_LEN}, hash, sizeof(hash), &len) ||
        len != sizeof(hash))
        return SK_DAMAGED;
    memcpy(out, hash, sizeof(hash));
    return SK_OK;
}

/* --- Signatures ------------------------------------------------------------------------------ */

static void key_id(uint8_t out[static KEY_ID_LEN], struct span name, uint8_t type,
                   const uint8_t public_key[static SK_SIGN_PUBLIC_LEN])
{
    static const uint8_t newline = '\n';
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)name.at, name.len);
    crypto_hash_sha256_update(&state, &newline, 1);
    crypto_hash_sha256_update(&state, &type, 1);
    crypto_hash_sha256_update(&state, public_key, SK_SIGN_PUBLIC_LEN);
    crypto_hash_sha256_final(&state, digest);
    memcpy(out, digest, KEY_ID_LEN);
}

/* The only integers of the format; everything else of ours is little-endian. */
static void put_time(uint8_t out[static TIME_LEN], uint64_t time_s)
{
    for (size_t i = 0; i < TIME_LEN; i++)
        out[i] = (uint8_t)(time_s >> (8 * (TIME_LEN - 1 - i)));
}

static uint64_t get_time(const uint8_t in[static TIME_LEN])
{
    uint64_t time_s = 0;
    for (size_t i = 0; i < TIME_LEN; i++)
        time_s = time_s << 8 | in[i];
    return time_s;
}

/* The bytes that a cosignature signs. The text must be shorter than SK_CHECKPOINT_TEXT_MAX. */
static size_t cosigned(char out[static COSIGNED_MAX], struct span text, uint64_t time_s)
{
    int head =
        snprintf(out, COSIGNED_MAX, "cosignature/v1\ntime %llu\n", (unsigned long long)time_s);
    memcpy(out + head, text.at, text.len);
    return (size_t)head + text.len;
}

static void put_line(char line[static SK_NOTE_LINE_MAX], struct span name, const uint8_t *payload,
                     size_t payload_len)
{
    char base64[sodium_base64_ENCODED_LEN(PAYLOAD_MAX, sodium_base64_VARIANT_ORIGINAL)];
    sodium_bin2base64(base64, sizeof(base64), payload, payload_len, sodium_base64_VARIANT_ORIGINAL);
    snprintf(line, SK_NOTE_LINE_MAX, DASH "%.*s %s\n", (int)name.len, name.at, base64);
}

/* The name as a span, when notes may be signed under it. */
static int name_for_signing(const char *name, struct span *out)
{
    *out = (struct span){name, strnlen(name, SK_NOTE_NAME_MAX)};
    return out->len < SK_NOTE_NAME_MAX && name_valid(*out);
}

enum sk_status sk_note_sign(char line[static SK_NOTE_LINE_MAX], const char *text, size_t text_len,
                            const char *name, const uint8_t seed[static SK_SIGN_SEED_LEN])
{
    uint8_t public_key[SK_SIGN_PUBLIC_LEN];
    uint8_t payload[KEY_ID_LEN + SK_SIGNATURE_LEN];
    struct span who;

    if (!name_for_signing(name, &who))
        return SK_USAGE;
    if (text_len == 0 || text[text_len - 1] != '\n' || !text_valid((struct span){text, text_len}))
        return SK_USAGE;
    sk_sign_public(public_key, seed);
    key_id(payload, who, TYPE_SIGNATURE, public_key);
    sk_sign(payload + KEY_ID_LEN, text, text_len, seed);
    put_line(line, who, payload, sizeof(payload));
    return SK_OK;
}

enum sk_status sk_note_cosign(char line[static SK_NOTE_LINE_MAX], const char *text, size_t text_len,
                              const char *name, uint64_t time_s,
                              const uint8_t seed[static SK_SIGN_SEED_LEN])
{
    uint8_t public_key[SK_SIGN_PUBLIC_LEN];
    uint8_t payload[PAYLOAD_MAX];
    char message[COSIGNED_MAX];
    struct sk_checkpoint checkpoint;
    struct span who;

    /* A cosignature speaks of a tree: never put one under anything else. */
    if (!name_for_signing(name, &who) || sk_checkpoint_parse(&checkpoint, text, text_len) ||
        time_s > TIME_MAX_S)
        return SK_USAGE;
    size_t message_len = cosigned(message, (struct span){text, text_len}, time_s);
    sk_sign_public(public_key, seed);
    key_id(payload, who, TYPE_COSIGNATURE, public_key);
    put_time(payload + KEY_ID_LEN, time_s);
    sk_sign(payload + KEY_ID_LEN + TIME_LEN, message, message_len, seed);
    put_line(line, who, payload, sizeof(payload));
    return SK_OK;
}

/* --- Reading notes --------------------------------------------------------------------------- */

/* Takes one signature line off the span; 0 when it is malformed. */
static int next_signature(struct span *lines, struct signature_line *out)
{
    struct span line;

    if (!cut(lines, '\n', &line) || line.len < DASH_LEN || memcmp(line.at, DASH, DASH_LEN) != 0)
        return 0;
    line.at += DASH_LEN;
    line.len -= DASH_LEN;
    return cut(&line, ' ', &out->name) && name_valid(out->name) &&
           decode(line, out->payload, PAYLOAD_MAX, &out->payload_len) &&
           out->payload_len > KEY_ID_LEN;
}

/* Splits a note at its last empty line; 0 when it is malformed. */
static int split(struct span note, struct span *text, struct span *lines)
{
    if (note.len == 0 || !text_valid(note))
        return 0;
    for (size_t i = note.len - 1; i > 0; i--) {
        if (note.at[i] != '\n' || note.at[i - 1] != '\n')
            continue;
        *text = (struct span){note.at, i};
        *lines = (struct span){note.at + i + 1, note.len - i - 1};
        return lines->len > 0;
    }
    return 0;
}

/* Checks one signature that bears our name and key id; *time_s is left alone by plain ones. */
static enum sk_status check_signature(const struct signature_line *line, uint8_t type,
                                      const uint8_t *public_key, struct span text, uint64_t *time_s)
{
    const uint8_t *payload = line->payload + KEY_ID_LEN;

    if (type == TYPE_SIGNATURE) {
        if (line->payload_len != KEY_ID_LEN + SK_SIGNATURE_LEN)
            return SK_DAMAGED;
        return sk_sign_verify(payload, text.at, text.len, public_key);
    }
    char message[COSIGNED_MAX];
    if (line->payload_len != PAYLOAD_MAX || text.len >= SK_CHECKPOINT_TEXT_MAX)
        return SK_DAMAGED;
    *time_s = get_time(payload);
    if (*time_s > TIME_MAX_S)
        return SK_DAMAGED;
    size_t message_len = cosigned(message, text, *time_s);
    return sk_sign_verify(payload + TIME_LEN, message, message_len, public_key);
}

/* Every line is read, so that a malformed one is found wherever it stands; the first one counts. */
static enum sk_status verify(struct span note, const char *name, uint8_t type,
                             const uint8_t *public_key, struct span *text, uint64_t *time_s)
{
    const struct span who = {name, strlen(name)};
    struct signature_line line;
    struct span lines;
    uint8_t id[KEY_ID_LEN];
    int found = 0;

    if (!split(note, text, &lines))
        return SK_DAMAGED;
    key_id(id, who, type, public_key);
    for (int count = 0; lines.len > 0; count++) {
        if (count == SIGNATURES_MAX || !next_signature(&lines, &line))
            return SK_DAMAGED;
        if (line.name.len != who.len || memcmp(line.name.at, who.at, who.len) != 0 ||
            memcmp(line.payload, id, KEY_ID_LEN) != 0)
            continue;
        uint64_t line_time_s = 0;
        if (check_signature(&line, type, public_key, *text, &line_time_s))
            return SK_DAMAGED;
        if (!found)
            *time_s = line_time_s;
        found = 1;
    }
    return found ? SK_OK : SK_DAMAGED;
}

enum sk_status sk_note_verify(const char *note, size_t note_len, const char *name,
                              const uint8_t public_key[static SK_SIGN_PUBLIC_LEN], size_t *text_len)
{
    struct span text = {0};
    uint64_t unused = 0;
    enum sk_status status =
        verify((struct span){note, note_len}, name, TYPE_SIGNATURE, public_key, &text, &unused);
    if (status)
        return status;
    *text_len = text.len;
    return SK_OK;
}

enum sk_status sk_note_verify_cosignature(const char *note, size_t note_len, const char *name,
                                          const uint8_t public_key[static SK_SIGN_PUBLIC_LEN],
                                          uint64_t *time_s)
{
    struct span text = {0};
    uint64_t found_s = 0;
    enum sk_status status =
        verify((struct span){note, note_len}, name, TYPE_COSIGNATURE, public_key, &text, &found_s);
    if (status)
        return status;
    *time_s = found_s;
    return SK_OK;
}

/* --- Checkpoints ----------------------------------------------------------------------------- */

static int origin_valid(struct span origin)
{
    return origin.len > 0 && origin.len < SK_NOTE_NAME_MAX &&
           !memchr(origin.at, '\n', origin.len) && text_valid(origin);
}

enum sk_status sk_checkpoint_format(char text[static SK_CHECKPOINT_TEXT_MAX],
                                    const struct sk_checkpoint *checkpoint)
{
    struct span origin = {checkpoint->origin, strnlen(checkpoint->origin, SK_NOTE_NAME_MAX)};
    char root[SK_BASE64_HASH_LEN + 1];

    if (!origin_valid(origin))
        return SK_USAGE;
    sk_base64_hash(root, checkpoint->root);
    snprintf(text, SK_CHECKPOINT_TEXT_MAX, "%s\n%llu\n%s\n", checkpoint->origin,
             (unsigned long long)checkpoint->size, root);
    return SK_OK;
}

/* A decimal number of 64 bits, without sign or leading zeros. */
static int parse_size(struct span digits, uint64_t *out)
{
    uint64_t value = 0;

    if (digits.len == 0 || (digits.len > 1 && digits.at[0] == '0'))
        return 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return 0;
        uint64_t digit = (uint64_t)(digits.at[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    *out = value;
    return 1;
}

enum sk_status sk_checkpoint_parse(struct sk_checkpoint *out, const char *text, size_t text_len)
{
    struct span rest = {text, text_len};
    struct span origin, size, root;
    struct sk_checkpoint parsed = {.origin = ""};

    if (!cut(&rest, '\n', &origin) || !cut(&rest, '\n', &size) || !cut(&rest, '\n', &root))
        return SK_DAMAGED;
    if (rest.len > 0 || !origin_valid(origin) || !parse_size(size, &parsed.size))
        return SK_DAMAGED;
    if (root.len != SK_BASE64_HASH_LEN || sk_base64_hash_parse(parsed.root, root.at) != SK_OK)
        return SK_DAMAGED;
    memcpy(parsed.origin, origin.at, origin.len);
    *out = parsed;
    return SK_OK;
}
