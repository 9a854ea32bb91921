#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What debugfs shows: stacks, functions, and call traces of all, folded.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start debugfs

debug=/sys/kernel/debug/costack

# column NAME: this column of the files, by the name in their first line
column()
{
	awk -v name="$1" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i; next }
		{ print column ? $column : "no column " name }'
}

# Each coroutine has one line with a unique number, in the order in which they were queued.
stacks_count()
{
	is "lines" 15 "$(sed 1d "$debug/stacks" | grep -c .)" &&
		is "numbers that come in order" 15 \
			"$(column id <"$debug/stacks" | sort -nu | grep -c .)" &&
		is "names" "15 watched_by_all" \
			"$(column name <"$debug/stacks" | sort | uniq -c | xargs)" &&
		is "states" "15 waiting" "$(column state <"$debug/stacks" | sort | uniq -c | xargs)" &&
		is "functions" "15 watched_body" \
			"$(column function <"$debug/stacks" | sort | uniq -c | xargs)"
}

stacks_waits()
{
	is "what they wait for" "3 channel 3 item 3 queue 3 time 3 unpark" \
		"$(column waits <"$debug/stacks" | sort | uniq -c | xargs)"
}

# Some have grown in place because they were pinned.
stacks_refused()
{
	# shellcheck disable=SC2016 # awk's
	is "refused, grown, class" "3 pin 1 8192" \
		"$(awk '$8 == "pin" { print $8, $7, $4 }' "$debug/stacks" | sort | uniq -c | xargs)" &&
		is "not refused, not grown" 12 \
			"$(awk 'NR > 1 && $8 == "-" && $7 == 0 && $6 == 0' "$debug/stacks" | grep -c .)" &&
		is "deepest when they grew" 3 \
			"$(column deepest <"$debug/stacks" | awk '$1 > 4096 && $1 < 8192' | grep -c .)" &&
		is "in use, and fits" 15 \
			"$(awk 'NR > 1 && $5 > 50 && $5 < 1500' "$debug/stacks" | grep -c .)"
}

# called NR SPIN COMMAND...: runs it when 5 * NR called coroutines and SPIN more are seen
called()
{
	local status=0 seen="$((4 * $1)) called ones are parked, $(($1 + $2)) are not; .*"
	run watched-calls "$1" "$2" || return
	shift 2
	until_true grep -qx "$seen" "$debug/dump" || { head -n 2 "$debug/dump"; status=1; }
	[ $status -ne 0 ] || "$@" || status=1
	run watched-end && return $status
}

