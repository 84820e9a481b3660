/*
 * The tables are those of Unicode 14, with the format controls that Unicode 15 added: `hidden` from
 * the categories Cc, Cf, Zl, Zp and the noncharacters (without the last two of each plane, which a
 * mask finds), the others as wcwidth() has them in C.UTF-8, less the combining marks of scripts
 * that are no longer written. Ranges run over code points without a meaning where that makes two
 * into one.
 */
#include "core/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct span {
    uint32_t first;
    uint32_t last;
};

/* clang-format off */
static const struct span hidden[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x0600, 0x0605}, {0x061c, 0x061c},
    {0x06dd, 0x06dd}, {0x070f, 0x070f}, {0x0890, 0x0891}, {0x08e2, 0x08e2}, {0x180e, 0x180e},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xd800, 0xdfff}, {0xfdd0, 0xfdef},
    {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff},
    {0xe01f0, 0xe0fff},
};

static const struct span zero_width[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x05bf, 0x05bf}, {0x05c1, 0x05c2},
    {0x05c4, 0x05c5}, {0x05c7, 0x05c7}, {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0670, 0x0670},
    {0x06d6, 0x06dc}, {0x06df, 0x06e4}, {0x06e7, 0x06e8}, {0x06ea, 0x06ed}, {0x0711, 0x0711},
    {0x0730, 0x074a}, {0x07a6, 0x07b0}, {0x07eb, 0x07f3}, {0x07fd, 0x07fd}, {0x0816, 0x0819},
    {0x081b, 0x0823}, {0x0825, 0x0827}, {0x0829, 0x082d}, {0x0859, 0x085b}, {0x0898, 0x089f},
    {0x08ca, 0x0902}, {0x093a, 0x093a}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d},
    {0x0951, 0x0957}, {0x0962, 0x0963}, {0x0981, 0x0981}, {0x09bc, 0x09bc}, {0x09c1, 0x09c4},
    {0x09cd, 0x09cd}, {0x09e2, 0x09e3}, {0x09fe, 0x0a02}, {0x0a3c, 0x0a3c}, {0x0a41, 0x0a51},
    {0x0a70, 0x0a71}, {0x0a75, 0x0a75}, {0x0a81, 0x0a82}, {0x0abc, 0x0abc}, {0x0ac1, 0x0ac8},
    {0x0acd, 0x0acd}, {0x0ae2, 0x0ae3}, {0x0afa, 0x0b01}, {0x0b3c, 0x0b3c}, {0x0b3f, 0x0b3f},
    {0x0b41, 0x0b44}, {0x0b4d, 0x0b56}, {0x0b62, 0x0b63}, {0x0b82, 0x0b82}, {0x0bc0, 0x0bc0},
    {0x0bcd, 0x0bcd}, {0x0c00, 0x0c00}, {0x0c04, 0x0c04}, {0x0c3c, 0x0c3c}, {0x0c3e, 0x0c40},
    {0x0c46, 0x0c56}, {0x0c62, 0x0c63}, {0x0c81, 0x0c81}, {0x0cbc, 0x0cbc}, {0x0cbf, 0x0cbf},
    {0x0cc6, 0x0cc6}, {0x0ccc, 0x0ccd}, {0x0ce2, 0x0ce3}, {0x0d00, 0x0d01}, {0x0d3b, 0x0d3c},
    {0x0d41, 0x0d44}, {0x0d4d, 0x0d4d}, {0x0d62, 0x0d63}, {0x0d81, 0x0d81}, {0x0dca, 0x0dca},
    {0x0dd2, 0x0dd6}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x0eb1, 0x0eb1},
    {0x0eb4, 0x0ebc}, {0x0ec8, 0x0ecd}, {0x0f18, 0x0f19}, {0x0f35, 0x0f35}, {0x0f37, 0x0f37},
    {0x0f39, 0x0f39}, {0x0f71, 0x0f7e}, {0x0f80, 0x0f84}, {0x0f86, 0x0f87}, {0x0f8d, 0x0fbc},
    {0x0fc6, 0x0fc6}, {0x102d, 0x1030}, {0x1032, 0x1037}, {0x1039, 0x103a}, {0x103d, 0x103e},
    {0x1058, 0x1059}, {0x105e, 0x1060}, {0x1071, 0x1074}, {0x1082, 0x1082}, {0x1085, 0x1086},
    {0x108d, 0x108d}, {0x109d, 0x109d}, {0x1160, 0x11ff}, {0x135d, 0x135f}, {0x1712, 0x1714},
    {0x1732, 0x1733}, {0x1752, 0x1753}, {0x1772, 0x1773}, {0x17b4, 0x17b5}, {0x17b7, 0x17bd},
    {0x17c6, 0x17c6}, {0x17c9, 0x17d3}, {0x17dd, 0x17dd}, {0x180b, 0x180f}, {0x1885, 0x1886},
    {0x18a9, 0x18a9}, {0x1920, 0x1922}, {0x1927, 0x1928}, {0x1932, 0x1932}, {0x1939, 0x193b},
    {0x1a17, 0x1a18}, {0x1a1b, 0x1a1b}, {0x1a56, 0x1a56}, {0x1a58, 0x1a60}, {0x1a62, 0x1a62},
    {0x1a65, 0x1a6c}, {0x1a73, 0x1a7f}, {0x1ab0, 0x1b03}, {0x1b34, 0x1b34}, {0x1b36, 0x1b3a},
    {0x1b3c, 0x1b3c}, {0x1b42, 0x1b42}, {0x1b6b, 0x1b73}, {0x1b80, 0x1b81}, {0x1ba2, 0x1ba5},
    {0x1ba8, 0x1ba9}, {0x1bab, 0x1bad}, {0x1be6, 0x1be6}, {0x1be8, 0x1be9}, {0x1bed, 0x1bed},
    {0x1bef, 0x1bf1}, {0x1c2c, 0x1c33}, {0x1c36, 0x1c37}, {0x1cd0, 0x1cd2}, {0x1cd4, 0x1ce0},
    {0x1ce2, 0x1ce8}, {0x1ced, 0x1ced}, {0x1cf4, 0x1cf4}, {0x1cf8, 0x1cf9}, {0x1dc0, 0x1dff},
    {0x20d0, 0x20f0}, {0x2cef, 0x2cf1}, {0x2d7f, 0x2d7f}, {0x2de0, 0x2dff}, {0x302a, 0x302d},
    {0x3099, 0x309a}, {0xa66f, 0xa672}, {0xa674, 0xa67d}, {0xa69e, 0xa69f}, {0xa6f0, 0xa6f1},
    {0xa802, 0xa802}, {0xa806, 0xa806}, {0xa80b, 0xa80b}, {0xa825, 0xa826}, {0xa82c, 0xa82c},
    {0xa8c4, 0xa8c5}, {0xa8e0, 0xa8f1}, {0xa8ff, 0xa8ff}, {0xa926, 0xa92d}, {0xa947, 0xa951},
    {0xa980, 0xa982}, {0xa9b3, 0xa9b3}, {0xa9b6, 0xa9b9}, {0xa9bc, 0xa9bd}, {0xa9e5, 0xa9e5},
    {0xaa29, 0xaa2e}, {0xaa31, 0xaa32}, {0xaa35, 0xaa36}, {0xaa43, 0xaa43}, {0xaa4c, 0xaa4c},
    {0xaa7c, 0xaa7c}, {0xaab0, 0xaab0}, {0xaab2, 0xaab4}, {0xaab7, 0xaab8}, {0xaabe, 0xaabf},
    {0xaac1, 0xaac1}, {0xaaec, 0xaaed}, {0xaaf6, 0xaaf6}, {0xabe5, 0xabe5}, {0xabe8, 0xabe8},
    {0xabed, 0xabed}, {0xd7b0, 0xd7fb}, {0xfb1e, 0xfb1e}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    {0x11100, 0x11102}, {0x11127, 0x1112b}, {0x1112d, 0x11134}, {0x16f4f, 0x16f4f},
    {0x16f8f, 0x16f92}, {0x16fe4, 0x16fe4}, {0x1bc9d, 0x1bc9e}, {0x1cf00, 0x1cf46},
    {0x1d167, 0x1d169}, {0x1d17b, 0x1d182}, {0x1d185, 0x1d18b}, {0x1d1aa, 0x1d1ad},
    {0x1d242, 0x1d244}, {0x1da00, 0x1da36}, {0x1da3b, 0x1da6c}, {0x1da75, 0x1da75},
    {0x1da84, 0x1da84}, {0x1da9b, 0x1daaf}, {0x1e000, 0x1e02a}, {0x1e130, 0x1e136},
    {0x1e2ae, 0x1e2ae}, {0x1e2ec, 0x1e2ef}, {0x1e8d0, 0x1e8d6}, {0x1e944, 0x1e94a},
    {0xe0100, 0xe01ef},
};

