#include "core/remains.h"

#include "core/file.h"
#include "core/remains_internal.h"
#include "core/store_internal.h"

void sk_remains_free(struct sk_remains *r)
{
    if (!r)
        return;
    sk_pages_free(r->pages);
    sk_secret_free(r->seed);
    sk_buf_clear(&r->entries.bytes);
    sk_buf_clear(&r->payloads.bytes);
    sk_buf_clear(&r->media.bytes);
    sk_buf_clear(&r->purged.bytes);
    sk_buf_clear(&r->nodes);
    sk_buf_clear(&r->items);
    sk_buf_clear(&r->erased);
    free(r->media_dir);
    sk_wipe(r, sizeof(*r));
    free(r);
}

const struct sk_remains_facts *sk_remains_facts(const struct sk_remains *remains)
{
    return &remains->facts;
}

const uint8_t *sk_remains_seed(const struct sk_remains *remains)
{
    return remains->facts.key_known ? sk_secret_view(remains->seed) : NULL;
}

uint64_t sk_remains_unread(const struct sk_remains *remains)
{
    struct sk_pages_state state;
    sk_pages_state(remains->pages, &state);
    return state.unread;
}

/* ---- sorting and finding ---- */

static int by_place(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (int)x->view - (int)y->view;
}

static int by_node(const void *a, const void *b)
{
    const struct node *x = a;
    const struct node *y = b;
    if (x->level != y->level)
        return (int)x->level - (int)y->level;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int by_item(const void *a, const void *b)
{
    const struct listed *x = a;
    const struct listed *y = b;
    int order = memcmp(&x->id, &y->id, sizeof(x->id));
    return order != 0 ? order : (int)x->view - (int)y->view;
}

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sk_id));
}

static void sort(struct sk_buf *list, size_t size, int (*order)(const void *, const void *))
{
    if (list->len > 0)
        qsort(list->bytes, list->len / size, size, order);
}

size_t remains_find(const struct place_list *list, int64_t id)
{
    const struct place *items = places(list);
    size_t low = 0;
    size_t high = place_count(list);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Of several readings of one entry the best view's counts. */
static void drop_doubles(struct place_list *list)
{
    struct place *items = places(list);
    size_t count = place_count(list);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || items[kept - 1].id != items[i].id)
            items[kept++] = items[i];
    }
    list->bytes.len = kept * sizeof(*items);
}

static void sort_all(struct sk_remains *r)
{
    sort(&r->entries.bytes, sizeof(struct place), by_place);
    sort(&r->payloads.bytes, sizeof(struct place), by_place);
    sort(&r->media.bytes, sizeof(struct place), by_place);
    sort(&r->purged.bytes, sizeof(struct place), by_place);
    sort(&r->nodes, sizeof(struct node), by_node);
    sort(&r->items, sizeof(struct listed), by_item);
    drop_doubles(&r->entries);
}

/* ---- opening ---- */

/* The keys of the old log, from its secrets; a head that another key signed is none of it. */
static void settle_keys(struct sk_remains *r)
{
    struct sk_remains_facts *facts = &r->facts;
    uint8_t sign[SK_SIGN_PUBLIC_LEN];
    if (!facts->key_known)
        return;
    sk_sign_public(sign, sk_secret_view(r->seed));
    if (r->head_count > 0) {
        if (memcmp(sign, facts->sign_public, sizeof(sign)) == 0)
            return;
        r->head_count = 0;
    }
    /* Without a head, the log's id takes both keys. */
    facts->key_known = r->scalar_known;
    if (!r->scalar_known)
        return;
    memcpy(facts->sign_public, sign, sizeof(sign));
    sk_dh_public(facts->dh_public, sk_secret_view(r->seed) + SK_SIGN_SEED_LEN);
    sk_log_id(facts->log_id, facts->sign_public, facts->dh_public);
}

static enum sk_status note_erasure(void *context, uint64_t position, const struct sk_entry *entry,
                                   bool proven, struct sk_error *err)
{
    struct sk_remains *r = context;
    (void)position, (void)proven;
    if (entry->type != SK_TYPE_ERASURE)
        return SK_OK;
    return sk_buf_add(&r->erased, &entry->id, sizeof(entry->id), err);
}

enum sk_status sk_remains_open(struct sk_remains **out, const char *dir, const uint8_t *store_key,
                               const uint8_t *store_id, const struct sk_progress *progress,
                               struct sk_error *err)
{
    sk_auto_remains r = calloc(1, sizeof(*r));
    if (!r)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_path_join(&r->media_dir, dir, SK_MEDIA_DIR, err));
    SK_TRY(sk_pages_open(&r->pages, dir, store_key, store_id, err));
    sk_pages_state(r->pages, &r->facts.pages);
    SK_TRY(remains_scan(r, progress, err));
    sort_all(r);
    settle_keys(r);
    remains_prove(r);
    SK_TRY(sk_remains_each(r, note_erasure, r, err));
    sort(&r->erased, sizeof(struct sk_id), by_id);
    *out = SK_TAKE(r);
    return SK_OK;
}

/* ---- giving out ---- */

