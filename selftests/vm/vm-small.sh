#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A small machine is filled with parked work items until one is refused with -ENOMEM: no
# process is killed to make room for them. Its addresses
# are not random: vmalloc space begins where the lower halves are small numbers.

. "$(dirname "$0")/../../scripts/lib.sh"

echo "TAP version 13"
# shellcheck disable=SC2016 # the guest expands it
"$top/scripts/vm.sh" -t 3600 -m 160M -a nokaslr -o "$out/vm/small" sh -c '
	. /selftests/functions.sh
	start small
	test_case places run park-places 500
	for bytes in 65536 4096; do
		test_case "fill-$bytes" run scarce-fill $bytes
	done
	test_case growth-after counts "grown>=4" -- run chain 18
	test_case nobody-killed sh -c "! dmesg | grep -E \"Out of memory|oom-kill\""
	finish' | grep -v '^TAP version'
exit "${PIPESTATUS[0]}"
