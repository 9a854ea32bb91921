#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Gets headers and image of $KERNEL, the newest that the archive has, and unpacks
# them below build/kernels/$KERNEL/kernel/; without a name those of the machine's own
# kernel, below build/kernel/. Nothing is installed: Debian's headers may depend on the
# image, and that would be a kernel to boot. What is there stays; remove the directory
# to get a newer one.
#
# usage: [KERNEL=<name>] scripts/fetch-kernel.sh	(scripts/kernels has the names)
# environment: MIRROR, of Debian packages (default: the one that apt is set up for)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

kernel=$out/kernel
new=$out/kernel.new

# The newest release of which there are both headers and image.
newest_release()
{
	local kind
	for kind in headers image; do
		apt_own cache pkgnames "linux-$kind-" |
			sed -nE "s/^linux-$kind-($(release_pattern))\$/\1/p"
	done | sort -V | uniq -d | tail -n 1
}

# Headers and image of release $1, and the parts of them that are packages of their own.
packages()
{
	apt_own cache depends -i --recurse "linux-headers-$1" "linux-image-$1" |
		grep -xE 'linux-(base|binary|headers|image|kbuild|modules)-.*' |
		grep -v -e '-unsigned$' | sort -u
}

# The headers' Makefile knows where they would be installed. Their vmlinux serves to make
# BTF for modules only, and would have everybody need pahole.
adapt_headers()
{
	sed -i 's|/usr/src/|../|' "$new/usr/src/linux-headers-$1/Makefile"
	rm -f "$new/usr/src/linux-headers-$1/vmlinux"
}

# Where all of it is below /usr, depmod finds no modules.
index_modules()
{
	[ -e "$new/lib" ] || ln -s usr/lib "$new/lib"
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$new" "$1"
}

fetch()
{
	local release name
	apt_setup "$out/apt" "$kernel_suite"
	release=$(newest_release)
	[ -n "$release" ] || die "no Linux $kernel_release-$kernel_flavour in $kernel_suite" \
		"if there is a newer one now, say so in scripts/kernels"
	rm -rf "$new"
	mkdir -p "$new"
	for name in $(packages "$release"); do
		apt_fsys "$name" | tar -x -C "$new" --no-same-owner --exclude=./usr/share ||
			die "cannot unpack $name"
	done
	adapt_headers "$release"
	index_modules "$release"
	echo "$release" >"$new/release"
	[ ! -e "$busybox" ] || [ "$busybox" != "$kernel/busybox" ] || cp -p "$busybox" "$new/"
	rm -rf "$kernel"
	mv "$new" "$kernel"
	say "Linux $release is in ${kernel#"$top/"}"
}

is_unpacked || die "$kernel_name is the machine's own" "run scripts/setup.sh vm"
mkdir -p "$out"
exec 9>"$out/kernel.lock"
flock 9
if [ ! -e "$kernel/release" ]; then
	trap 'rm -rf "$out/apt" "$new"' EXIT
	fetch
fi
