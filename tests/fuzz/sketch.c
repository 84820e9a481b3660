#include "tests/fuzz/sketch.h"

#include "crypto/bytes.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

/* ---- reading and writing ---- */

struct cursor {
    const uint8_t *bytes;
    size_t left;
};

static void take(struct cursor *c, void *out, size_t len)
{
    size_t part = len < c->left ? len : c->left;
    memset(out, 0, len);
    memcpy(out, c->bytes, part);
    c->bytes += part;
    c->left -= part;
}

static uint8_t take_u8(struct cursor *c)
{
    uint8_t value;
    take(c, &value, 1);
    return value;
}

static uint16_t take_u16(struct cursor *c)
{
    uint8_t value[2];
    take(c, value, sizeof(value));
    return sk_get_u16(value);
}

static void read_payload(struct sk_sketch_payload *out, struct cursor *c)
{
    out->index = take_u8(c);
    out->text_len = take_u16(c) % (SK_SKETCH_TEXT_MAX + 1u);
    take(c, out->text, out->text_len);
    out->body_len = take_u8(c);
    take(c, out->body, out->body_len);
}

static void read_edit(struct sk_sketch_edit *out, struct cursor *c)
{
    out->stage = take_u8(c) % SK_SKETCH_STAGES;
    out->kind = take_u8(c) % SK_SKETCH_EDIT_KINDS;
    out->at = take_u16(c);
    out->len = take_u8(c);
    take(c, out->bytes, out->len);
}

void sk_sketch_read(struct sk_sketch *out, const uint8_t *bytes, size_t len)
{
    struct cursor c = {bytes, len};
    memset(out, 0, sizeof(*out));
    out->wrong = take_u8(&c);
    out->framing = take_u8(&c);
    out->n0 = take_u8(&c);
    out->entry_count = take_u8(&c) % (SK_SKETCH_ENTRIES + 1u);
    for (size_t i = 0; i < out->entry_count; i++)
        take(&c, &out->entries[i], sizeof(out->entries[i]));
    out->payload_count = take_u8(&c) % (SK_SKETCH_PAYLOADS + 1u);
    for (size_t i = 0; i < out->payload_count; i++)
        read_payload(&out->payloads[i], &c);
    while (c.left > 0 && out->edit_count < SK_SKETCH_EDITS)
        read_edit(&out->edits[out->edit_count++], &c);
}

struct page {
    uint8_t *bytes;
    size_t len, room;
};

static void put(struct page *p, const void *bytes, size_t len)
{
    size_t part = len < p->room - p->len ? len : p->room - p->len;
    memcpy(p->bytes + p->len, bytes, part);
    p->len += part;
}

static void put_u8(struct page *p, size_t value)
{
    uint8_t byte = (uint8_t)value;
    put(p, &byte, 1);
}

static void put_u16(struct page *p, size_t value)
{
    uint8_t bytes[2];
    sk_put_u16(bytes, (uint16_t)value);
    put(p, bytes, sizeof(bytes));
}

size_t sk_sketch_write(const struct sk_sketch *s, uint8_t *bytes, size_t room)
{
    struct page p = {.room = room};
    p.bytes = bytes;
    put_u8(&p, s->wrong);
    put_u8(&p, s->framing);
    put_u8(&p, s->n0);
    put_u8(&p, s->entry_count);
    put(&p, s->entries, s->entry_count * sizeof(s->entries[0]));
    put_u8(&p, s->payload_count);
    for (size_t i = 0; i < s->payload_count; i++) {
        put_u8(&p, s->payloads[i].index);
        put_u16(&p, s->payloads[i].text_len);
        put(&p, s->payloads[i].text, s->payloads[i].text_len);
        put_u8(&p, s->payloads[i].body_len);
        put(&p, s->payloads[i].body, s->payloads[i].body_len);
    }
    for (size_t i = 0; i < s->edit_count; i++) {
        put_u8(&p, s->edits[i].stage);
        put_u8(&p, s->edits[i].kind);
        put_u16(&p, s->edits[i].at);
        put_u8(&p, s->edits[i].len);
        put(&p, s->edits[i].bytes, s->edits[i].len);
    }
    return p.len;
}

/* ---- mutations ---- */

static uint32_t luck;

static unsigned draw(unsigned below)
{
    luck = luck * 1664525u + 1013904223u;
    return (luck >> 8) % below;
}

static void change_entry(struct sk_sketch *s)
{
    static const uint8_t types[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 255};
    if (s->entry_count == 0)
        return;
    struct sk_sketch_entry *e = &s->entries[draw((unsigned)s->entry_count)];
    switch (draw(6)) {
    case 0:
        e->type = types[draw(sizeof(types))];
        break;
    case 1:
        e->flags = (uint8_t)draw(13);
        break;
    case 2:
        e->id = (uint8_t)draw(8);
        break;
    case 3:
        e->revision = (uint8_t)draw(5);
        break;
    case 4:
        e->mark = (uint8_t)draw(3);
        break;
    default:
        (void)LLVMFuzzerMutate((uint8_t *)e, sizeof(*e), sizeof(*e));
    }
}

