#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The benchmarks: installs what is missing, builds, boots the stock kernel in a VM
# whose time counts instructions, and measures costack and its peers in one run.
# Leaves build/bench/: raw.log, results.json, report.md.
#
# usage: scripts/bench.sh [all|quick]	(default: all; quick takes under a minute)

set -euo pipefail
. "$(dirname "$0")/lib.sh"

what=${1:-all}
dir=$out/bench
case $what in
all | quick) ;;
*) die "unknown selection: $what" "usage: scripts/bench.sh [all|quick]" ;;
esac

"$top/scripts/setup.sh" build vm bench
KDIR=$(find_vm_kdir)
export KDIR
"$top/scripts/build.sh"
mkdir -p "$dir"
gcc -O2 -static -Wall -Werror -o "$dir/pagefault" "$top/selftests/bench/pagefault.c"

# One CPU, and nothing that depends on the host: then a run repeats. The addresses
# too, as what lies where decides what a hash costs.
say "measuring in QEMU, one guest instruction a ns (some minutes)"
QEMU_ACCEL=tcg "$top/scripts/vm.sh" -c 1 -m 2G -t 1800 -q "-icount shift=0" \
	-a "nokaslr tsc=reliable quiet" -o "$dir/vm" -f "$dir/pagefault" \
	sh -c "PAGEFAULT=/files/pagefault sh /selftests/bench/run.sh $what" |
	tee "$dir/raw.log" | sed -u -n 's/^\([a-z_0-9]* [0-9]*\) .*/    \1/p' >&2
say "reporting"
"$top/scripts/bench-report.py" --unit instructions "$dir/raw.log" "$dir"
cat "$dir/report.md"
