#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Has DKMS build and install costack.ko for the running kernel, and again for each
# kernel that is installed later. The sources go to /usr/src/costack-VERSION;
# /usr/share/costack is a link to them, for other modules that are built with costack.
# costack-top goes to /usr/local/bin. The package of scripts/deb.sh does the same; this is
# for systems without dpkg.
#
# usage: scripts/dkms.sh		(root or sudo)
# environment: KERNELRELEASE, of the kernel to build for (default: the running one)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin

version=$(module_version)
release=${KERNELRELEASE:-$(uname -r)}
source_dir=/usr/src/costack-$version
costack_top=/usr/local/bin/costack-top

command -v dkms >/dev/null || die "no dkms" "install it: apt install dkms"
if [ "$(dpkg-query -W -f '${db:Status-Status}' costack-dkms 2>/dev/null)" = installed ]; then
	die "the package costack-dkms is installed" "remove it: apt remove costack-dkms"
fi
[ -e "/lib/modules/$release/build/Makefile" ] ||
	die "no headers of Linux $release" \
	    "install them (apt install linux-headers-$release), or name another kernel: KERNELRELEASE=<release>"

# If DKMS does not know a tree of this version, something else has put it there.
if [ -e "$source_dir" ]; then
	[ -n "$(dkms status -m costack -v "$version")" ] ||
		die "$source_dir exists, and DKMS does not know it" "remove it"
	say "removing the costack $version that is installed"
	as_root dkms remove -m costack -v "$version" --all
	as_root rm -rf "$source_dir"
fi

say "costack $version for $release"
as_root "$top/scripts/stage.sh" "$source_dir"
as_root ln -sfnr "$source_dir" /usr/share/costack
as_root install -D -m 755 "$top/scripts/costack-top" "$costack_top"
as_root dkms add -m costack -v "$version"
as_root dkms install -m costack -v "$version" -k "$release" ||
	die "DKMS could not build costack" \
	    "the log is /var/lib/dkms/costack/$version/build/make.log"

say "load it with: modprobe costack"
say "remove it with: dkms remove -m costack -v $version --all &&" \
    "rm -r $source_dir /usr/share/costack $costack_top"
