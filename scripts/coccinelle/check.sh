#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Compares the findings of escape.cocci or thread.cocci with the expected ones: the lines
# that are marked "escapes" or "stale", and, in our own modules, the list in the rule's file
# of exceptions.
#
# usage: scripts/coccinelle/check.sh escape|thread samples|modules

set -euo pipefail
. "$(dirname "$0")/../lib.sh"

name=${1:-}
rule=scripts/coccinelle/$name.cocci
samples=scripts/coccinelle/samples/$name
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

find_all()
{
	local mode=$1
	shift
	# Pass a few files at a time, because spatch's time grows with the square of their
	# number. Parse all of them: otherwise the other files decide whether spatch looks at
	# a file, and what it reports.
	printf '%s\0' "$@" | xargs -0 -n 6 \
		spatch --sp-file "$rule" -D "$mode" --disable-worth-trying-opt \
		--macro-file scripts/coccinelle/macros.h \
		--verbose-parsing >"$work/$mode" 2>"$work/$mode.err" ||
		{ tail -n 5 "$work/$mode.err"; exit 1; }
}

# Prints the files that have parts which spatch could not parse, and so has not checked.
unparsed()
{
	sed -n '/^parse error/ { n; s/^ = File "\([^/"][^"]*\)".*/\1:-/p }' "$work/report.err" |
		sort -u
}

marked_lines()
{
	{ grep -Hn "/\* $mark \*/\$" "$@" || :; } | cut -d : -f 1,2 | sort -u
}

# same WHAT FILE FILE: compares the files, and prints their difference
same()
{
	diff -U 0 --label "$1: to be found" --label "$1: found" "$2" "$3" || status=1
}

# All three modes must find the same. Context mode prints the lines themselves.
check_samples()
{
	local mode
	for mode in report org context; do
		find_all "$mode" "$samples"/*.c
	done
	marked_lines "$samples"/*.c >"$work/marked"
	sed -n 's/^\([^:]*:[0-9]*\):.* WARNING: .*/\1/p' "$work/report" | sort -u >"$work/lines"
	same report "$work/marked" "$work/lines"
	sed -n 's/^\* TODO \[\[view:\([^:]*\)::.*linb=\([0-9]*\)::.*/\1:\2/p' "$work/org" |
		sort -u >"$work/lines"
	same org "$work/marked" "$work/lines"
	grep -h "/\* $mark \*/\$" "$samples"/*.c >"$work/marked"
	sed -n '/^--- /d; s/^-//p' "$work/context" >"$work/lines"
	same context "$work/marked" "$work/lines"
	unparsed >"$work/lines"
	same parsed /dev/null "$work/lines"
}

# A finding on a marked line is compared by its line, any other by its function.
check_modules()
{
	local files file line function
	mapfile -t files < <(git ls-files -co --exclude-standard -- module/demo module/example selftests |
		grep '\.[ch]$')
	find_all report "${files[@]}"
	{
		marked_lines "${files[@]}"
		awk '/^[^#]/ { print $1 ":" $2 }' "scripts/coccinelle/$name.exceptions"
	} | sort >"$work/expected"
	{
		sed -n 's/^\([^:]*\):\([0-9]*\):[^ ]* WARNING: \([^:]*\):.*/\1 \2 \3/p' "$work/report" |
			while read -r file line function; do
				grep -qx "$file:$line" "$work/expected" || line=$function
				echo "$file:$line"
			done
		unparsed
	} | sort -u >"$work/found"
	same modules "$work/expected" "$work/found"
}

cd "$top"
status=0
case $name in
escape) mark=escapes ;;
thread) mark=stale ;;
*) die "unknown rule: $name" "usage: scripts/coccinelle/check.sh escape|thread samples|modules" ;;
esac
case ${2:-} in
samples) check_samples ;;
modules) check_modules ;;
*) die "unknown check: ${2:-}" "usage: scripts/coccinelle/check.sh $name samples|modules" ;;
esac
exit $status
