/*
 * `data-wal` towards SQLite. A frame is sealed as one record: its header of 24 bytes and its page,
 * with nonce and tag in the page's reserved bytes. So SQLite's checksums, which are linear, and its
 * commit marks, which could be forged, are neither seen nor changed from outside.
 *
 * SQLite writes a frame in pieces (header, page; each of them in two where a sync point falls
 * into it) and later rewrites headers or pages alone. A piece of a frame that is in the file
 * already is put into it at once; a piece of a new frame is held until the rest comes, and
 * forgotten when something else is written before.
 *
 * Without POWERSAFE_OVERWRITE SQLite fills the last sector of a commit with further frames, syncs
 * up to the sector's end in the middle of one, and never writes below that place again. Here the
 * frame that was held is written as a whole after that sync, and therefore synced once more at
 * once.
 */
#include "core/vfs_internal.h"

#include <string.h>

static struct sk_vfs *vfs_of(sqlite3_file *file)
{
    return ((struct vfs_file *)(void *)file)->vfs;
}

void vfs_wal_forget(struct sk_vfs *vfs)
{
    struct vfs_wal *wal = &vfs->wal;
    uint8_t *held_frame = wal->held_frame;
    uint8_t *frame = wal->frame;
    struct sk_buf tags = wal->tags;

    sk_wipe(held_frame, vfs_frame_len(vfs));
    sk_wipe(frame, vfs_frame_len(vfs));
    sk_wipe(wal, sizeof(*wal));
    wal->held_frame = held_frame;
    wal->frame = frame;
    wal->tags = tags;
    wal->tags.len = 0;
}

/* ---- tags ---- */

static uint64_t tags_known(const struct vfs_wal *wal)
{
    return wal->tags.len / SK_AEAD_TAG_LEN;
}

/*
 * A frame is in the file as `sealed` has it. Without memory its tag, and those that follow, are
 * read from the file when they are needed.
 */
static void note_tag(struct sk_vfs *vfs, uint64_t frame, const uint8_t *sealed)
{
    struct vfs_wal *wal = &vfs->wal;
    const uint8_t *tag = sealed + vfs_frame_len(vfs) - SK_AEAD_TAG_LEN;
    if (frame <= tags_known(wal))
        memcpy(wal->tags.bytes + (frame - 1) * SK_AEAD_TAG_LEN, tag, SK_AEAD_TAG_LEN);
    else if (frame == tags_known(wal) + 1)
        sk_ignore(sk_buf_add(&wal->tags, tag, SK_AEAD_TAG_LEN, NULL));
}

/* What is in the file from a frame on is not known any more. */
static void forget_tags(struct sk_vfs *vfs, uint64_t frame)
{
    if (tags_known(&vfs->wal) >= frame)
        vfs->wal.tags.len = (size_t)(frame - 1) * SK_AEAD_TAG_LEN;
}

int vfs_wal_tag(struct sk_vfs *vfs, uint64_t frame, uint8_t tag[static SK_AEAD_TAG_LEN])
{
    sqlite3_file *base = vfs->wal_file->base;
    if (frame > tags_known(&vfs->wal))
        return base->pMethods->xRead(base, tag, SK_AEAD_TAG_LEN,
                                     vfs_frame_place(vfs, frame + 1) - SK_AEAD_TAG_LEN);
    memcpy(tag, vfs->wal.tags.bytes + (frame - 1) * SK_AEAD_TAG_LEN, SK_AEAD_TAG_LEN);
    return SQLITE_OK;
}

/* ---- one frame ---- */

int vfs_wal_load_frame(struct sk_vfs *vfs, uint64_t frame, bool *opened)
{
    struct vfs_wal *wal = &vfs->wal;
    sqlite3_file *base = vfs->wal_file->base;
    size_t len = vfs_frame_len(vfs);

    *opened = true;
    if (wal->opened == frame)
        return SQLITE_OK;
    wal->opened = 0;
    int rc = base->pMethods->xRead(base, wal->frame, (int)len, vfs_frame_place(vfs, frame));
    if (rc == SQLITE_IOERR_SHORT_READ) {
        *opened = false;
        return SQLITE_OK;
    }
    if (rc != SQLITE_OK)
        return rc;
    *opened = vfs_unseal(vfs, VFS_KIND_FRAME, wal->id, vfs_frame_offset(vfs, frame), wal->frame,
                         wal->frame, len - SK_PAGE_OVERHEAD);
    if (*opened) {
        memset(wal->frame + len - SK_PAGE_OVERHEAD, 0, SK_PAGE_OVERHEAD);
        wal->opened = frame;
    }
    return SQLITE_OK;
}

