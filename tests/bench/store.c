/*
 * One workload on one kind of database, measured in this process:
 *
 *   bench_store PEER WORK DIR RECORDS
 *
 * PEER: plain (SQLite), skrynia (the same over the encrypting VFS, memory wiped when freed),
 * sqlcipher (in bench_store_sqlcipher), or program (core's own API: forms, JSON, commitments, log,
 * signature). store.py runs them in turn and compares.
 *
 * WORK, for the first three: bulk (RECORDS in one transaction, closing included), durable (RECORDS
 * in 1,000 transactions), search (1,000), point (10,000 reads of different records, each the
 * first), open (and read one record), in, out (1,024 x RECORDS bytes as blobs of 1 MiB). What reads
 * wants a database made by bulk or in.
 */
#include "tests/bench/store_bench.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define TEXT_LEN     2000
#define TRANSACTIONS 1000
#define SEARCHES     1000
#define POINTS       10000
#define WORDS        30000
#define BLOB_LEN     (1u << 20)
#define ENTRY_LEN    96
#define LOG          (INT64_C(1) << 40) /* rows of the first log begin here */

/* ---- data ---- */

uint64_t bench_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The n-th word: syllables, in Cyrillic when n is odd. */
static size_t word(uint64_t n, char *out)
{
    static const char *const syllables[2][16] = {{"ba", "de", "fi", "go", "hu", "ka", "le", "mi",
                                                  "no", "pu", "ra", "se", "ti", "vo", "zu", "sta"},
                                                 {"ба", "дзе", "фі", "го", "ху", "ка", "ле", "мі",
                                                  "но", "пу", "ра", "се", "ці", "во", "зу", "ста"}};
    size_t len = 0;
    out[0] = '\0';
    for (uint64_t rest = n / 2 + 20; rest > 0; rest /= 16) {
        const char *s = syllables[n % 2][rest % 16];
        memcpy(out + len, s, strlen(s) + 1);
        len += strlen(s);
    }
    return len;
}

/* Ranks as in speech: the n-th word as often as 1/n. */
static uint64_t rank(uint64_t *state)
{
    double u = (double)(bench_random(state) >> 11) / 9007199254740992.0;
    return (uint64_t)exp(u * log(WORDS));
}

size_t bench_text(uint64_t *state, char *out, size_t len)
{
    size_t at = 0;
    while (at + 64 < len) {
        at += word(rank(state), out + at);
        out[at++] = ' ';
    }
    out[at - 1] = '\0';
    return at - 1;
}

void bench_word(uint64_t *state, char *out)
{
    (void)word(1000 + bench_random(state) % (WORDS - 1000), out);
}

/* ---- measuring ---- */

static double begun_cpu;
static double begun_wall;

static double wall(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bench_start(void)
{
    begun_wall = wall();
    begun_cpu = cpu();
}

void bench_stop(void)
{
    struct rusage usage;
    double cpu_s = cpu() - begun_cpu;
    double wall_s = wall() - begun_wall;
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("%.6f %.6f %ld\n", cpu_s, wall_s, usage.ru_maxrss / 1024);
}

void bench_fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_store: %s: %s\n", what, why);
    exit(1);
}

