/*
 * A disk in memory, as a VFS of SQLite to be put below ours. It can fail at any operation, and it
 * can lose power: what was not synced is then kept, lost or turned into garbage, sector by sector.
 *
 * Only one of its VFSs exists at a time. Without a crash it behaves as a disk does.
 */
#ifndef SK_TESTS_DISK_H
#define SK_TESTS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SK_DISK_VFS "test-disk"

enum sk_disk_fault {
    SK_DISK_FAULT_NONE,
    SK_DISK_FAULT_IO,    /* one write, sync, truncation or removal fails */
    SK_DISK_FAULT_FULL,  /* one write fails for want of space */
    SK_DISK_FAULT_POWER, /* that operation and all later ones fail: call sk_disk_crash() */
    SK_DISK_FAULT_READ,  /* one read fails; only reads are counted */
};

/* Registers an empty disk. powersafe: a torn sector keeps the bytes that were not written. */
void sk_disk_begin(bool powersafe, unsigned sector_size);
void sk_disk_end(void);

/* Claims these traits of SQLite's (SQLITE_IOCAP_...) from now on, whether it has them or not. */
void sk_disk_claim(int traits);

/* The `number`-th operation (from 1) from now on gets the fault. */
void sk_disk_arm(enum sk_disk_fault fault, unsigned number);

/* Operations since the disk was armed: those that change something, or reads for FAULT_READ. */
unsigned sk_disk_operations(void);

/* Power fails now: what was not synced becomes what the seed says. All files count as closed. */
void sk_disk_crash(uint64_t seed);

/* What the program asked for is on disk, as after the death of the process alone. */
void sk_disk_settle(void);

/* A file's bytes as they are now; NULL when there is none. Freed by the caller. */
uint8_t *sk_disk_read(const char *path, size_t *len);
void sk_disk_write(const char *path, const uint8_t *bytes, size_t len); /* bytes NULL: removes */

#endif
