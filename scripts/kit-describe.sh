#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Describes the machine as far as it matters to costack. Prints nothing that identifies
# the machine or its owner: no serial numbers, no addresses. Each section begins with
# "== NAME".
#
# usage: kit-describe.sh	(in the kit, as /files/kit-describe.sh)

# dmi NAME...: prints these entries of the firmware's DMI table
dmi()
{
	local name words=''
	for name in "$@"; do
		words="$words $(cat "/sys/class/dmi/id/$name" 2>/dev/null)"
	done
	# shellcheck disable=SC2086 # extra spaces are dropped
	set -- $words
	echo "${*:-unknown}"
}

firmware()
{
	if [ -d /sys/firmware/efi ]; then
		echo "UEFI, $(cat /sys/firmware/efi/fw_platform_size) bits"
	else
		echo BIOS
	fi
}

hypervisor()
{
	if grep -q '^flags.* hypervisor' /proc/cpuinfo; then
		echo "yes: this is a virtual machine, not silicon"
	else
		echo "none that the CPU tells of"
	fi
}

# Prints what /proc/cpuinfo says of the first CPU.
cpu()
{
	sed '/^$/q' /proc/cpuinfo | sed -n "s/^\($1\)[[:space:]]*: /\1: /p"
}

echo "== machine"
echo "product: $(dmi sys_vendor product_name)"
echo "board: $(dmi board_vendor board_name)"
echo "firmware: $(firmware), $(dmi bios_vendor bios_version bios_date)"
echo "hypervisor: $(hypervisor)"
sed -n 's/^MemTotal: */memory: /p' /proc/meminfo

echo "== cpu"
for word in vendor_id 'model name' 'cpu family' model stepping microcode; do
	cpu "$word"
done
echo "different microcode: $(sed -n 's/^microcode.*: //p' /proc/cpuinfo | sort -u | wc -l) revision(s)"
echo "online: $(cat /sys/devices/system/cpu/online), present: $(cat /sys/devices/system/cpu/present)"
echo "clocksource: $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
echo "governor: $(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor 2>/dev/null || echo none)"
for word in bugs flags; do
	cpu $word
done
(cd /sys/devices/system/cpu/vulnerabilities && grep . ./* | sed 's|^\./||')

echo "== kernel"
cat /proc/version
echo "command line: $(cat /proc/cmdline)"
echo "interrupts and exceptions, from the log:"
dmesg | grep -iE 'apic|interrupt remapping|page tables isolation|FRED|NX ' |
	sed 's/^\[ *[0-9.]*\] /  /' | head -n 30
