#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Interrupts without room on a machine with one CPU, and those of devices with one
# and two: devices.sh says which. Each boots a VM of its own. All have xAPICs, but for
# EMULATOR=qemu11.

. "$(dirname "$0")/../scripts/lib.sh"
n=0 failed=0

devices='-device edu -device virtio-rng-pci'
devices+=' -chardev null,id=nobody -device isa-serial,chardev=nobody,iobase=0x2e8,irq=7,index=3'

# result NAME STATUS
result()
{
	n=$((n + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $n - $1"
	else
		failed=$((failed + 1))
		echo "not ok $n - $1"
	fi
}

# boot CPUS SCRIPT...: those of the guest's scripts; its results become ours
boot()
{
	local cpus=$1 line status
	shift
	while read -r line; do
		case $line in
		'ok '*) result "$cpus-cpu.${line#ok * - }" 0 ;;
		'not ok '*) result "$cpus-cpu.${line#not ok * - }" 1 ;;
		'status '*) status=${line#status } ;;
		# The guest's output.log is looked at for figures, too.
		'TAP version'* | 1..* | '# figures: '*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done < <("$top/scripts/vm.sh" -t 300 -o "$out/vm/interrupts-$cpus" -c "$cpus" \
		-q "$devices" -s virtio_pci -s virtio-rng /selftests/run.sh "$@" 2>&1
		echo "status $?")
	result "$cpus-cpu.ended-well" "$status"
}

echo "TAP version 13"
boot 1 test-interrupts.sh devices.sh
boot 2 devices.sh
echo "1..$n"
[ $failed -eq 0 ]
