#include "cli/commands.h"
#include "cli/print.h"
#include "cli/unlock.h"
#include "core/continuation.h"
#include "core/item.h"
#include "core/lacking.h"
#include "core/log.h"
#include "core/revoke.h"
#include "core/text.h"
#include "sync/import.h"
#include "sync/renew.h"

#include <string.h>

#define ALIAS_COLUMNS 20

/* Devices on their way out. */
struct devices {
    struct sk_run *run;
    struct sk_out_array array;
    uint64_t count;
    uint64_t waiting;
};

/* `log` and `safety`: NULL of one of which nothing has come. A safety number fills most of a narrow
 * screen, so that it has a line of its own. */
static enum sk_status add_row(const char *alias, const char *state, uint64_t size, const char *log,
                              const char *safety, struct sk_error *err)
{
    /* It names the device, so it is not cut; a long one pushes the rest of its row. */
    SK_TRY(sk_text_columns(alias, strlen(alias)) > ALIAS_COLUMNS
               ? sk_out_text(alias, err)
               : sk_out_cell(alias, ALIAS_COLUMNS, err));
    sk_out(" %-9s %8llu", state, (unsigned long long)size);
    if (log)
        sk_out("  %.16s\n    %s", log, safety);
    sk_out("\n");
    return SK_OK;
}

/* The log that this one says it continues, under its alias if it is here. */
struct continued {
    bool any;
    struct sk_continuation what;
    char id[65];
    bool known;
    struct sk_log old;
    uint64_t apart; /* entries of this log */
    struct sk_log heir;
    uint64_t lacking; /* entries without what they commit to */
    uint64_t revoked; /* from which position on; SK_NOT_REVOKED */
    uint64_t held;    /* entries there */
    enum sk_keys_state keys;
};

static enum sk_status find_continued(struct sk_store *store, const struct sk_log *log,
                                     struct continued *out, struct sk_error *err)
{
    int64_t heir = 0;
    sk_auto_ranges lacking = SK_RANGES_INIT;

    SK_TRY(sk_keys_state(store, log->id, &out->keys, err));
    SK_TRY(sk_lacking_ranges(store, log->id, &lacking, err));
    out->lacking = sk_ranges_total(&lacking);
    SK_TRY(sk_log_revoked(store, log->id, &out->revoked, err));
    SK_TRY(sk_log_held_from(store, log->id, out->revoked, &out->held, err));
    SK_TRY(sk_log_apart(store, log->id, &out->apart, &heir, err));
    if (out->apart > 0)
        SK_TRY(sk_log_get(store, heir, &out->heir, err));
    SK_TRY(sk_continuation_of(store, log, &out->what, &out->any, err));
    if (!out->any)
        return SK_OK;
    sk_hex(out->id, out->what.old_id, sizeof(out->what.old_id));
    return sk_log_find(store, out->what.old_id, &out->old, &out->known, err);
}

static enum sk_status add_apart(const struct continued *c, struct sk_error *err)
{
    if (c->apart == 0)
        return SK_OK;
    sk_out("    %llu %s apart: made after ", (unsigned long long)c->apart,
           sk_plural(c->apart, "entry stands", "entries stand"));
    SK_TRY(sk_out_text(c->heir.alias, err));
    sk_out(" continued this log\n");
    return SK_OK;
}

static void add_revoked(const struct continued *c)
{
    if (c->revoked == SK_NOT_REVOKED)
        return;
    sk_out("    revoked from position %llu on", (unsigned long long)c->revoked);
    if (c->held > 0)
        sk_out("; %llu %s held there", (unsigned long long)c->held,
               sk_plural(c->held, "entry is", "entries are"));
    sk_out("\n");
}

static void add_keys(const struct continued *c)
{
    if (c->keys == SK_KEYS_NOT_TAKEN)
        sk_out("    has not taken the next keys: each 'receipt' carries them\n");
    if (c->keys == SK_KEYS_LOST)
        sk_out("    knows only keys that were forgotten: it needs a new store, with a new "
               "invite\n");
}

/* A number, or null. NULL, or no memory: the caller's json_pack() tells. */
static json_t *revoked_json(const struct continued *c)
{
    return c->revoked == SK_NOT_REVOKED ? json_null() : json_integer((json_int_t)c->revoked);
}