# Each call has a line with its thread.
calls_have_lines()
{
	local thread
	is "lines" "17" "$(sed 1d "$debug/stacks" | grep -c .)" &&
		is "ids" "17 -" "$(column id <"$debug/stacks" | sort | uniq -c | xargs)" &&
		is "states" "5 running 12 waiting" \
			"$(column state <"$debug/stacks" | sort | uniq -c | xargs)" &&
		is "waits" "5 - 3 channel 3 queue 3 time 3 unpark" \
			"$(column waits <"$debug/stacks" | sort | uniq -c | xargs)" &&
		is "functions" "15 watched_call 2 watched_spin" \
			"$(column function <"$debug/stacks" | sort | uniq -c | xargs)" &&
		is "names" "17 watched_call" \
			"$(column name <"$debug/stacks" | sort | uniq -c | xargs)" &&
		is "threads" 17 "$(column thread <"$debug/stacks" | sort -u | grep -c .)" || return 1
	for thread in $(column thread <"$debug/stacks"); do
		is "its name" "$(cat "/proc/${thread#*:}/comm")" "${thread%:*}" || return 1
	done
}

# Those of items have a number, those of calls have a thread.
calls_beside()
{
	# shellcheck disable=SC2016 # awk's
	is "number, thread, lines" "- yes 6 yes - 10" \
		"$(awk 'NR > 1 { print ($1 > 0 ? "yes" : $1), ($10 ~ /:/ ? "yes" : $10) }' \
			"$debug/stacks" | sort | uniq -c | awk '{ print $2, $3, $1 }' | xargs)"
}

calls_refused()
{
	# shellcheck disable=SC2016 # awk's
	is "refused, grown, class" "3 pin 1 8192" \
		"$(awk '$8 == "pin" { print $8, $7, $4 }' "$debug/stacks" | sort | uniq -c | xargs)" &&
		is "in use while parked" 12 \
			"$(awk 'NR > 1 && $5 > 50 && $5 < 1500' "$debug/stacks" | grep -c .)"
}

# Traces of calls come apart from those of items.
calls_traces()
{
	local dump function
	dump=$(cat "$debug/dump")
	echo "$dump" | head -n 1 |
		grep -qx "0 coroutines of work items are parked, 0 are not; 4 traces" ||
		{ echo "$dump" | head -n 5; return 1; }
	for function in queue channel time unpark; do
		# shellcheck disable=SC2016 # awk's
		echo "$dump" | awk -v nr="$1" -v waits="$function" '
			/ called, parked, for: / { here = $1 == nr && $5 == waits }
			here && $1 ~ "^watched_" waits "\\+" { kind = 1 }
			here && kind && $1 ~ /^costack_enter\+/ { found = 1 }
			END { exit !found }' || { echo "no $function"; echo "$dump"; return 1; }
	done
}

# Adds to the file mix the lines of calls that come and go meanwhile.
some_calls_are_whole()
{
	local pid status=0 list=$debug/stacks
	run watched-mix 10000 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		awk '$2 ~ /^mix_/ { print; if ($2 != $11) bad = 1 } END { exit bad }' \
			"$list" "$list" "$list" "$list" "$list" "$list" "$list" "$list" >/tmp/some ||
			{ cat /tmp/some; status=1; break; }
		cat /tmp/some >>/tmp/mix
	done
	wait $pid && return $status
}

# No line is made up of two calls: the names of the functions are those of the calls. However
# little of the machine this gets, it looks until it has seen some.
calls_are_whole()
{
	: >/tmp/mix
	until [ "$(grep -c . /tmp/mix)" -gt 50 ]; do
		some_calls_are_whole || return 1
	done
}

# Looking at calls while they park and are woken makes none of them wait for ever.
calls_go_on()
{
	local looks=0 pid status=0
	until [ $looks -gt 5 ] || [ $status -ne 0 ]; do
		run storm-called 500 500 1000 1000 &
		pid=$!
		while kill -0 $pid 2>/dev/null; do
			cat "$debug/dump" "$debug/stacks" >/dev/null || status=1
			looks=$((looks + 1))
		done
		wait $pid || status=1
	done
	return $status
}

# traces_are NR: as many stacks of each kind, folded, each down to its first frame
traces_are()
{
	local dump function
	dump=$(cat "$debug/dump")
	echo "$dump" | head -n 1 | grep -qx "$((5 * $1)) coroutines of work items are parked, 0 are not; 5 traces" ||
		{ echo "$dump" | head -n 5; return 1; }
	for function in queue channel time unpark item; do
		# shellcheck disable=SC2016 # awk's
		echo "$dump" | awk -v nr="$1" -v waits="$function" '
			/parked, for: / { here = $1 == nr && $4 == waits }
			here && $1 ~ "^watched_" waits "\\+" { kind = 1 }
			here && kind && $1 ~ /^costack_enter\+/ { found = 1 }
			END { exit !found }' || { echo "no $function"; echo "$dump"; return 1; }
	done
}

# The same of packed ones, which stay as they are.
traces_of_packed()
{
	local packs now
	echo 1 >/sys/kernel/costack/pack
	packs=$(counter packed)
	now=$(counter packed_now)
	[ "$now" -gt "$1" ] || { echo "only $now are packed"; return 1; }
	traces_are "$1" && is "packed" "$packs" "$(counter packed)" &&
		is "packed now" "$now" "$(counter packed_now)"
}

# The same, in the log; and few lines, however many there are.
traces_in_log()
{
	local lines
	echo "debugfs dump $1 $$" >/dev/kmsg
	echo 1 >"$debug/dump"
	lines=$(dmesg | sed -n "/debugfs dump $1 $$/,\$p" | grep -c 'costack: ')
	dmesg | sed -n "/debugfs dump $1 $$/,\$p" | grep -q "costack: $1 parked, for: queue" ||
		{ echo "not in the log"; return 1; }
	[ "$lines" -le 60 ] || { echo "$lines lines"; return 1; }
}

refuses_dump()
{
	! echo 0 >"$debug/dump" || { echo "0 was taken"; return 1; }
	! echo much >"$debug/dump" || { echo "a word was taken"; return 1; }
}

# The counts are those of items that have ended.
functions_count()
{
	local before after
	before=$(awk '$9 == "watched_short_body" { print $1 }' "$debug/functions")
	run watched-short 50 || return
	after=$(awk '$9 == "watched_short_body" { print $1, $2, $3, $4, $5 }' "$debug/functions")
	is "items, deepest, first, growths, refused" "$((${before:-0} + 50)) 0 0 0 0" "$after"
}

functions_refused()
{
	watched 2 true || return
	# shellcheck disable=SC2016 # awk's
	awk '$9 == "watched_body" {
		seen = 1
		if ($1 % 5 || $2 <= 4096 || $3 || $4 != $1 / 5 || $5 != $1 / 5)
			print
	}
	END { if (!seen) print "not there" }' "$debug/functions" | { ! grep .; }
}

# Unloading a module removes its functions from the list: another module may get their
# addresses.
functions_forgotten()
{
	grep -q '\[costack_test\]' "$debug/functions" || { echo "nothing to forget"; return 1; }
	rmmod costack_test_fixed && rmmod costack_test || return 1
	! sed 1d "$debug/functions" | grep . || return 1
	insmod "$KO/costack_test.ko" && insmod "$KO/costack_test_fixed.ko"
}

knob policy copy
test_case stacks.count watched 3 stacks_count
test_case stacks.waits watched 3 stacks_waits
test_case stacks.refused watched 3 stacks_refused
test_case stacks.empty is "nobody" "" "$(sed 1d "$debug/stacks")"
test_case dump.folded watched 3 traces_are 3
test_case dump.many watched 4000 traces_are 4000
test_case dump.packed watched 100 traces_of_packed 100
test_case dump.log watched 20 traces_in_log 20
test_case dump.refuses refuses_dump
test_case calls.lines called 3 2 calls_have_lines
test_case calls.refused called 3 0 calls_refused
test_case calls.dump called 3 0 calls_traces 3
test_case calls.beside watched 2 called 1 1 calls_beside
test_case calls.whole calls_are_whole
test_case calls.go-on calls_go_on
test_case functions.count functions_count
test_case functions.refused functions_refused
test_case functions.forgotten functions_forgotten

finish
