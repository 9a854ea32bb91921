#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Waits as plain code writes them: what waits in a condition, what is over already, what
# is to stop, what fails or has just ended.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start waits

# Half the work is enough when test-work-knobs.sh includes this.
policies=${including:+copy}

for policy in ${policies:-inplace copy}; do
	knob policy "$policy"
	for called in 0 1; do
		kind=$([ $called = 0 ] && echo item || echo call).$policy
		i=0
		for way in sleep chan item event deep; do
			test_case "$way.$kind" run nested-wait $called $i
			i=$((i + 1))
		done
		test_case "past.$kind" run wait-past $called
	done
done
i=0
for way in event park sleep call in-sleep in-call; do
	test_case "stop-$way" run thread-stop $i
	i=$((i + 1))
done
test_case stop-race run thread-stop-race 100
test_case thread-park run thread-park
test_case thread-park-late run thread-park-late
test_case queue-fails run queue-fails 500
test_case itself run wait-itself
test_case let-go run item-let-go 20

finish
