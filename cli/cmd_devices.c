#include "cli/commands.h"
#include "cli/print.h"
#include "cli/unlock.h"
#include "core/log.h"
#include "sync/import.h"

/* Devices on their way out. */
struct devices {
    struct sk_run *run;
    struct sk_out_array array;
    uint64_t count;
    uint64_t waiting;
};

static enum sk_status add_row(const char *alias, const char *state, uint64_t size,
                              const char *safety, struct sk_error *err)
{
    SK_TRY(sk_out_cell(alias, 20, err));
    sk_out(" %-9s %8llu  %s\n", state, (unsigned long long)size, safety);
    return SK_OK;
}

static enum sk_status add_log(void *context, const struct sk_log *log, struct sk_error *err)
{
    struct devices *devices = context;
    const char *state = sk_log_state_name(log->state);
    char safety[SK_SAFETY_LEN];
    char id[65];

    sk_hex(id, log->log_id, sizeof(log->log_id));
    sk_safety(safety, log->log_id);
    devices->count++;
    devices->waiting += log->state == SK_LOG_STATE_WAITING;
    if (!devices->run->json)
        return add_row(log->alias, state, log->size, safety, err);
    return sk_out_array_add(&devices->array,
                            json_pack("{s:s, s:s, s:s, s:I, s:s}", "alias", log->alias, "log", id,
                                      "safety_number", safety, "size", (json_int_t)log->size,
                                      "state", state),
                            err);
}

static enum sk_status add_invited(void *context, const char *alias, struct sk_error *err)
{
    struct devices *devices = context;

    devices->count++;
    if (!devices->run->json)
        return add_row(alias, "invited", 0, "", err);
    return sk_out_array_add(&devices->array,
                            json_pack("{s:s, s:n, s:n, s:i, s:s}", "alias", alias, "log",
                                      "safety_number", "size", 0, "state", "invited"),
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
