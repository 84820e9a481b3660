#include "tests/support/disk.h"

#include "core/sqlite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 8
#define PATH_ROOM 128

/* A write (or, with bytes NULL, a truncation to `offset`) that was not synced yet. */
struct change {
    struct change *next;
    size_t offset;
    size_t len;
    uint8_t *bytes;
};

struct content {
    uint8_t *bytes;
    size_t len;
};

struct disk_file {
    char path[PATH_ROOM];
    bool exists;         /* for the program */
    bool durable_exists; /* after a crash, unless luck has it otherwise */
    struct content now;
    struct content durable;
    struct change *changes;
    struct change **last;
};

struct handle {
    sqlite3_file methods;
    struct disk_file *file;
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *system;
    struct disk_file files[FILES_MAX];
    bool powersafe;
    int claims; /* SQLite's traits, beside what powersafe says */
    unsigned sector_size;
    enum sk_disk_fault fault;
    unsigned countdown; /* operations until the fault, 0 when there is none */
    unsigned operations;
    bool dead;
    uint64_t random;
} disk;

/* ---- bytes ---- */

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

static void resize(struct content *c, size_t len)
{
    c->bytes = must(realloc(c->bytes, len + 1));
    if (len > c->len)
        memset(c->bytes + c->len, 0, len - c->len);
    c->len = len;
}

static void put(struct content *c, size_t offset, const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return;
    if (offset + len > c->len)
        resize(c, offset + len);
    memcpy(c->bytes + offset, bytes, len);
}

static void copy(struct content *to, const struct content *from)
{
    resize(to, 0);
    put(to, 0, from->bytes, from->len);
}

static void forget_changes(struct disk_file *f)
{
    while (f->changes) {
        struct change *c = f->changes;
        f->changes = c->next;
        free(c->bytes);
        free(c);
    }
    f->last = &f->changes;
}

static void note_change(struct disk_file *f, size_t offset, const uint8_t *bytes, size_t len)
{
    struct change *c = must(calloc(1, sizeof(*c)));
    c->offset = offset;
    c->len = len;
    if (bytes) {
        c->bytes = must(malloc(len + 1));
        memcpy(c->bytes, bytes, len);
    }
    *f->last = c;
    f->last = &c->next;
}

static struct disk_file *find(const char *path)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (strcmp(disk.files[i].path, path) == 0)
            return &disk.files[i];
    return NULL;
}

static struct disk_file *find_or_add(const char *path)
{
    struct disk_file *f = find(path);
    if (!f) {
        f = must(find(""));
        memcpy(f->path, path, strnlen(path, PATH_ROOM - 1) + 1);
        f->last = &f->changes;
    }
    return f;
}

/* ---- faults ---- */

static uint64_t next_random(void)
{
    disk.random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = disk.random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Counts an operation; true when it has to fail. */
static bool strikes(bool reading)
{
    if (disk.dead)
        return true;
    if ((disk.fault == SK_DISK_FAULT_READ) != reading)
        return false;
    disk.operations++;
    if (disk.countdown == 0 || --disk.countdown > 0)
        return false;
    disk.dead = disk.fault == SK_DISK_FAULT_POWER;
    return true;
}

/* One sector of a write that was not synced: lost, there, or garbage. */
static void tear(struct content *c, size_t from, const uint8_t *bytes, size_t len)
{
    uint64_t luck = next_random() % 10;
    if (luck < 4)
        return;
    put(c, from, bytes, len);
    if (luck < 8)
        return;
    size_t start = from;
    size_t end = from + len;
    if (!disk.powersafe) {
        start -= start % disk.sector_size;
        end += (disk.sector_size - end % disk.sector_size) % disk.sector_size;
        end = end < c->len ? end : c->len;
    }
    for (size_t i = start; i < end; i++)
        c->bytes[i] = (uint8_t)next_random();
}

static void lose_power(struct disk_file *f)
{
    bool whole = next_random() % 4 == 0; /* sometimes all of it reached the disk */
    for (const struct change *c = f->changes; c; c = c->next) {
        if (!c->bytes) {
            if (whole || next_random() % 2)
                resize(&f->durable, c->offset);
            continue;
        }
        for (size_t done = 0; done < c->len;) {
            size_t room = disk.sector_size - (c->offset + done) % disk.sector_size;
            size_t step = c->len - done < room ? c->len - done : room;
            if (whole)
                put(&f->durable, c->offset + done, c->bytes + done, step);
            else
                tear(&f->durable, c->offset + done, c->bytes + done, step);
            done += step;
        }
    }
    if (f->exists != f->durable_exists && next_random() % 2)
        f->durable_exists = f->exists;
    f->exists = f->durable_exists;
    if (!f->exists)
        resize(&f->durable, 0);
    copy(&f->now, &f->durable);
    forget_changes(f);
}

static void revive(void)
{
    disk.dead = false;
    disk.fault = SK_DISK_FAULT_NONE;
    disk.countdown = 0;
}

void sk_disk_crash(uint64_t seed)
{
    disk.random = seed;
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk.files[i].path[0] != '\0')
            lose_power(&disk.files[i]);
    revive();
}

