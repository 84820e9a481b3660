/*
 * What the files of the encrypting VFS share. vfs.c registers it and opens files, vfs_preamble.c
 * keeps the first bytes of `data`, vfs_main.c is `data` towards SQLite, vfs_wal.c is `data-wal`,
 * vfs_note.c stands before these two, vfs_log.c binds them to each other, vfs_chain.c follows
 * SQLite's checksums through a log.
 *
 * Functions of this header return SQLite's result codes, as the methods of a VFS do.
 */
#ifndef SK_CORE_VFS_INTERNAL_H
#define SK_CORE_VFS_INTERNAL_H

#include "core/buf.h"
#include "core/sqlite.h"
#include "core/vfs.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define VFS_FORMAT       1
#define VFS_STORE_ID_LEN 16
#define VFS_LOG_ID_LEN   16
#define VFS_FAULT_MAX    200
#define VFS_PREAMBLE_LEN 8192 /* page 1 of the database stands after it */
#define VFS_HEADER_READ  100  /* what SQLite reads before it knows the page size */
#define VFS_LOG_HEAD     32   /* of a log, as SQLite sees it */
#define VFS_LOG_SHIFT    4096 /* what a frame's place on disk has above SQLite's offset */
#define VFS_FRAME_HEAD   24

/* The preamble's two copies. */
#define VFS_COPY_COUNT    2
#define VFS_COPY_DISTANCE 4096 /* a page of the system's cache is written back as a whole */
#define VFS_COPY_LEN      512

/* The head of a log as it is sealed: SQLite's bytes and the log's id. */
#define VFS_HEAD_PLAIN_LEN  (VFS_LOG_HEAD + VFS_LOG_ID_LEN)
#define VFS_HEAD_SEALED_LEN (VFS_HEAD_PLAIN_LEN + SK_PAGE_OVERHEAD)

/* What a sealed block is: part of what it is bound to, and choice of the subkey. */
enum vfs_kind {
    VFS_KIND_PREAMBLE = 1,
    VFS_KIND_PAGE = 2,
    VFS_KIND_LOG_HEAD = 3,
    VFS_KIND_FRAME = 4,
};

/* What the preamble says about the write-ahead log. */
struct vfs_preamble {
    uint64_t epoch;
    bool running; /* log_id stands on disk, and the database is nothing without it */
    uint8_t log_id[VFS_LOG_ID_LEN];   /* of that log; else of one whose head may stand there */
    uint8_t spent_id[VFS_LOG_ID_LEN]; /* a log that may still lie there, all in the database */
    uint64_t needed;                  /* frames that the database's own pages depend on */
    uint8_t digest[SK_HASH_LEN];      /* over the tags of these frames */
};

/* The log while it is open. Frames count from 1. */
struct vfs_wal {
    bool has_head;    /* head and id are those of a log that counts; else it reads as empty */
    bool head_synced; /* the head is on disk */
    bool written;     /* in this session: recovery is over */
    uint8_t head[VFS_LOG_HEAD];
    uint8_t id[VFS_LOG_ID_LEN];
    uint64_t end; /* the frames 1..end of this id are in the file */
    struct sk_buf
        tags;         /* of the frames from 1 on, as they are in the file; may stay behind `end` */
    uint64_t held;    /* the frame of which a part is held, 0 for none */
    size_t held_from; /* the part: bytes held_from .. held_to */
    size_t held_to;
    bool held_over_sync;
    uint64_t opened;     /* the frame that `frame` holds opened, 0 for none */
    uint8_t *held_frame; /* frame size */
    uint8_t *frame;      /* frame size */
};

/* One open file; SQLite allocates it, with the base's file behind it. */
struct vfs_file {
    sqlite3_file methods;
    struct sk_vfs *vfs;
    sqlite3_file *base;
    bool absent;  /* a log that is not there, opened for reading only */
    bool created; /* a log that opening made: it goes again if nothing was written */
};

struct sk_vfs {
    sqlite3_vfs methods;
    sqlite3_vfs *base;
    struct sk_secret *keys; /* three subkeys */
    uint8_t store_id[VFS_STORE_ID_LEN];
    unsigned page_size;
    bool create;
    bool read_only;
    bool locked;            /* at least shared: the preamble that was read holds */
    bool header_read;       /* the one read that a torn page 1 may answer with a made-up header */
    bool broken;            /* a sync failed: nothing more is written by this handle */
    bool unsure;            /* it was the log's: a commit may have reached the disk or not */
    bool recovered;         /* a log runs: what it brings in, or should, has to be verified */
    enum sk_status trouble; /* what the disk refused last: SK_IO, SK_FULL; SK_OK: nothing yet */
    char *main_path;
    char *wal_path;
    struct vfs_file *main;     /* while open */
    struct vfs_file *wal_file; /* while open */
    struct vfs_preamble preamble;
    struct vfs_wal wal;
    uint64_t pages_there; /* at least so many whole pages stand in the database file */
    uint8_t *sealed;      /* room for one sealed frame */
    char fault[VFS_FAULT_MAX];
    char name[32];
};