void bench_expect(sqlite3 *db, int rc, int wanted, const char *what)
{
    if (rc != wanted)
        bench_fail(what, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

/* ---- statements ---- */

static sqlite3_stmt *prepared(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    bench_expect(db, sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK, sql);
    return stmt;
}

static void run(sqlite3 *db, const char *sql)
{
    bench_expect(db, sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, sql);
}

static void step_once(sqlite3 *db, sqlite3_stmt *stmt)
{
    bench_expect(db, sqlite3_step(stmt), SQLITE_DONE, sqlite3_sql(stmt));
    bench_expect(db, sqlite3_reset(stmt), SQLITE_OK, sqlite3_sql(stmt));
}

/* The statements by which the program stores a record, without what surrounds them. */
struct insert {
    sqlite3 *db;
    sqlite3_stmt *entry;
    sqlite3_stmt *payload;
    sqlite3_stmt *item;
    sqlite3_stmt *words;
    sqlite3_stmt *show;
};

static struct insert insert_prepare(sqlite3 *db)
{
    return (struct insert){
        db,
        prepared(db, "INSERT INTO entry(id, item, bytes) VALUES(?1, ?2, ?3)"),
        prepared(db, "INSERT INTO payload(id, salt, hashes, body_len, media, text) "
                     "VALUES(?1, ?2, ?3, 0, NULL, ?4)"),
        prepared(db, "INSERT INTO item(uid, log, type, revision, entry, shown, erased, title) "
                     "VALUES(?1, 1, 2, 0, 0, 0, 0, '')"),
        prepared(db, "INSERT INTO search(rowid, text) VALUES(?1, ?2)"),
        prepared(db, "UPDATE item SET shown = ?2, entry = ?2, title = ?3 WHERE id = ?1"),
    };
}

static void insert_done(struct insert *i)
{
    sqlite3_finalize(i->entry);
    sqlite3_finalize(i->payload);
    sqlite3_finalize(i->item);
    sqlite3_finalize(i->words);
    sqlite3_finalize(i->show);
}

static void insert_record(struct insert *i, uint64_t *state, int64_t position, const char *text,
                          size_t len)
{
    uint64_t bytes[ENTRY_LEN / 8];
    char title[64];

    for (size_t n = 0; n < ENTRY_LEN / 8; n++)
        bytes[n] = bench_random(state);
    (void)snprintf(title, sizeof(title), "Testimony %lld", (long long)position);
    sqlite3_bind_blob(i->item, 1, bytes, 16, SQLITE_STATIC);
    step_once(i->db, i->item);
    int64_t row = sqlite3_last_insert_rowid(i->db);
    sqlite3_bind_int64(i->entry, 1, LOG + position);
    sqlite3_bind_int64(i->entry, 2, row);
    sqlite3_bind_blob(i->entry, 3, bytes, ENTRY_LEN, SQLITE_STATIC);
    step_once(i->db, i->entry);
    sqlite3_bind_int64(i->payload, 1, LOG + position);
    sqlite3_bind_blob(i->payload, 2, bytes, 32, SQLITE_STATIC);
    sqlite3_bind_blob(i->payload, 3, bytes, 0, SQLITE_STATIC);
    sqlite3_bind_blob(i->payload, 4, text, (int)len, SQLITE_STATIC);
    step_once(i->db, i->payload);
    sqlite3_bind_int64(i->words, 1, row);
    sqlite3_bind_text(i->words, 2, text, (int)len, SQLITE_STATIC);
    step_once(i->db, i->words);
    sqlite3_bind_int64(i->show, 1, row);
    sqlite3_bind_int64(i->show, 2, LOG + position);
    sqlite3_bind_text(i->show, 3, title, -1, SQLITE_STATIC);
    step_once(i->db, i->show);
}

/* ---- workloads ---- */

static void write_records(const char *peer, const char *dir, size_t records, size_t transactions)
{
    uint64_t state = 1;
    char *texts = malloc(records * TEXT_LEN);
    size_t *lens = calloc(records, sizeof(*lens));
    if (!texts || !lens)
        bench_fail("records", "no memory");
    for (size_t i = 0; i < records; i++)
        lens[i] = bench_text(&state, texts + i * TEXT_LEN, TEXT_LEN);
    sqlite3 *db = bench_open(peer, dir, true);
    bench_make_schema(db);

    bench_start();
    struct insert insert = insert_prepare(db);
    sqlite3_stmt *begin = prepared(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *commit = prepared(db, "COMMIT");
    size_t each = (records + transactions - 1) / transactions;
    for (size_t i = 0; i < records; i++) {
        if (i % each == 0)
            step_once(db, begin);
        insert_record(&insert, &state, (int64_t)i, texts + i * TEXT_LEN, lens[i]);
        if (i % each == each - 1 || i == records - 1)
            step_once(db, commit);
    }
    insert_done(&insert);
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    bench_close(db);
    bench_stop();
    free(texts);
    free(lens);
}

static void search(const char *peer, const char *dir)
{
    uint64_t state = 2;
    char query[80];
    size_t hits = 0;
    sqlite3 *db = bench_open(peer, dir, false);

    bench_start();
    sqlite3_stmt *stmt = prepared(
        db, "SELECT id, uid, title FROM item WHERE NOT erased AND shown <> 0 AND type <= 6 AND "
            "id IN (SELECT hit.id FROM search JOIN item AS hit ON hit.id = search.rowid "
            "WHERE search MATCH ?1) ORDER BY id DESC");
    for (int i = 0; i < SEARCHES; i++) {
        char one[64];
        bench_word(&state, one);
        (void)snprintf(query, sizeof(query), "\"%s\"*", one);
        sqlite3_bind_text(stmt, 1, query, -1, SQLITE_STATIC);
        int rc;
        while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
            hits += sqlite3_column_bytes(stmt, 2) > 0;
        bench_expect(db, rc, SQLITE_DONE, "search");
        sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
    bench_stop();
    if (hits < SEARCHES)
        bench_fail("search", "it found too little");
    bench_close(db);
}

static void read_one(sqlite3 *db, sqlite3_stmt *stmt, int64_t position)
{
    sqlite3_bind_int64(stmt, 1, LOG + position);
    bench_expect(db, sqlite3_step(stmt), SQLITE_ROW, "a record");
    if (sqlite3_column_bytes(stmt, 0) < TEXT_LEN / 2)
        bench_fail("a record", "it is short");
    sqlite3_reset(stmt);
}

static const char read_text[] = "SELECT text FROM payload WHERE id = ?1";

static void point(const char *peer, const char *dir, size_t records)
{
    sqlite3 *db = bench_open(peer, dir, false);
    bench_start();
    sqlite3_stmt *stmt = prepared(db, read_text);
    /* 7,919 is prime: no record comes twice. */
    for (size_t i = 0; i < POINTS; i++)
        read_one(db, stmt, (int64_t)(i * 7919 % records));
    sqlite3_finalize(stmt);
    bench_stop();
    bench_close(db);
}

static void open_only(const char *peer, const char *dir, size_t records)
{
    bench_start();
    sqlite3 *db = bench_open(peer, dir, false);
    sqlite3_stmt *stmt = prepared(db, read_text);
    read_one(db, stmt, (int64_t)records / 2);
    sqlite3_finalize(stmt);
    bench_stop();
    bench_close(db);
}

static void blobs_in(const char *peer, const char *dir, size_t count)
{
    uint64_t state = 3;
    uint64_t *blob = malloc(BLOB_LEN);
    if (!blob)
        bench_fail("blobs", "no memory");
    for (size_t i = 0; i < BLOB_LEN / 8; i++)
        blob[i] = bench_random(&state);
    sqlite3 *db = bench_open(peer, dir, true);
    run(db, "CREATE TABLE blob(id INTEGER PRIMARY KEY, bytes BLOB)");

    bench_start();
    sqlite3_stmt *stmt = prepared(db, "INSERT INTO blob VALUES(?1, ?2)");
    run(db, "BEGIN");
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(stmt, 1, (int64_t)i);
        sqlite3_bind_blob(stmt, 2, blob, BLOB_LEN, SQLITE_STATIC);
        step_once(db, stmt);
    }
    run(db, "COMMIT");
    sqlite3_finalize(stmt);
    bench_close(db);
    bench_stop();
    free(blob);
}

static void blobs_out(const char *peer, const char *dir, size_t count)
{
    sqlite3 *db = bench_open(peer, dir, false);
    size_t seen = 0;
    bench_start();
    sqlite3_stmt *stmt = prepared(db, "SELECT bytes FROM blob ORDER BY id");
    while (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_blob(stmt, 0))
        seen += (size_t)sqlite3_column_bytes(stmt, 0);
    sqlite3_finalize(stmt);
    bench_stop();
    if (seen != count * BLOB_LEN)
        bench_fail("blobs", "they are not all there");
    bench_close(db);
}

static bool run_work(const char *peer, const char *work, const char *dir, size_t records)
{
    if (strcmp(peer, "program") == 0)
        return bench_program(work, dir, records);
    if (strcmp(work, "bulk") == 0)
        write_records(peer, dir, records, 1);
    else if (strcmp(work, "durable") == 0)
        write_records(peer, dir, records, TRANSACTIONS);
    else if (strcmp(work, "search") == 0)
        search(peer, dir);
    else if (strcmp(work, "point") == 0)
        point(peer, dir, records);
    else if (strcmp(work, "open") == 0)
        open_only(peer, dir, records);
    else if (strcmp(work, "in") == 0)
        blobs_in(peer, dir, records);
    else if (strcmp(work, "out") == 0)
        blobs_out(peer, dir, records);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    size_t records = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    if (records == 0 || !run_work(argv[1], argv[2], argv[3], records)) {
        (void)fprintf(stderr, "usage: bench_store PEER WORK DIR RECORDS\n");
        return 64;
    }
    return 0;
}
