#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a kernel makes of calls and returns on other processors. Most of today need no retpolines:
# the kernel then replaces the calls of their thunks, so that a call through a register has
# another length and returns to another place. Others need a thunk for each return: a safe RET,
# one that is untrained, or one of some addresses only.

. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/results.sh"
dir=$out/vm/retpoline

# boot NAME ARGUMENT SCRIPT...: ARGUMENT is for the command line
boot()
{
	local name=$1 argument=$2
	shift 2
	take_results "$name" "$top/scripts/vm.sh" -t 3600 -o "$dir-$name" -a "$argument" \
		sh -c "cd /selftests && exec ./run.sh $*"
}

moves="test-growth.sh test-frames.sh test-abort.sh test-chan.sh test-pack.sh"
moves+=" test-shrink.sh test-roots.sh test-first.sh"
entries="test-exceptions.sh test-interrupts.sh"

echo "TAP version 13"
boot off spectre_v2=off "$moves"
boot lfence spectre_v2=retpoline,lfence "$moves"
QEMU_CPU=EPYC-Milan boot safe-ret quiet "$entries"
QEMU_CPU=EPYC-Rome boot untrained quiet "$entries"
QEMU_CPU=Skylake-Server boot its quiet "$entries"
end_results
