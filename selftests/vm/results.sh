# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Joins the results of several VMs into one TAP list. Scripts vm-*.sh that boot several VMs
# source this after scripts/lib.sh.

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

# take_results NAME COMMAND...: add the results that COMMAND prints, and one more that says
# whether it succeeded. Its figures are left out, because check.sh reads those of each VM in
# its output.log.
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

# Ends the list; fails if one of the results is a failure.
end_results()
{
	echo "1..$results"
	[ $failures -eq 0 ]
}
