#include "tests/support/fault_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define VFS_MAX 4

struct fault_vfs {
    sqlite3_vfs methods;
    sqlite3_vfs *base;
    unsigned left; /* operations until one fails; 0: none will */
    bool failed;
    bool used;
    char name[32];
};

struct fault_file {
    sqlite3_file methods;
    struct fault_vfs *vfs;
    sqlite3_file *base;
};

static struct fault_vfs all[VFS_MAX];

static struct fault_vfs *vfs_of(sqlite3_vfs *methods)
{
    return (struct fault_vfs *)(void *)methods;
}

static struct fault_vfs *owner_of(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->vfs;
}

static sqlite3_file *base_of(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->base;
}

static bool fails(struct fault_vfs *vfs)
{
    if (vfs->left == 0)
        return vfs->failed;
    vfs->failed = --vfs->left == 0;
    return vfs->failed;
}

/* ---- files ---- */

static int file_close(sqlite3_file *file)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xClose(base);
}

static int file_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    sqlite3_file *base = base_of(file);
    return fails(owner_of(file)) ? SQLITE_IOERR_READ
                                 : base->pMethods->xRead(base, out, len, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    sqlite3_file *base = base_of(file);
    return fails(owner_of(file)) ? SQLITE_FULL : base->pMethods->xWrite(base, bytes, len, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *base = base_of(file);
    return fails(owner_of(file)) ? SQLITE_IOERR_TRUNCATE : base->pMethods->xTruncate(base, size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    sqlite3_file *base = base_of(file);
    return fails(owner_of(file)) ? SQLITE_IOERR_FSYNC : base->pMethods->xSync(base, flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *base = base_of(file);
    return fails(owner_of(file)) ? SQLITE_IOERR_FSTAT : base->pMethods->xFileSize(base, size);
}

static int file_lock(sqlite3_file *file, int level)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xLock(base, level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xUnlock(base, level);
}

static int file_check_reserved(sqlite3_file *file, int *reserved)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xCheckReservedLock(base, reserved);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xFileControl(base, op, arg);
}

static int file_sector(sqlite3_file *file)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xSectorSize(base);
}

static int file_traits(sqlite3_file *file)
{
    sqlite3_file *base = base_of(file);
    return base->pMethods->xDeviceCharacteristics(base);
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
};

/* ---- the VFS ---- */

static int vfs_open(sqlite3_vfs *methods, const char *path, sqlite3_file *opened, int flags,
                    int *out_flags)
{
    struct fault_vfs *vfs = vfs_of(methods);
    struct fault_file *file = (struct fault_file *)(void *)opened;

    memset(file, 0, sizeof(*file));
    if (fails(vfs))
        return SQLITE_CANTOPEN;
    file->vfs = vfs;
    file->base = (sqlite3_file *)(void *)(file + 1);
    int rc = vfs->base->xOpen(vfs->base, path, file->base, flags, out_flags);
    if (rc == SQLITE_OK)
        file->methods.pMethods = &file_methods;
    return rc;
}

static int vfs_delete(sqlite3_vfs *methods, const char *path, int sync_folder)
{
    struct fault_vfs *vfs = vfs_of(methods);
    return fails(vfs) ? SQLITE_IOERR_DELETE : vfs->base->xDelete(vfs->base, path, sync_folder);
}

static int vfs_access(sqlite3_vfs *methods, const char *path, int flags, int *out)
{
    struct fault_vfs *vfs = vfs_of(methods);
    return fails(vfs) ? SQLITE_IOERR_ACCESS : vfs->base->xAccess(vfs->base, path, flags, out);
}

static int vfs_full_path(sqlite3_vfs *methods, const char *path, int room, char *out)
{
    sqlite3_vfs *base = vfs_of(methods)->base;
    return base->xFullPathname(base, path, room, out);
}

static int vfs_randomness(sqlite3_vfs *methods, int len, char *out)
{
    sqlite3_vfs *base = vfs_of(methods)->base;
    return base->xRandomness(base, len, out);
}

static int vfs_sleep(sqlite3_vfs *methods, int microseconds)
{
    sqlite3_vfs *base = vfs_of(methods)->base;
    return base->xSleep(base, microseconds);
}

static int vfs_time(sqlite3_vfs *methods, double *out)
{
    sqlite3_vfs *base = vfs_of(methods)->base;
    return base->xCurrentTime(base, out);
}

static struct fault_vfs *find(const char *name)
{
    for (size_t i = 0; i < VFS_MAX; i++)
        if (all[i].used && strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

int sk_fault_vfs_register(const char *name, const char *base)
{
    sqlite3_vfs *below = sqlite3_vfs_find(base);
    struct fault_vfs *vfs = all;
    while (vfs < all + VFS_MAX && vfs->used)
        vfs++;
    if (!below || vfs == all + VFS_MAX)
        return SQLITE_MISUSE;
    memset(vfs, 0, sizeof(*vfs));
    (void)snprintf(vfs->name, sizeof(vfs->name), "%s", name);
    vfs->base = below;
    vfs->used = true;
    vfs->methods = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int)sizeof(struct fault_file) + below->szOsFile,
        .mxPathname = below->mxPathname,
        .zName = vfs->name,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
    };
    return sqlite3_vfs_register(&vfs->methods, 0);
}

void sk_fault_vfs_unregister(const char *name)
{
    struct fault_vfs *vfs = find(name);
    if (!vfs)
        return;
    (void)sqlite3_vfs_unregister(&vfs->methods);
    vfs->used = false;
}

void sk_fault_vfs_arm(const char *name, unsigned number)
{
    struct fault_vfs *vfs = find(name);
    if (!vfs)
        return;
    vfs->left = number;
    vfs->failed = false;
}

bool sk_fault_vfs_failed(const char *name)
{
    const struct fault_vfs *vfs = find(name);
    return vfs && vfs->failed;
}
