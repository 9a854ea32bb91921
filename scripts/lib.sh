# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Common ground of the scripts: where things are, how they speak, and which
# kernel headers and sources are meant. Sourced, never run. Sets `top` (the repository),
# `out` (everything made goes below it; what is made for another kernel, below a
# directory of its own), `source` (which of Debian's packages linux-source-*), `ksrc`
# (where those are unpacked) and `of_source` (what the names of kernels made from them
# end with; nothing for the default ones).
#
# environment: KERNEL, a name from scripts/kernels; KDIR, kernel headers; SOURCE, of a
#	kernel that is built here, such as 6.12 (default: 6.1)

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
out=$top/build${KERNEL:+/kernels/$KERNEL}
# shellcheck disable=SC2034
busybox=$top/build/kernel/busybox

say()
{
	printf '==> %s\n' "$*" >&2
}

die()
{
	printf '%s: error: %s\n' "${0##*/}" "$1" >&2
	shift
	[ $# -eq 0 ] || printf '  %s\n' "$@" >&2
	exit 2
}

# use_source VERSION: from here on these sources, in what is run, too.
# shellcheck disable=SC2034 # read by the scripts that source this file
use_source()
{
	[[ $1 =~ ^[0-9]+\.[0-9]+$ ]] || die "SOURCE=$1 is no version of kernel sources" \
		"name one that Debian has linux-source-* of: SOURCE=6.12"
	export SOURCE=$1
	source=$1 ksrc=$top/build/linux-source-$1 of_source=''
	[ "$1" = 6.1 ] || of_source=-$1
}

# Sets kernel_suite and so on to what scripts/kernels says of $KERNEL.
# shellcheck disable=SC2034
read_kernel()
{
	local table=$top/scripts/kernels name
	kernel_suite='' kernel_release='' kernel_flavour=amd64
	kernel_headers=host kernel_accel=tcg,thread=multi
	[ -n "${KERNEL:-}" ] || return 0
	while read -r name kernel_suite kernel_release kernel_flavour kernel_headers kernel_accel; do
		[ "$name" != "$KERNEL" ] || return 0
	done < <(grep -v '^#' "$table")
	die "no kernel is called $KERNEL" "scripts/kernels names these: $(kernel_names)"
}

kernel_names()
{
	sed 's/[[:space:]].*//; /^#/d' "$top/scripts/kernels" | xargs
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
	else
		die "root is needed to run: $*" "run it as root, or install sudo"
	fi
}

# Package $1 as a pattern of apt's that no other matches. Of a name that it does not
# know, apt makes one: linux-source-6.1 is then linux-source-6.12, too.
exactly()
{
	# shellcheck disable=SC2001 # an expression, not a word
	echo "^$(sed 's/[.+]/\\&/g' <<<"$1")\$"
}

# Newest Debian 6.1 headers of the plain amd64 flavour, or nothing.
newest_headers()
{
	find /usr/src -maxdepth 1 -name 'linux-headers-6.1.*-amd64' \
		! -name '*-rt-amd64' ! -name '*-cloud-amd64' 2>/dev/null |
		sort -V | tail -n 1
}

# Headers of $KERNEL, or nothing if they are yet to be fetched.
kernel_kdir()
{
	local dir
	if [ "$kernel_headers" = host ]; then
		newest_headers
	elif [ -s "$out/kernel/release" ]; then
		dir=$out/kernel/usr/src/linux-headers-$(cat "$out/kernel/release")
		[ ! -f "$dir/Makefile" ] || echo "$dir"
	fi
}

# What a plain `make` builds against: those of $KERNEL, else $KDIR, else the
# running kernel's headers, else the newest stock ones. Prints nothing if there
# are none.
find_kdir()
{
	local running
	running=/lib/modules/$(uname -r)/build

	if [ -n "${KERNEL:-}" ]; then
		kernel_kdir
	elif [ -n "${KDIR:-}" ]; then
		[ -f "$KDIR/Makefile" ] ||
			die "KDIR=$KDIR holds no kernel build tree" \
			    "unset KDIR, or point it at /usr/src/linux-headers-<release>"
		(cd "$KDIR" && pwd -P)
	elif [ -f "$running/Makefile" ]; then
		(cd "$running" && pwd -P)
	else
		newest_headers
	fi
}

# What checks build against: $KERNEL, or else a stock Debian 6.1 kernel, whatever
# the machine runs. $KDIR, else the one that setup.sh noted when it fetched the image for
# the VM, else the best there is; prints nothing if there is none.
find_vm_kdir()
{
	local dir
	if [ -n "${KERNEL:-}" ]; then
		kernel_kdir
		return
	fi
	if [ -z "${KDIR:-}" ] && [ -s "$out/kernel/kdir" ]; then
		dir=$(cat "$out/kernel/kdir")
	else
		dir=$(find_kdir)
	fi
	case $(kdir_release "${dir:-/nonexistent}") in
	6.1.*-amd64) echo "$dir" ;;
	*) newest_headers ;;
	esac
}

# Release of the kernel that headers $1 belong to. Debian's kernel.release
# holds the upstream version, so it comes last.
kdir_release()
{
	local release
	release=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' \
		"$1/include/generated/utsrelease.h" 2>/dev/null) || release=
	[ -n "$release" ] || release=$(cat "$1/include/config/kernel.release" 2>/dev/null) || :
	echo "$release"
}

use_source "${SOURCE:-6.1}"
read_kernel
