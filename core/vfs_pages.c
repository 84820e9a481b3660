/*
 * Pages without SQLite (core/pages.h). Keys and seals are the VFS's; the files are read as they are
 * and nothing is written or locked.
 */
#include "core/pages.h"

#include "core/db_internal.h"
#include "core/file.h"
#include "core/vfs_internal.h"
#include "crypto/bytes.h"

#include <stdlib.h>
#include <string.h>

#define VIEWS_MAX 3
#define FRAME_LEN (VFS_FRAME_HEAD + SK_PAGE_LEN)
#define SPARE     1024u /* pages beyond what files of these sizes can have written */

_Static_assert(SK_PAGE_LEN == SK_VFS_PAGE_SIZE, "a page");
_Static_assert(SK_PAGE_PLAIN == SK_PAGE_LEN - SK_PAGE_OVERHEAD, "a page");

struct view {
    uint32_t *frames; /* by page: the frame that holds it, 0 for `data`; NULL: `data` alone */
    bool loose;       /* with frames that no commit covers */
};

struct sk_pages {
    struct sk_vfs *vfs;
    struct sk_file *data; /* NULL: missing */
    struct sk_file *log;
    uint64_t log_len;
    uint32_t main_count;
    uint32_t count;
    uint8_t log_id[VFS_LOG_ID_LEN];
    uint32_t marked; /* the last whole frame of the log that ends a transaction */
    struct view views[VIEWS_MAX];
    unsigned view_count;
    struct sk_pages_state state;
};

void sk_pages_free(struct sk_pages *pages)
{
    if (!pages)
        return;
    for (unsigned i = 0; i < VIEWS_MAX; i++)
        free(pages->views[i].frames);
    sk_file_close(pages->log);
    sk_file_close(pages->data);
    sk_vfs_unregister(pages->vfs);
    free(pages);
}

/* A file that is not there, or cannot be read, is like one of no bytes; the latter is counted. */
static enum sk_status open_one(struct sk_pages *pages, struct sk_file **out, uint64_t *len,
                               const char *dir, const char *name, struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    bool regular = false;
    *len = 0;
    SK_TRY(sk_path_join(&path, dir, name, err));
    enum sk_status status = sk_file_open_regular(out, path, NULL);
    if (status == SK_OK)
        status = sk_file_size(*out, len, &regular, NULL);
    if (status == SK_NOMEM)
        return sk_fail_status(err, SK_NOMEM);
    pages->state.unread += status == SK_IO;
    if (status != SK_OK || !regular)
        *len = 0;
    return SK_OK;
}

/* Whether all of the bytes were read. A call that fails is counted: it may be no damage. */
static bool read_at(struct sk_pages *pages, struct sk_file *file, void *out, size_t len,
                    uint64_t place)
{
    enum sk_status status = sk_file_read_at(file, out, len, place, NULL);
    pages->state.unread += status == SK_IO;
    return status == SK_OK;
}

/* ---- one page ---- */

static bool read_frame(struct sk_pages *pages, uint64_t frame, uint8_t out[static FRAME_LEN])
{
    const struct sk_vfs *vfs = pages->vfs;
    if (!pages->log ||
        !read_at(pages, pages->log, out, FRAME_LEN, (uint64_t)vfs_frame_place(vfs, frame)) ||
        !vfs_unseal(vfs, VFS_KIND_FRAME, pages->log_id, vfs_frame_offset(vfs, frame), out, out,
                    FRAME_LEN - SK_PAGE_OVERHEAD))
        return false;
    memset(out + FRAME_LEN - SK_PAGE_OVERHEAD, 0, SK_PAGE_OVERHEAD);
    return true;
}

