#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes build/costack-dkms_VERSION_all.deb. The same sources give the same package, byte for
# byte.
#
# usage: scripts/deb.sh		(after scripts/setup.sh deb: make deb does both)
# environment: VERSION, to use instead of the version of the sources, for tests of upgrades

set -euo pipefail
. "$(dirname "$0")/lib.sh"

version=${VERSION:-$(module_version)}
work=$top/build/deb/costack-$version
deb=costack-dkms_${version}_all.deb

command -v dh_dkms >/dev/null || die "no dh_dkms" "run scripts/setup.sh deb"

# Prints the time of the last commit, or without git that of the newest source.
source_time()
{
	git -C "$top" log -1 --format=%ct 2>/dev/null ||
		find "$top/module" "$top/include" -type f -printf '%T@\n' | sort -n | sed -n '$s/\..*//p'
}

changelog()
{
	cat <<-END
	costack ($version) unstable; urgency=medium

	  * Built from the sources of this version.

	 -- costack <costack@localhost>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
	END
}

SOURCE_DATE_EPOCH=$(source_time)
export SOURCE_DATE_EPOCH VERSION="$version"

say "costack $version as a package"
rm -rf "$work"
mkdir -p "$work/root/usr/src" "$work/root/usr/share" "$work/examples" "$work/module"
install -D -m 755 "$top/scripts/costack-top" "$work/root/usr/bin/costack-top"
"$top/scripts/stage.sh" "$work/root/usr/src/costack-$version"
ln -s "../src/costack-$version" "$work/root/usr/share/costack"
cp -r "$top/scripts/debian" "$work/debian"
mv "$work/root/usr/src/costack-$version/dkms.conf" "$work/debian/costack-dkms.dkms"
rm -f "$work/root/usr/src/costack-$version/COPYING"
cp -r "$top/module/example" "$top/scripts/etc/modprobe.d" "$top/scripts/etc/modules-load.d" "$work/examples/"
cp "$top/README.md" "$work/"
cp -r "$top/module/README.md" "$top/module/ABI" "$work/module/"
"$top/scripts/man.py" "$ksrc/scripts/kernel-doc" "$work/man"
changelog >"$work/debian/changelog"
(cd "$work" && dpkg-buildpackage -b -us -uc) >"$work.log" 2>&1 ||
	{ tail -n 20 "$work.log" >&2; die "the package could not be made" "the log is $work.log"; }
mv "$top/build/deb/$deb" "$top/build/$deb"
rm -rf "$work"
say "made build/$deb"
say "install it with: apt install ./build/$deb"
