#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs what the named parts need and runs them, and continues after a failure. Each
# part ends with "PART: N passed, N failed, N skipped"; then the script prints the figures
# of the tests, and as its last line the sum. A part that prints no counts has failed.
#
# Without names it runs all parts except selftest-debug, which includes debug: selftest and
# kernels, and in parallel with these the others. While the VM of selftests/run.sh runs, whose
# tests depend on what gets to run, only parts run beside it that need one CPU. A part that has
# passed and whose inputs are unchanged is not run again, and the script says so: name the
# part, or "make clean" first, to run it again.
#
# usage: scripts/check.sh [lint] [kunit] [selftest] [debug] [kernels] [selftest-debug] [fuzz]
#	[bench]
# environment: KERNEL, for selftest: the kernel of scripts/kernels to run it on; EMULATOR,
#	for selftest: the emulator to run it in, see fetch-emulator.sh; CPUS, of the VM of
#	selftests/run.sh (2; with another number selftest runs only this VM);
#	SELFTEST_TIMEOUT, of this VM in seconds (14400, in Bochs 28800), to end a hang; SOURCE,
#	version of the kernels that are built (default: that of the machine's own kernel, see
#	lib.sh; selftest-debug also builds 6.12 with KASAN)

set -uo pipefail
named=${SOURCE:-}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/checks.sh"
# The versions of the debug kernels with KASAN in selftest-debug.
read -ra kasan_sources < <(echo "${named:-$(printf '%s\n' "$own" 6.12 | sort -uV)}" | xargs)

passed=0 failed=0 skipped=0 cpus=${CPUS:-2}

# Adds up all lines "NAME: N passed, N failed, N skipped" of its input.
sum()
{
	awk '/^[^ ]+: [0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ {
		p += $2
		f += $4
		s += $6
	}
	END { print p + 0, f + 0, s + 0 }'
}

roles_of()
{
	case $1 in
	lint) echo build lint ;;
	kunit) echo kunit ;;
	selftest | bench | kernels) echo build vm ;;
	debug | selftest-debug) echo build vm debug ;;
	fuzz) echo fuzz ;;
	esac
}

# Installs what the named parts need.
setup()
{
	local part words roles=() versions=() version
	for part in "$@"; do
		read -ra words < <(roles_of "$part")
		roles+=("${words[@]}")
		[ "$part" != selftest-debug ] || versions=("${kasan_sources[@]}")
	done
	mapfile -t roles < <(printf '%s\n' "${roles[@]}" | awk '!seen[$0]++')
	"$top/scripts/setup.sh" "${roles[@]}" || return
	for version in "${versions[@]}"; do
		SOURCE=$version "$top/scripts/setup.sh" debug || return
	done
}

guest_tests()
{
	local status=0 scripts='test-*.sh' limit=14400
	case ${EMULATOR:-} in
	qemu*) scripts="x2apic.sh $scripts" ;;
	bochs) limit=28800 ;;
	esac
	say "booting a VM for selftests/run.sh"
	"$top/scripts/vm.sh" -c "$cpus" -t "${SELFTEST_TIMEOUT:-$limit}" -o "$out/vm/selftest" \
		sh -c "cd /selftests && exec ./run.sh $scripts" >&2 || status=$?
	judge guest "$out/vm/selftest/output.log" $status "$cpus-cpu"
	touch "$guest_through"
}

# Runs the tests that need VMs of their own, such as those that end in a crash.
host_tests()
{
	local script name status tap
	for script in "$top"/selftests/vm/vm-*.sh; do
		[ -e "$script" ] || continue
		name=$(basename "$script" .sh)
		tap=$out/vm/$name.tap
		status=0
		say "running selftests/vm/$name.sh"
		"$script" | tee "$tap" >&2 || status=$?
		judge "$name" "$tap" $status
	done
}

selftest()
{
	local KDIR
	KDIR=$(find_vm_kdir)
	export KDIR
	mkdir -p "$out/vm"
	if ! "$top/scripts/build.sh" >&2; then
		echo "build: 0 passed, 1 failed, 0 skipped"
		return
	fi
	guest_tests
	# These need QEMU, and choose their number of CPUs themselves.
	[ "${EMULATOR:-}" = bochs ] || [ "$cpus" -ne 2 ] || host_tests
}

# debug_guest NAME VM-OPTION... -- SCRIPT...: runs these scripts on a debug kernel. The
# longest takes three minutes there; the limit leaves room for a busy machine.
debug_guest()
{
	local name=$1 status=0 vm=()
	shift
	while [ "$1" != -- ]; do
		vm+=("$1")
		shift
	done
	shift
	say "booting the kernel of build/$name"
	"$top/scripts/vm.sh" "${vm[@]}" -t "${SELFTEST_TIMEOUT:-14400}" -o "$out/vm/$name" \
		sh -c "cd /selftests && LIMIT=3600 exec ./run.sh $*" >&2 || status=$?
	judge "$name" "$out/vm/$name/output.log" $status debug
}

