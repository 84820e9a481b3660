#include "tests/support/sim/live_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int fail(int number)
{
    errno = number;
    return -1;
}

static struct sk_sim_node *node_of(unsigned number)
{
    return sk_sim.image.nodes[number];
}

/* ---- opening ---- */

/* The fault of a call on the node that a path leads to, or on its folder when there is none. */
static bool strikes_path(unsigned call, unsigned folder, unsigned node)
{
    return sk_sim_strike(call, node != SK_SIM_NONE ? node : folder) > 0;
}

static int open_new(unsigned folder, const char *name, int flags)
{
    if (!(flags & O_CREAT))
        return fail(ENOENT);
    if (strikes_path(SK_SIM_CREATES, folder, SK_SIM_NONE))
        return -1;
    return sk_sim_handle_new(sk_sim_take_node(folder, name, false), flags);
}

/* A file that nothing names. */
static int open_nameless(const char *path)
{
    bool found;
    unsigned folder = sk_sim_image_find(&sk_sim.image, path, &found);
    if (!found || !node_of(folder)->folder)
        return fail(found ? ENOTDIR : ENOENT);
    if (!sk_sim.nameless)
        return fail(EOPNOTSUPP);
    if (sk_sim_strike(SK_SIM_CREATES, folder) > 0)
        return -1;
    return sk_sim_handle_new(sk_sim_take_nameless(folder), O_RDWR);
}

static int sim_open(const char *path, int flags, mode_t mode)
{
    char name[SK_SIM_NAME_MAX];
    bool found;
    (void)mode;
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return open_nameless(path);
    unsigned folder = sk_sim_image_parent(&sk_sim.image, path, name, &found);
    if (!found)
        return fail(ENOENT);
    unsigned node = name[0] ? sk_sim_image_entry(&sk_sim.image, folder, name) : folder;
    if (name[0] && node == SK_SIM_NONE)
        return open_new(folder, name, flags);
    if (strikes_path(SK_SIM_LOOKS, folder, node))
        return -1;
    if ((flags & O_CREAT) && (flags & O_EXCL))
        return fail(EEXIST);
    if ((flags & O_DIRECTORY) && !node_of(node)->folder)
        return fail(ENOTDIR);
    if (node_of(node)->folder && (flags & O_ACCMODE) != O_RDONLY)
        return fail(EISDIR);
    return sk_sim_handle_new(node, flags);
}

static int sim_close(int fd)
{
    struct sk_sim_handle *handle = sk_sim_handle(fd);
    if (!handle)
        return fail(EBADF);
    handle->used = false;
    return 0;
}

/* ---- reading and writing ---- */

static ssize_t sim_pread(int fd, void *out, size_t len, off_t offset)
{
    const struct sk_sim_handle *handle = sk_sim_handle(fd);
    if (!handle)
        return fail(EBADF);
    if (node_of(handle->node)->folder)
        return fail(EISDIR);
    int struck = sk_sim_strike(SK_SIM_READS, handle->node);
    if (struck > 0)
        return -1;
    if (struck == SK_SIM_SHORT && len > 1)
        len /= 2;
    return (ssize_t)sk_sim_content_read(&node_of(handle->node)->content, (uint64_t)offset, out,
                                        len);
}

static ssize_t sim_read(int fd, void *out, size_t len)
{
    struct sk_sim_handle *handle = sk_sim_handle(fd);
    if (!handle)
        return fail(EBADF);
    ssize_t got = sim_pread(fd, out, len, (off_t)handle->offset);
    if (got > 0)
        handle->offset += (uint64_t)got;
    return got;
}

ssize_t sk_sim_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    const struct sk_sim_handle *handle = sk_sim_handle(fd);
    if (!handle || (handle->flags & O_ACCMODE) == O_RDONLY)
        return fail(EBADF);
    int struck = sk_sim_strike(SK_SIM_WRITES, handle->node);
    if (struck > 0)
        return -1;
    if (struck == SK_SIM_SHORT && len > 1)
        len /= 2;
    const struct sk_sim_step step = {
        .kind = SK_SIM_STEP_WRITE,
        .node = handle->node,
        .offset = (uint64_t)offset,
        .len = len,
        .bytes = sk_sim_grow(NULL, len),
    };
    memcpy(step.bytes, bytes, len);
    sk_sim_take(&step);
    sk_sim_free(step.bytes);
    return (ssize_t)len;
}

