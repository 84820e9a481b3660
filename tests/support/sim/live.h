/*
 * The file system in memory as running programs see it: under the file layer (core/file_calls.h)
 * and under SQLite's own VFS "unix" (its table of system calls, fsync() and fdatasync()) at once,
 * so that one record holds what both did, in order. Everything below "/sim" is there, everything
 * else is the system's. Each folder right below "/sim" is a disk of its own.
 */
#ifndef SK_TESTS_SIM_LIVE_H
#define SK_TESTS_SIM_LIVE_H

#include "tests/support/sim/image.h"

/* ---- the disk ---- */

/* Puts an empty file system in place; sk_sim_end() gives the system's calls back. */
void sk_sim_begin(void);
void sk_sim_end(void);

/* What is there now; puts another state in its place (no file may be open). */
const struct sk_sim_image *sk_sim_now(void);
void sk_sim_load(const struct sk_sim_image *image);

/* Files and folders that are open. */
unsigned sk_sim_open_count(void);

/* Makes a folder; a file with these bytes; reads one (NULL: none; freed by sk_sim_free). These are
 * the test's own, are not recorded and meet no fault. */
void sk_sim_make_folder(const char *path);
void sk_sim_make_file(const char *path, const void *bytes, size_t len);
uint8_t *sk_sim_file_bytes(const char *path, size_t *len);

/* ---- the record ---- */

struct sk_sim_record {
    struct sk_sim_image start; /* all of it durable */
    struct sk_sim_step *steps;
    size_t count, room;
};

/* From now on every step is noted, on top of what is there; until the other call. */
void sk_sim_record(struct sk_sim_record *record);
void sk_sim_record_stop(void);
void sk_sim_record_clear(struct sk_sim_record *record);

/* ---- faults ---- */

/* Kinds of call. */
enum {
    SK_SIM_READS = 1 << 0,
    SK_SIM_WRITES = 1 << 1,
    SK_SIM_SYNCS = 1 << 2,
    SK_SIM_TRUNCATES = 1 << 3,
    SK_SIM_RENAMES = 1 << 4, /* links as well */
    SK_SIM_UNLINKS = 1 << 5, /* and rmdir */
    SK_SIM_CREATES = 1 << 6, /* open() that makes a file, mkdir() */
    SK_SIM_LOOKS = 1 << 7,   /* open() of what is there, stat(), opendir(), readdir(), flock() */
    SK_SIM_ANY = (1 << 8) - 1,
};
#define SK_SIM_SHORT (-1) /* as error: a write that writes half */

struct sk_sim_fault {
    unsigned calls;  /* the kinds that count */
    unsigned number; /* the one of them that fails, from 1 */
    bool lasting;    /* and all after it */
    int error;       /* errno, or SK_SIM_SHORT */
    unsigned disk;   /* 0: any; else only what happens on that disk (sk_sim_disk()) */
};
void sk_sim_arm(const struct sk_sim_fault *fault);
void sk_sim_disarm(void);
unsigned sk_sim_counted(void); /* such calls since it was armed */
bool sk_sim_struck(void);      /* whether the fault was met since */

/* A disk that says it synced and did not. */
enum sk_sim_lie { SK_SIM_HONEST, SK_SIM_LIES_OF_FILES, SK_SIM_LIES_OF_FOLDERS };
void sk_sim_lie(enum sk_sim_lie lie);

/* Whether there can be files without a name (O_TMPFILE), as on ext4, or not, as on FAT. At first
 * there cannot. */
void sk_sim_nameless(bool nameless);

/* The number of the disk that a path is on. */
unsigned sk_sim_disk(const char *path);

/* ---- for calls.c: the calls, with POSIX results and errno; paths below "/sim" ---- */

bool sk_sim_owns_path(const char *path);
bool sk_sim_owns_fd(int fd);

#endif
