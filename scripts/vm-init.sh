#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The guest's /init: runs the command that vm.sh left in /command, with its output on ttyS1;
# then, as the last thing, writes its exit status to ttyS2 and powers off.

# shellcheck source=guest-init.sh
. /lib/guest-init.sh
export COSTACK_VM=1

# The lines are raw, because the host expects no carriage returns. Bochs observes the speed.
stty -F /dev/ttyS1 115200 raw -echo
stty -F /dev/ttyS2 115200 raw -echo

eval "set -- $(cat /command)"
cd /root || exit
"$@" </dev/null >/dev/ttyS1 2>&1
status=$?

# stty waits until all output has been sent.
stty -F /dev/ttyS1 raw
echo "$status" >/dev/ttyS2
stty -F /dev/ttyS2 raw
poweroff -f
