#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Checks that this VM has an x2APIC. Run before the other scripts where it should have one
# (EMULATOR=qemu11), because they pass without it as well.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
group=x2apic

# Newer kernels print a colon there.
in_use()
{
	dmesg | grep -qE 'Switched APIC routing to:? .*x2apic' ||
		{ dmesg | grep -iE 'x2apic|APIC routing|remapping'; return 1; }
}

echo "TAP version 13"
test_case in-use in_use
echo "1..$cases"
[ "$failed" -eq 0 ]
