#include "sync/worker_wire.h"

#include "sync/envelope.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_WORDS "damaged between byte "

/* What reading a bundle can find wrong, as envelope_reader.c, frames.c and unpack.c say it. The
 * number of a line is on the wire: 1 for the first after the chunk's. */
static const char *const words[] = {
    "the content ends too early",
    "there is something behind the end of the content",
    "the manifest is too long",
    "the manifest is damaged",
    "the manifest names too many volumes or archives",
    "the manifest's counts do not fit together",
    "the manifest's archives are not in order",
    "the manifest's numbers are too large",
    "the manifest's numbers do not fit together",
    "the manifest's checkpoint is too long",
    "the manifest's checkpoint is not a text",
    "the manifest has another length than its parts",
    "the manifest has no checkpoint",
    "the bundle has too many entries",
    "made by a newer version of this program",
    "a frame has an unknown codec",
    "a frame is too large",
    "a frame's lengths do not fit together",
    "a frame's compressed data are damaged",
    "the payloads end too early",
    "the payloads are not in order",
    "a payload is too large",
    "the payloads are larger than their device signed",
    "what matters most of it cannot be read",
};

#define WORDS_COUNT (sizeof(words) / sizeof(words[0]))
#define WORDS_CHUNK (WORDS_COUNT + 1)

void sk_wire_failure_of(struct sk_wire_failure *out, enum sk_status status,
                        const struct sk_error *err)
{
    const char *text = err->text;
    *out = (struct sk_wire_failure){.status = (uint32_t)status};
    if (strncmp(text, ": ", 2) == 0) /* a worker's file has no name */
        text += 2;
    if (strncmp(text, CHUNK_WORDS, strlen(CHUNK_WORDS)) == 0) {
        out->words = WORDS_CHUNK;
        out->number = strtoull(text + strlen(CHUNK_WORDS), NULL, 10);
    }
    for (uint32_t i = 0; i < WORDS_COUNT; i++)
        if (strcmp(text, words[i]) == 0)
            out->words = i + 1;
}

/* Those that reading a file can give. */
static enum sk_status believable(uint32_t status)
{
    static const enum sk_status known[] = {SK_DAMAGED, SK_REFUSED, SK_LIMIT,
                                           SK_CONFIG,  SK_IO,      SK_NOMEM};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if ((uint32_t)known[i] == status)
            return known[i];
    return SK_REFUSED;
}

enum sk_status sk_wire_fail(struct sk_error *err, const struct sk_wire_failure *failure,
                            const char *name)
{
    enum sk_status status = believable(failure->status);
    const char *before = name ? name : "";
    const char *colon = name ? ": " : "";
    if (failure->words == WORDS_CHUNK && failure->number <= INT64_MAX)
        return sk_fail(err, status, "%s%s" CHUNK_WORDS "%" PRIu64 " and %" PRIu64, before, colon,
                       failure->number, failure->number + SK_CHUNK_LEN);
    bool known = failure->words >= 1 && failure->words <= WORDS_COUNT;
    return sk_fail(err, status, "%s%s%s", before, colon,
                   known ? words[failure->words - 1] : sk_status_text(status));
}
