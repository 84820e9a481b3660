/*
 * The content of an invite, signed again so that the signature masks no fault of the parser: what
 * decodes must encode to the same bytes. The input is cut or filled with zeros to the content's
 * length, its signature left out.
 */
#include "sync/invite_parts.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define CONTEXT      "skrynia invite 1"
#define SIGN_AT      36
#define SIGNATURE_AT 334

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const uint8_t seed[SK_SIGN_SEED_LEN] = {1};
    uint8_t content[SK_INVITE_PLAIN_LEN] = {0};
    uint8_t again[SK_INVITE_PLAIN_LEN];
    uint8_t message[sizeof(CONTEXT) + SIGNATURE_AT] = CONTEXT;
    struct sk_invite invite;
    size_t head = len < SIGNATURE_AT ? len : SIGNATURE_AT;
    size_t tail = len - head;
    if (tail > sizeof(content) - SIGNATURE_AT - SK_SIGNATURE_LEN)
        tail = sizeof(content) - SIGNATURE_AT - SK_SIGNATURE_LEN;
    if (head)
        memcpy(content, bytes, head);
    if (tail)
        memcpy(content + SIGNATURE_AT + SK_SIGNATURE_LEN, bytes + head, tail);
    sk_sign_public(content + SIGN_AT, seed);
    memcpy(message + sizeof(CONTEXT), content, SIGNATURE_AT);
    sk_sign(content + SIGNATURE_AT, message, sizeof(message), seed);
    if (sk_invite_decode(&invite, content, NULL) != SK_OK)
        return 0;
    sk_invite_encode(again, &invite, seed);
    SK_FUZZ_CHECK(memcmp(again, content, sizeof(content)) == 0);
    return 0;
}
