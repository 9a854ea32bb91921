#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# scripts/costack-top: its figures are those of the files it reads, it fits the terminal, and
# it says what is missing.
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start top

top=$(command -v costack-top || echo "$here/../scripts/costack-top")
work=/tmp/costack-top
fake=$work/kernel
rm -rf "$work"
mkdir -p "$work"

# field FILE LINE WORD: what comes after the word in the line that begins with LINE
field()
{
	sed -n "s/^$2 \(.* \)*$3 \([^ ]*\).*/\2/p" "$1" | tr -d ,
}

# row FILE FUNCTION: the function's row, without commas
row()
{
	awk -v fn="$2" '$9 == fn { gsub(/,/, ""); $1 = $1; print }' "$1"
}

# no_escapes FILE
no_escapes()
{
	! grep "$(printf '\033')" "$1"
}

# --- Coroutines that stand still ---------------------------------------------

# column FUNCTION NAME: what the list says, as the sum and the largest; or as the word
column()
{
	awk -v fn="$1" -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	$at["function"] == fn {
		word = $at[name]
		sum += word
		if (word > most + 0)
			most = word
	}
	END {
		if (sum)
			printf "%d %d\n", sum, most
		else
			print word
	}' /sys/kernel/debug/costack/stacks
}

# shows QUEUE CHANNEL GROWN: does the view show so many that wait
shows()
{
	local status=0
	{ run watched-begin 0 "$@" && figures_agree "$@"; } || status=1
	run watched-end && return $status
}

# kib N: so many as the view has them
kib()
{
	awk -v n="$1" 'BEGIN {
		unit = n < 1024 ? "K" : "M"
		n = n < 1024 ? n : n / 1024
		printf n == int(n) ? "%d%s" : "%.1f%s", n, unit
	}'
}

# function_is FUNCTION ITEMS: all of them wait for the same
function_is()
{
	# shellcheck disable=SC2046 # two words each, and one
	set -- "$@" $(column "$1" class) $(column "$1" used) "$(column "$1" waits)"
	is "$1" "$2 $2 0 $(kib $(($3 / 1024))) $(awk -v sum="$5" -v n="$2" 'BEGIN {
		printf "%.0f", sum / n }') $6 $(kib $(($4 / 1024))) $7 $1 [costack_test]" \
		"$(row "$work/view" "$1")"
}

figures_agree()
{
	local all=$(($1 + $2 + $3)) size name
	"$top" >"$work/view" || return 1
	no_escapes "$work/view" || return 1
	for name in live parked; do
		is $name "$(counter $name)" "$(field "$work/view" costack $name)" || return 1
	done
	is waiting $all "$(field "$work/view" costack parked)" || return 1
	for size in 4k 8k 16k 32k 64k; do
		is "stacks of $size" "$(counter stacks_$size)" \
			"$(field "$work/view" stacks "$(echo $size | tr k K)")" || return 1
	done
	is deepest "$(counter deepest)" "$(field "$work/view" stacks deepest)" || return 1
	is parks "$(counter parks)" "$(field "$work/view" 'in all' parks)" || return 1
	is "by copy" "$(counter grown_by_copy)" "$(field "$work/view" 'in all' 'by copy')" || return 1
	function_is watched_queue "$1" && function_is watched_channel "$2" &&
		function_is watched_grown "$3"
}

# view_has_calls NR: so many kinds
view_has_calls()
{
	"$top" >"$work/view" &&
		is "called" $((5 * $1)) "$(field "$work/view" costack called)" &&
		is "live, waiting, running" "$((5 * $1)) $((4 * $1)) $1" \
			"$(row "$work/view" watched_call | cut -d ' ' -f 1-3)"
}

# shows_calls NR: 4 * NR called coroutines wait and NR run, and they are counted
shows_calls()
{
	local status=0
	run watched-calls "$1" 0 || return
	until_true view_has_calls "$1" >"$work/said" || { tail -n 3 "$work/said"; status=1; }
	run watched-end && return $status
}

# --- A terminal --------------------------------------------------------------

program_has_ended()
{
	grep -q @ended@ "$work/raw"
}

# telnetd gives its program a terminal, and needs no network. It ends with its input, which is
# when all that the program has written has come through.
in_terminal()
{
	printf '#!/bin/sh\n%s\nprintf @ended@\n' "$1" >"$work/program"
	chmod +x "$work/program"
	: >"$work/raw"
	until_true program_has_ended |
		telnetd -i -f /dev/null -l "$work/program" >"$work/raw"
	tr -d '\r' <"$work/raw" | sed 's/@ended@//' >"$work/screen"
}

# fits ROWS COLUMNS: the view of so large a terminal
fits()
{
	local escape
	escape=$(printf '\033')
	in_terminal "stty rows $1 cols $2; COSTACK_ROOT=$fake $top -n 1"
	if ! grep -q "$escape\[?1049h.*costack" "$work/screen" ||
		! grep -q "$escape\[?1049l" "$work/screen"; then
		echo "it did not begin or end:"
		cat -v "$work/screen"
		return 1
	fi
	sed -n "s/.*$escape\[H//; s/$escape\[[?0-9]*[a-zA-Z]//g; /^costack/,\$p" \
		"$work/screen" >"$work/text"
	awk -v rows="$1" -v columns="$2" 'length >= columns { wide++ }
	END {
		if (NR > rows || wide)
			printf "%d lines, %d of them too wide\n", NR, wide
	}' "$work/text" | grep . && return 1
	grep -q ' in [0-9]* other functions' "$work/text" || { cat "$work/text"; return 1; }
}

