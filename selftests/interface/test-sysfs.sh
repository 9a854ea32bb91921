#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# /sys/kernel/costack/: modes, values, and that a bad value changes nothing.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start sysfs

mode_is()
{
	is "mode of $1" "$2" "$(stat -c %a "$root/$1")"
}

# All files of stats/, and no other: a new one belongs here too.
stats_are()
{
	local file
	is stats "$1" "$(cd "$root/stats" && echo *)" || return 1
	for file in "$root"/stats/*; do
		mode_is "stats/${file##*/}" 444 || return 1
		case $(cat "$file") in
		'' | *[!0-9]*) echo "$file: not a number: $(cat "$file")"; return 1 ;;
		esac
	done
}

# accepts FILE VALUE [SHOWN]
accepts()
{
	knob "$1" "$2" && knob_is "$1" "${3:-$2}"
}

# rejects FILE FORMAT: write what printf makes of FORMAT
rejects()
{
	local before message
	before=$(cat "$root/$1")
	# shellcheck disable=SC2059 # a format is wanted
	if message=$(printf "$2" | dd of="$root/$1" 2>&1); then
		echo "$1: took '$2'"
		return 1
	fi
	case $message in
	*'Invalid argument'*) ;;
	*) echo "$1: '$2': expected EINVAL, got: $message"; return 1 ;;
	esac
	is "$1 after '$2'" "$before" "$(cat "$root/$1")"
}

# reject_all FILE FORMAT...
reject_all()
{
	local file="$1" value status=0
	shift
	for value in "$@"; do
		rejects "$file" "$value" || status=1
	done
	return $status
}

not_writable()
{
	local message
	if message=$(sh -c "echo 0 >$root/stats/$1" 2>&1); then
		echo "$1: could be written"
		return 1
	fi
	case $message in
	*'ermission denied'*) ;;
	*) echo "$1: expected EACCES, got: $message"; return 1 ;;
	esac
}

# stack_min and stack_max keep each other in order.
sizes_in_order()
{
	accepts stack_max 16384 && accepts stack_min 16384 &&
		reject_all stack_min 32768 65536 && reject_all stack_max 8192 4096 &&
		accepts stack_min 4096 && accepts stack_max 4096 &&
		rejects stack_min 8192 && accepts stack_max 65536
}

# New coroutines have the initial and the maximal size that the files show.
sizes_apply()
{
	local status
	accepts stack_min 32768 && counts faults=0 grown=0 -- run big 12288 0 &&
		accepts stack_min 4096 && counts grown=1 -- run big 12288 0
	status=$?
	knob stack_min 4096
	return $status
}

# What may be read and written is a knob, and a module parameter too, for the value to
# start with; and there is no parameter that is not. Here they are by name.
knobs_are_parameters()
{
	local knobs parameters
	knobs=$(cd "$root" && find . -maxdepth 1 -type f -perm 644 | sed 's|^./||' | sort)
	parameters=$(tr '\0' '\n' <"$KO/costack.ko" | sed -n 's/^parm=\([^:]*\):.*/\1/p' |
		grep -v '^check_rules$\|^rules_' | sort)
	is parameters "$knobs" "$parameters"
}

# The other cases load costack without it.
adaptive_by_default()
{
	local status=0
	unload && insmod "$KO/costack.ko" || return 1
	knob_is adaptive_start 1 || status=1
	unload && load && return $status
}

test_case knobs-are-parameters knobs_are_parameters
for file in policy verify stack_min stack_max adaptive_start poison force_move force_pack pack_after \
	stuck_after trace_held unmap workers max_items; do
	test_case "mode.$file" mode_is $file 644
done
test_case default.policy knob_is policy copy
test_case default.verify knob_is verify orc
test_case default.stack_min knob_is stack_min 4096
test_case default.stack_max knob_is stack_max 65536
test_case default.adaptive_start adaptive_by_default
test_case default.poison knob_is poison 0
test_case default.force_move knob_is force_move 0
test_case default.force_pack knob_is force_pack 0
test_case default.pack_after knob_is pack_after 0
test_case default.stuck_after knob_is stuck_after 0
test_case default.trace_held knob_is trace_held 0
test_case default.unmap knob_is unmap 0
test_case default.max_items knob_is max_items 0
test_case stats stats_are "aborts bytes_copied bytes_shrunk calls deepest faults frames_walked grown_atomic\
 grown_by_copy grown_in_place grown_irqs_off handovers interrupts_replayed live moves_forced\
 moves_refused overflows packed packed_now packs_refused parked parks queued refaults retaken runner_locks runners scans\
 scans_careful scans_doubt_number scans_doubt_point scans_doubt_stack scans_doubt_text scans_mapped scans_wrong shrink_ns shrunk stacks_16k\
 stacks_32k stacks_4k stacks_64k stacks_8k started_larger stolen stuck words_rebased workers_died"
for file in faults live stacks_4k; do
	test_case "not-writable.$file" not_writable $file
done

for value in inplace copy; do
	test_case "policy.$value" accepts policy $value
done
test_case policy.bad reject_all policy '\n' ' ' cop copyy COPY 0 -1 'copy copy' \
	' copy' 'copy ' 'copy\0' 'copy\0\n' 'in place' '%%s%%s%%s%%n'
for value in both scan orc; do
	test_case "verify.$value" accepts verify $value
done
test_case verify.bad reject_all verify '\n' ' ' or orcs ORC 0 1 'orc both' ' orc' 'scan ' 'scan\0'
for file in adaptive_start poison force_move force_pack trace_held unmap; do
	test_case "$file.0" accepts $file 0
	test_case "$file.1" accepts $file 1
	test_case "$file.y" accepts $file y 1
	test_case "$file.n" accepts $file n 0
	test_case "$file.bad" reject_all $file '\n' ' ' 2 -1 maybe '\377' ' 1'
done
for value in 1 3600 86400 0x10 0; do
	test_case "pack_after.$value" accepts pack_after $value $((value))
	test_case "stuck_after.$value" accepts stuck_after $value $((value))
done
for value in 1 4294967295 0x10 0; do
	test_case "max_items.$value" accepts max_items $value $((value))
done
test_case max_items.bad reject_all max_items '\n' ' ' -1 4294967296 18446744073709551616 1s 1.5 '1\0'
test_case pack_after.bad reject_all pack_after '\n' ' ' -1 86401 18446744073709551616 1s 1.5 '1\0'
test_case stuck_after.bad reject_all stuck_after '\n' ' ' -1 86401 18446744073709551616 1s 1.5 '1\0'
for file in stack_min stack_max; do
	for value in 8192 16384 32768 65536 4096 0x2000; do
		knob stack_max 65536
		test_case "$file.$value" accepts $file $value $((value))
		knob stack_min 4096
	done
	knob stack_max 65536
	test_case "$file.bad" reject_all $file '\n' ' ' 0 1 -1 -4096 4095 4097 2048 12288 \
		65537 131072 18446744073709551616 18446744073709555712 9999999999999999999999 \
		4k 0x 4096.0 '4096 8192' '4096\0' abc '\377\377'
done
test_case sizes-in-order sizes_in_order
knob stack_max 65536
knob stack_min 4096
test_case sizes-apply sizes_apply

finish