static bool taken(const struct place *entry)
{
    return entry->verdict == VERDICT_PROVEN || entry->verdict == VERDICT_UNPROVEN;
}

bool sk_remains_taken(const struct sk_remains *r, uint64_t position)
{
    size_t at = remains_find(&r->entries, (int64_t)position);
    return at < place_count(&r->entries) && places(&r->entries)[at].id == (int64_t)position &&
           taken(&places(&r->entries)[at]);
}

enum sk_status sk_remains_each(struct sk_remains *r, sk_remains_each_fn *each, void *context,
                               struct sk_error *err)
{
    for (size_t i = 0; i < place_count(&r->entries); i++) {
        const struct place *at = &places(&r->entries)[i];
        uint8_t bytes[SK_ENTRY_LEN];
        struct sk_entry entry;
        if (!taken(at))
            continue;
        if (!remains_entry(r, at, bytes) || sk_entry_decode(&entry, bytes) != SK_OK)
            return sk_fail(err, SK_IO, "an entry that was read before cannot be read again");
        SK_TRY(each(context, (uint64_t)at->id, &entry, at->verdict == VERDICT_PROVEN, err));
    }
    return SK_OK;
}

static bool lacks(const struct place *at, enum sk_remains_lack lack)
{
    return lack == SK_LACK_UNKNOWN
               ? at->verdict == VERDICT_UNKNOWN
               : at->verdict == VERDICT_REFUSED || at->verdict == VERDICT_BEYOND;
}

static enum sk_status each_not_taken(struct sk_remains *r, enum sk_remains_lack lack,
                                     sk_remains_range_fn *each, void *context, struct sk_error *err)
{
    const struct place *entries = places(&r->entries);
    size_t count = place_count(&r->entries);
    for (size_t i = 0; i < count; i++) {
        size_t end = i + 1;
        if (!lacks(&entries[i], lack))
            continue;
        while (end < count && lacks(&entries[end], lack) &&
               entries[end].id == entries[end - 1].id + 1)
            end++;
        SK_TRY(each(context, (uint64_t)entries[i].id, (uint64_t)entries[end - 1].id + 1, err));
        i = end - 1;
    }
    return SK_OK;
}

enum sk_status sk_remains_missing(struct sk_remains *r, enum sk_remains_lack lack,
                                  sk_remains_range_fn *each, void *context, struct sk_error *err)
{
    uint64_t next = 0; /* the first position that is not looked at */
    if (lack != SK_LACK_ENTRY)
        return each_not_taken(r, lack, each, context, err);
    for (size_t i = 0; i < place_count(&r->entries); i++) {
        uint64_t at = (uint64_t)places(&r->entries)[i].id;
        if (at >= r->facts.size)
            break;
        if (at > next)
            SK_TRY(each(context, next, at, err));
        next = at + 1;
    }
    return next < r->facts.size ? each(context, next, r->facts.size, err) : SK_OK;
}

