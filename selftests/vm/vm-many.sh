#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# As many parked work items as there can be stacks, nearly: they lie in more than 4 GiB of
# address space, and some of that is no place for stacks.

. "$(dirname "$0")/../../scripts/lib.sh"

echo "TAP version 13"
# shellcheck disable=SC2016 # the guest expands it
"$top/scripts/vm.sh" -t 3600 -m 2G -o "$out/vm/many" sh -c '
	. /selftests/functions.sh
	start many
	test_case places run park-places 190000
	finish' | grep -v '^TAP version'
exit "${PIPESTATUS[0]}"