static const struct span wide[] = {
    {0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0},
    {0x23f3, 0x23f3}, {0x25fd, 0x25fe}, {0x2614, 0x2615}, {0x2648, 0x2653}, {0x267f, 0x267f},
    {0x2693, 0x2693}, {0x26a1, 0x26a1}, {0x26aa, 0x26ab}, {0x26bd, 0x26be}, {0x26c4, 0x26c5},
    {0x26ce, 0x26ce}, {0x26d4, 0x26d4}, {0x26ea, 0x26ea}, {0x26f2, 0x26f3}, {0x26f5, 0x26f5},
    {0x26fa, 0x26fa}, {0x26fd, 0x26fd}, {0x2705, 0x2705}, {0x270a, 0x270b}, {0x2728, 0x2728},
    {0x274c, 0x274c}, {0x274e, 0x274e}, {0x2753, 0x2755}, {0x2757, 0x2757}, {0x2795, 0x2797},
    {0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c}, {0x2b50, 0x2b50}, {0x2b55, 0x2b55},
    {0x2e80, 0x3029}, {0x302e, 0x303e}, {0x3041, 0x3096}, {0x309b, 0xa4c6}, {0xa960, 0xa97c},
    {0xac00, 0xd7a3}, {0xf900, 0xfad9}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6b}, {0xff01, 0xff60},
    {0xffe0, 0xffe6}, {0x16fe0, 0x16fe3}, {0x16ff0, 0x1b2fb}, {0x1f004, 0x1f004},
    {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320},
    {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca},
    {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e},
    {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e},
    {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4},
    {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2},
    {0x1f6d5, 0x1f6df}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7f0},
    {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faf6},
    {0x20000, 0x3134a},
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool in_spans(const struct span *spans, size_t count, uint32_t c)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;

        if (c < spans[middle].first)
            count = middle;
        else if (c > spans[middle].last)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

