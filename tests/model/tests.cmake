# Random sequences of actions on devices and archives, held against a plain model. As many run at once as
# there are processors: ctest counts it as two, in the long run too.
add_executable(model model/archives.c model/compare.c model/copies.c model/devices.c model/exports.c model/forms.c
    model/kin.c model/main.c model/openings.c model/purges.c model/receipts.c model/renewals.c
    model/revocations.c model/rules.c model/salvages.c model/sequence.c)
target_link_libraries(model PRIVATE sk_support_story PkgConfig::CMOCKA)
add_test(NAME model/sequences COMMAND model)
set_tests_properties(model/sequences PROPERTIES LABELS model TIMEOUT 14400 PROCESSORS 2)
