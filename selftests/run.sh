#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs the test scripts beside it and prints one TAP 13 stream: all their cases,
# and one more for a script that ended early or had none. The exit status is 0
# if all passed.
#
# usage: run.sh [SCRIPT...]	(default: all; needs root)
# environment: KO, where the modules are (default: build/ beside selftests/); LIMIT,
# seconds for each script (default: that of settings, which kselftest heeds too)

cd "$(dirname "$0")" || exit 1
limit=${LIMIT:-$(sed -n 's/^timeout=//p' settings)}
[ $# -gt 0 ] || set -- test-*.sh text-*.sh

# A line that begins with "@" is for number_all.
run_all()
{
	for script in "$@"; do
		begin=$(date +%s)
		echo "@begin $script"
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

echo "TAP version 13"
run_all "$@" | number_all
