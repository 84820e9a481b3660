/* Frames with payloads in them, read to the end within a limit. */
#include "sync/frames.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/stream.h"

#define PLAIN_MAX (8u * 1024 * 1024)

static enum sk_status read_payload(struct sk_frames_reader *reader,
                                   const struct sk_payload_head *head)
{
    uint8_t piece[4096];
    uint64_t left = head->text_len + head->body_len;
    while (left) {
        size_t len = left < sizeof(piece) ? (size_t)left : sizeof(piece);
        SK_TRY(sk_frames_read(reader, piece, len, NULL));
        left -= len;
    }
    return SK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sk_memory memory = {bytes, len, 0};
    struct sk_frames_reader *reader = NULL;
    sk_auto_buf hashes = SK_BUF_INIT;
    uint64_t left = PLAIN_MAX;
    if (sk_frames_reader_new(&reader, sk_memory_source(&memory), NULL) != SK_OK)
        return 0;
    for (;;) {
        struct sk_payload_head head;
        bool more = false;
        if (sk_frames_next(reader, &head, &hashes, left, &more, NULL) != SK_OK || !more)
            break;
        SK_FUZZ_CHECK(head.text_len + head.body_len <= left);
        SK_FUZZ_CHECK(hashes.len == sk_block_count(head.text_len, head.body_len) * SK_HASH_LEN);
        left -= head.text_len + head.body_len;
        if (read_payload(reader, &head) != SK_OK)
            break;
    }
    sk_frames_reader_free(reader);
    return 0;
}
