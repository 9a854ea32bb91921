#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The /init of the kit that kit.sh makes: runs costack's tests on the machine that booted
# it, the harmless ones first, shows the progress on the screen and the serial port, and
# writes a report to the partition COSTACKLOG. It saves the report before each script, so
# that the report of a machine that dies names the script. It runs no crash tests.
#
# words of the kernel's command line:
#	kit=all		all tests, and all rows of the benchmarks (default)
#	kit=growth	the module's self-test, growth, and a few rows
#	kit=describe	no test: the machine is described
#	kit=poweroff	beside one of these: power off at the end, and wait for nobody

# shellcheck source=guest-init.sh
. /lib/guest-init.sh

label=COSTACKLOG
report=/tmp/report.txt
# The order: first the tests of costack alone; then all scripts that are not named here;
# last those that take CPUs away or change text of the kernel. text-suspend.sh never runs,
# because not every machine resumes.
first='test-growth.sh test-frames.sh'
last='test-sweep.sh test-storm.sh test-loads.sh test-programs.sh test-trace.sh test-probes.sh
	test-livepatch.sh text-hooks.sh text-branch.sh test-hotplug.sh'
never='text-suspend.sh'
few_rows='kthread_pingpong queue_flush empty_call switch call grow_inplace_8k grow_copy_8k
	grow_copy_64k steady steady_peer irq_deliver irq_replay'
passed=0 failed=0 skipped=0 failures='' stick='' name='' device='' mode=all poweroff=''

# --- Output ----------------------------------------------------------------------

has_serial()
{
	# type 0 is "unknown": there is no port
	[ "$(cat /sys/class/tty/ttyS0/type 2>/dev/null || echo 0)" -gt 0 ]
}

# say FORMAT WORD...: prints on the screen and on the first serial port
say()
{
	local tty
	for tty in $ttys; do
		# shellcheck disable=SC2059 # the caller gives a format
		printf "$@" >"/dev/$tty"
	done
}

# --- The stick -------------------------------------------------------------------

# USB needs a while to find the stick, on some machines a long one.
find_stick()
{
	local tries=30
	say 'looking for the partition %s ...' $label
	while ! device=$(findfs LABEL=$label 2>/dev/null) && [ $tries -gt 0 ]; do
		sleep 1
		tries=$((tries - 1))
	done
	if [ -z "$device" ]; then
		stick="there is no partition $label"
	elif ! open_stick rw; then
		stick="$device, the partition $label, cannot be written"
	else
		name=report.txt
		tries=2
		while [ -e "/stick/$name" ]; do
			name=report-$tries.txt
			tries=$((tries + 1))
		done
		umount /stick
	fi
	say ' %s\n' "${stick:-$device}"
}

# A write-protected medium can be mounted too, but only for reading.
open_stick()
{
	mkdir -p /stick
	mount -t vfat -o "$1" "$device" /stick 2>/dev/null || return 1
	[ "$1" = ro ] || { touch /stick/write.me && rm /stick/write.me; } 2>/dev/null ||
		{ umount /stick; return 1; }
}

# The stick is mounted only while the report is written, because the machine may die at any
# time.
save()
{
	[ -z "$stick" ] || return 0
	if ! { open_stick rw && cp $report "/stick/$name"; }; then
		stick="the stick could not be written"
	fi
	umount /stick 2>/dev/null
}

# Saves the report for the last time, and reads it back.
save_and_compare()
{
	save
	[ -z "$stick" ] || return 0
	{ open_stick ro && cmp -s $report "/stick/$name"; } || stick="what was written to the stick is not there"
	umount /stick 2>/dev/null
}

# --- The tests -------------------------------------------------------------------

# count PASSED FAILED SKIPPED NAME
count()
{
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
	[ "$2" -eq 0 ] || failures="$failures $4"
}

# Prints the kernel's log since the mark.
log_since()
{
	dmesg | sed -n "/$1/,\$p" | sed 1d
}

seconds()
{
	cut -d . -f 1 /proc/uptime
}

