/*
 * The files of the tests' VFS: databases and logs are those of core's VFS; shared memory is that of
 * the base.
 *
 * Core keeps what it knows of a log between calls, since nobody else can write it there. With
 * shared memory somebody can, so it is read again whenever SQLite takes a lock in it: no use of a
 * log begins without one.
 */
#include "tests/support/vfs_entry_internal.h"

#include <string.h>

#define LOCK_RECOVER 2 /* SQLite's numbers of locks in shared memory */
#define OPEN_TRIES   100

static struct entry_file *file_of(sqlite3_file *file)
{
    return (struct entry_file *)(void *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return file_of(file)->real;
}

static sqlite3_file *base_of(sqlite3_file *file)
{
    return ((struct vfs_file *)(void *)real_of(file))->base;
}

/* ---- passed on to core's VFS ---- */

static int entry_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xRead(real, out, len, offset);
}

static int entry_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xWrite(real, bytes, len, offset);
}

static int entry_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xTruncate(real, size);
}

static int entry_sync(sqlite3_file *file, int flags)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xSync(real, flags);
}

static int entry_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xFileSize(real, size);
}

static int entry_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xLock(real, level);
}

static int entry_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xUnlock(real, level);
}

static int entry_check_reserved(sqlite3_file *file, int *reserved)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xCheckReservedLock(real, reserved);
}

static int entry_control(sqlite3_file *file, int op, void *arg)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xFileControl(real, op, arg);
}

static int entry_sector(sqlite3_file *file)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xSectorSize(real);
}

static int entry_traits(sqlite3_file *file)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xDeviceCharacteristics(real);
}

/* ---- databases ---- */

static int main_close(sqlite3_file *file)
{
    struct entry_file *own = file_of(file);
    entry_forget(own);
    int rc = own->real->pMethods->xClose(own->real);
    sk_vfs_unregister(own->inner);
    return rc;
}

/*
 * From the first read SQLite takes a database's page size and reserved bytes, and from an empty
 * file its own defaults. Programs that know nothing of us are told ours.
 */
static int main_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    const struct entry_file *own = file_of(file);
    unsigned page_size = own->inner->page_size;
    uint8_t *header = out;

    int rc = entry_read(file, out, len, offset);
    if (rc != SQLITE_IOERR_SHORT_READ || offset != 0 || len != VFS_HEADER_READ)
        return rc;
    header[16] = (uint8_t)(page_size >> 8);
    header[17] = (uint8_t)(page_size >> 16);
    header[20] = SK_PAGE_OVERHEAD;
    return rc;
}

/* ---- shared memory ---- */

/* The frames of this log that are in the file, from those known on. */
static int find_end(struct sk_vfs *vfs)
{
    bool opened = true;
    while (opened) {
        int rc = vfs_wal_load_frame(vfs, vfs->wal.end + 1, &opened);
        if (rc != SQLITE_OK)
            return rc;
        if (opened)
            vfs->wal.end++;
    }
    return SQLITE_OK;
}

/* Makes what is known of the log what is on disk. A head that is being written is none yet. */
static int look_again(struct sk_vfs *vfs, bool recovers)
{
    struct vfs_wal *wal = &vfs->wal;
    uint8_t id[VFS_LOG_ID_LEN];
    uint64_t end = wal->end;
    bool had_head = wal->has_head;

    memcpy(id, wal->id, sizeof(id));
    vfs->pages_there = 0;
    int rc = vfs_preamble_load(vfs);
    if (rc != SQLITE_OK)
        return rc;
    uint64_t needed = vfs->preamble.needed;
    vfs->preamble.needed = 0; /* whether they are all there was looked at when it was opened */
    rc = vfs_log_examine(vfs);
    vfs->preamble.needed = needed;
    if (rc == SQLITE_IOERR) {
        vfs->fault[0] = '\0';
        wal->has_head = false;
    } else if (rc != SQLITE_OK) {
        return rc;
    }
    wal->written = !recovers;
    if (!wal->has_head)
        return SQLITE_OK;
    wal->end = had_head && memcmp(id, wal->id, sizeof(id)) == 0 ? end : 0;
    return find_end(vfs);
}

