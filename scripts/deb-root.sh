#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs a command, as root, in a Debian for tests of packages: build/deb-root/, or with KERNEL
# build/kernels/KERNEL/deb-root/, with dkms, the headers of the kernel that VMs boot, and
# lintian. It is the Debian that has this kernel. Makes it with debootstrap if it does not
# exist. This repository is mounted in it, at the same path as outside, in a mount
# namespace that ends with the command.
#
# usage: scripts/deb-root.sh COMMAND [ARGS...]
#	scripts/deb-root.sh --new	runs no command; only makes the Debian if needed
# environment: KERNEL, a name from scripts/kernels; MIRROR, of Debian packages (default: the
#	one that apt is set up for)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

tree=$out/deb-root
made=$out/deb-root.made
log=$out/deb-root.log
# shellcheck disable=SC2154 # set by read_kernel()
suite=${kernel_suite%%-*}

[ -s "$out/kernel/release" ] || die "no kernel to build for" "run scripts/setup.sh vm"
release=$(cat "$out/kernel/release")
# lintian reads manual pages with man-db; openssl makes keys.
packages=(dkms "linux-headers-$release" python3-capstone python3-pyelftools lintian
	man-db openssl)

# shellcheck disable=SC2016 # the inner shell expands it
enter()
{
	as_root mkdir -p "$tree$top"
	apart sh -c 'tree=$1 top=$2; shift 2
		mount --bind "$top" "$tree$top" && mount -t proc proc "$tree/proc" &&
			exec chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
				LC_ALL=C HOME=/root DEBIAN_FRONTEND=noninteractive "$@"' \
		sh "$tree" "$top" "$@"
}

sources()
{
	local name
	for name in "$suite" "$suite-security"; do
		echo "deb $(apt_archive "$name") $name main"
	done
}

make_root()
{
	[ -e "$apt_keyring" ] || die "no $apt_keyring" "install debian-archive-keyring"
	as_root rm -rf "$tree"
	apart debootstrap --variant=minbase --keyring="$apt_keyring" "$suite" "$tree" "$(apt_archive "$suite")"
	sources | as_root tee "$tree/etc/apt/sources.list"
	# Keep packages from starting daemons in it.
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$tree/usr/sbin/policy-rc.d"
	as_root chmod +x "$tree/usr/sbin/policy-rc.d"
	enter sh -c 'apt-get update && apt-get -q -y --no-install-recommends install "$@"' \
		sh "${packages[@]}"
	enter apt-get clean
	# The files of an installed kernel that depmod reads; the VM has the others.
	as_root mkdir -p "$tree/lib/modules/$release"
	as_root cp "$out/kernel/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} \
		"$tree/lib/modules/$release/"
	enter depmod "$release"
}

[ $# -gt 0 ] || die "no command" "usage: $0 COMMAND [ARGS...]"
PATH=$PATH:/usr/sbin:/sbin
if [ "$(cat "$made" 2>/dev/null)" != "$release ${packages[*]}" ]; then
	command -v debootstrap >/dev/null || die "no debootstrap" "run scripts/setup.sh deb"
	say "making a Debian $suite to install packages in (two minutes, 750 MB)"
	make_root >"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; die "it could not be made" "the log is $log" \
			"a mirror can be named: MIRROR=<URL>"; }
	echo "$release ${packages[*]}" >"$made"
fi
[ "$1" != --new ] || exit 0
enter "$@"
