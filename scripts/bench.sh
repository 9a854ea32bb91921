#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The benchmarks: installs what is missing, builds, boots the stock kernel in a VM
# whose time counts instructions, and measures costack and its peers in one run.
#
# usage: scripts/bench.sh [all]		all rows: writes to build/bench/ raw.log, results.json,
#					report.md, profile.md and the plots
#        scripts/bench.sh quick		the short rows, and no plots
#        scripts/bench.sh check		the same; fails if a row is over 10 % worse than
#					in selftests/bench/baseline.json; on another
#					version of Linux compares nothing
#        scripts/bench.sh baseline	all rows; makes them the baseline: changes that
#					file, and the table and the plot in README.md
#        scripts/bench.sh profile ROW...	instructions by function, to profile.md
#        scripts/bench.sh rows		all rows, without profile and plots
#        scripts/bench.sh kernels [NAME...]
#					the rows on Linux 6.1 and on the kernels NAME of
#					scripts/kernels (default: 6.12 7.3), side by side:
#					build/bench/kernels.md; fails if a row is over 10 %
#					worse than on 6.1 and selftests/bench/reasons.json
#					does not say why
#        scripts/bench.sh native	the operations that need no fault, in ns, in a
#					user-mode kernel and, in turns with it, in Go, which
#					fetch-go.sh gets; writes to build/bench/native/
#        scripts/bench.sh native readme	the same; changes selftests/bench/native.json, and
#					the table of that in README.md
# environment: KERNEL, for all, quick, rows and profile: the kernel of scripts/kernels to
#	measure; the results are then in build/kernels/$KERNEL/bench/; GO, for native: a Go of
#	1.23 or later (default: that of fetch-go.sh)

set -euo pipefail
. "$(dirname "$0")/lib.sh"

dir=$out/bench
tree=$top/selftests/bench
flags='-icount shift=0'
side=$top/build/bench/kernels.md
turns=15
profiled=(grow_copy_8k grow_copy_8k_large grow_copy_64k grow_copy_64k_large)

