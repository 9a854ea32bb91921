#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Exceptions that come where the stack has no room for them: each comes out as if
# there had been room. Each case executes its instruction at nine places.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start exceptions

places=9

# The kernel complains of an NMI that takes a millisecond, as it does if the host
# has something else to do.
echo 10000000000 >/sys/kernel/debug/x86/nmi_longest_ns

# Lets a WARN report and not panic, during this case only.
warns()
{
	local sysctl=/proc/sys/kernel/panic_on_warn before status reports
	before=$(cat $sysctl)
	log_is_clean || return 1
	echo 0 >$sysctl
	run exc-warn
	status=$?
	echo "$before" >$sysctl
	dmesg | sed -n "/$log_mark/,\$p" >/tmp/costack-warns
	reports=$(grep -cE 'WARNING: (CPU: .* at )?exc_at.S:[0-9]+ (at )?cst_exc_warn\+' /tmp/costack-warns)
	rm -f /tmp/costack-warns
	[ $status -eq 0 ] && is reports $((places + 1)) "$reports"
}

# One growth for each place, at the instruction or where the kernel pushes the registers;
# and where there is room for the others there is none for a report. With lockdep a report
# takes so much that it may need another.
warns_and_grows()
{
	local status=0 grown="=$((places + 1))" there
	free_is_a_measure || grown=">=$((places + 1))"
	note_growths
	counts "grown$grown" -- warns || status=1
	there=$(growths_in "cst_exc_warn|asm_exc_invalid_op|error_entry")
	growths
	forget_growths
	is 'growths as it is raised' "$places" "$there" && return $status
}

for policy in copy inplace; do
	knob policy $policy
	grows=grown_in_place
	[ $policy = inplace ] || grows=grown_by_copy
	for name in probe-lea probe-push probe-call ud de gp-address gp-selector; do
		test_case "$name.$policy" counts grown=$places -- run "exc-$name"
	done
	test_case "warn.$policy" warns_and_grows
	# leaves_nothing() must not find these reports.
	mark_log
	for left in 0 8 16 24 32 40 48 56 64; do
		test_case "nmi-$left.$policy" counts grown=0 -- run nmi-at $left 40
	done
	test_case "nmi-growth.$policy" counts "$grows>=20" -- run nmi-growth 100
	# Of 50 places, 21 have no room for the registers, which the kernel pushes first; the
	# others have none for the handler, or just so, as its depth is that of the kernel.
	test_case "user.$policy" counts "grown>=$((21 * 12))" 'refaults>=200' -- run exc-user
	test_case "copy.$policy" counts 'grown_in_place>=200' 'refaults>=50' -- run exc-copy 8
done

figures
finish
