#include "core/log.h"
#include "core/verify.h"
#include "crypto/hash.h"
#include "sync/import.h"
#include "sync/peer.h"
#include "sync/receipt.h"
#include "tests/support/exchange.h"
#include "tests/vectors/make/draft.h"
#include "tests/vectors/make/run.h"

#include <stdio.h>
#include <string.h>

static struct sk_store *store; /* of the run before, when nothing came into it */

void sk_run_end(void)
{
    if (store)
        sk_fixed_store_remove(store);
    store = NULL;
}

static const char *put_file(const json_t *file)
{
    sk_auto_buf bytes = SK_BUF_INIT;
    const char *path = sk_fixed_path("arrived");
    sk_file_bytes(&bytes, file);
    MUST(sk_file_save(path, bytes.bytes, bytes.len, true, NULL) == SK_OK);
    return path;
}

/* ---- what an archive holds ---- */

typedef json_t *row_fn(struct sk_stmt *stmt);

static json_t *rows(const char *sql, row_fn *each)
{
    sk_auto_stmt stmt = NULL;
    json_t *list = json_array();
    MUST(sk_db_prepare(sk_store_db(store), &stmt, sql, NULL) == SK_OK);
    for (;;) {
        bool row = false;
        MUST(sk_step(stmt, &row, NULL) == SK_OK);
        if (!row)
            return list;
        json_array_append_new(list, each(stmt));
    }
}

static json_t *bytes_json(struct sk_stmt *stmt, int column)
{
    size_t len = 0;
    const uint8_t *bytes = sk_column_bytes(stmt, column, &len);
    return sk_hex_json(bytes, len);
}

static json_t *position_json(struct sk_stmt *stmt)
{
    return json_integer((json_int_t)sk_entry_row_position(sk_column_int(stmt, 0)));
}

static json_t *entry_json(struct sk_stmt *stmt)
{
    return json_pack("[o, o]", position_json(stmt), bytes_json(stmt, 1));
}

static json_t *payload_json(struct sk_stmt *stmt)
{
    return json_pack("[o, o, I]", position_json(stmt), bytes_json(stmt, 1),
                     (json_int_t)sk_column_int(stmt, 2));
}

static json_t *id_json(struct sk_stmt *stmt)
{
    return bytes_json(stmt, 0);
}

static json_t *gaps_json(const struct sk_ranges *gaps)
{
    json_t *list = json_array();
    for (size_t i = 0; i < gaps->count; i++)
        json_array_append_new(list, json_pack("[I, I]", (json_int_t)gaps->items[i].from,
                                              (json_int_t)gaps->items[i].to));
    return list;
}

static json_t *import_json(const struct sk_import_result *r)
{
    return json_pack("{s:I, s:I, s:I, s:b, s:b, s:b, s:o}", "bundle", (json_int_t)r->bundle, "new",
                     (json_int_t)r->entries_new, "known", (json_int_t)r->entries_known,
                     "known_file", (int)r->known_file, "waiting", (int)r->waiting, "fork",
                     (int)r->fork, "gaps", gaps_json(&r->gaps));
}

static void add_held(json_t *content)
{
    json_object_set_new(content, "logs", rows("SELECT log_id FROM log ORDER BY id", id_json));
    json_object_set_new(content, "entries",
                        rows("SELECT id, bytes FROM entry ORDER BY id", entry_json));
    json_object_set_new(content, "payloads",
                        rows("SELECT id, text, body_len FROM payload ORDER BY id", payload_json));
    json_object_set_new(content, "malformed",
                        rows("SELECT entry FROM malformed ORDER BY entry", position_json));
    json_object_set_new(content, "erased",
                        rows("SELECT uid FROM item WHERE erased ORDER BY uid", id_json));
}

static void add_lacking(json_t *content)
{
    json_object_set_new(content, "lacking",
                        rows("SELECT entry FROM lacking ORDER BY entry", position_json));
}

static void told(void *context, const char *sentence)
{
    (void)context;
    (void)fprintf(stderr, "verify: %s\n", sentence);
    MUST(!"the archive verifies");
}