static uint64_t page_of(const uint8_t *frame)
{
    return (uint64_t)frame[0] << 24 | (uint64_t)frame[1] << 16 | (uint64_t)frame[2] << 8 | frame[3];
}

int vfs_wal_find_page(struct sk_vfs *vfs, uint64_t page, bool *found)
{
    int rc = SQLITE_OK;
    *found = false;
    if (!vfs->wal_file || !vfs->wal.has_head)
        return SQLITE_OK;
    for (uint64_t frame = 1; frame <= vfs->preamble.needed && !*found && rc == SQLITE_OK; frame++) {
        bool opened;
        rc = vfs_wal_load_frame(vfs, frame, &opened);
        *found = rc == SQLITE_OK && opened && page_of(vfs->wal.frame) == page;
    }
    return rc;
}

/* Seals and writes a whole frame. `page`: whose page it holds, 0 when that is not known. */
static int store_frame(struct sk_vfs *vfs, uint64_t frame, uint64_t page, const uint8_t *plain)
{
    struct vfs_wal *wal = &vfs->wal;
    sqlite3_file *base = vfs->wal_file->base;
    size_t len = vfs_frame_len(vfs);

    if (!wal->has_head || frame > wal->end + 1 ||
        !vfs_page_allowed(vfs, page, plain + VFS_FRAME_HEAD))
        return SQLITE_IOERR_WRITE;
    int rc = vfs_log_before_frame(vfs, frame);
    if (rc != SQLITE_OK)
        return rc;
    if (plain != wal->frame && wal->opened == frame)
        wal->opened = 0;
    vfs_seal(vfs, VFS_KIND_FRAME, wal->id, vfs_frame_offset(vfs, frame), vfs->sealed, plain,
             len - SK_PAGE_OVERHEAD);
    rc = base->pMethods->xWrite(base, vfs->sealed, (int)len, vfs_frame_place(vfs, frame));
    if (rc != SQLITE_OK) {
        wal->opened = 0;
        forget_tags(vfs, frame);
        return rc;
    }
    note_tag(vfs, frame, vfs->sealed);
    if (frame > wal->end)
        wal->end = frame;
    return SQLITE_OK;
}

/* ---- reading ---- */

/* A log that does not count is an empty file. */
static int read_head(const struct sk_vfs *vfs, uint8_t *out, size_t len, size_t offset)
{
    if (!vfs->wal.has_head || offset + len > VFS_LOG_HEAD) {
        memset(out, 0, len);
        return SQLITE_IOERR_SHORT_READ;
    }
    memcpy(out, vfs->wal.head + offset, len);
    return SQLITE_OK;
}

/*
 * Recovery reads frame after frame until one does not hold: that is where the log ends, unless the
 * database needs that frame, or what is behind it shows that it was on the disk before.
 */
static int recover_frame(struct sk_vfs *vfs, uint64_t frame, uint8_t *out)
{
    struct vfs_wal *wal = &vfs->wal;
    bool opened;
    bool lost = frame <= vfs->preamble.needed;
    int rc = vfs_wal_load_frame(vfs, frame, &opened);
    if (rc != SQLITE_OK)
        return rc;
    if (opened) {
        memcpy(out, wal->frame, vfs_frame_len(vfs));
        if (frame == wal->end + 1)
            wal->end = frame;
        return SQLITE_OK;
    }
    if (!lost)
        rc = vfs_chain_lost(vfs, frame, &lost);
    if (rc != SQLITE_OK)
        return rc;
    if (lost) {
        vfs_fault(vfs, vfs->wal_path, "frame %llu is damaged", (unsigned long long)frame);
        return SQLITE_IOERR_READ;
    }
    memset(out, 0, vfs_frame_len(vfs));
    return SQLITE_OK;
}

static int read_frame(struct sk_vfs *vfs, uint64_t frame, uint8_t *out, size_t len, size_t within)
{
    bool opened;
    int rc = vfs_wal_load_frame(vfs, frame, &opened);
    if (rc != SQLITE_OK)
        return rc;
    if (!opened) {
        vfs_fault(vfs, vfs->wal_path, "frame %llu is damaged", (unsigned long long)frame);
        return SQLITE_IOERR_READ;
    }
    memcpy(out, vfs->wal.frame + within, len);
    return SQLITE_OK;
}

