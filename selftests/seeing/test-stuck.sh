#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What has been parked for long is reported in the log, once for each wait. Who holds a worker is
# counted, and traced once. The items of a module are listed.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start stuck

# said: what costack has said in the log since the mark, without the time
said()
{
	dmesg | sed -n "/$log_mark/,\$p" | sed -n 's/^\(\[[^]]*\]\)* *\(.*\)$/\2/; s/^costack: //p'
}

# reports: the first lines of all reports
reports()
{
	said | grep ' is stuck: '
}

# saw REGEX [NR]: NR lines match, or one
saw()
{
	[ "$(said | grep -cE "$1")" -eq "${2:-1}" ]
}

# has_all REGEX...: a line matches each
has_all()
{
	local regex
	for regex; do
		said | grep -qE "$regex" || return 1
	done
}

counted()
{
	[ $(($(counter stuck) - $2)) -eq "$1" ]
}

# stuck NR HOW COMMAND...: run COMMAND while NR coroutines are parked in stuck_park()
stuck()
{
	local nr="$1" how="$2" status=0
	shift 2
	mark_log
	{ run stuck-begin "$nr" "$how" && "$@"; } || status=1
	knob stuck_after 0
	run stuck-end || status=1
	[ $status -eq 0 ] || said
	return $status
}

one='^coroutine stuck one, stuck_body \[costack_test\], of costack_test, is stuck: parked for more than [1-9][0-9]* s, for: unpark$'

# has_trace WAITS FUNCTION: a report of this kind is followed by a trace with this function, down to
# the first frame
has_trace()
{
	said | awk -v waits="for: $1$" -v fn="^$2\\\\+0x" '
		/ is stuck: / { here = $0 ~ waits }
		/^[^ ]/ && !/ is stuck: / { here = 0 }
		here && $1 ~ fn { seen = 1 }
		here && seen && $1 ~ /^costack_enter\+0x/ { found = 1 }
		END { exit !found }' || { echo "no trace of $2"; return 1; }
}

reports_once()
{
	local before
	before=$(counter stuck)
	knob stuck_after 1
	until_true saw "$one" && has_trace unpark stuck_park || return 1
	# Another one is reported in a later round, and the first one is not reported again.
	run watched-begin 0 1 || return 1
	until_true has_all ' watched_queue .* is stuck: .* for: queue$' || return 1
	run watched-end && is "reports" 2 "$(reports | grep -c .)" && is "counted" 2 "$(($(counter stuck) - before))"
}

# Each wait is reported.
reports_again()
{
	knob stuck_after 1
	until_true saw "$one" || return 1
	run stuck-wake && until_true saw "$one" 2 && run stuck-wake && until_true saw "$one" 3
}

reports_packed()
{
	[ "$(counter packed_now)" -eq 1 ] || { echo "it is not packed"; return 1; }
	knob stuck_after 1
	until_true saw "$one" && has_trace unpark stuck_park && is "packed" 1 "$(counter packed_now)"
}

# It is packed between two rounds: that is the same wait.
packed_meanwhile()
{
	knob stuck_after 1
	until_true saw "$one" || return 1
	echo 1 >"$root/pack"
	is "packed" 1 "$(counter packed_now)" && run watched-begin 0 1 || return 1
	until_true has_all ' watched_queue .* is stuck: ' || return 1
	run watched-end && is "reports" 1 "$(said | grep -cE "$one")"
}

reports_calls()
{
	knob stuck_after 1
	until_true has_all '^coroutine stuck one, stuck_body \[costack_test\], of costack_test:[0-9]+, is stuck: .* for: unpark$' &&
		has_trace unpark stuck_park
}

# All kinds but a sleep and what has a timeout. It is over when one that came later was reported.
reports_kinds()
{
	local kind
	knob stuck_after 1
	until_true has_all 'for: queue$' 'for: channel$' 'for: unpark$' 'for: item$' || return 1
	run stuck-begin 1 0 && until_true has_all "$one" && run stuck-end || return 1
	for kind in queue channel unpark item; do
		has_trace $kind watched_$kind || return 1
	done
	is "sleepers" "" "$(reports | grep 'for: time')" &&
		is "the others with the same traces" "4 2 more are stuck there" \
			"$(said | grep 'more are' | sort | uniq -c | xargs)"
}

kinds()
{
	mark_log
	watched 3 reports_kinds || { said; return 1; }
	knob stuck_after 0
}

not_timed()
{
	knob stuck_after 1
	run watched-begin 0 1 && until_true has_all ' watched_queue .* is stuck: ' || return 1
	run watched-end && is "reports" 1 "$(reports | grep -c .)"
}

