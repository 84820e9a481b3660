/*
 * The methods that SQLite gets, for both kinds of file: those of vfs_main.c and vfs_wal.c, and a
 * note of what the disk refused. SQLite turns some refusals into other codes, or goes on and then
 * takes what it could not read for damage; its callers want to tell a full or failing disk from
 * that.
 */
#include "core/vfs_internal.h"

#include <errno.h>

static struct sk_vfs *vfs_of(sqlite3_file *file)
{
    return ((struct vfs_file *)(void *)file)->vfs;
}

static const sqlite3_io_methods *methods_of(sqlite3_file *file)
{
    const struct vfs_file *own = (const struct vfs_file *)(const void *)file;
    return own->vfs->main == own ? &vfs_main_methods : &vfs_wal_methods;
}

int vfs_note(struct sk_vfs *vfs, int rc)
{
    int number = errno;
    int primary = rc & 0xff;
    bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
    if (rc == SQLITE_IOERR_SHORT_READ)
        return rc;
    if (primary == SQLITE_FULL || primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN)
        vfs->trouble = full || primary == SQLITE_FULL ? SK_FULL : SK_IO;
    return rc;
}

/* A method that fails for a reason of its own sets no errno: that of an earlier call says nothing
 * about it, so that each begins with none. */

/* After a sync that failed nothing more is tried: that refusal says nothing new. */

static int note_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
    struct sk_vfs *vfs = vfs_of(file);
    bool refused = vfs->broken;
    errno = 0;
    int rc = methods_of(file)->xRead(file, out, amount, offset);
    return refused ? rc : vfs_note(vfs, rc);
}

static int note_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset)
{
    struct sk_vfs *vfs = vfs_of(file);
    bool refused = vfs->broken;
    errno = 0;
    int rc = methods_of(file)->xWrite(file, bytes, amount, offset);
    return refused ? rc : vfs_note(vfs, rc);
}

static int note_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct sk_vfs *vfs = vfs_of(file);
    bool refused = vfs->broken;
    errno = 0;
    int rc = methods_of(file)->xTruncate(file, size);
    return refused ? rc : vfs_note(vfs, rc);
}

static int note_sync(sqlite3_file *file, int flags)
{
    struct sk_vfs *vfs = vfs_of(file);
    bool refused = vfs->broken;
    errno = 0;
    int rc = methods_of(file)->xSync(file, flags);
    return refused ? rc : vfs_note(vfs, rc);
}

static int note_size(sqlite3_file *file, sqlite3_int64 *size)
{
    errno = 0;
    return vfs_note(vfs_of(file), methods_of(file)->xFileSize(file, size));
}

static int note_lock(sqlite3_file *file, int level)
{
    errno = 0;
    return vfs_note(vfs_of(file), methods_of(file)->xLock(file, level));
}

/* ---- passed on ---- */

static int pass_close(sqlite3_file *file)
{
    return methods_of(file)->xClose(file);
}

static int pass_unlock(sqlite3_file *file, int level)
{
    return methods_of(file)->xUnlock(file, level);
}

static int pass_check_reserved(sqlite3_file *file, int *reserved)
{
    return methods_of(file)->xCheckReservedLock(file, reserved);
}

static int pass_control(sqlite3_file *file, int op, void *arg)
{
    return methods_of(file)->xFileControl(file, op, arg);
}

static int pass_sector(sqlite3_file *file)
{
    return methods_of(file)->xSectorSize(file);
}

static int pass_traits(sqlite3_file *file)
{
    return methods_of(file)->xDeviceCharacteristics(file);
}

const sqlite3_io_methods vfs_note_methods = {
    .iVersion = 1, /* no shared memory, no mapping */
    .xClose = pass_close,
    .xRead = note_read,
    .xWrite = note_write,
    .xTruncate = note_truncate,
    .xSync = note_sync,
    .xFileSize = note_size,
    .xLock = note_lock,
    .xUnlock = pass_unlock,
    .xCheckReservedLock = pass_check_reserved,
    .xFileControl = pass_control,
    .xSectorSize = pass_sector,
    .xDeviceCharacteristics = pass_traits,
};
