#include "tests/support/volume.h"

#include "crypto/hash.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define FILE_MAX (32u * 1024 * 1024)
#define STEP     50000

struct sk_party sk_alice, sk_bob;
const char *sk_volume_path;

static char *dir;
static char *path;

int sk_volume_setup(void **state)
{
    (void)state;
    if (sk_crypto_init() || !(dir = sk_temp_dir_make()))
        return -1;
    if (sk_path_join(&path, dir, "volume", NULL))
        return -1;
    sk_volume_path = path;
    sk_party_init(&sk_alice);
    sk_party_init(&sk_bob);
    return 0;
}

int sk_volume_teardown(void **state)
{
    (void)state;
    free(path);
    sk_temp_dir_remove(dir);
    return sk_secret_live_count() == 0 ? 0 : -1;
}

void sk_party_init(struct sk_party *party)
{
    sk_random(party, sizeof(*party));
    sk_dh_public(party->recipient.dh_public, party->scalar);
}

enum sk_status sk_party_dh(void *context, uint8_t shared[static SK_DH_LEN],
                           const uint8_t public_key[static SK_DH_LEN])
{
    return sk_dh(shared, ((const struct sk_party *)context)->scalar, public_key);
}

unsigned sk_party_slot(const struct sk_party *party, const uint8_t *header)
{
    uint8_t tag[16];
    sk_slot_tag(tag, party->recipient.keys.tag, header);
    for (unsigned slot = 0; slot < SK_VOLUME_SLOTS; slot++)
        if (memcmp(tag, header + sk_volume_slot_at(slot), sizeof(tag)) == 0)
            return slot;
    return SK_VOLUME_SLOTS;
}

void sk_test_write_volume(struct sk_buf *whole, const struct sk_recipient *recipients, size_t count,
                          const uint8_t *content, size_t len, size_t step)
{
    struct sk_error err = SK_ERROR_INIT;
    struct sk_envelope_writer *writer = NULL;
    struct sk_file *file = NULL;
    uint8_t hash[32];

    assert_int_equal(sk_file_remove(path, &err), SK_OK);
    assert_int_equal(sk_file_create(&file, path, &err), SK_OK);
    assert_int_equal(sk_envelope_create(&writer, file, recipients, count, &err), SK_OK);
    for (size_t at = 0; at < len; at += step)
        assert_int_equal(
            sk_envelope_write(writer, content + at, len - at < step ? len - at : step, &err),
            SK_OK);
    assert_int_equal(sk_envelope_finish(writer, hash, &err), SK_OK);
    sk_envelope_writer_free(writer);
    sk_file_close(file);
    sk_buf_clear(whole);
    assert_int_equal(sk_file_load(whole, path, FILE_MAX, &err), SK_OK);

    uint8_t want[32];
    sk_hash_of(want, NULL, SK_LABEL_FILE, whole->bytes, whole->len);
    assert_memory_equal(hash, want, sizeof(hash));
}

enum sk_status sk_test_read_volume(struct sk_party *party, uint8_t *out, size_t len, size_t step)
{
    static uint8_t header[SK_VOLUME_HEADER_LEN];
    struct sk_envelope_reader *reader = NULL;
    struct sk_file *file = NULL;
    uint8_t hash[32], want[32];
    uint8_t *bytes = (uint8_t *)malloc(len + 1);

    enum sk_status status = sk_file_open(&file, path, NULL);
    if (status == SK_OK)
        status = sk_envelope_load_header(file, header, NULL);
    if (status == SK_OK)
        status = sk_envelope_open(&reader, file, header, sk_party_slot(party, header),
                                  &party->recipient.keys, sk_party_dh, party,
                                  party->recipient.dh_public, NULL);
    for (size_t at = 0; status == SK_OK && at < len; at += step)
        status = sk_envelope_read(reader, bytes + at, len - at < step ? len - at : step, NULL);
    if (status == SK_OK)
        status = sk_envelope_end(reader, hash, NULL);
    if (status == SK_OK) {
        assert_int_equal(sk_file_hash(file, want, NULL, NULL), SK_OK);
        assert_memory_equal(hash, want, sizeof(hash));
        if (out)
            memcpy(out, bytes, len);
    }
    sk_envelope_reader_free(reader);
    sk_file_close(file);
    free(bytes);
    return status;
}

void sk_test_insider(struct sk_slot_plain *plain, uint8_t volume_key[static 32],
                     struct sk_party *party, const uint8_t *header)
{
    uint8_t hash[32];
    assert_int_equal(sk_volume_open_slot(plain, header, sk_party_slot(party, header),
                                         &party->recipient.keys, sk_party_dh, party,
                                         party->recipient.dh_public),
                     SK_OK);
    sk_header_hash(hash, header);
    sk_volume_key(volume_key, plain->file_key, plain->volume, hash);
}

uint8_t *sk_test_chunk(struct sk_buf *whole, size_t j)
{
    return whole->bytes + SK_VOLUME_HEADER_LEN + j * SK_CHUNK_LEN;
}

size_t sk_test_chunk_count(const struct sk_buf *whole)
{
    return whole->len / SK_CHUNK_LEN - 1;
}

uint8_t *sk_test_content(size_t len)
{
    uint8_t *content = (uint8_t *)malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        content[i] = (uint8_t)(i * 7 + i / 251 + 1);
    return content;
}

void sk_test_write_for_alice(struct sk_buf *whole, size_t len)
{
    uint8_t *content = sk_test_content(len);
    sk_test_write_volume(whole, &sk_alice.recipient, 1, content, len, STEP);
    free(content);
}

enum sk_status sk_test_read_changed(const struct sk_buf *whole, size_t len)
{
    assert_int_equal(sk_file_save(path, whole->bytes, whole->len, true, NULL), SK_OK);
    return sk_test_read_volume(&sk_alice, NULL, len, STEP);
}

enum sk_status sk_test_open_with(const uint8_t *header, unsigned slot,
                                 const struct sk_slot_keys *keys, struct sk_party *dh,
                                 const uint8_t *dh_public)
{
    struct sk_envelope_reader *reader = NULL;
    struct sk_file *file = NULL;
    assert_int_equal(sk_file_open(&file, path, NULL), SK_OK);
    enum sk_status status =
        sk_envelope_open(&reader, file, header, slot, keys, sk_party_dh, dh, dh_public, NULL);
    assert_true((status == SK_OK) == (reader != NULL));
    sk_envelope_reader_free(reader);
    sk_file_close(file);
    return status;
}

enum sk_status sk_test_open_as_alice(const uint8_t *header, unsigned slot)
{
    return sk_test_open_with(header, slot, &sk_alice.recipient.keys, &sk_alice,
                             sk_alice.recipient.dh_public);
}

void sk_test_header(uint8_t *header, const struct sk_recipient *recipients, size_t count)
{
    struct sk_envelope_writer *writer = NULL;
    struct sk_file *file = NULL;
    assert_int_equal(sk_file_create_beside(&file, path, NULL), SK_OK);
    assert_int_equal(sk_envelope_create(&writer, file, recipients, count, NULL), SK_OK);
    assert_int_equal(sk_file_read_at(file, header, SK_VOLUME_HEADER_LEN, 0, NULL), SK_OK);
    sk_envelope_writer_free(writer);
    sk_file_close(file);
}
