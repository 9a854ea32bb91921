#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fuzzes movability: compiles random C functions as a module is compiled, and runs them in
# user space on a stack that the module's own copy.c moves, at every call and at accesses
# that find no room. Their results must be those that they have on a stack that does not
# move. Without MINUTES it runs a fixed hundred of them, and the controls: programs without
# protection, in which the fuzzer must find errors. With MINUTES it also leaves stale
# addresses of the stack wherever a callee may have left some.
#
# usage: scripts/fuzz.sh [option...]	(see scripts/fuzz/run.py)
# environment: MINUTES, SEED (1; with MINUTES a random number, which is printed), CC (gcc),
# JOBS (1; with MINUTES the number of CPUs)

set -euo pipefail
. "$(dirname "$0")/lib.sh"

minutes=${MINUTES:-} seed=${SEED:-} jobs=${JOBS:-1} args=()
[ -z "$minutes" ] || [[ $minutes =~ ^[1-9][0-9]*$ ]] ||
	die "MINUTES=$minutes is not a number of minutes"
[ -z "$seed" ] || [[ $seed =~ ^[0-9]+$ ]] || die "SEED=$seed is not a number"
if [ -n "$minutes" ]; then
	seed=${seed:-$((RANDOM * 32768 + RANDOM))} jobs=${JOBS:-$(nproc)}
	args+=(--minutes "$minutes")
	say "fuzzing for $minutes minutes, seed $seed"
fi
[ -z "$seed" ] || args+=(--seed "$seed")
[ -z "${CC:-}" ] || args+=(--cc "$CC")

"$top/scripts/setup.sh" fuzz
exec /usr/bin/python3 "$top/scripts/fuzz/run.py" --jobs "$jobs" "${args[@]}" "$@"
