#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Page-table isolation, where #DF comes by the kernel's own entry (module/arch/x86/gate.c):
# growth, lost interrupts and aborts there; and #DF from user mode, which any user can
# make, with and without isolation.

. "$(dirname "$0")/../scripts/lib.sh"
dir=$out/vm/pti
n=0 failed=0

# boot NAME ISOLATED VM-ARGUMENT SCRIPT...: their results become ours
boot()
{
	local name=$1 isolated=$2 append=$3 line status
	shift 3
	while read -r line; do
		case $line in
		'ok '*) n=$((n + 1)); echo "ok $n - $name.${line#ok * - }" ;;
		'not ok '*)
			n=$((n + 1)) failed=$((failed + 1))
			echo "not ok $n - $name.${line#not ok * - }"
			;;
		'status '*) status=${line#status } ;;
		'TAP version'* | 1..* | '# figures: '*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done < <("$top/scripts/vm.sh" -t 600 -o "$dir-$name" -a "$append" -f "$dir/iret16" \
		sh -c "cd /selftests && ISOLATED=$isolated exec ./run.sh $*" 2>&1
		echo "status $?")
	n=$((n + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok $n - $name.ended-well"
	else
		failed=$((failed + 1))
		echo "not ok $n - $name.ended-well"
	fi
}

echo "TAP version 13"
mkdir -p "$dir"
if ! ${CC:-gcc} -O2 -Wall -static -o "$dir/iret16" "$top/selftests/iret16.c"; then
	echo "Bail out! selftests/iret16.c cannot be compiled: scripts/setup.sh vm installs what it needs"
	exit 1
fi
boot pti yes pti=on pti.sh test-growth.sh test-frames.sh test-abort.sh test-interrupts.sh \
	test-exceptions.sh test-go.sh test-load.sh
boot no-pti no pti=off pti.sh
echo "1..$n"
[ $failed -eq 0 ]