static void make_durable(struct disk_file *f)
{
    if (!f->exists)
        resize(&f->now, 0); /* one of the same name that is made later is another file */
    copy(&f->durable, &f->now);
    f->durable_exists = f->exists;
    forget_changes(f);
}

void sk_disk_settle(void)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk.files[i].path[0] != '\0')
            make_durable(&disk.files[i]);
    revive();
}

void sk_disk_arm(enum sk_disk_fault fault, unsigned number)
{
    disk.fault = fault;
    disk.countdown = number;
    disk.operations = 0;
}

unsigned sk_disk_operations(void)
{
    return disk.operations;
}

uint8_t *sk_disk_read(const char *path, size_t *len)
{
    const struct disk_file *f = find(path);
    *len = 0;
    if (!f || !f->exists)
        return NULL;
    uint8_t *bytes = must(malloc(f->now.len + 1));
    if (f->now.len > 0)
        memcpy(bytes, f->now.bytes, f->now.len);
    *len = f->now.len;
    return bytes;
}

void sk_disk_write(const char *path, const uint8_t *bytes, size_t len)
{
    struct disk_file *f = find_or_add(path);
    f->exists = bytes != NULL;
    resize(&f->now, 0);
    if (bytes)
        put(&f->now, 0, bytes, len);
    make_durable(f);
}

/* ---- the methods of a file ---- */

static struct disk_file *file_of(sqlite3_file *handle)
{
    return ((struct handle *)(void *)handle)->file;
}

static int disk_close(sqlite3_file *handle)
{
    (void)handle;
    return SQLITE_OK;
}

static int disk_read(sqlite3_file *handle, void *out, int amount, sqlite3_int64 offset)
{
    const struct disk_file *f = file_of(handle);
    size_t len = (size_t)amount;
    size_t from = (size_t)offset;

    if (strikes(true))
        return SQLITE_IOERR_READ;
    size_t have = from < f->now.len ? f->now.len - from : 0;
    have = have < len ? have : len;
    if (have > 0)
        memcpy(out, f->now.bytes + from, have);
    if (have == len)
        return SQLITE_OK;
    memset((uint8_t *)out + have, 0, len - have);
    return SQLITE_IOERR_SHORT_READ;
}

static int disk_write(sqlite3_file *handle, const void *bytes, int amount, sqlite3_int64 offset)
{
    struct disk_file *f = file_of(handle);
    bool fails = strikes(false);

    if (fails && disk.fault == SK_DISK_FAULT_IO)
        amount /= 2; /* a part of it got there */
    if (!fails || disk.fault != SK_DISK_FAULT_FULL) {
        note_change(f, (size_t)offset, bytes, (size_t)amount);
        put(&f->now, (size_t)offset, bytes, (size_t)amount);
    }
    if (!fails)
        return SQLITE_OK;
    return disk.fault == SK_DISK_FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int disk_truncate(sqlite3_file *handle, sqlite3_int64 size)
{
    struct disk_file *f = file_of(handle);
    if (strikes(false))
        return SQLITE_IOERR_TRUNCATE;
    note_change(f, (size_t)size, NULL, 0);
    resize(&f->now, (size_t)size);
    return SQLITE_OK;
}

/* After a sync that failed the system forgets what it could not write: nothing can be retried. */
static int disk_sync(sqlite3_file *handle, int flags)
{
    struct disk_file *f = file_of(handle);
    (void)flags;
    if (strikes(false))
        return SQLITE_IOERR_FSYNC;
    make_durable(f);
    return SQLITE_OK;
}

static int disk_size(sqlite3_file *handle, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)file_of(handle)->now.len;
    return SQLITE_OK;
}

