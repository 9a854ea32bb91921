#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints: each decision is one line, and says what it was.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start trace

tracing=/sys/kernel/tracing

# traced REGEX NUMBER COMMAND...: run COMMAND; so many lines match, or "any" number
traced()
{
	local regex="$1" number="$2" status lines
	shift 2
	echo >"$tracing/trace"
	echo 1 >"$tracing/events/costack/enable"
	"$@"
	status=$?
	echo 0 >"$tracing/events/costack/enable"
	[ $status -eq 0 ] || return $status
	[ "$number" != any ] || return 0
	lines=$(grep -cE "$regex" "$tracing/trace")
	[ "$lines" -eq "$number" ] && return
	echo "expected $number lines of '$regex', got $lines:"
	grep -v '^#' "$tracing/trace" | head -n 20
	return 1
}

knob policy copy
test_case grow-copy traced \
	'costack_grow: name=[^ ]* kind=copy pages=1->4 frames=[1-9][0-9]* words=[1-9][0-9]* ip=big_12288\+' \
	1 run big 12288 4096
test_case refuse-unwind traced 'costack_refuse: name=[^ ]* why=unwind .* ip=big_61440\+' \
	1 run big 61440 4096
test_case refuse-text traced 'costack_refuse: .* why=text ' 1 run fixed-ensure
test_case refuse-shrink traced 'costack_refuse: .* why=text ' 7 run shrink-fixed
test_case refuse-pin traced 'costack_refuse: .* why=pin ' 2 run pin
test_case overflow traced 'costack_overflow: name=abort limit=4 pages frames=[1-9][0-9]* ip=' \
	3 run abort 16384 3
test_case replay traced 'costack_replay: .* vector=[1-9][0-9]* ip=cst_spin_at\+' \
	10 run lost-ipi 0 10
knob policy inplace
test_case grow-in-place traced \
	'costack_grow: name=[^ ]* kind=in_place pages=1->4 frames=0 words=0 ip=big_12288\+' \
	1 run big 12288 4096
test_case no-refusal-in-place traced costack_refuse 0 run fixed 500
test_case each-doubling traced 'costack_grow: ' 4 run chain 18

# as_counted EVENT COUNTER COMMAND...: as many events as the counter goes up, and some
as_counted()
{
	local event="$1" counter="$2" before lines
	shift 2
	before=$(counter "$counter")
	traced "" any "$@" || return
	lines=$(grep -c "costack_$event: name=.* fn=[a-z_]" "$tracing/trace")
	[ "$lines" -gt 0 ] || { echo "no event"; return 1; }
	is "events" $(($(counter "$counter") - before)) "$lines"
}

knob policy copy
for kind in unpark time queue item channel; do
	test_case "park-$kind" \
		traced "costack_park: name=watched by all waits=$kind fn=watched_body" 2 watched 2 true
done
test_case unpark traced 'costack_unpark: name=watched by all parked=1 fn=watched_body' 10 watched 2 true
test_case shrink as_counted shrink shrunk run shrink 0
test_case cancel traced 'costack_cancel: name=[^ ]* parked=1 fn=[a-z]' 3 run cancel-waiting 0
knob force_move 1
test_case move as_counted move moves_forced run park-early 0
knob force_move 0
# A park that is traced goes by the host loop; it counts all the same.
test_case park-counted as_counted park parks run hand-over 200

finish
