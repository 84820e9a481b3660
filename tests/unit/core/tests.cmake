# Unit tests of core.
add_library(sk_support_core STATIC support/temp_dir.c support/disk.c support/seized.c support/stores.c
    support/work.c support/wreck.c support/old_store.c)
target_link_libraries(sk_support_core PUBLIC sk_core PRIVATE PkgConfig::SQLITE
    PkgConfig::SODIUM)

foreach(name attachment buf damage damage_bits db entry error file file_calls form form_load item json log
        media migrate nomem record rekey search slots store text types verify vfs vfs_crash vfs_tamper)
    sk_unit_test(core ${name})
endforeach()