/* The database's own word on an item, the best view's. */
static const struct listed *find_item(const struct sk_remains *r, const struct sk_id *id)
{
    const struct listed *items = (const struct listed *)(const void *)r->items.bytes;
    size_t low = 0;
    size_t high = r->items.len / sizeof(*items);
    size_t count = high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(&items[middle].id, id, sizeof(*id)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && memcmp(&items[low].id, id, sizeof(*id)) == 0 ? &items[low] : NULL;
}

bool sk_remains_erased(const struct sk_remains *r, const struct sk_id *id)
{
    const struct listed *end = (const struct listed *)(const void *)(r->items.bytes + r->items.len);
    if (r->erased.len > 0 &&
        bsearch(id, r->erased.bytes, r->erased.len / sizeof(*id), sizeof(*id), by_id))
        return true;
    for (const struct listed *item = find_item(r, id);
         item && item < end && memcmp(&item->id, id, sizeof(*id)) == 0; item++) {
        if (item->erased)
            return true;
    }
    return false;
}

static enum sk_status take_payload(struct sk_remains *r, const struct place *at,
                                   const struct sk_entry *entry, struct sk_payload *payload,
                                   bool *found, struct sk_error *err)
{
    sk_auto_buf row = SK_BUF_INIT;
    struct sk_field f[SK_CARVE_COLUMNS] = {{.len = 0}};
    unsigned count = 0;
    SK_TRY(remains_row(r, at->view, at->page, at->cell, RECORD_MAX, &row, f, &count, err));
    if (!row.bytes || !remains_shaped(f, count, "N3BInB") || f[3].number < 0 ||
        (uint64_t)f[3].number > SK_BODY_MAX || f[5].len > SK_TEXT_MAX ||
        f[2].len != sk_block_count(f[5].len, (uint64_t)f[3].number) * SK_HASH_LEN)
        return SK_OK;
    memcpy(payload->salt, row.bytes + f[1].at, SK_SALT_LEN);
    sk_buf_reset(&payload->hashes);
    sk_buf_reset(&payload->text);
    SK_TRY(sk_buf_add(&payload->hashes, row.bytes + f[2].at, (size_t)f[2].len, err));
    SK_TRY(sk_buf_add(&payload->text, row.bytes + f[5].at, (size_t)f[5].len, err));
    payload->body_len = (uint64_t)f[3].number;
    payload->media = f[4].kind == SK_FIELD_INT ? f[4].number : 0;
    *found = sk_payload_fits(entry, payload);
    return SK_OK;
}

enum sk_status sk_remains_payload(struct sk_remains *r, uint64_t position,
                                  const struct sk_entry *entry, struct sk_payload *payload,
                                  bool *found, struct sk_error *err)
{
    *found = false;
    for (size_t i = remains_find(&r->payloads, (int64_t)position);
         i < place_count(&r->payloads) && places(&r->payloads)[i].id == (int64_t)position; i++) {
        SK_TRY(take_payload(r, &places(&r->payloads)[i], entry, payload, found, err));
        if (*found)
            return SK_OK;
    }
    return SK_OK;
}

/* An id of a row's column, if there is one. */
static bool id_at(const struct sk_buf *row, const struct sk_field *field, struct sk_id *out)
{
    if (field->len != SK_ID_LEN)
        return false;
    memcpy(out->bytes, row->bytes + field->at, SK_ID_LEN);
    return true;
}

enum sk_status sk_remains_purged(struct sk_remains *r, uint64_t position,
                                 struct sk_remains_purged *out, struct sk_error *err)
{
    size_t at = remains_find(&r->purged, (int64_t)position);
    sk_auto_buf row = SK_BUF_INIT;
    struct sk_field f[SK_CARVE_COLUMNS] = {{.len = 0}};
    unsigned count = 0;
    *out = (struct sk_remains_purged){.purged = false};
    if (at == place_count(&r->purged) || places(&r->purged)[at].id != (int64_t)position)
        return SK_OK;
    const struct place *place = &places(&r->purged)[at];
    SK_TRY(remains_row(r, place->view, place->page, place->cell, NOTE_MAX, &row, f, &count, err));
    if (!row.bytes || !remains_shaped(f, count, "Nii"))
        return SK_OK;
    out->purged = true;
    out->has_source = id_at(&row, &f[1], &out->source);
    out->has_target = id_at(&row, &f[2], &out->target);
    return SK_OK;
}

/* The file of one row of `media`. */
static enum sk_status open_body(struct sk_remains *r, const struct place *place,
                                struct sk_media_reader **out, struct sk_error *err)
{
    sk_auto_buf row = SK_BUF_INIT;
    struct sk_field f[SK_CARVE_COLUMNS] = {{.len = 0}};
    unsigned count = 0;
    SK_TRY(remains_row(r, place->view, place->page, place->cell, NOTE_MAX, &row, f, &count, err));
    if (!row.bytes || count == 0 || !remains_shaped(f, count, "N13I") || f[3].number < 0)
        return sk_fail(err, SK_DAMAGED, "the key of this attachment is lost");
    return sk_media_open_file(r->media_dir, row.bytes + f[1].at, row.bytes + f[2].at,
                              (uint64_t)f[3].number, out, err);
}

/* An older row may name a file that is gone, a newer one a file that never came to be. */
enum sk_status sk_remains_body(struct sk_remains *r, int64_t media, struct sk_media_reader **out,
                               struct sk_error *err)
{
    size_t first = remains_find(&r->media, media);
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = SK_DAMAGED;
    for (size_t at = first; at < place_count(&r->media) && places(&r->media)[at].id == media;
         at++) {
        struct sk_error other = SK_ERROR_INIT;
        struct sk_error *to = at == first ? &why : &other;
        enum sk_status found = open_body(r, &places(&r->media)[at], out, to);
        if (found != SK_DAMAGED && found != SK_MISSING)
            return found == SK_OK ? SK_OK : sk_fail(err, found, "%s", to->text);
        if (at == first)
            status = found;
    }
    return sk_fail(err, status, "%s",
                   why.text[0] ? why.text : "the key of this attachment is lost");
}

enum sk_status sk_remains_items(struct sk_remains *r, sk_remains_item_fn *each, void *context,
                                struct sk_error *err)
{
    const struct listed *items = (const struct listed *)(const void *)r->items.bytes;
    size_t count = r->items.len / sizeof(*items);
    for (size_t i = 0; i < count; i++) {
        const struct listed *at = &items[i];
        sk_auto_buf row = SK_BUF_INIT;
        sk_auto_buf title = SK_BUF_INIT;
        struct sk_field f[SK_CARVE_COLUMNS] = {{.len = 0}};
        unsigned columns = 0;
        if (i > 0 && memcmp(&items[i - 1].id, &at->id, sizeof(at->id)) == 0)
            continue;
        SK_TRY(remains_row(r, at->view, at->page, at->cell, RECORD_MAX, &row, f, &columns, err));
        if (columns == 9)
            SK_TRY(sk_buf_add(&title, row.bytes + f[8].at, (size_t)f[8].len, err));
        const struct sk_remains_item item = {.id = at->id,
                                             .type = at->type,
                                             .erased = sk_remains_erased(r, &at->id),
                                             .position = sk_entry_row_position(at->entry),
                                             .title = sk_buf_text(&title)};
        SK_TRY(each(context, &item, err));
    }
    return SK_OK;
}
