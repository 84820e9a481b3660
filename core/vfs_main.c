/*
 * `data` towards SQLite: pages are opened when read and sealed when written. SQLite's page n stands
 * at VFS_PREAMBLE_LEN + (n - 1) * page size; its last 40 bytes, which SQLite leaves alone, hold the
 * nonce and the tag, and are zeros towards SQLite.
 */
#include "core/vfs_internal.h"

#include <string.h>

static struct sk_vfs *vfs_of(sqlite3_file *file)
{
    return ((struct vfs_file *)(void *)file)->vfs;
}

static sqlite3_file *base_of(sqlite3_file *file)
{
    return ((struct vfs_file *)(void *)file)->base;
}

static sqlite3_int64 place_of(const struct sk_vfs *vfs, uint64_t page)
{
    return (sqlite3_int64)(VFS_PREAMBLE_LEN + (page - 1) * vfs->page_size);
}

/* The size towards SQLite. */
static int size_of(const struct vfs_file *file, uint64_t *size)
{
    int rc = vfs_base_size(file, size);
    if (rc == SQLITE_OK)
        *size = *size > VFS_PREAMBLE_LEN ? *size - VFS_PREAMBLE_LEN : 0;
    return rc;
}

int vfs_main_check_size(struct sk_vfs *vfs)
{
    uint64_t size;
    int rc = vfs_base_size(vfs->main, &size);
    if (rc != SQLITE_OK)
        return rc;
    /* An empty database beside a write-ahead log would make SQLite delete the log. */
    uint64_t least = VFS_PREAMBLE_LEN + (vfs->create ? 0 : vfs->page_size);
    if (size >= least)
        return SQLITE_OK;
    vfs_fault(vfs, vfs->main_path, "it was cut off");
    return SQLITE_IOERR;
}

int vfs_main_check_end(struct sk_vfs *vfs)
{
    uint64_t size;
    int rc = size_of(vfs->main, &size);
    if (rc != SQLITE_OK || size % vfs->page_size == 0 || vfs->preamble.needed > 0)
        return rc;
    vfs_fault(vfs, vfs->main_path, "it was cut off");
    return SQLITE_IOERR;
}

static int main_close(sqlite3_file *file)
{
    struct sk_vfs *vfs = vfs_of(file);
    sqlite3_file *base = base_of(file);
    int rc = base->pMethods->xClose(base);
    vfs->main = NULL;
    vfs->locked = false;
    sk_wipe(vfs->sealed, vfs->page_size + VFS_FRAME_HEAD);
    return rc;
}

/* ---- reading ---- */

/*
 * SQLite asks for the header before it recovers, and when a crash tore page 1 the whole page is in
 * the log. It takes from this read only the size of a page and of its reserved bytes.
 */
static void make_up_header(const struct sk_vfs *vfs, uint8_t header[static VFS_HEADER_READ])
{
    static const uint8_t fixed[] = {2, 2, SK_PAGE_OVERHEAD, 64, 32, 32};
    memset(header, 0, VFS_HEADER_READ);
    memcpy(header, "SQLite format 3", 16);
    header[16] = (uint8_t)(vfs->page_size >> 8);
    header[17] = (uint8_t)(vfs->page_size >> 16);
    memcpy(header + 18, fixed, sizeof(fixed));
}

/* Reads and opens one page into `out` (page size); SQLITE_IOERR_DATA when it does not open. */
static int read_page(const struct sk_vfs *vfs, sqlite3_file *base, uint64_t page, uint8_t *out)
{
    size_t len = vfs->page_size - SK_PAGE_OVERHEAD;

    int rc = base->pMethods->xRead(base, out, (int)vfs->page_size, place_of(vfs, page));
    if (rc == SQLITE_IOERR_SHORT_READ)
        return SQLITE_IOERR_DATA;
    if (rc != SQLITE_OK)
        return rc;
    if (!vfs_unseal(vfs, VFS_KIND_PAGE, NULL, page, out, out, len))
        return SQLITE_IOERR_DATA;
    memset(out + len, 0, SK_PAGE_OVERHEAD);
    return SQLITE_OK;
}

