#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots the image of kit.sh as firmware does: from a USB stick by BIOS and by UEFI (OVMF),
# from a hard disk in Bochs, and from media to which no report can be written. Then judges
# the output on the serial port and the screen, and the report, which it reads from the
# image. The image is the one that users get; a file kit.cfg on it selects the menu entry.
#
# usage: scripts/kit-test.sh [bios] [uefi] [describe] [silent] [refuse] [lost]
#		[protected] [broken] [dies] [bochs] [all]
#	(default: all of these but the last, which runs all tests; makes the image first)
# environment: KERNEL, QEMU_ACCEL, QEMU_CPU, as for vm.sh

set -uo pipefail
. "$(dirname "$0")/lib.sh"
. "$top/selftests/vm/results.sh"

enter=''
image=$out/kit/costack-kit.img
ovmf=/usr/share/OVMF

# offset IMAGE: prints where the partition for the report begins, in bytes
offset()
{
	xorriso -indev "$1" -report_system_area plain 2>/dev/null | awk '
		/^GPT partname local.*Appended3/ { n = $5 }
		/^GPT start and size/ && $6 == n { print $7 * 512 }'
}

# prepare NAME CONFIG...: copies the image to a larger stick, with this kit.cfg
prepare()
{
	dir=$out/vm/kit-$1
	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$image" "$dir/stick"
	truncate -s $(($(stat -c %s "$image") / 1048576 * 1048576 + 8257536)) "$dir/stick"
	log="$dir/stick@@$(offset "$image")"
	printf 'set %s\n' timeout=0 "$@" >"$dir/kit.cfg"
	mcopy -i "$log" "$dir/kit.cfg" ::
	: >"$dir/console.log"
}

# Whatever ends this script must end the emulator too.
ends_with_us()
{
	# shellcheck disable=SC2064 # the process id of now is meant
	trap "kill $pid" EXIT
}

# qemu HOW ARGUMENT...: boots the image and waits until the guest has powered off; QEMU
# then stays, so that its screen can be read. HOW is the medium: stick, protected (a
# write-protected stick), or virtio (a disk that the firmware reads and for which the kit
# has no driver).
qemu()
{
	local how=$1 command pid status=0 drive readonly=off serial=${serial:-file:$dir/console.log}
	shift
	[ "$how" != protected ] || readonly=on
	drive=(-drive "if=none,id=kit,format=raw,file=$dir/stick,readonly=$readonly")
	case $how in
	virtio) drive+=(-device "virtio-blk,drive=kit,bootindex=0") ;;
	*) drive+=(-device qemu-xhci -device "usb-storage,drive=kit,bootindex=0") ;;
	esac
	command=("${QEMU:-qemu-system-x86_64}" -accel "${QEMU_ACCEL:-$kernel_accel}"
		-cpu "${QEMU_CPU:-max}" -smp 2 -m 1G -nodefaults -display none -vga std
		-no-reboot -no-shutdown -serial "$serial"
		-qmp "unix:$dir/qmp,server=on,wait=off" "${drive[@]}" "$@")
	"${command[@]}" </dev/null >"$dir/emulator.log" 2>&1 &
	pid=$!
	ends_with_us
	"$top/scripts/kit-screen.py" "$dir/qmp" "$limit" "$dir/screen" ${enter:+"$enter"} \
		>>"$dir/emulator.log" 2>&1 ||
		status=$?
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	trap - EXIT
	return $status
}

# --- Checks ----------------------------------------------------------------------

# check NAME COMMAND...: a case passes if the command succeeds; the command's output says why
# it failed
check()
{
	local name=kit.$case.$1 said status=0
	shift
	said=$("$@" 2>&1) || status=$?
	result "$name" $status
	# shellcheck disable=SC2001 # it changes every line
	[ $status -eq 0 ] || sed 's/^/# /' <<<"$said"
}

# shows FILE REGEX: one line of it matches from its first to its last character
shows()
{
	grep -aqxE -- "$2" < <(tr -d '\r' <"$1") && return
	echo "${1#"$top/"} has no line $2; its end:"
	tail -n 25 "$1"
	return 1
}

verdict()
{
	shows "$dir/console.log" "costack kit: $1"
}

fetch_report()
{
	mcopy -n -i "$log" "::$1" "$dir/$1"
}

has_no_report()
{
	! mdir -b -i "$log" :: | grep -i report
}

