#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Copies the files of an installed costack into a directory: the sources that DKMS builds,
# and the header, scripts/movable.mk and the checker, with which other modules are built, and
# the rules for Coccinelle. Copies no tests, and nothing that was built.
#
# usage: scripts/stage.sh DIR		(it must not exist)
# environment: VERSION, to use instead of the version of the sources, for tests of upgrades

set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -eq 1 ] || die "no directory named" "usage: $0 DIR"
[ ! -e "$1" ] || die "$1 exists already" "remove it, or name another directory"
dest=$1
version=${VERSION:-$(module_version)}

mkdir -p "$dest/scripts/movability" "$dest/scripts/coccinelle"
cd "$top"
cp -r Kbuild COPYING include module "$dest/"
# A package has the documentation elsewhere.
rm -rf "$dest/module"/{demo,example,ABI,README.md,costack.7}
cp -p scripts/movable scripts/movable.mk scripts/dkms-symvers.sh "$dest/scripts/"
cp -p scripts/movability/as scripts/movability/*.py "$dest/scripts/movability/"
cp -p scripts/coccinelle/*.cocci "$dest/scripts/coccinelle/"
sed -i "s/^MODULE_VERSION(.*/MODULE_VERSION(\"$version\");/" "$dest/module/main.c"
sed "s/#MODULE_VERSION#/$version/" scripts/dkms.conf >"$dest/dkms.conf"