# debug_text NAME VM-OPTION...: runs the scripts that have a VM of their own on a debug kernel.
debug_text()
{
	local name=$1 status=0 tap=$out/vm/$1.tap
	shift
	say "running selftests/vm/vm-text.sh on it"
	"$top/selftests/vm/vm-text.sh" "$@" -t "${SELFTEST_TIMEOUT:-14400}" -o "$out/vm/$name" |
		tee "$tap" >&2 || status=$?
	judge "$name" "$tap" $status
}

# Prints QEMU's acceleration for kernels of the selected sources.
accel()
{
	(KERNEL=$source; read_kernel; echo "${QEMU_ACCEL:-$kernel_accel}")
}

# Runs the named scripts, or all of them, on the debug kernel with KASAN.
debug()
{
	local name=debug$of_source status tap vm
	tap=$out/vm/$name-crash.tap
	vm=(-k "$out/$name/bzImage" -K "$out/$name" -m 2G)
	mkdir -p "$out/vm"
	if ! "$top/scripts/debug-kernel.sh" kasan >&2; then
		echo "debug-kernel: 0 passed, 1 failed, 0 skipped"
		return
	fi
	QEMU_ACCEL=$(accel) debug_guest "$name" "${vm[@]}" -- "${@:-debug-*.sh test-*.sh}"
	[ $# -gt 0 ] || debug_text "$name-text" "${vm[@]}"
	say "running selftests/vm/vm-crash.sh on it"
	status=0
	QEMU_ACCEL=$(accel) "$top/selftests/vm/vm-crash.sh" "$top/selftests/vm/debug-crashes.txt" \
		"${vm[@]}" | tee "$tap" >&2 || status=$?
	judge "$name-crash" "$tap" $status
}

# Looks in the console logs for data races, and counts each function once. The scripts fail
# for races too, but one that hung or crashed could not.
judge_races()
{
	local found=$out/vm/races n log
	for log in "$@"; do
		[ -r "$log" ] || { echo "races: FAIL: no $log"; echo "races: 0 passed, 1 failed, 0 skipped"; return; }
	done
	awk -f "$top/selftests/races.awk" "$@" | sort | uniq >"$found"
	n=$(grep -c '^ours ' "$found")
	sed -n 's/^ours /races: FAIL: /p' "$found"
	sed -n 's/^kernel /races: not ours: /p' "$found"
	echo "races: $((n == 0)) passed, $n failed, 0 skipped"
}

# Runs the tests on the debug kernel with KCSAN. A report does not stop the machine, so that
# one run finds all races.
races()
{
	local name=debug-kcsan$of_source dir vm
	dir=$out/$name
	vm=(-k "$dir/bzImage" -K "$dir" -m 2G -a panic_on_warn=0)
	mkdir -p "$out/vm"
	if ! "$top/scripts/debug-kernel.sh" kcsan >&2; then
		echo "debug-kernel: 0 passed, 1 failed, 0 skipped"
		return
	fi
	QEMU_ACCEL=$(accel) debug_guest "$name" "${vm[@]}" -- \
		"kcsan-*.sh debug-kunit.sh test-*.sh"
	debug_text "$name-text" "${vm[@]}"
	judge_races "$out/vm/$name"{,-text}/console.log
}

# Runs all tests on all debug kernels.
selftest_debug()
{
	local version
	for version in "${kasan_sources[@]}"; do
		(use_source "$version"; debug)
	done
	races
}

# Adds up the lines "# figures: NAME=N..." in the output that is newer than file $1. They
# tell how much the tests have done.
print_figures()
{
	find "$out/vm" \( -name output.log -o -name '*.tap' \) -newer "$1" -exec cat {} + 2>/dev/null |
		awk '/^# figures: / {
			for (i = 3; i <= NF; i++) {
				split($i, word, "=")
				if (!(word[1] in sum))
					name[++n] = word[1]
				sum[word[1]] += word[2]
			}
		}
		END {
			if (n)
				print "figures:"
			for (i = 1; i <= n; i++)
				printf "  %-28s %d\n", name[i], sum[name[i]]
		}'
}

run_part()
{
	case $1 in
	selftest) selftest ;;
	debug) debug debug-kunit.sh debug-scarcity.sh test-{kernel,roots,chan}.sh ;;
	selftest-debug) selftest_debug ;;
	kernels) "$top/scripts/check-kernels.sh" --short ;;
	bench) "$top/scripts/bench.sh" check ;;
	*) "$top/scripts/$1.sh" ;;
	esac
}

