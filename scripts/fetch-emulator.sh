#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Gets another emulator than the machine's QEMU, and installs nothing: packages of
# Debian 13 or its backports are unpacked below build/emulators/NAME/, only what running
# a kernel needs of them, and started by the dynamic loader and the libraries that came
# with them. Then
#
#	EMULATOR=qemu11 make selftest
#
# boots with it. No root is needed, and apt is not the machine's: apt.sh. What is there
# stays; remove the directory to get a newer one.
#
# usage: EMULATOR=qemu10|qemu11|bochs scripts/fetch-emulator.sh
# environment: MIRROR, of Debian packages (default: the one that apt is set up for)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

tree=$top/build/emulators/${EMULATOR:-}
. "$(dirname "$0")/unpack.sh"

# One of them boots kernels with -kernel and has no devices but those that tests name.
setup_qemu()
{
	local data=/usr/share/qemu
	fetch_libs qemu-system-x86
	unpack qemu-system-x86 /usr/bin/qemu-system-x86_64
	unpack qemu-system-data "$data/linuxboot_dma.bin" "$data/kvmvapic.bin"
	unpack seabios /usr/share/seabios/bios-256k.bin
	unpack ipxe-qemu "$data/efi-virtio.rom" "$data/efi-e1000.rom"
	keep_libs /usr/bin/qemu-system-x86_64
	# shellcheck disable=SC2016 # for the script that wrap makes
	wrap qemu root/usr/bin/qemu-system-x86_64 \
		-L '${top}root/usr/share/qemu' -L '${top}root/usr/share/seabios'
}

# It boots from a CD only, which isolinux and xorriso make.
setup_bochs()
{
	local plugins=$lib/bochs/plugins
	fetch_libs bochs bochs-term xorriso
	unpack bochs /usr/bin/bochs-bin "$plugins/*"
	unpack bochs-term "$plugins/*"
	unpack bochsbios /usr/share/bochs/BIOS-bochs-latest
	unpack vgabios /usr/share/vgabios/vgabios.bin
	unpack xorriso /usr/bin/xorriso
	unpack isolinux /usr/lib/ISOLINUX/isolinux.bin
	unpack syslinux-common /usr/lib/syslinux/modules/bios/ldlinux.c32
	keep_libs /usr/bin/bochs-bin /usr/bin/xorriso "$plugins/libbx_term_gui.so"
	wrap bochs root/usr/bin/bochs-bin
	wrap xorriso root/usr/bin/xorriso
}

# Their first words; Bochs has no option that only says who it is.
try()
{
	case $EMULATOR in
	qemu*) "$tree/qemu" --version | head -n 1 ;;
	bochs) LTDL_LIBRARY_PATH=$root$lib/bochs/plugins "$tree/bochs" --help 2>&1 |
		sed -n 's/^ *\(Bochs x86 Emulator\)/\1/p' ;;
	esac
}

fetch()
{
	rm -rf "$root" "$tree/libs"
	mkdir -p "$root"
	apt_setup "$tree/apt" "${suites[@]}"
	apt_release=${suites[-1]}
	case $EMULATOR in
	qemu*) setup_qemu ;;
	bochs) setup_bochs ;;
	esac
	version=$(try)
	[ -n "$version" ] || die "$EMULATOR does not work" "remove $tree and run $0 again"
	echo "$version" >"$tree/version"
	say "$version is in build/emulators/$EMULATOR"
}

case ${EMULATOR:-} in
qemu10 | bochs) suites=(trixie) ;;
qemu11) suites=(trixie trixie-backports) ;;
*) die "no emulator is called '${EMULATOR:-}'" "usage: EMULATOR=qemu10|qemu11|bochs $0" ;;
esac
mkdir -p "$tree"
exec 9>"$tree/lock"
flock 9
if [ ! -e "$tree/version" ]; then
	trap 'rm -rf "$tree/apt" "$tree/libs"' EXIT
	fetch
fi
