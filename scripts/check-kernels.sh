#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds for kernels of scripts/kernels, one after the other, and runs the selftests on
# each. Continues after a failure. At the end it prints a table with the last results of
# each kernel, and writes it to build/kernels/table. Kernels that have not been run here
# keep their rows of README.md.
#
# usage: scripts/check-kernels.sh [NAME[:CPUS]...]
#						all selftests; with CPUS, only those of
#						selftests/run.sh, in a VM with that many CPUs
#						instead of 2
#						(default: all kernels; 6.1:1 6.1:4 6.1:8)
#        scripts/check-kernels.sh --short [NAME...]
#						a few scripts of selftests/run.sh, as in
#						"make check" (default: one kernel of each
#						version other than the machine's own);
#						prints a line of counts for each kernel, and
#						no table
#        scripts/check-kernels.sh --readme	puts the table into README.md
# environment: SELFTEST_TIMEOUT, of a VM of selftests/run.sh, in seconds (14400; with
#	--short 3600); QEMU_ACCEL and MIRROR, see the other scripts

set -uo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/checks.sh"

usage="usage: scripts/check-kernels.sh [NAME[:CPUS]...], or --short [NAME...], or --readme"
kernels=$top/build/kernels
table=$kernels/table
readme=$top/README.md
begin='<!-- begin: scripts/check-kernels.sh --readme -->'
end='<!-- end: scripts/check-kernels.sh --readme -->'
few=(test-load.sh test-growth.sh test-interrupts.sh test-go.sh test-storm.sh)

# Prints one kernel of each version of Linux other than the machine's own.
other_versions()
{
	local name flavour release own=$kernel_release
	grep -v '^#' "$top/scripts/kernels" | while read -r name _ release flavour _; do
		[ "$flavour" != amd64 ] || echo "$name $release"
	done | awk -v own="$own" '
		function version(release) {
			match(release, /^[0-9]+[.][0-9]+/)
			return substr(release, 1, RLENGTH)
		}
		BEGIN { seen[version(own)] = 1 }
		!seen[version($2)]++ { print $1 }' | xargs
}

# --- A few of the tests ------------------------------------------------------

# The first script loads the module, which fails if its self-test does. These kernels call through
# registers without a thunk, as they do on most processors of today, but not on QEMU's.
short()
{
	local name=kernel-$1 dir=$kernels/$1 status=0
	local -x KERNEL=$1
	"$top/scripts/setup.sh" build vm || status=$?
	if [ $status -eq 3 ]; then
		say "Linux $1 is skipped: the archive has a newer version in its place"
		echo "$name: 0 passed, 0 failed, 1 skipped"
		return
	fi
	if [ $status -ne 0 ] || ! "$top/scripts/build.sh" >&2; then
		echo "$name: 0 passed, 1 failed, 0 skipped"
		return 1
	fi
	say "booting Linux $1 for ${few[*]}"
	"$top/scripts/vm.sh" -t "${SELFTEST_TIMEOUT:-3600}" -o "$dir/vm/short" \
		-a spectre_v2=off /selftests/run.sh "${few[@]}" >&2 || status=$?
	(read_kernel && judge "$name" "$dir/vm/short/output.log" $status)
}

# --- All tests, and the table ------------------------------------------------

# Print the number of CPUs in NAME[:CPUS], and the log of its last run.
cpus_of()
{
	[[ $1 == *:* ]] || set -- :2
	echo "${1#*:}"
}

log_of()
{
	echo "$kernels/${1%:*}/check-$(cpus_of "$1")-cpu.log"
}

all()
{
	local name=${1%:*} cpus log status=0
	cpus=$(cpus_of "$1")
	log=$(log_of "$1")
	mkdir -p "$kernels/$name"
	# Remove the output of an earlier run, so that it is not taken for this run's.
	rm -rf "$kernels/$name/vm/selftest"
	say "Linux $name with $cpus CPUs: all selftests"
	{
		echo "costack $(git -C "$top" describe --always --dirty=+ 2>/dev/null)"
		KERNEL=$name CPUS=$cpus "$top/scripts/check.sh" selftest
	} | tee "$log" || status=1
	[ -s "$kernels/$name/vm/selftest/output.log" ] || echo "it did not boot" >>"$log"
	return $status
}

