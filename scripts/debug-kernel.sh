#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds a debug kernel from tinyconfig for x86-64, selftests/debug/debug.config, the
# configuration of the variant, and that of the version, if there is one. Every option of
# these files must be in the final configuration. Then builds the modules for this kernel,
# including the KUnit suites. Reuses a kernel that was built from the same sources with the
# same options.
#
# usage: scripts/debug-kernel.sh [kasan|kcsan]	(default: kasan)
# environment: SOURCE, the version of the kernel sources (see lib.sh)
# Leaves bzImage and *.ko in build/debug/ or build/debug-kcsan/; if SOURCE is not the
# default, its name has the version at the end, such as build/debug-6.12/

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kernel-build.sh"

variant=${1:-kasan}
# Arguments of make for the kernel only, not for the modules.
kernel_args=()
case $variant in
kasan) dir=$out/debug$of_source ;;
kcsan)
	dir=$out/debug-kcsan$of_source
	# A kernel that is instrumented throughout is too slow in an emulator: only the
	# modules are.
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

# Identifies what the kernel is made from: if any of it changes, the kernel is built anew.
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

# The suites call functions that costack exports only in this build.
build_modules()
{
	local suite args=(CONFIG_COSTACK_KUNIT_EXPORTS=y)
	for suite in "$top"/kunit/*_test.c; do
		# Leave out the suites that vouch for their frames in place of an unwinder.
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
