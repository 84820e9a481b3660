/* The database while it is closed: recognising it, and copying it under another key. */
#include "core/db_internal.h"
#include "core/file.h"

static void forget_vfs(struct sk_vfs **vfs)
{
    sk_vfs_unregister(*vfs);
}
#define auto_vfs __attribute__((cleanup(forget_vfs))) struct sk_vfs *

static enum sk_status vfs_for(struct sk_vfs **out, const struct sk_db_options *options,
                              struct sk_error *err)
{
    const struct sk_vfs_options vfs_options = {
        .store_key = options->store_key,
        .store_id = options->store_id,
        .read_only = true,
    };
    SK_TRY(sk_db_start_library(err));
    return sk_vfs_register(out, &vfs_options, err);
}

enum sk_status sk_db_recognizes(const struct sk_db_options *options, bool *yes,
                                struct sk_error *err)
{
    auto_vfs vfs = NULL;
    SK_TRY(sk_file_check(options->path, false, NULL, err));
    SK_TRY(vfs_for(&vfs, options, err));
    return sk_vfs_recognizes(vfs, options->path, yes, err);
}

enum sk_status sk_db_copy(const struct sk_db_options *from, const struct sk_db_options *to,
                          sk_db_copied_fn *tell, void *context, struct sk_error *err)
{
    auto_vfs source = NULL;
    auto_vfs target = NULL;
    SK_TRY(vfs_for(&source, from, err));
    SK_TRY(vfs_for(&target, to, err));
    return sk_vfs_copy(source, from->path, target, to->path, tell, context, err);
}

enum sk_status sk_db_mend(const struct sk_db_options *options, const char *from_path,
                          struct sk_error *err)
{
    auto_vfs vfs = NULL;
    SK_TRY(vfs_for(&vfs, options, err));
    return sk_vfs_mend(vfs, from_path, options->path, err);
}
