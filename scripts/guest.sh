# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Makes the root file system that a kernel unpacks into its memory: busybox, selftests/ as
# /selftests, our modules in /lib/costack, modules of the stock kernel in /lib/stock. vm.sh
# boots it in an emulator, kit.sh puts it on a stick. Sourced after lib.sh, never run.
#
#	find_stock_kernel		sets release, moddir, vmlinuz: the stock kernel below $out
#	guest_root ROOT KODIR INIT	makes directory ROOT, with *.ko of KODIR and INIT as /init
#	guest_modules ROOT NAME...	adds these stock modules and what they need
#	guest_archive ROOT FILE		packs it, uncompressed, and removes ROOT
#
# shellcheck disable=SC2154 # lib.sh sets what this reads

find_stock_kernel()
{
	[ -s "$out/kernel/release" ] || die "no kernel to boot" "run ${KERNEL:+KERNEL=$KERNEL }scripts/setup.sh vm"
	release=$(cat "$out/kernel/release")
	moddir=$out/kernel/lib/modules/$release
	vmlinuz=$out/kernel/boot/vmlinuz-$release
	[ -e "$vmlinuz" ] || vmlinuz=$moddir/vmlinuz
}

# Prints the paths of stock module $1 (a name, or "one|other" for either) and of all
# modules it depends on, in load order; nothing if it is built in. modules.dep lists the
# deepest dependency last.
module_paths()
{
	local name=${1//[-_]/[-_]} line word
	if grep -qE "/($name)\.ko\$" "$moddir/modules.builtin"; then
		return
	fi
	line=$(grep -E "^[^:]*/($name)\.ko(\.xz)?:" "$moddir/modules.dep") ||
		die "the stock kernel $release has no module $1"
	for word in $(tr ' ' '\n' <<<"${line/:/}" | tac); do
		echo "$moddir/$word"
	done
}

# Modules are decompressed, because busybox cannot load compressed ones.
guest_modules()
{
	local root=$1 name path
	shift
	for name in "$@"; do
		module_paths "$name"
	done | awk '!seen[$0]++' | while read -r path; do
		name=$(basename "$path" .xz)
		case $path in
		*.xz) xz -dc "$path" >"$root/lib/stock/$name" ;;
		*) cp "$path" "$root/lib/stock/" ;;
		esac
		echo "$name" >>"$root/lib/stock/order"
	done
}

guest_root()
{
	local root=$1 kodir=$2 init=$3
	[ -x "$busybox" ] || die "no busybox for the guest" "run ${KERNEL:+KERNEL=$KERNEL }scripts/setup.sh vm"
	rm -rf "$root"
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,root,etc,files,lib/costack,lib/stock,usr}
	ln -s ../bin "$root/usr/bin"
	ln -s bin "$root/sbin"
	cp "$busybox" "$root/bin/busybox"
	cp "$top/scripts/costack-top" "$root/bin/"
	cp "$init" "$root/init"
	cp "$top/scripts/guest-init.sh" "$root/lib/"
	find "$kodir" -maxdepth 1 ! -name '.*' \( -name '*.ko' -o -name '*.probes' -o -name '*.abi' \) -exec cp -t "$root/lib/costack" {} +
	# The root is kept in the guest's memory, where nothing reads debug information.
	find "$root/lib/costack" -name '*.ko' -exec strip --strip-debug {} +
	[ ! -d "$top/selftests" ] || cp -r "$top/selftests" "$root/selftests"
}

guest_archive()
{
	(cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) >"$2"
	rm -rf "$1"
}
