# Unit tests of sync.
add_library(sk_support_sync STATIC support/damaged_bundle.c support/exchange.c support/fat.c support/hostile_worker.c support/liar.c support/lineage.c support/volume.c)
target_link_libraries(sk_support_sync PUBLIC sk_sync sk_support_core ZLIB::ZLIB m)

foreach(name backup burden chain code continuation deflate deliver device envelope exchange export export_parts export_plan fat fork forms
        frames import import_liar import_lies inbox invite lacking looks manifest marks migrate peer purge quarantine ratchet receipt
        receipt_note receipt_take renew renew_copies renew_orders revoke salvage segment seizure statements uniform volume withdrawn worker worker_sandbox year)
    sk_unit_test(sync ${name})
endforeach()

# The long run tries far more orders.
set_tests_properties(unit/sync/import_liar unit/sync/year PROPERTIES TIMEOUT 7200)

# Makes the fixtures of a schema (tests/migration).
add_executable(make_stores migration/make_stores.c)
target_link_libraries(make_stores PRIVATE sk_sync sk_support_sync PkgConfig::CMOCKA PkgConfig::SQLITE
    PkgConfig::SODIUM)

# The vectors of what travels (tests/vectors/bundle): made, run, and read by a second reader.
add_executable(bundle_vectors vectors/make/draft.c vectors/make/file.c vectors/make/fixed.c
    vectors/make/group_bare.c vectors/make/group_borders.c vectors/make/group_bundles.c vectors/make/group_envelopes.c vectors/make/group_forms.c vectors/make/group_frames.c
    vectors/make/group_invites.c vectors/make/group_keys.c vectors/make/group_notes.c vectors/make/group_parts.c
    vectors/make/group_erasures.c vectors/make/group_lies.c vectors/make/group_lines.c vectors/make/group_salvages.c vectors/make/group_sequences.c
    vectors/make/group_holes.c vectors/make/group_json.c vectors/make/group_offers.c vectors/make/group_receipts.c vectors/make/line.c vectors/make/paper.c
    vectors/make/group_shown.c vectors/make/group_slots.c vectors/make/group_statements.c vectors/make/group_torn.c vectors/make/group_texts.c vectors/make/group_values.c vectors/make/main.c vectors/make/run_files.c
    vectors/make/run_parts.c vectors/make/squeeze.c)
target_link_libraries(bundle_vectors PRIVATE sk_sync sk_support_sync sk_support_famine PkgConfig::CMOCKA PkgConfig::SODIUM)
add_test(NAME unit/vectors/check COMMAND bundle_vectors check ${CMAKE_CURRENT_SOURCE_DIR}/vectors/bundle)
set_tests_properties(unit/vectors/check PROPERTIES LABELS unit TIMEOUT 600)
if(NOT SK_SANITIZE) # making them says nothing more there; the reader is none of ours
    add_test(NAME unit/vectors/same COMMAND bundle_vectors same ${CMAKE_CURRENT_SOURCE_DIR}/vectors/bundle)
    # Debian packages python3-nacl for its own Python.
    add_test(NAME unit/vectors/reader COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/reader/vectors.py
        ${CMAKE_CURRENT_SOURCE_DIR}/vectors/bundle)
    set_tests_properties(unit/vectors/same unit/vectors/reader PROPERTIES LABELS unit TIMEOUT 600)
endif()