# The report is short, however many there are, and complete.
many()
{
	local before nr=20000
	before=$(counter stuck)
	knob stuck_after 1
	until_true counted $nr "$before" || { echo "counted $(($(counter stuck) - before))"; return 1; }
	# The last lines come after the count.
	knob stuck_after 0
	until_true adds_up $nr || { said | grep -c .; said | grep more; return 1; }
	[ "$(said | grep -c .)" -le 300 ] || { echo "$(said | grep -c .) lines"; return 1; }
}

# adds_up NR: the reports are of NR coroutines in all
adds_up()
{
	[ "$(said | awk '/ is stuck: / { n++ } / more are stuck/ { n += $1 } END { print n + 0 }')" -eq "$1" ]
}

# Nobody looks while the knob is 0.
off()
{
	local before
	before=$(counter stuck)
	sleep 4
	is "reports" "" "$(reports)" && is "counted" "$before" "$(counter stuck)"
}

# === Holding a worker ===

list=/sys/kernel/debug/costack/functions

# held FUNCTION COLUMN: what the file says of it, or 0
held()
{
	awk -v name="$1" -v column="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["function"] == name { n = $at[column] }
		END { print n + 0 }' "$list"
}

# more FUNCTION COLUMN THAN
more()
{
	[ "$(held "$1" "$2")" -gt "$3" ]
}

# holds HOW FUNCTION COMMAND...: run COMMAND after FUNCTION was seen to hold its worker, and while it
# still does; it is counted once, and for longer and longer
holds()
{
	local how="$1" function="$2" before status=0
	shift 2
	before=$(held "$function" held)
	run stuck-hold "$how" || return 1
	{ until_true more "$function" held "$before" &&
		until_true more "$function" held_ms "$(held "$function" held_ms)" &&
		more "$function" longest_ms 0 && "$@"; } || status=1
	run stuck-end && is "held" $((before + 1)) "$(held "$function" held)" || status=1
	[ $status -eq 0 ] || { said; head -n 3 "$list"; }
	return $status
}

# tells FUNCTION FRAME: there is one trace of it, from FRAME to the first frame
tells()
{
	said | awk -v head="^$1 .*has held its worker" -v fn="^$2\\\\+0x" '
		/ has held its worker/ { here = $0 ~ head; n += here }
		/^[^ ]/ && !/ has held its worker/ { here = 0 }
		here && $1 ~ fn { seen = 1 }
		here && seen && $1 ~ /^costack_enter\+0x/ { found = 1 }
		END { exit !(found && n == 1) }'
}

# Once for each function.
held_traced()
{
	mark_log
	knob trace_held 1
	holds "$1" "$2" until_true tells "$2" "$3" && holds "$1" "$2" true && tells "$2" "$3"
}

# A function that computes has no trace, and others have none without the knob.
held_untraced()
{
	mark_log
	knob trace_held "$3"
	holds "$1" "$2" true && is "traces" "" "$(said | grep 'has held')"
}

# === The items of a module ===

shows_items()
{
	run stuck-show 0 && saw '^3 work items of costack_test have not ended$' &&
		saw "^  3: stuck one, stuck_body \[costack_test\], $1, for: unpark\$" || return 1
	run stuck-show 1 && saw '^4 work items of costack_test have not ended$' &&
		saw '^  1: .*, show_body \[costack_test\], running$'
}

shows_by_name()
{
	echo costack_test >"$root/show_items" &&
		saw '^3 work items of costack_test have not ended$' &&
		saw '^  3: stuck one, stuck_body \[costack_test\], waiting, for: unpark$' || return 1
	! echo costack_test_hog >"$root/show_items" || { echo "found none and said nothing"; return 1; }
	! echo >"$root/show_items" || { echo "found no name"; return 1; }
	is "lines" 2 "$(said | grep -c .)"
}

test_case once stuck 1 0 reports_once
test_case again stuck 1 0 reports_again
test_case packed stuck 1 1 reports_packed
test_case packed-meanwhile stuck 1 0 packed_meanwhile
test_case call stuck 1 3 reports_calls
test_case kinds kinds
test_case timed stuck 1 2 not_timed
test_case many stuck 20000 0 many
test_case off stuck 3 0 off
test_case held.off held_untraced 0 holds_asleep 0
test_case held.computing held_untraced 2 holds_computing 1
test_case held.asleep held_traced 0 holds_asleep stuck_asleep
test_case held.on-host held_traced 1 holds_on_host costack_on_host
knob trace_held 0
test_case items.waiting stuck 3 0 shows_items waiting
test_case items.packed stuck 3 1 shows_items packed
test_case items.by-name stuck 3 0 shows_by_name

finish