# complete SECTION...: none of these sections of the report is empty, and the report ends
# with the verdict
complete()
{
	local section status=0
	for section in "$@"; do
		awk -v section="== $section" '
			/^== / { here = $0 == section; next }
			here && NF { n++ }
			END { exit !n }' "$dir/report.txt" || { echo "nothing in: $section"; status=1; }
	done
	return $status
}

# adds_up SCRIPTS: this many scripts ran, each result was counted, and the verdict is the sum
adds_up()
{
	awk -v want="$1" '
		/ passed, [0-9]+ failed, [0-9]+ skipped$/ { passed += $2; scripts++ }
		/^costack kit: PASSED/ { said = $4 + 0 }
		END {
			# The self-test and the benchmarks are counted too.
			if (said == passed + 2 && scripts == want)
				exit 0
			print scripts + 0 " scripts passed " passed + 0 " tests, and the verdict says " said
			exit 1
		}' "$dir/report.txt"
}

# figures N: there are this many rows of figures, and none is zero
figures()
{
	awk -v want="$1" '
		/^[a-z_0-9]+ +[0-9.]+ ns$/ { n++; if ($2 <= 0) bad = bad " " $1 }
		END { if (n != want || bad) { print n + 0 " rows, of nothing:" bad; exit 1 } }' "$dir/report.txt"
}

# A picture of a single colour shows nothing. A PPM file has a header of three words, and
# then bytes.
picture()
{
	[ "$(tail -c +16 "$dir/screen.ppm" | od -An -v -tx1 -w3 | sort -u | wc -l)" -gt 1 ]
}

# growth_passed FIRMWARE: the checks of a machine on which all tests pass
growth_passed()
{
	check verdict verdict 'PASSED [0-9]{2,}, FAILED 0, SKIPPED [0-9]+: report.txt is on the stick'
	check report fetch_report report.txt
	check complete complete machine cpu kernel self-test tests figures verdict
	check firmware shows "$dir/report.txt" "firmware: $1, .+"
	check cpu shows "$dir/report.txt" 'model name: .+'
	check self-test shows "$dir/report.txt" '.*costack: loaded, stacks of .*'
	check adds-up adds_up 2
	check figures figures 12
}

# --- The cases ---------------------------------------------------------------------

# The kernel counts ticks for some milliseconds to see whether the timer works, and panics if
# it sees none. On a busy host an emulator may not run that long: hence no_timer_check.
calm='panic=-1 no_timer_check'
words="kit_words='kit=poweroff $calm'"

bios()
{
	prepare bios default=growth "$words"
	check powers-off qemu stick
	growth_passed BIOS
	check screen shows "$dir/screen.txt" 'costack kit: PASSED [0-9]{2,}, FAILED 0, .*'
}

uefi()
{
	prepare uefi default=growth "$words"
	cp $ovmf/OVMF_VARS_4M.fd "$dir/vars"
	check powers-off qemu stick -machine q35 \
		-drive if=pflash,format=raw,readonly=on,file=$ovmf/OVMF_CODE_4M.fd \
		-drive "if=pflash,format=raw,file=$dir/vars"
	growth_passed 'UEFI, 64 bits'
	check screen picture
}

# The kit waits for a key on a USB keyboard. A report that is already there must stay.
describe()
{
	local enter=$out/vm/kit-describe/console.log
	prepare describe default=describe "kit_words='$calm'"
	echo mine | mcopy -i "$log" - ::report.txt
	check powers-off-at-enter qemu stick -device usb-kbd
	check verdict verdict 'NOTHING TESTED: report-2.txt is on the stick'
	check report fetch_report report-2.txt
	check report-before fetch_report report.txt
	check kept shows "$dir/report.txt" mine
	mv "$dir/report-2.txt" "$dir/report.txt"
	check complete complete machine cpu kernel verdict
}

# The machine has no serial port.
silent()
{
	prepare silent default=describe "$words"
	serial=none check powers-off qemu stick
	check screen shows "$dir/screen.txt" 'costack kit: NOTHING TESTED: report.txt is on the stick'
	check report fetch_report report.txt
	check complete complete machine cpu kernel verdict
}

# costack refuses to load on this machine.
refuse()
{
	prepare refuse default=growth "kit_words='kit=poweroff $calm noapic'"
	check powers-off qemu stick
	check verdict verdict 'PASSED 0, FAILED 1, SKIPPED 0: report.txt is on the stick'
	check reason shows "$dir/console.log" '  costack cannot be loaded: an 8259 interrupts the CPU.*'
	check report fetch_report report.txt
	check report-reason shows "$dir/report.txt" '.*costack: cannot load: an 8259 interrupts the CPU.*'
	check report-verdict shows "$dir/report.txt" 'failed: self-test'
}