/* ---- bundles ---- */

/* Imports, or salvages; a refusal leaves every row as it was (but for the notice of a second
 * bundle). */
static json_t *import(const json_t *file, bool alone, bool salvage)
{
    struct sk_import_result result = {.log = 0};
    uint8_t before[32];
    uint8_t after[32];
    const char *path = put_file(file);
    sk_world_dump(store, before);
    enum sk_status status = salvage ? sk_import_salvage(store, path, NULL, NULL, &result, NULL)
                                    : sk_import(store, path, NULL, NULL, &result, NULL);
    sk_world_dump(store, after);
    if (status != SK_OK) {
        MUST(!(alone || salvage) || memcmp(before, after, sizeof(before)) == 0);
        return sk_result(status, NULL);
    }
    json_t *content = import_json(&result);
    if (salvage)
        json_object_set_new(content, "salvaged", json_boolean(result.salvaged));
    sk_import_result_clear(&result);
    MUST(sk_verify(store, told, NULL, NULL, NULL) == SK_OK);
    if (alone)
        add_held(content);
    return sk_result(status, content);
}

/* Whether the vector's archive has renewed its keys: "next", or "forgotten" of the first. */
static bool renew(const json_t *vector)
{
    const json_t *how = json_object_get(json_object_get(vector, "keys"), "renewed");
    if (how)
        store = sk_fixed_renew(store, strcmp(json_string_value(how), "forgotten") == 0);
    return how;
}

json_t *sk_run_bundle(const json_t *vector)
{
    if (!store)
        store = sk_fixed_store(SK_STORE_ARCHIVE);
    bool renewed = renew(vector);
    json_t *result = import(json_object_get(vector, "input"), true, false);
    if (renewed || json_object_get(result, "content"))
        sk_run_end();
    return result;
}

/* The first bundle of its archive. What is kept of it spends nothing, and verifies. */
json_t *sk_run_salvage(const json_t *vector)
{
    store = sk_fixed_store(SK_STORE_ARCHIVE);
    json_t *result = import(json_object_get(vector, "input"), true, true);
    if (json_object_get(result, "content"))
        add_lacking(json_object_get(result, "content"));
    sk_run_end();
    return result;
}

json_t *sk_run_sequence(const json_t *vector)
{
    json_t *steps = json_array();
    size_t i;
    json_t *file;
    bool salvaged = false;
    store = sk_fixed_store(SK_STORE_ARCHIVE);
    (void)renew(vector);
    json_array_foreach(json_object_get(vector, "input"), i, file)
    {
        bool salvage = json_is_true(json_object_get(file, "salvage"));
        json_array_append_new(steps, import(file, false, salvage));
        salvaged = salvaged || salvage;
    }
    json_t *held = json_object();
    add_held(held);
    if (salvaged)
        add_lacking(held);
    sk_run_end();
    return sk_result(SK_OK, json_pack("{s:o, s:o}", "steps", steps, "held", held));
}

/* ---- receipts ---- */

/* The device's own log, as far as the vectors speak of it. */
static void add_own(const json_t *entries)
{
    struct sk_store *txn = NULL;
    size_t i;
    json_t *hex;
    MUST(sk_store_begin(&txn, store, NULL) == SK_OK);
    json_array_foreach(entries, i, hex)
    {
        uint8_t bytes[SK_ENTRY_LEN];
        sk_hex_exactly(bytes, sizeof(bytes), hex);
        MUST(sk_log_put(store, SK_LOG_OWN, i, bytes, 0, NULL) == SK_OK);
    }
    MUST(sk_store_commit(&txn, NULL) == SK_OK);
}