/* Whether a code point is never to reach a terminal. */
static bool is_hidden(uint32_t c)
{
    if (c >= 0x20 && c < 0x7f)
        return false;
    return (c & 0xfffe) == 0xfffe || in_spans(hidden, COUNT(hidden), c);
}

/*
 * One character by table 3-7: the bytes it takes, 0 when they are not well-formed. What the second
 * byte may be depends on the first, which is what keeps out overlong forms and surrogates.
 */
static size_t decode(const uint8_t *s, size_t len, uint32_t *c)
{
    size_t more;
    uint8_t low = 0x80;
    uint8_t high = 0xbf;

    if (len == 0)
        return 0;
    if (s[0] < 0x80) {
        *c = s[0];
        return 1;
    }
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    more = s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (len <= more || s[1] < low || s[1] > high)
        return 0;

    uint32_t value = s[0] & (0x3fU >> more);

    for (size_t i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s[i] & 0x3f);
    }
    *c = value;
    return more + 1;
}

bool sk_text_valid(const void *bytes, size_t len)
{
    const uint8_t *s = bytes;

    while (len > 0) {
        uint32_t c = 1;
        size_t used;

        /* One and two bytes first: that is nearly all there is. */
        if (s[0] - 1U < 0x7f)
            used = 1;
        else if (s[0] >= 0xc2 && s[0] < 0xe0 && len > 1 && (s[1] & 0xc0) == 0x80)
            used = 2;
        else
            used = decode(s, len, &c);
        if (used == 0 || c == 0)
            return false;
        s += used;
        len -= used;
    }
    return true;
}

