#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the debug kernel: tinyconfig for x86-64 and selftests/debug.config, of
# which every line must be found again in the final configuration. Then it builds
# the modules for it, the KUnit suites included, into build/debug/ko/. A kernel
# that is there already, of the same sources and the same options, is used again.
#
# usage: scripts/debug-kernel.sh
# Leaves build/debug/bzImage and build/debug/*.ko

set -euo pipefail
. "$(dirname "$0")/lib.sh"

config=$top/selftests/debug.config
build=$out/debug/kernel
log=$out/debug/build.log

[ -e "$ksrc/.unpacked" ] || die "no kernel sources" "run scripts/setup.sh debug"

kernel_make()
{
	make -C "$ksrc" O="$build" ARCH=x86_64 -j"$(nproc)" "$@" >>"$log" 2>&1
}

show_progress()
{
	while sleep 20 >/dev/null 2>&1; do
		say "building the debug kernel: $(find "$build" -name '*.o' | wc -l) objects"
	done
}

# What the kernel is made from: a change of either is a new kernel.
stamp()
{
	cat "$config" "$ksrc/Makefile" | sha256sum
	gcc --version | head -n 1
}

# An option that Kconfig drops would take its checks along in silence.
check_config()
{
	local line missing=0
	while read -r line; do
		grep -qxF -- "$line" "$build/.config" ||
			{ echo "debug kernel: not in the final configuration: $line" >&2; missing=1; }
	done < <(grep '^CONFIG_' "$config")
	[ $missing -eq 0 ] || die "the kernel dropped options of selftests/debug.config" \
		"look for their dependencies in the Kconfig files of $ksrc"
}

configure()
{
	kernel_make tinyconfig
	cat "$config" >>"$build/.config"
	kernel_make olddefconfig
	check_config
}

build_kernel()
{
	local ticker status=0
	say "building the debug kernel (about ten minutes the first time)"
	show_progress &
	ticker=$!
	# shellcheck disable=SC2064 # the process id of now is meant
	trap "kill $ticker 2>/dev/null || :" EXIT
	kernel_make bzImage modules || status=$?
	kill $ticker 2>/dev/null || :
	wait $ticker 2>/dev/null || :
	if [ $status -ne 0 ]; then
		grep -E 'error|Error|undefined' "$log" >&2 || :
		tail -n 20 "$log" >&2
		die "the debug kernel did not build" "the log is $log"
	fi
	cp "$build/arch/x86/boot/bzImage" "$out/debug/bzImage"
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
	KDIR=$build OBJ=$out/debug/ko "$top/scripts/build.sh" "${args[@]}"
	cp "$build/lib/kunit/kunit.ko" "$out/debug/"
}

mkdir -p "$build"
if [ ! -e "$out/debug/stamp" ] || [ "$(stamp)" != "$(cat "$out/debug/stamp")" ]; then
	: >"$log"
	rm -f "$out/debug/stamp"
	stamp >"$out/debug/stamp.new"
	configure
	build_kernel
	mv "$out/debug/stamp.new" "$out/debug/stamp"
fi
build_modules