# The kit must print the report.
lost()
{
	prepare lost default=describe "$words"
	check powers-off qemu virtio
	check verdict verdict 'NOTHING TESTED: there is no partition COSTACKLOG, and the report is above'
	check printed shows "$dir/console.log" 'model name: .+'
	check no-report has_no_report
}

protected()
{
	prepare protected default=describe "$words"
	check powers-off qemu protected
	check verdict verdict 'NOTHING TESTED: .*, cannot be written, and the report is above'
	check printed shows "$dir/console.log" 'model name: .+'
	check no-report has_no_report
}

# replace GROUP/TEST PROGRAM: edits the test script on this stick with the sed program
replace()
{
	local files=$dir/files
	mkdir -p "$files/selftests/${1%/*}"
	sed "$2" "$top/selftests/$1" >"$files/selftests/$1"
	chmod +x "$files/selftests/$1"
	(cd "$files" && find selftests | cpio --quiet -o -H newc -R 0:0) >"$dir/more"
	mcopy -i "$log" "$dir/more" ::
}

# A test fails.
broken()
{
	prepare broken default=growth "$words" "kit_initrd=(\$log)/more"
	replace growth/test-frames.sh 's/^finish$/test_case broken is it whole broken; finish/'
	check powers-off qemu stick
	check verdict verdict 'PASSED [0-9]{2,}, FAILED 1, SKIPPED 0: report.txt is on the stick'
	check which shows "$dir/console.log" 'FAILED: test-frames.sh'
	check report fetch_report report.txt
	check report-result shows "$dir/report.txt" 'not ok [0-9]+ - frames.broken'
	check report-why shows "$dir/report.txt" "# it: expected 'whole', got 'broken'"
	check report-verdict shows "$dir/report.txt" 'failed: test-frames.sh'
}

# The machine dies: the report names the script and has no verdict.
dies()
{
	prepare dies default=growth "$words" "kit_initrd=(\$log)/more"
	replace growth/test-frames.sh 's|^finish$|echo c >/proc/sysrq-trigger|'
	check resets ends_badly qemu stick
	check report fetch_report report.txt
	check complete complete machine cpu kernel self-test tests
	check before shows "$dir/report.txt" 'test-growth.sh: [0-9]+ passed, 0 failed, 0 skipped'
	check where is_last 'test-frames.sh ...'
}

ends_badly()
{
	local status=0
	"$@" || status=$?
	[ $status -eq 1 ] || { echo "status $status"; return 1; }
}

is_last()
{
	[ "$(tail -n 1 "$dir/report.txt")" = "$1" ] || { tail -n 3 "$dir/report.txt"; return 1; }
}

# All tests run except text-suspend.sh. The rows on memory need more memory.
all()
{
	local scripts=("$top"/selftests/*/te[sx]t-*.sh)
	prepare all default=all "$words"
	limit=5400 check powers-off qemu stick -m 2G
	check verdict verdict 'PASSED [0-9]{3,}, FAILED 0, SKIPPED [0-9]+: report.txt is on the stick'
	check report fetch_report report.txt
	check adds-up adds_up $((${#scripts[@]} - 1))
	check parked shows "$dir/report.txt" 'bytes_parked +[0-9.]+ bytes'
}

in_bochs()
{
	local pid status=0
	timeout -k 5 7200 "$top/scripts/bochs.sh" "$dir" 2 512M "$dir/stick" &
	pid=$!
	ends_with_us
	wait "$pid" || status=$?
	trap - EXIT
	return $status
}

bochs()
{
	EMULATOR=bochs "$top/scripts/fetch-emulator.sh" || return
	prepare bochs default=growth "$words"
	check powers-off in_bochs
	growth_passed BIOS
}

limit=1200 cases=(bios uefi describe silent refuse lost protected broken dies bochs)
[ $# -gt 0 ] || set -- "${cases[@]}"
for case in "$@"; do
	[[ " ${cases[*]} all " == *" $case "* ]] || die "there is no case $case" "these are: ${cases[*]} all"
done
"$top/scripts/setup.sh" vm kit || exit
[ -n "${KIT_IMAGE:-}" ] || "$top/scripts/kit.sh" || exit
echo "TAP version 13"
for case in "$@"; do
	say "booting: $case"
	"$case"
done
end_results
