#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots a kernel in QEMU or another emulator and runs one command in it. Three serial ports
# carry the kernel's console, the command's output (copied to stdout as it comes) and the
# verdict, which the guest writes last. A missing verdict is a failure, so a guest that died
# or hung can never pass.
#
# usage: scripts/vm.sh [options] COMMAND [ARGS...]
#   COMMAND is a program of the guest: busybox, /selftests/ (a copy of this tree's
#   selftests/), or /files/ (the files named by -f). /lib/costack/ has build/*.ko.
#
#   -m MEM        guest memory (1G)
#   -c CPUS       guest CPUs (2)
#   -t SECONDS    give up after this long (600)
#   -a ARGS       more words for the kernel command line
#   -q ARGS       more arguments for QEMU (not with Bochs)
#   -o DIR        where console.log, output.log and verdict go (build/vm/<command>)
#   -i CPIO       another cpio archive for the guest's root, plain or compressed
#   -f FILE       a file or directory to copy to /files/ in the guest
#   -s MODULE     another module of the stock kernel, loaded with its dependencies
#   -e REGEX      expect death: succeed if the console shows the (grep -E) REGEX
#                 and there is no verdict
#   -k VMLINUZ    boot this kernel instead of the stock one, without stock modules
#   -K DIR        take *.ko from DIR instead of build/
#
# A guest that writes nothing for STILL seconds is ended, after it has printed what its tasks
# and CPUs do.
#
# environment: STILL (1200), KERNEL (of scripts/kernels; build/kernels/$KERNEL/ then takes the
# place of build/), EMULATOR (of fetch-emulator.sh; default: the machine's QEMU), BOCHS_CPU (see
# bochs.sh), QEMU_ACCEL (default: the acceleration that scripts/kernels has for the kernel),
# QEMU_CPU (max), QEMU. To count instructions, use -c 1, -q "-icount shift=0" and
# QEMU_ACCEL=tcg
# exit status: that of COMMAND; 125 if there is no verdict; 2 for bad usage

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest.sh"

readonly no_verdict=125
longest_still=${STILL:-1200}
mem=1G cpus=2 limit=600 append='' dir='' death='' vmlinuz='' kodir=$out
# Stock modules that are always loaded. Otherwise crypto_alloc_shash("sha256") and the like
# would call modprobe. From 6.16 on sha256 is a single module.
stock=('sha256_ssse3|sha256' zstd deflate lzo)
qemu_args=() extra=() files=()

usage()
{
	sed -n '/^# usage/,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

while getopts m:c:t:a:q:o:i:f:s:e:k:K:h opt; do
	case $opt in
	m) mem=$OPTARG ;;
	c) cpus=$OPTARG ;;
	t) limit=$OPTARG ;;
	a) append+=" $OPTARG" ;;
	q) read -ra words <<<"$OPTARG"; qemu_args+=("${words[@]}") ;;
	o) dir=$OPTARG ;;
	i) extra+=("$OPTARG") ;;
	f) files+=("$OPTARG") ;;
	s) stock+=("$OPTARG") ;;
	e) death=$OPTARG ;;
	k) vmlinuz=$OPTARG ;;
	K) kodir=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage

find_kernel()
{
	if [ -n "$vmlinuz" ]; then
		[ -r "$vmlinuz" ] || die "cannot read the kernel $vmlinuz"
		stock=()
		return
	fi
	find_stock_kernel
}

# The words of the command are quoted, because they may contain newlines.
quote()
{
	local word
	for word in "$@"; do
		printf "'%s' " "${word//\'/\'\\\'\'}"
	done
}

