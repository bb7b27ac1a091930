# setup.sh - sourced by ./demo and ./check: installs Debian or Ubuntu packages that are missing.
#
#     need "to build" gcc make libjansson-dev ...
#
# Nothing is touched when nothing is missing, so a second run needs no network and no rights.

missing_packages() {
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

need() {
    local why=$1 missing sudo=""
    shift
    if ! command -v dpkg-query >/dev/null; then
        echo "This is neither Debian nor Ubuntu: install what these packages hold yourself, $why: $*" >&2
        return 0
    fi
    missing=$(missing_packages "$@" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    echo "Missing $why: $missing"
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Not root, and there is no sudo: run as root: apt-get install $missing" >&2
            return 1
        fi
        sudo=sudo
        echo "Installing them with apt-get takes root's rights; sudo may ask for your password."
    fi
    local log
    log=$(mktemp)
    if $sudo apt-get update -qq >"$log" 2>&1 &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >>"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    tail -n 20 "$log" >&2
    echo "The packages could not be installed; apt-get's own words stand above and in $log." >&2
    return 1
}

# The same for packages that some releases lack.
need_if_there() {
    local why=$1 package there=""
    shift
    for package in "$@"; do
        if [ -z "$(missing_packages "$package")" ] || apt-cache show "$package" >/dev/null 2>&1; then there="$there $package"; fi
    done
    need "$why" $there
}

need_to_build() {
    need "to build and run" gcc libc6-dev make binutils libjansson-dev libsqlite3-dev libzstd-dev zlib1g-dev libpcre2-dev libcurl4-openssl-dev libmicrohttpd-dev libseccomp-dev bubblewrap git
}
