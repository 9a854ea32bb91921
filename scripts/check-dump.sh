#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests costack.py, and counts each check as passed or failed: has QEMU dump a VM in which
# coroutines wait, most of them packed, and compares what the script says with what debugfs
# has said in the VM. The last line is the sum. It gets the debug information of the kernel,
# a package of 860 MB, and takes some minutes.
#
# usage: scripts/check-dump.sh		(make check-dump)

set -uo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/checks.sh"

dir=$top/build/vm/dump
# shellcheck disable=SC2034 # read by check()
checks=$dir
passed=0 failed=0
# QEMU runs in this directory: the path of a socket must be short.
socket=build/vm/dump/qmp

# is WHAT EXPECTED GOT
is()
{
	[ "$2" = "$3" ] || { echo "$1: expected '$2', got '$3'"; return 1; }
}

# --- The dump ------------------------------------------------------------------

# What the guest does. It prints what debugfs shows, and waits for its end.
# shellcheck disable=SC2016 # the guest expands it
guest='
	. /selftests/functions.sh
	start dump >/dev/null
	run watched-begin 3 && knob pack 1 && run watched-calls 3 0 || exit 1
	until grep -q "^12 called ones are parked, 3 are not" /sys/kernel/debug/costack/dump; do
		sleep 0.1
	done
	cat /sys/kernel/debug/costack/stacks
	stty -F /dev/ttyS1 raw
	echo "costack: ready for the dump" >/dev/kmsg
	sleep 3600'

# monitor SOCKET FILE: has QEMU write the dump and end
monitor()
{
	python3 - "$@" <<-'END'
	import json
	import socket
	import sys

	qemu = socket.socket(socket.AF_UNIX)
	qemu.connect(sys.argv[1])
	stream = qemu.makefile("rw")
	stream.readline()
	for command, arguments in (
	        ("qmp_capabilities", {}),
	        ("dump-guest-memory", {"paging": True, "protocol": "file:" + sys.argv[2]}),
	        ("quit", {})):
	    print(json.dumps({"execute": command, "arguments": arguments}), file=stream, flush=True)
	    while "event" in (answer := json.loads(stream.readline())):
	        pass
	    if "error" in answer:
	        sys.exit(f"{command}: {answer['error']}")
	END
}

make_dump()
{
	local vm status=0
	rm -f "$dir/vmcore"
	"$top/scripts/vm.sh" -o "$dir" -s qemu_fw_cfg -e 'costack: ready for the dump' \
		-q "-device vmcoreinfo -qmp unix:$socket,server=on,wait=off" sh -c "$guest" >"$dir/stacks" &
	vm=$!
	# An earlier console.log is gone when there is a socket.
	until [ -S "$socket" ] && grep -q 'costack: ready for the dump' "$dir/console.log"; do
		kill -0 $vm 2>/dev/null || { cat "$dir/stacks"; return 1; }
		sleep 0.5
	done
	monitor "$socket" "$dir/vmcore" || { kill $vm; status=1; }
	wait $vm && return $status
}

# --- What costack.py says --------------------------------------------------------

# shown COMMAND: has costack.py write build/vm/dump/COMMAND
shown()
{
	drgn -c "$dir/vmcore" -s "$vmlinux" -s "$out/costack.ko" -s "$out/costack_test.ko" \
		"$top/scripts/costack.py" "$1" >"$dir/$1" 2>"$dir/$1.errors" ||
		{ cat "$dir/$1.errors"; return 1; }
}

# column FILE NUMBER AWK-CONDITION: how many lines have each value of a column, in a line
column()
{
	awk "NR > 1 && ($3) { print \$$2 }" "$dir/$1" | sort | uniq -c | xargs
}

# debugfs has seen what this is about.
# shellcheck disable=SC2016 # awk expands it
guest_has_them()
{
	is "what the packed ones wait for" "3 channel 3 item 3 queue 3 time 3 unpark" \
		"$(column stacks 9 '$3 == "packed"')" &&
		is "states of the called ones" "3 running 12 waiting" \
			"$(column stacks 3 '$10 != "-"')"
}

lists_the_same()
{
	shown list && is "lines" 31 "$(grep -c . "$dir/list")" &&
		diff <(sort "$dir/stacks") <(sort "$dir/list")
}

# has_traces STATE KIND...: three of each kind, whole: the outermost frame is there
has_traces()
{
	local state=$1 kind status=0
	shift
	for kind in "$@"; do
		awk -v state="$state:" -v name="watched_$kind+" '
			/^[0-9]/ { here = $1 == 3 && $2 == state; kind = 0 }
			here && index($1, name) == 1 { kind = 1 }
			here && kind && /^ *costack_base/ { found = 1 }
			END { exit !found }' "$dir/traces" ||
			{ echo "no trace: $state, $kind"; status=1; }
	done
	[ $status -eq 0 ] || cat "$dir/traces"
	return $status
}

traces_end_at_the_first_frame()
{
	shown traces && is "traces" "9" "$(grep -c '^[0-9]' "$dir/traces")" &&
		has_traces packed queue channel time unpark item &&
		has_traces waiting queue channel time unpark
}

# Those of items, which are packed, and those of calls; three of each are one line.
folded_ones_are_the_same()
{
	shown folded &&
		is "functions" "2 watched_channel 1 watched_item 2 watched_queue 2 watched_time 2 watched_unpark" \
			"$(sed -n 's/^costack_base;costack_enter;\(watched_[a-z]*\);.*costack_.* 3$/\1/p' \
				"$dir/folded" | sort | uniq -c | xargs)"
}

cd "$top" || exit 2
mkdir -p "$dir"
"$top/scripts/setup.sh" build vm dump && "$top/scripts/build.sh" || exit
vmlinux=$(find "$out/dump" -type f -name 'vmlinux-*')

check "a dump of a VM" make_dump
check "it has packed coroutines, and others" guest_has_them
check "list says what debugfs says" lists_the_same
check "traces end at the first frame, those of packed coroutines too" traces_end_at_the_first_frame
check "folded says the same in a line" folded_ones_are_the_same
rm -f "$dir/vmcore"

echo "dump: $passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
