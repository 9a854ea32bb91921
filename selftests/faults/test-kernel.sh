#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own code on stacks that overflow at many places of it.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start kernel

for policy in copy inplace; do
	knob policy $policy
	for what in format memory sort file; do
		test_case "$what.$policy" counts 'grown_in_place>=1' -- run kernel-$what 16
	done
	for what in mutex sleep; do
		test_case "$what.$policy" counts 'grown_irqs_off>=1' -- run kernel-$what 16
	done
	test_case "storm.$policy" in_storm 100 run kernel-memory 32
done

knob policy copy
test_case atomic.copy counts grown_by_copy=4 grown_irqs_off=2 -- run atomic
knob policy inplace
test_case atomic.inplace counts grown_in_place=4 grown_irqs_off=2 -- run atomic

finish
