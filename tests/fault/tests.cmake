# A disk in memory below the file layer and SQLite, and the stories told on it.
add_library(sk_support_story STATIC support/sim/content.c support/sim/image.c support/sim/install.c
    support/sim/live.c support/sim/posix.c support/sim/power.c support/story/archive.c
    support/story/attempt.c support/story/device.c support/story/judge.c support/story/rescue.c
    support/story/story.c)
target_link_libraries(sk_support_story PUBLIC sk_support_sync PkgConfig::CMOCKA PRIVATE PkgConfig::SQLITE)
# story.c: the ids of write-ahead logs are drawn apart.
target_link_options(sk_support_story INTERFACE -Wl,--wrap=vfs_log_before_head)

foreach(name crash faults starved)
    add_executable(${name} fault/${name}.c)
    target_link_libraries(${name} PRIVATE sk_support_story)
    foreach(story device archive)
        add_test(NAME fault/${name}_${story} COMMAND ${name} ${story})
        set_tests_properties(fault/${name}_${story} PROPERTIES LABELS fault TIMEOUT 7200)
    endforeach()
endforeach()

target_link_libraries(starved PRIVATE sk_support_famine)

# A repair goes on past what cannot be read, and so ends in a state of its own for each failing read:
# unit/core/succession_pages has those.
set(runs crash_restore crash_repair faults_restore starved_restore starved_repair)
if(SK_VALGRIND) # the long run: the device once more where files have names; the archive's story always has them
    list(APPEND runs faults_device-named)
endif()
foreach(run ${runs})
    string(REPLACE "_" ";" words ${run})
    add_test(NAME fault/${run} COMMAND ${words})
    set_tests_properties(fault/${run} PROPERTIES LABELS fault TIMEOUT 7200)
endforeach()

# Tests labelled fault. The long run asks for more rounds through SK_LONG; under sanitizers there are fewer.
add_test(NAME fault/kill COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/fault/kill.sh)
set_tests_properties(fault/kill PROPERTIES LABELS fault TIMEOUT 14400
    ENVIRONMENT "SK_BIN=${PROJECT_BINARY_DIR}/cli;SK_SANITIZE=${SK_SANITIZE}")
add_test(NAME fault/keys COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/fault/keys.sh)
set_tests_properties(fault/keys PROPERTIES LABELS fault TIMEOUT 14400
    ENVIRONMENT "SK_BIN=${PROJECT_BINARY_DIR}/cli;SK_SANITIZE=${SK_SANITIZE}")

# Needs the plain build's objects; what it finds does not depend on sanitizers.
if(NOT SK_SANITIZE AND NOT SK_COVERAGE)
    add_test(NAME fault/mutants COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/fault/mutants.py)
    set_tests_properties(fault/mutants PROPERTIES LABELS fault TIMEOUT 1200
        ENVIRONMENT "SK_BUILD=${PROJECT_BINARY_DIR}")
endif()
add_test(NAME fault/foreign COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/fault/foreign.py)
set_tests_properties(fault/foreign PROPERTIES LABELS fault TIMEOUT 14400
    ENVIRONMENT "SK_TEST_VFS_LIBRARY=$<TARGET_FILE:sk_test_vfs>;SK_SANITIZE=${SK_SANITIZE}")
