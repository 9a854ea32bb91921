#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A function that is run again and again starts with the stack that it has needed before.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start first adaptive_start=1

# learnt FUNCTION BYTES: what is remembered of it
learnt()
{
	# shellcheck disable=SC2016 # awk's
	is "learnt of $1" "$2" "$(awk -v name="$1" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == "first") column = i }
		$NF == "[costack_test]" && $(NF - 1) == name || $NF == name { print $column }' \
		/sys/kernel/debug/costack/functions)"
}

# Forget all that was learnt, so that the warm-up has something to do.
forget()
{
	knob adaptive_start 0 && knob adaptive_start 1
}

# One item in a hundred may grow, the probes among them.
steady()
{
	forget && counts 'grown>=1' -- run first 100 "$1" 1 && learnt first_item "$2" &&
		counts 'grown<=20' 'started_larger>=1900' -- run first 2000 "$1" 1 &&
		learnt first_item "$2"
}

# Without probes, nobody would notice that less is needed by now.
probes()
{
	forget && run first 100 5000 1 && counts 'grown>=10' -- run first 4000 5000 1
}

# Each fourth item needs much. Probes that need little do not make the others grow.
varying()
{
	forget && run first 100 12000 4 && learnt first_item 16384 &&
		counts 'grown<=40' -- run first 4000 12000 4 && learnt first_item 16384
}

# The function needs less than it did.
decays()
{
	forget && run first 100 12000 1 && learnt first_item 16384 &&
		counts grown=0 -- run first 4000 0 1 && learnt first_item 0 &&
		counts started_larger=0 -- run first 100 0 1
}

calls()
{
	forget && run first-calls 10 5000 &&
		counts 'grown<=20' 'started_larger>=1900' -- run first-calls 2000 5000
}

limit()
{
	forget && run first-limit 20000
}

reload()
{
	rmmod costack_test_fixed && rmmod costack_test && insmod "$KO/costack_test.ko" &&
		insmod "$KO/costack_test_fixed.ko"
}

# Another function may get the address. The kernel does not reuse the addresses of a module at
# once, so it takes some rounds until the function is where it was. Before that the module is
# loaded once more: it gets the lowest addresses that are free by now, and will get them again.
forgets_modules()
{
	local at here='' round=0
	reload && forget && run first 100 12000 1 && run first-calls 10 5000 || return 1
	at=$(grep ' first_item' /proc/kallsyms)
	while [ "$here" != "$at" ]; do
		[ $round -lt 40 ] || { echo "needs a module to be loaded where it was"; return "$skipped"; }
		round=$((round + 1))
		reload || return 1
		here=$(grep ' first_item' /proc/kallsyms)
		counts started_larger=0 grown=0 -- run first 100 0 1 &&
			counts started_larger=0 grown=0 -- run first-calls 100 0 || return 1
	done
}

off()
{
	local status=0
	run first 100 5000 1 || return 1
	knob adaptive_start 0
	counts started_larger=0 'grown>=100' -- run first 100 5000 1 && learnt first_item 0 ||
		status=1
	knob adaptive_start 1
	return $status
}

for policy in copy inplace; do
	knob policy $policy
	test_case "steady-8k.$policy" steady 5000 8192
	test_case "steady-64k.$policy" steady 40000 65536
	test_case "probes.$policy" probes
	test_case "varying.$policy" varying
	test_case "decays.$policy" decays
	test_case "calls.$policy" calls
	test_case "limit.$policy" limit
	test_case "off.$policy" off
done
test_case forgets-modules forgets_modules

finish
