#!/bin/sh
# arm64_libraries.sh DIR - unpacks the arm64 libraries that Lathe links into DIR.
#
# They come from this system's own package registry and are only unpacked, not installed: the
# system stays as it is, and no rights are needed.  Ubuntu keeps arm64 on another host than amd64;
# where that cannot be reached, this machine's headers are taken (they are the same text) and
# DIR/headers_only is made: then all can be compiled, and linked what calls no library.
set -eu
dir=$(mkdir -p "$1" && cd "$1" && pwd)
[ ! -e "$dir/complete" ] || exit 0
apt=$dir/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs"
: >"$apt/status"
set -- -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User= -o Dir::State="$apt" \
    -o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
. /etc/os-release
if [ "$ID" = ubuntu ]; then
    for pocket in "" -updates; do
        echo "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://ports.ubuntu.com/ubuntu-ports $VERSION_CODENAME$pocket main universe"
    done >"$apt/sources.list"
    set -- "$@" -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
fi
fetch() {
    cd "$apt/debs" && apt-get "$@" update -qq && apt-get "$@" download -qq libjansson-dev libsqlite3-dev libzstd-dev zlib1g-dev libpcre2-dev libcurl4-openssl-dev libmicrohttpd-dev libseccomp-dev
}
if (fetch "$@"); then
    for deb in "$apt"/debs/*.deb; do dpkg-deb -x "$deb" "$dir"; done
    touch "$dir/complete"
    rm -f "$dir/headers_only"
else
    mkdir -p "$dir/usr/include"
    for header in jansson.h jansson_config.h sqlite3.h zlib.h zconf.h zstd.h zstd_errors.h pcre2.h microhttpd.h seccomp.h seccomp-syscalls.h; do
        cp "$(find /usr/include -name "$header" | head -n 1)" "$dir/usr/include"
    done
    mkdir -p "$dir/usr/include/curl"
    cp "$(dirname "$(find /usr/include -path '*/curl/curl.h' | head -n 1)")"/*.h "$dir/usr/include/curl"
    touch "$dir/headers_only"
fi