static ssize_t sim_write(int fd, const void *bytes, size_t len)
{
    struct sk_sim_handle *handle = sk_sim_handle(fd);
    if (!handle)
        return fail(EBADF);
    ssize_t wrote = sk_sim_pwrite(fd, bytes, len, (off_t)handle->offset);
    if (wrote > 0)
        handle->offset += (uint64_t)wrote;
    return wrote;
}

static off_t sim_lseek(int fd, off_t offset, int whence)
{
    struct sk_sim_handle *handle = sk_sim_handle(fd);
    if (!handle)
        return fail(EBADF);
    if (whence == SEEK_CUR)
        offset += (off_t)handle->offset;
    else if (whence == SEEK_END)
        offset += (off_t)node_of(handle->node)->content.len;
    if (offset < 0)
        return fail(EINVAL);
    handle->offset = (uint64_t)offset;
    return offset;
}

int sk_sim_ftruncate(int fd, off_t len)
{
    const struct sk_sim_handle *handle = sk_sim_handle(fd);
    if (!handle)
        return fail(EBADF);
    if (sk_sim_strike(SK_SIM_TRUNCATES, handle->node) > 0)
        return -1;
    const struct sk_sim_step step = {
        .kind = SK_SIM_STEP_TRUNCATE, .node = handle->node, .offset = (uint64_t)len};
    sk_sim_take(&step);
    return 0;
}

/* A sync that failed leaves the bytes in memory and on their way: they are durable or not. */
static int sim_fsync(int fd)
{
    const struct sk_sim_handle *handle = sk_sim_handle(fd);
    if (!handle)
        return fail(EBADF);
    if (sk_sim_strike(SK_SIM_SYNCS, handle->node) > 0)
        return -1;
    bool folder = node_of(handle->node)->folder;
    if (sk_sim.lie == (folder ? SK_SIM_LIES_OF_FOLDERS : SK_SIM_LIES_OF_FILES))
        return 0;
    const struct sk_sim_step step = {.kind = SK_SIM_STEP_SYNC, .node = handle->node};
    sk_sim_take(&step);
    return 0;
}

static int sim_fadvise(int fd, off_t offset, off_t len, int advice)
{
    (void)fd, (void)offset, (void)len, (void)advice;
    return 0;
}

static int sim_flock(int fd, int operation)
{
    struct sk_sim_handle *handle = sk_sim_handle(fd);
    if (!handle)
        return fail(EBADF);
    if (sk_sim_strike(SK_SIM_LOOKS, handle->node) > 0)
        return -1;
    for (int i = 0; i < SK_SIM_HANDLES && !(operation & LOCK_UN); i++) {
        const struct sk_sim_handle *other = &sk_sim.handles[i];
        if (other->used && other != handle && other->locked && other->node == handle->node)
            return fail(EWOULDBLOCK);
    }
    handle->locked = !(operation & LOCK_UN);
    return 0;
}

/* ---- looking ---- */

static void fill_stat(unsigned number, struct stat *out)
{
    const struct sk_sim_node *node = node_of(number);
    *out = (struct stat){
        .st_dev = 1000 + node->disk,
        .st_ino = number + 1,
        .st_nlink = 1,
        .st_mode = node->folder ? S_IFDIR | 0700 : S_IFREG | 0600,
        .st_uid = getuid(),
        .st_gid = getgid(),
        .st_size = (off_t)node->content.len,
        .st_blksize = SK_SIM_BLOCK,
    };
}

static int sim_fstat(int fd, struct stat *out)
{
    const struct sk_sim_handle *handle = sk_sim_handle(fd);
    if (!handle)
        return fail(EBADF);
    if (sk_sim_strike(SK_SIM_LOOKS, handle->node) > 0)
        return -1;
    fill_stat(handle->node, out);
    return 0;
}

/* The open file that a path leads to, as /proc has it. */
static int descriptor_of(const char *path)
{
    static const char folder[] = "/proc/self/fd/";
    if (strncmp(path, folder, sizeof(folder) - 1) != 0)
        return -1;
    return (int)strtol(path + sizeof(folder) - 1, NULL, 10);
}

