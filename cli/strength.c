#include "cli/strength.h"

#include "core/embed.h"
#include "crypto/secret.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define PASSPHRASE_SHORT 12 /* bytes */
#define KEY_FILE_SHORT   16 /* bytes */
#define KEYS_MAX         64 /* what is longer has its beginning judged */
#define PIECE_MIN        3

/* Tenths of bits: how much a guesser has to try for a piece of each sort. */
#define COST_WORD   90
#define COST_RUN    70
#define COST_REPEAT 40
#define COST_YEAR   70
#define COST_DATE   140
#define COST_DIGIT  33
#define COST_LETTER 47
#define COST_JOINT  30
#define COST_OTHER  60
#define COST_WEAK   400 /* less for all of it: a warning */

extern const struct sk_embedded_file sk_embedded_common[];

/* ---- keys: what was pressed, whatever the layout ---- */

/* U+0430 to U+044F, by the key on which they stand. */
static const char cyrillic_keys[] = "f,dult;pbqrkvyjghcnea[wxio]sm'.z";

static char key_of(uint32_t c)
{
    if (c >= 0x410 && c <= 0x42f)
        c += 0x20;
    if (c >= 0x430 && c <= 0x44f)
        return cyrillic_keys[c - 0x430];
    if (c == 0x401 || c == 0x451)
        return '`';
    if (c == 0x406 || c == 0x456) /* Belarusian and Ukrainian i */
        return 's';
    if (c == 0x40e || c == 0x45e) /* Belarusian short u */
        return 'o';
    if (c < 0x80)
        return (char)tolower((int)c);
    /* Other scripts have no keys here, but two characters should not look like one. */
    return (char)(0x80 | (c & 0x7f));
}

/* One character. Only ASCII and Cyrillic have keys: what is longer than two bytes is passed over as
 * a whole, and what is no UTF-8 byte by byte. */
static size_t next_character(const uint8_t *s, size_t len, uint32_t *c)
{
    size_t used = 1;
    *c = s[0];
    if (s[0] < 0x80)
        return 1;
    while (used < len && used < 4 && (s[used] & 0xc0) == 0x80)
        used++;
    *c = used == 2 ? ((uint32_t)s[0] & 0x1f) << 6 | (s[1] & 0x3f) : 0x10000u | s[used - 1];
    return used;
}

/* The keys of a text; returns how many, at most `room`. */
static size_t keys_of(char *keys, size_t room, const char *text, size_t len)
{
    size_t count = 0;
    while (len > 0 && count < room) {
        uint32_t c = 0;
        size_t used = next_character((const uint8_t *)text, len, &c);
        keys[count++] = key_of(c);
        text += used;
        len -= used;
    }
    return count;
}

/* ---- pieces: how far each sort reaches from a place; 0 when it does not begin there ---- */

/* Digits and signs that stand for letters. */
static bool stands_for(char typed, char letter)
{
    static const char pairs[] = "0o1l1i3e4a5s7t@a$s!i";
    if (typed == letter)
        return true;
    for (size_t i = 0; pairs[i]; i += 2)
        if (pairs[i] == typed && pairs[i + 1] == letter)
            return true;
    return false;
}

/* How many keys a word of the list has, if they begin what was typed; else 0. */
static size_t word_len(const char *word, size_t len, const char *keys, size_t count)
{
    size_t same = 0;
    while (len > 0 && same < count) {
        uint32_t c = 0;
        size_t used = next_character((const uint8_t *)word, len, &c);
        if (!stands_for(keys[same], key_of(c)))
            return 0;
        same++;
        word += used;
        len -= used;
    }
    return len == 0 ? same : 0;
}

static size_t word_at(const char *keys, size_t count)
{
    const char *line = sk_embedded_common[0].text;
    size_t best = 0;
    while (*line) {
        size_t line_len = strcspn(line, "\n");
        size_t len = word_len(line, line_len, keys, count);
        if (len > best)
            best = len;
        line += line_len + (line[line_len] == '\n');
    }
    return best;
}

/* Keys that follow each other in the alphabet, among the digits or in a row, or are the same. */
static bool follows(char a, char b, int step)
{
    static const char *const rows[] = {"1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./",
                                       "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/"};
    if (isalnum((unsigned char)a) && isalnum((unsigned char)b) && b == a + step)
        return true;
    for (size_t i = 0; step != 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *first = a ? strchr(rows[i], a) : NULL;
        const char *second = b ? strchr(rows[i], b) : NULL;
        if (first && second && second - first == step)
            return true;
    }
    return step == 0 && a == b;
}

