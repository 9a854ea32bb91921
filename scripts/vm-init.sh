#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The guest's /init: mounts what a kernel test needs, runs the command that
# vm.sh left in /command with its output on ttyS1, writes its exit status to
# ttyS2 as the very last thing, and powers off.

/bin/busybox --install -s /bin
export PATH=/bin HOME=/root COSTACK_VM=1 KO=/lib/costack

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t debugfs debug /sys/kernel/debug
mount -t tracefs trace /sys/kernel/tracing
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
{
	echo 'root:x:0:0:root:/root:/bin/sh'
	echo 'nobody:x:65534:65534:nobody:/:/bin/sh'
} >/etc/passwd

# Raw: the host reads plain lines, no carriage returns. Bochs keeps to the speed.
stty -F /dev/ttyS1 115200 raw -echo
stty -F /dev/ttyS2 115200 raw -echo

if [ -f /lib/stock/order ]; then
	while read -r module; do
		insmod "/lib/stock/$module"
	done </lib/stock/order
fi

eval "set -- $(cat /command)"
cd /root || exit
"$@" </dev/null >/dev/ttyS1 2>&1
status=$?

# Setting the line waits until all output is through.
stty -F /dev/ttyS1 raw
echo "$status" >/dev/ttyS2
stty -F /dev/ttyS2 raw
poweroff -f
