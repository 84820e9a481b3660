/*
 * How a write-ahead log and a database are bound to each other, so that an old log put beside a
 * newer database, a log that was cut, or a missing one is noticed. The preamble of `data` names the
 * log:
 *
 * - a new head:      preamble "no log runs, <id> may begin", then the head;
 * - the first frame: head synced, preamble "<id> runs"; from then on its absence is damage;
 * - a checkpoint:    preamble "frames 1..n of <id> are needed" with a digest over them, then pages;
 * - cut or removed:  preamble "no log runs, <id> is spent", cut, synced, preamble "no log runs".
 *
 * Every preamble is synced before the next step, so a crash leaves a state that is listed here.
 */
#include "core/vfs_internal.h"

#include <string.h>

static const uint8_t no_id[VFS_LOG_ID_LEN];

/* H(log subkey, "wal", tags of the frames 1..count): says exactly which frames these are. */
static int digest_frames(struct sk_vfs *vfs, uint64_t count, uint8_t digest[static SK_HASH_LEN])
{
    struct sk_hash hash;
    int rc = SQLITE_OK;

    sk_hash_init(&hash, vfs_key(vfs, VFS_KIND_FRAME), SK_LABEL_WAL);
    for (uint64_t frame = 1; frame <= count && rc == SQLITE_OK; frame++) {
        uint8_t tag[SK_AEAD_TAG_LEN];
        rc = vfs_wal_tag(vfs, frame, tag);
        sk_hash_add(&hash, tag, sizeof(tag));
    }
    sk_hash_end(&hash, digest);
    return rc;
}

/* The database depends on the first `count` frames from now on (0: on none). */
static int store_needed(struct sk_vfs *vfs, uint64_t count)
{
    struct vfs_preamble next = vfs->preamble;
    next.needed = count;
    memset(next.digest, 0, sizeof(next.digest));
    int rc = count > 0 ? digest_frames(vfs, count, next.digest) : SQLITE_OK;
    return rc == SQLITE_OK ? vfs_preamble_store(vfs, &next) : rc;
}

int vfs_log_before_checkpoint(struct sk_vfs *vfs)
{
    if (!vfs->preamble.running)
        return SQLITE_OK;
    if (!vfs->wal_file || !vfs->wal.has_head)
        return SQLITE_IOERR_WRITE;
    if (vfs->wal.end <= vfs->preamble.needed)
        return SQLITE_OK;
    return store_needed(vfs, vfs->wal.end);
}

static int sync_head(struct sk_vfs *vfs)
{
    sqlite3_file *base = vfs->wal_file->base;
    if (vfs->wal.head_synced)
        return SQLITE_OK;
    int rc = base->pMethods->xSync(base, SQLITE_SYNC_NORMAL);
    vfs->wal.head_synced = rc == SQLITE_OK;
    vfs->broken = rc != SQLITE_OK;
    return rc;
}

/* From the first frame on the log has to be there. */
static int start_running(struct sk_vfs *vfs)
{
    struct vfs_preamble next = {.running = true};

    if (vfs->preamble.running)
        return SQLITE_OK;
    int rc = sync_head(vfs);
    if (rc != SQLITE_OK)
        return rc;
    memcpy(next.log_id, vfs->wal.id, VFS_LOG_ID_LEN);
    return vfs_preamble_store(vfs, &next);
}

int vfs_log_before_frame(struct sk_vfs *vfs, uint64_t frame)
{
    int rc = start_running(vfs);
    /* SQLite never writes over a committed frame: so the database does not depend on this one. */
    if (rc == SQLITE_OK && frame <= vfs->preamble.needed)
        rc = store_needed(vfs, frame - 1);
    return rc;
}

int vfs_log_before_cut(struct sk_vfs *vfs, uint64_t frames)
{
    return frames < vfs->preamble.needed ? store_needed(vfs, frames) : SQLITE_OK;
}

/* ---- opening ---- */

static bool same_id(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, VFS_LOG_ID_LEN) == 0;
}

static int refuse_log(struct sk_vfs *vfs, const char *words)
{
    vfs_fault(vfs, vfs->wal_path, "%s", words);
    return SQLITE_IOERR;
}

static const char foreign_words[] = "the write-ahead log belongs to another state of the store";

/* The log that the preamble names: it must be this one, with every frame the database needs. */
static int examine_running(struct sk_vfs *vfs, uint64_t size, bool opened)
{
    const struct vfs_preamble *p = &vfs->preamble;
    uint8_t digest[SK_HASH_LEN];

    if (size == 0)
        return refuse_log(vfs, "the write-ahead log is missing");
    if (!opened)
        return refuse_log(vfs, "the head of the write-ahead log is damaged");
    if (!same_id(vfs->wal.id, p->log_id))
        return refuse_log(vfs, foreign_words);
    vfs->wal.has_head = true;
    vfs->wal.head_synced = true;
    /* Also without a frame: a copy of the preamble that was lost may have needed some. */
    vfs->recovered = true;
    if (p->needed == 0)
        return SQLITE_OK;
    if (size < (uint64_t)vfs_frame_place(vfs, p->needed + 1))
        return refuse_log(vfs, "the write-ahead log was cut off");
    int rc = digest_frames(vfs, p->needed, digest);
    if (rc == SQLITE_OK && memcmp(digest, p->digest, SK_HASH_LEN) != 0)
        return refuse_log(vfs, foreign_words);
    return rc;
}

