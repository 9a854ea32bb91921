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

show_progress()
{
	while sleep 20 >/dev/null 2>&1; do
		say "building the $variant kernel of Linux $source: $(find "$build" -name '*.o' | wc -l) objects"
	done
}

# What the kernel is made from: a change of either is a new kernel.
stamp()
{
	cat "${configs[@]}" "$ksrc/Makefile" | sha256sum
	echo "${kernel_args[*]}"
	gcc --version | head -n 1
}

# An option that Kconfig drops would take its checks along in silence.
check_config()
{
	local line missing=0
	while read -r line; do
		grep -qxF -- "$line" "$build/.config" ||
			{ echo "$variant kernel: not in the final configuration: $line" >&2; missing=1; }
	done < <(grep -hE '^(CONFIG_|# CONFIG_[A-Z0-9_]+ is not set$)' "${configs[@]}")
	[ $missing -eq 0 ] || die "the kernel dropped options of ${configs[*]##*/}" \
		"look for their dependencies in the Kconfig files of $ksrc"
}

configure()
{
	kernel_make tinyconfig
	cat "${configs[@]}" >>"$build/.config"
	kernel_make olddefconfig
	check_config
}

build_kernel()
{
	local ticker status=0
	say "building the $variant kernel of Linux $source (about ten minutes the first time)"
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
		die "the $variant kernel did not build" "the log is $log"
	fi
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
