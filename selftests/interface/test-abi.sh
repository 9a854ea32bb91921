#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The files below /sys/kernel/costack/ are those that module/ABI/ describes, and it
# describes no others. scripts/build.sh leaves the list of them in costack.abi.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start abi

# there DIR: files below it, but for those of the test modules
there()
{
	find "$1" -type f | grep -v "^$root/test/" | sort
}

# described PATTERN: by module/ABI/, of those that match
described()
{
	grep "$1" "$KO/costack.abi" | sort
}

# described_are_there PATTERN: is it the same
described_are_there()
{
	local only status=0
	described "$1" >/tmp/costack-described.$$
	there "$root" >/tmp/costack-there.$$
	only=$(grep -vxF -f /tmp/costack-described.$$ /tmp/costack-there.$$) && echo "not in module/ABI: $only" && status=1
	only=$(grep -vxF -f /tmp/costack-there.$$ /tmp/costack-described.$$) && echo "only in module/ABI: $only" && status=1
	[ "$(wc -l </tmp/costack-there.$$)" -gt 30 ] || { echo "hardly anything is there"; status=1; }
	rm -f /tmp/costack-described.$$ /tmp/costack-there.$$
	return $status
}

test_case costack described_are_there "^$root/[^/]*\$\|^$root/stats/"
insmod "$KO/costack_demo.ko"
test_case demo described_are_there .
rmmod costack_demo

finish