/* The size towards SQLite. */
static int wal_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct sk_vfs *vfs = vfs_of(file);
    uint64_t bytes;

    *size = 0;
    if (!vfs->wal.has_head)
        return SQLITE_OK;
    int rc = vfs_base_size(vfs->wal_file, &bytes);
    if (rc == SQLITE_OK)
        *size = bytes > VFS_LOG_SHIFT + VFS_LOG_HEAD ? (sqlite3_int64)(bytes - VFS_LOG_SHIFT)
                                                     : VFS_LOG_HEAD;
    return rc;
}

static int wal_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
    struct sk_vfs *vfs = vfs_of(file);
    size_t len = (size_t)amount;

    if (offset < VFS_LOG_HEAD || !vfs->wal.has_head)
        return read_head(vfs, out, len, (size_t)offset);
    uint64_t frame = (uint64_t)(offset - VFS_LOG_HEAD) / vfs_frame_len(vfs) + 1;
    size_t within = (size_t)((uint64_t)(offset - VFS_LOG_HEAD) % vfs_frame_len(vfs));
    if (within + len > vfs_frame_len(vfs))
        return SQLITE_IOERR_READ;
    if (len == vfs_frame_len(vfs) && !vfs->wal.written)
        return recover_frame(vfs, frame, out);
    return read_frame(vfs, frame, out, len, within);
}

/* ---- writing ---- */

static int write_head(struct sk_vfs *vfs, const uint8_t *head)
{
    struct vfs_wal *wal = &vfs->wal;
    sqlite3_file *base = vfs->wal_file->base;
    uint8_t plain[VFS_HEAD_PLAIN_LEN];
    uint8_t sealed[VFS_HEAD_SEALED_LEN];

    int rc = vfs_log_before_head(vfs, plain + VFS_LOG_HEAD);
    if (rc == SQLITE_OK) {
        memcpy(plain, head, VFS_LOG_HEAD);
        vfs_seal(vfs, VFS_KIND_LOG_HEAD, NULL, 0, sealed, plain, VFS_HEAD_PLAIN_LEN);
        rc = base->pMethods->xWrite(base, sealed, VFS_HEAD_SEALED_LEN, 0);
    }
    vfs_wal_forget(vfs);
    wal->written = true;
    if (rc != SQLITE_OK) {
        vfs->broken = true;
        return rc;
    }
    memcpy(wal->head, plain, VFS_LOG_HEAD);
    memcpy(wal->id, plain + VFS_LOG_HEAD, VFS_LOG_ID_LEN);
    wal->has_head = true;
    return SQLITE_OK;
}

static int sync_log(struct sk_vfs *vfs, int flags)
{
    sqlite3_file *base = vfs->wal_file->base;
    int rc = base->pMethods->xSync(base, flags);
    if (rc == SQLITE_OK)
        vfs->wal.head_synced = true;
    else
        vfs->broken = vfs->unsure = true;
    return rc;
}

/* Puts the held piece into the frame that is in the file. */
static int amend_frame(struct sk_vfs *vfs, bool *done)
{
    struct vfs_wal *wal = &vfs->wal;
    int rc = vfs_wal_load_frame(vfs, wal->held, done);
    if (rc != SQLITE_OK || !*done)
        return rc;
    memcpy(wal->frame + wal->held_from, wal->held_frame + wal->held_from,
           wal->held_to - wal->held_from);
    /* A header may be the first half of a frame that takes the place of one that was undone. */
    uint64_t page = wal->held_from == 0 ? 0 : page_of(wal->frame);
    rc = store_frame(vfs, wal->held, page, wal->frame);
    if (rc != SQLITE_OK)
        wal->opened = 0;
    return rc;
}

