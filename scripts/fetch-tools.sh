#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Gets tracing tools of the machine's Debian for the VM, and installs nothing: unpacks
# trace-cmd, perf and bpftrace below build/tools/, but only the files that running them
# needs. Guests of vm.sh start them with the dynamic loader and the libraries of these
# packages. Tools that are already there stay; remove the directory to get newer ones.
#
# usage: scripts/fetch-tools.sh
# environment: MIRROR, of Debian packages (default: the one that apt is set up for)

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

tree=$top/build/tools
. "$(dirname "$0")/unpack.sh"
tools=(trace-cmd perf bpftrace)

fetch()
{
	local tool
	rm -rf "$root" "$tree/libs"
	mkdir -p "$root"
	apt_setup "$tree/apt" "$(host_debian)"
	fetch_libs trace-cmd linux-perf bpftrace
	unpack trace-cmd /usr/bin/trace-cmd
	unpack linux-perf '/usr/bin/perf*'
	unpack bpftrace /usr/bin/bpftrace
	keep_libs "${tools[@]/#//usr/bin/}"
	for tool in "${tools[@]}"; do
		wrap "$tool" "root/usr/bin/$tool"
	done
	# One of the tools prints its version and fails nevertheless.
	for tool in "${tools[@]}"; do
		{ "$tree/$tool" --version 2>&1 || :; } | grep -i -m 1 " v[0-9]\|version [0-9]" \
			>>"$tree/version.new" ||
			die "$tool does not work" "remove $tree and run $0 again"
	done
	mv "$tree/version.new" "$tree/version"
	say "the tools are in build/tools"
}

mkdir -p "$tree"
exec 9>"$tree/lock"
flock 9
if [ ! -e "$tree/version" ]; then
	trap 'rm -rf "$tree/apt" "$tree/libs" "$tree/version.new"' EXIT
	fetch
fi
