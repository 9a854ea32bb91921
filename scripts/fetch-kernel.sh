#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Gets the newest headers and image of $KERNEL that the archive has, and unpacks them
# below build/kernels/$KERNEL/kernel/; if KERNEL is not set, those of the machine's own
# kernel, below build/kernel/. Installs nothing, because Debian's headers may depend on
# the image, and with that the machine would boot another kernel. A kernel that is already
# there stays; remove the directory to get a newer one.
#
# usage: [KERNEL=<name>] scripts/fetch-kernel.sh	(scripts/kernels has the names)
# Exits with 3 if the archive has a newer version of Linux in its place, as backports do.
# environment: MIRROR, of Debian packages (default: the one that apt is set up for)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

kernel=$out/kernel
new=$out/kernel.new

# newest_release PATTERN: prints the newest release that has both headers and an image.
newest_release()
{
	local kind
	for kind in headers image; do
		apt_own cache pkgnames "linux-$kind-" | sed -nE "s/^linux-$kind-($1)\$/\1/p"
	done | sort -V | uniq -d | tail -n 1
}

# The archive has no such kernel. Says what it has instead.
none()
{
	local newest
	newest=$(newest_release "[0-9][^-]*(-[0-9]+)?-$kernel_flavour")
	say "no Linux $kernel_release-$kernel_flavour in $kernel_suite; the newest there is ${newest:-none}"
	say "if there is a newer one now, say so in scripts/kernels"
	[ "$(printf '%s\n' "$kernel_release" "$newest" | sort -V | tail -n 1)" != "$newest" ] || exit 3
	exit 1
}

# Prints the packages of headers and image of release $1, and those that hold parts of them.
packages()
{
	apt_own cache depends -i --recurse "linux-headers-$1" "linux-image-$1" |
		grep -xE 'linux-(base|binary|headers|image|kbuild|modules)-.*' |
		grep -v -e '-unsigned$' | sort -u
}

# The headers' Makefile names the directory where they would be installed. Their vmlinux
# only serves to make BTF for modules, and for that everybody would need pahole.
adapt_headers()
{
	sed -i 's|/usr/src/|../|' "$new/usr/src/linux-headers-$1/Makefile"
	rm -f "$new/usr/src/linux-headers-$1/vmlinux"
}

# If all of it is below /usr, depmod finds no modules.
index_modules()
{
	[ -e "$new/lib" ] || ln -s usr/lib "$new/lib"
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$new" "$1"
}

fetch()
{
	local release name
	apt_setup "$out/apt" "$kernel_suite"
	release=$(newest_release "$(release_pattern)")
	[ -n "$release" ] || none
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
