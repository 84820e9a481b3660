#include "tests/support/own_form.h"

#include "core/form_log.h"
#include "core/form_offer.h"
#include "core/item_internal.h"

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

void sk_test_log_form(struct sk_store *device, const struct sk_own_form *own)
{
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    EXPECT_OK(sk_log_form_append(device, own, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

/* Which entry of the own log brought it. */
static struct sk_id find_form(struct sk_store *device, const struct sk_own_form *own)
{
    sk_auto_stmt stmt = NULL;
    struct sk_id id = {.bytes = {0}};
    bool row = false;
    EXPECT_OK(sk_db_prepare(sk_store_db(device), &stmt,
                            "SELECT item.uid FROM form_entry JOIN entry ON entry.id = "
                            "form_entry.entry JOIN item ON item.id = entry.item WHERE hash = ?1",
                            &sk_test_err));
    sk_bind_bytes(stmt, 1, sk_own_form_of(own)->hash, SK_HASH_LEN);
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    assert_true(row);
    EXPECT_OK(sk_column_copy(stmt, 0, id.bytes, SK_ID_LEN, &sk_test_err));
    return id;
}

void sk_test_erase_form(struct sk_store *device, const struct sk_own_form *own)
{
    struct sk_entry entry = {.type = SK_TYPE_ERASURE,
                             .flags = SK_TYPE_SOURCE,
                             .revision = 2,
                             .id = find_form(device, own)};
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    EXPECT_OK(sk_record_append(device, &entry, NULL, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}
