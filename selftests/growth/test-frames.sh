#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Frames of 16 to 3680 bytes, in steps of 16, overflowing at many places; and whether what
# interrupts take fits into the headroom of a growth (COSTACK_HEADROOM).
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start frames

test_case interrupt-depth run interrupt-depth 1024
for policy in copy inplace; do
	knob policy $policy
	test_case "all.$policy" counts 'faults>=1840' -- run frames
done

finish
