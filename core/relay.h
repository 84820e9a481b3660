/*
 * A second thread that does the later half of a job: it takes pieces of bytes in the order in which
 * they are given, while the next ones are being made. At most SK_RELAY_PIECES pieces are in memory.
 *
 * The thread is started once SK_RELAY_ALONE pieces' worth of bytes were given: for less it is not
 * worth while. Before that, and where no thread can be had, each piece is taken as it is given, in
 * the thread that gives it. What comes out is the same. All functions here are called by one
 * thread at a time. The one that takes may use nothing that this one uses between sk_relay_give()
 * and the end of sk_relay_end(), and never the database.
 */
#ifndef SK_CORE_RELAY_H
#define SK_CORE_RELAY_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

#define SK_RELAY_PIECES 3
#define SK_RELAY_ALONE  2

struct sk_relay;

/* Takes a piece, which is borrowed. After an error it is not called again. */
typedef enum sk_status sk_relay_fn(void *context, const uint8_t *bytes, size_t len,
                                   struct sk_error *err);

/* For pieces of at most piece_len bytes. Errors: SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_relay_new(struct sk_relay **out, size_t piece_len,
                                          sk_relay_fn *take, void *context, struct sk_error *err);

/* Where the next piece is to be written: piece_len bytes. */
uint8_t *sk_relay_piece(struct sk_relay *relay);

/* Hands over the first len bytes of that piece; waits until there is room for another one. Errors:
 * what `take` said of this piece or an earlier one. */
SK_MUST_CHECK enum sk_status sk_relay_give(struct sk_relay *relay, size_t len,
                                           struct sk_error *err);

/* Waits until all pieces are taken. More may be given afterwards. Errors: as above. */
SK_MUST_CHECK enum sk_status sk_relay_end(struct sk_relay *relay, struct sk_error *err);

/* What waits is dropped; what was in memory is wiped. NULL is allowed. */
void sk_relay_free(struct sk_relay *relay);

static inline void sk_relay_cleanup(struct sk_relay **relay)
{
    sk_relay_free(*relay);
}
#define sk_auto_relay __attribute__((cleanup(sk_relay_cleanup))) struct sk_relay *

#endif
