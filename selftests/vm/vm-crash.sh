#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Cases that end with the machine: each boots a VM of its own, must end it, and
# must leave on the console what the table says.
#
# usage: vm-crash.sh [TABLE [VM-OPTION...]]	(default: crashes.txt, a stock kernel)

. "$(dirname "$0")/../../scripts/lib.sh"
table=${1:-$top/selftests/vm/crashes.txt}
tests=$(basename "$table" .txt)
shift $(($# > 0))
vm_options=("$@")
n=0 failed=0

patterns_of()
{
	awk -F '\t+' -v name="$1" '$1 == name { print $2 }' "$table"
}

# The VM has to die with the first of the patterns on its console; then the
# console must show the others too.
crash()
{
	local dir=$out/vm/$tests$of_source/$1 first rest pattern
	{ read -r first; mapfile -t rest; } < <(patterns_of "$1")
	# shellcheck disable=SC2016 # $KO is the guest's
	"$top/scripts/vm.sh" -t 3600 "${vm_options[@]}" -o "$dir" -e "$first" sh -c '
		for module in costack costack_test_hog costack_test costack_test_crash \
			costack_test_lies; do
			insmod $KO/$module.ko || exit
		done
		echo '"$1"' >/sys/kernel/costack/test/run' 2>&1 || return 1
	for pattern in "${rest[@]}"; do
		grep -qE -- "$pattern" "$dir/console.log" ||
			{ echo "not on the console: $pattern"; return 1; }
	done
	# From the first line of the oops to the end; a report before it may have a trace, too.
	awk '/ \[#1\]/ { oops = 1 }
		oops && /costack: on the stack of coroutine/ { traces++ }
		END { exit traces > 1 }' "$dir/console.log" ||
		{ echo "more than one trace of the coroutine in the oops"; return 1; }
}

mapfile -t names < <(grep -v '^#' "$table" | cut -f 1 | uniq)
echo "TAP version 13"
echo "1..${#names[@]}"
for name in "${names[@]}"; do
	n=$((n + 1))
	if output=$(crash "$name"); then
		echo "ok $n - $name"
	else
		failed=$((failed + 1))
		echo "not ok $n - $name"
		# shellcheck disable=SC2001 # every line
		sed 's/^/# /' <<<"$output"
	fi
done
[ $failed -eq 0 ]
