#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs test scripts and prints one TAP 13 stream: all their cases, and one more for a
# script that is not there, ended early or had none. The exit status is 0 if all passed.
#
# usage: run.sh [-l] [SCRIPT|GROUP...]	(needs root)
#	SCRIPT	a name or pattern, such as test-growth.sh or 'test-*.sh', in any group
#	GROUP	a directory, such as growth: its test-*.sh and text-*.sh
#	-l	only print the paths of the scripts
#	default: all groups
# environment: KO, where the modules are (default: build/ beside selftests/); LIMIT,
# seconds for each script (default: that of settings, which kselftest heeds too)
# shellcheck shell=dash

cd "$(dirname "$0")" || exit 1
limit=${LIMIT:-$(sed -n 's/^timeout=//p' settings)}
list=''
[ "${1:-}" != -l ] || { list=1; shift; }
[ $# -gt 0 ] || set -- 'test-*.sh' 'text-*.sh'

# paths NAME...: of the scripts, one a line. A name that matches nothing is printed as it
# is: running it then fails.
paths()
{
	local name path found
	for name in "$@"; do
		found=''
		# shellcheck disable=SC2086,SC2231 # it may be a pattern
		for path in $name */$name "$name"/test-*.sh "$name"/text-*.sh; do
			[ -f "$path" ] || continue
			echo "$path"
			found=1
		done
		[ -n "$found" ] || echo "$name"
	done
}

# A line that begins with "@" is for number_all.
run_all()
{
	# shellcheck disable=SC2046 # words
	for script in $(paths "$@"); do
		begin=$(date +%s)
		echo "@begin ${script##*/}"
		timeout -k 10 "$limit" sh "./$script" 2>&1
		echo "@end $? $(($(date +%s) - begin))"
	done
}

number_all()
{
	awk '
	function result(good, text) {
		printf "%s %d - %s\n", good ? "ok" : "not ok", ++n, text
		failed += !good
		here += !good
		fflush()
	}
	/^@begin / { script = $2; planned = -1; seen = here = 0; next }
	/^@end / {
		if (planned != seen)
			result(0, script " ended early: " seen " results, plan " planned \
			       ", status " $2)
		else if ($2 != 0 && $2 != 4 && !here)
			result(0, script " ended with status " $2)
		printf "# %s took %d s\n", script, $3
		next
	}
	/^TAP version / { next }
	/^1\.\.0/ { planned = 0; sub(/^1\.\.0 */, ""); result(1, script " " $0); next }
	/^1\.\./ { planned = substr($1, 4) + 0; next }
	/^(not )?ok / {
		seen++
		good = $1 == "ok"
		sub(/^(not )?ok [0-9]* *-? */, "")
		result(good, $0)
		next
	}
	{ print $0 ~ /^#/ ? $0 : "# " $0 }
	END { print "1.." n; exit failed || !n }'
}

if [ -n "$list" ]; then
	paths "$@"
	exit
fi
echo "TAP version 13"
run_all "$@" | number_all
