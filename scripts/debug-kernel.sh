#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds a debug kernel: tinyconfig for x86-64, selftests/debug/debug.config, and beside it the
# configuration of one of the variants, and that of the version if there is one. Every
# option of them must be found again in the final configuration. Then it builds the
# modules for it, the KUnit suites included. A kernel that is there already, of the same
# sources and the same options, is used again.
#
# usage: scripts/debug-kernel.sh [kasan|kcsan]	(default: kasan)
# environment: SOURCE, what to build it from (see lib.sh)
# Leaves bzImage and *.ko in build/debug/, or in build/debug-kcsan/; -6.12 is appended if
# that is SOURCE and not the default

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kernel-build.sh"

variant=${1:-kasan}
# What only this kernel is built with.
kernel_args=()
case $variant in
kasan) dir=$out/debug$of_source ;;
kcsan)
	dir=$out/debug-kcsan$of_source
	# An instrumented kernel is too slow in an emulated machine; the modules are not
	# built with this.
	kernel_args+=(KCSAN_SANITIZE=n)
	;;
*) die "unknown variant: $variant" "usage: scripts/debug-kernel.sh [kasan|kcsan]" ;;
esac
configs=("$top/selftests/debug/debug.config" "$top/selftests/debug/$variant.config")
[ ! -e "$top/selftests/debug/debug-$source.config" ] ||
	configs+=("$top/selftests/debug/debug-$source.config")
build=$dir/kernel
log=$dir/build.log

[ -e "$ksrc/.unpacked" ] || die "no sources of Linux $source" "run SOURCE=$source scripts/setup.sh debug"

kernel_make()
{
	make -C "$ksrc" O="$build" ARCH=x86_64 -j"$(nproc)" "${kernel_args[@]}" "$@" >>"$log" 2>&1
}

# What the kernel is made from: a change of either is a new kernel.
stamp()
{
	cat "${configs[@]}" "$ksrc/Makefile" | sha256sum
	echo "${kernel_args[*]}"
	gcc --version | head -n 1
}

configure()
{
	kernel_make tinyconfig
	cat "${configs[@]}" >>"$build/.config"
	kernel_make olddefconfig
	require_options "$build/.config" "${configs[@]}"
}

build_kernel()
{
	local what="the $variant kernel of Linux $source"
	say "building $what (about ten minutes the first time)"
	make_kernel "$what" "$build" "$log" kernel_make bzImage modules
	cp "$build/arch/x86/boot/bzImage" "$dir/bzImage"
}

# The suites call functions of costack that only this build exports.
build_modules()
{
	local suite args=(CONFIG_COSTACK_KUNIT_EXPORTS=y)
	for suite in "$top"/kunit/*_test.c; do
		# Those that vouch for stacks where there is no unwinder.
		! grep -q costack_um_ "$suite" || continue
		suite=$(basename "$suite" _test.c)
		args+=("CONFIG_COSTACK_${suite^^}_KUNIT_TEST=m")
	done
	KDIR=$build OBJ=$dir/ko "$top/scripts/build.sh" "${args[@]}"
	cp "$build/lib/kunit/kunit.ko" "$dir/"
}

mkdir -p "$build"
if [ ! -e "$dir/stamp" ] || [ "$(stamp)" != "$(cat "$dir/stamp")" ]; then
	: >"$log"
	rm -f "$dir/stamp"
	stamp >"$dir/stamp.new"
	configure
	build_kernel
	mv "$dir/stamp.new" "$dir/stamp"
fi
build_modules
