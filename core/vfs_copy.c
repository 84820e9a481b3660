/*
 * A closed database as a file: whether a key opens it, its copy under another key, and putting it
 * in another's place. Nobody else has the file open here, so that closing it drops no locks of
 * SQLite's.
 */
#include "core/file.h"
#include "core/vfs_internal.h"

#include <stdlib.h>
#include <string.h>

/* The newest copy of the preamble that opens. */
static enum sk_status load_preamble(const struct sk_vfs *vfs, struct sk_file *file,
                                    struct vfs_preamble *out, bool *found, struct sk_error *err)
{
    uint64_t size = 0;
    bool regular = false;

    *found = false;
    SK_TRY(sk_file_size(file, &size, &regular, err));
    if (!regular || size < VFS_PREAMBLE_LEN)
        return SK_OK;
    for (unsigned copy = 0; copy < VFS_COPY_COUNT; copy++) {
        uint8_t block[VFS_COPY_LEN];
        struct vfs_preamble p;
        uint64_t place = (uint64_t)copy * VFS_COPY_DISTANCE;
        SK_TRY(sk_file_read_at(file, block, sizeof(block), place, err));
        if (vfs_preamble_unseal(vfs, copy, block, &p) && (!*found || p.epoch > out->epoch)) {
            *out = p;
            *found = true;
        }
    }
    return SK_OK;
}

enum sk_status sk_vfs_recognizes(const struct sk_vfs *vfs, const char *path, bool *yes,
                                 struct sk_error *err)
{
    sk_auto_file file = NULL;
    struct vfs_preamble preamble;
    struct sk_error why = SK_ERROR_INIT;

    *yes = false;
    enum sk_status status = sk_file_open(&file, path, &why);
    if (status == SK_MISSING)
        return SK_OK;
    if (status != SK_OK)
        return sk_fail(err, status, "%s", why.text);
    return load_preamble(vfs, file, &preamble, yes, err);
}

/* ---- copying ---- */

struct copy {
    const struct sk_vfs *from, *to;
    struct sk_file *source, *target;
    uint64_t pages;
    sk_vfs_copied_fn *tell;
    void *context;
    uint8_t *plain; /* of a page, as are the next two */
    uint8_t *other;
    uint8_t *sealed;
};

static void copy_clear(struct copy *copy)
{
    uint8_t *rooms[] = {copy->plain, copy->other, copy->sealed};
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
        if (rooms[i]) {
            sk_wipe(rooms[i], copy->from->page_size);
            free(rooms[i]);
        }
    sk_file_close(copy->source);
    sk_file_close(copy->target);
}
#define auto_copy __attribute__((cleanup(copy_clear))) struct copy

/* What of the source cannot be copied is found before anything is written. */
static enum sk_status examine(struct copy *copy, struct sk_error *err)
{
    const char *path = sk_file_path(copy->source);
    struct vfs_preamble preamble = {0};
    uint64_t size = 0;
    bool regular = false, found = false;

    SK_TRY(load_preamble(copy->from, copy->source, &preamble, &found, err));
    if (!found)
        return sk_fail(err, SK_DAMAGED, "%s: its beginning is damaged", path);
    if (preamble.running)
        return sk_fail(err, SK_REFUSED, "%s: its write-ahead log is not part of it yet", path);
    SK_TRY(sk_file_size(copy->source, &size, &regular, err));
    size -= VFS_PREAMBLE_LEN;
    copy->pages = size / copy->from->page_size;
    if (copy->pages == 0 || size % copy->from->page_size != 0)
        return sk_fail(err, SK_DAMAGED, "%s: it was cut off", path);
    return SK_OK;
}

/* Both copies, as in a database that was just made. */
static enum sk_status write_preamble(const struct copy *copy, struct sk_error *err)
{
    uint8_t block[VFS_PREAMBLE_LEN] = {0};
    for (uint64_t epoch = 1; epoch <= VFS_COPY_COUNT; epoch++) {
        const struct vfs_preamble preamble = {.epoch = epoch};
        vfs_preamble_seal(copy->to, &preamble, block + epoch % VFS_COPY_COUNT * VFS_COPY_DISTANCE);
    }
    return sk_file_write(copy->target, block, sizeof(block), err);
}

