/*
 * The layout of a backup's file, shared by its writer and its reader. Private to sync.
 */
#ifndef SK_SYNC_BACKUP_PARTS_H
#define SK_SYNC_BACKUP_PARTS_H

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/slot.h"
#include "sync/backup.h"

#define SK_BACKUP_HEADER_LEN 65536u /* salt[16] | sealed block */
#define SK_BACKUP_PLAIN_LEN  (SK_BACKUP_HEADER_LEN - SK_KDF_SALT_LEN - SK_PAGE_OVERHEAD)
#define SK_BACKUP_FORMAT     1
#define SK_BACKUP_CHUNK      65536u
#define SK_BACKUP_CHUNK_LEN  (SK_BACKUP_CHUNK - SK_AEAD_TAG_LEN)
#define SK_BACKUP_MIN        262144u
#define SK_BACKUP_NAME_MAX   64 /* of a file in it */

/* Offsets in the header's plain bytes; the rest is zeros. */
#define SK_BACKUP_AT_FORMAT    0
#define SK_BACKUP_AT_KIND      4
#define SK_BACKUP_AT_STORE_ID  8
#define SK_BACKUP_AT_STORE_KEY 24
#define SK_BACKUP_AT_FILE_KEY  56
#define SK_BACKUP_AT_ZEROS     88

/* The key of the header. Errors: those of the key derivation. */
SK_MUST_CHECK
enum sk_status sk_backup_key(struct sk_secret **out, const struct sk_unlock *unlock,
                             const uint8_t salt[static SK_KDF_SALT_LEN], bool insecure);

/* The key of the chunks. */
void sk_backup_data_key(uint8_t out[static 32], const uint8_t file_key[static 32]);

#endif
