#include "cli/commands.h"
#include "cli/print.h"
#include "sync/envelope.h"

/* One file against the code; what could not be read is said, and the next file is taken. */
static enum sk_status check_one(const char *path, const char *code, bool *matches,
                                struct sk_error *err)
{
    sk_auto_file file = NULL;
    sk_auto_bar bar;
    uint8_t hash[32];

    sk_bar_begin(&bar, "checking");
    SK_TRY(sk_file_open(&file, path, err));
    SK_TRY(sk_file_hash(file, hash, &bar.progress, err));
    *matches = sk_code_matches(code, hash);
    return SK_OK;
}

static void worse(struct sk_run *run, enum sk_status status)
{
    int code = sk_status_exit_code(status);

    run->exit_code = code > run->exit_code ? code : run->exit_code;
}

static enum sk_status out_result(const char *path, bool matches, struct sk_error *err)
{
    SK_TRY(sk_out_text(path, err));
    sk_out(matches ? ": the code fits\n" : ": THE CODE DOES NOT FIT\n");
    return SK_OK;
}

enum sk_status sk_cmd_check(struct sk_run *run, struct sk_error *err)
{
    const char *code = sk_run_option(run, "--code");
    struct sk_out_array array;

    if (!code)
        return sk_fail(err, SK_USAGE, "--code CODE is needed: the 30 digits that came another way");
    if (!sk_code_valid(code))
        return sk_fail(err, SK_USAGE, "a code has 30 digits");
    if (run->json)
        sk_out_array_begin(&array);
    for (int i = 0; i < run->arg_count; i++) {
        const char *path = run->args[i];
        struct sk_error reason = SK_ERROR_INIT;
        bool matches = false;
        enum sk_status status = check_one(path, code, &matches, &reason);

        if (status != SK_OK)
            sk_say(run->program->name, "%s. Check the name, or copy the file again.", reason.text);
        else if (!matches)
            sk_say(run->program->name,
                   "%s is not the file that the code was made from. Compare "
                   "the digits first; if they are right, do not carry this "
                   "file on: get another copy.",
                   path);
        worse(run, status != SK_OK ? status : matches ? SK_OK : SK_DAMAGED);
        if (run->json)
            SK_TRY(sk_out_array_add(&array,
                                    json_pack("{s:s, s:b, s:s?}", "file", path, "match", matches,
                                              "error",
                                              status == SK_OK ? NULL : sk_status_name(status)),
                                    err));
        else if (status == SK_OK)
            SK_TRY(out_result(path, matches, err));
    }
    if (run->json)
        sk_out_array_end(&array);
    return SK_OK;
}
