/*
 * A folder that behaves as a stick with FAT does, whatever file system it is on: names are kept in
 * upper case and found in any, some characters are in none; there are no links, no files without a
 * name, no exchange of names and no renaming without replacing; a folder cannot be synced; a file
 * ends at 4 GiB. And it may lie: once the system's own copy is dropped, it gives back something
 * else than was written.
 *
 * By the table of core/file_calls.h; only what is below the folder is so.
 */
#ifndef SK_TESTS_FAT_H
#define SK_TESTS_FAT_H

#include <stdbool.h>

enum sk_fat_lie {
    SK_FAT_HONEST,
    SK_FAT_FLIPS,  /* a bit */
    SK_FAT_DROPS,  /* the last half of what was written: zeros stand there */
    SK_FAT_CUTS,   /* the file at a half */
    SK_FAT_FORGETS /* the file */
};

/* Puts the calls in use, for this existing folder; until sk_fat_end(). */
void sk_fat_begin(const char *dir);
void sk_fat_end(void);

void sk_fat_lies(enum sk_fat_lie lie);

/* Whether the system's own copy stays, whatever it is asked. */
void sk_fat_stays_in_memory(bool stays);

#endif