static enum sk_status load_page(const struct copy *copy, const struct sk_vfs *vfs,
                                struct sk_file *file, uint64_t page, uint8_t *plain,
                                struct sk_error *err)
{
    uint64_t place = VFS_PREAMBLE_LEN + (page - 1) * vfs->page_size;
    SK_TRY(sk_file_read_at(file, copy->sealed, vfs->page_size, place, err));
    if (!vfs_unseal(vfs, VFS_KIND_PAGE, NULL, page, plain, copy->sealed,
                    vfs->page_size - SK_PAGE_OVERHEAD))
        return sk_fail(err, SK_DAMAGED, "%s: page %llu is damaged", sk_file_path(file),
                       (unsigned long long)page);
    return SK_OK;
}

static enum sk_status write_pages(const struct copy *copy, struct sk_error *err)
{
    const size_t len = copy->from->page_size - SK_PAGE_OVERHEAD;
    for (uint64_t page = 1; page <= copy->pages; page++) {
        SK_TRY(load_page(copy, copy->from, copy->source, page, copy->plain, err));
        vfs_seal(copy->to, VFS_KIND_PAGE, NULL, page, copy->sealed, copy->plain, len);
        SK_TRY(sk_file_write(copy->target, copy->sealed, copy->to->page_size, err));
        copy->tell(copy->context, copy->to->page_size);
    }
    return SK_OK;
}

/* The key of the source may be gone for good after this, so nothing is taken on trust. */
static enum sk_status compare_pages(const struct copy *copy, struct sk_error *err)
{
    for (uint64_t page = 1; page <= copy->pages; page++) {
        SK_TRY(load_page(copy, copy->from, copy->source, page, copy->plain, err));
        SK_TRY(load_page(copy, copy->to, copy->target, page, copy->other, err));
        if (memcmp(copy->plain, copy->other, copy->from->page_size - SK_PAGE_OVERHEAD) != 0)
            return sk_fail(err, SK_DAMAGED, "%s: page %llu did not come back as it was written",
                           sk_file_path(copy->target), (unsigned long long)page);
        copy->tell(copy->context, copy->to->page_size);
    }
    return SK_OK;
}

enum sk_status sk_vfs_copy(const struct sk_vfs *from, const char *from_path,
                           const struct sk_vfs *to, const char *to_path, sk_vfs_copied_fn *tell,
                           void *context, struct sk_error *err)
{
    auto_copy copy = {.from = from, .to = to, .tell = tell, .context = context};

    if (from->page_size != to->page_size)
        return sk_fail_status(err, SK_INTERNAL);
    copy.plain = calloc(1, from->page_size);
    copy.other = calloc(1, from->page_size);
    copy.sealed = calloc(1, from->page_size);
    if (!copy.plain || !copy.other || !copy.sealed)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_file_open(&copy.source, from_path, err));
    SK_TRY(examine(&copy, err));
    SK_TRY(sk_file_create_beside(&copy.target, to_path, err));
    SK_TRY(write_preamble(&copy, err));
    SK_TRY(write_pages(&copy, err));
    SK_TRY(sk_file_sync(copy.target, err));
    (void)sk_file_uncache(copy.target);
    SK_TRY(compare_pages(&copy, err));
    return sk_file_publish(copy.target, true, err);
}

/* ---- putting in place ---- */

static enum sk_status copy_bytes(struct sk_file *from, struct sk_file *to, uint64_t start,
                                 uint64_t end, struct sk_error *err)
{
    uint8_t piece[VFS_PREAMBLE_LEN];
    SK_TRY(sk_file_seek(to, start, err));
    while (start < end) {
        size_t len = end - start < sizeof(piece) ? (size_t)(end - start) : sizeof(piece);
        SK_TRY(sk_file_read_at(from, piece, len, start, err));
        SK_TRY(sk_file_write(to, piece, len, err));
        start += len;
    }
    return SK_OK;
}