/* vfs.c: notes the first fault, "data: <words>"; seals and opens one block of `len` plain bytes. */
const uint8_t *vfs_key(const struct sk_vfs *vfs, enum vfs_kind kind);
void vfs_fault(struct sk_vfs *vfs, const char *path, const char *format, ...) SK_PRINTF(3, 4);
void vfs_seal(const struct sk_vfs *vfs, enum vfs_kind kind, const uint8_t *log_id, uint64_t place,
              uint8_t *sealed, const uint8_t *plain, size_t len);
bool vfs_unseal(const struct sk_vfs *vfs, enum vfs_kind kind, const uint8_t *log_id, uint64_t place,
                uint8_t *plain, const uint8_t *sealed, size_t len);
int vfs_base_size(const struct vfs_file *file, uint64_t *size);
/* A page or a frame about to be sealed: reserved bytes zero, page 1 with our settings. */
bool vfs_page_allowed(const struct sk_vfs *vfs, uint64_t page, const uint8_t *bytes);

/* vfs_note.c: notes what the disk refused, and gives the code back. */
extern const sqlite3_io_methods vfs_note_methods;
int vfs_note(struct sk_vfs *vfs, int rc);

/* vfs_preamble.c */
int vfs_preamble_create(struct sk_vfs *vfs);
int vfs_preamble_load(struct sk_vfs *vfs);
int vfs_preamble_store(struct sk_vfs *vfs, const struct vfs_preamble *next);
/* Seals the copy in which this epoch stands; opens one, in place, and tells whether it did. */
void vfs_preamble_seal(const struct sk_vfs *vfs, const struct vfs_preamble *p,
                       uint8_t sealed[static VFS_COPY_LEN]);
bool vfs_preamble_unseal(const struct sk_vfs *vfs, unsigned copy,
                         uint8_t block[static VFS_COPY_LEN], struct vfs_preamble *p);

/* vfs_main.c */
extern const sqlite3_io_methods vfs_main_methods;
int vfs_main_check_size(struct sk_vfs *vfs); /* room for preamble and page 1 */
/* No page in part at the end, but for one that a checkpoint was writing: the log has it whole. */
int vfs_main_check_end(struct sk_vfs *vfs);
int vfs_main_check(struct sk_vfs *vfs, const struct vfs_file *file, sk_vfs_bad_page_fn *each,
                   void *context);

/* vfs_log.c: how a log is bound to the database. */
int vfs_log_examine(struct sk_vfs *vfs);           /* just opened: does it belong here? */
int vfs_log_before_checkpoint(struct sk_vfs *vfs); /* a page of the database is written next */
int vfs_log_before_head(struct sk_vfs *vfs, uint8_t id[static VFS_LOG_ID_LEN]); /* makes an id */
int vfs_log_before_frame(struct sk_vfs *vfs, uint64_t frame);
int vfs_log_before_cut(struct sk_vfs *vfs, uint64_t frames); /* that many frames stay */
int vfs_log_cut_to_nothing(struct sk_vfs *vfs);
int vfs_log_remove(struct sk_vfs *vfs, const char *path, int sync_folder);

/* vfs_chain.c: SQLite's chain of checksums through a log, as far as it has come. */
struct vfs_sum {
    uint32_t a, b;
};
void vfs_chain_begin(const uint8_t head[static VFS_LOG_HEAD], struct vfs_sum *sum);
/* Whether the next frame (header and page) fits; the sum is carried on. */
bool vfs_chain_fits(const uint8_t head[static VFS_LOG_HEAD], struct vfs_sum *sum,
                    const uint8_t *frame, size_t page_size);
/*
 * Whether this frame, which does not open, was on the disk once: a transaction ends behind it and
 * another one follows, which is begun when all before it is synced. The frame that ends one may
 * stand there several times, to fill a sector.
 */
int vfs_chain_lost(struct sk_vfs *vfs, uint64_t frame, bool *lost);
int vfs_chain_any(struct sk_vfs *vfs, bool *found); /* whether any frame of the file opens */

/* vfs_wal.c */
extern const sqlite3_io_methods vfs_wal_methods;
/* Reads a frame into wal->frame; *opened tells whether it is one of this log. */
int vfs_wal_load_frame(struct sk_vfs *vfs, uint64_t frame, bool *opened);
/* Whether a frame that the database needs holds that page: then `data` need not have it whole. */
int vfs_wal_find_page(struct sk_vfs *vfs, uint64_t page, bool *found);
/* The tag of a frame that is in the file. */
int vfs_wal_tag(struct sk_vfs *vfs, uint64_t frame, uint8_t tag[static SK_AEAD_TAG_LEN]);
void vfs_wal_forget(struct sk_vfs *vfs); /* wipes what is held */

static inline size_t vfs_frame_len(const struct sk_vfs *vfs)
{
    return VFS_FRAME_HEAD + (size_t)vfs->page_size;
}

/* Where a frame stands towards SQLite, and on disk. */
static inline uint64_t vfs_frame_offset(const struct sk_vfs *vfs, uint64_t frame)
{
    return VFS_LOG_HEAD + (frame - 1) * vfs_frame_len(vfs);
}

static inline sqlite3_int64 vfs_frame_place(const struct sk_vfs *vfs, uint64_t frame)
{
    return (sqlite3_int64)vfs_frame_offset(vfs, frame) + VFS_LOG_SHIFT;
}

#endif
