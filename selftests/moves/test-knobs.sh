#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The other tests again with stacks filled around each move, and with a move at
# every call: both find what holds an old address.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start knobs

for name in growth abort roots api; do
	include $name poison=1
	include $name force_move=1
done
include frames poison=1
include roots poison=1 force_move=1
include api poison=1 force_move=1

finish
