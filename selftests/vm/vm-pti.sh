#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Page-table isolation, where #DF comes by the kernel's own entry (module/arch/x86/gate.c):
# growth, lost interrupts and aborts there; and #DF from user mode, which any user can
# make, with and without isolation.

. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/results.sh"
dir=$out/vm/pti

# boot NAME ISOLATED VM-ARGUMENT SCRIPT...
boot()
{
	local name=$1 isolated=$2 append=$3
	shift 3
	take_results "$name" "$top/scripts/vm.sh" -t 3600 -o "$dir-$name" -a "$append" \
		-f "$dir/iret16" sh -c "cd /selftests && ISOLATED=$isolated exec ./run.sh $*"
}

echo "TAP version 13"
mkdir -p "$dir"
if ! ${CC:-gcc} -O2 -Wall -static -o "$dir/iret16" "$top/selftests/vm/iret16.c"; then
	echo "Bail out! selftests/vm/iret16.c cannot be compiled: scripts/setup.sh vm installs what it needs"
	exit 1
fi
boot pti yes pti=on pti.sh test-growth.sh test-frames.sh test-abort.sh test-interrupts.sh \
	test-exceptions.sh
boot no-pti no pti=off pti.sh
end_results
