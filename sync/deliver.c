#include "sync/deliver.h"

#include <string.h>

/* What was written: that of an envelope, or, where there is none, bytes of a hash. */
struct written {
    const struct sk_envelope_writer *envelope;
    uint8_t hash[32];
};

static enum sk_status compare(const struct written *written, struct sk_file *file, uint64_t size,
                              bool *same, struct sk_error *err)
{
    uint8_t hash[32];
    if (written->envelope)
        return sk_envelope_compare(written->envelope, file, size, same, err);
    SK_TRY(sk_file_hash(file, hash, NULL, err));
    *same = memcmp(hash, written->hash, sizeof(hash)) == 0;
    return SK_OK;
}

static enum sk_status read_back(const char *path, const struct written *written,
                                struct sk_delivered *out, struct sk_error *err)
{
    sk_auto_file file = NULL;
    uint64_t size = 0;
    bool regular = false;
    bool same = false;
    enum sk_status opened = sk_file_open(&file, path, NULL);
    if (opened == SK_NOMEM)
        return sk_fail_status(err, opened);
    if (opened != SK_OK)
        return sk_fail(err, SK_IO, "%s: it was written, and cannot be opened again", path);
    bool from_medium = sk_file_uncache(file);
    SK_TRY(sk_file_size(file, &size, &regular, err));
    SK_TRY(compare(written, file, size, &same, err));
    if (!regular || !same)
        return sk_fail(err, SK_IO,
                       "%s: what was read back is not what was written; the file was removed: "
                       "the medium may be failing",
                       path);
    *out = (struct sk_delivered){size, from_medium};
    return SK_OK;
}

static enum sk_status publish(struct sk_file *file, const char *path, const struct written *written,
                              struct sk_delivered *out, struct sk_error *err)
{
    SK_TRY(sk_file_publish(file, false, err));
    enum sk_status status = read_back(path, written, out, err);
    if (status != SK_OK)
        sk_ignore(sk_file_remove(path, NULL));
    return status;
}

enum sk_status sk_deliver_file(struct sk_file *file, const char *path,
                               const uint8_t file_hash[static 32], struct sk_delivered *out,
                               struct sk_error *err)
{
    struct written written = {.envelope = NULL};
    memcpy(written.hash, file_hash, sizeof(written.hash));
    return publish(file, path, &written, out, err);
}

enum sk_status sk_deliver(struct sk_envelope_writer *writer, struct sk_file **file,
                          const char *path, uint8_t file_hash[static 32], struct sk_delivered *out,
                          struct sk_error *err)
{
    sk_auto_file closing = *file;
    uint8_t hash[32];
    struct sk_delivered delivered = {.bytes = 0};
    *file = NULL;
    SK_TRY(sk_envelope_finish(writer, hash, err));
    SK_TRY(publish(closing, path, &(struct written){.envelope = writer}, &delivered, err));
    memcpy(file_hash, hash, sizeof(hash));
    *out = delivered;
    return SK_OK;
}
