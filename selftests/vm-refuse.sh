#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Machines that costack refuses to be loaded on: each boots a VM of its own. The
# load must fail, say why, and leave a machine that goes on working.

. "$(dirname "$0")/../scripts/lib.sh"
. "$(dirname "$0")/results.sh"

# refuse NAME REASON VM-OPTION...
refuse()
{
	local name=$1 reason=$2 dir=$out/vm/refuse-$1 output
	shift 2
	# shellcheck disable=SC2016 # the guest expands it
	if output=$("$top/scripts/vm.sh" -t 1200 -o "$dir" "$@" sh -c '
		! insmod $KO/costack.ko || { echo "it was loaded"; exit 1; }
		[ ! -e /sys/module/costack ] && [ ! -e /sys/kernel/costack ] ||
			{ echo "something of it stayed"; exit 1; }
		! insmod $KO/costack.ko 2>/dev/null' 2>&1) &&
		output+=$(grep 'costack: cannot load: ' "$dir/console.log") &&
		grep -qE "costack: cannot load: $reason" "$dir/console.log"; then
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
*) refuse nolapic 'no local APIC' -a nolapic -c 1 ;;
esac
refuse noapic 'an 8259 interrupts the CPU' -a noapic
# Linux 6.2 and later can count calls, on CPUs that need it.
[[ $release == 6.1.* ]] ||
	QEMU_CPU=Skylake-Server refuse call-depth 'call depth tracking' \
		-a "retbleed=stuff spectre_v2=retpoline"
end_results