# Prints a hash of what decides how a part ends: the project's files, the tools, the kernel,
# and the environment. Only lint reads the documentation.
inputs_of()
{
	local docs=(-name '*.md' -o -name README)
	[ "$1" != lint ] || docs=(-false)
	{
		# vm-tools.sh runs these lines.
		[ "$1" != selftest ] || sed -n '/^<!-- begin: selftests/,/^<!-- end/p' README.md
		# checkpatch leaves a list of names in the tree.
		find . \( -path ./build -o -path ./.git -o -name '.checkpatch-*' \) -prune -o \
			-type f ! \( "${docs[@]}" \) -print0 |
			sort -z | xargs -0 sha256sum
		dpkg-query -W 'gcc*' 'binutils*' 'linux-*' 'qemu-system-*' libelf-dev make python3 \
			python3-capstone python3-pyelftools csmith coccinelle sparse shellcheck
		cat "$out/kernel/release"
		env | grep -E '^(CC|KDIR|KERNEL|SOURCE|MIRROR|SEED|MINUTES|ROUNDS|CPUS|EMULATOR|BOCHS_|QEMU|LIMIT|SELFTEST_)' |
			sort
	} 2>/dev/null | sha256sum
}

# Like count_part, but does not run a part that has passed with the same inputs.
count_part_once()
{
	local part=$1 memory=$out/passed/$1 inputs p f s when
	inputs=$(inputs_of "$part")
	if [ -e "$memory" ] && [ "$(head -n 1 "$memory")" = "$inputs" ]; then
		read -r p f s when < <(tail -n 1 "$memory")
		say "$part passed at $when and nothing that it depends on has changed: not run again"
		say "$part: $p passed, $f failed, $s skipped, from then"
		echo "$p $f $s before" >"$out/check-$part.sum"
		return
	fi
	count_part "$part"
	read -r p f s <"$out/check-$part.sum"
	rm -f "$memory"
	[ "$f" -eq 0 ] || return
	mkdir -p "$out/passed"
	printf '%s\n' "$inputs" "$p $f $s $(date '+%F %H:%M')" >"$memory"
}

# Runs a part and writes its counts to build/check-PART.sum. A part that dies half-way
# leaves too few counts or none: so no counts, or a bad exit status, are a failure too.
count_part()
{
	local part=$1 log=$out/check-$1.log begin=$SECONDS status p f s
	say "$part"
	run_part "$part" | tee "$log"
	status=${PIPESTATUS[0]}
	read -r p f s < <(sum <"$log")
	if [ "$f" -eq 0 ] && { [ "$p" -eq 0 ] || [ "$status" -ne 0 ]; }; then
		say "$part ended with status $status and reported no failure: that is one"
		f=1
	fi
	say "$part: $p passed, $f failed, $s skipped, in $((SECONDS - begin)) s"
	echo "$p $f $s" >"$out/check-$part.sum"
}

# This file exists when the VM of selftests/run.sh has ended.
guest_through=$out/check-guest-through
all_parts=(selftest kernels lint fuzz bench kunit debug)

# In the second lane, the name before each line tells it from the lines of the first lane.
second_lane()
{
	local part
	for part in "$@"; do
		count_part_once "$part" 2>&1 | sed -u "s/^/$part | /"
	done
}

await_guest()
{
	until [ -e "$guest_through" ]; do
		sleep 1
	done
}

both_lanes()
{
	local lane
	rm -f "$guest_through"
	# A process group of its own, so that all of it can be ended.
	set -m
	{
		# For nproc: one CPU is the guest's.
		OMP_NUM_THREADS=1 second_lane lint fuzz bench kunit
		# The next part needs this kernel. If it cannot be built, that part says so.
		[ -e "$guest_through" ] || OMP_NUM_THREADS=1 "$top/scripts/debug-kernel.sh" kasan \
			>"$out/check-debug-kernel.log" 2>&1 || :
		await_guest
		second_lane debug
	} &
	lane=$!
	set +m
	# shellcheck disable=SC2064 # the process id of now is meant
	trap "kill -- -$lane 2>/dev/null || :" EXIT
	trap 'exit 130' INT TERM HUP
	count_part_once selftest
	# selftest may have failed before it started the VM.
	touch "$guest_through"
	count_part_once kernels
	say "waiting for the other parts"
	wait $lane
	trap - EXIT
}

cd "$top" || exit 2
mkdir -p "$out"
touch "$out/check-began"
parts=("$@")
[ $# -gt 0 ] || parts=("${all_parts[@]}")
for part in "${parts[@]}"; do
	case $part in
	lint | kunit | selftest | debug | kernels | selftest-debug | fuzz | bench) ;;
	*) die "unknown part: $part" \
		"they are: lint kunit selftest debug kernels selftest-debug fuzz bench" ;;
	esac
	for name in KERNEL EMULATOR; do
		[ -z "${!name:-}" ] || [ "$part" = selftest ] ||
			die "$name is for selftest, not for $part" "unset it, or: $name=${!name} make selftest"
	done
done
rm -f "$out"/check-*.sum
setup "${parts[@]}" || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
if [ $# -eq 0 ]; then
	both_lanes
else
	for part in "$@"; do
		count_part "$part"
	done
fi
not_run=()
for part in "${parts[@]}"; do
	read -r p f s when < <(cat "$out/check-$part.sum" 2>/dev/null || echo 0 1 0)
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	[ -z "$when" ] || not_run+=("$part")
done

print_figures "$out/check-began"
[ ${#not_run[@]} -eq 0 ] ||
	say "passed before, and not run again as their inputs are unchanged: ${not_run[*]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
