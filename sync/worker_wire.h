/*
 * What a worker and its receiver say to each other (sync/FORMAT.md, "Worker"). Private to sync.
 *
 * The worker writes records, each of a head and up to SK_WIRE_MAX bytes. The receiver writes one
 * job, and then exactly the bytes that a record NEED asks for.
 */
#ifndef SK_SYNC_WORKER_WIRE_H
#define SK_SYNC_WORKER_WIRE_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

/* The only descriptors of a worker. */
#define SK_WORKER_SOCKET 0
#define SK_WORKER_FILE   1 /* the bundle, for reading; not there when a stream is unpacked */

#define SK_WIRE_HEAD_LEN 16 /* u8 kind | zeros[3] | u32 length | u64 bytes of the file read */
#define SK_WIRE_MAX      1048576u
#define SK_WIRE_NEED_MAX 65536u

enum sk_wire {
    SK_WIRE_READY =
        1,         /* zeros[3] | u8 version of Landlock's interface, 0: none. The sandbox stands */
    SK_WIRE_UNFIT, /* u32 errno | the step that failed. It does not */
    SK_WIRE_BYTES, /* of manifest, signature, entries */
    SK_WIRE_PAYLOAD, /* a payload's head and block hashes */
    SK_WIRE_DATA,    /* of its text and body */
    SK_WIRE_RAW,     /* of the stream as it is */
    SK_WIRE_NEED,    /* u32: so many bytes of the stream */
    SK_WIRE_END,     /* the file's hash */
    SK_WIRE_FAILED,  /* u32 status | u32 which words | u64 number in them */
    SK_WIRE_LOST,    /* nothing: no more of this payload can be had. Only in a salvage */
};

#define SK_WIRE_WORDS_MAX  200 /* of UNFIT */
#define SK_WIRE_FAILED_LEN 16

/* The job. */
#define SK_JOB_LEN         64
#define SK_JOB_VERSION     1
#define SK_JOB_KIND_AT     4  /* after u32 version: u32 kind */
#define SK_JOB_RAW_AT      8  /* u32: 1 if records RAW are wanted */
#define SK_JOB_SALVAGE_AT  12 /* u32: 1 if what is damaged is to be passed over */
#define SK_JOB_SIZE_AT     16 /* u64: chunks of the volume, or length of the stream */
#define SK_JOB_KEY_AT      24 /* the volume's key[32], zeros for a stream */
#define SK_JOB_KIND_FILE   1u
#define SK_JOB_KIND_STREAM 2u

/*
 * A failure in numbers. Words of a worker are never shown: it may be in the hands of whoever wrote
 * the bundle. Both sides have the same list, and what is not on it becomes its status' own
 * sentence.
 */
struct sk_wire_failure {
    uint32_t status;
    uint32_t words;
    uint64_t number;
};
void sk_wire_failure_of(struct sk_wire_failure *out, enum sk_status status,
                        const struct sk_error *err);

/* Sets the words, after "name: " unless it is NULL. A status that no reading gives is SK_REFUSED.
 */
SK_MUST_CHECK
enum sk_status sk_wire_fail(struct sk_error *err, const struct sk_wire_failure *failure,
                            const char *name);

#endif
