#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The demonstration: a kernel module hashes a directory tree on stacks that begin
# with one page. Installs what is missing, builds, packs include/ of the kernel
# headers and a deep chain of directories, and boots a stock Debian kernel in a VM.
# In act one the module hashes the tree by plain recursion, in four ways. In act two it
# hashes a larger tree, with thousands of directories, with one coroutine for each
# directory. The hashes are compared with those that Python's hashlib computes on the
# host. In act three 200,000 coroutines wait, packed, in 170 MB of the
# VM's 1 GiB. Ends with "demo: OK" or "demo: FAILED: why".
#
# usage: scripts/demo.sh
# environment: QEMU_ACCEL, KDIR, see vm.sh and Makefile; DEMO_DEPTH (512), levels
# of the chain; DEMO_JOBS (2), how many threads hash the tree at the same time

set -euo pipefail
. "$(dirname "$0")/lib.sh"

dir=$out/vm/demo
forest=$dir/stage/forest
tree=$forest/tree
depth=${DEMO_DEPTH:-512} jobs=${DEMO_JOBS:-2}
recursive=(recursive.copy+host recursive.copy+direct
	recursive.inplace+host recursive.inplace+direct)
fanout=(fanout.copy+host fanout.inplace+direct)
min_alive=2000 max_threads=64
# Bytes of one that waits elsewhere: a kernel thread, as "make bench" has measured it, and a
# goroutine, as in bench-plot.py.
kthread=$(sed -n 's/.*"bytes_kthread": *\([0-9][0-9]*\).*/\1/p' "$top/selftests/bench/baseline.json")
goroutine=2733
declare -A v=()
checks=() faults=() judged=''

# --- The tree ----------------------------------------------------------------

# Prints the directory that holds include/: of Debian's headers, or of KDIR.
header_dir()
{
	local common
	common=$(dirname "$KDIR")/$(sed -n 's|^include .*/\(linux-headers-[^/]*\)/Makefile$|\1|p' \
		"$KDIR/Makefile")
	[ -d "$common/include" ] || common=$KDIR
	[ -d "$common/include" ] || die "no include/ in $common"
	echo "$common"
}

# There is a file and a symlink at every 32nd level, so that a stack climbs more than once.
make_chain()
{
	local path=$tree/chain level
	path+=$(printf '/d%.0s' $(seq "$depth"))
	mkdir -p "$path"
	for ((level = depth; level > 0; level -= 32)); do
		echo "this is level $level" >"$path/file"
		ln -s "../file-$level" "$path/link"
		path=${path%"$(printf '/d%.0s' {1..32})"}
	done
}

# 4161 directories with a file in each; three quarters of them have subdirectories.
make_wide()
{
	local path
	mkdir -p "$forest/wide"/{1..64}/{1..16}/a/b/c
	find "$forest/wide" -type d | while read -r path; do
		echo "this is ${path##*/}" >"$path/file"
	done
}

make_trees()
{
	rm -rf "$dir"
	mkdir -p "$tree"
	cp -rd "$(header_dir)/include" "$tree/include"
	make_chain
	make_wide
	(cd "$dir/stage" && find forest -print0 | cpio --quiet -0 -o -H newc -R 0:0) >"$dir/tree.cpio"
}

# --- The verdict -------------------------------------------------------------

read_values()
{
	local line
	while read -r line; do
		case $line in
		@check=*) checks+=("${line#@check=}") ;;
		*) line=${line#@}; v[${line%%=*}]=${line#*=} ;;
		esac
	done < <("$top/scripts/tree-hash.py" "$tree" | sed 's/^/tree./'
		"$top/scripts/tree-hash.py" "$forest" | sed 's/^/forest./'
		grep '^@' "$dir/output.log")
}

fault()
{
	faults+=("$*")
}

# positive KEY: the counter must be at least one.
positive()
{
	[ "${v[$1]:-0}" -gt 0 ] || fault "$1 is ${v[$1]:-missing}"
}

