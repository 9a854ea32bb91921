# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The beginning of every /init: installs the programs of busybox, mounts what tests of the
# kernel need, makes two users, and loads the stock modules in order. Sourced.

/bin/busybox --install -s /bin
export PATH=/bin HOME=/root KO=/lib/costack

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

if [ -f /lib/stock/order ]; then
	while read -r module; do
		insmod "/lib/stock/$module"
	done </lib/stock/order
fi