/* Of the archive's keys, what is not as the invite said. */
static void add_keys(json_t *content)
{
    struct sk_peer peer = {.id = 0};
    MUST(sk_peer_load(store, 1, &peer, NULL) == SK_OK);
    if (peer.known.announced)
        json_object_set_new(content, "announced",
                            json_pack("[o, o]", sk_hex_json(peer.known.next.dh_public, 32),
                                      sk_hex_json(peer.known.next.sign_public, 32)));
    if (peer.known.renewed)
        json_object_set_new(content, "in_force",
                            json_pack("[o, o]", sk_hex_json(peer.dh_public, 32),
                                      sk_hex_json(peer.sign_public, 32)));
    sk_peer_clear(&peer);
}

static json_t *form_json(struct sk_stmt *stmt)
{
    return json_pack("[s, I, o]", sk_column_text(stmt, 0), (json_int_t)sk_column_int(stmt, 1),
                     bytes_json(stmt, 2));
}

/* What changes nothing leaves every row as it was. */
static json_t *take_receipt(const json_t *file)
{
    struct sk_receipt_result r = {.notes = NULL};
    uint8_t before[32];
    uint8_t after[32];
    const char *path = put_file(file);
    sk_world_dump(store, before);
    enum sk_status status = sk_receipt_take(store, path, &r, NULL);
    sk_world_dump(store, after);
    MUST((status == SK_OK && !r.older && !r.rollback) ||
         memcmp(before, after, sizeof(before)) == 0);
    if (status != SK_OK)
        return sk_result(status, NULL);
    json_t *content =
        json_pack("{s:I, s:I, s:I, s:I, s:b, s:b}", "number", (json_int_t)r.number, "size",
                  (json_int_t)r.size, "acknowledged", (json_int_t)r.arrived, "wanted",
                  (json_int_t)r.wanted, "older", (int)r.older, "rollback", (int)r.rollback);
    if (r.revoked != SK_NOT_REVOKED)
        json_object_set_new(content, "revoked", json_integer((json_int_t)r.revoked));
    add_keys(content);
    json_t *forms =
        rows("SELECT name, version, hash FROM form WHERE offered ORDER BY name", form_json);
    if (json_array_size(forms) > 0)
        json_object_set_new(content, "forms", forms);
    else
        json_decref(forms);
    sk_receipt_result_clear(&r);
    return sk_result(status, content);
}

/* What its entries commit to. A receipt only has to see that it is there. */
static void add_payloads(const json_t *positions)
{
    struct sk_store *txn = NULL;
    size_t i;
    json_t *position;
    MUST(sk_store_begin(&txn, store, NULL) == SK_OK);
    json_array_foreach(positions, i, position)
    {
        sk_auto_stmt stmt = NULL;
        MUST(sk_db_prepare(sk_store_db(store), &stmt,
                           "INSERT INTO payload(id, salt, hashes, body_len, text) "
                           "VALUES(?1, zeroblob(32), zeroblob(32), 0, zeroblob(0))",
                           NULL) == SK_OK);
        sk_bind_int(stmt, 1, sk_entry_row(SK_LOG_OWN, (uint64_t)json_integer_value(position)));
        MUST(sk_run(stmt, NULL) == SK_OK);
    }
    MUST(sk_store_commit(&txn, NULL) == SK_OK);
}

static void open_device(const json_t *vector)
{
    const json_t *has = json_object_get(json_object_get(vector, "keys"), "has");
    if (store && !has)
        return;
    sk_run_end();
    store = sk_fixed_store(SK_STORE_DEVICE);
    add_own(sk_key(vector, "entries"));
    if (json_array_size(has) > 0)
        add_payloads(has);
}

json_t *sk_run_receipt(const json_t *vector)
{
    open_device(vector);
    json_t *result = take_receipt(json_object_get(vector, "input"));
    if (json_object_get(result, "content"))
        sk_run_end();
    return result;
}

json_t *sk_run_receipt_sequence(const json_t *vector)
{
    json_t *steps = json_array();
    size_t i;
    json_t *file;
    open_device(vector);
    json_array_foreach(json_object_get(vector, "input"), i, file)
    {
        json_array_append_new(steps, take_receipt(file));
    }
    sk_run_end();
    return sk_result(SK_OK, json_pack("{s:o}", "steps", steps));
}
