#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the packages that a bare Debian 12 or 13 lacks for the roles named. Kernel images
# and sources are only unpacked below build/: no kernel is installed and no boot loader is
# touched. The same goes for headers that depend on an image, as those of Debian 13 do.
#
# usage: scripts/setup.sh [build] [vm] [lint] [kunit] [debug] [bench] [fuzz] [deb] [dump] [kit]
#	(default: all but bench, deb, dump and kit)
# environment: KDIR, to prepare a VM for headers other than the default ones; KERNEL,
#	to prepare build and vm for one of scripts/kernels; EMULATOR, to prepare vm for
#	one of fetch-emulator.sh; SOURCE, of the kernels that lint, kunit and debug need

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
kernel=$out/kernel

# Package lists may be missing (a fresh container) or too old (a mirror drops superseded
# versions). Both show only as a failure, so refresh the lists and try once more.
with_fresh_lists()
{
	local log=$out/setup.log
	if ! "$@" >"$log" 2>&1; then
		say "refreshing the package lists"
		as_root apt-get -q update >"$log" 2>&1 ||
			{ tail -n 20 "$log" >&2; die "apt-get update failed" "check the network and /etc/apt"; }
		"$@" >"$log" 2>&1 ||
			{ tail -n 20 "$log" >&2; return 1; }
	fi
}

is_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

need()
{
	local missing=() patterns=() name
	for name in "$@"; do
		is_installed "$name" || missing+=("$name")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]}"
	for name in "${missing[@]}"; do
		patterns+=("$(exactly "$name")")
	done
	with_fresh_lists as_root apt-get -q -y -o DPkg::Lock::Timeout=900 --no-install-recommends install "${patterns[@]}" ||
		die "cannot install ${missing[*]}" "the log is build/setup.log"
}

# Gets package $1 from the archive and unpacks it into directory $2; with further arguments
# only the files whose paths match these patterns.
unpack_package()
{
	local name=$1 dir=$2 work status=0
	shift 2
	mkdir -p "$dir"
	work=$(mktemp -d "$out/deb.XXXXXX")
	say "fetching $name"
	(cd "$work" && with_fresh_lists apt-get -q download "$(exactly "$name")") &&
		dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$dir" --wildcards "$@" || status=$?
	rm -rf "$work"
	return $status
}

# Gets a kernel's headers and image, below build/, and its compiler: installs it if this
# machine's Debian has it, together with the library of objtool; otherwise makes a tree of
# the Debian that has it.
setup_unpacked()
{
	need kmod xz-utils
	"$top/scripts/fetch-kernel.sh"
	if [ -z "$kernel_tree" ]; then
		need libelf-dev "$(sed -n 's/^CC = .*)\(gcc-[0-9]*\)$/\1/p' "$(kernel_kdir)/.kernelvariables")"
	else
		need debootstrap
		"$top/scripts/debian-tree.sh" "$kernel_tree"
	fi
}

setup_build()
{
	need kmod python3-capstone python3-pyelftools
	if [ -n "${KERNEL:-}" ] || [ -z "$(find_kdir)" ]; then
		need_stock_headers
	fi
	# Debian's headers name their compiler; a user's own tree may not.
	command -v gcc-12 >/dev/null || command -v gcc >/dev/null || need gcc
}

need_stock_headers()
{
	if is_unpacked; then
		setup_unpacked
	else
		[ -n "$(find_vm_kdir)" ] || need linux-headers-amd64
	fi
}

fetch_kernel()
{
	local release=$1
	[ ! -e "$kernel/lib/modules/$release/modules.dep" ] || return 0
	unpack_package "linux-image-$release" "$kernel" || return 1
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$kernel" "$release"
}

setup_kernel()
{
	local dir release
	need_stock_headers
	! is_unpacked || return 0
	dir=$(find_vm_kdir)
	release=$(kdir_release "$dir")
	if ! fetch_kernel "$release"; then
		[ -z "${KDIR:-}" ] || die "no linux-image-$release in the archive" "unset KDIR"
		say "no image for $release in the archive, taking the newest headers"
		with_fresh_lists as_root apt-get -q -y -o DPkg::Lock::Timeout=900 --no-install-recommends install linux-headers-amd64
		dir=$(newest_headers)
		release=$(kdir_release "$dir")
		fetch_kernel "$release" ||
			die "no linux-image-$release in the archive" "the log is build/setup.log"
	fi
	echo "$release" >"$kernel/release"
	echo "$dir" >"$kernel/kdir"
}

