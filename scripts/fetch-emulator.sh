#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Gets an emulator other than the machine's QEMU, and installs nothing: unpacks packages
# of Debian 13 or its backports below build/emulators/NAME/, but only the files that
# running a kernel needs. The programs start with the dynamic loader and the libraries of
# these packages. Then
#
#	EMULATOR=qemu11 make selftest
#
# boots with it. This needs no root and does not use the machine's apt (see apt.sh). An
# emulator that is already there stays; remove the directory to get a newer one.
#
# usage: EMULATOR=qemu10|qemu11|bochs scripts/fetch-emulator.sh
# environment: MIRROR, of Debian packages (default: the one that apt is set up for)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

tree=$top/build/emulators/${EMULATOR:-}
. "$(dirname "$0")/unpack.sh"

# QEMU boots kernels with -kernel and has no devices except those that tests name.
setup_qemu()
{
	local data=/usr/share/qemu
	fetch_libs qemu-system-x86
	unpack qemu-system-x86 /usr/bin/qemu-system-x86_64
	unpack qemu-system-data "$data/linuxboot_dma.bin" "$data/kvmvapic.bin"
	unpack seabios /usr/share/seabios/bios-256k.bin
	unpack ipxe-qemu "$data/efi-virtio.rom" "$data/efi-e1000.rom"
	keep_libs /usr/bin/qemu-system-x86_64
	# shellcheck disable=SC2016 # the script that wrap makes expands it
	wrap qemu root/usr/bin/qemu-system-x86_64 \
		-L '${top}root/usr/share/qemu' -L '${top}root/usr/share/seabios'
}

# Bochs boots kernels from a CD only, which isolinux and xorriso make.
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

# Prints the first words of the emulator, because Bochs has no option to print its version.
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
