# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# An apt with directories of its own, for suites that the machine's apt is not set up
# for. It checks signatures with the machine's keyring, changes nothing on the machine,
# and needs no root. Sourced after lib.sh, never run.
#
#	apt_setup DIR SUITE...	makes its directories, and gets the lists of the suites
#	apt_own get|cache ...	apt-get or apt-cache with them
#	apt_fsys PACKAGE	writes what is in the package as a tar archive
#	apt_failed MESSAGE...	dies as die() does, and shows the log
#
# If several suites have a package, apt takes it from the suite `apt_release`, if set.
#
# environment: MIRROR, of Debian packages (default: the one that apt is set up for)

apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# apt_mirror REGEX: prints the first archive that apt is set up for whose suite matches.
apt_mirror()
{
	apt-get --print-uris update 2>/dev/null |
		sed -n "s|^'\(.*\)/dists/$1/InRelease' .*|\1|p" | head -n 1
}

# Prints the archive that has suite $1. Security updates have an archive of their own,
# beside the other.
apt_archive()
{
	local mirror=${MIRROR:-} security=''
	case $1 in
	*-security)
		[ -n "$mirror" ] || security=$(apt_mirror '[a-z]*-security')
		;;
	esac
	if [ -n "$security" ]; then
		echo "$security"
		return
	fi
	[ -n "$mirror" ] || mirror=$(apt_mirror '[a-z]*')
	[ -n "$mirror" ] ||
		die "apt is set up for no Debian archive" "name one: MIRROR=<URL> $0"
	case $1 in
	*-security) echo "${mirror%/}-security" ;;
	*) echo "$mirror" ;;
	esac
}

apt_own()
{
	local tool=$1
	shift
	LC_ALL=C "apt-$tool" -q -o Dir::Etc::sourcelist="$apt/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::State::Lists="$apt/lists" \
		-o Dir::Cache="$apt/cache" -o Dir::State::status="$apt/status" \
		-o Debug::NoLocking=true ${apt_release:+-o APT::Default-Release="$apt_release"} \
		"$@" 2>>"$apt/log"
}

apt_failed()
{
	tail -n 20 "$apt/log" >&2
	die "$@"
}

apt_setup()
{
	local suite archive
	apt=$1
	shift
	command -v apt-get >/dev/null || die "this is not a Debian system" "there is no apt-get"
	[ -e "$apt_keyring" ] || die "no $apt_keyring" "install debian-archive-keyring"
	rm -rf "$apt"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs"
	: >"$apt/status"
	for suite in "$@"; do
		archive=$(apt_archive "$suite")
		echo "deb [arch=amd64 signed-by=$apt_keyring] $archive $suite main"
	done >"$apt/sources.list"
	say "getting the package lists of $*"
	apt_own get update >>"$apt/log" || apt_failed "cannot get the lists of $* from $archive" \
		"check the network; keys of Debian 13 are in debian-archive-keyring 2023.3+deb12u2" \
		"and later; a mirror can be named: MIRROR=<URL> $0"
}

# Removes the package's file at once, because nothing else needs it.
apt_fsys()
{
	local status=0
	say "getting $1"
	(cd "$apt/debs" && apt_own get download "$(exactly "$1")" >>"$apt/log") ||
		apt_failed "cannot get $1" "run it again; MIRROR=<URL> names another mirror"
	dpkg-deb --fsys-tarfile "$apt/debs"/*.deb || status=$?
	rm -f "$apt/debs"/*.deb
	return $status
}
