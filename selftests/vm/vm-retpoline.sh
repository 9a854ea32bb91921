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

# boot NAME ARGUMENT FILE WORDS SCRIPT...: ARGUMENT is for the command line. Tests nothing unless
# the kernel's file about a vulnerability has these words.
boot()
{
	local name=$1 argument=$2 file=/sys/devices/system/cpu/vulnerabilities/$3 words=$4
	shift 4
	take_results "$name" "$top/scripts/vm.sh" -t 3600 -o "$dir-$name" -a "$argument" \
		sh -c "grep -i '$words' $file || { cat $file; exit 1; }
			cd /selftests && exec ./run.sh $*"
}

moves="test-growth.sh test-frames.sh test-abort.sh test-chan.sh test-pack.sh"
moves+=" test-shrink.sh test-roots.sh test-first.sh"
entries="test-exceptions.sh test-interrupts.sh"

echo "TAP version 13"
boot off spectre_v2=off spectre_v2 '^Vulnerable;' "$moves"
case $(cat "$out/kernel/release") in
7.*) result "retpoline.lfence # SKIP this kernel resets the machine as it boots so" 0 ;;
*) boot lfence spectre_v2=retpoline,lfence spectre_v2 LFENCE "$moves" ;;
esac
QEMU_CPU=EPYC-Milan boot safe-ret quiet spec_rstack_overflow 'safe RET' "$entries"
QEMU_CPU=EPYC-Rome boot untrained spec_rstack_overflow=off \
	retbleed 'untrained return thunk' "$entries"
QEMU_CPU=Skylake-Server boot its quiet indirect_target_selection 'return thunks' "$entries"
end_results
