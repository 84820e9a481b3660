/*
 * What stands in the pages of a damaged database, in every view of it: of which table a row is,
 * told by the kinds of its columns, and where it stands. Which of several rows counts, and what it
 * gives, is for remains.c.
 */
#include "core/remains_internal.h"

/* ---- reading rows ---- */

struct view_of {
    struct sk_pages *pages;
    unsigned view;
};

static bool chain_page(void *context, uint32_t page, uint8_t out[static SK_PAGE_LEN])
{
    const struct view_of *view = context;
    return sk_pages_read(view->pages, view->view, page, out);
}

/* The page that holds a row, into r->page. */
static bool turn_to(struct sk_remains *r, unsigned view, uint32_t page)
{
    if (!r->at_whole || r->at_page != page || r->at_view != view) {
        r->at_whole = sk_pages_read(r->pages, view, page, r->page);
        r->at_page = page;
        r->at_view = (uint8_t)view;
    }
    return r->at_whole;
}

enum sk_status remains_row(struct sk_remains *r, unsigned view, uint32_t page, unsigned number,
                           uint64_t most, struct sk_buf *out,
                           struct sk_field fields[static SK_CARVE_COLUMNS], unsigned *count,
                           struct sk_error *err)
{
    struct sk_cell cell;
    struct view_of from = {r->pages, view};
    bool whole = false;
    *count = 0;
    if (!turn_to(r, view, page) || !sk_carve_cell(r->page, page == 1, number, &cell))
        return SK_OK;
    SK_TRY(sk_carve_record(&cell, most, chain_page, &from, out, &whole, err));
    if (whole)
        *count = sk_carve_fields(out->bytes, out->len, out->len, fields);
    return SK_OK;
}

bool remains_entry(struct sk_remains *r, const struct place *at, uint8_t out[static SK_ENTRY_LEN])
{
    struct sk_cell cell;
    struct sk_field fields[SK_CARVE_COLUMNS];
    if (!turn_to(r, at->view, at->page) ||
        !sk_carve_cell(r->page, at->page == 1, at->cell, &cell) || cell.local < cell.len ||
        sk_carve_fields(cell.at, cell.local, cell.len, fields) != 3 ||
        fields[2].kind != SK_FIELD_BLOB || fields[2].len != SK_ENTRY_LEN)
        return false;
    memcpy(out, cell.at + fields[2].at, SK_ENTRY_LEN);
    return true;
}

/* ---- which table a row is of, by the kinds of its columns ---- */

bool remains_shaped(const struct sk_field *fields, unsigned count, const char *shape)
{
    for (unsigned i = 0; i < count; i++) {
        const struct sk_field *f = &fields[i];
        bool blob = f->kind == SK_FIELD_BLOB;
        bool fits = false;
        switch (shape[i]) {
        case 'N':
            fits = f->kind == SK_FIELD_NULL;
            break;
        case 'I':
            fits = f->kind == SK_FIELD_INT;
            break;
        case 'n':
            fits = f->kind == SK_FIELD_INT || f->kind == SK_FIELD_NULL;
            break;
        case 'T':
            fits = f->kind == SK_FIELD_TEXT;
            break;
        case 'B':
            fits = blob;
            break;
        case '1':
            fits = blob && f->len == 16;
            break;
        case '3':
            fits = blob && f->len == 32;
            break;
        case 'i':
            fits = blob && (f->len == SK_ID_LEN || f->len == 0);
            break;
        case '9':
            fits = blob && f->len == SK_ENTRY_LEN;
            break;
        default:
            break;
        }
        if (!fits)
            return false;
    }
    return shape[count] == '\0';
}

/* A row while pages are gone through. */
struct seen {
    unsigned view;
    uint32_t page;
    unsigned number;
    struct sk_cell cell;
    struct sk_field fields[SK_CARVE_COLUMNS];
    unsigned count;
};

static enum sk_status keep_place(struct place_list *list, const struct seen *s, int64_t id,
                                 struct sk_error *err)
{
    const struct place place = {
        .id = id, .page = s->page, .cell = (uint16_t)s->number, .view = (uint8_t)s->view};
    return sk_buf_add(&list->bytes, &place, sizeof(place), err);
}

