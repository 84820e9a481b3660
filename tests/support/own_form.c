#include "tests/support/own_form.h"

#include "core/form_offer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define TITLE                                                                                     \
    "{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"internal\",\"required\":" \
    "true}"
#define DAYS ",{\"name\":\"days\",\"label\":\"Days\",\"type\":\"integer\",\"access\":\"public\"}"

const char *sk_test_form_text(const char *name, unsigned version, const char *label)
{
    static char texts[4][600];
    static unsigned next;
    char *text = texts[next++ % 4];
    (void)snprintf(text, sizeof(texts[0]),
                   "{\"form\":\"%s\",\"type\":\"testimony\",\"version\":%u,\"label\":\"%s\","
                   "\"fields\":[" TITLE "%s]}",
                   name, version, label, version > 1 ? DAYS : "");
    return text;
}

struct sk_own_form *sk_test_form(const char *name, unsigned version, const char *label)
{
    struct sk_own_form *own = NULL;
    const char *text = sk_test_form_text(name, version, label);
    EXPECT_OK(sk_own_form_read(&own, text, strlen(text), &sk_test_err));
    return own;
}

void sk_test_offer(struct sk_store *archive, const char *name, unsigned version, const char *label)
{
    sk_auto_own_form own = sk_test_form(name, version, label);
    enum sk_offer_outcome outcome = SK_OFFER_KNOWN;
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, archive, &sk_test_err));
    EXPECT_OK(sk_offer_put(archive, 0, own, &outcome, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(outcome, SK_OFFER_NEW);
}

struct sk_id sk_test_add_under(struct sk_store *device, struct sk_own_form *own, const char *title)
{
    sk_auto_json fields = sk_test_fields(title);
    struct sk_store *txn = NULL;
    struct sk_id id;
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    EXPECT_OK(sk_record_add_under(device, own, fields, &id, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    return id;
}
