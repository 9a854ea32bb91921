#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fuzzes movability: random C functions, compiled as a module's are, run in user space
# on a stack that moves at every call and at accesses that find no room, by the module's
# own copy.c, and must have the results that they have unmoved. Without MINUTES a fixed
# hundred of them, and the controls: what the fuzzer must find where nothing protects. With
# MINUTES also with stale addresses of the stack wherever a callee may have left some.
#
# usage: scripts/fuzz.sh [option...]	(see scripts/fuzz/run.py)
# environment: MINUTES, SEED (1; drawn and printed with MINUTES), CC (gcc), JOBS (1;
# with MINUTES as many as there are CPUs)

set -euo pipefail
. "$(dirname "$0")/lib.sh"

minutes=${MINUTES:-} seed=${SEED:-} jobs=${JOBS:-1} args=()
[ -z "$minutes" ] || [[ $minutes =~ ^[1-9][0-9]*$ ]] ||
	die "MINUTES=$minutes is no number of minutes"
[ -z "$seed" ] || [[ $seed =~ ^[0-9]+$ ]] || die "SEED=$seed is no number"
if [ -n "$minutes" ]; then
	seed=${seed:-$((RANDOM * 32768 + RANDOM))} jobs=${JOBS:-$(nproc)}
	args+=(--minutes "$minutes")
	say "fuzzing for $minutes minutes, seed $seed"
fi
[ -z "$seed" ] || args+=(--seed "$seed")
[ -z "${CC:-}" ] || args+=(--cc "$CC")

"$top/scripts/setup.sh" fuzz
exec /usr/bin/python3 "$top/scripts/fuzz/run.py" --jobs "$jobs" "${args[@]}" "$@"
