# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the scripts vm-*.sh that boot several VMs: what those found, as one list. Sourced,
# after scripts/lib.sh.

results=0 failures=0

# result NAME STATUS
result()
{
	results=$((results + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $results - $1"
	else
		failures=$((failures + 1))
		echo "not ok $results - $1"
	fi
}

# take_results NAME COMMAND...: those that the command prints become ours, and a last one
# says whether it has ended well. Its figures are left out: those of each VM are counted
# in its output.log.
take_results()
{
	local name=$1 line status=1
	shift
	while read -r line; do
		case $line in
		'ok '*) result "$name.${line#ok * - }" 0 ;;
		'not ok '*) result "$name.${line#not ok * - }" 1 ;;
		'status '*) status=${line#status } ;;
		'TAP version'* | 1..* | '# figures: '*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done < <("$@" 2>&1; echo "status $?")
	result "$name.ended-well" "$status"
}

# Ends the list: fails if anything in it has.
end_results()
{
	echo "1..$results"
	[ $failures -eq 0 ]
}
