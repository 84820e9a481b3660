# Unit tests of core.
add_library(sk_support_core STATIC support/temp_dir.c support/disk.c support/seized.c support/stores.c
    support/work.c support/wreck.c support/old_store.c support/own_form.c support/heir.c)
target_link_libraries(sk_support_core PUBLIC sk_core PRIVATE PkgConfig::SQLITE
    PkgConfig::SODIUM)

foreach(name attachment buf damage damage_bits damage_mixed db db_saved entry error file file_calls file_dir file_watch form form_load
        form_own item json log media migrate nomem record rekey rekey_media rekey_states relay search slots store
        succession succession_pages text types verify vfs vfs_crash vfs_forged vfs_sqlite vfs_tamper vfs_wal)
    sk_unit_test(core ${name})
endforeach()

# Memory that runs out: an object, since a library would give its malloc() to every test.
add_library(sk_support_famine OBJECT support/famine.c)
target_link_libraries(sk_support_famine PUBLIC sk_build PkgConfig::SODIUM)
target_link_libraries(test_core_nomem PRIVATE sk_support_famine)

# The encrypting VFS for programs that are not ours (support/vfs_entry.h). It calls SQLite as any
# program's library does, and exports its own few functions alone.
set(sk_entry_core buf error vfs vfs_chain vfs_log vfs_main vfs_note vfs_preamble vfs_wal)
set(sk_entry_crypto aead hash labels secret status)
list(TRANSFORM sk_entry_core REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/core/\\1.c")
list(TRANSFORM sk_entry_crypto REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/crypto/\\1.c")
# The analysers see these sources once, as parts of core and crypto.
add_library(sk_test_vfs_parts OBJECT ${sk_entry_core} ${sk_entry_crypto})
set_target_properties(sk_test_vfs_parts PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
add_library(sk_test_vfs SHARED support/vfs_entry.c support/vfs_entry_files.c)
foreach(target sk_test_vfs_parts sk_test_vfs)
    target_compile_definitions(${target} PRIVATE $<TARGET_PROPERTY:sk_build,INTERFACE_COMPILE_DEFINITIONS>)
    target_include_directories(${target} PRIVATE $<TARGET_PROPERTY:sk_build,INTERFACE_INCLUDE_DIRECTORIES>)
    target_compile_options(${target} PRIVATE $<TARGET_PROPERTY:sk_build,INTERFACE_COMPILE_OPTIONS> -fPIC)
    target_link_libraries(${target} PRIVATE PkgConfig::SODIUM PkgConfig::SQLITE)
endforeach()
target_link_libraries(sk_test_vfs PRIVATE sk_test_vfs_parts)
target_link_options(sk_test_vfs PRIVATE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
    -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/support/vfs_entry.map)
if(SK_SANITIZE)
    target_link_options(sk_test_vfs PRIVATE -fsanitize=${SK_SANITIZE})
elseif(SK_COVERAGE)
    target_link_options(sk_test_vfs PRIVATE --coverage)
endif()
set_target_properties(sk_test_vfs PROPERTIES LINK_DEPENDS
    ${CMAKE_CURRENT_SOURCE_DIR}/support/vfs_entry.map)

add_executable(test_core_vfs_entry unit/core/test_vfs_entry.c support/fault_vfs.c support/temp_dir.c)
target_link_libraries(test_core_vfs_entry PRIVATE sk_build sk_test_vfs PkgConfig::SQLITE PkgConfig::CMOCKA)
add_test(NAME unit/core/vfs_entry COMMAND test_core_vfs_entry)
set_tests_properties(unit/core/vfs_entry PROPERTIES LABELS unit TIMEOUT 300)
# The long run tries far more places.
set_tests_properties(unit/core/damage unit/core/damage_bits unit/core/damage_mixed PROPERTIES TIMEOUT 3600)
