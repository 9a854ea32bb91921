#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Checks that KCSAN works on coroutine stacks: it reports a deliberate race. log_is_clean()
# looks for other races at the end of each script.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start race

# KCSAN watches accesses at random.
is_reported()
{
	local i=0
	while [ $i -lt 50 ]; do
		run race 100000 || return 1
		! races | grep -q '^meant ' || return 0
		i=$((i + 1))
	done
	echo "no report"
	return 1
}

test_case is-reported is_reported

finish
