/*
 * What the parts of the store's benchmark share: store.c runs workloads on any SQLite database,
 * store_peers.c opens one as each of the compared programs would, store_program.c drives the whole
 * program's path. Figures go to standard output; anything that fails ends the program.
 */
#ifndef SK_TESTS_BENCH_STORE_H
#define SK_TESTS_BENCH_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/* Opens DIR/data with the program's own settings: WAL, FULL, a cache of 32 MB, exclusive locks. */
struct sqlite3 *bench_open(const char *peer, const char *dir, bool create);
void bench_close(struct sqlite3 *db);
/* Makes the program's tables in a new database. */
void bench_make_schema(struct sqlite3 *db);

/* Ends the program unless the code is `wanted`. */
void bench_expect(struct sqlite3 *db, int rc, int wanted, const char *what);
__attribute__((noreturn)) void bench_fail(const char *what, const char *why);

/* Same numbers on every machine and run. */
uint64_t bench_random(uint64_t *state);
/* A record's text of about `len` bytes, every other word Cyrillic; words as frequent as in speech.
 */
size_t bench_text(uint64_t *state, char *out, size_t len);
/* A word that some records hold, with its NUL in 64 bytes. */
void bench_word(uint64_t *state, char *out);

/* Begins to measure; ends and prints "CPU wall" in seconds. */
void bench_start(void);
void bench_stop(void);

/* The whole program's path; false when there is no such workload. */
bool bench_program(const char *work, const char *dir, size_t records);

#endif
