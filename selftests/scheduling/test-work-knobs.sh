#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tests of work items again with stacks filled around each move; and with a move at
# every call, or packed at every park, or both; and with stacks that start with what their
# function has needed before.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start work-knobs

for name in park resume chan select locks group completion cancel shrink storm; do
	include $name poison=1 force_move=1
done
# What is packed does not shrink.
for name in park waits resume chan select locks group completion cancel storm; do
	include $name poison=1 force_pack=1
done
for name in park chan select locks; do
	include $name poison=1 force_move=1 force_pack=1
done
for name in pack locks; do
	include $name poison=1 unmap=1
done
include select poison=1 unmap=1 force_move=1
for name in park waits chan shrink pack; do
	include $name adaptive_start=1
done

finish
