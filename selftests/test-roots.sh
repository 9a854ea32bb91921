#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What follows a move, and what forbids one.
# shellcheck shell=dash

. "$(dirname "$0")/functions.sh"
start roots

knob policy copy
test_case track run track
test_case track-places run track-places
test_case pin run pin
test_case pinned run pinned
for policy in copy inplace; do
	knob policy $policy
	test_case "track-misuse.$policy" run track-misuse
	test_case "pin-misuse.$policy" run pin-misuse
done

finish
