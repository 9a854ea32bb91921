#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots a kernel in Bochs from a CD with isolinux, because Bochs does not load kernels
# itself; or boots a disk image that has its own boot loader. The three serial ports write
# to the files that vm.sh reads. Ends when the guest powers off or resets.
#
# usage: scripts/bochs.sh DIR CPUS MEM KERNEL CMDLINE		(vm.sh calls it)
#        scripts/bochs.sh DIR CPUS MEM IMAGE			(kit-test.sh does)
#   DIR has the file initrd, and gets console.log, output.log, verdict, and Bochs's own:
#   bochsrc and bochs.log
# environment: BOCHS_CPU, one of Bochs's CPU models (corei7_haswell_4770)
# exit status: 0 if the guest powered off or reset

set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -eq 4 ] || [ $# -eq 5 ] || die "four or five arguments are needed" \
	"usage: scripts/bochs.sh DIR CPUS MEM KERNEL CMDLINE, or DIR CPUS MEM IMAGE"
dir=$1 cpus=$2 mem=$3 vmlinuz=$4 cmdline=${5:-}
tree=$top/build/emulators/bochs
root=$tree/root

make_cd()
{
	local files=$dir/cd
	rm -rf "$files"
	mkdir "$files"
	cp "$root/usr/lib/ISOLINUX/isolinux.bin" \
		"$root/usr/lib/syslinux/modules/bios/ldlinux.c32" "$files/"
	cp "$vmlinuz" "$files/vmlinuz"
	mv "$dir/initrd" "$files/initrd"
	printf '%s\n' 'default linux' 'label linux' 'kernel vmlinuz' \
		"append initrd=initrd $cmdline" >"$files/isolinux.cfg"
	"$tree/xorriso" -as mkisofs -quiet -b isolinux.bin -c boot.cat -no-emul-boot \
		-boot-load-size 4 -boot-info-table -o "$dir/cd.iso" "$files"
	rm -rf "$files"
}

# One second of the guest is $ips instructions, whatever the host's clock says. The CPUs
# take turns, each executing `quantum` instructions. A reset is fatal, because it would boot
# again. Errors are not logged, because at every tick the kernel reads registers that this
# CPU model lacks.
write_bochsrc()
{
	local megs=$(($(numfmt --from=iec "$mem") >> 20))
	cat >"$dir/bochsrc" <<-EOF
	config_interface: textconfig
	display_library: term
	sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
	romimage: file="$root/usr/share/bochs/BIOS-bochs-latest"
	vgaromimage: file="$root/usr/share/vgabios/vgabios.bin"
	cpu: model=${BOCHS_CPU:-corei7_haswell_4770}, count=$cpus, ips=100000000, quantum=16, reset_on_triple_fault=0
	memory: guest=$megs, host=$megs
	clock: sync=none
	ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
	ata0-master: $disk
	boot: $boot
	com1: enabled=1, mode=file, dev="$dir/console.log"
	com2: enabled=1, mode=file, dev="$dir/output.log"
	com3: enabled=1, mode=file, dev="$dir/verdict"
	log: "$dir/bochs.log"
	panic: action=fatal
	error: action=ignore
	info: action=report
	debug: action=ignore
	EOF
	# Bochs starts in its debugger.
	echo continue >"$dir/bochs.start"
}

# Bochs ignores SIGTERM.
# shellcheck disable=SC2317 # called by trap
stop_bochs()
{
	kill -KILL "$bochs_pid" 2>/dev/null || :
	rm -f "$dir/cd.iso" "$dir/bochs.start"
	exit 130
}

# Its display only needs the name of a terminal.
run_bochs()
{
	local status=0
	LTDL_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu/bochs/plugins TERM=vt100 \
		"$tree/bochs" -q -f "$dir/bochsrc" -rc "$dir/bochs.start" >/dev/null &
	bochs_pid=$!
	trap stop_bochs INT TERM HUP
	wait "$bochs_pid" || status=$?
	trap - INT TERM HUP
	rm -f "$dir/cd.iso" "$dir/bochs.start"
	! grep -qE 'soft power off|3rd \([0-9]+\) exception' "$dir/bochs.log" || return 0
	grep 'PANIC' "$dir/bochs.log" >&2 || tail -n 5 "$dir/bochs.log" >&2
	return $status
}

# Its BIOS expects the size of a disk in cylinders of 16 heads.
if [ $# -eq 4 ]; then
	boot=disk disk="type=disk, path=\"$vmlinuz\", mode=flat"
	disk+=", cylinders=$(($(stat -c %s "$vmlinuz") / (16 * 63 * 512))), heads=16, spt=63"
else
	boot=cdrom disk="type=cdrom, path=\"$dir/cd.iso\", status=inserted"
	cmdline+=" reboot=triple"
	make_cd
fi
write_bochsrc
run_bochs