/* Opens what is there if it has that length; *out stays NULL otherwise. */
static enum sk_status open_same(struct sk_file **out, const char *path, uint64_t size,
                                struct sk_error *err)
{
    sk_auto_file file = NULL;
    bool there = false;
    bool regular = false;
    uint64_t old_size = 0;

    SK_TRY(sk_file_find(path, &there, err));
    if (!there)
        return SK_OK;
    SK_TRY(sk_file_open_over(&file, path, err));
    SK_TRY(sk_file_size(file, &old_size, &regular, err));
    if (old_size == size)
        *out = SK_TAKE(file);
    return SK_OK;
}

enum sk_status sk_vfs_put(const char *from_path, const char *to_path, struct sk_error *err)
{
    sk_auto_file from = NULL;
    sk_auto_file to = NULL;
    bool regular = false;
    uint64_t size = 0;

    SK_TRY(sk_file_open_regular(&from, from_path, err));
    SK_TRY(sk_file_size(from, &size, &regular, err));
    SK_TRY(open_same(&to, to_path, size, err));
    bool over = to != NULL;
    if (!over)
        SK_TRY(sk_file_create_beside(&to, to_path, err));
    SK_TRY(copy_bytes(from, to, VFS_PREAMBLE_LEN, size, err));
    SK_TRY(sk_file_sync(to, err));
    SK_TRY(copy_bytes(from, to, 0, VFS_PREAMBLE_LEN, err));
    SK_TRY(over ? sk_file_sync(to, err) : sk_file_publish(to, true, err));
    return sk_file_remove(from_path, err);
}

/* ---- mending ---- */

/* Writes a page to the target if only the source has it whole. What cannot be read is not passed
 * over: the source goes after this. */
static enum sk_status mend_page(const struct copy *copy, uint64_t page, struct sk_error *err)
{
    struct sk_error why = SK_ERROR_INIT;
    if (load_page(copy, copy->to, copy->target, page, copy->plain, NULL) == SK_OK)
        return SK_OK;
    enum sk_status here = load_page(copy, copy->from, copy->source, page, copy->plain, &why);
    if (here != SK_OK)
        return here == SK_DAMAGED ? SK_OK : sk_fail(err, here, "%s", why.text);
    uint64_t place = VFS_PREAMBLE_LEN + (page - 1) * copy->from->page_size;
    SK_TRY(sk_file_seek(copy->target, place, err));
    return sk_file_write(copy->target, copy->sealed, copy->from->page_size, err);
}

/* Whether something may have been written to the target since: its pages are changed only after a
 * log began, which takes later epochs. */
static enum sk_status examine_target(const struct copy *copy, bool *same, struct sk_error *err)
{
    struct vfs_preamble preamble = {0};
    bool found = false;
    SK_TRY(load_preamble(copy->to, copy->target, &preamble, &found, err));
    *same = found && preamble.epoch <= VFS_COPY_COUNT;
    return SK_OK;
}

enum sk_status sk_vfs_mend(const struct sk_vfs *vfs, const char *from_path, const char *to_path,
                           struct sk_error *err)
{
    auto_copy copy = {.from = vfs, .to = vfs};
    struct sk_error why = SK_ERROR_INIT;
    uint64_t size = 0;
    bool regular = false, same = false;

    copy.plain = calloc(1, vfs->page_size);
    copy.sealed = calloc(1, vfs->page_size);
    if (!copy.plain || !copy.sealed)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_file_open_over(&copy.target, to_path, err));
    SK_TRY(examine_target(&copy, &same, err));
    enum sk_status status = same ? sk_file_open_regular(&copy.source, from_path, &why) : SK_REFUSED;
    if (status == SK_OK)
        status = sk_file_size(copy.source, &size, &regular, &why);
    if (status != SK_OK && status != SK_REFUSED) /* a link or a pipe is none that was put */
        return sk_fail(err, status, "%s", why.text);
    if (size > VFS_PREAMBLE_LEN)
        copy.pages = (size - VFS_PREAMBLE_LEN) / vfs->page_size;
    for (uint64_t page = 1; page <= copy.pages; page++)
        SK_TRY(mend_page(&copy, page, err));
    return sk_file_sync(copy.target, err);
}
