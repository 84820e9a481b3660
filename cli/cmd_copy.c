#include "cli/commands.h"
#include "cli/print.h"
#include "core/file.h"
#include "sync/envelope.h"

#include <string.h>

#define PIECE_LEN 65536

/* from_medium: NULL, or for what its medium holds, and whether that is known to be read. */
static enum sk_status hash_of(const char *path, uint8_t out[static 32], const char *what,
                              bool *from_medium, struct sk_error *err)
{
    sk_auto_file file = NULL;
    sk_auto_bar bar;

    sk_bar_begin(&bar, what);
    SK_TRY(sk_file_open_regular(&file, path, err));
    if (from_medium)
        *from_medium = sk_file_uncache(file);
    return sk_file_hash(file, out, &bar.progress, err);
}

static enum sk_status copy_bytes(struct sk_file *from, struct sk_file *to, struct sk_error *err)
{
    sk_auto_bar bar;
    uint8_t piece[PIECE_LEN];
    uint64_t size = 0;
    uint64_t done = 0;
    bool regular;
    size_t got;

    sk_bar_begin(&bar, "copying");
    SK_TRY(sk_file_size(from, &size, &regular, err));
    do {
        SK_TRY(sk_file_read(from, piece, sizeof(piece), &got, err));
        SK_TRY(sk_file_write(to, piece, got, err));
        done += got;
        sk_progress_tell(&bar.progress, done, size);
    } while (got > 0);
    return SK_OK;
}

static enum sk_status copy_file(const char *source, const char *target, struct sk_error *err)
{
    sk_auto_file from = NULL;
    sk_auto_file to = NULL;
    uint64_t size = 0;
    bool regular;

    SK_TRY(sk_file_open_regular(&from, source, err));
    SK_TRY(sk_file_size(from, &size, &regular, err));
    SK_TRY(sk_file_try_name(target, err));
    SK_TRY(sk_file_create_beside(&to, target, err));
    SK_TRY(sk_file_reserve(to, size, err));
    SK_TRY(copy_bytes(from, to, err));
    return sk_file_publish(to, false, err);
}

/*
 * The source is read before and after, the copy once under its name, from its medium: equal hashes
 * show that the source stood still and that the copy holds the same.
 */
static enum sk_status copy_checked(struct sk_run *run, const char *source, const char *target,
                                   char code[static SK_CODE_LEN], bool *from_medium,
                                   struct sk_error *err)
{
    uint8_t before[32];
    uint8_t after[32];
    uint8_t copied[32];

    SK_TRY(hash_of(source, before, "reading", NULL, err));
    SK_TRY(copy_file(source, target, err));

    enum sk_status status = hash_of(target, copied, "reading back", from_medium, err);

    if (status == SK_OK)
        status = hash_of(source, after, "comparing", NULL, err);
    if (status == SK_OK && memcmp(before, after, sizeof(before)) != 0)
        status = sk_fail(err, SK_DAMAGED, "%s changed while it was copied", source);
    else if (status == SK_OK && memcmp(before, copied, sizeof(before)) != 0)
        status = sk_fail(err, SK_IO, "%s does not read back as it was written", target);
    if (status != SK_OK) {
        sk_run_advise(run, "The copy was removed again. Use another medium, or copy again.");
        sk_ignore(sk_file_remove(target, NULL));
        return status;
    }
    sk_code_format(code, before);
    return SK_OK;
}

enum sk_status sk_cmd_copy(struct sk_run *run, struct sk_error *err)
{
    const char *source = run->args[0];
    const char *slash = strrchr(source, '/');
    const char *name = slash ? slash + 1 : source;
    sk_auto_free char *target = NULL;
    char code[SK_CODE_LEN];
    bool from_medium = false;

    if (name[0] == '\0')
        return sk_fail(err, SK_USAGE, "a file is copied, not a folder");
    if (run->args[1][0] == '\0')
        return sk_fail(err, SK_USAGE, "a folder without a name is given");
    SK_TRY(sk_path_join(&target, run->args[1], name, err));
    if (sk_file_exists(target)) {
        sk_run_advise(run, "Nothing was overwritten. Choose another folder, or let 'check' tell "
                           "whether that is this file.");
        return sk_fail(err, SK_CREATE, "%s: a file is there already", target);
    }
    SK_TRY(copy_checked(run, source, target, code, &from_medium, err));
    sk_out("%s\n", code);
    sk_say(run->program->name,
           "%s was written and reads back the same. Compare the code with the one you were told.",
           target);
    if (!from_medium)
        sk_say(run->program->name, "%s", SK_NOT_FROM_MEDIUM);
    return SK_OK;
}
