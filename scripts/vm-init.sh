#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The guest's /init: runs the command that vm.sh left in /command with its output on
# ttyS1, writes its exit status to ttyS2 as the very last thing, and powers off.

# shellcheck source=guest-init.sh
. /lib/guest-init.sh
export COSTACK_VM=1

# Raw: the host reads plain lines, no carriage returns. Bochs keeps to the speed.
stty -F /dev/ttyS1 115200 raw -echo
stty -F /dev/ttyS2 115200 raw -echo

eval "set -- $(cat /command)"
cd /root || exit
"$@" </dev/null >/dev/ttyS1 2>&1
status=$?

# Setting the line waits until all output is through.
stty -F /dev/ttyS1 raw
echo "$status" >/dev/ttyS2
stty -F /dev/ttyS2 raw
poweroff -f
