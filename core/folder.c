#include "core/folder.h"

#include "core/media.h"
#include "core/store_internal.h"

enum owner {
    OWNER_STORE,
    OWNER_NOBODY, /* this program made it and has no use for it */
    OWNER_OTHER,
};

struct walk {
    struct sk_store *store;
    const char *dir;
    bool media;
    sk_dir_each_fn *stray; /* NULL: sweep */
    void *context;
};

static enum sk_status owner_of(const struct walk *walk, const char *name, enum owner *out,
                               struct sk_error *err)
{
    static const char *const parts[] = {SK_KEYS_FILE, SK_DATA_FILE, SK_DATA_FILE "-wal",
                                        SK_MEDIA_DIR};
    bool shaped = false;
    bool known = false;
    if (walk->media)
        SK_TRY(sk_media_known(walk->store, name, &shaped, &known, err));
    for (size_t i = 0; !walk->media && i < sizeof(parts) / sizeof(parts[0]); i++)
        known |= strcmp(name, parts[i]) == 0;
    /* `data` has opened when this is asked, and is durable (sk_rekey_settle()): the other is of a
     * rekey that came to nothing, or was written into it. */
    bool leftover = shaped || sk_file_is_temporary(name) ||
                    (!walk->media && strcmp(name, SK_DATA_NEXT_FILE) == 0);
    *out = known ? OWNER_STORE : leftover ? OWNER_NOBODY : OWNER_OTHER;
    return SK_OK;
}

static enum sk_status visit(void *context, const char *name, struct sk_error *err)
{
    const struct walk *walk = context;
    enum owner owner;
    sk_auto_free char *path = NULL;
    SK_TRY(owner_of(walk, name, &owner, err));
    if (walk->stray && owner != OWNER_STORE) {
        SK_TRY(sk_path_join(&path, walk->media ? SK_MEDIA_DIR : ".", name, err));
        return walk->stray(walk->context, walk->media ? path : name, err);
    }
    if (!walk->stray && owner == OWNER_NOBODY) {
        SK_TRY(sk_path_join(&path, walk->dir, name, err));
        sk_ignore(sk_file_remove(path, NULL));
    }
    return SK_OK;
}

static enum sk_status walk_both(struct sk_store *store, sk_dir_each_fn *stray, void *context,
                                struct sk_error *err)
{
    struct walk top = {store, store->dir, false, stray, context};
    struct walk media = {store, store->media_dir, true, stray, context};
    SK_TRY(sk_dir_each(top.dir, visit, &top, err));
    if (!sk_file_exists(
            media.dir)) /* an empty folder that a copy left out, on a read-only medium */
        return SK_OK;
    return sk_dir_each(media.dir, visit, &media, err);
}

enum sk_status sk_folder_sweep(struct sk_store *store, struct sk_error *err)
{
    bool there = false;
    SK_TRY(sk_file_check(store->media_dir, true, &there, err));
    /* Copying a store may leave out an empty folder; what it lacks beyond that, verifying tells. */
    if (!there)
        SK_TRY(sk_dir_create(store->media_dir, err));
    return walk_both(store, NULL, NULL, err);
}

enum sk_status sk_folder_strays(struct sk_store *store, sk_dir_each_fn *each, void *context,
                                struct sk_error *err)
{
    return walk_both(store, each, context, err);
}
