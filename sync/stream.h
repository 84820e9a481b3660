/*
 * Where bytes come from and go to: the steps of a bundle (record -> entry -> frames -> manifest ->
 * envelope -> file) know only their neighbours, through these.
 */
#ifndef SK_SYNC_STREAM_H
#define SK_SYNC_STREAM_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

/* Takes exactly len bytes. */
struct sk_sink {
    enum sk_status (*write)(void *context, const void *bytes, size_t len, struct sk_error *err);
    void *context;
};

/* Gives exactly len bytes, verified. Errors: SK_DAMAGED when there are no more. */
struct sk_source {
    enum sk_status (*read)(void *context, void *out, size_t len, struct sk_error *err);
    void *context;
};

static inline enum sk_status sk_sink_write(const struct sk_sink *sink, const void *bytes,
                                           size_t len, struct sk_error *err)
{
    return sink->write(sink->context, bytes, len, err);
}

static inline enum sk_status sk_source_read(const struct sk_source *source, void *out, size_t len,
                                            struct sk_error *err)
{
    return source->read(source->context, out, len, err);
}

#endif
