# Tests labelled cli: the programs as a script or a person calls them.
foreach(name way)
    add_test(NAME cli/${name} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/${name}.sh)
    set_tests_properties(cli/${name} PROPERTIES LABELS cli TIMEOUT 600
        ENVIRONMENT "SK_BIN=${PROJECT_BINARY_DIR}/cli")
endforeach()
