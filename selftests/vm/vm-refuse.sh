#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Machines that costack refuses to be loaded on: each boots a VM of its own. The
# load must fail, say why, and leave a machine that goes on working.

. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/results.sh"

# What the guest does before.
before=:

# refuse NAME REASON VM-OPTION...
refuse()
{
	local name=$1 reason=$2 dir=$out/vm/refuse-$1 output
	shift 2
	# shellcheck disable=SC2016 # the guest expands it
	if output=$("$top/scripts/vm.sh" -t 3600 -o "$dir" "$@" sh -c "$before"' || exit 1
		! insmod $KO/costack.ko || { echo "it was loaded"; exit 1; }
		[ ! -e /sys/module/costack ] && [ ! -e /sys/kernel/costack ] ||
			{ echo "something of it stayed"; exit 1; }
		! insmod $KO/costack.ko 2>/dev/null' 2>&1) &&
		output+=$(grep -E 'costack: cannot load: |Lockdown: ' "$dir/console.log") &&
		grep -qE "$reason" "$dir/console.log"; then
		result "refuse.$name" 0
	else
		result "refuse.$name" 1
		# shellcheck disable=SC2001 # every line
		sed 's/^/# /' <<<"$output"
	fi
}

release=$(cat "$out/kernel/release")
echo "TAP version 13"
case $release in
6.1.*-rt-*) result "refuse.nolapic # SKIP this kernel hangs as it boots so in QEMU" 0 ;;
*) refuse nolapic 'costack: cannot load: no local APIC' -a nolapic -c 1 ;;
esac
refuse noapic 'costack: cannot load: an 8259 interrupts the CPU' -a noapic
# Linux 6.2 and later can count calls, on CPUs that need it.
[[ $release == 6.1.* ]] ||
	QEMU_CPU=Skylake-Server refuse call-depth 'costack: cannot load: call depth tracking' \
		-a "retbleed=stuff spectre_v2=retpoline"
# Debian's 7.3 uses FRED on a CPU that has it; 6.1 does not know it, 6.12 is built without it.
# shellcheck disable=SC2016 # the guest expands it
if [[ $release == 7.* ]]; then
	before='insmod $KO/costack_test_fred.ko'
	refuse fred 'costack: cannot load: FRED is in use.*boot with fred=off'
fi
before=:
# Locked down from the beginning, the kernel itself refuses what is not signed.
refuse lockdown 'Lockdown: insmod: unsigned module loading is restricted' -a lockdown=integrity
# A signed module is loaded, and costack itself refuses.
# shellcheck disable=SC2016 # the guest expands it
before='mount -t securityfs none /sys/kernel/security && insmod $KO/costack_test_lockdown.ko'
refuse lockdown-signed 'costack: cannot load: the kernel is locked down'
end_results