# The module runs its self-test when it is loaded.
self_test()
{
	local why
	say 'self-test of the module ...'
	echo "== self-test" >>$report
	save
	echo "kit: self-test" >/dev/kmsg
	if insmod $KO/costack.ko && rmmod costack; then
		count 1 0 0 self-test
		say ' passed\n'
	else
		count 0 1 0 self-test
		why=$(log_since 'kit: self-test' | sed -n 's/.*costack: cannot load: //p' | tail -n 1)
		say ' FAILED\n  costack cannot be loaded: %s\n' "${why:-see the log}"
	fi
	log_since 'kit: self-test' >>$report
	[ $failed -eq 0 ]
}

# judge SCRIPT STATUS: reports the result of the script; if it failed, also all of its
# output and the kernel's log
judge()
{
	local sum passes fails skips
	awk -v name="$1" -v allowed=/tmp/allowed -v status="$2" -f /files/tap.awk /tmp/tap >/tmp/judged
	sum=$(tail -n 1 /tmp/judged)
	# "NAME: N passed, N failed, N skipped"
	echo "$sum" | sed 's/.*: //; s/[^0-9 ]//g' >/tmp/sum
	read -r passes fails skips </tmp/sum || fails=1
	count "$passes" "$fails" "$skips" "$1"
	say ' %s (%s s)\n' "${sum#*: }" $(($(seconds) - begin))
	{
		echo "$sum"
		grep -E '# SKIP|^# figures: ' /tmp/tap
	} >>$report
	[ "$fails" -ne 0 ] || return
	say '%s\n' "$(sed -n 's/^.*: FAIL: /  FAILED: /p' /tmp/judged | head -n 5)"
	{
		cat /tmp/tap
		echo "-- the kernel's log during this script"
		log_since "kit: begin $1" | tail -n 200
		echo "-- end of the log"
	} >>$report
}

# run_scripts SCRIPT...
run_scripts()
{
	local script begin status
	for script in "$@"; do
		ls /selftests/*/"$script" >/dev/null 2>&1 || continue
		at=$((at + 1))
		say '[%s/%s] %s ...' $at "$scripts" "$script"
		echo "$script ..." >>$report
		save
		echo "kit: begin $script" >/dev/kmsg
		# Messages that tests provoke stay off the console, but an oops is printed.
		dmesg -n 1
		begin=$(seconds) status=0
		(cd /selftests && ./run.sh "$script") </dev/null >/tmp/tap 2>&1 || status=$?
		judge "$script" $status
	done
}

others()
{
	local script
	for script in /selftests/*/test-*.sh /selftests/*/text-*.sh; do
		script=${script##*/}
		# shellcheck disable=SC2086 # names
		printf '%s\n' $first $last $never | grep -qxF "$script" || echo "$script"
	done
}

# Prints for each row its name and the median of the rounds, for one operation.
medians()
{
	awk '
	/^[a-z]/ && NF > 2 {
		n = 0
		for (i = 3; i <= NF; i++) {
			for (j = n++; j > 0 && value[j] > $i + 0; j--)
				value[j + 1] = value[j]
			value[j + 1] = $i + 0
		}
		middle = n % 2 ? value[(n + 1) / 2] : (value[n / 2] + value[n / 2 + 1]) / 2
		printf "%-28s %12.1f %s\n", $1, middle / $2, $1 ~ /^bytes_/ ? "bytes" : "ns"
	}'
}

