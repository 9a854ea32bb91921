#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The part of check-deb.sh that needs a kernel. It runs in a VM: changes its root to the
# Debian in which costack-dkms is installed, and loads costack and the example with
# modprobe, as configured there. A line that begins with "FAIL" is a failure.
#
# usage: deb-guest.sh VERSION POLICY	(the policy that /etc/modprobe.d sets)

version=$1 policy=$2
status=0

# is WHAT EXPECTED GOT
is()
{
	[ "$2" = "$3" ] || { echo "FAIL $1: expected '$2', got '$3'"; status=1; }
}

must()
{
	"$@" || { echo "FAIL $*"; exit 1; }
}

# must_inside COMMAND...: must succeed in that Debian
must_inside()
{
	must chroot /mnt /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"
}

mkdir -p /mnt
must mount -t 9p -o trans=virtio,version=9p2000.L,ro deb /mnt
for dir in proc sys dev; do
	must mount --rbind /$dir /mnt/$dir
done

# Load the module that the sample for modules-load.d names.
must_inside modprobe "$(sed '/^#/d' /mnt/usr/share/doc/costack-dkms/examples/modules-load.d/costack.conf)"
is "version" "$version" "$(cat /sys/module/costack/version)"
is "policy" "$policy" "$(cat /sys/kernel/costack/policy)"
must_inside costack-top -1
must_inside insmod /root/example/costack_example.ko levels=1000
dmesg | grep costack
dmesg | grep -q 'costack_example: 1000 levels, .* grown [1-9]' ||
	{ echo "FAIL the example did not say how its stack grew"; status=1; }
case $policy in
copy) counter=grown_by_copy ;;
*) counter=grown_in_place ;;
esac
[ "$(cat /sys/kernel/costack/stats/$counter)" -gt 0 ] || { echo "FAIL $counter: none"; status=1; }
! dmesg | grep -E 'costack.*(not movable|no verdict)' || status=1
must_inside rmmod costack_example
must_inside modprobe -r costack
is "left in /sys" "" "$(ls -d /sys/module/costack /sys/kernel/costack 2>/dev/null)"
exit $status
