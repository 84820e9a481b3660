/*
 * How much one bundle can carry. What the payloads shrink to is not known before they are written,
 * so they are counted as if they were stored.
 */
#include "sync/export_parts.h"

/* The inner stream of the largest volume. */
#define STREAM_MAX ((uint64_t)SK_VOLUME_CHUNKS_MAX * SK_CHUNK_PLAIN_LEN)

/* The manifest's length and the manifest at its longest, the signature, END. */
#define FIXED_LEN (4 + SK_MANIFEST_MAX + SK_SIGNATURE_LEN + 16)

/* What a payload takes beside its entry: its head, and those of the frames that it fills. */
#define PAYLOAD_OVERHEAD 128
#define FRAME_OVERHEAD   16
#define PAYLOAD_COST(len) \
    ((len) + PAYLOAD_OVERHEAD + (((len) + PAYLOAD_OVERHEAD) / SK_BLOCK_LEN + 1) * FRAME_OVERHEAD)

/* The longest payload with its block hashes. If it fitted no bundle, nothing behind it would ever
 * leave. */
#define LONGEST \
    (SK_TEXT_MAX + SK_BODY_MAX + (SK_TEXT_MAX + SK_BODY_MAX) / SK_BLOCK_LEN * SK_HASH_LEN)
_Static_assert(FIXED_LEN + SK_ENTRY_LEN + PAYLOAD_COST(LONGEST) <= STREAM_MAX, "one payload");
_Static_assert(STREAM_MAX <= SK_BUNDLE_PLAIN_MAX, "what the manifest counts is less");

struct counting {
    struct sk_hash indices; /* first, since it is aligned to 64 bytes */
    struct sk_export_plan plan;
    uint64_t bytes; /* of the stream, at most */
};

/* Counts one payload in if it fits. */
static bool count_payload(struct counting *c, uint64_t position, uint64_t text_len,
                          uint64_t body_len)
{
    uint64_t plain_len = text_len + body_len;
    uint64_t cost = PAYLOAD_COST(plain_len + sk_block_count(text_len, body_len) * SK_HASH_LEN);
    uint64_t entries = (position - c->plan.n0 + 1) * SK_ENTRY_LEN;
    if (c->bytes + cost + entries > STREAM_MAX)
        return false;
    c->bytes += cost;
    c->plan.plain_bytes += plain_len;
    c->plan.payloads++;
    sk_hash_add_u32(&c->indices, (uint32_t)(position - c->plan.n0));
    return true;
}

static enum sk_status count_payloads(struct sk_store *store, struct counting *c,
                                     struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT id, length(text), body_len FROM payload "
                         "INDEXED BY payload_length WHERE id >= ?1 AND id < ?2 ORDER BY id",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(SK_LOG_OWN, c->plan.n0));
    sk_bind_int(stmt, 2, sk_entry_row(SK_LOG_OWN, c->plan.n1));
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        uint64_t position = sk_entry_row_position(sk_column_int(stmt, 0));
        if (count_payload(c, position, (uint64_t)sk_column_int(stmt, 1),
                          (uint64_t)sk_column_int(stmt, 2)))
            continue;
        if (position == c->plan.n0)
            return sk_fail(err, SK_LIMIT,
                           "entry %llu is larger than a bundle can be: nothing was written",
                           (unsigned long long)position);
        c->plan.n1 = position;
        return SK_OK;
    }
}

enum sk_status sk_export_plan(struct sk_store *store, uint64_t n0, uint64_t end,
                              struct sk_export_plan *out, struct sk_error *err)
{
    struct counting c = {.plan = {.n0 = n0, .n1 = end}, .bytes = FIXED_LEN};
    if (end - n0 > SK_BUNDLE_ENTRIES_MAX)
        c.plan.n1 = n0 + SK_BUNDLE_ENTRIES_MAX;
    sk_hash_init(&c.indices, NULL, SK_LABEL_INDICES);
    SK_TRY(count_payloads(store, &c, err));
    uint64_t room = (STREAM_MAX - c.bytes) / SK_ENTRY_LEN; /* also for entries without a payload */
    if (c.plan.n1 - n0 > room)
        c.plan.n1 = n0 + room;
    sk_hash_end(&c.indices, c.plan.indices_hash);
    c.plan.left = end - c.plan.n1;
    *out = c.plan;
    return SK_OK;
}
