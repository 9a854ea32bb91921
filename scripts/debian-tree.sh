#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs a command in a small Debian of another suite, build/debian-SUITE/, which has a
# compiler and what the checker of movability needs. Makes it with debootstrap if it does
# not exist. This repository is mounted in it, at the same path as outside, and so is /proc,
# which objtool reads. The command runs as the calling user, in the current directory.
#
# This needs root, to make the tree and to change into it. The mounts are in a mount
# namespace that ends with the command, however that ends: no other process sees them, and
# removing build/ cannot reach through them.
#
# usage: scripts/debian-tree.sh SUITE [COMMAND [ARGS...]]
# environment: MIRROR, of Debian packages (default: the one that apt is set up for)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

# objtool needs libelf.
packages=gcc,make,binutils,libelf1t64,python3-minimal,python3-capstone,python3-pyelftools
user=$(id -u):$(id -g)

# Prints archive $1 as debootstrap knows it: of apt's list of mirrors, the first one.
plain_archive()
{
	case $1 in
	mirror+file:*) sed -nE 's/^[[:space:]]*((https?|ftp|file):[^[:space:]]*).*/\1/p' \
			"${1#mirror+file:}" | head -n 1 ;;
	*) echo "$1" ;;
	esac
}

# The calling user owns the tree, and can remove build/.
make_tree()
{
	local log=$tree.log mirror
	mirror=$(plain_archive "$(apt_archive "$suite")")
	[ -n "$mirror" ] || die "apt's list of mirrors has none" "name one: MIRROR=<URL> $0"
	[ -e "$apt_keyring" ] || die "no $apt_keyring" "install debian-archive-keyring"
	say "making a Debian $suite to compile in (a minute or two, 300 MB)"
	as_root rm -rf "$tree"
	apart debootstrap --variant=minbase --keyring="$apt_keyring" --include="$packages" \
		"$suite" "$tree" "$mirror" >"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; die "debootstrap failed" "the log is $log" \
			"a mirror can be named: MIRROR=<URL>"; }
	as_root rm -rf "$tree"/var/cache/apt "$tree"/var/lib/apt/lists \
		"$tree"/usr/share/{doc,info,locale,man}
	as_root chown -R "$user" "$tree"
	echo "$packages" >"$tree/.made"
}

# shellcheck disable=SC2016 # the inner shell expands it
enter()
{
	mkdir -p "$tree$top"
	apart sh -c 'tree=$1 top=$2 user=$3 here=$4; shift 4
		mount --bind "$top" "$tree$top" && mount --bind /proc "$tree/proc" &&
			exec chroot --userspec="$user" "$tree" /usr/bin/env -i -C "$here" \
				PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/tmp "$@"' \
		sh "$tree" "$top" "$user" "$PWD" "$@"
}

[ $# -gt 0 ] || die "no suite named" "usage: $0 SUITE [COMMAND [ARGS...]]"
[[ $1 =~ ^[a-z][a-z-]*$ ]] || die "no suite of Debian's: $1" "usage: $0 SUITE [COMMAND [ARGS...]]"
suite=$1 tree=$top/build/debian-$1
shift
mkdir -p "$top/build"
exec 9>"$tree.lock"
flock 9
if [ "$(cat "$tree/.made" 2>/dev/null)" != "$packages" ]; then
	command -v debootstrap >/dev/null || PATH=$PATH:/usr/sbin
	command -v debootstrap >/dev/null || die "no debootstrap" "install it, or run scripts/setup.sh build with this KERNEL"
	make_tree
fi
exec 9>&-
[ $# -eq 0 ] || enter "$@"
