#include "cli/commands.h"
#include "cli/items.h"
#include "cli/print.h"
#include "cli/unlock.h"
#include "core/purge.h"
#include "sync/export.h"
#include "sync/receipt.h"

/* What is gathered over the archives. */
struct telling {
    struct sk_run *run;
    json_t *archives; /* with --json */
    uint64_t count;
};

static enum sk_status put_withdrawn(struct sk_run *run, json_t **element,
                                    const struct sk_ranges *withdrawn, struct sk_error *err)
{
    json_t *items = NULL;

    SK_TRY(sk_elsewhere_json(run, withdrawn, &items, err));
    sk_json_put(element, "withdrawn", sk_ranges_json(withdrawn));
    sk_json_put(element, "withdrawn_items", items);
    return SK_OK;
}

static enum sk_status add_json(void *context, const struct sk_archive_status *status,
                               struct sk_error *err)
{
    struct telling *telling = context;
    sk_auto_ranges withdrawn = SK_RANGES_INIT;
    sk_auto_json element = json_pack(
        "{s:s, s:o, s:o, s:o, s:o}", "name", status->name, "acknowledged",
        sk_ranges_json(status->acknowledged), "exported", sk_ranges_json(status->exported),
        "unexported", sk_ranges_json(status->unexported), "wanted", sk_ranges_json(status->wanted));

    if (status->revoked != SK_NOT_REVOKED)
        sk_json_put(&element, "revoked", json_integer((json_int_t)status->revoked));

    if (status->renewed) {
        char safety[SK_SAFETY_LEN];

        sk_safety(safety, status->keys_id);
        sk_json_put(&element, "new_keys", json_string(safety));
    }

    SK_TRY(sk_receipt_withdrawn(telling->run->store, status->peer, &withdrawn, err));
    if (withdrawn.count > 0)
        SK_TRY(put_withdrawn(telling->run, &element, &withdrawn, err));
    return json_array_append(telling->archives, element) == 0 ? SK_OK
                                                              : sk_fail_status(err, SK_NOMEM);
}

static enum sk_status out_ranges(const char *label, const struct sk_ranges *ranges,
                                 struct sk_error *err)
{
    sk_auto_buf text = SK_BUF_INIT;
    uint64_t total = sk_ranges_total(ranges);

    SK_TRY(sk_ranges_text(&text, ranges, err));
    sk_out("    %-18s %s", label, sk_buf_text(&text));
    if (total > 0)
        sk_out("  (%llu %s)", (unsigned long long)total, sk_plural(total, "entry", "entries"));
    sk_out("\n");
    return SK_OK;
}

/* What this store has sent away for good. */
static enum sk_status out_purged(const struct sk_ranges *purged, struct sk_error *err)
{
    sk_auto_buf text = SK_BUF_INIT;

    if (purged->count == 0)
        return SK_OK;
    SK_TRY(sk_ranges_text(&text, purged, err));
    sk_out("Purged here    %s  (%llu %s)\n", sk_buf_text(&text),
           (unsigned long long)sk_ranges_total(purged),
           sk_plural(sk_ranges_total(purged), "entry", "entries"));
    return SK_OK;
}

static enum sk_status add_text(void *context, const struct sk_archive_status *status,
                               struct sk_error *err)
{
    struct telling *telling = context;
    sk_auto_ranges withdrawn = SK_RANGES_INIT;

    telling->count++;
    sk_out("\nArchive ");
    SK_TRY(sk_out_text(status->name, err));
    sk_out("\n");
    if (status->revoked != SK_NOT_REVOKED)
        sk_out("    has revoked this store from position %llu on: nothing is sent to it any "
               "more\n",
               (unsigned long long)status->revoked);
    if (status->renewed) {
        char safety[SK_SAFETY_LEN];

        sk_safety(safety, status->keys_id);
        sk_out("    has new keys, of safety number\n    %s\n", safety);
    }
    SK_TRY(out_ranges("has arrived:", status->acknowledged, err));
    SK_TRY(out_ranges("on its way:", status->exported, err));
    SK_TRY(out_ranges("to be exported:", status->unexported, err));
    if (status->wanted->count > 0)
        SK_TRY(out_ranges("asked for again:", status->wanted, err));
    SK_TRY(sk_receipt_withdrawn(telling->run->store, status->peer, &withdrawn, err));
    if (withdrawn.count == 0)
        return SK_OK;
    SK_TRY(out_ranges("withdrawn there:", &withdrawn, err));
    sk_out("  A store that this one continues, or that continues this one, withdrew these,\n"
           "  which are here still:\n");
    return sk_out_elsewhere(telling->run, &withdrawn, err);
}

enum sk_status sk_cmd_status(struct sk_run *run, struct sk_error *err)
{
    struct sk_log log;
    sk_auto_ranges purged = SK_RANGES_INIT;
    struct telling telling = {.run = run};
    char safety[SK_SAFETY_LEN];
    char id[65];

    SK_TRY(sk_log_get(run->store, SK_LOG_OWN, &log, err));
    SK_TRY(sk_purged_ranges(run->store, &purged, err));
    sk_hex(id, log.log_id, sizeof(log.log_id));
    sk_safety(safety, log.log_id);
    if (!run->json) {
        sk_out("Safety number  %s\nLog            %s\nEntries        %llu\n", safety, id,
               (unsigned long long)log.size);
        SK_TRY(out_purged(&purged, err));
        SK_TRY(sk_status_each(run->store, add_text, &telling, err));
        if (telling.count == 0)
            sk_say(run->program->name,
                   "no archive has invited this store yet; 'receive FILE' takes an invite.");
        return SK_OK;
    }

    sk_auto_json archives = json_array();

    telling.archives = archives;
    SK_TRY(sk_status_each(run->store, add_json, &telling, err));

    sk_auto_json whole =
        json_pack("{s:s, s:s, s:I, s:o, s:O}", "log", id, "safety_number", safety, "size",
                  (json_int_t)log.size, "purged", sk_ranges_json(&purged), "archives", archives);

    return sk_out_json_line(whole, err);
}
