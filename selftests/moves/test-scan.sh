#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The knob verify: a scan of the words of a stack allows no move that the walk refuses, and
# what it moves is moved right. Frames that are not movable are found by either.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start scan

# With KASAN every scan is in doubt, because it does not adjust addresses of shadow.
doubt=text alone=frames_walked=0
! is_kasan || doubt=stack alone='scans_doubt_stack>=3'

knob policy copy
for verify in both scan; do
	knob verify $verify
	test_case "moves.$verify" counts grown=4 'grown_by_copy>=3' 'scans>=3' scans_wrong=0 -- \
		run chain 18
	test_case "in-the-middle.$verify" counts grown_by_copy=0 grown_in_place=4 moves_refused=4 \
		"scans_doubt_$doubt>=4" scans_wrong=0 -- run fixed-middle
done

# Without a walk: it would count frames.
test_case alone counts 'grown_by_copy>=3' "$alone" -- run chain 18

# Nothing is scanned where the walk decides alone.
knob verify orc
test_case walk counts 'grown_by_copy>=3' 'frames_walked>=20' scans=0 -- run chain 18

before=$(counter scans_wrong)
for verify in both scan; do
	knob verify $verify
	for name in growth frames abort roots; do
		include $name poison=1
	done
done
knob verify orc
test_case agree is scans_wrong "$before" "$(counter scans_wrong)"

finish
