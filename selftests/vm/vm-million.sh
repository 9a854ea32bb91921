#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A million packed work items in 2 GiB: all end, and each finds what it has kept.

. "$(dirname "$0")/../../scripts/lib.sh"

echo "TAP version 13"
# shellcheck disable=SC2016 # the guest expands it
"$top/scripts/vm.sh" -t 1200 -m 2G -o "$out/vm/million" sh -c '
	. /selftests/functions.sh
	start million
	test_case end run pack-million 1000000 0
	test_case cancelled run pack-million 1000000 1
	knob poison 1
	test_case poison run pack-million 1000000 0
	finish' | grep -v '^TAP version'
exit "${PIPESTATUS[0]}"
