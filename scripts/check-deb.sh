#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests the package costack-dkms, and counts each check as passed or failed: makes it, and
# installs it in a Debian below build/ (deb-root.sh), where DKMS builds costack. Builds the
# example with the files of the package, and loads both modules in a VM. Then upgrades the
# package and removes it, after which no file may be left. Does the same with
# scripts/dkms.sh, without dpkg. The last line is the sum. It takes about ten minutes.
#
# usage: scripts/check-deb.sh		(make check-deb; root or sudo)
# environment: KERNEL, a name from scripts/kernels, such as 6.12-deb13, for that kernel and the
#	Debian that has it; MIRROR, of Debian packages (default: the one that apt is set up for)

set -uo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/checks.sh"

dir=$top/build/deb
root=$out/deb-root
version=$(module_version) || exit
newer=$version.1
# shellcheck disable=SC2034 # read by check()
checks=$dir
passed=0 failed=0

inside()
{
	"$top/scripts/deb-root.sh" "$@"
}

# is WHAT EXPECTED GOT
is()
{
	[ "$2" = "$3" ] || { echo "$1: expected '$2', got '$3'"; return 1; }
}

# Prints the path of the installed module. Debian 13 compresses it.
# shellcheck disable=SC2016 # the inner shell expands it
module()
{
	inside sh -c 'ls "/lib/modules/$1/updates/dkms/costack.ko"*' sh "$release"
}

deb()
{
	echo "$top/build/costack-dkms_$1_all.deb"
}

# --- The package -------------------------------------------------------------

same_again()
{
	sha256sum "$(deb "$version")" >"$dir/first" && "$top/scripts/deb.sh" && sha256sum -c "$dir/first"
}

# The package has no rules for udev, no files in /etc, and no maintainer script for udev.
no_udev()
{
	! dpkg-deb -c "$(deb "$version")" | grep -E 'udev|/etc/' &&
		! dpkg-deb --ctrl-tarfile "$(deb "$version")" | tar -xO | grep -a udev
}

lintian_of()
{
	inside lintian --allow-root --display-info --pedantic \
		"$(deb "$version")" 2>&1 | grep -v 'running with root privileges'
}

lintian_is_silent()
{
	local said
	said=$(lintian_of)
	[ -z "$said" ] || { echo "$said"; return 1; }
}

# Without the overrides lintian must find what they are for.
lintian_finds()
{
	local said
	said=$(inside lintian --allow-root --no-override "$(deb "$version")") || :
	grep bogus-mail-host <<<"$said"
}

# --- Installed ---------------------------------------------------------------

# Prints all files of the Debian with their checksums, except logs, caches and the like.
# shellcheck disable=SC2016 # the inner shell expands it
everything()
{
	inside sh -c 'cd / && set -- \( -path ./tmp -o -path ./proc -o -path ./root -o -path ./var/log \
			-o -path ./var/cache -o -path ".$1" -o -path ./var/lib/dpkg \) -prune -o
		find . -xdev "$@" -printf "%p %y %l\n"
		find . -xdev "$@" -type f -print0 | xargs -0 md5sum' sh "$top" | sort
}

nothing_is_left()
{
	everything >"$dir/after" && [ "$(wc -l <"$dir/after")" -gt 1000 ] && diff "$dir/before" "$dir/after"
}

# Makes a key for DKMS to sign with.
give_key()
{
	inside sh -c 'openssl req -new -x509 -nodes -days 2 -newkey rsa:2048 -subj "/CN=throw-away key" \
		-keyout /root/key.pem -outform DER -out /root/key.der 2>/dev/null
	printf "%s\n" mok_signing_key=/root/key.pem mok_certificate=/root/key.der \
		>>/etc/dkms/framework.conf'
}

# Makes it look as if kernels were installed for which costack is not made.
# shellcheck disable=SC2016 # the inner shell expands it
give_other_kernels()
{
	inside sh -c 'for name in 5.10.0-9-amd64 7.4-amd64; do
		mkdir -p "/lib/modules/$name" && ln -sfn "$(readlink -f "$1")" "/lib/modules/$name/build"
	done' sh "$kdir"
}

install_deb()
{
	inside dpkg -i "$(deb "$1")" && module &&
		is version "$1" "$(inside modinfo -F version "$(module)")" &&
		is "dkms status" "costack/$1, $release, x86_64: installed" "$(inside dkms status)"
}

is_signed()
{
	is signer "throw-away key" "$(inside modinfo -F signer "$(module)")"
}

build_was_silent()
{
	local log
	log=$(inside sh -c 'cat /var/lib/dkms/costack/*/*/*/log/make.log')
	grep 'LD .*costack.ko' <<<"$log" && ! grep -iE 'warning|error|costack: ' <<<"$log"
}

# man finds the pages, and apropos knows them.
pages_are_read()
{
	inside sh -c 'man costack | grep -A 2 ^NAME && man 9 costack_call | grep -A 2 ^NAME &&
		man costack-top | grep -A 2 ^NAME && apropos costack'
}

