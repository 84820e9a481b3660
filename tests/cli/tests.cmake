# Tests labelled cli: the programs as a script or a person calls them.
foreach(name
        way.sh
        broken.py
        clock.py
        contract.py
        damage.py
        failing_disk.py
        forms.py
        full_disk.py
        keys.py
        keys_terminal.py
        killed.py
        full_disk_commands.py
        locked.py
        many_receivers.py
        marker.py
        orders.py
        read_only.py
        receipts.py
        renew.py
        salvage.py
        sandbox.py
        scenario.py
        second_reader.py
        starved.py
        starved_json.py
        stick.py
        stopped.py
        succession.py
        terminal.py
        watch.py
        wrong_turns.py)
    get_filename_component(stem ${name} NAME_WE)
    if(name MATCHES "py$")
        set(interpreter python3 -B)
    else()
        set(interpreter sh)
    endif()
    # What is in files does not depend on sanitizers; they have an allocator of their own.
    if(stem MATCHES "^(marker|starved|starved_json)$" AND SK_SANITIZE)
        continue()
    endif()
    add_test(NAME cli/${stem} COMMAND ${interpreter} ${CMAKE_CURRENT_SOURCE_DIR}/cli/${name})
    set_tests_properties(cli/${stem} PROPERTIES LABELS cli TIMEOUT 3600
        ENVIRONMENT "SK_BIN=${PROJECT_BINARY_DIR}/cli;SK_SANITIZE=${SK_SANITIZE}")
endforeach()

# A kernel without filters of system calls, for sandbox.py.
add_executable(no_seccomp support/no_seccomp.c)
target_link_libraries(no_seccomp PRIVATE sk_build PkgConfig::SECCOMP)
set_property(TEST cli/sandbox APPEND PROPERTY
    ENVIRONMENT "SK_NO_SECCOMP=$<TARGET_FILE:no_seccomp>")

# Memory that runs out, for starved.py and starved_json.py.
if(NOT SK_SANITIZE)
    add_library(sk_famine MODULE support/famine.c support/famine_preload.c)
    target_include_directories(sk_famine PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_definitions(sk_famine PRIVATE _GNU_SOURCE)
    target_compile_options(sk_famine PRIVATE -Wall -Wextra)
    target_link_libraries(sk_famine PRIVATE PkgConfig::SODIUM)
    foreach(stem starved starved_json)
        set_property(TEST cli/${stem} APPEND PROPERTY ENVIRONMENT "SK_FAMINE_LIBRARY=$<TARGET_FILE:sk_famine>")
    endforeach()
endif()

if(SK_VALGRIND)
    add_test(NAME valgrind/cli COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/valgrind.py)
    set_tests_properties(valgrind/cli PROPERTIES LABELS valgrind TIMEOUT 14400
        ENVIRONMENT "SK_BIN=${PROJECT_BINARY_DIR}/cli")
endif()
