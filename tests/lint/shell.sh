#!/bin/sh
# Goal of this test: shellcheck finds nothing in any script.
set -eu
git ls-files -co --exclude-standard '*.sh' .ci/run | xargs shellcheck -s sh -x
