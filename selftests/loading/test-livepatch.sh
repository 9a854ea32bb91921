#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A livepatch is taken back while a coroutine waits in its function, packed or not: its module
# stays until that has returned. Or it comes while one is packed in the old function. A kernel
# without livepatches has nothing of it to show.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start livepatch

patch=/sys/kernel/livepatch/costack_test_patch

settled()
{
	[ "$(cat "$patch/transition" 2>/dev/null)" != 1 ]
}

# has_parked TIMES: it has, in the new function
has_parked()
{
	[ "$(counter parks)" -ge "$1" ]
}

# is_packed: the one item is
is_packed()
{
	[ "$(counter packed_now)" -eq 1 ]
}

# released JOB: let it go on, and wait for its end
released()
{
	echo 1 >"$root/test/release"
	wait "$1" || { echo "the function did not return as it should"; return 1; }
}

# taken_back CALLED [CONDITION]: patch, wait in the new function, take it back, try to take it
# out. What waits there has to come to the CONDITION.
taken_back()
{
	local job parks status=0
	insmod "$KO/costack_test_patch.ko" && until_true settled || return 1
	parks=$(counter parks)
	run patched "$1" 42 &
	job=$!
	until_true has_parked $((parks + 3)) && until_true "${2:-true}" &&
		echo 0 >"$patch/enabled" && until_true test ! -e "$patch" || status=1
	# costack looks five times a second whether it can let go of it.
	sleep 1
	! rmmod costack_test_patch 2>/dev/null || { echo "it could be taken out"; status=1; }
	released $job && until_true rmmod costack_test_patch 2>/dev/null && return $status
}

# is_back TIMES: has it parked, and gone on
is_back()
{
	has_parked "$1" && [ "$(counter parked)" -eq 0 ]
}

# held_back CALLED: the same, but it waits with its thread, which is on its own stack meanwhile
held_back()
{
	local job parks status=0
	insmod "$KO/costack_test_patch.ko" && until_true settled || return 1
	parks=$(counter parks)
	run patched "$1" 42 1 &
	job=$!
	until_true is_back $((parks + 1)) && echo 0 >"$patch/enabled" &&
		until_true test ! -e "$patch" || status=1
	# As in taken_back().
	sleep 1
	! rmmod costack_test_patch 2>/dev/null || { echo "it could be taken out"; status=1; }
	released $job && until_true rmmod costack_test_patch 2>/dev/null && return $status
}

# The patch comes while an item is packed in the function. It holds up nothing, and returns
# into the old function; what calls later gets the new one.
comes()
{
	local job status=0
	run patched 0 41 &
	job=$!
	until_true is_packed && insmod "$KO/costack_test_patch.ko" && until_true settled &&
		until_true is_packed || status=1
	released $job && [ $status -eq 0 ] || return 1
	run patched 0 42 &
	job=$!
	until_true is_packed || status=1
	released $job && echo 0 >"$patch/enabled" && until_true test ! -e "$patch" &&
		until_true rmmod costack_test_patch 2>/dev/null && return $status
}

# packed COMMAND...: run it while items are packed at each park
packed()
{
	local status=0
	knob force_pack 1
	"$@" || status=1
	knob force_pack 0
	return $status
}

# Nobody is there: it goes at once, or nearly.
nobody()
{
	insmod "$KO/costack_test_patch.ko" && until_true settled || return 1
	echo 0 >"$patch/enabled" && until_true test ! -e "$patch" || return 1
	until_true rmmod costack_test_patch 2>/dev/null
}

if [ -e /sys/kernel/livepatch ]; then
	for policy in copy inplace; do
		knob policy $policy
		test_case item.$policy taken_back 0
		test_case call.$policy taken_back 1
		test_case item-on-host.$policy held_back 0
		test_case call-on-host.$policy held_back 1
		test_case packed.$policy packed taken_back 0 is_packed
		test_case packed-before.$policy packed comes
	done
	test_case nobody nobody
	test_case told sh -c 'dmesg | grep -q "livepatch costack_test_patch has been taken back"'
fi

finish
