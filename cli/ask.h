/*
 * Asking for a record's fields one by one at the terminal.
 *
 * An empty line passes a field over (or keeps what it holds). "?" explains the special answers:
 * ?unknown, ?refused, ?not asked, ?clear, ?long, ?done; one that is not known is no text, and "??"
 * is how a text begins with "?".
 */
#ifndef SK_CLI_ASK_H
#define SK_CLI_ASK_H

#include "core/form.h"

/*
 * Asks for every field of the form, starting from what `fields` (changed in place) holds, then
 * shows what came of it and asks whether to save, else whether to throw it away; on "no" to both
 * it asks once more, with what was typed. Errors: SK_REFUSED (cancelled: nothing is to be
 * saved).
 */
SK_MUST_CHECK enum sk_status sk_ask_fields(const struct sk_form *form, json_t *fields,
                                           struct sk_error *err);

#endif
