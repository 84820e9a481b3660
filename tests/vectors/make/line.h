/*
 * A log of a few entries, line by line, and bundles of parts of it.
 */
#ifndef SK_TESTS_VECTORS_LINE_H
#define SK_TESTS_VECTORS_LINE_H

#include "tests/vectors/make/group.h"

#define RECORDED "\"recorded\":\"2026-01-02T03:04Z\""
#define ID_1     "01010101010101010101010101010101"
#define ID_2     "02020202020202020202020202020202"
#define SHA      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* of "hello" */
#define RECORD(form, title) \
    "{\"form\":\"" form "\",\"version\":1," RECORDED ",\"fields\":{\"title\":\"" title "\"}}"

struct line {
    unsigned type;
    uint8_t id;
    uint32_t revision;
    const char *text, *body;
    int at; /* where its 96 bytes are altered, if `mix` is not 0 */
    uint8_t mix;
};

#define LINES 9 /* behind the last one stands a line of type 0 */
#define SOURCE_LINE                                             \
    {                                                           \
        SK_TYPE_SOURCE, 1, 1, RECORD("source", "S"), NULL, 0, 0 \
    }
#define EVENT_LINE                                             \
    {                                                          \
        SK_TYPE_EVENT, 2, 1, RECORD("event", "E1"), NULL, 0, 0 \
    }
#define ATTACHMENT_LINE                                                                     \
    {                                                                                       \
        SK_TYPE_ATTACHMENT, 3, 1,                                                           \
            "{" RECORDED ",\"record\":\"" ID_2 "\",\"name\":\"a\",\"type\":\"text/plain\"," \
            "\"size\":5,\"sha256\":\"" SHA "\"}",                                           \
            "hello", 0, 0                                                                   \
    }
#define LINK_LINE                                                                                  \
    {                                                                                              \
        SK_TYPE_LINK, 4, 1,                                                                        \
            "{" RECORDED ",\"source\":\"" ID_2 "\",\"role\":\"x\",\"target\":\"" ID_1 "\"}", NULL, \
            0, 0                                                                                   \
    }
#define EVENT_AGAIN                                            \
    {                                                          \
        SK_TYPE_EVENT, 2, 2, RECORD("event", "E2"), NULL, 0, 0 \
    }
#define ERASURE_LINE(id, revision, at, mix)                \
    {                                                      \
        SK_TYPE_ERASURE, id, revision, NULL, NULL, at, mix \
    }

#define PARTS_MAX 3

/* A bundle of the positions [n0, n1); where n0 is n1, of an entry of another log, sk_stranger's. */
struct part {
    unsigned n0, n1;
    uint32_t index;
    uint64_t without; /* bits: positions whose payload stays out */
};

/* The parts one after the other into one archive, up to the first that is empty. */
void sk_vector_log(const char *name, const char *shows, const struct line *log,
                   const struct part parts[static PARTS_MAX]);

#endif