static int sim_stat(const char *path, struct stat *out)
{
    char name[SK_SIM_NAME_MAX];
    bool found;
    int fd = descriptor_of(path);
    if (fd >= 0)
        return sim_fstat(fd, out);
    unsigned folder = sk_sim_image_parent(&sk_sim.image, path, name, &found);
    if (!found)
        return fail(ENOENT);
    unsigned node = sk_sim_image_find(&sk_sim.image, path, &found);
    if (sk_sim_strike(SK_SIM_LOOKS, found ? node : folder) > 0)
        return -1;
    if (!found)
        return fail(ENOENT);
    fill_stat(node, out);
    return 0;
}

int sk_sim_access(const char *path, int mode)
{
    struct stat st;
    (void)mode;
    return sim_stat(path, &st);
}

static int sim_statvfs(const char *path, struct statvfs *out)
{
    struct stat st;
    if (sim_stat(path, &st) != 0)
        return -1;
    *out = (struct statvfs){.f_bsize = SK_SIM_BLOCK,
                            .f_frsize = SK_SIM_BLOCK,
                            .f_blocks = 1u << 22,
                            .f_bfree = 1u << 22,
                            .f_bavail = 1u << 22};
    return 0;
}

struct listing {
    unsigned folder;
    size_t count, next;
    struct sk_sim_entry *entries;
    struct dirent entry;
};

/* What the folder holds when it is opened. */
static DIR *sim_opendir(const char *path)
{
    bool found;
    unsigned node = sk_sim_image_find(&sk_sim.image, path, &found);
    if (!found || !node_of(node)->folder) {
        errno = found ? ENOTDIR : ENOENT;
        return NULL;
    }
    if (sk_sim_strike(SK_SIM_LOOKS, node) > 0)
        return NULL;
    struct listing *listing = sk_sim_alloc(sizeof(*listing));
    listing->folder = node;
    listing->count = node_of(node)->entry_count;
    listing->entries = sk_sim_grow(NULL, listing->count * sizeof(struct sk_sim_entry));
    if (listing->count > 0)
        memcpy(listing->entries, node_of(node)->entries,
               listing->count * sizeof(struct sk_sim_entry));
    sk_sim.open_folders++;
    return (DIR *)(void *)listing;
}

static struct dirent *sim_readdir(DIR *dir)
{
    struct listing *listing = (struct listing *)(void *)dir;
    if (sk_sim_strike(SK_SIM_LOOKS, listing->folder) > 0)
        return NULL;
    if (listing->next == listing->count)
        return NULL;
    (void)snprintf(listing->entry.d_name, sizeof(listing->entry.d_name), "%s",
                   listing->entries[listing->next++].name);
    return &listing->entry;
}

static int sim_closedir(DIR *dir)
{
    struct listing *listing = (struct listing *)(void *)dir;
    sk_sim.open_folders--;
    sk_sim_free(listing->entries);
    sk_sim_free(listing);
    return 0;
}

/* ---- names ---- */

struct place {
    unsigned folder;
    unsigned node; /* SK_SIM_NONE: the name is free */
    char name[SK_SIM_NAME_MAX];
};

static int find_place(const char *path, struct place *out)
{
    bool found;
    out->folder = sk_sim_image_parent(&sk_sim.image, path, out->name, &found);
    if (!found || out->name[0] == '\0')
        return fail(ENOENT);
    out->node = sk_sim_image_entry(&sk_sim.image, out->folder, out->name);
    return 0;
}

/* Whether a name may be given to another node, as rename() says. */
static int may_replace(const struct place *from, const struct place *to)
{
    if (to->node == SK_SIM_NONE)
        return 0;
    const struct sk_sim_node *old = node_of(to->node);
    if (node_of(from->node)->folder && !old->folder)
        return fail(ENOTDIR);
    if (!node_of(from->node)->folder && old->folder)
        return fail(EISDIR);
    return old->folder && old->entry_count > 0 ? fail(ENOTEMPTY) : 0;
}

