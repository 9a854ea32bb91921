#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Gets the newest Go that Debian 13 or its backports have, and installs nothing: unpacks its
# packages below build/go/, but only the files that building a program needs. Then
#
#	build/go/go build -o program program.go
#
# builds with it. The wrapper reads no configuration of the machine's, gets nothing from the
# network, and writes what it keeps below build/go/. This needs no root and does not use the
# machine's apt (see apt.sh). A Go that is already there stays; remove the directory to get a
# newer one.
#
# usage: scripts/fetch-go.sh
# environment: MIRROR, of Debian packages (default: the one that apt is set up for)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

tree=$top/build/go
. "$(dirname "$0")/unpack.sh"

# Prints the version in the names of the packages that the newest golang-go depends on.
newest()
{
	apt_own cache show golang-go | sed -n 's/^Depends: .*\<golang-\([0-9.]*\)-go\>.*/\1/p' |
		sort -V | tail -n 1 | grep . || apt_failed "Debian's golang-go names no version of Go"
}

# The programs are linked statically. The sources of Go's own commands are not needed.
setup_go()
{
	local v=$1
	unpack "golang-$v-go" "/usr/lib/go-$v/*" "/usr/share/go-$v/*"
	unpack "golang-$v-src" "/usr/share/go-$v/src/*"
	rm -rf "$root/usr/share/go-$v/src/cmd"
	cat >"$tree/go" <<-EOF
	#!/bin/sh
	top=\$(dirname "\$(readlink -f "\$0")")
	exec env -i PATH=/usr/bin:/bin HOME="\$top/home" TMPDIR="\$top/home" \\
	    GOROOT="\$top/root/usr/lib/go-$v" GOTOOLCHAIN=local GOPROXY=off GO111MODULE=off \\
	    CGO_ENABLED=0 "\$top/root/usr/lib/go-$v/bin/go" "\$@"
	EOF
	chmod +x "$tree/go"
}

fetch()
{
	rm -rf "$root"
	mkdir -p "$root" "$tree/home"
	apt_setup "$tree/apt" trixie trixie-backports
	apt_release=trixie-backports
	setup_go "$(newest)"
	"$tree/go" version >"$tree/version.new" ||
		die "$tree/go does not work" "remove $tree and run $0 again"
	mv "$tree/version.new" "$tree/version"
	say "$(cat "$tree/version") is in build/go"
}

mkdir -p "$tree"
exec 9>"$tree/lock"
flock 9
if [ ! -e "$tree/version" ]; then
	trap 'rm -rf "$tree/apt" "$tree/version.new"' EXIT
	fetch
fi
