#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What belongs to the thread and not to the coroutine: refused, flushed, put right.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start thread

# said_under HEAD TEXT: does TEXT stand in the list under a headline with HEAD
said_under()
{
	dmesg | sed -n "/$log_mark/,\$p" | awk -v head="$1" -v text="  $2" '
		!sub(/.*costack: /, "") { next }
		!/^  / { here = / with:$| thread has:$/ && index($0, head) }
		here && index($0, text) == 1 { found = 1 }
		END { exit !found }' || { echo "not in the log, under '$1': $2"; return 1; }
}

# said_once REGEX
said_once()
{
	is "lines with '$1'" 1 "$(dmesg | sed -n "/$log_mark/,\$p" | grep -c "costack: $1")"
}

workers=$(cat "$root/workers")
knob workers 1

# things NR NAME TEXT: a line of things[] in thread.c, what costack calls it
things()
{
	cat <<-EOF
	0 irqs interrupts off
	1 bh bottom halves off
	2 preempt preemption off, or a spinlock
	3 rcu rcu_read_lock()
	4 state set_current_state()
	5 nofs memalloc_nofs_save()
	6 noio memalloc_noio_save()
	7 noreclaim memalloc_noreclaim_save(), or in reclaim
	8 pin memalloc_pin_save()
	9 throttle PF_LOCAL_THROTTLE or PF_KSWAPD
	10 freezable set_freezable()
	11 mm kthread_use_mm()
	12 creds override_creds()
	13 journal journal_info: in a transaction
	14 bio bio_list: in submit_bio()
	15 pagefault pagefault_disable()
	16 bdi backing_dev_info: in a write
	17 memcg set_active_memcg()
	18 migrate migrate_disable()
	19 trace_rcu rcu_read_lock_trace()
	20 memstall psi_memstall_enter()
	21 non_block non_block_start(), kcov, or a sanitizer disabled
	22 init_fs scoped_with_init_fs()
	EOF
}

# What the kernel was not built with cannot be set.
has()
{
	grep -q " $1\$" /proc/kallsyms
}

is_there()
{
	case $1 in
	memcg) has get_mem_cgroup_from_mm ;;
	trace_rcu) has rcu_read_unlock_trace_special ;;
	memstall) has psi_memstall_enter && [ -e /proc/pressure ] ;;
	non_block) has __might_sleep ;;
	# Some kernel versions lack it, and then the test module has no such function.
	bdi | init_fs) grep -q " begin_$1[[:space:]]" /proc/kallsyms ;;
	esac
}

refused()
{
	run thread-refused "$1" || return 1
	case $2 in
	bdi | memstall) ;;
	*) said_under "wait_with_$2" "$3" ;;
	esac
}

left()
{
	run thread-left "$1" && said_under "leave_with_$2 " "$3"
}

things | {
	while read -r nr name text; do
		is_there "$name" || continue
		test_case "refused.$name" refused "$nr" "$name" "$text"
		test_case "left.$name" left "$nr" "$name" "$text"
	done
	echo "$cases $failed" >/tmp/costack-things.$$
}
read -r cases failed </tmp/costack-things.$$
rm -f /tmp/costack-things.$$

# Once for each place, and each function.
again()
{
	run thread-refused 5 && run thread-left 5 && said_once 'wait_with_nofs.* wants to park' &&
		said_once 'leave_with_nofs.* has ended'
}

test_case once again
test_case called run thread-called
test_case call-cut run thread-call-cut

kept()
{
	run thread-kept "$1" && said_under ' left their thread ' "$2"
}

test_case kept.prio kept 0 "another policy or priority"
test_case kept.cpus kept 1 "fewer CPUs to run on"
test_case kept.signal kept 2 "a signal pending"
test_case kept.fs kept 3 "unshare_fs_struct(), for good"
if has blk_finish_plug; then
	test_case kept.ioprio kept 4 "another I/O priority"
fi
test_case kept.parked run thread-kept-parked
test_case current run thread-current

if has blk_finish_plug; then
	for policy in copy inplace; do
		knob policy $policy
		test_case "plug-stranger.$policy" run plug-stranger
		test_case "plug-cancelled.$policy" run plug-cancelled
		for called in 0 1; do
			kind=$([ $called = 0 ] && echo item || echo call).$policy
			test_case "plug.$kind" run plug $called
			test_case "plug-cut.$kind" run plug-cut $called
			test_case "plug-left.$kind" run plug-left $called
		done
	done
	knob policy copy
	test_case plug-grow counts grown_by_copy=1 'grown_in_place>=2' -- run plug-grow
	test_case plug-moved run plug-moved
fi
knob workers "$workers"

finish