static bool has(const struct seen *s, unsigned column)
{
    return s->fields[column].at + s->fields[column].len <= s->cell.local;
}

static enum sk_status keep_item(struct sk_remains *r, const struct seen *s, struct sk_error *err)
{
    const struct sk_field *f = s->fields;
    /* What a transaction that was undone says about it does not count. */
    if (!sk_pages_committed(r->pages, s->view) || f[2].number != SK_LOG_OWN || !has(s, 7))
        return SK_OK;
    struct listed item = {.entry = f[5].number,
                          .page = s->page,
                          .cell = (uint16_t)s->number,
                          .view = (uint8_t)s->view,
                          .type = (uint8_t)f[3].number,
                          .erased = f[7].number != 0};
    memcpy(item.id.bytes, s->cell.at + f[1].at, SK_ID_LEN);
    return sk_buf_add(&r->items, &item, sizeof(item), err);
}

static enum sk_status keep_node(struct sk_remains *r, unsigned level, uint64_t index,
                                const uint8_t *hash, struct sk_error *err)
{
    struct node node = {.index = index, .level = (uint8_t)level};
    memcpy(node.hash, hash, SK_MERKLE_LEN);
    return sk_buf_add(&r->nodes, &node, sizeof(node), err);
}

/* The peaks beside a signed head: roots of full subtrees, from the left, as the bits of its size.
 */
static enum sk_status keep_peaks(struct sk_remains *r, uint64_t size, const uint8_t *peaks,
                                 uint64_t len, struct sk_error *err)
{
    uint64_t start = 0;
    if (len != sk_merkle_peak_count(size) * SK_MERKLE_LEN)
        return SK_OK;
    for (unsigned level = 63; level < 64; level--) {
        if (!(size >> level & 1))
            continue;
        SK_TRY(keep_node(r, level, start >> level, peaks, err));
        start += UINT64_C(1) << level;
        peaks += SK_MERKLE_LEN;
    }
    return SK_OK;
}

/* A signed head, with the keys that signed it. */
static enum sk_status keep_head(struct sk_remains *r, const struct seen *s, struct sk_error *err)
{
    sk_auto_buf row = SK_BUF_INIT;
    struct sk_field f[SK_CARVE_COLUMNS] = {{.len = 0}};
    unsigned count = 0;
    uint8_t id[SK_HASH_LEN];
    struct sk_checkpoint head;
    SK_TRY(remains_row(r, s->view, s->page, s->number, NOTE_MAX, &row, f, &count, err));
    if (!row.bytes || s->cell.rowid != SK_LOG_OWN || !remains_shaped(f, count, "N333TInIBT") ||
        r->head_count == HEADS_MAX)
        return SK_OK;
    const uint8_t *sign = row.bytes + f[2].at;
    const uint8_t *dh = row.bytes + f[3].at;
    sk_log_id(id, sign, dh);
    sk_auto_free char *note = strndup((const char *)row.bytes + f[9].at, (size_t)f[9].len);
    if (!note)
        return sk_fail_status(err, SK_NOMEM);
    if (memcmp(id, row.bytes + f[1].at, sizeof(id)) != 0 ||
        (r->head_count > 0 && memcmp(id, r->facts.log_id, sizeof(id)) != 0) ||
        sk_log_check_note(id, sign, note, &head, NULL) != SK_OK || head.size >= SK_POSITION_MAX)
        return SK_OK;
    memcpy(r->facts.log_id, id, sizeof(id));
    memcpy(r->facts.sign_public, sign, SK_SIGN_PUBLIC_LEN);
    memcpy(r->facts.dh_public, dh, SK_DH_LEN);
    struct head *kept = &r->heads[r->head_count++];
    kept->size = head.size;
    kept->marked = sk_pages_marked(r->pages, s->view, s->page);
    memcpy(kept->root, head.root, SK_MERKLE_LEN);
    if (!kept->marked || f[7].number != (int64_t)head.size)
        return SK_OK;
    return keep_peaks(r, head.size, row.bytes + f[8].at, f[8].len, err);
}

