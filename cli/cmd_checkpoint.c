#include "cli/commands.h"
#include "cli/items.h"
#include "core/log.h"
#include "sync/import.h"

#include <string.h>

static enum sk_status read_since(const struct sk_run *run, uint64_t *since, bool *given,
                                 struct sk_error *err)
{
    const char *text = sk_run_option(run, "--since");

    *given = text != NULL;
    *since = 0;
    if (text && !sk_parse_number(text, SK_POSITION_MAX, since))
        return sk_fail(err, SK_USAGE, "--since takes the size of an earlier checkpoint");
    if (text && run->arg_count == 0)
        return sk_fail(err, SK_USAGE, "--since needs a DEVICE");
    return SK_OK;
}

enum sk_status sk_check_checkpoint(struct sk_run *run, struct sk_error *err)
{
    uint64_t since;
    bool given;

    return read_since(run, &since, &given, err);
}

/* A note is valid UTF-8 without control characters, as it was checked when it came in. */
static enum sk_status out_note(const struct sk_buf *note, struct sk_error *err)
{
    const char *line = sk_buf_text(note);

    while (*line) {
        size_t len = strcspn(line, "\n");
        sk_auto_buf text = SK_BUF_INIT;

        SK_TRY(sk_buf_add(&text, line, len, err));
        SK_TRY(sk_out_text(sk_buf_text(&text), err));
        sk_out("\n");
        line += len + (line[len] == '\n');
    }
    return SK_OK;
}

static enum sk_status note_of(struct sk_run *run, const struct sk_log *log, struct sk_buf *note,
                              struct sk_error *err)
{
    SK_TRY(sk_log_note(run->store, log->id, note, err));
    if (note->len == 0)
        return sk_fail(err, SK_MISSING, "%s has not signed a checkpoint yet", log->alias);
    return SK_OK;
}

/* The request body that a witness takes: C2SP tlog-witness, "add-checkpoint". */
static enum sk_status out_for_witness(struct sk_run *run, const struct sk_log *log, uint64_t since,
                                      struct sk_error *err)
{
    uint8_t proof[SK_MERKLE_PROOF_MAX][SK_MERKLE_LEN];
    char base64[SK_BASE64_HASH_LEN + 1];
    sk_auto_buf note = SK_BUF_INIT;
    struct sk_checkpoint checkpoint;
    size_t count = 0;

    SK_TRY(note_of(run, log, &note, err));
    SK_TRY(sk_log_check_note(log->log_id, log->sign_public, sk_buf_text(&note), &checkpoint, err));
    if (since > checkpoint.size)
        return sk_fail(err, SK_USAGE, "the newest checkpoint of %s is at %llu", log->alias,
                       (unsigned long long)checkpoint.size);
    /* From nothing, and between equal sizes, there is nothing to prove. */
    if (since > 0 && since < checkpoint.size)
        SK_TRY(sk_log_prove(run->store, log->id, since, checkpoint.size, proof, &count, err));
    sk_out("old %llu\n", (unsigned long long)since);
    for (size_t i = 0; i < count; i++) {
        sk_base64_hash(base64, proof[i]);
        sk_out("%s\n", base64);
    }
    sk_out("\n");
    return out_note(&note, err);
}

static enum sk_status out_if_signed(void *context, const struct sk_log *log, struct sk_error *err)
{
    struct sk_run *run = context;
    sk_auto_buf note = SK_BUF_INIT;

    SK_TRY(sk_log_note(run->store, log->id, &note, err));
    return out_note(&note, err);
}

enum sk_status sk_cmd_checkpoint(struct sk_run *run, struct sk_error *err)
{
    sk_auto_buf note = SK_BUF_INIT;
    struct sk_log log;
    uint64_t since;
    bool given;

    SK_TRY(read_since(run, &since, &given, err));
    if (run->arg_count == 0)
        return sk_log_each(run->store, out_if_signed, run, err);
    SK_TRY(sk_find_device(run, run->args[0], false, &log, err));
    if (given)
        return out_for_witness(run, &log, since, err);
    SK_TRY(note_of(run, &log, &note, err));
    return out_note(&note, err);
}
