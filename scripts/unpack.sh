# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Unpacks programs of another Debian without installing them; they start with the dynamic
# loader and the libraries of their own packages. Sourced after apt.sh, by scripts that set
# `tree`, the directory for all of it.
#
#	fetch_libs PACKAGE...		aside, the libraries that these depend on
#	unpack PACKAGE PATH...		of the package, what matches these
#	keep_libs PATH...		of those libraries, what these programs and plugins load
#	wrap FILE PROGRAM [WORD...]	makes a script that runs the program

export LC_ALL=C
# shellcheck disable=SC2154 # set by the scripts that source this file
root=$tree/root
triplet=x86_64-linux-gnu
lib=/usr/lib/$triplet

# Gets the packages $@ and all that they depend on, and unpacks the libraries into a
# directory of their own. Debian 12 has some libraries below /lib.
fetch_libs()
{
	local deb
	# shellcheck disable=SC2154 # set by apt_setup()
	: "$apt"
	say "getting $* and their libraries"
	apt_own get -y --no-install-recommends --download-only install "$@" >>"$apt/log" ||
		apt_failed "cannot get $*" "run it again; MIRROR=<URL> names another mirror"
	mkdir -p "$tree/libs"
	for deb in "$apt"/cache/archives/{lib,zlib1g_}*.deb; do
		# Packages that only have data contain no libraries.
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tree/libs" --no-same-owner \
			--transform 's,^\./lib/,./usr/lib/,S' --wildcards \
			--no-wildcards-match-slash ".$lib/*.so*" "./lib/$triplet/*.so*" \
			2>>"$apt/log" || :
	done
}

# Keeps the loader and those libraries that the programs and plugins $@ load.
keep_libs()
{
	local aside=$tree/libs$lib needed name path
	mkdir -p "$root$lib"
	cp "$aside/ld-linux-x86-64.so.2" "$root$lib/"
	for name in "$@"; do
		"$aside/ld-linux-x86-64.so.2" --library-path "$aside" --list "$root$name"
	done >"$tree/needed"
	! needed=$(grep 'not found' "$tree/needed") ||
		die "libraries are missing: $needed" "Debian may have changed: see $0"
	while read -r path; do
		cp -L "$path" "$root$lib/"
	done < <(sed -n "s|.* => \($aside/.*\) (0x.*|\1|p" "$tree/needed" | sort -u)
	rm -rf "$tree/libs" "$tree/needed"
}

unpack()
{
	local name=$1
	shift
	apt_fsys "$name" | tar -x -C "$root" --no-same-owner --wildcards "${@/#/.}" ||
		die "$name does not hold what it should" "Debian may have changed it: see $0"
}

# Both names are relative to the tree. The words come before the arguments; ${top} in them
# stands for the tree, with a slash.
wrap()
{
	local file=$1 program=$2 words='' up
	shift 2
	[ $# -eq 0 ] || words=$(printf '"%s" ' "$@")
	up=$(dirname "$file" | sed -e 's|^\.$||' -e 's|[^/][^/]*/*|../|g')
	cat >"$tree/$file" <<-EOF
	#!/bin/sh
	top=\$(dirname "\$(readlink -f "\$0")")/$up
	lib=\${top}root/usr/lib/$triplet
	exec "\$lib/ld-linux-x86-64.so.2" --library-path "\$lib" --argv0 "\${top}$program" \\
	    "\${top}$program" $words"\$@"
	EOF
	chmod +x "$tree/$file"
}
