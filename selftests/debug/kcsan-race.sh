#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# That KCSAN looks at all, on a coroutine stack: a race on purpose is reported. Whether
# there are others is asked at the end of each script, see log_is_clean().
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start race

# Which of the accesses are watched is a matter of chance.
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