static bool read_main(struct sk_pages *pages, uint32_t page, uint8_t out[static SK_PAGE_LEN])
{
    uint64_t place = VFS_PREAMBLE_LEN + (uint64_t)(page - 1) * SK_PAGE_LEN;
    if (!pages->data || page > pages->main_count ||
        !read_at(pages, pages->data, out, SK_PAGE_LEN, place) ||
        !vfs_unseal(pages->vfs, VFS_KIND_PAGE, NULL, page, out, out, SK_PAGE_PLAIN))
        return false;
    memset(out + SK_PAGE_PLAIN, 0, SK_PAGE_OVERHEAD);
    return true;
}

static uint32_t frame_in(const struct sk_pages *pages, unsigned view, uint32_t page)
{
    const uint32_t *frames = pages->views[view].frames;
    return frames && page <= pages->count ? frames[page] : 0;
}

bool sk_pages_new_in(const struct sk_pages *pages, unsigned view, uint32_t page)
{
    for (unsigned earlier = 0; earlier < view; earlier++) {
        if (frame_in(pages, earlier, page) == frame_in(pages, view, page))
            return false;
    }
    return true;
}

bool sk_pages_read(struct sk_pages *pages, unsigned view, uint32_t page,
                   uint8_t out[static SK_PAGE_LEN])
{
    uint8_t frame[FRAME_LEN];
    if (page == 0 || page > pages->count || view >= pages->view_count)
        return false;
    uint32_t number = frame_in(pages, view, page);
    if (number == 0)
        return read_main(pages, page, out);
    bool whole = read_frame(pages, number, frame);
    if (whole)
        memcpy(out, frame + VFS_FRAME_HEAD, SK_PAGE_LEN);
    sk_wipe(frame, sizeof(frame));
    return whole;
}

/* ---- the write-ahead log ---- */

