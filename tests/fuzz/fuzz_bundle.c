/*
 * A whole bundle, made of a sketch of its content (sketch.h), signed and sealed, so that no
 * signature, commitment or MAC hides a fault of what is behind it; imported into an archive on a
 * disk in memory that holds the log's first entries.
 *
 * It is taken, or refused with one of the classes of sync/FORMAT.md. After a refusal the archive is
 * as it was, to the last row. After it was taken, verify finds nothing, and the same file is known.
 * What was put into quarantine can be approved, and a receipt can be written.
 */
#include "core/verify.h"
#include "crypto/bytes.h"
#include "sync/import.h"
#include "sync/invite_parts.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/seal.h"
#include "tests/support/exchange.h"
#include "tests/support/sim/live.h"
#include "tests/support/story/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE SK_SIM_ROOT "/disk/archive"
#define STICK SK_SIM_ROOT "/stick"
#define FILE_ STICK "/bundle"

static struct sk_store *store;
static struct sk_sim_image base; /* with the store closed */
static uint8_t base_dump[32];
static struct sk_seal_world world;
static struct sk_seal_header header; /* on the index that is next */

/* ---- the archive before ---- */

static const char source[] = "{\"form\":\"source\",\"version\":1,\"recorded\":"
                             "\"2026-01-02T03:04:05+00:00\",\"fields\":{\"title\":\"S\"}}";

static void open_store(void)
{
    struct sk_store_options options = sk_test_options(STORE, SK_STORE_ARCHIVE);
    SK_FUZZ_CHECK(sk_store_open(&store, &options, NULL) == SK_OK);
}

static void close_store(void)
{
    SK_FUZZ_CHECK(sk_store_close(store, NULL) == SK_OK);
    store = NULL;
}

/* A source and an event, the source once more, and the event withdrawn. */
static void draw_log(struct sk_sketch *log)
{
    static const struct sk_sketch_entry entries[] = {{SK_TYPE_SOURCE, 0, 1, 1, 1, 0},
                                                     {SK_TYPE_EVENT, 0, 2, 1, 2, 0},
                                                     {SK_TYPE_SOURCE, 0, 1, 2, 3, 0},
                                                     {SK_TYPE_ERASURE, 3, 2, 2, 4, 0}};
    memcpy(log->entries, entries, sizeof(entries));
    log->entry_count = sizeof(entries) / sizeof(entries[0]);
    for (uint8_t i = 0; i < 2; i++) {
        struct sk_sketch_payload *p = &log->payloads[i];
        p->index = (uint8_t)(2 * i);
        p->text_len = sizeof(source) - 1;
        memcpy(p->text, source, p->text_len);
    }
    log->payload_count = 2;
}

static void put_file(const struct sk_seal_header *sealed, const struct sk_sketch *sketch,
                     uint64_t number)
{
    static uint8_t file[SK_VOLUME_BYTES_MIN];
    sk_auto_buf inner = SK_BUF_INIT;
    sk_seal_inner(&inner, &world, sealed, sketch, number);
    SK_FUZZ_CHECK(sk_seal_file(file, sealed, inner.bytes, inner.len));
    sk_sim_make_file(FILE_, file, sizeof(file));
}

static enum sk_status import(struct sk_import_result *result, struct sk_error *err)
{
    return sk_import(store, FILE_, NULL, NULL, result, err);
}