/* How many of the first bytes can go out as they are. */
static size_t plain_run(const uint8_t *s, size_t len)
{
    size_t run = 0;

    while (run < len) {
        uint32_t c = 0;
        size_t used = decode(s + run, len - run, &c);

        if (used == 0 || is_hidden(c))
            break;
        run += used;
    }
    return run;
}

bool sk_text_plain(const char *text, size_t len)
{
    return plain_run((const uint8_t *)text, len) == len;
}

static enum sk_status new_line(struct sk_buf *out, unsigned indent, struct sk_error *err)
{
    SK_TRY(sk_buf_add_byte(out, '\n', err));
    for (unsigned i = 0; i < indent; i++)
        SK_TRY(sk_buf_add_byte(out, ' ', err));
    return SK_OK;
}

enum sk_status sk_text_show(struct sk_buf *out, const char *text, size_t len, bool lines,
                            unsigned indent, struct sk_error *err)
{
    const uint8_t *s = (const uint8_t *)text;

    while (len > 0) {
        uint32_t c = 0;
        size_t used = plain_run(s, len);

        if (used > 0) {
            SK_TRY(sk_buf_add(out, s, used, err));
        } else if ((used = decode(s, len, &c)) == 0) {
            used = 1;
            SK_TRY(sk_buf_printf(out, err, "<0x%02x>", (unsigned)s[0]));
        } else if (lines && c == '\n') {
            SK_TRY(new_line(out, indent, err));
        } else if (lines && c == '\t') {
            SK_TRY(sk_buf_add_byte(out, '\t', err));
        } else {
            SK_TRY(sk_buf_printf(out, err, "<U+%04X>", (unsigned)c));
        }
        s += used;
        len -= used;
    }
    return SK_OK;
}

static enum sk_status json_escape(struct sk_buf *out, uint32_t c, struct sk_error *err)
{
    if (c < 0x10000)
        return sk_buf_printf(out, err, "\\u%04x", (unsigned)c);
    c -= 0x10000;
    return sk_buf_printf(out, err, "\\u%04x\\u%04x", (unsigned)(0xd800 + (c >> 10)),
                         (unsigned)(0xdc00 + (c & 0x3ff)));
}

enum sk_status sk_text_show_json(struct sk_buf *out, const char *json, size_t len,
                                 struct sk_error *err)
{
    const uint8_t *s = (const uint8_t *)json;

    while (len > 0) {
        uint32_t c = 0;
        size_t used = plain_run(s, len);

        if (used > 0) {
            SK_TRY(sk_buf_add(out, s, used, err));
        } else if ((used = decode(s, len, &c)) == 0) {
            /* No encoder writes this; a replacement character keeps the JSON readable. */
            used = 1;
            SK_TRY(json_escape(out, 0xfffd, err));
        } else if (c == '\n' || c == '\t' || c == '\r') {
            /* These stand between tokens only, where an escape would be an error. */
            SK_TRY(sk_buf_add_byte(out, c == '\n' ? '\n' : ' ', err));
        } else {
            SK_TRY(json_escape(out, c, err));
        }
        s += used;
        len -= used;
    }
    return SK_OK;
}

/* Columns of the character at the start once shown, and the bytes it takes (at least 1). */
static size_t columns_of(const uint8_t *s, size_t len, size_t *used)
{
    uint32_t c = 0;

    *used = decode(s, len, &c);
    if (*used == 0) {
        *used = 1;
        return strlen("<0xff>");
    }
    if (is_hidden(c))
        return strlen("<U+0000>") + (c > 0xffff) + (c > 0xfffff);
    if (c < 0x300)
        return 1;
    if (in_spans(zero_width, COUNT(zero_width), c))
        return 0;
    return in_spans(wide, COUNT(wide), c) ? 2 : 1;
}

