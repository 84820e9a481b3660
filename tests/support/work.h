/*
 * A small database over the encrypting VFS over the disk in memory, a deterministic run of
 * transactions on it, and the question whether what is found is exactly one committed state.
 */
#ifndef SK_TESTS_WORK_H
#define SK_TESTS_WORK_H

#include "core/sqlite.h"
#include "core/vfs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SK_WORK_PATH "/disk/data"
#define SK_WORK_WAL  "/disk/data-wal"

/* Stands in every row, and must stand in no file. */
#define SK_WORK_MARKER "MARKER-9f1c-uncommon-words"

extern const uint8_t sk_work_key[32];
extern const uint8_t sk_work_id[16];

struct sk_work {
    struct sk_vfs *vfs;
    sqlite3 *db;
    char fault[200]; /* what the VFS said, also after closing */
};

/* Opens with the settings of core/db.c, a cache of ten pages and no checkpoint. SQLite's code. */
int sk_work_open(struct sk_work *w, bool create);
int sk_work_open_with(struct sk_work *w, const struct sk_vfs_options *options);
void sk_work_close(struct sk_work *w); /* without a checkpoint; allowed when opening failed */

/* As if the process were killed now: nothing more is written, the system keeps what it has. */
void sk_work_kill(struct sk_work *w);

/* Moves the log into the database; TRUNCATE. */
int sk_work_checkpoint(struct sk_work *w);

int sk_work_exec(struct sk_work *w, const char *sql);

/* Makes the tables of a new database: state 0. */
int sk_work_prepare(struct sk_work *w);

/* Transaction number k (from 1), which makes state k of state k - 1; now and then a big one. */
int sk_work_step(struct sk_work *w, int k);

/* Starts a transaction of many pages, which are written to the log before it ends. */
int sk_work_spill(struct sk_work *w);

/*
 * The number of the committed state that the whole database shows, or -1 when something cannot be
 * read (with the code in *rc), or -2 when it shows no state: rows of different states are mixed.
 */
int sk_work_state(struct sk_work *w, int *rc);

/* Opens, asks, closes: as sk_work_state(). */
int sk_work_look(int *rc, char *fault, size_t room);

#endif
