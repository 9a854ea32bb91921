#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Interrupts of devices that come where the stack has no room for them, with 0, 8,
# ... 64 bytes left: each is delivered, once. Run by vm-interrupts.sh, in a machine
# that has these devices.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start devices

# The interrupt of virtio's random numbers comes on the first CPU.
virtio_on_first_cpu()
{
	local irq
	irq=$(sed -n 's/^ *\([0-9]*\):.*virtio[0-9]*-input.*/\1/p' /proc/interrupts)
	[ -n "$irq" ] && echo 1 >"/proc/irq/$irq/smp_affinity"
}

for policy in copy inplace; do
	knob policy $policy
	for source in msi intx serial; do
		test_case "$source.$policy" run "lost-$source" -1 20
		[ "$(nproc)" -eq 1 ] ||
			test_case "$source-remote.$policy" run "lost-$source-remote" -1 20
	done
done

# One CPU that waits with the stack pointer down reads nothing meanwhile.
if [ "$(nproc)" -gt 1 ]; then
	test_case virtio-affinity virtio_on_first_cpu
	test_case virtio-begin run lost-virtio-begin
	cat /dev/hwrng >/dev/null &
	reader=$!
	for policy in copy inplace; do
		knob policy $policy
		test_case "virtio.$policy" run lost-virtio -1 20
	done
	kill $reader
	wait $reader 2>/dev/null
	test_case virtio-end run lost-virtio-end
fi

figures
finish
