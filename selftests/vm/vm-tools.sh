#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The commands that the README names in "Watching" are run as they stand there, in a VM
# whose coroutines grow, park and are refused moves. Each has to show what it is about, for
# which "sleep 10" is as long as it takes: that of the VM ends when all of it has happened.
#
# usage: vm-tools.sh [VM-OPTION...]

. "$(dirname "$0")/../../scripts/lib.sh"

echo "TAP version 13"
if ! "$top/scripts/fetch-tools.sh" >&2; then
	echo "Bail out! there are no tools"
	exit 1
fi
mkdir -p "$out/vm"
lines=$out/vm/tools-lines
sed -n '/^<!-- begin: selftests\/vm\/vm-tools.sh -->$/,/^<!-- end: /p' "$top/README.md" |
	grep -E '^(trace-cmd|perf|bpftrace) ' >"$lines"
# shellcheck disable=SC2016 # the guest expands it
"$top/scripts/vm.sh" -t 3600 -m 2G -f "$top/build/tools" -f "$lines" -o "$out/vm/tools" "$@" sh -c '
	. /selftests/functions.sh
	start tools
	PATH=/files/tools:$PATH

	# What there is to see, again and again.
	events()
	{
		while [ ! -e /tmp/enough ]; do
			run big 12288 4096
			run fixed-ensure
			run sleep 0
			echo >>/tmp/rounds
		done
	}

	# A sleep that lasts for one round of events from its beginning to its end.
	mkdir /tmp/bin
	: >/tmp/rounds
	cat >/tmp/bin/sleep <<-"EOF"
		#!/bin/sh
		rounds=$(grep -c "" /tmp/rounds)
		until [ "$(grep -c "" /tmp/rounds)" -ge $((rounds + 2)) ]; do
			/bin/busybox sleep 0.2
		done
	EOF
	chmod +x /tmp/bin/sleep

	# expected LINE: what a command has to print, as an expression
	expected()
	{
		case $1 in
		trace-cmd*) echo "costack_grow: .*big_12288" ;;
		"perf stat"*) echo "[1-9][0-9,]* +costack:costack_grow" ;;
		perf*costack_refuse*) echo "costack_refuse: .*why=" ;;
		bpftrace*costack_grow*) echo "big_12288.*: [1-9]" ;;
		bpftrace*costack_park*) echo "sleep_body.*: [1-9]" ;;
		*) return 1 ;;
		esac
	}

	shows()
	{
		local want
		want=$(expected "$1") || { echo "this test does not know: $1"; return 1; }
		PATH=/tmp/bin:$PATH timeout 1200 sh -c "$1" </dev/null >/tmp/shown 2>&1
		grep -qE "$want" /tmp/shown && return
		echo "$1 does not show $want:"
		tail -n 30 /tmp/shown
		return 1
	}

	cd /tmp
	events >/tmp/events 2>&1 &
	number=0
	while read -r line; do
		number=$((number + 1))
		test_case "$number.${line%% *}" shows "$line"
		sed "s/^/# /" /tmp/shown | tail -n 12
	done </files/tools-lines
	touch /tmp/enough
	wait
	test_case events is "what went wrong" "" "$(cat /tmp/events)"
	test_case commands is "commands" 5 $number
	finish' | grep -v '^TAP version'
exit "${PIPESTATUS[0]}"
