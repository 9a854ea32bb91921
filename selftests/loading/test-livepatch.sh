#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A livepatch is taken back while a coroutine waits in its function: its module stays
# until that has returned. A kernel without livepatches has nothing of it to show.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start livepatch

patch=/sys/kernel/livepatch/costack_test_patch

# until_true COMMAND...: within the patience of the cases
until_true()
{
	local i=0
	until "$@"; do
		i=$((i + 1))
		[ $i -lt 400 ] || { echo "not within 20 s: $*"; return 1; }
		sleep 0.05
	done
}

settled()
{
	[ "$(cat "$patch/transition" 2>/dev/null)" != 1 ]
}


# has_parked TIMES: it has, in the new function
has_parked()
{
	[ "$(counter parks)" -ge "$1" ]
}

# taken_back CALLED: patch, wait in the new function, take it back, try to take it out
taken_back()
{
	local job parks
	insmod "$KO/costack_test_patch.ko" && until_true settled || return 1
	parks=$(counter parks)
	run patched "$1" 42 &
	job=$!
	until_true has_parked $((parks + 3)) || return 1
	echo 0 >"$patch/enabled" && until_true test ! -e "$patch" || return 1
	! rmmod costack_test_patch 2>/dev/null || { echo "it could be taken out"; return 1; }
	echo 1 >"$root/test/release"
	wait $job || { echo "the new function did not return as it should"; return 1; }
	until_true rmmod costack_test_patch 2>/dev/null
}

# Nobody is there: it goes at once, or nearly.
nobody()
{
	insmod "$KO/costack_test_patch.ko" && until_true settled || return 1
	echo 0 >"$patch/enabled" && until_true test ! -e "$patch" || return 1
	until_true rmmod costack_test_patch 2>/dev/null
}

if [ -e "$KO/costack_test_patch.ko" ]; then
	for policy in copy inplace; do
		knob policy $policy
		test_case item.$policy taken_back 0
		test_case call.$policy taken_back 1
	done
	test_case nobody nobody
	test_case told sh -c 'dmesg | grep -q "livepatch costack_test_patch has been taken back"'
fi

finish
