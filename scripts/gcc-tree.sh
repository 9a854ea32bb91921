#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Gets versions of GCC other than the machine's, and installs nothing: unpacks packages of
# Debian 13 below build/gcc/, but only the files that compiling C needs. The compiler
# starts with the dynamic loader and the libraries of these packages, and uses the
# machine's assembler and linker. Then
#
#	CC=build/gcc/gcc-14 make
#
# builds the modules with it. This needs no root and does not use the machine's apt (see
# apt.sh).
#
# usage: scripts/gcc-tree.sh [VERSION...]		(default: 13 14)
# environment: MIRROR, of Debian packages (default: the one that apt is set up for)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

suite=trixie
tree=$top/build/gcc
. "$(dirname "$0")/unpack.sh"

setup_libs()
{
	local lib=/usr/lib/$triplet name
	[ ! -e "$root/.libs" ] || return 0
	unpack libc6 "$lib/ld-linux-x86-64.so.2" "$lib/libc.so.6" "$lib/libm.so.6" "$lib/libdl.so.2"
	for name in libgcc-s1 libstdc++6 libgmp10 libmpfr6 libmpc3 libisl23 libzstd1 zlib1g; do
		unpack "$name" "$lib/*.so.*"
	done
	touch "$root/.libs"
}

# The driver finds its parts through its own path and runs them directly, so they need
# wrappers too. It makes the linker load a plugin for which the machine's libraries may be
# too old, and which serves link-time optimization only.
setup_gcc()
{
	local v=$1 lib=/usr/lib/gcc/$triplet/$1 exec=/usr/libexec/gcc/$triplet/$1 name
	[ ! -e "$root/.gcc-$v" ] || return 0
	unpack "cpp-$v-x86-64-linux-gnu" "$exec/cc1"
	unpack "gcc-$v-x86-64-linux-gnu" "/usr/bin/$triplet-gcc-$v" "$exec/collect2"
	unpack "libgcc-$v-dev" "$lib/crt*.o" "$lib/include/*" "$lib/libgcc.a" "$lib/libgcc_eh.a" \
		"$lib/libgcc_s.so"
	for name in cc1 collect2; do
		mv "$root$exec/$name" "$root$exec/$name.bin"
		wrap "root$exec/$name" "root$exec/$name.bin"
	done
	wrap "gcc-$v" "root/usr/bin/$triplet-gcc-$v" -fno-use-linker-plugin
	touch "$root/.gcc-$v"
}

try()
{
	if ! echo 'long f(long *p) { return *p + 1; }' |
		"$tree/gcc-$1" -O2 -c -x c - -o "$tree/try.o" 2>>"$tree/log"; then
		tail -n 20 "$tree/log" >&2
		die "$tree/gcc-$1 does not work" "remove $tree and run $0 again"
	fi
	rm -f "$tree/try.o"
	say "GCC $("$tree/gcc-$1" -dumpfullversion): $tree/gcc-$1"
}

versions=("${@:-13}")
[ $# -gt 0 ] || versions=(13 14)
missing=()
for v in "${versions[@]}"; do
	[[ $v =~ ^[0-9]+$ ]] || die "no version of GCC: $v" "usage: $0 [VERSION...]"
	[ -e "$root/.gcc-$v" ] || missing+=("$v")
done

mkdir -p "$root"
exec 9>"$tree/lock"
flock 9
: >"$tree/log"
if [ ${#missing[@]} -gt 0 ]; then
	command -v apt-get >/dev/null ||
		die "this is not a Debian system" "unpack Debian 13's gcc by hand, and name it: CC=<path>"
	command -v as >/dev/null || "$top/scripts/setup.sh" build
	trap 'rm -rf "$tree/apt"' EXIT
	apt_setup "$tree/apt" "$suite"
	setup_libs
	for v in "${missing[@]}"; do
		setup_gcc "$v"
	done
fi
for v in "${versions[@]}"; do
	try "$v"
done