static uint32_t big(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/*
 * The frames as SQLite would recover them, up to the last commit, into `recovered`; all that are
 * whole into `all`. *beyond tells whether the second has more, *lost whether something may have
 * been committed that is not recovered: a commit stands further on, or a frame does not open.
 */
static void map_frames(struct sk_pages *pages, const uint8_t *head, uint64_t frames,
                       uint32_t *recovered, uint32_t *all, bool *beyond, bool *lost)
{
    uint8_t frame[FRAME_LEN];
    struct vfs_sum sum;
    uint64_t committed = 0;
    bool fits = true;
    vfs_chain_begin(head, &sum);
    for (uint64_t number = 1; number <= frames; number++) {
        bool whole = read_frame(pages, number, frame);
        *lost |= !whole;
        fits = fits && whole && vfs_chain_fits(head, &sum, frame, SK_PAGE_LEN);
        uint32_t page = whole ? big(frame) : 0;
        if (whole && big(frame + 4) != 0)
            pages->marked = (uint32_t)number;
        if (page == 0 || page > pages->count)
            continue;
        all[page] = (uint32_t)number;
        if (fits && big(frame + 4) != 0)
            committed = number;
    }
    for (uint64_t number = 1; number <= committed; number++) {
        if (read_frame(pages, number, frame) && big(frame) <= pages->count)
            recovered[big(frame)] = (uint32_t)number;
    }
    *lost |= pages->marked > committed;
    *beyond = memcmp(all, recovered, ((size_t)pages->count + 1) * sizeof(*all)) != 0;
    sk_wipe(frame, sizeof(frame));
}

static enum sk_status add_view(struct sk_pages *pages, uint32_t **frames)
{
    *frames = calloc((size_t)pages->count + 1, sizeof(**frames));
    if (!*frames)
        return SK_NOMEM;
    pages->views[pages->view_count++].frames = *frames;
    return SK_OK;
}

/* The first two fields of a preamble (core/FORMAT.md). */
static bool format_known(const uint8_t *plain)
{
    return sk_get_u32(plain) == VFS_FORMAT && sk_get_u32(plain + 4) == SK_PAGE_LEN;
}

/* The newest preamble that opens. */
static bool load_preamble(struct sk_pages *pages, struct vfs_preamble *out)
{
    bool found = false;
    for (unsigned copy = 0; pages->data && copy < VFS_COPY_COUNT; copy++) {
        uint8_t block[VFS_COPY_LEN];
        struct vfs_preamble p;
        if (!read_at(pages, pages->data, block, sizeof(block),
                     (uint64_t)copy * VFS_COPY_DISTANCE) ||
            !vfs_preamble_unseal(pages->vfs, copy, block, &p) || !format_known(block) ||
            (found && p.epoch < out->epoch))
            continue;
        *out = p;
        found = true;
    }
    return found;
}

/* Whether the frames that the database depends on are all there, as they were. */
static bool needed_there(struct sk_pages *pages, const struct vfs_preamble *p)
{
    struct sk_hash hash;
    uint8_t digest[SK_HASH_LEN];
    uint8_t tag[SK_AEAD_TAG_LEN];
    if (p->needed == 0)
        return true;
    if (p->needed > pages->log_len / FRAME_LEN)
        return false;
    sk_hash_init(&hash, vfs_key(pages->vfs, VFS_KIND_FRAME), SK_LABEL_WAL);
    for (uint64_t frame = 1; frame <= p->needed; frame++) {
        uint64_t place = (uint64_t)vfs_frame_place(pages->vfs, frame + 1) - sizeof(tag);
        if (!read_at(pages, pages->log, tag, sizeof(tag), place))
            memset(tag, 0, sizeof(tag));
        sk_hash_add(&hash, tag, sizeof(tag));
    }
    sk_hash_end(&hash, digest);
    return memcmp(digest, p->digest, sizeof(digest)) == 0;
}

static bool open_head(struct sk_pages *pages, uint8_t plain[static VFS_HEAD_PLAIN_LEN])
{
    uint8_t sealed[VFS_HEAD_SEALED_LEN];
    if (!pages->log || pages->log_len < sizeof(sealed) ||
        !read_at(pages, pages->log, sealed, sizeof(sealed), 0) ||
        !vfs_unseal(pages->vfs, VFS_KIND_LOG_HEAD, NULL, 0, plain, sealed, VFS_HEAD_PLAIN_LEN))
        return false;
    memcpy(pages->log_id, plain + VFS_LOG_HEAD, VFS_LOG_ID_LEN);
    return true;
}

/* The log's pages, and `data` by itself where the two may not belong together. */
static enum sk_status map_log(struct sk_pages *pages, const uint8_t *head, bool sure)
{
    uint32_t *recovered = NULL;
    uint32_t *all = NULL;
    bool beyond = false;
    bool lost = false;
    uint64_t frames =
        pages->log_len > VFS_LOG_SHIFT ? (pages->log_len - VFS_LOG_SHIFT) / FRAME_LEN : 0;
    SK_TRY(add_view(pages, &recovered));
    SK_TRY(add_view(pages, &all));
    map_frames(pages, head, frames, recovered, all, &beyond, &lost);
    pages->state.log_used = true;
    if (beyond) {
        pages->views[pages->view_count - 1].loose = true;
    } else {
        free(all);
        pages->views[--pages->view_count].frames = NULL;
    }
    pages->state.log_doubtful = (!sure && frames > 0) || lost;
    if (!sure)
        pages->view_count++;
    return SK_OK;
}

static enum sk_status find_views(struct sk_pages *pages)
{
    struct vfs_preamble p = {.epoch = 0};
    uint8_t head[VFS_HEAD_PLAIN_LEN];
    bool known = load_preamble(pages, &p);
    bool opened = open_head(pages, head);
    bool named = known && opened && memcmp(pages->log_id, p.log_id, VFS_LOG_ID_LEN) == 0;
    pages->state.start_damaged = !known;
    if (named && p.running)
        return map_log(pages, head, needed_there(pages, &p));
    /* A log that runs is known without its head; where its chain begins is not. */
    if (known && p.running && !opened && pages->log_len > VFS_LOG_SHIFT) {
        memset(head, 0, sizeof(head));
        memcpy(pages->log_id, p.log_id, VFS_LOG_ID_LEN);
        enum sk_status status = map_log(pages, head, false);
        pages->state.log_doubtful = true;
        return status;
    }
    /* A log that may have begun has no frames, unless a newer copy of the preamble was lost. */
    if (opened && (!known || named))
        return map_log(pages, head, false);
    /* A log of which all is in the database is spent; a torn head has no frames behind it. */
    bool spent = opened && memcmp(pages->log_id, p.spent_id, VFS_LOG_ID_LEN) == 0;
    bool begun = pages->log_len > (known ? VFS_LOG_SHIFT : 0);
    pages->state.log_doubtful = (known && p.running) || (begun && !spent);
    pages->view_count = 1;
    return SK_OK;
}

/* ---- opening ---- */

static enum sk_status count_pages(struct sk_pages *pages, uint64_t data_len, struct sk_error *err)
{
    uint64_t main_count =
        data_len > VFS_PREAMBLE_LEN ? (data_len - VFS_PREAMBLE_LEN) / SK_PAGE_LEN : 0;
    uint64_t most = main_count + 4 * (pages->log_len / FRAME_LEN) + SPARE;
    if (most > UINT32_MAX / 2)
        return sk_fail(err, SK_LIMIT, "the database is larger than any can be");
    pages->main_count = (uint32_t)main_count;
    pages->count = (uint32_t)most;
    pages->state.pages = main_count;
    pages->state.data_missing = !pages->data;
    return SK_OK;
}

/* A rekey that was interrupted may have left the database beside its place ("New keys"): it is the
 * one that opens. */
static enum sk_status take_next(struct sk_pages *pages, uint64_t *data_len, const char *dir,
                                struct sk_error *err)
{
    struct vfs_preamble p = {.epoch = 0};
    struct sk_file *old = pages->data;
    uint64_t next_len = 0;
    if (load_preamble(pages, &p))
        return SK_OK;
    pages->data = NULL;
    enum sk_status status = open_one(pages, &pages->data, &next_len, dir, "data.next", err);
    if (status == SK_OK && load_preamble(pages, &p)) {
        sk_file_close(old);
        *data_len = next_len;
        return SK_OK;
    }
    sk_file_close(pages->data);
    pages->data = old;
    return status;
}

enum sk_status sk_pages_open(struct sk_pages **out, const char *dir, const uint8_t *store_key,
                             const uint8_t *store_id, struct sk_error *err)
{
    const struct sk_vfs_options options = {
        .store_key = store_key, .store_id = store_id, .read_only = true};
    uint64_t data_len = 0;
    SK_TRY(sk_db_start_library(err));
    sk_auto_pages pages = calloc(1, sizeof(*pages));
    if (!pages)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_vfs_register(&pages->vfs, &options, err));
    SK_TRY(open_one(pages, &pages->data, &data_len, dir, "data", err));
    SK_TRY(open_one(pages, &pages->log, &pages->log_len, dir, "data-wal", err));
    SK_TRY(take_next(pages, &data_len, dir, err));
    if (!pages->data && !pages->log && pages->state.unread > 0)
        return sk_fail(err, SK_IO, "%s: the database could not be read", dir);
    if (!pages->data && !pages->log)
        return sk_fail(err, SK_MISSING, "%s: there is no database that could be read here", dir);
    SK_TRY(count_pages(pages, data_len, err));
    if (find_views(pages) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);
    *out = SK_TAKE(pages);
    return SK_OK;
}

bool sk_pages_committed(const struct sk_pages *pages, unsigned view)
{
    return !pages->views[view].loose;
}

bool sk_pages_marked(const struct sk_pages *pages, unsigned view, uint32_t page)
{
    return frame_in(pages, view, page) <= pages->marked;
}

void sk_pages_state(const struct sk_pages *pages, struct sk_pages_state *out)
{
    *out = pages->state;
}

unsigned sk_pages_views(const struct sk_pages *pages)
{
    return pages->view_count;
}

uint32_t sk_pages_count(const struct sk_pages *pages)
{
    return pages->count;
}