# busybox-static conflicts with the busybox of many installations, so it is only unpacked.
setup_busybox()
{
	local work=$out/busybox
	[ ! -x "$busybox" ] || return 0
	mkdir -p "$(dirname "$busybox")"
	if is_installed busybox-static; then
		cp /bin/busybox "$busybox.new"
	else
		unpack_package busybox-static "$work" || die "cannot fetch busybox-static"
		cp "$(find "$work" -path '*/bin/busybox')" "$busybox.new"
		rm -rf "$work"
	fi
	mv "$busybox.new" "$busybox"
}

setup_vm()
{
	need qemu-system-x86 cpio kmod python3 gcc libc6-dev
	setup_kernel
	setup_busybox
	[ -z "${EMULATOR:-}" ] || "$top/scripts/fetch-emulator.sh"
}

# Writes the sources in package $1 as a tar archive.
source_tar()
{
	if is_installed "$1"; then
		cat "/usr/src/$1.tar.xz"
	else
		apt_fsys "$1" | tar -xO "./usr/src/$1.tar.xz"
	fi | xz -dc
}

in_archive()
{
	apt-cache policy "$1" | grep '^  Candidate: [0-9]' >/dev/null
}

# Makes package $1 available: with the machine's apt, or, if that has no such package, with
# an apt that is set up for the suite where scripts/kernels has kernels of this version.
get_source()
{
	local suite known
	! is_installed "$1" || return 0
	if with_fresh_lists in_archive "$1"; then
		need "$1"
		return
	fi
	suite=$(KERNEL=$source; read_kernel; echo "$kernel_suite") || exit
	known=$(apt-cache search --names-only '^linux-source-[0-9.]+$' | awk '{ print $1 }' | xargs)
	say "apt has no $1 here, but ${known:-no other either}: $suite has it, if any"
	apt_setup "$out/apt" "$suite"
}

setup_source()
{
	local package=linux-source-$source
	[ ! -e "$ksrc/.unpacked" ] || return 0
	need xz-utils
	get_source "$package"
	say "unpacking $package"
	rm -rf "$ksrc"
	mkdir -p "$ksrc"
	source_tar "$package" | tar -x -C "$ksrc" --strip-components=1
	rm -rf "$out/apt"
	touch "$ksrc/.unpacked"
}

setup_lint()
{
	setup_build
	need_stock_headers
	need sparse shellcheck perl git coccinelle python3 groff-base
	# spatch loads this library, but its package does not depend on it.
	need "libpython$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
	setup_source
}

setup_kunit()
{
	need gcc libc6-dev flex bison bc perl python3
	setup_source
}

setup_debug()
{
	setup_kunit
	need cpio kmod libelf-dev
}

setup_fuzz()
{
	need gcc libc6-dev binutils python3 python3-capstone python3-pyelftools csmith libcsmith-dev
}

setup_bench()
{
	need gcc binutils libc6-dev python3 gnuplot-nox
}

# For the package, its manual pages, and a Debian to install it in.
setup_deb()
{
	need debhelper dh-dkms dpkg-dev debootstrap git perl python3
	setup_source
}

# The kernel with its debug information: 700 of the 5,600 MB that the package unpacks to.
setup_dump()
{
	local release
	need python3-drgn
	setup_kernel
	release=$(cat "$kernel/release")
	[ ! -e "$out/dump/$release" ] || return 0
	rm -rf "$out/dump"
	unpack_package "linux-image-$release-dbg" "$out/dump" "*/vmlinux-$release" ||
		die "no debug information of $release" "the log is $out/setup.log"
	touch "$out/dump/$release"
}

# GRUB's packages *-bin only have files to make an image from; the machine's own boot loader
# is in other packages. ovmf is the UEFI firmware with which kit-test.sh boots.
setup_kit()
{
	need cpio kmod gcc libc6-dev grub-common grub-pc-bin grub-efi-amd64-bin xorriso mtools ovmf
	setup_kernel
	setup_busybox
}

command -v apt-get >/dev/null ||
	die "this is not a Debian system" "install by hand what need() in $0 names"
mkdir -p "$out"
[ $# -gt 0 ] || set -- build vm lint kunit debug fuzz
for role in "$@"; do
	case $role in
	build | vm | lint | kunit | debug | bench | fuzz | deb | dump | kit) "setup_$role" ;;
	*) die "unknown role: $role" \
		"usage: scripts/setup.sh [build] [vm] [lint] [kunit] [debug] [bench] [fuzz] [deb] [dump] [kit]" ;;
	esac
done
