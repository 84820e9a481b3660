#include "cli/invited.h"

#include "cli/words.h"
#include "core/file.h"

#include <string.h>

void sk_invited_clear(struct sk_invited *invited)
{
    sk_buf_clear(&invited->file);
    sk_line_clear(&invited->code);
}

static enum sk_status ask_code(const struct sk_run *run, struct sk_line *out, struct sk_error *err)
{
    sk_auto_buf typed = SK_BUF_INIT;
    int fd;

    SK_TRY(sk_run_option_fd(run, "--code-fd", &fd, err));
    if (fd >= 0)
        return sk_line_from_fd(out, fd, err);
    if (run->no_input || !sk_prompt_possible())
        return sk_fail(err, SK_USAGE, "the invite's code words are needed; use --code-fd M");
    /* Echoed: eight words from a letter are hard to type blind, and open nothing but this file. */
    SK_TRY(sk_prompt_line(&typed, "The invite's eight code words: ", err));
    if (typed.len > SK_LINE_SECRET_MAX)
        return sk_fail(err, SK_USAGE, "these are not eight words");
    if (sk_secret_new(&out->secret, SK_LINE_SECRET_MAX + 1) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);
    memcpy(sk_secret_bytes(out->secret), typed.bytes, typed.len);
    out->len = typed.len;
    return SK_OK;
}

/* What to look at when the code words do not open it. kept: a sentence. */
static void advise_on_code(struct sk_run *run, const struct sk_line *code, const char *kept)
{
    struct sk_words_facts facts = sk_words_look(sk_line_text(code), code->len);

    if (facts.count != SK_INVITE_WORDS)
        sk_run_advise(run, "%s There are eight words, not %u.", kept, facts.count);
    else if (facts.strange > 0)
        sk_run_advise(run, "%s Of the eight words, word %u is not one of those that are given out.",
                      kept, facts.strange);
    else
        sk_run_advise(run,
                      "%s Check the eight words; if they are right, the file is damaged and has "
                      "to be sent again.",
                      kept);
}

enum sk_status sk_invited_new(struct sk_run *run, struct sk_invited *out, struct sk_error *err)
{
    static const char kept[] = "No store was made.";
    const char *path = sk_run_option(run, "--invite");
    sk_auto_invite invite = {0};

    if (!path && sk_run_option(run, "--code-fd"))
        return sk_fail(err, SK_USAGE, "--code-fd belongs to --invite");
    if (!path)
        return SK_OK;

    enum sk_status status = sk_file_load(&out->file, path, SK_INVITE_FILE_LEN, err);

    if (status == SK_LIMIT)
        sk_run_advise(run, "This is no invite. %s Check the name.", kept);
    SK_TRY(status);
    SK_TRY(ask_code(run, &out->code, err));
    status = sk_invite_open(&invite, out->file.bytes, out->file.len, sk_line_text(&out->code), err);
    if (status == SK_WRONG_KEY)
        advise_on_code(run, &out->code, kept);
    else if (status != SK_OK)
        sk_run_advise(run, "%s Check that this is the invite's file.", kept);
    return status;
}

enum sk_status sk_invited_further(struct sk_run *run, struct sk_invited *out, const char *path,
                                  struct sk_error *err)
{
    SK_TRY(sk_file_load(&out->file, path, SK_INVITE_FILE_LEN, err));
    SK_TRY(ask_code(run, &out->code, err));

    enum sk_status status = sk_invited_accept(run->store, out, err);

    if (status == SK_WRONG_KEY)
        advise_on_code(run, &out->code, "Nothing was changed.");
    return status;
}

enum sk_status sk_invited_accept(struct sk_store *store, void *context, struct sk_error *err)
{
    struct sk_invited *invited = context;

    if (invited->file.len == 0)
        return SK_OK;
    return sk_invite_accept(store, invited->file.bytes, invited->file.len,
                            sk_line_text(&invited->code), invited->archive, err);
}