static size_t run_at(const char *keys, size_t count)
{
    size_t best = 0;
    for (int step = -1; step <= 1; step++) {
        size_t len = 1;
        while (len < count && follows(keys[len - 1], keys[len], step))
            len++;
        if (len > best)
            best = len;
    }
    return best >= PIECE_MIN ? best : 0;
}

/* How often the piece of `len` keys that ends here comes again from here on, as keys. */
static size_t repeat_at(const char *all, size_t at, size_t count)
{
    size_t best = 0;
    for (size_t len = PIECE_MIN; len <= at; len++) {
        size_t same = 0;
        while (at + same < count && all[at - len + same % len] == all[at + same])
            same++;
        same -= same % len;
        if (same > best)
            best = same;
    }
    return best;
}

static unsigned number_of(const char *digits, size_t len)
{
    unsigned n = 0;
    for (size_t i = 0; i < len; i++)
        n = 10 * n + (unsigned)(digits[i] - '0');
    return n;
}

static bool is_year(const char *digits)
{
    unsigned year = number_of(digits, 4);
    return year >= 1900 && year < 2040;
}

static bool is_day(const char *digits, size_t day_at, size_t month_at)
{
    unsigned day = number_of(digits + day_at, 2);
    unsigned month = number_of(digits + month_at, 2);
    return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

/* A year, or a date with or without its century, in digits alone; *cost is the piece's. */
static size_t date_at(const char *keys, size_t count, unsigned *cost)
{
    size_t len = 0;
    while (len < count && len < 8 && isdigit((unsigned char)keys[len]))
        len++;
    *cost = COST_DATE;
    if (len == 8 &&
        ((is_day(keys, 0, 2) && is_year(keys + 4)) || (is_day(keys, 6, 4) && is_year(keys))))
        return 8;
    if (len >= 6 && (is_day(keys, 0, 2) || is_day(keys, 4, 2)))
        return 6;
    *cost = COST_YEAR;
    return len >= 4 && is_year(keys) ? 4 : 0;
}

/* ---- the cheapest way to put it together ---- */

static void offer(unsigned *costs, size_t at, size_t len, unsigned cost)
{
    if (len > 0 && costs[at] + cost < costs[at + len])
        costs[at + len] = costs[at] + cost;
}

static unsigned single(char key)
{
    if (isdigit((unsigned char)key))
        return COST_DIGIT;
    if (key && strchr(" .-_/!", key))
        return COST_JOINT;
    return isalpha((unsigned char)key) ? COST_LETTER : COST_OTHER;
}

static unsigned cheapest(const char *keys, size_t count)
{
    unsigned costs[KEYS_MAX + 1];
    for (size_t i = 0; i <= count; i++)
        costs[i] = i == 0 ? 0 : UINT32_MAX;
    for (size_t at = 0; at < count; at++) {
        unsigned cost = 0;
        size_t date = date_at(keys + at, count - at, &cost);
        offer(costs, at, 1, single(keys[at]));
        offer(costs, at, date, cost);
        offer(costs, at, word_at(keys + at, count - at), COST_WORD);
        offer(costs, at, run_at(keys + at, count - at), COST_RUN);
        offer(costs, at, repeat_at(keys, at, count), COST_REPEAT);
    }
    return costs[count];
}

const char *sk_passphrase_weakness(const char *text, size_t len)
{
    char keys[KEYS_MAX];
    if (len < PASSPHRASE_SHORT)
        return "is very short";
    size_t count = keys_of(keys, sizeof(keys), text, len);
    unsigned cost = cheapest(keys, count);
    sk_wipe(keys, sizeof(keys));
    return cost < COST_WEAK ? "is one of those that are tried first" : NULL;
}

const char *sk_key_file_weakness(const uint8_t *bytes, size_t len)
{
    size_t same = 0;
    if (len < KEY_FILE_SHORT)
        return "is shorter than 16 bytes";
    while (same < len && bytes[same] == bytes[0])
        same++;
    return same == len ? "is one byte over and over" : NULL;
}
