#include "core/carve.h"

#include "crypto/secret.h"

#include <string.h>

#define FILE_HEADER 100 /* before the head of page 1 */
#define LEAF_TABLE  0x0d
#define LEAF_INDEX  0x0a
#define INNER_INDEX 0x02
#define LEAF_HEAD   8
#define INNER_HEAD  12
#define CHAIN_HEAD  4 /* of an overflow page: the number of the next */
#define CHAIN_LEN   (SK_PAGE_PLAIN - CHAIN_HEAD)
#define VARINT_MAX  9
#define HEADER_MAX  128 /* of a record with as many columns as there can be */

static unsigned u16_at(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t u32_at(const uint8_t *at)
{
    return (uint32_t)u16_at(at) << 16 | u16_at(at + 2);
}

/* Reads a varint of at most `have` bytes; its length, or 0 when it does not end there. */
static size_t varint(const uint8_t *at, size_t have, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < have && i < VARINT_MAX; i++) {
        if (i == VARINT_MAX - 1) {
            *out = value << 8 | at[i];
            return VARINT_MAX;
        }
        value = value << 7 | (at[i] & 0x7f);
        if (!(at[i] & 0x80)) {
            *out = value;
            return i + 1;
        }
    }
    return 0;
}

/* ---- cells ---- */

static size_t head_len(const uint8_t *head)
{
    return head[0] == INNER_INDEX ? INNER_HEAD : LEAF_HEAD;
}

unsigned sk_carve_cells(const uint8_t page[static SK_PAGE_LEN], bool first)
{
    const uint8_t *head = page + (first ? FILE_HEADER : 0);
    if (head[0] != LEAF_TABLE && head[0] != LEAF_INDEX && head[0] != INNER_INDEX)
        return 0;
    unsigned count = u16_at(head + 3);
    size_t end = (size_t)(head - page) + head_len(head) + (size_t)count * 2;
    return end <= SK_PAGE_PLAIN ? count : 0;
}

/* How much of a record stands in the page itself. */
static uint64_t local_len(bool table, uint64_t len)
{
    const uint64_t usable = SK_PAGE_PLAIN;
    uint64_t most = table ? usable - 35 : (usable - 12) * 64 / 255 - 23;
    uint64_t least = (usable - 12) * 32 / 255 - 23;
    if (len <= most)
        return len;
    uint64_t local = least + (len - least) % (usable - CHAIN_HEAD);
    return local <= most ? local : least;
}

bool sk_carve_cell(const uint8_t page[static SK_PAGE_LEN], bool first, unsigned n,
                   struct sk_cell *out)
{
    const uint8_t *head = page + (first ? FILE_HEADER : 0);
    size_t pointers = (size_t)(head - page) + head_len(head);
    size_t at = u16_at(page + pointers + (size_t)n * 2);
    size_t floor = pointers + (size_t)sk_carve_cells(page, first) * 2;
    uint64_t rowid = 0;
    struct sk_cell cell = {.table = head[0] == LEAF_TABLE};

    if (at < floor || at >= SK_PAGE_PLAIN)
        return false;
    if (head[0] == INNER_INDEX)
        at += 4; /* the child on the left */
    size_t used = at < SK_PAGE_PLAIN ? varint(page + at, SK_PAGE_PLAIN - at, &cell.len) : 0;
    at += used;
    if (used && cell.table) {
        used = varint(page + at, SK_PAGE_PLAIN - at, &rowid);
        at += used;
    }
    if (used == 0 || cell.len == 0 || cell.len > UINT32_MAX)
        return false;
    cell.rowid = (int64_t)rowid;
    cell.local = (size_t)local_len(cell.table, cell.len);
    size_t tail = cell.local < cell.len ? CHAIN_HEAD : 0;
    if (cell.local + tail > SK_PAGE_PLAIN - at)
        return false;
    cell.at = page + at;
    if (tail > 0)
        cell.overflow = u32_at(page + at + cell.local);
    *out = cell;
    return true;
}

/* ---- columns ---- */

static int64_t integer(const uint8_t *at, size_t len)
{
    uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

/* A serial type (2.1 of the format): kind and length. */
static bool describe(uint64_t type, struct sk_field *field)
{
    static const uint8_t lens[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
    *field = (struct sk_field){.kind = SK_FIELD_OTHER};
    if (type >= 12) {
        field->kind = type % 2 ? SK_FIELD_TEXT : SK_FIELD_BLOB;
        field->len = (type - 12) / 2;
        return true;
    }
    if (type >= sizeof(lens))
        return false;
    field->len = lens[type];
    field->kind = type == 0 ? SK_FIELD_NULL : type == 7 ? SK_FIELD_OTHER : SK_FIELD_INT;
    field->number = type == 9;
    return true;
}

unsigned sk_carve_fields(const uint8_t *bytes, size_t have, uint64_t len,
                         struct sk_field fields[static SK_CARVE_COLUMNS])
{
    uint64_t head = 0;
    unsigned count = 0;
    size_t at = varint(bytes, have, &head);
    if (at == 0 || head > have || head > HEADER_MAX || head < at)
        return 0;
    uint64_t place = head;
    while (at < head) {
        uint64_t type = 0;
        size_t used = varint(bytes + at, (size_t)head - at, &type);
        struct sk_field field;
        if (used == 0 || count == SK_CARVE_COLUMNS || !describe(type, &field) ||
            field.len > len - place)
            return 0;
        field.at = place;
        place += field.len;
        if (field.kind == SK_FIELD_INT && field.len > 0 && place <= have)
            field.number = integer(bytes + field.at, (size_t)field.len);
        fields[count++] = field;
        at += used;
    }
    return place == len ? count : 0;
}

/* ---- whole records ---- */

enum sk_status sk_carve_record(const struct sk_cell *cell, uint64_t most, sk_carve_page_fn *page,
                               void *context, struct sk_buf *out, bool *whole, struct sk_error *err)
{
    uint8_t bytes[SK_PAGE_LEN];
    uint32_t next = cell->overflow;
    uint64_t left = cell->len - cell->local;
    enum sk_status status = SK_OK;

    *whole = false;
    sk_buf_reset(out);
    if (cell->len > most)
        return SK_OK;
    SK_TRY(sk_buf_add(out, cell->at, cell->local, err));
    while (left > 0 && status == SK_OK) {
        size_t piece = left < CHAIN_LEN ? (size_t)left : CHAIN_LEN;
        if (next == 0 || !page(context, next, bytes))
            break;
        status = sk_buf_add(out, bytes + CHAIN_HEAD, piece, err);
        next = u32_at(bytes);
        left -= piece;
    }
    sk_wipe(bytes, sizeof(bytes));
    *whole = status == SK_OK && left == 0;
    return status;
}