# judge_runs OUTSIDE RUN...
judge_runs()
{
	local outside=$1 combo key
	shift
	for combo in "$@"; do
		v[$combo.same]=DIFFERENT
		[ "${v[$combo.result]:-none}" != "${v[$outside.result]}" ] || v[$combo.same]=same
		if [ "${v[$combo.status]:-}" != "done" ]; then
			fault "$combo: ${v[$combo.status]:-did not run}"
			continue
		fi
		for key in result files links dirs bytes depth; do
			[ "${v[$combo.$key]:-none}" = "${v[$outside.$key]}" ] ||
				fault "$combo: $key is not what it is outside the kernel"
		done
	done
}

judge_recursive()
{
	local combo
	judge_runs tree "${recursive[@]}"
	for combo in "${recursive[@]}"; do
		[ "${v[$combo.calls]:-0}" = "$jobs" ] || fault "$combo: not $jobs coroutines"
	done
	positive recursive.copy+host.grown_by_copy
	positive recursive.copy+host.frames_walked
	positive recursive.copy+host.words_rebased
	positive recursive.copy+direct.grown_in_place
	positive recursive.inplace+host.grown_in_place
	positive recursive.inplace+direct.grown_in_place
}

judge_fanout()
{
	local combo
	judge_runs forest "${fanout[@]}"
	for combo in "${fanout[@]}"; do
		[ "${v[$combo.coroutines]:-0}" = "${v[forest.dirs]}" ] ||
			fault "$combo: not a coroutine for each directory"
		[ "${v[$combo.alive_most]:-0}" -ge $min_alive ] ||
			fault "$combo: fewer than $min_alive coroutines at once"
		[ "${v[$combo.threads]:-1000}" -le $max_threads ] ||
			fault "$combo: more than $max_threads threads"
		v[$combo.as_threads]=$((${v[$combo.alive_most]:-0} * 16384))
	done
}

judge_crowd()
{
	local key
	for key in few_lost lost; do
		[ "${v[crowd.$key]:-none}" = 0 ] ||
			fault "crowd: $key is ${v[crowd.$key]:-missing}"
	done
	positive crowd.stack_bytes
	positive crowd.packed_bytes
	[ "${v[crowd.packed_bytes]:-1025}" -le 1024 ] ||
		fault "crowd: ${v[crowd.packed_bytes]:-no} bytes for one that is packed"
}