static int disk_lock(sqlite3_file *handle, int level)
{
    (void)handle, (void)level;
    return SQLITE_OK;
}

static int disk_reserved(sqlite3_file *handle, int *reserved)
{
    (void)handle;
    *reserved = 0;
    return SQLITE_OK;
}

static int disk_control(sqlite3_file *handle, int op, void *arg)
{
    (void)handle, (void)op, (void)arg;
    return SQLITE_NOTFOUND;
}

static int disk_sector(sqlite3_file *handle)
{
    (void)handle;
    return (int)disk.sector_size;
}

static int disk_traits(sqlite3_file *handle)
{
    (void)handle;
    return disk.claims | (disk.powersafe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0);
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_lock,
    .xCheckReservedLock = disk_reserved,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_traits,
};

/* ---- the methods of the VFS ---- */

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *handle, int flags,
                     int *out_flags)
{
    struct disk_file *f = find(path);
    (void)vfs;
    handle->pMethods = NULL;
    if (disk.dead)
        return SQLITE_CANTOPEN;
    if (!f || !f->exists) {
        if (!(flags & SQLITE_OPEN_CREATE))
            return SQLITE_CANTOPEN;
        f = find_or_add(path);
        f->exists = true;
        resize(&f->now, 0);
        note_change(f, 0, NULL, 0);
    }
    ((struct handle *)(void *)handle)->file = f;
    handle->pMethods = &file_methods;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    struct disk_file *f = find(path);
    (void)vfs;
    if (strikes(false))
        return SQLITE_IOERR_DELETE;
    if (!f || !f->exists)
        return SQLITE_IOERR_DELETE_NOENT;
    f->exists = false;
    if (sync_folder)
        make_durable(f);
    return SQLITE_OK;
}

/* As the system's VFS: an empty file does not exist. */
static int disk_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    const struct disk_file *f = find(path);
    (void)vfs;
    *out = f && f->exists && (flags != SQLITE_ACCESS_EXISTS || f->now.len > 0);
    return SQLITE_OK;
}

static int disk_full_path(sqlite3_vfs *vfs, const char *path, int room, char *out)
{
    (void)vfs;
    size_t len = strlen(path);
    if (len >= (size_t)room)
        return SQLITE_CANTOPEN;
    memcpy(out, path, len + 1);
    return SQLITE_OK;
}

static int disk_randomness(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs;
    return disk.system->xRandomness(disk.system, len, out);
}

static int disk_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int disk_time(sqlite3_vfs *vfs, double *out)
{
    (void)vfs;
    return disk.system->xCurrentTime(disk.system, out);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): SQLite gives the type */
static int disk_last_error(sqlite3_vfs *vfs, int room, char *out)
{
    (void)vfs, (void)room, (void)out;
    return EIO;
}

void sk_disk_begin(bool powersafe, unsigned sector_size)
{
    memset(&disk, 0, sizeof(disk));
    disk.powersafe = powersafe;
    disk.sector_size = sector_size;
    disk.system = must(sqlite3_vfs_find(NULL));
    disk.vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = sizeof(struct handle),
        .mxPathname = PATH_ROOM - 1,
        .zName = SK_DISK_VFS,
        .xOpen = disk_open,
        .xDelete = disk_delete,
        .xAccess = disk_access,
        .xFullPathname = disk_full_path,
        .xRandomness = disk_randomness,
        .xSleep = disk_sleep,
        .xCurrentTime = disk_time,
        .xGetLastError = disk_last_error,
    };
    if (sqlite3_vfs_register(&disk.vfs, 0) != SQLITE_OK)
        abort();
}

void sk_disk_claim(int traits)
{
    disk.claims = traits;
}

void sk_disk_end(void)
{
    sqlite3_vfs_unregister(&disk.vfs);
    for (size_t i = 0; i < FILES_MAX; i++) {
        forget_changes(&disk.files[i]);
        free(disk.files[i].now.bytes);
        free(disk.files[i].durable.bytes);
    }
    memset(&disk, 0, sizeof(disk));
}
