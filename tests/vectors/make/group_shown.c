/*
 * Words that can be shown: the ends of each row of the table, and the characters beside them, in a
 * notice of a receipt.
 */
#include "sync/receipt_note.h"
#include "tests/vectors/make/group.h"

#include <stdio.h>
#include <string.h>

/* A row of the table, but for surrogates, which UTF-8 has not. */
static const struct {
    uint32_t first, last;
} rows[] = {
    {0x0001, 0x0009},   {0x000b, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},
    {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x180e, 0x180e},   {0x200b, 0x200f},
    {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},
    {0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff}, {0xe01f0, 0xe0fff},
};

static size_t put_utf8(char out[static 5], uint32_t point)
{
    const size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 0; point >>= 6)
        out[i] = (char)(i > 0 ? 0x80 | (point & 0x3f) : first[len] | point);
    out[len] = '\0';
    return len;
}

static void add_notice(const char *name, const char *shows, const char *class, const char *words)
{
    struct sk_receipt r = {.number = 1, .day = 20001};
    sk_auto_buf text = SK_BUF_INIT;
    memcpy(r.archive_id, sk_archive.id, 32);
    memcpy(r.log_id, sk_device.id, 32);
    MUST(sk_receipt_format(&text, &r, NULL) == SK_OK);
    MUST(sk_buf_printf(&text, NULL, "notice %s\n", words) == SK_OK);
    sk_vector_bytes(name, shows, class, text.bytes, text.len, NULL);
}

static void add_hidden(uint32_t point, const char *shows)
{
    char name[40];
    char words[7] = "a";
    put_utf8(words + 1, point);
    (void)snprintf(name, sizeof(name), "U+%04X in a notice", (unsigned)point);
    add_notice(name, shows, "damaged", words);
}

static bool is_shown(uint32_t point)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (point >= rows[i].first && point <= rows[i].last)
            return false;
    return point != '\n' && (point & 0xfffe) != 0xfffe;
}

/* The characters beside a row of the table, as far as they can be shown. */
static void add_beside(uint32_t first, uint32_t last)
{
    char name[60];
    char words[10] = "";
    if (is_shown(first - 1))
        put_utf8(words, first - 1);
    if (is_shown(last + 1))
        put_utf8(words + strlen(words), last + 1);
    (void)snprintf(name, sizeof(name), "beside U+%04X to U+%04X in a notice", (unsigned)first,
                   (unsigned)last);
    if (*words && last > 0x09)
        add_notice(name, "they can be shown", "ok", words);
}

void sk_make_shown(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        add_hidden(rows[i].first, "the first of a row of the table");
        if (rows[i].last != rows[i].first)
            add_hidden(rows[i].last, "the last of a row of the table");
        add_beside(rows[i].first, rows[i].last);
    }
    add_notice("half a surrogate pair in a notice", "no UTF-8", "damaged", "\xed\xa0\x80");
    add_notice("beside the halves of pairs in a notice", "they can be shown", "ok",
               "\xed\x9f\xbf\xee\x80\x80");
    add_notice("U+10FFFF in a notice", "it is no character", "damaged", "\xf4\x8f\xbf\xbf");
    add_notice("U+10FFFD in a notice", "the last that there is", "ok", "\xf4\x8f\xbf\xbd");
    add_notice("U+110000 in a notice", "no UTF-8", "damaged", "\xf4\x90\x80\x80");
}