/* What cannot be had of a page: the header of a new database, or of a torn page 1; else damage. */
static int read_failed(struct sk_vfs *vfs, uint64_t page, uint8_t *out, size_t len, size_t within)
{
    uint64_t size;
    int rc = size_of(vfs->main, &size);
    if (rc != SQLITE_OK)
        return rc;
    if (size == 0 && len < vfs->page_size) {
        memset(out, 0, len);
        return SQLITE_IOERR_SHORT_READ;
    }
    if (page == 1 && within == 0 && len == VFS_HEADER_READ && !vfs->header_read) {
        vfs->header_read = true;
        make_up_header(vfs, out);
        return SQLITE_OK;
    }
    vfs_fault(vfs, vfs->main_path, "page %llu is %s", (unsigned long long)page,
              size <= (page - 1) * vfs->page_size ? "missing" : "damaged");
    return SQLITE_IOERR_READ;
}

static int main_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
    struct sk_vfs *vfs = vfs_of(file);
    uint64_t page = (uint64_t)offset / vfs->page_size + 1;
    size_t within = (size_t)((uint64_t)offset % vfs->page_size);
    size_t len = (size_t)amount;

    if (within + len > vfs->page_size)
        return SQLITE_IOERR_READ;
    uint8_t *to = len == vfs->page_size ? out : vfs->sealed;
    int rc = read_page(vfs, base_of(file), page, to);
    if (rc == SQLITE_IOERR_DATA)
        return read_failed(vfs, page, out, len, within);
    if (rc == SQLITE_OK && to != out)
        memcpy(out, to + within, len);
    return rc;
}

/* ---- writing ---- */

/* `plain` is page size minus SK_PAGE_OVERHEAD bytes. */
static int write_page(struct sk_vfs *vfs, uint64_t page, const uint8_t *plain)
{
    sqlite3_file *base = vfs->main->base;
    vfs_seal(vfs, VFS_KIND_PAGE, NULL, page, vfs->sealed, plain, vfs->page_size - SK_PAGE_OVERHEAD);
    int rc = base->pMethods->xWrite(base, vfs->sealed, (int)vfs->page_size, place_of(vfs, page));
    if (rc != SQLITE_OK)
        vfs->pages_there = 0;
    else if (page == vfs->pages_there + 1)
        vfs->pages_there = page;
    return rc;
}

/*
 * Fills with sealed zeros from the end of the file up to (not including) `page`. The size is asked
 * for only when the page may lie beyond the end: nobody else makes the file shorter while we hold
 * it.
 */
static int fill_gap(struct sk_vfs *vfs, uint64_t page)
{
    static const uint8_t zeros[65536];
    uint64_t size;
    if (page <= vfs->pages_there + 1)
        return SQLITE_OK;
    int rc = size_of(vfs->main, &size);
    uint64_t next = rc == SQLITE_OK ? size / vfs->page_size + 1 : page;

    if (next < page && size % vfs->page_size != 0) {
        vfs_fault(vfs, vfs->main_path, "page %llu is cut off", (unsigned long long)next);
        return SQLITE_IOERR_WRITE;
    }
    if (rc == SQLITE_OK)
        vfs->pages_there = next - 1;
    for (; rc == SQLITE_OK && next < page; next++)
        rc = write_page(vfs, next, zeros);
    return rc;
}

static int main_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset)
{
    struct sk_vfs *vfs = vfs_of(file);
    uint64_t page = (uint64_t)offset / vfs->page_size + 1;

    if (vfs->broken || vfs->read_only || (unsigned)amount != vfs->page_size ||
        (uint64_t)offset % vfs->page_size != 0 || !vfs_page_allowed(vfs, page, bytes))
        return SQLITE_IOERR_WRITE;
    int rc = vfs_log_before_checkpoint(vfs);
    if (rc == SQLITE_OK)
        rc = fill_gap(vfs, page);
    return rc == SQLITE_OK ? write_page(vfs, page, bytes) : rc;
}

static int main_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct sk_vfs *vfs = vfs_of(file);
    sqlite3_file *base = base_of(file);
    uint64_t now;

    if (vfs->broken || vfs->read_only || (uint64_t)size % vfs->page_size != 0)
        return SQLITE_IOERR_TRUNCATE;
    int rc = size_of(vfs->main, &now);
    if (rc == SQLITE_OK)
        rc = vfs_log_before_checkpoint(vfs);
    if (rc != SQLITE_OK)
        return rc;
    vfs->pages_there = 0;
    if ((uint64_t)size > now)
        return fill_gap(vfs, (uint64_t)size / vfs->page_size + 1);
    return base->pMethods->xTruncate(base, size + VFS_PREAMBLE_LEN);
}

