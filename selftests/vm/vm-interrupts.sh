#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Interrupts without room on a machine with one CPU, and those of devices with one
# and two: devices.sh says which. Each boots a VM of its own. All have xAPICs, but for
# EMULATOR=qemu11.

. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/results.sh"

devices='-device edu -device virtio-rng-pci'
devices+=' -chardev null,id=nobody -device isa-serial,chardev=nobody,iobase=0x2e8,irq=7,index=3'

# boot CPUS SCRIPT...: those of the guest's scripts
boot()
{
	local cpus=$1
	shift
	take_results "$cpus-cpu" "$top/scripts/vm.sh" -t 3600 -o "$out/vm/interrupts-$cpus" \
		-c "$cpus" -q "$devices" -s virtio_pci -s virtio-rng /selftests/run.sh "$@"
}

echo "TAP version 13"
boot 1 test-interrupts.sh devices.sh
boot 2 devices.sh
end_results
