#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What follows a move, and what forbids one.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start roots

# A root that was not untracked in time is reported, once for each place; a root whose frame
# was cut off is not.
reported()
{
	dmesg | sed -n "/$log_mark/,\$p" |
		sed -n 's/.* \(track_to[a-z_]*\)+.* has returned without costack_untrack.*/\1/p' |
		sort | uniq -c | sed 's/^ *//'
}

late_is_reported()
{
	is "reported" '2 track_too_long' "$(reported)"
}

knob policy copy
test_case track run track
test_case track-places run track-places
test_case track-late run track-late
test_case track-late-again run track-late
test_case track-cut run track-cut
test_case track-reported late_is_reported
test_case pin run pin
test_case pinned run pinned
for policy in copy inplace; do
	knob policy $policy
	test_case "track-misuse.$policy" run track-misuse
	test_case "pin-misuse.$policy" run pin-misuse
done

finish