# Builds a copy of the example with the installed files, as the author of a module would.
# shellcheck disable=SC2016 # the inner shell expands it
build_example()
{
	local log
	log=$(inside sh -c 'rm -rf /root/example && cp -r /usr/share/doc/costack-dkms/examples/example /root &&
		cd /root/example && make KDIR="$1"' sh "$kdir" 2>&1)
	echo "$log"
	! grep -iE 'warning|error|movable' <<<"$log" || return 1
	inside modinfo -F parm /root/example/costack_example.ko | grep costack_movable &&
		inside /usr/share/costack/scripts/movable /root/example/costack_example.ko
}

# What README.md refers to is there; documents are compressed.
# shellcheck disable=SC2016 # the inner shell expands it
documents_are_there()
{
	inside sh -c 'cd /usr/share/doc/costack-dkms && zgrep -q "^# costack" README.md.gz &&
		zgrep -q "^# " module/README.md.gz && ls module/ABI/* &&
		cd /usr/share/costack/scripts/coccinelle && cat escape.cocci thread.cocci >/dev/null'
}

# Python must not have written compiled files where the package would have to remove them.
package_is_intact()
{
	inside dpkg --verify costack-dkms | grep . && return 1
	inside find /usr/src/costack-"$1" /usr/share/costack/ -type f | wc -l >"$dir/files"
	! inside find "/usr/src/costack-$1" -name '*.pyc' -o -name build | grep .
}

# shellcheck disable=SC2016 # the inner shell expands it
give_sample()
{
	inside sh -c 'sed "s/policy=copy/policy=$1/" /usr/share/doc/costack-dkms/examples/modprobe.d/costack.conf \
		>/etc/modprobe.d/costack.conf' sh "$1"
}

guest()
{
	"$top/scripts/vm.sh" -t 600 -o "$out/vm/deb" -s virtio_pci -s 9pnet_virtio -s 9p -f "$top/scripts/deb-guest.sh" \
		-q "-virtfs local,path=$root,mount_tag=deb,security_model=none,readonly=on" \
		sh /files/deb-guest.sh "$@"
}

old_version_is_gone()
{
	! inside sh -c "ls -d /usr/src/costack-$1 /var/lib/dkms/costack/$1 2>/dev/null" &&
		is link "../src/costack-$newer" "$(inside readlink /usr/share/costack)"
}

remove_deb()
{
	inside dpkg -r costack-dkms && inside dpkg -P costack-dkms && ! module
}

# --- Without dpkg --------------------------------------------------------------

dkms_install()
{
	inside env KERNELRELEASE="$release" "$top/scripts/dkms.sh" &&
		inside /usr/local/bin/costack-top -h &&
		is version "$version" "$(inside modinfo -F version "$(module)")"
}

# shellcheck disable=SC2016 # the inner shell expands it
sign_by_hand()
{
	inside sh -c 'case $1 in *.xz) xz -dc "$1" ;; *) cat "$1" ;; esac >/root/plain.ko &&
		strip -g /root/plain.ko &&
		[ -z "$(modinfo -F signer /root/plain.ko)" ] &&
		KDIR=$3 SIGN_KEY=/root/key.pem SIGN_CERT=/root/key.der "$2/scripts/sign.sh" /root/plain.ko' \
		sh "$(module)" "$top" "$kdir" &&
		is signer "throw-away key" "$(inside modinfo -F signer /root/plain.ko)"
}

dkms_remove()
{
	inside dkms remove -m costack -v "$version" --all &&
		inside rm -r "/usr/src/costack-$version" /usr/share/costack /usr/local/bin/costack-top
}

cd "$top" || exit 2
mkdir -p "$dir"
"$top/scripts/setup.sh" build vm deb || exit
# These come after setup.sh, which gets the kernel in the first run.
release=$(cat "$out/kernel/release")
kdir=/lib/modules/$release/build
# A failed run may have left files in the Debian: make it anew.
[ ! -e "$root.dirty" ] || rm -f "$root.made"
"$top/scripts/deb-root.sh" --new || exit
touch "$root.dirty"

check "the package is made" "$top/scripts/deb.sh"
check "it is the same when it is made again" same_again
check "a newer one is made" env VERSION="$newer" "$top/scripts/deb.sh"
check "it has nothing for udev, and nothing in /etc" no_udev
check "lintian is silent" lintian_is_silent
check "lintian finds what is overridden" lintian_finds

check "a key to sign with" give_key
check "kernels for which costack is not made" give_other_kernels
everything >"$dir/before"
check "install: DKMS builds costack $version, and for no other kernel" install_deb "$version"
check "the build says nothing" build_was_silent
check "the module is signed with the key that DKMS was given" is_signed
check "manual pages" pages_are_read
check "the documents, and the rules for Coccinelle" documents_are_there
check "the example is built with what is installed" build_example
check "only the files of the package are there" package_is_intact "$version"
check "modprobe.d: policy=inplace" give_sample inplace
check "in a VM: modprobe, the example, and removal" guest "$version" inplace
check "upgrade to $newer" install_deb "$newer"
check "$version is gone" old_version_is_gone "$version"
check "the example is built with $newer" build_example
check "modprobe.d: policy=copy" give_sample copy
check "in a VM: $newer, and the example on stacks that move" guest "$newer" copy
inside rm -f /etc/modprobe.d/costack.conf
# Nobody should install it by mistake: README says build/costack-dkms_*_all.deb.
rm -f "$(deb "$newer")"
check "remove" remove_deb
check "nothing is left" nothing_is_left

check "dkms-install: the same without dpkg" dkms_install
check "sign.sh signs" sign_by_hand
check "and it is removed" dkms_remove
check "nothing is left of it" nothing_is_left

[ $failed -ne 0 ] || rm -f "$root.dirty"
echo "deb: $passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