static enum sk_status add_continued(const struct continued *c, struct sk_error *err)
{
    add_revoked(c);
    add_keys(c);
    SK_TRY(add_apart(c, err));
    if (c->lacking > 0)
        sk_out("    %llu %s lacking, lost in a damaged bundle; 'receipt' asks for %s\n",
               (unsigned long long)c->lacking,
               sk_plural(c->lacking, "text or attachment is", "texts and attachments are"),
               sk_plural(c->lacking, "it", "them"));
    if (!c->any)
        return SK_OK;
    sk_out("    continues %s", c->known ? "" : "a log that is not here, ");
    if (c->known) {
        SK_TRY(sk_out_text(c->old.alias, err));
        sk_out(", log ");
    }
    sk_out("%.16s, of which it knows %llu %s\n", c->id, (unsigned long long)c->what.size,
           sk_plural(c->what.size, "entry", "entries"));
    return SK_OK;
}

/* NULL, or no memory: the caller's json_pack() tells. */
static json_t *continued_json(const struct continued *c)
{
    if (!c->any)
        return json_null();
    return json_pack("{s:s, s:s?, s:I}", "log", c->id, "alias", c->known ? c->old.alias : NULL,
                     "size", (json_int_t)c->what.size);
}

static enum sk_status add_log(void *context, const struct sk_log *log, struct sk_error *err)
{
    struct devices *devices = context;
    const char *state = sk_log_state_name(log->state);
    char safety[SK_SAFETY_LEN];
    char id[65];
    struct continued continued = {.any = false};

    SK_TRY(find_continued(devices->run->store, log, &continued, err));
    sk_hex(id, log->log_id, sizeof(log->log_id));
    sk_safety(safety, log->log_id);
    devices->count++;
    devices->waiting += log->state == SK_LOG_STATE_WAITING;
    if (!devices->run->json) {
        SK_TRY(add_row(log->alias, state, log->size, id, safety, err));
        return add_continued(&continued, err);
    }

    json_t *element = json_pack(
        "{s:s, s:s, s:s, s:I, s:s, s:o, s:I, s:o, s:I}", "alias", log->alias, "log", id,
        "safety_number", safety, "size", (json_int_t)log->size, "state", state, "continues",
        continued_json(&continued), "apart", (json_int_t)continued.apart, "revoked",
        revoked_json(&continued), "revoked_entries", (json_int_t)continued.held);

    if (continued.keys != SK_KEYS_TAKEN)
        sk_json_put(&element, "keys",
                    json_string(continued.keys == SK_KEYS_LOST ? "forgotten" : "not taken"));
    if (continued.lacking > 0)
        sk_json_put(&element, "lacking", json_integer((json_int_t)continued.lacking));
    return sk_out_array_add(&devices->array, element, err);
}

static enum sk_status add_invited(void *context, const char *alias, struct sk_error *err)
{
    struct devices *devices = context;

    devices->count++;
    if (!devices->run->json)
        return add_row(alias, "invited", 0, NULL, NULL, err);
    return sk_out_array_add(&devices->array,
                            json_pack("{s:s, s:n, s:n, s:i, s:s, s:n, s:i, s:n, s:i}", "alias",
                                      alias, "log", "safety_number", "size", 0, "state", "invited",
                                      "continues", "apart", 0, "revoked", "revoked_entries", 0),
                            err);
}

enum sk_status sk_cmd_devices(struct sk_run *run, struct sk_error *err)
{
    struct devices devices = {.run = run};

    if (run->json)
        sk_out_array_begin(&devices.array);
    SK_TRY(sk_log_each(run->store, add_log, &devices, err));
    SK_TRY(sk_invited_each(run->store, add_invited, &devices, err));
    if (run->json)
        sk_out_array_end(&devices.array);
    if (devices.count == 0)
        sk_say(run->program->name, "there is no device yet: 'invite ALIAS FILE' invites one.");
    if (devices.waiting > 0)
        sk_say(run->program->name,
               "%llu %s to be approved: compare the safety number, then 'approve DEVICE'.",
               (unsigned long long)devices.waiting,
               sk_plural(devices.waiting, "device waits", "devices wait"));
    return SK_OK;
}