# --- Files of ours -----------------------------------------------------------

# 40 functions with 1 to 40 coroutines each, in turn 4 and 8 KiB
make_fake()
{
	mkdir -p "$fake/costack/stats" "$fake/debug/costack"
	for name in "$root"/stats/*; do
		echo 0 >"$fake/costack/stats/${name##*/}"
	done
	awk 'BEGIN {
		print "id name state class used deepest growths refusal waits function"
		for (f = 1; f <= 40; f++)
			for (i = 1; i <= f; i++)
				print ++id, "-", "waiting", (f % 2 ? 8192 : 4096), 100 * (41 - f), 0, 0,
					(i > 1 || f > 3 ? "-" : "pin"), (i > 1 ? "time" : "queue"), "f" f " [m]"
	}' >"$fake/debug/costack/stacks"
	printf '%s\n' 'items deepest first growths refused function' '100 1 0 2 0 f1 [m]' \
		'7000 1 0 2 33 f2 [m]' '100 1 0 2 1234 f3 [m]' >"$fake/debug/costack/functions"
}

# sorted KEY FUNCTION...: these come first
sorted()
{
	local key=$1
	shift
	COSTACK_ROOT=$fake "$top" -s "$key" >"$work/view" || return 1
	is "functions by $key" "$*" "$(awk '/ function$/ { rows = NR }
		rows && NR > rows && n++ < 3 { printf "%s%s", (n > 1 ? " " : ""), $9 }' "$work/view")"
}

refused_first()
{
	COSTACK_ROOT=$fake "$top" | awk '$1 == "refused" { on = NR } on && NR > on' >"$work/rows"
	is refused "1,234 100 2 1 pin f3 [m]|33 7,000 2 1 pin f2 [m]|0 100 2 1 pin f1 [m]|" \
		"$(awk '{ $1 = $1; printf "%s|", $0 }' "$work/rows")"
}

clock_says()
{
	timeout 120 sh -c "echo $1 >$fake/uptime"
}

# has_looked PROCESS: has it shown the view once, or ended
has_looked()
{
	grep -q '^refused .*why' "$work/view" || ! kill -0 "$1" 2>/dev/null
}

# The second look is 10 seconds after the first, as the clock has it that is a pipe: it
# comes when this writes to it.
rates()
{
	local pid status
	echo 1000 >"$fake/costack/stats/parks"
	echo 1024 >"$fake/costack/stats/bytes_copied"
	mkfifo "$fake/uptime"
	COSTACK_ROOT=$fake "$top" -n 2 -d 0 >"$work/view" 2>&1 &
	pid=$!
	clock_says 100.00 || { cat "$work/view"; return 1; }
	until_true has_looked $pid || kill $pid
	echo 13340 >"$fake/costack/stats/parks"
	echo 21504 >"$fake/costack/stats/bytes_copied"
	clock_says 110.00
	wait $pid
	status=$?
	rm "$fake/uptime"
	is status 0 $status && is parks 1234 "$(field "$work/view" 'a second' parks)" &&
		is copied 2K "$(field "$work/view" 'a second' copied)"
}

# --- What is missing ---------------------------------------------------------

# says STATUS REGEX COMMAND...
says()
{
	local status=0 want=$1 regex=$2
	shift 2
	"$@" >"$work/said" 2>&1 || status=$?
	grep -qE "$regex" "$work/said" && is status "$want" $status && return
	cat "$work/said"
	return 1
}

not_mounted()
{
	local status
	umount /sys/kernel/debug || return 1
	says 1 'mount -t debugfs' "$top"
	status=$?
	mount -t debugfs debug /sys/kernel/debug
	return $status
}

not_loaded()
{
	unload || return 1
	says 1 'not loaded.*' "$top" && grep -q 'load it: modprobe' "$work/said"
}

make_fake
test_case few shows 3 2 4
test_case many shows 20000 100 50
test_case called shows_calls 4
test_case sort.count sorted count f40 f39 f38
test_case sort.memory sorted memory f39 f37 f35
test_case sort.used sorted used f1 f2 f3
test_case refusals refused_first
test_case rates rates
for size in "24 80" "12 60" "8 40"; do
	# shellcheck disable=SC2086 # two words
	test_case "terminal.$(echo "$size" | tr ' ' x)" fits $size
done
test_case usage.key says 2 'usage: costack-top' "$top" -s name
test_case usage.seconds says 2 'usage: costack-top' "$top" -d soon
test_case usage.help says 0 'usage: costack-top' "$top" -h
test_case not-root says 1 'sudo' su nobody -c "$top"
test_case not-mounted not_mounted
echo "no columns" >"$fake/debug/costack/stacks"
test_case other-version says 1 'no column "state"' env COSTACK_ROOT=$fake "$top"
test_case not-loaded not_loaded
load
rm -rf "$work"

finish
