/*
 * The first 8 KiB of `data`: two sealed copies of what the database has to know about its
 * write-ahead log (core/FORMAT.md). They are written in turn and each is synced before what it
 * announces happens, so that a write that was torn leaves the copy before it.
 */
#include "core/vfs_internal.h"
#include "crypto/bytes.h"

#include <string.h>

#define PLAIN_LEN (VFS_COPY_LEN - SK_PAGE_OVERHEAD)

#define AT_FORMAT    0
#define AT_PAGE_SIZE 4
#define AT_EPOCH     8
#define AT_RUNNING   16
#define AT_LOG_ID    24
#define AT_SPENT_ID  40
#define AT_NEEDED    56
#define AT_DIGEST    64

static void encode(const struct sk_vfs *vfs, const struct vfs_preamble *p,
                   uint8_t plain[static PLAIN_LEN])
{
    memset(plain, 0, PLAIN_LEN);
    sk_put_u32(plain + AT_FORMAT, VFS_FORMAT);
    sk_put_u32(plain + AT_PAGE_SIZE, vfs->page_size);
    sk_put_u64(plain + AT_EPOCH, p->epoch);
    sk_put_u32(plain + AT_RUNNING, p->running);
    memcpy(plain + AT_LOG_ID, p->log_id, VFS_LOG_ID_LEN);
    memcpy(plain + AT_SPENT_ID, p->spent_id, VFS_LOG_ID_LEN);
    sk_put_u64(plain + AT_NEEDED, p->needed);
    memcpy(plain + AT_DIGEST, p->digest, SK_HASH_LEN);
}

static void decode(const uint8_t plain[static PLAIN_LEN], struct vfs_preamble *p)
{
    p->epoch = sk_get_u64(plain + AT_EPOCH);
    p->running = sk_get_u32(plain + AT_RUNNING) != 0;
    memcpy(p->log_id, plain + AT_LOG_ID, VFS_LOG_ID_LEN);
    memcpy(p->spent_id, plain + AT_SPENT_ID, VFS_LOG_ID_LEN);
    p->needed = sk_get_u64(plain + AT_NEEDED);
    memcpy(p->digest, plain + AT_DIGEST, SK_HASH_LEN);
}

void vfs_preamble_seal(const struct sk_vfs *vfs, const struct vfs_preamble *p,
                       uint8_t sealed[static VFS_COPY_LEN])
{
    uint8_t plain[PLAIN_LEN];
    encode(vfs, p, plain);
    vfs_seal(vfs, VFS_KIND_PREAMBLE, NULL, p->epoch % VFS_COPY_COUNT, sealed, plain, PLAIN_LEN);
}

bool vfs_preamble_unseal(const struct sk_vfs *vfs, unsigned copy,
                         uint8_t block[static VFS_COPY_LEN], struct vfs_preamble *p)
{
    if (!vfs_unseal(vfs, VFS_KIND_PREAMBLE, NULL, copy, block, block, PLAIN_LEN))
        return false;
    decode(block, p);
    return true;
}

int vfs_preamble_create(struct sk_vfs *vfs)
{
    static const uint8_t zeros[VFS_PREAMBLE_LEN];
    sqlite3_file *base = vfs->main->base;
    struct vfs_preamble first = {0};

    int rc = base->pMethods->xWrite(base, zeros, VFS_PREAMBLE_LEN, 0);
    if (rc != SQLITE_OK)
        return rc;
    rc = vfs_preamble_store(vfs, &first);
    return rc == SQLITE_OK ? vfs_preamble_store(vfs, &first) : rc;
}

/* Reads one copy; *valid tells whether it opened. */
static int load_copy(struct sk_vfs *vfs, unsigned copy, struct vfs_preamble *p, bool *valid)
{
    uint8_t block[VFS_COPY_LEN];
    sqlite3_file *base = vfs->main->base;

    *valid = false;
    int rc =
        base->pMethods->xRead(base, block, VFS_COPY_LEN, (sqlite3_int64)copy * VFS_COPY_DISTANCE);
    if (rc == SQLITE_IOERR_SHORT_READ)
        return SQLITE_OK;
    if (rc != SQLITE_OK)
        return rc;
    if (!vfs_preamble_unseal(vfs, copy, block, p))
        return SQLITE_OK;
    if (sk_get_u32(block + AT_FORMAT) != VFS_FORMAT) {
        vfs_fault(vfs, vfs->main_path, "its format is not known to this program");
        return SQLITE_IOERR;
    }
    if (sk_get_u32(block + AT_PAGE_SIZE) != vfs->page_size) {
        vfs_fault(vfs, vfs->main_path, "its pages have another size");
        return SQLITE_IOERR;
    }
    *valid = true;
    return SQLITE_OK;
}

int vfs_preamble_load(struct sk_vfs *vfs)
{
    struct vfs_preamble newest = {0};
    bool found = false;

    for (unsigned copy = 0; copy < VFS_COPY_COUNT; copy++) {
        struct vfs_preamble p;
        bool valid;
        int rc = load_copy(vfs, copy, &p, &valid);
        if (rc != SQLITE_OK)
            return rc;
        if (valid && (!found || p.epoch > newest.epoch)) {
            newest = p;
            found = true;
        }
    }
    if (!found) {
        vfs_fault(vfs, vfs->main_path,
                  "its beginning is damaged, or belongs to another store or to another `keys`");
        return SQLITE_IOERR;
    }
    vfs->preamble = newest;
    return SQLITE_OK;
}

int vfs_preamble_store(struct sk_vfs *vfs, const struct vfs_preamble *next)
{
    uint8_t sealed[VFS_COPY_LEN];
    struct vfs_preamble p = *next;
    sqlite3_file *base = vfs->main->base;

    if (vfs->broken || vfs->read_only)
        return SQLITE_IOERR_WRITE;
    p.epoch = vfs->preamble.epoch + 1;
    vfs_preamble_seal(vfs, &p, sealed);
    sqlite3_int64 place = (sqlite3_int64)(p.epoch % VFS_COPY_COUNT) * VFS_COPY_DISTANCE;
    int rc = base->pMethods->xWrite(base, sealed, VFS_COPY_LEN, place);
    if (rc == SQLITE_OK)
        rc = base->pMethods->xSync(base, SQLITE_SYNC_NORMAL);
    if (rc != SQLITE_OK) {
        vfs->broken = true;
        return rc;
    }
    vfs->preamble = p;
    return SQLITE_OK;
}
