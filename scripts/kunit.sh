#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the KUnit suites in a user-mode kernel: grafts the project into the
# unpacked kernel sources, builds those with kunit/.kunitconfig, runs them, and
# judges every case. Log: build/kunit/test.log.
#
# usage: scripts/kunit.sh [kunit.py filter, such as 'costack_copy*']
# environment: SOURCE, of the kernel (see lib.sh); with 6.12 on Debian 12 the log is in build/kunit-6.12/

set -euo pipefail
. "$(dirname "$0")/lib.sh"

config=$top/kunit/.kunitconfig
build=$out/kunit$of_source
report=$build-report.log

[ -e "$ksrc/.unpacked" ] || die "no sources of Linux $source" "run SOURCE=$source scripts/setup.sh kunit"
[ -f "$config" ] || die "no kunit/.kunitconfig" "the checkout is incomplete"

kunit_py()
{
	(cd "$ksrc" && python3 tools/testing/kunit/kunit.py "$@")
}

# An option that Kconfig dropped would take its tests along in silence.
check_config()
{
	local line missing=0
	while read -r line; do
		grep -qxF "$line" "$build/.config" ||
			{ echo "kunit: not in the final configuration: $line" >&2; missing=1; }
	done < <(grep '^CONFIG_' "$config")
	[ $missing -eq 0 ] || die "the kernel dropped options of kunit/.kunitconfig" \
		"look for their dependencies in module/Kconfig"
}

# The first build is minutes of silence otherwise. The sleep lets go of our
# output: it may outlive us, and a reader of a pipe would wait for it.
show_progress()
{
	while sleep 15 >/dev/null 2>&1; do
		say "building the user-mode kernel: $(find "$build" -name '*.o' | wc -l) objects"
	done
}

build_kernel()
{
	local ticker status=0
	say "configuring and building the user-mode kernel (some minutes the first time)"
	show_progress &
	ticker=$!
	# shellcheck disable=SC2064 # the process id of now is meant
	trap "kill $ticker 2>/dev/null || :" EXIT
	kunit_py build --kunitconfig="$config" --build_dir="$build" --jobs="$(nproc)" \
		>"$build-build.log" 2>&1 || status=$?
	kill $ticker 2>/dev/null || :
	wait $ticker 2>/dev/null || :
	if [ $status -ne 0 ]; then
		grep -E 'error|Error|undefined|ERROR' "$build-build.log" >&2 || :
		tail -n 20 "$build-build.log" >&2
		die "the user-mode kernel did not build" "the log is $build-build.log"
	fi
}

# kunit.py's report says "[PASSED] case" once per case, between a headline and
# a last line for each suite. As TAP it can be judged like all else.
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
	# What is built in stays when its init fails, and nobody is told.
	grep -q 'costack: loaded' "$build/test.log" ||
		{ say "costack's own init failed: the log is $build/test.log"; status=1; }
	as_tap <"$report" |
		awk -v name=kunit -v allowed="$top/kunit/allowed-skips" -v status=$status \
			-f "$top/scripts/tap.awk"
}

"$top/scripts/graft.sh" "$ksrc"
build_kernel
check_config
run_tests "$@"