# measure ROW...: measures these rows, or all that a word of run.sh stands for
measure()
{
	local begin status=0
	begin=$(seconds)
	at=$((at + 1))
	say '[%s/%s] benchmarks ...' $at "$scripts"
	echo "== figures" >>$report
	save
	# Some rows take long: a dot for each shows the progress, and where a machine died.
	{
		PAGEFAULT=/files/pagefault timeout 1800 sh /selftests/bench/run.sh "$@" \
			</dev/null 2>/tmp/bench-errors || echo "# failed"
	} | while read -r line; do
		echo "$line" >>/tmp/raw
		[ "$line" = "${line#[#@]}" ] || continue
		say .
	done
	! grep -q '^# failed' /tmp/raw || status=1
	medians </tmp/raw >/tmp/medians
	{
		cat /tmp/medians
		echo "-- for scripts/bench-report.py"
		echo "# unit ns"
		cat /tmp/raw /tmp/bench-errors
	} >>$report
	if [ $status -eq 0 ] && [ -s /tmp/medians ]; then
		count 1 0 0 bench
		say ' %s rows (%s s)\n' "$(wc -l </tmp/medians)" $(($(seconds) - begin))
	else
		count 0 1 0 bench
		# The tests load costack themselves.
		rmmod costack_bench costack 2>/dev/null
		say ' FAILED: %s\n' "$(tail -n 1 /tmp/bench-errors)"
	fi
}

# shellcheck disable=SC2086 # names
run_tests()
{
	local at=0 scripts
	echo '* this machine lacks what the test needs' >/tmp/allowed
	self_test || return
	# shellcheck disable=SC2046 # names
	if [ "$mode" = growth ]; then
		set -- $first
		scripts=$(($# + 1))
		echo "== tests" >>$report
		run_scripts "$@"
		ROUNDS=5 measure $few_rows
	else
		set -- $first $(others) $last
		scripts=$(($# + 1))
		echo "== tests of growth" >>$report
		run_scripts $first
		ROUNDS=31 measure all
		echo "== tests" >>$report
		run_scripts $(others) $last
	fi
}

# --- The end -----------------------------------------------------------------------

verdict()
{
	local sum
	if [ "$mode" = describe ]; then
		sum="costack kit: NOTHING TESTED"
	else
		sum="costack kit: PASSED $passed, FAILED $failed, SKIPPED $skipped"
	fi
	{
		echo "== verdict"
		echo "$sum"
		[ -z "$failures" ] || echo "failed:$failures"
	} >>$report
	save_and_compare
	[ -z "$stick" ] || say '\n%s\n' "$(cat $report)"
	say '\n================================================================\n'
	[ -z "$failures" ] || say 'FAILED:%s\n' "$failures"
	if [ -z "$stick" ]; then
		say '%s: %s is on the stick\n' "$sum" "$name"
	else
		say '%s: %s, and the report is above\n' "$sum" "$stick"
	fi
	say '================================================================\n'
}

wait_for_enter()
{
	local tty
	say 'Power off: press Enter\n'
	for tty in $ttys; do
		# shellcheck disable=SC2034 # nobody uses what it reads
		(read -r line <"/dev/$tty"; touch /tmp/enter) &
	done
	until [ -e /tmp/enter ]; do
		sleep 1
	done
}

ttys=tty0
if has_serial; then
	ttys='tty0 ttyS0'
	stty -F /dev/ttyS0 115200 -echo
fi
read -r words </proc/cmdline
for word in $words; do
	case $word in
	kit=poweroff) poweroff=1 ;;
	kit=*) mode=${word#kit=} ;;
	esac
done
case $mode in
all | growth | describe) ;;
*) say 'kit=%s is not known: it is kit=all\n' "$mode"; mode=all ;;
esac

say '\ncostack kit: costack %s\n' "$(cat /files/version)"
{
	echo "costack kit: $mode, on $(date -u '+%Y-%m-%d %H:%M') by this machine's clock"
	echo "costack $(cat /files/version)"
} >$report
sh /files/kit-describe.sh >>$report 2>&1
say '%s\n' "$(sed -n 's/^\(product\|firmware\|hypervisor\|model name\|microcode\): /  \1: /p' $report)"
find_stick
if [ "$mode" != describe ]; then
	say 'If nothing moves for half an hour, the machine has died: switch it off, and send\n'
	say 'what is on the stick, or a photograph of this screen.\n'
	run_tests
fi
verdict
[ -n "$poweroff" ] || wait_for_enter
poweroff -f
