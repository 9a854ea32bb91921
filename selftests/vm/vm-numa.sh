#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two NUMA nodes: stacks are of the node that they are used on, and go back to it; and as many
# workers are held on one node as have to be.

. "$(dirname "$0")/../../scripts/lib.sh"

# The kernel complains if CPUs of one socket are of two nodes.
nodes="-smp 2,sockets=2"
for node in 0 1; do
	nodes+=" -object memory-backend-ram,id=m$node,size=512M"
	nodes+=" -numa node,nodeid=$node,cpus=$node,memdev=m$node"
done

echo "TAP version 13"
# shellcheck disable=SC2016 # the guest expands it
"$top/scripts/vm.sh" -t 3600 -m 1G -q "$nodes" -o "$out/vm/numa" sh -c '
	. /selftests/functions.sh
	start numa
	test_case two-nodes [ -d /sys/devices/system/node/node1 ]
	test_case near run numa 60
	knob workers 1
	test_case held run held-chain 200
	test_case storm run pack-storm 64 20000 0
	test_case drop-stacks sh -c "echo 2 >/proc/sys/vm/drop_caches"
	test_case near-again run numa 60
	finish' | grep -v '^TAP version'
exit "${PIPESTATUS[0]}"
