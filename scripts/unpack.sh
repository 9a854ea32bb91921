# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Programs of another Debian, unpacked and not installed, and started by the dynamic
# loader and the libraries that came with them. Sourced after apt.sh, by scripts that
# set `tree`, the directory for it all.
#
#	unpack PACKAGE PATH...		of the package, what matches these
#	wrap FILE PROGRAM [WORD...]	makes a script that runs the program

export LC_ALL=C
# shellcheck disable=SC2154 # set by who sources this
root=$tree/root
triplet=x86_64-linux-gnu

unpack()
{
	local name=$1
	shift
	apt_fsys "$name" | tar -x -C "$root" --no-same-owner --wildcards "${@/#/.}" ||
		die "$name does not hold what it should" "Debian may have changed it: see $0"
}

# Both are named relative to the tree. The words come before the arguments, and may have
# ${top} in them, the tree with a slash.
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
