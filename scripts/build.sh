#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the kernel modules below build/ and leaves the sources alone.
# Kbuild writes objects beside the sources of an external module, so the tree
# is mirrored as one symlink per file and built there. The modules end up as
# build/*.ko (or OBJ/../*.ko if OBJ is given; with KERNEL, build/kernels/$KERNEL/*.ko).
#
# usage: scripts/build.sh [make arguments...]
# environment: KERNEL, KDIR, OBJ (mirror, default build/ko), CC, V, W, C, CF, KCFLAGS

set -euo pipefail
. "$(dirname "$0")/lib.sh"

obj=${OBJ:-$out/ko}
mkdir -p "$obj" "$out"
obj=$(cd "$obj" && pwd -P)

mirror()
{
	local entries=() name
	for name in Kbuild include module kunit scripts selftests; do
		[ ! -e "$top/$name" ] || entries+=("$top/$name")
	done
	[ -e "$top/Kbuild" ] || die "no Kbuild in $top" "the checkout is incomplete"
	cp -rsn "${entries[@]}" "$obj/"
	# A removed source leaves a dangling link, and an object that would still be
	# linked.
	find "$obj" -xtype l -print -delete | while read -r link; do
		rm -f "${link%.*}.o" "$(dirname "$link")/.$(basename "${link%.*}").o.cmd"
	done
}

# Do not reuse objects that were made with other headers: their dependency files name
# headers that may no longer exist.
forget_other_kdir()
{
	if [ -f "$obj/.kdir" ] && [ "$(cat "$obj/.kdir")" != "$kdir" ]; then
		say "headers changed, building from scratch"
		find "$obj" -mindepth 1 -delete
	fi
	echo "$kdir" >"$obj/.kdir"
}

# Kbuild looks at the origin of these variables, so they must be arguments; exporting them
# is not enough. Messages name files in the mirror; sed cuts that off, so that they name
# the sources.
run_kbuild()
{
	local in_tree=()
	[ -z "$kernel_tree" ] || in_tree=("$top/scripts/debian-tree.sh" "$kernel_tree")
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
	"${in_tree[@]}" make --no-print-directory -C "$kdir" M="$obj" -j"$(nproc)" \
		KCFLAGS="-ffile-prefix-map=$obj/= ${KCFLAGS:-}" \
		${CC:+CC="$CC"} ${V:+V="$V"} ${W:+W="$W"} ${C:+C="$C"} ${CF:+CF="$CF"} \
		"$@" modules 2>&1 |
		sed -u -e "s|$obj/||g" -e '/^Skipping BTF generation/d' \
			-e '/^warning: pahole version differs/,+2d'
}

# modules.order lists what this build made: a module that was dropped from Kbuild is
# removed here.
collect()
{
	local dest=$1 name built
	mapfile -t built < <(sed 's/\.o$/.ko/' "$obj/modules.order" | sort -u)
	for name in "${built[@]}"; do
		[ "${name#/}" != "$name" ] || name=$obj/$name
		# Another script may be making a VM from these files: replace each of them in one
		# step, and leave those that did not change.
		cmp -s "$name" "$dest/${name##*/}" && continue
		cp -p "$name" "$dest/.new.ko" && mv "$dest/.new.ko" "$dest/${name##*/}"
	done
	for name in "$dest"/*.ko; do
		[[ " ${built[*]##*/} " == *" ${name##*/} "* ]] || rm -f "$name"
	done
	# For test-probes.sh.
	"$top/scripts/probes.sh" "$obj" >"$dest/.new.probes"
	mv "$dest/.new.probes" "$dest/costack.probes"
	# For test-abi.sh.
	"$top/scripts/abi.py" --list >"$dest/.new.abi"
	mv "$dest/.new.abi" "$dest/costack.abi"
}

# Headers that are only unpacked are fetched here, because no kernel is installed for that.
kdir=$(find_kdir)
if [ -z "$kdir" ] && is_unpacked; then
	"$top/scripts/setup.sh" build
	kdir=$(find_kdir)
fi
[ -n "$kdir" ] ||
	die "no kernel headers found" \
	    "install them (scripts/setup.sh build does), or name them: make KDIR=<dir>"

# Kbuild runs in another directory, so a relative path would not work.
[[ ${CC:-} != */* ]] || CC=$(realpath -s "$CC")

exec 9>"$obj.lock"
flock -n 9 || { say "waiting for another build"; flock 9; }
forget_other_kdir
mirror
say "modules for $(kdir_release "$kdir"), headers $kdir"
run_kbuild "$@"
collect "$(dirname "$obj")"
