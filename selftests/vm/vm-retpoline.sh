#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Kernels that replace the calls of retpoline thunks, as on most processors of today: a call
# through a register then has another length, and returns to another place. QEMU's processors
# need the thunks, so the command line says that these do not, or only an LFENCE.

. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/results.sh"
dir=$out/vm/retpoline

# boot NAME MITIGATION: MITIGATION is for the command line
boot()
{
	take_results "$1" "$top/scripts/vm.sh" -t 3600 -o "$dir-$1" -a "spectre_v2=$2" \
		sh -c "cd /selftests && exec ./run.sh test-growth.sh test-frames.sh test-abort.sh \
			test-chan.sh test-pack.sh test-shrink.sh test-roots.sh test-first.sh"
}

echo "TAP version 13"
boot off off
boot lfence retpoline,lfence
end_results
