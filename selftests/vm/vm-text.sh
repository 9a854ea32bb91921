#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The scripts text-*.sh, in which one CPU changes text that another executes, in a VM
# whose CPUs take turns on one thread. With a thread for each CPU QEMU may translate the
# old bytes while it drops what it had translated of them (notdirty_write() and
# tb_gen_code() in its accel/tcg; the window is wide before QEMU 8.1 and narrow after), and
# the CPU executes an int3 for ever that is no longer there.
#
# usage: vm-text.sh [vm.sh options...]

. "$(dirname "$0")/../../scripts/lib.sh"

export QEMU_ACCEL=${QEMU_ACCEL:-tcg,thread=single}
exec "$top/scripts/vm.sh" -t 3600 -o "$out/vm/text" "$@" \
	sh -c 'cd /selftests && LIMIT=1200 exec ./run.sh text-*.sh'
