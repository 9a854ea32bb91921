# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Counts checks and judges tests. Sourced after lib.sh, never run.
#
#	check WHAT COMMAND...		runs the command, prints whether WHAT passed, and adds
#					to `passed` or `failed`; its output goes to a file in
#					the directory `checks`
#	judge NAME FILE STATUS [WHERE]	judges the TAP file of tests on the kernel that is
#					selected: which skips are allowed depends on its
#					flavour, and on WHERE: N-cpu or debug. STATUS is what
#					the program that wrote the file exited with.
#
# shellcheck disable=SC2154 # lib.sh and the scripts that source this file set what it reads

check()
{
	local what=$1 log
	shift
	log=$checks/$(tr -cs '[:alnum:]' '-' <<<"$what" | sed 's/-$//').log
	if "$@" >"$log" 2>&1; then
		echo "ok    $what"
		passed=$((passed + 1))
	else
		echo "FAIL  $what"
		tail -n 60 "$log" | sed 's/^/      /'
		failed=$((failed + 1))
	fi
}

judge()
{
	local skips=$top/selftests/allowed-skips allowed file=$2
	allowed=$skips:$skips-${kernel_flavour%-amd64}
	[ $# -lt 4 ] || allowed+=:$skips-$4
	# Without the file nothing has run. awk would print no counts.
	[ -r "$file" ] || file=/dev/null
	awk -v name="$1" -v status="$3" -v allowed="$allowed" -f "$top/scripts/tap.awk" "$file"
}