judge_checks()
{
	local check
	[ ${#checks[@]} -ge 30 ] || fault "only ${#checks[@]} checks were made"
	for check in "${checks[@]}"; do
		[ "${check%% *}" = ok ] || fault "check: ${check#* }"
	done
}

judge_console()
{
	local found
	found=$(grep -m 1 -E 'WARNING:|BUG:|Oops|Call Trace|costack.*(warn|overflow)' \
		"$dir/console.log") || return 0
	fault "the console says: $found"
}

# --- The report --------------------------------------------------------------

# The tables have a column for each of $combos.
head_row()
{
	printf '%-28s' "growth policy + kernel calls"
	printf '%15s' "${combos[@]#*.}"
	echo
}

# row "what it is" KEY
row()
{
	local combo
	printf '%-28s' "$1"
	for combo in "${combos[@]}"; do
		printf '%15s' "${v[$combo.$2]:-?}"
	done
	echo
}

table_recursive()
{
	local combos=("${recursive[@]}")
	head_row
	row "digest" same
	row "files" files
	row "bytes hashed" bytes
	row "coroutines" calls
	row "overflows caught" faults
	row "  grown in place" grown_in_place
	row "  grown by copy" grown_by_copy
	row "  with interrupts off" grown_irqs_off
	row "moves refused" moves_refused
	row "frames walked" frames_walked
	row "words rebased" words_rebased
	row "bytes copied" bytes_copied
	row "interrupts replayed" interrupts_replayed
	row "deepest level, stack bytes" stack_deepest
	row "milliseconds" msecs
}

table_fanout()
{
	local combos=("${fanout[@]}")
	head_row
	row "digest" same
	row "coroutines" coroutines
	row "most alive at once" alive_most
	row "most waiting at once" waiting_most
	row "kernel threads used" threads
	row "most bytes of stack" stack_most
	row "  as threads, 16 KiB each" as_threads
	row "parks" parks
	row "grown in place" grown_in_place
	row "grown by copy" grown_by_copy
	row "milliseconds" msecs
}

report()
{
	local check
	cat <<END

Act one: recursion. A tree of ${v[tree.files]} files, ${v[tree.links]} symlinks, ${v[tree.dirs]} directories,
${v[tree.bytes]} bytes, ${v[tree.depth]} levels deep, hashed whole by each of $jobs coroutines at the
same time. Outside the kernel its digest is
${v[tree.result]}.

END
	table_recursive
	cat <<END

Act two: fan-out and join. A tree of ${v[forest.files]} files in ${v[forest.dirs]} directories, hashed by
one coroutine a directory, each waiting for those below. Outside the kernel its
digest is ${v[forest.result]}.

END
	table_fanout
	cat <<END

Act three: a crowd. 200,000 coroutines wait in a queue, packed: none has a stack, only
what is on it. Woken, each finds its locals again on another stack; ${v[crowd.lost]:-?} did not.
They came in $(seconds begin packed) seconds and went in $(seconds packed woken). Memory of one that waits, and of 200,000:

END
	bars_of_crowd
	cat <<END

Coroutines were measured in this run: 20,000 of those that are not packed. Quoted are the
kernel thread (make bench, Linux 6.1) and the goroutine (Go 1.19.8, a million).

END
	echo "Requests that must be refused:"
	for check in "${checks[@]}"; do
		printf '  %-8s%s\n' "${check%% *}" "${check#* }"
	done
	echo
}

# bar "who waits" BYTES: of 80 columns; the longest is that of a kernel thread
bar()
{
	local bytes=${2:-0} length
	length=$(((bytes * 36 + kthread - 1) / kthread))
	printf '  %-17s%7d bytes%7d MB  %.*s\n' "$1" "$bytes" $((bytes * 200000 / 1000000)) \
		"$length" ========================================
}

# seconds FROM TO: the time between two moments of act three
seconds()
{
	awk -v from="${v[crowd.$1]:-0}" -v to="${v[crowd.$2]:-0}" \
		'BEGIN { printf "%.1f", to - from }'
}

bars_of_crowd()
{
	bar "kernel thread" "$kthread"
	bar "coroutine" "${v[crowd.stack_bytes]:-}"
	bar "goroutine" "$goroutine"
	bar "coroutine, packed" "${v[crowd.packed_bytes]:-}"
}

# However this script ends, its last line is the verdict.
# shellcheck disable=SC2317 # called by trap
no_verdict()
{
	local status=$?
	[ -z "$judged" ] || return 0
	echo "demo: FAILED: ended with status $status before the verdict"
	exit $((status ? status : 1))
}

verdict()
{
	local fault
	judged=1
	if [ ${#faults[@]} -eq 0 ]; then
		echo "demo: OK"
		exit 0
	fi
	for fault in "${faults[@]:1}"; do
		echo "also: $fault"
	done
	echo "demo: FAILED: ${faults[0]}"
	exit 1
}

trap no_verdict EXIT
[ $# -eq 0 ] || die "no arguments are known" "usage: scripts/demo.sh"
"$top/scripts/setup.sh" build vm
KDIR=$(find_vm_kdir)
export KDIR
"$top/scripts/build.sh"
say "packing trees"
make_trees
say "booting Debian $(cat "$out/kernel/release") in QEMU"
status=0
"$top/scripts/vm.sh" -o "$dir" -i "$dir/tree.cpio" -f "$top/scripts/demo-guest.sh" -t 600 \
	/files/demo-guest.sh /forest/tree "$jobs" /forest | sed -u -e '/^@/d' -e 's/^/    /' || status=$?
[ $status -eq 0 ] || fault "the VM ended with status $status, see ${dir#"$top/"}"
read_values
judge_recursive
judge_fanout
judge_crowd
judge_checks
judge_console
report
verdict