# Prints the table of README.md.
old_table()
{
	awk -v begin="$begin" -v end="$end" '
		$0 == end { exit }
		inside
		$0 == begin { inside = 1 }' "$readme"
}

# Prints the row of NAME[:CPUS]. The first line of its log says which costack, the last line has
# the counts. If there is no log, it prints the row of README.md.
row()
{
	local log release costack boots=yes p f s
	log=$(log_of "$1")
	if [ ! -e "$log" ]; then
		old_table | awk -F ' *[|] *' -v name="${1%:*}" -v cpus="$(cpus_of "$1")" \
			'$2 == name && $5 == cpus'
		return
	fi
	costack=$(sed -n '1s/^costack //p' "$log")
	release=$(cat "$kernels/${1%:*}/kernel/release" 2>/dev/null) || release='?'
	! grep -qx 'it did not boot' "$log" || boots=no
	read -r p f s < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' \
		"$log" | tail -n 1) || { p=0 f=1 s=0; }
	echo "| ${1%:*} | $release | ${costack:-?} | $(cpus_of "$1") | $boots | $p | $f | $s |"
}

# The table has the kernels of the default list, in its order; below it stands why tests were
# skipped.
make_table()
{
	local name
	echo "| kernel | release | costack | CPUs | boots | passed | failed | skipped |"
	echo "| --- | --- | --- | ---: | --- | ---: | ---: | ---: |"
	for name in "${every[@]}"; do
		row "$name"
	done
	for name in "${every[@]}"; do
		if [ -e "$(log_of "$name")" ]; then
			sed -n "s/^[^ ]*: skipped: \([^ ]*\) \(.*\)/- \`\1\`: \2/p" "$(log_of "$name")"
		else
			old_table | grep '^- '
		fi
	done | sort -u | sed '1i\\nSkipped:'
}

# Replaces the lines between two comments, and leaves the rest of the README alone.
put_in_readme()
{
	[ -s "$table" ] || die "there is no table yet" "run make check-kernels first"
	[ "$(grep -cxF -e "$begin" -e "$end" "$readme")" -eq 2 ] ||
		die "README.md has no place for the table" "it goes between the lines" "$begin" "$end"
	awk -v begin="$begin" -v end="$end" -v table="$table" '
		$0 == end { inside = 0 }
		!inside
		$0 == begin {
			inside = 1
			print ""
			while ((getline line < table) > 0)
				print line
			print ""
		}' "$readme" >"$kernels/README.new" &&
		cp "$kernels/README.new" "$readme" && rm "$kernels/README.new"
}

[ -z "${KERNEL:-}" ] || die "KERNEL names one kernel, but this script is for several" "$usage"
mode=all
case ${1:-} in
--short | --readme) mode=${1#--}; shift ;;
-*) die "unknown option: $1" "$usage" ;;
esac
read -ra every < <(kernel_names)
every+=(6.1:1 6.1:4 6.1:8)
if [[ ${1:-} == -* ]] || [[ $mode == readme && $# -gt 0 ]]; then
	die "not with --$mode: $1" "$usage"
fi
names=("$@")
if [ $# -eq 0 ]; then
	names=("${every[@]}")
	[ "$mode" != short ] || read -ra names < <(other_versions)
fi
for name in "${names[@]}"; do
	(KERNEL=${name%:*}; read_kernel) || exit
	[[ $name != *:* ]] || [[ $mode != short && $name =~ :[1-9][0-9]*$ ]] ||
		die "no number of CPUs: $name" "$usage"
done

status=0
case $mode in
readme)
	put_in_readme || status=1
	;;
short)
	for name in "${names[@]}"; do
		short "$name" || status=1
	done
	;;
all)
	for name in "${names[@]}"; do
		all "$name" || status=1
	done
	make_table >"$table"
	cat "$table"
	;;
esac
exit $status