static int main_sync(sqlite3_file *file, int flags)
{
    struct sk_vfs *vfs = vfs_of(file);
    sqlite3_file *base = base_of(file);

    if (vfs->broken)
        return SQLITE_IOERR_FSYNC;
    int rc = base->pMethods->xSync(base, flags);
    if (rc != SQLITE_OK)
        vfs->broken = true;
    return rc;
}

static int main_size(sqlite3_file *file, sqlite3_int64 *size)
{
    uint64_t bytes;
    int rc = size_of((struct vfs_file *)(void *)file, &bytes);
    if (rc == SQLITE_OK)
        *size = (sqlite3_int64)bytes;
    return rc;
}

/* ---- locks and the rest ---- */

/* Another process may have written while this one held no lock. */
static int main_lock(sqlite3_file *file, int level)
{
    struct sk_vfs *vfs = vfs_of(file);
    sqlite3_file *base = base_of(file);

    if (vfs->read_only && level > SQLITE_LOCK_SHARED) {
        if (vfs->locked)
            return SQLITE_OK;
        level = SQLITE_LOCK_SHARED;
    }
    int rc = base->pMethods->xLock(base, level);
    if (rc != SQLITE_OK || vfs->locked)
        return rc;
    vfs->pages_there = 0;
    rc = vfs_preamble_load(vfs);
    if (rc == SQLITE_OK)
        vfs->locked = true;
    else
        (void)base->pMethods->xUnlock(base, SQLITE_LOCK_NONE);
    return rc;
}

static int main_unlock(sqlite3_file *file, int level)
{
    struct sk_vfs *vfs = vfs_of(file);
    sqlite3_file *base = base_of(file);

    if (level == SQLITE_LOCK_NONE)
        vfs->locked = false;
    return base->pMethods->xUnlock(base, level);
}

static int main_check_reserved(sqlite3_file *file, int *reserved)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xCheckReservedLock(base, reserved);
}

/* Requests that would put bytes or mappings into the file past the sealing are not passed on. */
static int main_control(sqlite3_file *file, int op, void *arg)
{
    sqlite3_file *base = base_of(file);

    switch (op) {
    case SQLITE_FCNTL_SIZE_HINT:
    case SQLITE_FCNTL_CHUNK_SIZE:
        return SQLITE_OK;
    case SQLITE_FCNTL_LOCKSTATE:
    case SQLITE_FCNTL_LAST_ERRNO:
    case SQLITE_FCNTL_HAS_MOVED:
    case SQLITE_FCNTL_PERSIST_WAL:
    case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
    case SQLITE_FCNTL_SYNC:
    case SQLITE_FCNTL_COMMIT_PHASETWO:
        return base->pMethods->xFileControl(base, op, arg);
    default:
        return SQLITE_NOTFOUND;
    }
}

static int main_sector(sqlite3_file *file)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xSectorSize(base);
}

static int main_traits(sqlite3_file *file)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xDeviceCharacteristics(base) & SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

const sqlite3_io_methods vfs_main_methods = {
    .iVersion = 1,
    .xClose = main_close,
    .xRead = main_read,
    .xWrite = main_write,
    .xTruncate = main_truncate,
    .xSync = main_sync,
    .xFileSize = main_size,
    .xLock = main_lock,
    .xUnlock = main_unlock,
    .xCheckReservedLock = main_check_reserved,
    .xFileControl = main_control,
    .xSectorSize = main_sector,
    .xDeviceCharacteristics = main_traits,
};

/* ---- checking ---- */

int vfs_main_check(struct sk_vfs *vfs, const struct vfs_file *file, sk_vfs_bad_page_fn *each,
                   void *context)
{
    uint64_t size;
    int rc = size_of(file, &size);
    uint64_t pages = rc == SQLITE_OK ? (size + vfs->page_size - 1) / vfs->page_size : 0;

    for (uint64_t page = 1; page <= pages && rc == SQLITE_OK; page++) {
        rc = read_page(vfs, file->base, page, vfs->sealed);
        if (rc != SQLITE_IOERR_DATA)
            continue;
        bool in_log;
        rc = vfs_wal_find_page(vfs, page, &in_log);
        if (rc == SQLITE_OK && !in_log)
            each(context, page);
    }
    sk_wipe(vfs->sealed, vfs->page_size);
    return rc;
}
