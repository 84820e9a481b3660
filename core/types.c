#include "core/types.h"

#include "crypto/secret.h"

#include <stdlib.h>
#include <string.h>

const char *sk_type_name(unsigned type)
{
    switch (type) {
#define SK_TYPE_CASE(name, number, text) \
    case number:                         \
        return text;
        SK_TYPE_LIST(SK_TYPE_CASE)
#undef SK_TYPE_CASE
    default:
        return "unknown";
    }
}

unsigned sk_type_from_name(const char *name)
{
    for (unsigned type = 1; type <= SK_TYPE_LAST; type++) {
        if (strcmp(name, sk_type_name(type)) == 0)
            return type;
    }
    return 0;
}

bool sk_type_is_record(unsigned type)
{
    return type >= SK_TYPE_PERSON && type <= SK_TYPE_RECORD_LAST;
}

void sk_id_random(struct sk_id *id)
{
    sk_random(id->bytes, sizeof(id->bytes));
}

void sk_hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

void sk_id_format(char out[static SK_ID_TEXT_LEN], const struct sk_id *id)
{
    sk_hex(out, id->bytes, SK_ID_LEN);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum sk_status sk_id_parse(struct sk_id *id, const char *text)
{
    struct sk_id parsed;

    if (strlen(text) != SK_ID_TEXT_LEN - 1)
        return SK_USAGE;
    for (size_t i = 0; i < SK_ID_LEN; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return SK_USAGE;
        parsed.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *id = parsed;
    return SK_OK;
}

bool sk_hex_parse(uint8_t *out, size_t len, const char *text)
{
    if (strlen(text) != 2 * len || strspn(text, "0123456789abcdef") != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned high = (unsigned)hex_value(text[2 * i]);
        unsigned low = (unsigned)hex_value(text[2 * i + 1]);

        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void sk_ranges_clear(struct sk_ranges *ranges)
{
    free(ranges->items);
    *ranges = (struct sk_ranges)SK_RANGES_INIT;
}

/* Room for one more range. */
static enum sk_status ranges_grow(struct sk_ranges *ranges, struct sk_error *err)
{
    if (ranges->count < ranges->room)
        return SK_OK;

    size_t room = ranges->room ? ranges->room * 2 : 8;
    struct sk_range *items = reallocarray(ranges->items, room, sizeof(*items));

    if (!items)
        return sk_fail_status(err, SK_NOMEM);
    ranges->items = items;
    ranges->room = room;
    return SK_OK;
}

enum sk_status sk_ranges_add(struct sk_ranges *ranges, uint64_t from, uint64_t to,
                             struct sk_error *err)
{
    size_t first = ranges->count; /* the first range that is not wholly before the new one */
    size_t last;                  /* the first range that is wholly behind it */

    if (from >= to)
        return SK_OK;
    /* From the end, since positions mostly arrive in rising order. */
    while (first > 0 && ranges->items[first - 1].to >= from)
        first--;
    for (last = first; last < ranges->count && ranges->items[last].from <= to; last++) {
        if (ranges->items[last].from < from)
            from = ranges->items[last].from;
        if (ranges->items[last].to > to)
            to = ranges->items[last].to;
    }
    if (last == first)
        SK_TRY(ranges_grow(ranges, err));
    if (last < ranges->count)
        memmove(&ranges->items[first + 1], &ranges->items[last],
                (ranges->count - last) * sizeof(*ranges->items));
    ranges->items[first] = (struct sk_range){from, to};
    ranges->count = ranges->count - (last - first) + 1;
    return SK_OK;
}

/* Hands a finished list over; the cleanup of `from` then has nothing to free. */
static void ranges_move(struct sk_ranges *out, struct sk_ranges *from)
{
    sk_ranges_clear(out);
    *out = *from;
    *from = (struct sk_ranges)SK_RANGES_INIT;
}

enum sk_status sk_ranges_missing(struct sk_ranges *out, const struct sk_ranges *ranges,
                                 uint64_t size, struct sk_error *err)
{
    sk_auto_ranges missing = SK_RANGES_INIT;
    uint64_t from = 0;

    for (size_t i = 0; i < ranges->count && ranges->items[i].from < size; i++) {
        SK_TRY(sk_ranges_add(&missing, from, ranges->items[i].from, err));
        from = ranges->items[i].to;
    }
    SK_TRY(sk_ranges_add(&missing, from, size, err));
    ranges_move(out, &missing);
    return SK_OK;
}

enum sk_status sk_ranges_common(struct sk_ranges *out, const struct sk_ranges *a,
                                const struct sk_ranges *b, struct sk_error *err)
{
    sk_auto_ranges common = SK_RANGES_INIT;
    size_t i = 0;
    size_t j = 0;

    while (i < a->count && j < b->count) {
        const struct sk_range *x = &a->items[i];
        const struct sk_range *y = &b->items[j];

        SK_TRY(sk_ranges_add(&common, x->from > y->from ? x->from : y->from,
                             x->to < y->to ? x->to : y->to, err));
        if (x->to < y->to)
            i++;
        else
            j++;
    }
    ranges_move(out, &common);
    return SK_OK;
}

uint64_t sk_ranges_total(const struct sk_ranges *ranges)
{
    uint64_t total = 0;

    for (size_t i = 0; i < ranges->count; i++)
        total += ranges->items[i].to - ranges->items[i].from;
    return total;
}

bool sk_ranges_contain(const struct sk_ranges *ranges, uint64_t position)
{
    size_t low = 0;
    size_t high = ranges->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (position < ranges->items[middle].from)
            high = middle;
        else if (position >= ranges->items[middle].to)
            low = middle + 1;
        else
            return true;
    }
    return false;
}
