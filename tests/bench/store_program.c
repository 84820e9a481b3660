/*
 * The whole program's path: bulk, durable, search, point, open, in, out as in store.c, through
 * core's API, with all that the program adds (forms, JSON, hashes of commitments, the log's tree,
 * a signature each commit). `open` begins after the key derivation.
 */
#include "tests/bench/store_bench.h"

#include "core/form.h"
#include "core/item.h"
#include "core/json.h"
#include "core/media.h"
#include "core/record.h"
#include "core/store.h"
#include "crypto/secret.h"
#include "crypto/slot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_LEN     2000
#define TRANSACTIONS 1000
#define SEARCHES     1000
#define POINTS       10000
#define PIECE        (1u << 20)

static struct sk_error err;

static void must(enum sk_status status, const char *what)
{
    if (status != SK_OK)
        bench_fail(what, err.text);
}

static struct sk_store *opened(const char *dir, bool create)
{
    static const char passphrase[] = "a passphrase for tests";
    const struct sk_unlock unlock = {.passphrase = (const uint8_t *)passphrase,
                                     .passphrase_len = sizeof(passphrase) - 1};
    struct sk_store_options options = {
        .dir = dir, .kind = SK_STORE_DEVICE, .unlock = &unlock, .name = "", .insecure_kdf = true};
    struct sk_store *store = NULL;
    must(sk_crypto_init(), "libsodium");
    sk_json_init();
    must(sk_forms_init(&err), "forms");
    if (create)
        must(sk_store_create(&options, &err), "a new store");
    must(sk_store_open(&store, &options, &err), "the store");
    return store;
}

static void write_records(const char *dir, size_t records, size_t transactions)
{
    uint64_t state = 1;
    struct sk_store *store = opened(dir, true);
    json_t **fields = calloc(records, sizeof(json_t *));
    char text[TEXT_LEN];
    char title[64];
    if (!fields)
        bench_fail("records", "no memory");
    for (size_t i = 0; i < records; i++) {
        (void)bench_text(&state, text, TEXT_LEN);
        (void)snprintf(title, sizeof(title), "Testimony %zu", i);
        fields[i] = json_pack("{s:s, s:s}", "title", title, "text", text);
    }

    bench_start();
    size_t each = (records + transactions - 1) / transactions;
    for (size_t i = 0; i < records;) {
        sk_auto_store_txn txn = NULL;
        must(sk_store_begin(&txn, store, &err), "begin");
        for (size_t n = 0; n < each && i < records; n++, i++) {
            struct sk_id id;
            must(sk_record_add(store, SK_TYPE_TESTIMONY, fields[i], &id, &err), "add");
        }
        must(sk_store_commit(&txn, &err), "commit");
    }
    must(sk_store_close(store, &err), "close");
    bench_stop();
    for (size_t i = 0; i < records; i++)
        json_decref(fields[i]);
    free(fields);
}

static enum sk_status count_item(void *context, const struct sk_item *item, struct sk_error *why)
{
    (void)why;
    *(size_t *)context += item->title[0] != '\0';
    return SK_OK;
}

static void search(const char *dir)
{
    uint64_t state = 2;
    size_t hits = 0;
    struct sk_store *store = opened(dir, false);
    bench_start();
    for (int i = 0; i < SEARCHES; i++) {
        char word[64];
        bench_word(&state, word);
        must(sk_item_search(store, word, count_item, &hits, &err), "search");
    }
    bench_stop();
    if (hits < SEARCHES)
        bench_fail("search", "it found too little");
    must(sk_store_close(store, &err), "close");
}

static void point(const char *dir, size_t records)
{
    struct sk_store *store = opened(dir, false);
    bench_start();
    for (size_t i = 0; i < POINTS; i++) {
        sk_auto_payload payload = SK_PAYLOAD_INIT;
        bool found = false;
        must(sk_payload_load(store, 1, i * 7919 % records, &payload, &found, &err), "a record");
        if (!found || payload.text.len < TEXT_LEN / 2)
            bench_fail("a record", "it is not there");
    }
    bench_stop();
    must(sk_store_close(store, &err), "close");
}

static void open_only(const char *dir)
{
    bench_start();
    struct sk_store *store = opened(dir, false);
    bench_stop();
    must(sk_store_close(store, &err), "close");
}

static void bytes_in(const char *dir, size_t count)
{
    uint64_t state = 3;
    uint64_t *piece = malloc(PIECE);
    if (!piece)
        bench_fail("bytes", "no memory");
    for (size_t i = 0; i < PIECE / 8; i++)
        piece[i] = bench_random(&state);
    struct sk_store *store = opened(dir, true);
    bench_start();
    sk_auto_media_writer writer = NULL;
    must(sk_media_create(store, &writer, &err), "media");
    for (size_t i = 0; i < count; i++)
        must(sk_media_write(writer, piece, PIECE, &err), "media");
    must(sk_media_finish(writer, &err), "media");
    sk_auto_store_txn txn = NULL;
    int64_t row = 0;
    must(sk_store_begin(&txn, store, &err), "begin");
    must(sk_media_keep(writer, &row, &err), "media");
    must(sk_store_commit(&txn, &err), "commit");
    bench_stop();
    must(sk_store_close(store, &err), "close");
    free(piece);
}

static void bytes_out(const char *dir, size_t count)
{
    uint8_t *piece = malloc(PIECE);
    struct sk_store *store = opened(dir, false);
    size_t seen = 0;
    size_t got = 1;
    if (!piece)
        bench_fail("bytes", "no memory");
    bench_start();
    sk_auto_media_reader reader = NULL;
    must(sk_media_open(store, 1, &reader, &err), "media");
    while (got > 0) {
        must(sk_media_read(reader, piece, PIECE, &got, &err), "media");
        seen += got;
    }
    bench_stop();
    if (seen != count * PIECE)
        bench_fail("bytes", "they are not all there");
    must(sk_store_close(store, &err), "close");
    free(piece);
}

bool bench_program(const char *work, const char *dir, size_t records)
{
    if (strcmp(work, "bulk") == 0)
        write_records(dir, records, 1);
    else if (strcmp(work, "durable") == 0)
        write_records(dir, records, TRANSACTIONS);
    else if (strcmp(work, "search") == 0)
        search(dir);
    else if (strcmp(work, "point") == 0)
        point(dir, records);
    else if (strcmp(work, "open") == 0)
        open_only(dir);
    else if (strcmp(work, "in") == 0)
        bytes_in(dir, records);
    else if (strcmp(work, "out") == 0)
        bytes_out(dir, records);
    else
        return false;
    return true;
}