static int write_piece(struct sk_vfs *vfs, uint64_t frame, size_t within, const uint8_t *bytes,
                       size_t len)
{
    struct vfs_wal *wal = &vfs->wal;
    bool done = false;

    if (wal->held != frame || wal->held_to != within) {
        wal->held = frame;
        wal->held_from = within;
        wal->held_over_sync = false;
    }
    memcpy(wal->held_frame + within, bytes, len);
    wal->held_to = within + len;

    if (wal->held_from == 0 && wal->held_to == vfs_frame_len(vfs)) {
        wal->held = 0;
        int rc = store_frame(vfs, frame, page_of(wal->held_frame), wal->held_frame);
        return rc == SQLITE_OK && wal->held_over_sync ? sync_log(vfs, SQLITE_SYNC_NORMAL) : rc;
    }
    if (frame <= wal->end) {
        int rc = amend_frame(vfs, &done);
        if (rc != SQLITE_OK)
            return rc;
    }
    /* The beginning of a frame waits for the rest; a rest without a beginning cannot be. */
    return done || wal->held_from == 0 ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

static int wal_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset)
{
    struct sk_vfs *vfs = vfs_of(file);
    size_t len = (size_t)amount;

    if (vfs->broken || vfs->read_only)
        return SQLITE_IOERR_WRITE;
    vfs->wal.written = true;
    if (offset < VFS_LOG_HEAD)
        return offset == 0 && len == VFS_LOG_HEAD ? write_head(vfs, bytes) : SQLITE_IOERR_WRITE;
    uint64_t frame = (uint64_t)(offset - VFS_LOG_HEAD) / vfs_frame_len(vfs) + 1;
    size_t within = (size_t)((uint64_t)(offset - VFS_LOG_HEAD) % vfs_frame_len(vfs));
    if (!vfs->wal.has_head || within + len > vfs_frame_len(vfs))
        return SQLITE_IOERR_WRITE;
    return write_piece(vfs, frame, within, bytes, len);
}

static int wal_sync(sqlite3_file *file, int flags)
{
    struct sk_vfs *vfs = vfs_of(file);

    if (vfs->broken || vfs->read_only)
        return SQLITE_IOERR_FSYNC;
    vfs->wal.held_over_sync = true;
    return sync_log(vfs, flags);
}

static int wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct sk_vfs *vfs = vfs_of(file);
    sqlite3_file *base = vfs->wal_file->base;

    if (vfs->broken || vfs->read_only)
        return SQLITE_IOERR_TRUNCATE;
    if (size < VFS_LOG_HEAD || !vfs->wal.has_head)
        return vfs_log_cut_to_nothing(vfs);
    uint64_t frames = (uint64_t)(size - VFS_LOG_HEAD) / vfs_frame_len(vfs);
    int rc = vfs_log_before_cut(vfs, frames);
    if (rc != SQLITE_OK)
        return rc;
    if (vfs->wal.end > frames)
        vfs->wal.end = frames;
    forget_tags(vfs, frames + 1);
    vfs->wal.held = 0;
    vfs->wal.opened = 0;
    return base->pMethods->xTruncate(base, size + VFS_LOG_SHIFT);
}

static int wal_close(sqlite3_file *file)
{
    struct sk_vfs *vfs = vfs_of(file);
    const struct vfs_file *own = vfs->wal_file;
    uint64_t size = 1;
    bool unused = own->created && vfs_base_size(own, &size) == SQLITE_OK && size == 0;
    int rc = own->absent ? SQLITE_OK : own->base->pMethods->xClose(own->base);
    if (unused) /* a store that is refused keeps the files that it had */
        (void)vfs->base->xDelete(vfs->base, vfs->wal_path, 0);
    vfs->wal_file = NULL;
    vfs_wal_forget(vfs);
    return rc;
}

/* ---- the rest ---- */

static int wal_lock(sqlite3_file *file, int level)
{
    (void)file, (void)level;
    return SQLITE_OK;
}

static int wal_check_reserved(sqlite3_file *file, int *reserved)
{
    (void)file;
    *reserved = 0;
    return SQLITE_OK;
}

static int wal_control(sqlite3_file *file, int op, void *arg)
{
    (void)file, (void)arg;
    return op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE ? SQLITE_OK
                                                                         : SQLITE_NOTFOUND;
}

static int wal_sector(sqlite3_file *file)
{
    struct sk_vfs *vfs = vfs_of(file);
    sqlite3_file *base = vfs->main->base;
    return base->pMethods->xSectorSize(base);
}

static int wal_traits(sqlite3_file *file)
{
    struct sk_vfs *vfs = vfs_of(file);
    sqlite3_file *base = vfs->main->base;
    return base->pMethods->xDeviceCharacteristics(base) & SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

const sqlite3_io_methods vfs_wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_lock,
    .xCheckReservedLock = wal_check_reserved,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector,
    .xDeviceCharacteristics = wal_traits,
};
