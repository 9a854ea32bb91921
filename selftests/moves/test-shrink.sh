#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Parked stacks that are too large become smaller, and nothing on them changes.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start shrink

pinned=2 # COSTACK_PINNED

# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	for keep in 0 1000 3000 7000 11000 14000 17000 40000; do
		test_case "keep-$keep.$policy" run shrink $keep
	done
	test_case "pinned.$policy" counts shrunk=0 -- run shrink 0 $pinned
	test_case "fixed.$policy" counts shrunk=0 -- run shrink-fixed
	test_case "yield.$policy" counts 'shrunk=4' -- run shrink-yield
	test_case "storm.$policy" counts 'shrunk>=200' -- run shrink-storm 16 200
done
test_case pressure counts 'shrunk>=50' -- run shrink-pressure 50

finish
