#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Is the APIC that the other scripts run with in this VM an x2APIC? Run before them where
# it ought to be (EMULATOR=qemu11), as without it they pass as well.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
group=x2apic

# Newer kernels have a colon there.
in_use()
{
	dmesg | grep -qE 'Switched APIC routing to:? .*x2apic' ||
		{ dmesg | grep -iE 'x2apic|APIC routing|remapping'; return 1; }
}

echo "TAP version 13"
test_case in-use in_use
echo "1..$cases"
[ "$failed" -eq 0 ]
