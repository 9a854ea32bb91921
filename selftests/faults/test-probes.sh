#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel refuses kprobes on the path of a fault or of a switch: on every byte of the
# functions that scripts/probes.sh has found in costack.ko, except those that
# probes-allowed names. A new function on that path must refuse probes or be named there.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start probes

# The functions of costack.ko as they lie in memory: "NAME ADDRESS BYTES", numbers as the
# harness reads them. The end of the last one is not known.
loaded_functions()
{
	local address name last='' last_name=''
	sed -n 's/^\([^ ]*\) [tT] \([^[:space:]]*\)[[:space:]]\[costack\]$/\1 \2/p' /proc/kallsyms |
	sort | while read -r address name; do
		[ -z "$last" ] || echo "$last_name $((0x$last)) $((0x$address - 0x$last))"
		last=$address last_name=$name
	done
}

# bytes_of NAME: of each function of that name, "ADDRESS BYTES"
bytes_of()
{
	sed -n "s/^$(echo "$1" | sed 's/\./\\./g') //p" "$functions_seen"
}

# refuses NAME: do all functions of that name
refuses()
{
	local address bytes
	bytes_of "$1" | grep -q . || { echo "$1 is not in /proc/kallsyms"; return 1; }
	bytes_of "$1" | while read -r address bytes; do
		run hook-refused "$address" "$bytes" || exit 1
	done
}

# The control: refuses() fails for a function that can be probed, as it takes a probe.
control()
{
	local said
	! said=$(refuses costack_move_force) || { echo "no probe is taken anywhere"; return 1; }
	case $said in
	hook-refused*': fail: hook_refused:'*': err: expected -22, got 0;'*) ;;
	*) echo "$said"; return 1 ;;
	esac
}

# Every name in the list is a function that exists: a stale name would hide a new function.
allowed_are_found()
{
	local vain
	vain=$(sed 's/ static$//' "$KO/costack.probes" |
		grep -vxF -f - "$(dirname "$0")/probes-allowed" | grep '^[a-z_]')
	is 'allowed and on the way of nothing' '' "$vain"
}

functions_seen=/tmp/costack-functions.$$
loaded_functions >$functions_seen
test_case control control
statics=1
if free_is_a_measure && [ ! -e /sys/kernel/debug/kcsan ]; then
	test_case allowed allowed_are_found
else
	# Instrumentation changes which of them are inlined.
	statics=0
fi
# What the compiler has split off, like "add.cold", counts as the function that it was.
awk -v statics=$statics '
	{ of = $1; sub(/\..*/, "", of) }
	NR == FNR { allowed[of]; next }
	!(of in allowed) && (statics || $2 != "static") { print $1 }' \
	"$(dirname "$0")/probes-allowed" "$KO/costack.probes" >$functions_seen.names
while read -r name; do
	test_case "$name" refuses "$name"
done <$functions_seen.names
rm -f $functions_seen $functions_seen.names

finish
