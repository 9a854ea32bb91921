#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tests of work items again with stacks filled around each move, and with a
# move at every call.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start work-knobs

for name in park resume chan cancel shrink storm; do
	include $name poison=1 force_move=1
done

finish
