# Shared by the scripts; sourced, never run. Leaves the working directory alone.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(basename "$0")
jobs=$(nproc)
clang_version=19

# ccache is shared between build folders and check-outs; both settings make that work.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root}
export CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}

say() { printf '%s: %s\n' "$program" "$*" >&2; }
die() { say "$*"; exit 1; }

# A bad command line: exit 2.
usage_error() {
    say "$*"
    say "see $0 --help"
    exit 2
}

# one_of OPTION VALUE ALLOWED...
one_of() {
    local option=$1 value=$2 allowed
    shift 2
    for allowed in "$@"; do
        [[ $value == "$allowed" ]] && return 0
    done
    usage_error "$option is '$value', allowed: $*"
}

# has_value OPTION REMAINING: REMAINING is $# with the option itself included.
has_value() {
    (($2 >= 2)) || usage_error "$1 needs a value"
}

# need GROUP...: installs what the groups of scripts/setup lack; quick when nothing is missing.
need() { "$root/scripts/setup" --quiet "$@"; }

# compiler_command gcc|clang
compiler_command() {
    local compiler=g++
    [[ $1 == clang ]] && compiler=clang++-$clang_version
    if command -v ccache >/dev/null; then
        echo "ccache $compiler"
    else
        echo "$compiler"
    fi
}

# configure DIR gcc|clang MESON_OPTION...: sets DIR up, or brings its options up to date.
configure() {
    local dir=$1 compiler log wanted
    compiler=$(compiler_command "$2")
    shift 2
    # Here a warning fails the build; by default it does not.
    set -- -Dwerror=true "$@"
    # What ccache cannot help with, precompiled headers do.
    [[ -z ${WEIR_PCH:-} ]] || set -- "$@" -Dpch=true
    wanted="$compiler $*"
    # Ninja itself notices a changed meson.build; only other options need meson here.
    [[ -f $dir/build.ninja && $(cat "$dir/weir-options" 2>/dev/null) == "$wanted" ]] && return
    local -a command=(meson setup "$dir" "$root")
    [[ -f $dir/build.ninja ]] && command=(meson setup --reconfigure "$dir" "$root")
    log=$(mktemp)
    if ! CXX=$compiler "${command[@]}" "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        die "meson could not set up $dir"
    fi
    rm -f "$log"
    printf '%s' "$wanted" >"$dir/weir-options"
}

# compile DIR TARGET...: no target builds everything.
compile() {
    local dir=$1 namespace=
    shift
    # clang's precompiled headers name their sources by absolute paths: no other check-out may get
    # them from ccache.
    [[ $(cat "$dir/weir-options" 2>/dev/null) != *clang* ]] || namespace=$root
    CCACHE_NAMESPACE=$namespace ninja -C "$dir" -j "$jobs" "$@" >&2
}

# Prints every C++ file of ours, one absolute path a line.
cpp_files() {
    local folder
    for folder in include runtime pool redisq bench tests examples tools; do
        [[ -d $root/$folder ]] || continue
        find "$root/$folder" -type f \( -name '*.hpp' -o -name '*.cpp' \)
    done | sort
}
