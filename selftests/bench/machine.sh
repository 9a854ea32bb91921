#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The benchmarks on this machine, where their unit is ns: builds the page-fault
# program if there is a compiler, runs run.sh, and reports if there is a Python and
# this is the whole project. Use a machine that you can afford to lose.
#
# usage: machine.sh [all|quick|memory|ROW...]	(needs root)
# environment: KO, where the modules are (default: build/ beside selftests/);
#	ROUNDS (31)

here=$(cd "$(dirname "$0")" && pwd)
KO=${KO:-$here/../../build}
ROUNDS=${ROUNDS:-31}
export KO ROUNDS

fail()
{
	echo "bench: $1" >&2
	[ $# -eq 1 ] || echo "  $2" >&2
	exit 1
}

[ "$(id -u)" -eq 0 ] ||
	fail "needs root, as it loads modules" "what needs none: make bench, in a VM"
[ -e "$KO/costack_bench.ko" ] || fail "no modules in $KO" "run make first"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
if gcc -O2 -o "$work/pagefault" "$here/pagefault.c" 2>/dev/null; then
	PAGEFAULT=$work/pagefault
	export PAGEFAULT
fi

{
	echo "# unit ns"
	echo "# rounds $ROUNDS"
	sh "$here/run.sh" "$@" || echo "# failed"
} | tee "$work/raw.log"
! grep -q '^# failed' "$work/raw.log" || exit 1

report=$here/../../scripts/bench-report.py
if [ -x "$report" ] && command -v python3 >/dev/null; then
	mkdir -p "$KO/bench-machine"
	cp "$work/raw.log" "$KO/bench-machine/"
	"$report" report "$work/raw.log" "$KO/bench-machine" && cat "$KO/bench-machine/report.md"
fi
