#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes this project part of a kernel source tree, as drivers/misc/costack: adds symlinks
# to Kbuild, module, include, kunit and scripts (not to the whole repository, whose build/
# may hold that very kernel tree), a line to drivers/misc/Kconfig and one to its Makefile.
# A second run changes nothing; -r removes all of it.
#
# usage: scripts/graft.sh [-r] KERNEL_TREE

set -euo pipefail
. "$(dirname "$0")/lib.sh"

kconfig_line='source "drivers/misc/costack/module/Kconfig"'
makefile_line='obj-y += costack/'
remove=''

while getopts r opt; do
	case $opt in
	r) remove=1 ;;
	*) die "bad option" "usage: scripts/graft.sh [-r] KERNEL_TREE" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 1 ] || die "no kernel tree given" "usage: scripts/graft.sh [-r] KERNEL_TREE"
misc=$1/drivers/misc
[ -f "$misc/Kconfig" ] || die "$1 is not a kernel source tree" "name one, such as an unpacked linux-source-$source"

# Write a file only if it changes: a new timestamp would rebuild much of the tree.
put_in()
{
	grep -qxF "$kconfig_line" "$misc/Kconfig" ||
		sed -i "s|^endmenu\$|$kconfig_line\n&|" "$misc/Kconfig"
	grep -qxF "$makefile_line" "$misc/Makefile" ||
		echo "$makefile_line" >>"$misc/Makefile"
	mkdir -p "$misc/costack"
	for name in Kbuild module include kunit scripts; do
		[ -e "$top/$name" ] || die "no $name in $top" "the checkout is incomplete"
		ln -sfn "$top/$name" "$misc/costack/$name"
	done
}

take_out()
{
	sed -i "\|^$kconfig_line\$|d" "$misc/Kconfig"
	sed -i "\|^$makefile_line\$|d" "$misc/Makefile"
	rm -rf "$misc/costack"
}

if [ -n "$remove" ]; then
	take_out
	say "removed from $1"
else
	put_in
	say "grafted into $1"
fi
