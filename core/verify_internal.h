/*
 * What verify.c has from the files beside it. Private to core.
 */
#ifndef SK_CORE_VERIFY_INTERNAL_H
#define SK_CORE_VERIFY_INTERNAL_H

#include "core/log.h"
#include "core/verify.h"

/*
 * Holds the parts of a log that came in bundles (table `segment`) against its entries: each begins
 * with the tree of the entries before it and ends with the head that its device signed, and no
 * entry behind a gap is without one. Calls `tell` for each thing that does not fit. Reads the
 * entries once, however many parts there are. Errors: those of reading.
 */
SK_MUST_CHECK
enum sk_status sk_segment_check(struct sk_store *store, const struct sk_log *log,
                                sk_problem_fn *tell, void *context, struct sk_error *err);

#endif
