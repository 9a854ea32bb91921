#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs build/costack.ko, for the kernel that it was built for, where modprobe finds it,
# and costack-top. Does not install the test modules.
#
# usage: scripts/install.sh		(make install builds the module first)
# environment: DESTDIR, a directory to install below instead of / (INSTALL_MOD_PATH is the
#	same); PREFIX, the directory in whose bin/ costack-top goes (default: /usr/local);
#	SIGN_KEY and SIGN_CERT, to sign the module with (see scripts/sign.sh)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/sbin:/usr/sbin

module=$out/costack.ko
root=${DESTDIR:-${INSTALL_MOD_PATH:-}}
bin=$root${PREFIX:-/usr/local}/bin

[ -f "$module" ] || die "build/costack.ko is not there" "run make first"
command -v depmod >/dev/null || die "no depmod" "run scripts/setup.sh build"
release=$(modinfo -F vermagic "$module" | cut -d ' ' -f 1)
dest=$root/lib/modules/$release/updates

say "installing costack.ko for $release into $dest"
if [ -n "${SIGN_KEY:-}${SIGN_CERT:-}" ]; then
	signed=$(mktemp --suffix=.ko)
	trap 'rm -f "$signed"' EXIT
	cp "$module" "$signed"
	"$top/scripts/sign.sh" "$signed"
	module=$signed
fi
as_root install -D -m 644 "$module" "$dest/costack.ko"
if [ -e "$root/lib/modules/$release/modules.order" ]; then
	as_root depmod ${root:+-b "$root"} "$release"
else
	say "kernel $release is not installed here; its installation will run depmod"
fi
say "installing costack-top into $bin"
as_root install -D -m 755 "$top/scripts/costack-top" "$bin/costack-top"

if [ -z "$root" ] && [ "$release" != "$(uname -r)" ]; then
	say "the running kernel is $(uname -r): boot $release to load it"
else
	say "load it with: modprobe costack"
fi
if grep -qs '\[\(integrity\|confidentiality\)\]' /sys/kernel/security/lockdown; then
	say "this kernel is locked down (Secure Boot): costack does not load on it, signed or not;" \
	    "see Requirements in README.md"
fi
say "remove it with: rm $dest/costack.ko $bin/costack-top && depmod $release"