usage()
{
	sed -n '/^# usage/,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

prepare()
{
	"$top/scripts/setup.sh" "$@"
	KDIR=$(find_vm_kdir)
	export KDIR
	"$top/scripts/build.sh" >&2
	mkdir -p "$dir"
}

# With one CPU and nothing that depends on the host, every run gives the same counts. That
# includes the addresses (nokaslr), because they decide what a hash lookup costs.
boot()
{
	QEMU_ACCEL=tcg "$top/scripts/vm.sh" -c 1 -m 2G -t 1800 \
		-a "nokaslr tsc=reliable quiet" -o "$dir/vm" "$@"
}

# measure all|quick: writes raw.log, results.json and report.md
measure()
{
	local files=()
	if [ "$1" = all ]; then
		gcc -O2 -static -Wall -Werror -o "$dir/pagefault" "$tree/pagefault.c"
		files=(-f "$dir/pagefault")
	fi
	say "measuring in QEMU, one guest instruction a ns (some minutes for all rows)"
	{
		echo "# unit instructions"
		echo "# qemu $("${QEMU:-qemu-system-x86_64}" --version | head -n 1)"
		echo "# flags $flags -smp 1 -cpu ${QEMU_CPU:-max}"
		boot -q "$flags" "${files[@]}" sh -c \
			"PAGEFAULT=${files[1]:+/files/pagefault} sh /selftests/bench/run.sh $1"
	} | tee "$dir/raw.log" | sed -u -n 's/^\([a-z_0-9]* [0-9]*\) .*/    \1/p' >&2
	"$top/scripts/bench-report.py" report "$dir/raw.log" "$dir"
}

# A plugin of the emulator counts, so the measured code stays unchanged.
profile()
{
	say "counting instructions by place"
	gcc -O2 -shared -fPIC -Wall -Werror -o "$dir/profile.so" "$tree/profile.c"
	boot -q "$flags -plugin $dir/profile.so,out=$dir/profile.places" sh -c \
		"ROUNDS=1 sh /selftests/bench/run.sh $* && sh /selftests/bench/symbols.sh" \
		>"$dir/profile.log"
	"$top/scripts/bench-profile.py" "$dir" "$out/costack.ko"
}

plot()
{
	say "drawing"
	"$top/scripts/bench-plot.py" "$dir/results.json" "$dir/profile.json" "$dir"
}

all()
{
	prepare build vm bench
	measure all
	profile "${profiled[@]}"
	plot
	cat "$dir/report.md"
	side_by_side
}

# The result of the last "bench.sh kernels", if there is one.
side_by_side()
{
	[ -z "${KERNEL:-}" ] || return 0
	if [ -s "$side" ]; then
		printf '\n'
		cat "$side"
		say "the second table is from the last \"make bench-kernels\": ${side#"$top"/}"
	else
		say "to compare with Linux 6.12 and 7.3: make bench-kernels"
	fi
}

rows()
{
	prepare build vm
	measure all
}

quick()
{
	prepare build vm
	measure quick
}

only_default()
{
	[ -z "${KERNEL:-}" ] || die "the baseline is that of the default kernel" \
		"unset KERNEL, or compare kernels: scripts/bench.sh kernels $KERNEL"
}

# The measuring run has already checked that no row is missing.
check()
{
	local status=0
	only_default
	quick
	"$top/scripts/bench-report.py" compare "$dir/results.json" "$tree/baseline.json" \
		>"$dir/check.tap" || status=$?
	cat "$dir/check.tap" >&2
	awk -v name=bench -v status=$status -v allowed="$top/selftests/allowed-skips" \
		-f "$top/scripts/tap.awk" "$dir/check.tap"
}

baseline()
{
	only_default
	all
	"$top/scripts/bench-report.py" baseline "$dir/results.json" "$tree/baseline.json" \
		"$top/README.md"
	cp "$dir/growth-bytes.svg" "$tree/growth.svg"
	cp "$dir/memory.svg" "$tree/memory.svg"
	say "written: selftests/bench/baseline.json, growth.svg and memory.svg, and the table in README.md"
}

# A kernel that cannot be measured is missing in the table, and the script fails. Results
# of an earlier run are removed, so that they cannot be taken for this run's.
kernels()
{
	local name names=(6.1) results=() status=0
	[ -z "${KERNEL:-}" ] || die "KERNEL names one kernel, but this compares several" "unset KERNEL"
	[ $# -gt 0 ] || set -- 6.12 7.3
	for name in "$@"; do
		[ "$name" = 6.1 ] || names+=("$name")
	done
	for name in "${names[@]}"; do
		(KERNEL=$name; read_kernel) || exit
	done
	for name in "${names[@]}"; do
		results+=("$name=$top/build/kernels/$name/bench/results.json")
		rm -f "${results[-1]#*=}"
		say "Linux $name"
		KERNEL=$name "$0" rows || { say "Linux $name was not measured"; status=1; }
	done
	mkdir -p "$dir"
	"$top/scripts/bench-report.py" kernels "$tree/reasons.json" "$side" "${results[@]}" ||
		status=1
	[ ! -s "$side" ] || cat "$side"
	return $status
}

kunit_py()
{
	(cd "$ksrc" && python3 tools/testing/kunit/kunit.py "$@") >"$dir/native/kunit.log" 2>&1 ||
		{ tail -n 30 "$dir/native/kunit.log" >&2; die "the user-mode kernel gave no figures"; }
}

# Native figures: kunit/native.c prints them in the kernel of "make kunit", which is built
# with other options, and a program in Go prints those of Go. They run in turns, so that
# other load on the machine is in the figures of both.
native()
{
	local build=$out/kunit$of_source turn
	local go=${GO:-$top/build/go/go}
	"$top/scripts/setup.sh" kunit
	[ -n "${GO:-}" ] || "$top/scripts/fetch-go.sh"
	mkdir -p "$dir/native"
	"$go" build -o "$dir/native/peers" "$tree/peers.go" ||
		die "$go does not build selftests/bench/peers.go" "it takes Go 1.23 or later"
	"$top/scripts/graft.sh" "$ksrc"
	say "building a user-mode kernel (some minutes the first time)"
	kunit_py build --kunitconfig="$top/kunit/.kunitconfig" --build_dir="$build" \
		--kconfig_add CONFIG_COSTACK_NATIVE_BENCH=y --jobs="$(nproc)"
	say "measuring, in $turns turns"
	{
		echo "# unit ns"
		echo "# kernel $(cat "$build/include/config/kernel.release"), user mode"
		echo "# cpu $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
		echo "# cpus $(nproc)"
		echo "# clocksource that of the host"
		echo "# rounds $turns turns of 31"
		for ((turn = 0; turn < turns; turn++)); do
			rm -f "$build/test.log"
			kunit_py exec --build_dir="$build" --timeout=300 costack_native
			sed -n 's/^.*bench: //p' "$build/test.log"
			"$dir/native/peers"
		done
	} >"$dir/native/raw.log"
	"$top/scripts/bench-report.py" report "$dir/native/raw.log" "$dir/native"
	cat "$dir/native/report.md"
	if [ "${1:-}" = readme ]; then
		"$top/scripts/bench-report.py" native "$dir/native/results.json" \
			"$tree/native.json" "$top/README.md"
		say "written: selftests/bench/native.json, and the table in README.md"
	fi
}

case ${1:-all} in
all | quick | rows | check | baseline)
	[ $# -le 1 ] || usage
	"${1:-all}"
	[ "${1:-all}" != quick ] || cat "$dir/report.md"
	;;
profile)
	shift
	[ $# -gt 0 ] || usage
	prepare build vm bench
	profile "$@"
	cat "$dir/profile.md"
	;;
kernels) shift; kernels "$@" ;;
native)
	[ "${*:2}" = "" ] || [ "${*:2}" = readme ] || usage
	native "${2:-}"
	;;
*) usage ;;
esac
