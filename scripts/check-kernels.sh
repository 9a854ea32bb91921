#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds for kernels of scripts/kernels, one after the other, and runs the selftests on
# each. Goes on after a failure. At the end comes a table of what each has last been
# found to do; it is also in build/kernels/table.
#
# usage: scripts/check-kernels.sh [NAME...]	all selftests (default: all kernels)
#        scripts/check-kernels.sh --short [NAME...]
#						some of those of the guest, as a part of
#						"make check" (default: 6.12 and 7.3);
#						a line of counts a kernel, and no table
#        scripts/check-kernels.sh --readme	puts the table into README.md
# environment: SELFTEST_TIMEOUT (seconds for a VM of selftests/run.sh: 3600, or 900 if
#	short), QEMU_ACCEL, MIRROR: see the other scripts

set -uo pipefail
. "$(dirname "$0")/lib.sh"

usage="usage: scripts/check-kernels.sh [--short] [NAME...], or --readme"
kernels=$top/build/kernels
table=$kernels/table
few=(test-load.sh test-growth.sh test-interrupts.sh test-go.sh test-storm.sh)

# --- Some of the tests -------------------------------------------------------

# At the first: the module's own self-test; it is not loaded if that fails.
short()
{
	local name=kernel-$1 dir=$kernels/$1 status=0
	local -x KERNEL=$1
	if ! "$top/scripts/setup.sh" build vm || ! "$top/scripts/build.sh" >&2; then
		echo "$name: 0 passed, 1 failed, 0 skipped"
		return 1
	fi
	say "booting Linux $1 for ${few[*]}"
	"$top/scripts/vm.sh" -t "${SELFTEST_TIMEOUT:-900}" -o "$dir/vm/short" \
		/selftests/run.sh "${few[@]}" >&2 || status=$?
	awk -v name="$name" -v status="$status" -v allowed="$top/selftests/allowed-skips" \
		-f "$top/scripts/tap.awk" "$dir/vm/short/output.log"
}

# --- All of them, and the table ----------------------------------------------

# The row of kernel $1, whose counts are the last line of its log.
row()
{
	local dir=$kernels/$1 release boots=no p f s
	release=$(cat "$dir/kernel/release" 2>/dev/null) || release='?'
	[ ! -s "$dir/vm/selftest/output.log" ] || boots=yes
	read -r p f s < <(tail -n 1 "$dir/check.log" |
		sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p') ||
		{ p=0 f=1 s=0; }
	echo "| $1 | $release | $boots | $p | $f | $s |"
}

# What an earlier run has left is not to be taken for this one's.
all()
{
	local name=$1 dir=$kernels/$1 status=0
	mkdir -p "$dir"
	rm -rf "$dir/vm/selftest" "$dir/row"
	say "Linux $name: all selftests"
	KERNEL=$name SELFTEST_TIMEOUT=${SELFTEST_TIMEOUT:-3600} "$top/scripts/check.sh" selftest |
		tee "$dir/check.log" || status=1
	row "$name" >"$dir/row"
	return $status
}

make_table()
{
	local name
	echo "| kernel | release | boots | passed | failed | skipped |"
	echo "| --- | --- | --- | ---: | ---: | ---: |"
	for name in $(kernel_names); do
		[ ! -e "$kernels/$name/row" ] || cat "$kernels/$name/row"
	done
}

# Between two comments, so that the rest of the README is left alone.
put_in_readme()
{
	local readme=$top/README.md
	local begin='<!-- begin: scripts/check-kernels.sh --readme -->'
	local end='<!-- end: scripts/check-kernels.sh --readme -->'
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

[ -z "${KERNEL:-}" ] || die "KERNEL names one kernel, this is for several" "$usage"
mode=all
case ${1:-} in
--short | --readme) mode=${1#--}; shift ;;
-*) die "unknown option: $1" "$usage" ;;
esac
names=("$@")
if [ $# -eq 0 ]; then
	names=(6.12 7.3)
	[ "$mode" = short ] || read -ra names < <(kernel_names)
fi
for name in "${names[@]}"; do
	(KERNEL=$name; read_kernel) || exit
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
