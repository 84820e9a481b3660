#include "core/folder.h"

#include "core/media.h"
#include "core/store_internal.h"

enum owner {
    OWNER_STORE,
    OWNER_KEPT,    /* the mark of a media file that a row names */
    OWNER_DROPPED, /* the mark of one that no row names */
    OWNER_NOBODY,  /* this program made it and has no use for it */
    OWNER_UNKNOWN, /* a media file that no row names: perhaps one of a newer `data` */
    OWNER_OTHER,
};

struct walk {
    struct sk_store *store;
    const char *dir;
    bool media;
    sk_stray_fn *stray; /* NULL: sweep */
    void *context;
};

static enum sk_status owner_in_media(const struct walk *walk, const char *name, enum owner *out,
                                     struct sk_error *err)
{
    enum sk_media_shape shape;
    bool known = false;
    SK_TRY(sk_media_known(walk->store, name, &shape, &known, err));
    switch (shape) {
    case SK_MEDIA_FILE:
        *out = known ? OWNER_STORE : OWNER_UNKNOWN;
        break;
    case SK_MEDIA_MARK:
        *out = known ? OWNER_KEPT : OWNER_DROPPED;
        break;
    case SK_MEDIA_OTHER:
        *out = sk_file_is_temporary(name) ? OWNER_NOBODY : OWNER_OTHER;
        break;
    }
    return SK_OK;
}

static enum owner owner_at_top(const char *name)
{
    static const char *const parts[] = {SK_KEYS_FILE, SK_DATA_FILE, SK_DATA_FILE "-wal",
                                        SK_MEDIA_DIR};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strcmp(name, parts[i]) == 0)
            return OWNER_STORE;
    }
    /* `data` has opened when this is asked, and is durable (sk_rekey_settle()): the other is of a
     * rekey that came to nothing, or was written into it. */
    return sk_file_is_temporary(name) || strcmp(name, SK_DATA_NEXT_FILE) == 0 ? OWNER_NOBODY
                                                                              : OWNER_OTHER;
}

static enum sk_status tell(const struct walk *walk, const char *name, enum owner owner,
                           struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    /* The mark of a file that is kept does no harm: who opens the store to write takes it away. */
    if (owner == OWNER_STORE || owner == OWNER_KEPT)
        return SK_OK;
    SK_TRY(sk_path_join(&path, walk->media ? SK_MEDIA_DIR : ".", name, err));
    return walk->stray(walk->context, walk->media ? path : name, owner == OWNER_UNKNOWN, err);
}

static enum sk_status put_right(const struct walk *walk, const char *name, enum owner owner,
                                struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    if (owner == OWNER_KEPT || owner == OWNER_DROPPED)
        sk_media_settle(walk->store, name, owner == OWNER_KEPT);
    if (owner == OWNER_NOBODY) {
        SK_TRY(sk_path_join(&path, walk->dir, name, err));
        sk_ignore(sk_file_remove(path, NULL));
    }
    return SK_OK;
}

static enum sk_status visit(void *context, const char *name, struct sk_error *err)
{
    const struct walk *walk = context;
    enum owner owner = OWNER_OTHER;
    if (walk->media)
        SK_TRY(owner_in_media(walk, name, &owner, err));
    else
        owner = owner_at_top(name);
    return walk->stray ? tell(walk, name, owner, err) : put_right(walk, name, owner, err);
}

static enum sk_status walk_both(struct sk_store *store, sk_stray_fn *stray, void *context,
                                struct sk_error *err)
{
    struct walk top = {store, store->dir, false, stray, context};
    struct walk media = {store, store->media_dir, true, stray, context};
    bool there = false;
    SK_TRY(sk_dir_each(top.dir, visit, &top, err));
    SK_TRY(sk_file_find(media.dir, &there, err));
    if (!there) /* an empty folder that a copy left out, on a read-only medium */
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

enum sk_status sk_folder_strays(struct sk_store *store, sk_stray_fn *each, void *context,
                                struct sk_error *err)
{
    return walk_both(store, each, context, err);
}
