/*
 * A page of a database, as rows are picked from it: whatever it holds, nothing outside it is read,
 * and a record is never longer than it says.
 */
#include "core/carve.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

struct input {
    const uint8_t *bytes;
    size_t len;
};

/* Every overflow page is the input again. */
static bool give(void *context, uint32_t page, uint8_t out[static SK_PAGE_LEN])
{
    const struct input *input = context;
    memset(out, 0, SK_PAGE_LEN);
    memcpy(out, input->bytes, input->len < SK_PAGE_LEN ? input->len : SK_PAGE_LEN);
    return page % 16 != 0;
}

static void look(const uint8_t *page, bool first, struct input *input)
{
    sk_auto_buf record = SK_BUF_INIT;
    unsigned cells = sk_carve_cells(page, first);
    for (unsigned i = 0; i < cells; i++) {
        struct sk_cell cell;
        struct sk_field fields[SK_CARVE_COLUMNS];
        bool whole = false;
        if (!sk_carve_cell(page, first, i, &cell))
            continue;
        SK_FUZZ_CHECK(cell.at >= page && cell.at + cell.local <= page + SK_PAGE_PLAIN);
        unsigned count = sk_carve_fields(cell.at, cell.local, cell.len, fields);
        for (unsigned j = 0; j < count; j++)
            SK_FUZZ_CHECK(fields[j].at + fields[j].len <= cell.len);
        if (sk_carve_record(&cell, 65536, give, input, &record, &whole, NULL) == SK_OK && whole)
            SK_FUZZ_CHECK(record.len == cell.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint8_t page[SK_PAGE_LEN] = {0};
    struct input input = {bytes, len};
    memcpy(page, bytes, len < sizeof(page) ? len : sizeof(page));
    look(page, false, &input);
    look(page, true, &input);
    return 0;
}
