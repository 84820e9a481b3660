#include "cli/commands.h"
#include "cli/items.h"
#include "core/log.h"
#include "sync/import.h"

/* What is put aside, on its way out. */
struct quarantine {
    struct sk_run *run;
    struct sk_device_name device;
    struct sk_out_array array;
    uint64_t count;
};

static enum sk_status add_bundle(void *context, const struct sk_quarantined *q,
                                 struct sk_error *err)
{
    struct quarantine *quarantine = context;

    quarantine->count++;
    if (quarantine->run->json)
        return sk_out_array_add(&quarantine->array,
                                json_pack("{s:s, s:I, s:I, s:I, s:s}", "device", q->device,
                                          "bundle", (json_int_t)q->bundle, "from",
                                          (json_int_t)q->n0, "to", (json_int_t)q->n1, "reason",
                                          q->reason),
                                err);
    SK_TRY(sk_out_text(q->device, err));
    sk_out(": bundle %llu, positions %llu to %llu: ", (unsigned long long)q->bundle,
           (unsigned long long)q->n0, (unsigned long long)(q->n1 > 0 ? q->n1 - 1 : 0));
    SK_TRY(sk_out_text(q->reason, err));
    sk_out("\n");
    return SK_OK;
}

static enum sk_status add_malformed(void *context, int64_t log, uint64_t position,
                                    const char *reason, struct sk_error *err)
{
    struct quarantine *quarantine = context;

    quarantine->count++;
    SK_TRY(sk_device_name(quarantine->run->store, log, &quarantine->device, err));
    if (quarantine->run->json)
        return sk_out_array_add(&quarantine->array,
                                json_pack("{s:s, s:I, s:s}", "device", quarantine->device.name,
                                          "position", (json_int_t)position, "reason", reason),
                                err);
    SK_TRY(sk_out_text(quarantine->device.name, err));
    sk_out(": entry %llu: ", (unsigned long long)position);
    SK_TRY(sk_out_text(reason, err));
    sk_out("\n");
    return SK_OK;
}

static enum sk_status add_malformed_of(void *context, const struct sk_log *log,
                                       struct sk_error *err)
{
    struct quarantine *quarantine = context;

    return sk_malformed_each(quarantine->run->store, log->id, add_malformed, quarantine, err);
}

enum sk_status sk_cmd_quarantine(struct sk_run *run, struct sk_error *err)
{
    struct quarantine quarantine = {.run = run};

    if (run->json)
        sk_out_array_begin(&quarantine.array);
    SK_TRY(sk_quarantined_each(run->store, add_bundle, &quarantine, err));
    SK_TRY(sk_log_each(run->store, add_malformed_of, &quarantine, err));
    if (run->json)
        sk_out_array_end(&quarantine.array);
    if (quarantine.count == 0)
        sk_say(run->program->name, "nothing is in quarantine.");
    return SK_OK;
}