static enum sk_status keep_table_row(struct sk_remains *r, const struct seen *s,
                                     struct sk_error *err)
{
    int64_t id = s->cell.rowid;
    bool own = id >= 0 && sk_entry_row_log(id) == SK_LOG_OWN;
    int64_t position = own ? (int64_t)sk_entry_row_position(id) : 0;
    if (own && remains_shaped(s->fields, s->count, "NI9"))
        return keep_place(&r->entries, s, position, err);
    if (own && remains_shaped(s->fields, s->count, "N3BInB"))
        return keep_place(&r->payloads, s, position, err);
    if (remains_shaped(s->fields, s->count, "N13I"))
        return keep_place(&r->media, s, id, err);
    /* What a transaction that was undone would have purged is still here. */
    if (own && remains_shaped(s->fields, s->count, "Nii") && sk_pages_committed(r->pages, s->view))
        return keep_place(&r->purged, s, position, err);
    if (remains_shaped(s->fields, s->count, "N1IIIIIIT"))
        return keep_item(r, s, err);
    if (remains_shaped(s->fields, s->count, "N333TInIBT"))
        return keep_head(r, s, err);
    return SK_OK;
}

/* seed[32] | scalar[32] */
static enum sk_status keep_secret(struct sk_remains *r, const struct seen *s, struct sk_error *err)
{
    static const char *const names[] = {"seed", "scalar"};
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(names[i]);
        if (s->fields[0].len != len || memcmp(s->cell.at + s->fields[0].at, names[i], len) != 0)
            continue;
        if (!r->seed && sk_secret_new(&r->seed, (size_t)2 * SK_SIGN_SEED_LEN) != SK_OK)
            return sk_fail_status(err, SK_NOMEM);
        memcpy(sk_secret_bytes(r->seed) + i * SK_SIGN_SEED_LEN, s->cell.at + s->fields[1].at,
               SK_SIGN_SEED_LEN);
        if (i == 0)
            r->facts.key_known = true;
        else
            r->scalar_known = true;
    }
    return SK_OK;
}

static enum sk_status keep_index_row(struct sk_remains *r, const struct seen *s,
                                     struct sk_error *err)
{
    const struct sk_field *f = s->fields;
    if (s->cell.local < s->cell.len)
        return SK_OK;
    if (remains_shaped(f, s->count, "T3"))
        return keep_secret(r, s, err);
    if (!remains_shaped(f, s->count, "III3") || f[0].number != SK_LOG_OWN || f[1].number < 0 ||
        f[1].number > 63 || f[2].number < 0)
        return SK_OK;
    return keep_node(r, (unsigned)f[1].number, (uint64_t)f[2].number, s->cell.at + f[3].at, err);
}

static enum sk_status scan_page(struct sk_remains *r, unsigned view, uint32_t page,
                                struct sk_error *err)
{
    unsigned cells = sk_carve_cells(r->page, page == 1);
    for (unsigned i = 0; i < cells; i++) {
        struct seen s = {.view = view, .page = page, .number = i};
        /* Reading a head turns to its own page, which is this one. */
        if (!turn_to(r, view, page))
            return SK_OK;
        if (!sk_carve_cell(r->page, page == 1, i, &s.cell))
            continue;
        s.count = sk_carve_fields(s.cell.at, s.cell.local, s.cell.len, s.fields);
        if (s.count > 0)
            SK_TRY(s.cell.table ? keep_table_row(r, &s, err) : keep_index_row(r, &s, err));
    }
    return SK_OK;
}

enum sk_status remains_scan(struct sk_remains *r, const struct sk_progress *progress,
                            struct sk_error *err)
{
    uint32_t count = sk_pages_count(r->pages);
    unsigned views = sk_pages_views(r->pages);
    uint64_t whole = 0;
    for (uint32_t page = 1; page <= count; page++) {
        bool found = false;
        for (unsigned view = 0; view < views; view++) {
            if (!sk_pages_new_in(r->pages, view, page) || !turn_to(r, view, page))
                continue;
            found = true;
            SK_TRY(scan_page(r, view, page, err));
        }
        whole += found;
        r->facts.bad_pages += !found && page <= r->facts.pages.pages;
        if (page % 1024 == 0)
            sk_progress_tell(progress, page, count);
    }
    if (whole == 0 && sk_remains_unread(r) > 0)
        return sk_fail(err, SK_IO, "the database could not be read");
    if (whole == 0)
        return sk_fail(err, SK_DAMAGED, "no page of the database is whole");
    return SK_OK;
}
