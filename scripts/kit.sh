#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes an image that a spare PC boots, by BIOS or UEFI: Debian's kernel, costack, and its
# tests and benchmarks, which kit-init.sh runs there. grub-mkrescue makes it as a hybrid of
# a CD and a disk: write it to a USB stick as it is, or burn it. The disk has another
# partition, FAT, labelled COSTACKLOG. The kit writes its report there, and GRUB reads the
# file kit.cfg there, if it exists. That file may set
#
#	default		all, growth or describe: the entry of the menu that is booted
#	timeout		seconds until it is
#	kit_words	more words for the kernel's command line; kit=poweroff does not wait
#			for Enter at the end
#	kit_initrd	another archive for the kernel's root, ($log)/FILE: files to replace
#
# usage: scripts/kit.sh		makes build/kit/costack-kit.img
# environment: KERNEL, of scripts/kernels (not a cloud kernel: it has no USB drivers)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest.sh"

dir=$out/kit
image=$dir/costack-kit.img
label=COSTACKLOG log_mib=16
# The stock modules of vm.sh, for the tests; drivers for USB, card readers, and other disks
# that may hold the image; FAT and its character sets; keyboards and the power button.
stock=('sha256_ssse3|sha256' zstd deflate lzo
	xhci-pci ehci-pci ohci-pci uhci-hcd usb-storage uas sdhci-pci mmc_block
	sd_mod ahci ata_piix ata_generic nvme
	vfat nls_cp437 nls_ascii nls_utf8
	usbhid hid-generic button)

# Prints what the modules were built from, for the report.
source_version()
{
	git -C "$top" describe --always --dirty --abbrev=12 2>/dev/null || echo unknown
}

make_initrd()
{
	local root=$dir/root
	guest_root "$root" "$out" "$top/scripts/kit-init.sh"
	rm -f "$root/lib/costack/costack_test_crash.ko"
	cp "$top/scripts/tap.awk" "$top/scripts/kit-describe.sh" "$root/files/"
	gcc -O2 -static -Wall -Werror -o "$root/files/pagefault" "$top/selftests/bench/pagefault.c"
	echo "$(source_version), for Linux $release" >"$root/files/version"
	guest_modules "$root" "${stock[@]}"
	guest_archive "$root" "$dir/initrd"
	gzip -n -9 -c "$dir/initrd" >"$dir/cd/boot/initrd"
	rm -f "$dir/initrd"
}

# entry ID TITLE
entry()
{
	cat <<-EOF

	menuentry "costack kit: $2" --id $1 {
		linux /boot/vmlinuz \$words kit=$1 \$kit_words
		initrd /boot/initrd \$kit_initrd
	}
	EOF
}

# The kit reads the keyboard on the last console=. A missing serial port must not disable
# the screen.
make_menu()
{
	cat <<-EOF
	set default=all
	set timeout=5
	set kit_words=
	set kit_initrd=
	set words="rdinit=/init console=ttyS0,115200 console=tty0 quiet panic=0 consoleblank=0"
	if serial --unit=0 --speed=115200; then
		terminal_input console serial
		terminal_output console serial
	fi
	insmod all_video
	set gfxpayload=keep
	if search --no-floppy --set=log --label $label; then
		if [ -f (\$log)/kit.cfg ]; then
			source (\$log)/kit.cfg
		fi
	fi
	EOF
	entry all "all tests (10 to 30 minutes)"
	entry growth "self-test and growth only (2 minutes)"
	entry describe "describe the machine, and load nothing"
}

make_log_partition()
{
	rm -f "$dir/log.fat"
	truncate -s ${log_mib}M "$dir/log.fat"
	mformat -i "$dir/log.fat" -v $label -N 0c057ac4 -T $((log_mib * 2048)) -h 16 -s 63 ::
	sed 's/$/\r/' >"$dir/readme.txt" <<-EOF
	The costack kit leaves report.txt here. Please send it in.
	If there is no report after a run, a photograph of the screen helps.
	EOF
	mcopy -i "$dir/log.fat" "$dir/readme.txt" ::README.TXT
}

make_image()
{
	rm -f "$image"
	grub-mkrescue -o "$image" --locales= --fonts= --themes= "$dir/cd" -- \
		-volid COSTACK_KIT -append_partition 3 0x0c "$dir/log.fat" \
		-boot_image any appended_part_as=gpt -boot_image any mbr_force_bootable=on >"$dir/mkrescue.log" 2>&1 ||
		{ tail -n 5 "$dir/mkrescue.log" >&2
			die "grub-mkrescue failed" "the log is ${dir#"$top/"}/mkrescue.log"; }
}

[ $# -eq 0 ] || die "no arguments are known" "usage: scripts/kit.sh"
[[ $kernel_flavour != cloud-* ]] ||
	die "Linux $kernel_name has no USB drivers" "choose another of these: $(kernel_names)"
"$top/scripts/setup.sh" build kit
KDIR=$(find_vm_kdir)
export KDIR
"$top/scripts/build.sh"
find_stock_kernel
say "making an image with Linux $release"
rm -rf "$dir/cd"
mkdir -p "$dir/cd/boot/grub"
cp "$vmlinuz" "$dir/cd/boot/vmlinuz"
make_menu >"$dir/cd/boot/grub/grub.cfg"
make_initrd
make_log_partition
make_image
rm -rf "$dir/cd" "$dir/log.fat" "$dir/readme.txt"
image=${image#"$top/"}
say "$(cd "$top" && du -m "$image" | cut -f 1) MB are in $image: write them to a stick that may" \
	"lose what is on it, with dd if=$image of=/dev/sdX bs=4M conv=fsync"
