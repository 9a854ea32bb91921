#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The limit: -EOVERFLOW, all defers, and everything works afterwards.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start abort

# at_limit BYTES ROUNDS
at_limit()
{
	counts aborts="$2" overflows="$2" calls=$((2 * $2)) -- run abort "$1" "$2"
}

rounds=${including:+40}

for policy in copy inplace; do
	knob policy $policy
	for limit in 8192 16384 65536; do
		test_case "limit-$limit.$policy" at_limit $limit 20
		test_case "storm-$limit.$policy" in_storm 100 at_limit $limit "${rounds:-200}"
	done
	test_case "pinned.$policy" counts aborts=1 grown_by_copy=0 -- run abort-pinned 16384
	test_case "nested.$policy" counts aborts=1 -- run abort-nested
	test_case "in-defer.$policy" counts aborts=1 -- run abort-in-defer
	test_case "beyond.$policy" counts aborts=1 grown_by_copy=0 grown_in_place=2 -- \
		run abort-beyond
	for bytes in 64 2000 6000 12000; do
		test_case "callback-$bytes.$policy" counts aborts=1 grown_by_copy=0 -- \
			run abort-callback $bytes
	done
	for bytes in 12000 16000; do
		test_case "callback-storm-$bytes.$policy" in_storm 100 run abort-callback $bytes
	done
	for limit in 8192 65536; do
		test_case "kernel-$limit.$policy" counts aborts=1 overflows=1 -- \
			run abort-kernel $limit
	done
	for limit in 8192 16384; do
		for how in 0 1 2; do
			test_case "chan-$limit-$how.$policy" counts aborts=1 overflows=1 -- \
				run abort-chan $limit $how
		done
	done
	test_case "waiting.$policy" counts aborts=1 -- run abort-waiting
	test_case "tight.$policy" counts aborts=1 grown_in_place=1 -- run abort-tight
	test_case "defers.$policy" counts aborts=0 -- run defer
done

finish