static int sim_renameat2(int from_dir, const char *from_path, int to_dir, const char *to_path,
                         unsigned flags)
{
    struct place from, to;
    (void)from_dir, (void)to_dir;
    if (find_place(from_path, &from) != 0 || find_place(to_path, &to) != 0)
        return -1;
    if (strikes_path(SK_SIM_RENAMES, from.folder, from.node))
        return -1;
    if (from.node == SK_SIM_NONE || ((flags & RENAME_EXCHANGE) && to.node == SK_SIM_NONE))
        return fail(ENOENT);
    if ((flags & RENAME_NOREPLACE) && to.node != SK_SIM_NONE)
        return fail(EEXIST);
    if (flags & RENAME_EXCHANGE) {
        sk_sim_take_entry(to.folder, to.name, from.node, true);
        sk_sim_take_entry(from.folder, from.name, to.node, false);
        return 0;
    }
    if (may_replace(&from, &to) != 0)
        return -1;
    sk_sim_take_entry(to.folder, to.name, from.node, true);
    sk_sim_take_entry(from.folder, from.name, SK_SIM_NONE, false);
    return 0;
}

static int sim_rename(const char *from, const char *to)
{
    return sim_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int sim_link(const char *from_path, const char *to_path)
{
    struct place from, to;
    if (find_place(from_path, &from) != 0 || find_place(to_path, &to) != 0)
        return -1;
    if (strikes_path(SK_SIM_RENAMES, from.folder, from.node))
        return -1;
    if (from.node == SK_SIM_NONE)
        return fail(ENOENT);
    if (to.node != SK_SIM_NONE)
        return fail(EEXIST);
    sk_sim_take_entry(to.folder, to.name, from.node, false);
    return 0;
}

static int sim_linkat(int from_dir, const char *from, int to_dir, const char *to_path, int flags)
{
    struct place to;
    const struct sk_sim_handle *handle = sk_sim_handle(descriptor_of(from));
    (void)from_dir, (void)to_dir;
    if (!handle || !(flags & AT_SYMLINK_FOLLOW))
        return fail(ENOENT);
    if (find_place(to_path, &to) != 0)
        return -1;
    if (strikes_path(SK_SIM_RENAMES, to.folder, handle->node))
        return -1;
    if (to.node != SK_SIM_NONE)
        return fail(EEXIST);
    sk_sim_take_entry(to.folder, to.name, handle->node, false);
    return 0;
}

static int sim_unlink(const char *path)
{
    struct place place;
    if (find_place(path, &place) != 0)
        return -1;
    if (strikes_path(SK_SIM_UNLINKS, place.folder, place.node))
        return -1;
    if (place.node == SK_SIM_NONE)
        return fail(ENOENT);
    if (node_of(place.node)->folder)
        return fail(EISDIR);
    sk_sim_take_entry(place.folder, place.name, SK_SIM_NONE, false);
    return 0;
}

static int sim_mkdir(const char *path, mode_t mode)
{
    struct place place;
    (void)mode;
    if (find_place(path, &place) != 0)
        return -1;
    if (strikes_path(SK_SIM_CREATES, place.folder, SK_SIM_NONE))
        return -1;
    if (place.node != SK_SIM_NONE)
        return fail(EEXIST);
    (void)sk_sim_take_node(place.folder, place.name, true);
    return 0;
}

static int sim_rmdir(const char *path)
{
    struct place place;
    if (find_place(path, &place) != 0)
        return -1;
    if (strikes_path(SK_SIM_UNLINKS, place.folder, place.node))
        return -1;
    if (place.node == SK_SIM_NONE)
        return fail(ENOENT);
    if (!node_of(place.node)->folder)
        return fail(ENOTDIR);
    if (node_of(place.node)->entry_count > 0)
        return fail(ENOTEMPTY);
    sk_sim_take_entry(place.folder, place.name, SK_SIM_NONE, false);
    return 0;
}

const struct sk_file_calls sk_sim_calls = {
    .open = sim_open,
    .close = sim_close,
    .read = sim_read,
    .pread = sim_pread,
    .write = sim_write,
    .lseek = sim_lseek,
    .fsync = sim_fsync,
    .fdatasync = sim_fsync,
    .posix_fadvise = sim_fadvise,
    .flock = sim_flock,
    .fstat = sim_fstat,
    .lstat = sim_stat,
    .stat = sim_stat,
    .statvfs = sim_statvfs,
    .rename = sim_rename,
    .renameat2 = sim_renameat2,
    .link = sim_link,
    .linkat = sim_linkat,
    .unlink = sim_unlink,
    .mkdir = sim_mkdir,
    .rmdir = sim_rmdir,
    .opendir = sim_opendir,
    .readdir = sim_readdir,
    .closedir = sim_closedir,
};
