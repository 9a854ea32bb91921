#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the KUnit suites in a user-mode kernel: grafts the project into the unpacked kernel
# sources, builds a kernel with kunit/.kunitconfig, runs it, and judges every case. The log
# is build/kunit/test.log.
#
# usage: scripts/kunit.sh [kunit.py filter, such as 'costack_copy*']
# environment: SOURCE, of the kernel (see lib.sh); with 6.12 on Debian 12 the log is in
#	build/kunit-6.12/

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kernel-build.sh"

config=$top/kunit/.kunitconfig
build=$out/kunit$of_source
report=$build-report.log

[ -e "$ksrc/.unpacked" ] || die "no sources of Linux $source" "run SOURCE=$source scripts/setup.sh kunit"
[ -f "$config" ] || die "no kunit/.kunitconfig" "the checkout is incomplete"

kunit_py()
{
	(cd "$ksrc" && python3 tools/testing/kunit/kunit.py "$@")
}

build_kernel()
{
	kunit_py build --kunitconfig="$config" --build_dir="$build" --jobs="$(nproc)" \
		>"$build-build.log" 2>&1
}

# kunit.py's report says "[PASSED] case" once per case, between a headline and
# a last line for each suite. Turns that into TAP for tap.awk.
as_tap()
{
	awk '
	{ sub(/^\[[0-9:]+\] /, "") }
	/^=+ .* \([0-9]+ subtests?\) =+$/ { path[++depth] = $2; next }
	/^=+ \[[A-Z]+\] .* =+$/ { if (depth) depth--; next }
	/^\[(PASSED|FAILED|CRASHED|SKIPPED)\] / {
		name = $2
		for (i = depth; i; i--)
			name = path[i] "." name
		printf "%s %d %s%s\n", /^.(PASSED|SKIPPED)/ ? "ok" : "not ok", ++n,
			name, /^.SKIPPED/ ? " # SKIP" : ""
	}
	/^\[ERROR\] / { printf "not ok %d %s\n", ++n, $0 }
	END { if (n) print "1.." n }'
}

run_tests()
{
	local status=0
	say "running the suites"
	kunit_py exec --build_dir="$build" --timeout=300 "$@" | tee "$report" >&2 ||
		status=$?
	# If the init of built-in code fails, the code stays, and kunit.py does not notice.
	grep -q 'costack: loaded' "$build/test.log" ||
		{ say "costack's own init failed: the log is $build/test.log"; status=1; }
	as_tap <"$report" |
		awk -v name=kunit -v allowed="$top/kunit/allowed-skips" -v status=$status \
			-f "$top/scripts/tap.awk"
}

"$top/scripts/graft.sh" "$ksrc"
say "configuring and building the user-mode kernel (some minutes the first time)"
make_kernel "the user-mode kernel" "$build" "$build-build.log" build_kernel
require_options "$build/.config" "$config"
run_tests "$@"
