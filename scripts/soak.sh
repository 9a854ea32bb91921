#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots a stock kernel in a VM and runs cases of the selftests in random order, with random
# arguments and knobs, for MINUTES. The last line is "soak: passed", or "soak: FAILED" and
# the seed that repeats the sequence.
#
# usage: scripts/soak.sh
# environment: MINUTES (10), SEED (default: a random number, which is printed); see vm.sh
#	for more

set -euo pipefail
. "$(dirname "$0")/lib.sh"

minutes=${MINUTES:-10} seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
[[ $minutes =~ ^[1-9][0-9]*$ ]] || die "MINUTES=$minutes is not a number of minutes"
[[ $seed =~ ^[0-9]+$ ]] || die "SEED=$seed is not a number"

"$top/scripts/setup.sh" build vm
KDIR=$(find_vm_kdir)
export KDIR
"$top/scripts/build.sh"
say "booting a VM for $minutes minutes, seed $seed"
status=0
"$top/scripts/vm.sh" -t $((minutes * 60 + 600)) -o "$out/vm/soak" \
	env "MINUTES=$minutes" "SEED=$seed" /selftests/soak.sh || status=$?
if [ $status -eq 125 ]; then
	grep -o 'soak: case .*' "$out/vm/soak/console.log" | tail -n 1 | sed 's/^/the last /' || :
	echo "soak: FAILED, seed $seed"
fi
exit $status
