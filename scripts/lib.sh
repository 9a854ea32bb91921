# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What all scripts share: directories, messages, and the choice of kernel headers and
# sources. Sourced, never run. Sets `top` (the repository), `out` (the directory below which
# everything is made; with KERNEL it is one of that kernel), `own` (version of the machine's
# own kernel), `source` (version of the kernel sources: a package linux-source-* of
# Debian's), `ksrc` (where these are unpacked) and `of_source` (suffix of the names of
# kernels that are made from them; empty for the default sources).
#
# environment: KERNEL, a name from scripts/kernels; KDIR, kernel headers; SOURCE, version of
#	the kernel sources, such as 6.12 (default: that of the machine's own kernel)

# Debian's tools, whose Python has the packages that setup.sh installs, before others of the
# same name.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
out=$top/build${KERNEL:+/kernels/$KERNEL}
# shellcheck disable=SC2034 # read by the scripts that source this file
busybox=$top/build/kernel/busybox
# The versions of Debian that a machine may run, the oldest first.
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

# use_source VERSION: selects the kernel sources, also for the scripts that this one runs.
# shellcheck disable=SC2034 # read by the scripts that source this file
use_source()
{
	[[ $1 =~ ^[0-9]+\.[0-9]+$ ]] || die "SOURCE=$1 is not a version of kernel sources" \
		"name a version for which Debian has a linux-source-*: SOURCE=6.12"
	export SOURCE=$1
	source=$1 ksrc=$top/build/linux-source-$1 of_source=''
	[ "$1" = "$own" ] || of_source=-$1
}

# Prints the code name of the machine's Debian; on any other system that of the oldest known.
host_debian()
{
	local name
	name=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null) || :
	[[ " ${debians[*]} " == *" $name "* ]] || name=${debians[0]}
	echo "$name"
}

# Sets kernel_name and so on from the line of scripts/kernels for $KERNEL, or else for the
# machine's own kernel. If its headers have to be used in a tree of another Debian, sets
# kernel_tree to the name of that; otherwise to nothing.
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
		# A newer Debian stands behind the machine's in the list.
		[[ ${known#* "$host" } != *"$debian "* ]] || kernel_tree=$debian
		[ "$debian" = "$host" ] || kernel_headers=unpacked
		return 0
	done < <(grep -v '^#' "$top/scripts/kernels")
	die "no kernel is called $KERNEL" "scripts/kernels names these: $(kernel_names)"
}

# Succeeds if the kernel for checks is unpacked below build/. Somebody who has its headers
# elsewhere names them in $KDIR.
is_unpacked()
{
	[ "$kernel_headers" = unpacked ] && { [ -n "${KERNEL:-}" ] || ! is_stock "${KDIR:-}"; }
}

# Prints an extended regular expression for the releases of the selected kernel.
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

# Prints package $1 as a pattern for apt that matches no other package. Without it apt takes
# an unknown name for a pattern, and linux-source-6.1 matches linux-source-6.12.
exactly()
{
	# shellcheck disable=SC2001 # it needs a regular expression
	echo "^$(sed 's/[.+]/\\&/g' <<<"$1")\$"
}

# Prints the newest installed headers of the selected kernel, or nothing.
newest_headers()
{
	find /usr/src -maxdepth 1 -regextype posix-extended \
		-regex "/usr/src/linux-headers-$(release_pattern)" 2>/dev/null |
		sort -V | tail -n 1
}

# Prints the headers of the selected kernel, or nothing if they have to be fetched.
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

# Prints the headers that a plain `make` builds against: those of $KERNEL, else $KDIR, else
# the running kernel's, else the newest stock ones, installed or unpacked. Prints nothing if
# there are none.
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

# Prints the headers that checks build against: those of $KERNEL, or else of the stock kernel
# of the machine's Debian, whatever kernel the machine runs. For the latter it takes $KDIR,
# else the headers that setup.sh noted when it fetched the image for the VM, else those of
# find_kdir(), if they are of that kernel, else the newest installed ones. Prints nothing if
# there are none.
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

# Prints the release of the kernel that headers $1 belong to. Debian's kernel.release holds
# the upstream version, so it is used only if nothing else tells.
kdir_release()
{
	local release
	release=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' \
		"$1/include/generated/utsrelease.h" 2>/dev/null) || release=
	[ -n "$release" ] || release=$(cat "$1/include/config/kernel.release" 2>/dev/null) || :
	echo "$release"
}

# Succeeds if headers $1 are those of the selected kernel.
is_stock()
{
	kdir_release "${1:-/nonexistent}" | grep -qxE "$(release_pattern)"
}

# Prints the version of the machine's own kernel, such as 6.1.
own_version()
{
	(KERNEL='' read_kernel && grep -oE '^[0-9]+\.[0-9]+' <<<"$kernel_release")
}

# Prints the version of costack. Only module/main.c has it.
module_version()
{
	sed -n 's/^MODULE_VERSION("\(.*\)");$/\1/p' "$top/module/main.c" | grep . ||
		die "module/main.c has no MODULE_VERSION" "the checkout is incomplete"
}

own=$(own_version)
use_source "${SOURCE:-$own}"
read_kernel
