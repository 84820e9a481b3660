#include "cli/commands.h"
#include "cli/imported.h"
#include "cli/unlock.h"

/* What a person does next about a file that was not taken in. */
static const char *advice_for(const char *file, enum sk_status status, bool salvage)
{
    switch (status) {
    case SK_MISSING:
        return "Check the name.";
    case SK_DAMAGED:
        return salvage ? "Nothing of this file was taken in; keep it, and ask for it again."
                       : "Nothing of this file was taken in; keep it, and ask for it again. If no "
                         "whole copy can be had, 'import --salvage' keeps what is whole in it.";
    case SK_LIMIT:
        return SK_BEYOND_LIMIT;
    case SK_REFUSED: /* the reason says what to ask for */
        return "Nothing of this file was taken in; keep it.";
    case SK_CONFIG:
        return "Nothing of this file was taken in; keep it until this program is renewed.";
    case SK_FULL:
        return "Keep it. Make room, then import it again.";
    default:
        return sk_is_folder(file)
                   ? "Name the bundles in it, or have the folder looked at by 'watch'."
                   : "Keep it, and import it again.";
    }
}

/* The worst code of all files is the program's. */
static void note_code(struct sk_run *run, enum sk_status status)
{
    int code = sk_status_exit_code(status);

    run->exit_code = code > run->exit_code ? code : run->exit_code;
}

/* What became of a damaged bundle, and what is to be done about the rest. */
static enum sk_status say_salvaged(const struct sk_run *run, const char *file,
                                   const struct sk_import_result *result, struct sk_error *err)
{
    bool named = strncmp(result->reason, file, strlen(file)) == 0;
    uint64_t lacking = sk_ranges_total(&result->lacking);
    sk_auto_buf where = SK_BUF_INIT;

    SK_TRY(sk_ranges_text(&where, &result->lacking, err));
    sk_say(run->program->name, "%s%s%s.", named ? "" : file, named ? "" : ": ", result->reason);
    if (lacking == 0)
        sk_say(run->program->name,
               "No text or attachment in it is lost. Keep the file until a whole copy or a receipt "
               "has gone its way.");
    else
        sk_say(run->program->name,
               "What verifies was kept. The text or attachment of %llu %s (%s) is lacking: ask for "
               "the file again, or send a 'receipt', which asks the device for them.",
               (unsigned long long)lacking, sk_plural(lacking, "entry", "entries"),
               sk_buf_text(&where));
    return SK_OK;
}

/* One file after the other; a failure is said and remembered, and the next file is taken. */
static enum sk_status import_one(struct sk_run *run, const char *file,
                                 const struct sk_worker *worker, struct sk_out_array *array,
                                 struct sk_error *err)
{
    struct sk_import_result result = {.log = 0};
    struct sk_error reason = SK_ERROR_INIT;
    struct sk_bar bar;
    enum sk_status status;
    enum sk_status printed = SK_OK;

    sk_bar_begin(&bar, "importing");
    status = sk_run_option(run, "--salvage")
                 ? sk_import_salvage(run->store, file, worker, &bar.progress, &result, &reason)
                 : sk_import(run->store, file, worker, &bar.progress, &result, &reason);
    sk_bar_end(&bar);
    note_code(run, result.salvaged ? SK_DAMAGED : status);
    if (status != SK_OK) {
        const char *no_sandbox = worker && status == SK_CONFIG ? sk_sandbox_advice() : NULL;

        sk_imported_say_failure(
            run, file, status, &reason,
            no_sandbox ? no_sandbox : advice_for(file, status, sk_run_option(run, "--salvage")));
    } else if (result.salvaged) {
        SK_TRY(say_salvaged(run, file, &result, err));
    }
    if (run->json)
        printed = sk_imported_json(array, file, status, &result, err);
    else if (status == SK_OK)
        printed = sk_imported_text(file, &result, err);
    sk_import_result_clear(&result);
    return printed;
}

enum sk_status sk_cmd_import(struct sk_run *run, struct sk_error *err)
{
    struct sk_out_array array;
    const struct sk_worker *worker = sk_run_worker(run);

    if (run->json)
        sk_out_array_begin(&array);
    for (int i = 0; i < run->arg_count; i++)
        SK_TRY(import_one(run, run->args[i], worker, &array, err));
    if (run->json)
        sk_out_array_end(&array);
    return SK_OK;
}