make_root()
{
	root=$dir/root
	guest_root "$root" "$kodir" "$top/scripts/vm-init.sh"
	[ ${#files[@]} -eq 0 ] || cp -rL "${files[@]}" "$root/files/"
	[ ${#stock[@]} -eq 0 ] || guest_modules "$root" "${stock[@]}"
	quote "$@" >"$root/command"
}

# The kernel unpacks several archives in a row if each begins at a multiple of 4.
make_initrd()
{
	local archive size
	guest_archive "$root" "$dir/initrd"
	for archive in "${extra[@]}"; do
		size=$(stat -c %s "$dir/initrd")
		truncate -s $(((size + 3) / 4 * 4)) "$dir/initrd"
		cat "$archive" >>"$dir/initrd"
	done
}

# The QEMUs of fetch-emulator.sh emulate an x2APIC, and the kernel uses it if interrupts are
# remapped.
qemu_command()
{
	local qemu=${QEMU:-qemu-system-x86_64} x2apic=()
	if [ -n "${EMULATOR:-}" ]; then
		qemu=$top/build/emulators/$EMULATOR/qemu
		x2apic=(-machine q35 -device "intel-iommu,intremap=on,eim=on")
	fi
	# shellcheck disable=SC2054 # the commas are QEMU's
	command=("$qemu" "${x2apic[@]}"
		-accel "${QEMU_ACCEL:-$kernel_accel}" -cpu "${QEMU_CPU:-max}"
		-smp "$cpus" -m "$mem" -nodefaults -display none -no-reboot
		-serial "file:$dir/console.log" -serial "file:$dir/output.log"
		-serial "file:$dir/verdict"
		-chardev "pipe,id=monitor,path=$dir/monitor" -mon chardev=monitor,mode=readline
		-kernel "$vmlinuz" -initrd "$dir/initrd" -append "$cmdline" "${qemu_args[@]}")
}

# The kernel takes a CPU for stuck by its own clock, which also goes on while the host takes the
# CPU away: so it has two minutes, as have its workqueues. Tasks may wait for as long as they like:
# some do for all of a case, and a kernel without a detector of hung tasks only says that it does
# not know the sysctl.
choose_emulator()
{
	local cmdline="console=ttyS0,115200 rdinit=/init panic_on_warn=1 oops=panic softlockup_panic=1 watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120 workqueue.watchdog_thresh=120 sysctl.kernel.hung_task_timeout_secs=0 panic=-1 no_timer_check log_buf_len=4M$append"
	# An NMI that nobody expects comes from ask_why().
	[ -n "$death" ] || cmdline+=" unknown_nmi_panic panic_print=0x41"
	[ -z "${EMULATOR:-}" ] || [ -e "$top/build/emulators/$EMULATOR/version" ] ||
		die "no $EMULATOR to boot with" "for qemu10, qemu11 or bochs: run EMULATOR=$EMULATOR scripts/setup.sh vm"
	if [ "${EMULATOR:-}" != bochs ]; then
		qemu_command
		return
	fi
	[ ${#qemu_args[@]} -eq 0 ] || die "Bochs does not understand: -q ${qemu_args[*]}" \
		"unset EMULATOR"
	command=("$top/scripts/bochs.sh" "$dir" "$cpus" "$mem" "$vmlinuz" "$cmdline")
}

# Dies of the signal itself: a shell that waits for this script then ends, too, and does not go
# on to the next VM.
# shellcheck disable=SC2317 # called by trap
stop_emulator()
{
	[ -z "${emulator_pid:-}" ] || kill "$emulator_pid" 2>/dev/null || :
	[ -z "${watch_pid:-}" ] || kill "$watch_pid" 2>/dev/null || :
	trap - "$1"
	kill -"$1" $$
}

# Has the guest print what its tasks and CPUs do, and end.
ask_why()
{
	touch "$dir/still"
	[ "${EMULATOR:-}" = bochs ] || timeout 5 tee "$dir/monitor.in" <<<nmi || :
	sleep 120
	kill "$emulator_pid"
}

# Looks, as long as nobody ends it, whether the guest still writes.
watch_emulator()
{
	local written before='' still=0
	while sleep 1; do
		written=$(stat -c %s "$dir/console.log" "$dir/output.log")
		still=$((still + 1))
		[ "$written" = "$before" ] || still=0
		before=$written
		[ "$still" -lt "$longest_still" ] || { ask_why; return; }
	done
}

run_emulator()
{
	local tail_pid
	: >"$dir/console.log"
	: >"$dir/output.log"
	: >"$dir/verdict"
	rm -f "$dir/still" "$dir"/monitor.*
	mkfifo "$dir/monitor.in" "$dir/monitor.out"
	timeout -k 5 "$limit" "${command[@]}" </dev/null >"$dir/emulator.log" 2>&1 &
	emulator_pid=$!
	trap 'stop_emulator INT' INT
	trap 'stop_emulator TERM' TERM
	trap 'stop_emulator HUP' HUP
	tail -q -s 0.2 -n +1 -f --pid="$emulator_pid" "$dir/output.log" &
	tail_pid=$!
	# Neither the lock nor the output of this script outlives it by the length of a sleep.
	watch_emulator >/dev/null 2>&1 9>&- &
	watch_pid=$!
	emulator_status=0
	wait "$emulator_pid" || emulator_status=$?
	kill "$watch_pid" 2>/dev/null || :
	wait "$watch_pid" "$tail_pid" 2>/dev/null || :
	rm -f "$dir"/monitor.*
	trap - INT TERM HUP
}

why_no_verdict()
{
	if [ -e "$dir/still" ]; then
		echo "nothing was written for $longest_still s; the console shows what the guest did then"
	elif [ "$emulator_status" -eq 124 ] || [ "$emulator_status" -eq 137 ]; then
		echo "timeout after $limit s"
	elif [ "$emulator_status" -ne 0 ]; then
		echo "the emulator failed with status $emulator_status: $(tail -n 3 "$dir/emulator.log")"
	elif grep -q 'Kernel panic' "$dir/console.log"; then
		echo "the kernel died: $(grep -m 1 -o 'Kernel panic.*' "$dir/console.log")"
	else
		echo "the machine stopped or reset without a word"
	fi
}

# Of a guest that stood still, those of the tasks that run or wait and cannot be woken, and of
# those with a program's or our functions.
busy_tasks()
{
	awk '
		/task:.*state:/ { tell(); block = ""; told = /state:[RD]/ }
		/\[costack|entry_SYSCALL/ { told = 1 }
		block != "" || /task:.*state:/ || /NMI received/ { block = block $0 "\n" }
		function tell() { if (told) printf "%s", block }
		END { told = 1; tell() }' "$dir/console.log" | tail -n 400
}

# The lines that tell most. A kernel that panics goes on with a list of its tasks.
telling_lines()
{
	if [ -e "$dir/still" ]; then
		busy_tasks
	elif grep -q 'Kernel panic' "$dir/console.log"; then
		grep -m 1 -B 60 -A 10 'Kernel panic' "$dir/console.log"
	else
		tail -n 40 "$dir/console.log"
	fi
}

no_verdict()
{
	{
		echo "vm: no verdict: $(why_no_verdict)"
		echo "vm: from the console:"
		telling_lines | sed 's/^/  /'
		echo "vm: all of it: $dir/console.log"
	} >&2
	exit $no_verdict
}

# A panic during the shutdown, after the verdict, is a failure.
judge()
{
	local verdict
	verdict=$(tr -d '\r\n' <"$dir/verdict")
	if [ -n "$death" ]; then
		[ -z "$verdict" ] ||
			{ echo "vm: expected the kernel to die, but it ended with $verdict" >&2; exit 1; }
		# It has to end, too.
		[ "$emulator_status" -eq 0 ] || no_verdict
		grep -qE -- "$death" "$dir/console.log" || no_verdict
		exit 0
	fi
	[[ $verdict =~ ^[0-9]+$ ]] || no_verdict
	! grep -q 'Kernel panic' "$dir/console.log" || no_verdict
	exit "$verdict"
}

[ -n "$dir" ] || dir=$out/vm/$(basename "$1" .sh)
mkdir -p "$dir"
dir=$(cd "$dir" && pwd -P)
# The emulator inherits the lock: while it runs, no other run can use the directory, and no
# verdict of another run can be taken for this one's.
exec 9>"$dir/lock"
flock -n 9 || die "$dir is in use by another run" "wait for that to end, or choose another -o DIR"
find_kernel
choose_emulator
make_root "$@"
make_initrd
run_emulator
judge