static void add_entry(struct sk_sketch *s)
{
    if (s->entry_count == SK_SKETCH_ENTRIES)
        return;
    struct sk_sketch_entry *e = &s->entries[s->entry_count++];
    if (s->entry_count > 1 && draw(2) == 0) { /* a later revision of one that is there */
        *e = s->entries[draw((unsigned)s->entry_count - 1)];
        e->revision++;
        if (draw(3) == 0)
            *e = (struct sk_sketch_entry){9, e->type, e->id, e->revision, e->day, 0};
    } else {
        *e = (struct sk_sketch_entry){(uint8_t)(1 + draw(8)), 0, (uint8_t)draw(8), 1,
                                      (uint8_t)draw(256),     0};
    }
}

static void remove_entry(struct sk_sketch *s)
{
    if (s->entry_count == 0)
        return;
    size_t at = draw((unsigned)s->entry_count);
    s->entry_count--;
    memmove(&s->entries[at], &s->entries[at + 1], (s->entry_count - at) * sizeof(s->entries[0]));
}

static void change_payload(struct sk_sketch *s)
{
    if (s->payload_count == 0)
        return;
    struct sk_sketch_payload *p = &s->payloads[draw((unsigned)s->payload_count)];
    switch (draw(6)) {
    case 0:
        p->index = (uint8_t)draw(SK_SKETCH_ENTRIES);
        break;
    case 1:
        p->body_len = LLVMFuzzerMutate(p->body, p->body_len, sizeof(p->body));
        break;
    default:
        p->text_len = LLVMFuzzerMutate(p->text, p->text_len, sizeof(p->text));
    }
}

/* The texts that hold together best are those that are there. */
static void add_payload(struct sk_sketch *s)
{
    if (s->payload_count == SK_SKETCH_PAYLOADS)
        return;
    struct sk_sketch_payload *p = &s->payloads[s->payload_count];
    if (s->payload_count > 0)
        *p = s->payloads[draw((unsigned)s->payload_count)];
    p->index = (uint8_t)(s->payload_count > 0 ? s->payloads[s->payload_count - 1].index + 1 : 0);
    s->payload_count++;
}

static void remove_payload(struct sk_sketch *s)
{
    if (s->payload_count > 0)
        s->payload_count--;
}

/* Where lengths and numbers stand: an edit there goes further than one anywhere. */
static void add_edit(struct sk_sketch *s)
{
    static const uint16_t manifest[] = {0,   4,   5,   6,   7,   72,  88, 96,
                                        104, 112, 144, 152, 160, 196, 200};
    static const uint8_t values[][8] = {{0},
                                        {1},
                                        {0xff, 0xff, 0xff, 0xff},
                                        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                                        {0, 0, 0x10},
                                        {1, 0, 0x10},
                                        {0, 0, 0, 0x80},
                                        {0, 0, 0, 0, 0, 0, 0, 0x80}};
    if (s->edit_count == SK_SKETCH_EDITS)
        s->edit_count = 0;
    struct sk_sketch_edit *e = &s->edits[s->edit_count++];
    e->stage = (uint8_t)draw(SK_SKETCH_STAGES);
    e->kind = (uint8_t)draw(SK_SKETCH_EDIT_KINDS);
    if (e->stage == SK_SKETCH_AT_MANIFEST && draw(4) > 0)
        e->at = manifest[draw(sizeof(manifest) / sizeof(manifest[0]))];
    else if (e->stage == SK_SKETCH_AT_FRAMES && draw(2) == 0)
        e->at = (uint16_t)(1 + 4 * draw(2));
    else
        e->at = (uint16_t)draw(700);
    e->len = (uint8_t)(1 << draw(4));
    memcpy(e->bytes, values[draw(8)], 8);
    if (draw(2) == 0)
        (void)LLVMFuzzerMutate(e->bytes, 8, 8);
}

static void change_edit(struct sk_sketch *s)
{
    if (s->edit_count == 0)
        return;
    struct sk_sketch_edit *e = &s->edits[draw((unsigned)s->edit_count)];
    if (draw(2) == 0)
        e->len = (uint8_t)LLVMFuzzerMutate(e->bytes, e->len, sizeof(e->bytes));
    else
        e->at = (uint16_t)(e->at + draw(9) - 4);
}

static void remove_edit(struct sk_sketch *s)
{
    if (s->edit_count > 0)
        s->edits[draw((unsigned)s->edit_count)] = s->edits[s->edit_count - 1], s->edit_count--;
}

static void change_head(struct sk_sketch *s)
{
    switch (draw(4)) {
    case 0:
        s->wrong ^= (uint8_t)(1u << draw(8));
        break;
    case 1:
        s->wrong = 0;
        break;
    case 2:
        s->framing = (uint8_t)draw(256);
        break;
    default:
        s->n0 = (uint8_t)draw(8);
    }
}

void sk_sketch_mutate(struct sk_sketch *s, unsigned seed)
{
    static void (*const ways[])(struct sk_sketch *) = {
        change_entry,   change_entry,   add_entry,   remove_entry, change_payload,
        change_payload, change_payload, add_payload, add_edit,     add_edit,
        change_edit,    remove_edit,    remove_edit, change_head,  remove_payload};
    luck = seed;
    for (unsigned i = draw(3) + 1; i > 0; i--)
        ways[draw(sizeof(ways) / sizeof(ways[0]))](s);
}