size_t sk_text_columns(const char *text, size_t len)
{
    const uint8_t *s = (const uint8_t *)text;
    size_t columns = 0;
    size_t used;

    for (size_t at = 0; at < len; at += used)
        columns += columns_of(s + at, len - at, &used);
    return columns;
}

size_t sk_text_fit(const char *text, size_t len, size_t columns)
{
    const uint8_t *s = (const uint8_t *)text;
    size_t at = 0;

    while (at < len) {
        size_t used;
        size_t more = columns_of(s + at, len - at, &used);

        if (more > columns)
            break;
        columns -= more;
        at += used;
    }
    return at;
}

/* Reads exactly `digits` digits and moves past them. */
static bool read_number(const char **at, unsigned digits, unsigned *out)
{
    unsigned value = 0;

    for (unsigned i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (unsigned)(**at - '0');
    }
    *out = value;
    return true;
}

static bool read_char(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

/* The first and last day that a date can mean, as numbers that sort: 20240714. */
struct day_span {
    unsigned first;
    unsigned last;
};

/* YYYY, YYYY-MM or YYYY-MM-DD. */
static bool read_calendar(const char **at, struct day_span *out)
{
    unsigned year;
    unsigned month;
    unsigned day;

    if (!read_number(at, 4, &year) || year < 1800 || year > 2199)
        return false;
    *out = (struct day_span){year * 10000 + 101, year * 10000 + 1231};
    if (!read_char(at, '-'))
        return true;
    if (!read_number(at, 2, &month) || month < 1 || month > 12)
        return false;
    out->first = year * 10000 + month * 100 + 1;
    out->last = year * 10000 + month * 100 + days_in_month(year, month);
    if (!read_char(at, '-'))
        return true;
    if (!read_number(at, 2, &day) || day < 1 || day > days_in_month(year, month))
        return false;
    out->first = out->last = year * 10000 + month * 100 + day;
    return true;
}

static bool read_date(const char **at, struct day_span *out)
{
    if (!read_calendar(at, out))
        return false;
    (void)read_char(at, '~');
    return true;
}

static bool read_open_end(const char **at)
{
    if (strncmp(*at, "..", 2) != 0)
        return false;
    *at += 2;
    return true;
}

enum sk_status sk_date_check(const char *text, struct sk_error *err)
{
    const char *at = text;
    struct day_span from = {0, 0};
    struct day_span to = {0, 0};
    bool ok;

    if (text[0] == '.') {
        ok = read_open_end(&at) && read_char(&at, '/') && read_date(&at, &to);
    } else {
        ok = read_date(&at, &from);
        if (ok && read_char(&at, '/'))
            ok = *at == '.' ? read_open_end(&at) : read_date(&at, &to);
    }
    if (!ok || *at != '\0')
        return sk_fail(err, SK_REFUSED,
                       "not a date: write 2024, 2024-07 or 2024-07-14, with ~ behind it for about, "
                       "../2024-07 for before, 2024-07/.. for after, 2024-07/2024-09 for between");
    if (to.last != 0 && from.first > to.last)
        return sk_fail(err, SK_REFUSED, "the first date is later than the second");
    return SK_OK;
}

/* HH:MM or HH:MM:SS. */
static bool read_time(const char **at)
{
    unsigned hour;
    unsigned minute;
    unsigned second;

    if (!read_number(at, 2, &hour) || hour > 23 || !read_char(at, ':') ||
        !read_number(at, 2, &minute) || minute > 59)
        return false;
    return !read_char(at, ':') || (read_number(at, 2, &second) && second <= 59);
}

enum sk_status sk_time_check(const char *text, struct sk_error *err)
{
    if (!read_time(&text) || *text != '\0')
        return sk_fail(err, SK_REFUSED, "not a time: write 14:30 or 14:30:05");
    return SK_OK;
}

/* Z or +HH:MM, at most 14 hours from Greenwich as on the map. */
static bool read_offset(const char **at)
{
    unsigned hours;
    unsigned minutes;

    if (read_char(at, 'Z'))
        return true;
    if (!read_char(at, '+') && !read_char(at, '-'))
        return false;
    return read_number(at, 2, &hours) && read_char(at, ':') && read_number(at, 2, &minutes) &&
           minutes <= 59 && hours * 60 + minutes <= 14 * 60;
}

enum sk_status sk_datetime_check(const char *text, struct sk_error *err)
{
    const char *at = text;
    struct day_span day;

    if (!read_calendar(&at, &day) || at - text != (ptrdiff_t)strlen("2024-07-14") ||
        !read_char(&at, 'T') || !read_time(&at) || !read_offset(&at) || *at != '\0')
        return sk_fail(err, SK_REFUSED,
                       "not a date with time: write 2024-07-14T14:30+03:00 (Z for +00:00)");
    return SK_OK;
}

static void local_now(struct tm *out)
{
    struct timespec now = {0, 0};

    *out = (struct tm){.tm_year = 70, .tm_mday = 1};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)localtime_r(&now.tv_sec, out);
}

