#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Signs modules, for kernels that load only signed ones (module.sig_enforce). The machine's owner
# makes the key known to the machine, for example with mokutil --import. make install signs
# with this script; DKMS signs by itself, with the key in /etc/dkms/framework.conf.
#
# usage: scripts/sign.sh FILE.ko...
# environment: SIGN_KEY, the private key (PEM); SIGN_CERT, its certificate (DER or PEM);
#	KDIR, KERNEL: headers of the kernel that the modules are for

set -euo pipefail
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/sbin:/usr/sbin

for name in SIGN_KEY SIGN_CERT; do
	[ -n "${!name:-}" ] || die "$name is not set" "name the file: $name=<file>"
	[ -r "${!name}" ] || die "cannot read $name=${!name}" "run this as a user who can"
done

for file in "$@"; do
	release=$(modinfo -F vermagic "$file" | cut -d ' ' -f 1)
	kdir=$(find_kdir)
	[ "$(kdir_release "$kdir")" = "$release" ] || kdir=/usr/src/linux-headers-$release
	[ -x "$kdir/scripts/sign-file" ] ||
		die "no sign-file of Linux $release" "install linux-headers-$release, or set KDIR"
	hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"/\1/p' "$kdir/.config" 2>/dev/null) || :
	"$kdir/scripts/sign-file" "${hash:-sha256}" "$SIGN_KEY" "$SIGN_CERT" "$file" ||
		die "$file is not signed" "SIGN_KEY and SIGN_CERT have to belong together"
	say "signed ${file##*/} as $(modinfo -F signer "$file")"
done
