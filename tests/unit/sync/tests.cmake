# Unit tests of sync.
add_library(sk_support_sync STATIC support/exchange.c support/volume.c)
target_link_libraries(sk_support_sync PUBLIC sk_sync sk_support_core ZLIB::ZLIB m)

foreach(name backup chain code continuation deflate deliver device envelope exchange export export_parts export_plan fork
        frames import import_lies invite looks manifest migrate peer quarantine ratchet receipt receipt_note
        receipt_take segment seizure uniform volume)
    sk_unit_test(sync ${name})
endforeach()

# Makes the fixtures of a schema (tests/migration).
add_executable(make_stores migration/make_stores.c)
target_link_libraries(make_stores PRIVATE sk_sync sk_support_sync PkgConfig::CMOCKA PkgConfig::SQLITE
    PkgConfig::SODIUM)
