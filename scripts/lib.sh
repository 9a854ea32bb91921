# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Common ground of the scripts: where things are, how they speak, and which
# kernel headers and sources are meant. Sourced, never run. Sets `top` (the repository),
# `out` (everything made goes below it; what is made for another kernel, below a
# directory of its own), `own` (version of the machine's own kernel), `source` (which of
# Debian's packages linux-source-*), `ksrc` (where those are unpacked) and `of_source`
# (what the names of kernels made from them end with; nothing for the default ones).
#
# environment: KERNEL, a name from scripts/kernels; KDIR, kernel headers; SOURCE, of a
#	kernel that is built here, such as 6.12 (default: the version of the machine's own)

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
out=$top/build${KERNEL:+/kernels/$KERNEL}
# shellcheck disable=SC2034 # read by the scripts that source this file
busybox=$top/build/kernel/busybox
# What a machine may be, the oldest first.
debians=(bookworm trixie)

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
	[ "$1" = "$own" ] || of_source=-$1
}

# Code name of the machine's Debian, or the oldest known if it is none of those.
host_debian()
{
	local name
	name=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null) || :
	[[ " ${debians[*]} " == *" $name "* ]] || name=${debians[0]}
	echo "$name"
}

# Sets kernel_name and so on to what scripts/kernels says of $KERNEL, or of the machine's
# own; and kernel_tree to the Debian whose tree its headers are used in, if they are.
# shellcheck disable=SC2034
read_kernel()
{
	local host debian known=" ${debians[*]} "
	host=$(host_debian)
	while read -r kernel_name kernel_suite kernel_release kernel_flavour kernel_headers kernel_accel; do
		debian=${kernel_suite%%-*} kernel_tree=''
		if [ -n "${KERNEL:-}" ]; then
			[ "$kernel_name" = "$KERNEL" ] || continue
		else
			[ "$debian" = "$host" ] || continue
		fi
		# What is newer comes behind it.
		[[ ${known#* "$host" } != *"$debian "* ]] || kernel_tree=$debian
		[ "$debian" = "$host" ] || kernel_headers=unpacked
		return 0
	done < <(grep -v '^#' "$top/scripts/kernels")
	die "no kernel is called $KERNEL" "scripts/kernels names these: $(kernel_names)"
}

# Whether the kernel that checks are made on is one that is unpacked below build/. Who has
# its headers elsewhere names them by $KDIR.
is_unpacked()
{
	[ "$kernel_headers" = unpacked ] && { [ -n "${KERNEL:-}" ] || ! is_stock "${KDIR:-}"; }
}

# Releases of the kernel that is meant, as an extended regular expression.
release_pattern()
{
	sed 's/[.+]/\\&/g; s/N/[0-9]+/g' <<<"$kernel_release-$kernel_flavour"
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

# Runs a command as root in a mount namespace of its own.
apart()
{
	as_root unshare --mount --propagation private "$@"
}

# Package $1 as a pattern of apt's that no other matches. Of a name that it does not
# know, apt makes one: linux-source-6.1 is then linux-source-6.12, too.
exactly()
{
	# shellcheck disable=SC2001 # an expression, not a word
	echo "^$(sed 's/[.+]/\\&/g' <<<"$1")\$"
}

# Newest headers of the kernel that is meant of those installed, or nothing.
newest_headers()
{
	find /usr/src -maxdepth 1 -regextype posix-extended \
		-regex "/usr/src/linux-headers-$(release_pattern)" 2>/dev/null |
		sort -V | tail -n 1
}

# Headers of the kernel that is meant, or nothing if they are yet to be fetched.
kernel_kdir()
{
	local dir
	if [ "$kernel_headers" = host ]; then
		newest_headers
	elif [ -s "$out/kernel/kdir" ]; then
		cat "$out/kernel/kdir"
	elif [ -s "$out/kernel/release" ]; then
		dir=$out/kernel/usr/src/linux-headers-$(cat "$out/kernel/release")
		[ ! -f "$dir/Makefile" ] || echo "$dir"
	fi
}

# What a plain `make` builds against: those of $KERNEL, else $KDIR, else the
# running kernel's headers, else the newest stock ones, installed or unpacked. Prints
# nothing if there are none.
find_kdir()
{
	local running newest
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
		newest=$(newest_headers)
		echo "${newest:-$(kernel_kdir)}"
	fi
}

# What checks build against: $KERNEL, or else the stock kernel of the machine's Debian,
# whatever the machine runs. $KDIR, else the one that setup.sh noted when it fetched the
# image for the VM, else the best there is; prints nothing if there is none.
find_vm_kdir()
{
	local dir
	if [ -n "${KERNEL:-}" ] || is_unpacked; then
		kernel_kdir
		return
	fi
	if [ -z "${KDIR:-}" ] && [ -s "$out/kernel/kdir" ]; then
		dir=$(cat "$out/kernel/kdir")
	else
		dir=$(find_kdir)
	fi
	if is_stock "$dir"; then
		echo "$dir"
	else
		newest_headers
	fi
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

# Whether headers $1 are of the kernel that is meant.
is_stock()
{
	kdir_release "${1:-/nonexistent}" | grep -qxE "$(release_pattern)"
}

# Version of the machine's own kernel, such as 6.1.
own_version()
{
	(KERNEL='' read_kernel && grep -oE '^[0-9]+\.[0-9]+' <<<"$kernel_release")
}

# Version of costack, which module/main.c alone says.
module_version()
{
	sed -n 's/^MODULE_VERSION("\(.*\)");$/\1/p' "$top/module/main.c" | grep . ||
		die "module/main.c has no MODULE_VERSION" "the checkout is incomplete"
}

own=$(own_version)
use_source "${SOURCE:-$own}"
read_kernel
