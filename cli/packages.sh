# Sourced by cli/demo.sh and tests/run.sh: installs Debian packages that are missing.
# need PACKAGE ... : asks dpkg for each, and apt-get for those that are not there (as root or by sudo).

need() {
    missing=
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
        [ "$state" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || {
            echo "Please install these packages first, as root: apt-get install$missing" >&2
            return 1
        }
        as_root=sudo
    fi
    echo "Installing:$missing" >&2
    $as_root apt-get update -qq >&2 || echo "apt-get update failed; trying with the lists there are." >&2
    # shellcheck disable=SC2086 # a list of words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $missing >&2
}

# What a build of the programs wants.
# shellcheck disable=SC2034 # for those who source this
build_packages="gcc libc6-dev cmake ninja-build pkg-config libsodium-dev libsqlite3-dev zlib1g-dev libjansson-dev libseccomp-dev libisal-dev"