void sk_datetime_now(char out[static SK_DATETIME_LEN])
{
    struct tm now;

    local_now(&now);

    unsigned offset = (unsigned)(now.tm_gmtoff < 0 ? -now.tm_gmtoff : now.tm_gmtoff) / 60;

    /* The remainders change nothing: they show the compiler that the text fits. */
    (void)snprintf(out, SK_DATETIME_LEN, "%04u-%02u-%02uT%02u:%02u:%02u%c%02u:%02u",
                   ((unsigned)now.tm_year + 1900) % 10000, ((unsigned)now.tm_mon + 1) % 100,
                   (unsigned)now.tm_mday % 100, (unsigned)now.tm_hour % 100,
                   (unsigned)now.tm_min % 100, (unsigned)now.tm_sec % 60,
                   now.tm_gmtoff < 0 ? '-' : '+', offset / 60 % 100, offset % 60);
}

/*
 * Days and dates turn into each other by eras of 400 years that start on 1 March, so that the leap
 * day is the last of a year (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
 */
#define ERA_DAYS    146097
#define EPOCH_SHIFT 719468 /* from 0000-03-01 to 1970-01-01 */

/* Of a date from 1970-01-01 on. */
static uint32_t day_number(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

    year -= month <= 2;
    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - EPOCH_SHIFT;
}

uint32_t sk_day_now(void)
{
    struct tm now;

    local_now(&now);
    if (now.tm_year < 70)
        return 0;
    return day_number((uint32_t)now.tm_year + 1900, (uint32_t)now.tm_mon + 1,
                      (uint32_t)now.tm_mday);
}

void sk_day_format(char out[static 11], uint32_t day)
{
    const uint32_t last = 2932896; /* 9999-12-31 */
    uint32_t days = (day < last ? day : last) + EPOCH_SHIFT;
    uint32_t era = days / ERA_DAYS;
    uint32_t in_era = days % ERA_DAYS;
    uint32_t year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint32_t in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t shifted = (5 * in_year + 2) / 153;
    uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    uint32_t year = year_of_era + era * 400 + (month <= 2);

    (void)snprintf(out, 11, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100,
                   (unsigned)(in_year - (153 * shifted + 2) / 5 + 1) % 100);
}

enum sk_status sk_day_parse(uint32_t *day, const char *text)
{
    const char *at = text;
    unsigned year;
    unsigned month;
    unsigned of_month;

    if (!read_number(&at, 4, &year) || !read_char(&at, '-') || !read_number(&at, 2, &month) ||
        !read_char(&at, '-') || !read_number(&at, 2, &of_month) || *at != '\0')
        return SK_REFUSED;
    if (year < 1970 || month < 1 || month > 12 || of_month < 1 ||
        of_month > days_in_month(year, month))
        return SK_REFUSED;
    *day = day_number(year, month, of_month);
    return SK_OK;
}