int entry_open_log(struct entry_file *file, const char *path, int flags, int *out_flags)
{
    struct sk_vfs *vfs = file->inner;
    int rc = SQLITE_IOERR;

    if (!file->entry->journals)
        return vfs->methods.xOpen(&vfs->methods, path, file->real, flags, out_flags);
    /* Another process may begin or end a log in between: what core takes for damage passes. */
    for (int i = 0; i < OPEN_TRIES && rc == SQLITE_IOERR; i++) {
        if (i > 0) {
            vfs->fault[0] = '\0';
            (void)vfs->base->xSleep(vfs->base, 1000);
            rc = vfs_preamble_load(vfs);
            if (rc != SQLITE_OK)
                return rc;
        }
        rc = vfs->methods.xOpen(&vfs->methods, path, file->real, flags, out_flags);
    }
    return rc;
}

static int main_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    sqlite3_file *base = base_of(file);
    if (base->pMethods->iVersion < 2)
        return SQLITE_IOERR_SHMMAP;
    return base->pMethods->xShmMap(base, region, size, extend, out);
}

static int main_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    struct sk_vfs *vfs = file_of(file)->inner;
    sqlite3_file *base = base_of(file);

    int rc = base->pMethods->xShmLock(base, offset, n, flags);
    if (rc != SQLITE_OK || !(flags & SQLITE_SHM_LOCK) || !vfs->wal_file)
        return rc;
    bool recovers =
        (flags & SQLITE_SHM_EXCLUSIVE) && offset <= LOCK_RECOVER && offset + n > LOCK_RECOVER;
    rc = look_again(vfs, recovers);
    if (rc != SQLITE_OK)
        (void)base->pMethods->xShmLock(base, offset, n,
                                       (flags & ~SQLITE_SHM_LOCK) | SQLITE_SHM_UNLOCK);
    return rc;
}

static void main_shm_barrier(sqlite3_file *file)
{
    sqlite3_file *base = base_of(file);
    base->pMethods->xShmBarrier(base);
}

static int main_shm_unmap(sqlite3_file *file, int remove)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xShmUnmap(base, remove);
}

/* ---- logs ---- */

static int log_close(sqlite3_file *file)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods->xClose(real);
}

/* A checkpoint of another process may have changed the preamble since the last lock. */
static int log_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    const struct entry_file *own = file_of(file);
    if (own->entry->journals && offset == 0) {
        int rc = vfs_preamble_load(own->inner);
        if (rc != SQLITE_OK)
            return rc;
    }
    return entry_write(file, bytes, len, offset);
}

/* ---- tables ---- */

#define COMMON                                                                                \
    .xTruncate = entry_truncate, .xSync = entry_sync, .xFileSize = entry_size,                \
    .xLock = entry_lock, .xUnlock = entry_unlock, .xCheckReservedLock = entry_check_reserved, \
    .xFileControl = entry_control, .xSectorSize = entry_sector,                               \
    .xDeviceCharacteristics = entry_traits

const sqlite3_io_methods *entry_main_methods(bool journals)
{
    static const sqlite3_io_methods strict = {
        .iVersion = 1, .xClose = main_close, .xRead = main_read, .xWrite = entry_write, COMMON};
    static const sqlite3_io_methods shared = {.iVersion = 2,
                                              .xClose = main_close,
                                              .xRead = main_read,
                                              .xWrite = entry_write,
                                              COMMON,
                                              .xShmMap = main_shm_map,
                                              .xShmLock = main_shm_lock,
                                              .xShmBarrier = main_shm_barrier,
                                              .xShmUnmap = main_shm_unmap};
    return journals ? &shared : &strict;
}

const sqlite3_io_methods *entry_log_methods(void)
{
    static const sqlite3_io_methods methods = {
        .iVersion = 1, .xClose = log_close, .xRead = entry_read, .xWrite = log_write, COMMON};
    return &methods;
}