/* No log runs. What a crash may have left reads as empty; anything else was put there. */
static int examine_idle(struct sk_vfs *vfs, bool opened)
{
    const struct vfs_preamble *p = &vfs->preamble;
    bool begun = opened && same_id(vfs->wal.id, p->log_id) && !same_id(vfs->wal.id, no_id);
    bool spent = opened && same_id(vfs->wal.id, p->spent_id) && !same_id(vfs->wal.id, no_id);

    if (opened && !begun && !spent)
        return refuse_log(vfs, foreign_words);
    if (begun) {
        /* Frames come after the preamble that says so: a newer copy of it was lost. */
        bool frame_opened;
        int rc = vfs_chain_any(vfs, &frame_opened);
        if (rc != SQLITE_OK)
            return rc;
        if (frame_opened) {
            vfs_fault(vfs, vfs->main_path, "its beginning is damaged");
            return SQLITE_IOERR;
        }
    }
    return SQLITE_OK;
}

int vfs_log_examine(struct sk_vfs *vfs)
{
    struct vfs_wal *wal = &vfs->wal;
    sqlite3_file *base = vfs->wal_file->base;
    uint8_t sealed[VFS_HEAD_SEALED_LEN];
    uint8_t plain[VFS_HEAD_PLAIN_LEN];
    uint64_t size;

    vfs_wal_forget(vfs);
    if (vfs->wal_file->absent)
        return SQLITE_OK;
    int rc = vfs_base_size(vfs->wal_file, &size);
    if (rc != SQLITE_OK)
        return rc;
    bool opened = false;
    if (size >= VFS_HEAD_SEALED_LEN) {
        rc = base->pMethods->xRead(base, sealed, VFS_HEAD_SEALED_LEN, 0);
        if (rc != SQLITE_OK)
            return rc;
        opened = vfs_unseal(vfs, VFS_KIND_LOG_HEAD, NULL, 0, plain, sealed, VFS_HEAD_PLAIN_LEN);
    }
    if (opened) {
        memcpy(wal->head, plain, VFS_LOG_HEAD);
        memcpy(wal->id, plain + VFS_LOG_HEAD, VFS_LOG_ID_LEN);
    }
    return vfs->preamble.running ? examine_running(vfs, size, opened) : examine_idle(vfs, opened);
}

/* ---- a new head ---- */

/* What lies in the file from before is not needed any more, and cannot be taken for ours. */
static int empty_file(struct sk_vfs *vfs)
{
    sqlite3_file *base = vfs->wal_file->base;
    uint64_t size;
    int rc = vfs_base_size(vfs->wal_file, &size);
    if (rc != SQLITE_OK || size == 0)
        return rc;
    rc = base->pMethods->xTruncate(base, 0);
    return rc == SQLITE_OK ? base->pMethods->xSync(base, SQLITE_SYNC_NORMAL) : rc;
}

/* The preamble before a new head: a log that ran until now is all in the database. */
int vfs_log_before_head(struct sk_vfs *vfs, uint8_t id[static VFS_LOG_ID_LEN])
{
    struct vfs_preamble next = {0};

    /* Synced, so that after a crash no head but this one or the new one can be found. */
    int rc = vfs->wal.has_head ? sync_head(vfs) : empty_file(vfs);
    if (rc != SQLITE_OK)
        return rc;
    if (vfs->wal.has_head)
        memcpy(next.spent_id, vfs->wal.id, VFS_LOG_ID_LEN);
    sk_random(id, VFS_LOG_ID_LEN);
    memcpy(next.log_id, id, VFS_LOG_ID_LEN);
    return vfs_preamble_store(vfs, &next);
}

/* ---- the end of a log ---- */

/* Everything is in the database and synced: SQLite cuts or removes a log only then. */
static int announce_end(struct sk_vfs *vfs)
{
    struct vfs_preamble next = {0};
    if (!vfs->preamble.running)
        return SQLITE_OK;
    memcpy(next.spent_id, vfs->preamble.log_id, VFS_LOG_ID_LEN);
    return vfs_preamble_store(vfs, &next);
}

/* The log is gone for good, so that one with its id is now a stranger. */
static int confirm_end(struct sk_vfs *vfs)
{
    struct vfs_preamble next = {0};
    if (same_id(vfs->preamble.log_id, no_id) && same_id(vfs->preamble.spent_id, no_id))
        return SQLITE_OK;
    return vfs_preamble_store(vfs, &next);
}

int vfs_log_cut_to_nothing(struct sk_vfs *vfs)
{
    int rc = announce_end(vfs);
    if (rc == SQLITE_OK)
        rc = empty_file(vfs);
    if (rc == SQLITE_OK)
        rc = confirm_end(vfs);
    vfs_wal_forget(vfs);
    vfs->wal.written = true;
    if (rc != SQLITE_OK)
        vfs->broken = true;
    return rc;
}

int vfs_log_remove(struct sk_vfs *vfs, const char *path, int sync_folder)
{
    if (vfs->broken || vfs->read_only || !vfs->main || vfs->wal_file)
        return SQLITE_IOERR_DELETE;
    bool ended = !vfs->preamble.running && same_id(vfs->preamble.log_id, no_id) &&
                 same_id(vfs->preamble.spent_id, no_id);
    int rc = announce_end(vfs);
    if (rc == SQLITE_OK)
        rc = vfs->base->xDelete(vfs->base, path, ended ? sync_folder : 1);
    return rc == SQLITE_OK ? confirm_end(vfs) : rc;
}
