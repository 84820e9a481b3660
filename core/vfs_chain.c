/*
 * SQLite's chain through a write-ahead log: each frame has the salts of the head and a checksum
 * that is carried on from the frame before. What a transaction that was undone left behind does not
 * fit.
 */
#include "core/vfs_internal.h"
#include "crypto/bytes.h"

#include <string.h>

#define MAGIC_LE   0x377f0682u
#define HEAD_SALTS 16 /* of a log's head */
#define HEAD_SUM   24
#define AT_COMMIT  4 /* of a frame: u32 size of the database where it ends a transaction, else 0 */
#define AT_SALTS   8
#define AT_SUM     16

static uint32_t big(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void sum_words(bool little, struct vfs_sum *sum, const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len; at += 8) {
        uint32_t first = little ? sk_get_u32(bytes + at) : big(bytes + at);
        uint32_t second = little ? sk_get_u32(bytes + at + 4) : big(bytes + at + 4);
        sum->a += first + sum->b;
        sum->b += second + sum->a;
    }
}

void vfs_chain_begin(const uint8_t head[static VFS_LOG_HEAD], struct vfs_sum *sum)
{
    *sum = (struct vfs_sum){big(head + HEAD_SUM), big(head + HEAD_SUM + 4)};
}

bool vfs_chain_fits(const uint8_t head[static VFS_LOG_HEAD], struct vfs_sum *sum,
                    const uint8_t *frame, size_t page_size)
{
    bool little = big(head) == MAGIC_LE;
    sum_words(little, sum, frame, AT_SALTS);
    sum_words(little, sum, frame + VFS_FRAME_HEAD, page_size);
    return memcmp(frame + AT_SALTS, head + HEAD_SALTS, 8) == 0 && big(frame + AT_SUM) == sum->a &&
           big(frame + AT_SUM + 4) == sum->b;
}

/* How many whole frames the file has room for. */
static int count_frames(const struct sk_vfs *vfs, uint64_t *out)
{
    uint64_t size;
    uint64_t start = (uint64_t)vfs_frame_place(vfs, 1);
    int rc = vfs_base_size(vfs->wal_file, &size);
    *out = rc == SQLITE_OK && size > start ? (size - start) / vfs_frame_len(vfs) : 0;
    return rc;
}

int vfs_chain_any(struct sk_vfs *vfs, bool *found)
{
    uint64_t frames;
    int rc = count_frames(vfs, &frames);
    *found = false;
    for (uint64_t frame = 1; frame <= frames && !*found && rc == SQLITE_OK; frame++)
        rc = vfs_wal_load_frame(vfs, frame, found);
    return rc;
}

int vfs_chain_lost(struct sk_vfs *vfs, uint64_t frame, bool *lost)
{
    struct vfs_wal *wal = &vfs->wal;
    struct vfs_sum sum = {0};
    uint64_t frames;
    uint32_t ended = 0; /* the page of the frame before, if that ends a transaction; else 0 */
    int rc = count_frames(vfs, &frames);

    *lost = false;
    while (rc == SQLITE_OK && !*lost && ++frame <= frames) {
        bool opened;
        rc = vfs_wal_load_frame(vfs, frame, &opened);
        if (rc != SQLITE_OK || !opened) {
            ended = 0;
            continue;
        }
        uint32_t page = big(wal->frame);
        bool ends = big(wal->frame + AT_COMMIT) != 0;
        *lost = ended != 0 && !(ends && page == ended) &&
                vfs_chain_fits(wal->head, &sum, wal->frame, vfs->page_size);
        ended = ends ? page : 0;
        sum = (struct vfs_sum){big(wal->frame + AT_SUM), big(wal->frame + AT_SUM + 4)};
    }
    return rc;
}