static void begin(void)
{
    static struct sk_seal_header first;
    struct sk_invite invite = {.alias = "lark", .name = "Archive of tests"};
    struct sk_import_result result;
    struct sk_error err = SK_ERROR_INIT;
    int64_t peer = 0;
    sk_sim_begin();
    sk_story_random(1);
    sk_sim_make_folder(SK_SIM_ROOT "/disk");
    sk_sim_make_folder(STICK);
    store = sk_test_make(STORE, SK_STORE_ARCHIVE);
    memset(invite.psk, 7, sizeof(invite.psk));
    SK_FUZZ_CHECK(sk_invite_add_device(store, &invite, &peer, &err) == SK_OK);
    sk_seal_party_init(&world.device, 0x11);
    sk_seal_party_init(&world.stranger, 0x21);
    memcpy(world.archive_id, sk_store_id(store), sizeof(world.archive_id));
    sk_seal_header_init(&first, invite.psk, 0, sk_store_dh_public(store));
    sk_seal_header_init(&header, invite.psk, 1, sk_store_dh_public(store));
    draw_log(&world.log);
    put_file(&first, &world.log, 1);
    if (import(&result, &err) != SK_OK) {
        (void)fprintf(stderr, "the log's beginning: %s\n", err.text);
        abort();
    }
    SK_FUZZ_CHECK(result.entries_new == 4 && result.quarantined == 0 && !result.waiting);
    sk_import_result_clear(&result);
    sk_world_dump(store, base_dump);
    close_store();
    sk_sim_image_copy(&base, sk_sim_now());
    open_store();
}

/* ---- what has to hold ---- */

static void told(void *context, const char *sentence)
{
    (void)context;
    (void)fprintf(stderr, "verify: %s\n", sentence);
    abort();
}

static void check_refused(enum sk_status status, const struct sk_error *err)
{
    uint8_t dump[32];
    if (status != SK_DAMAGED && status != SK_REFUSED && status != SK_LIMIT && status != SK_CONFIG) {
        (void)fprintf(stderr, "%s: %s\n", sk_status_name(status), err->text);
        abort();
    }
    SK_FUZZ_CHECK(err->text[0]);
    sk_world_dump(store, dump);
    SK_FUZZ_CHECK(memcmp(dump, base_dump, sizeof(dump)) == 0);
}

static enum sk_status approved(void *context, const struct sk_import_result *result,
                               struct sk_error *err)
{
    (void)context, (void)err;
    SK_FUZZ_CHECK(!result->known_file);
    return SK_OK;
}

static void verify(void)
{
    SK_FUZZ_CHECK(sk_verify(store, told, NULL, NULL, NULL) == SK_OK);
}

static void check_receipt(int64_t log)
{
    char code[SK_CODE_LEN];
    SK_FUZZ_CHECK(sk_receipt_write(store, log, STICK "/receipt", code, NULL) == SK_OK);
}

static void check_taken(const struct sk_import_result *result)
{
    struct sk_import_result again = {.known_file = false};
    struct sk_error err = SK_ERROR_INIT;
    verify();
    SK_FUZZ_CHECK(import(&again, &err) == SK_OK && again.known_file && again.entries_new == 0);
    SK_FUZZ_CHECK(again.waiting == result->waiting && again.fork == result->fork);
    sk_import_result_clear(&again);
    check_receipt(result->log);
    if (!result->waiting || result->fork)
        return;
    enum sk_status status = sk_approve(store, result->log, NULL, approved, NULL, &err);
    if (status != SK_OK) {
        (void)fprintf(stderr, "approve: %s: %s\n", sk_status_name(status), err.text);
        abort();
    }
    verify();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct sk_sketch sketch; /* large */
    struct sk_import_result result = {.known_file = false};
    struct sk_error err = SK_ERROR_INIT;
    if (!base.count)
        begin();
    sk_story_random(2);
    sk_sketch_read(&sketch, bytes, len);
    put_file(&header, &sketch, 2);
    enum sk_status status = import(&result, &err);
    if (status != SK_OK) {
        check_refused(status, &err);
        return 0;
    }
    check_taken(&result);
    sk_import_result_clear(&result);
    close_store();
    sk_sim_load(&base);
    open_store();
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed)
{
    static struct sk_sketch sketch;
    if (seed % 16 == 0)
        return LLVMFuzzerMutate(bytes, len, room);
    sk_sketch_read(&sketch, bytes, len);
    sk_sketch_mutate(&sketch, seed / 16);
    return sk_sketch_write(&sketch, bytes, room);
}
