#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Bad input. The script reads every file of costack, and writes everything to it that is not
# a value. The file refuses the input and nothing changes, or the input is a value that the
# file documents. Users other than root can write nothing, and find no address of the kernel.
#
# environment: FUZZ_ROUNDS (1), random inputs of each size, and 3000 changed values;
# FUZZ_SEED, of the latter
# shellcheck shell=dash

. "$(dirname "$0")/../functions.sh"
start fuzz

LC_ALL=C
export LC_ALL
dir=/tmp/costack-fuzz
input=$dir/input
format=''
rounds=${FUZZ_ROUNDS:-1}
seed=${FUZZ_SEED:-$(date +%s)}
mkdir -p "$dir"
# Its files are fuzzed, too.
test_case demo insmod "$KO/costack_demo.ko"

# files [TEST...]: all files that costack shows, one a line, without those that take all memory
files()
{
	find "$root" /sys/module/costack*/parameters /sys/kernel/debug/costack -type f \
		! -name hold ! -name crowd "$@" | sort
}

# --- What is a value ---------------------------------------------------------

is_one_of()
{
	local value="$1" word
	shift
	for word in "$@"; do
		[ "$word" != "$value" ] || return 0
	done
	return 1
}

# is_number TEXT LEAST MOST SHOWN: a number as in C, within bounds, and shown as such
is_number()
{
	local text="${1#+}"
	case $text in
	0[xX]*) case ${text#0[xX]} in '' | *[!0-9a-fA-F]*) return 1 ;; esac ;;
	0*) case $text in *[!0-7]*) return 1 ;; esac ;;
	'' | *[!0-9]*) return 1 ;;
	esac
	[ "$((text))" -ge "$2" ] && [ "$((text))" -le "$3" ] &&
		{ [ -z "$4" ] || [ "$((text))" = "$4" ]; }
}

# is_value FILE TEXT SHOWN: is TEXT a value that FILE documents, and SHOWN what it
# shows then
is_value()
{
	local text="$2" shown="$3"
	case ${1#"$root"/} in
	policy) is_one_of "$text" copy inplace && [ "$shown" = "$text" ] ;;
	stack_min | stack_max)
		is_number "$text" 4096 65536 "$shown" &&
			is_one_of "$shown" 4096 8192 16384 32768 65536 ;;
	adaptive_start | poison | force_move | force_pack | trace_held | unmap)
		is_one_of "$shown=$text" 0=0 0=n 0=N 1=1 1=y 1=Y ;;
	max_items) is_number "$text" 0 4294967295 "$shown" ;;
	pack_after | stuck_after) is_number "$text" 0 86400 "$shown" ;;
	workers) is_number "$text" 1 64 "$shown" ;;
	shrink | pack | demo/start | */debug/costack/dump) [ "$text" = 1 ] ;;
	demo/path) [ "${text#/}" != "$text" ] && [ "$shown" = "${text%%"$newline"*}" ] ;;
	demo/mode) is_one_of "$text" recursive fanout && [ "$shown" = "$text" ] ;;
	demo/jobs) is_number "$text" 1 16 "$shown" ;;
	demo/kernel_calls) is_one_of "$text" direct host && [ "$shown" = "$text" ] ;;
	cancel | show_items | test/run) return 1 ;;
	test/release) ;;
	test/storm) is_number "$text" 0 0 '' || is_number "$text" 20 4294967295 '' ;;
	*) echo "$1: this test does not know what it takes" && return 1 ;;
	esac
}

newline='
'

# --- One input for all files -------------------------------------------------

# Its first line; nothing for one that cannot be read.
show()
{
	shown=''
	{ read -r shown <"$1"; } 2>/dev/null
}

count_input()
{
	printf . >>"$dir/tried"
}

# What a store sees of $input, without the newline at its end: no more than a page at once.
# Zero bytes become "?", as no value has one.
read_text()
{
	local size
	size=$(stat -c %s "$input")
	[ "$size" -le 4096 ] || size=4096
	text=$(head -c 4096 "$input" && echo .)
	text=${text%.}
	[ ${#text} -eq "$size" ] || text='?'
	text=${text%"$newline"}
}

# put FILE: write $input to it, or, if the input is short, what printf makes of $format
put()
{
	if [ -n "$format" ]; then
		# shellcheck disable=SC2059 # a format is wanted
		printf "$format" >"$1"
	else
		dd if="$input" of="$1" bs=65536
	fi
} 2>/dev/null

# give FILE: write $input to it
give()
{
	local before
	show "$1"
	before=$shown
	if put "$1"; then
		show "$1"
		if ! is_value "$1" "$text" "$shown"; then
			echo "$1: took what is no value, and shows '$shown':"
			hexdump -C "$input" | head -n 4
			return 1
		fi
		[ -z "$before" ] || echo "$before" >"$1"
		[ "${1##*/}" != storm ] || echo 0 >"$1"
	else
		count_input
		show "$1"
		is "$1 after it was refused" "$before" "$shown" ||
			{ hexdump -C "$input" | head -n 4; return 1; }
	fi
}

# give_all FILE...: $input to each
give_all()
{
	local file status=0
	read_text
	for file in "$@"; do
		give "$file" || status=1
	done
	return $status
}

# --- Kinds of input ----------------------------------------------------------

# Formats of printf.
words()
{
	cat <<'WORDS'
\n
\040
\t
0
1
2
-1
-0
+1
01
0x1
0x
0X10
1 1
1\040
 1
1\n
1\n\n
1\n1
1\r\n
1\0
1\0\n
1\0001
\0001
1;
1.0
1e3
1,2
yes
no
on
off
y
n
Y\n
N
yx
1x
0x0y
onx
of
o
true
false
t
F
4096
4096x
4096 8192
4097
8192\n
0x2000
0x2000g
0x20000
020000
+8192
-4096
65536
65537
131072
4294971392
18446744073709551617
18446744073709555712
9223372036854775807
9223372036854775808
-9223372036854775808
99999999999999999999999999999999999
64
65
-64
4294967297
copy
copy\n
copy\n\n
copy\040
 copy
copyx
cop
COPY
copy\0
copy\0inplace
inplace
inplace\377
in place
recursive
fanout\0
host
hostx
direct\n
16
17
/
//\n
/tmp/../tmp
/\0
tmp
%%s%%n%%p
\377\377\377\377
\0
\0\0\0\0
\001\002\003
\\x31
\303\237
'1'
"1"
$((1))
WORDS
}

# from_KIND FILE...: all inputs of a kind to each
from_words()
{
	local word status=0
	words >"$dir/words"
	while IFS='' read -r word; do
		format=$word
		put "$input"
		give_all "$@" || status=1
	done <"$dir/words"
	format=''
	return $status
}

# repeat BYTES FORMAT: repeat it BYTES times; it makes one byte
repeat()
{
	head -c "$1" /dev/zero | tr '\0' "$2"
}

from_long()
{
	local char word status=0
	for char in a 1 '\n' '\000'; do
		repeat 65536 "$char" >"$input"
		give_all "$@" || status=1
	done
	# A value, followed by more than a page.
	for word in 1 copy 4096; do
		{ printf %s $word && repeat 4096 ' '; } >"$input"
		give_all "$@" || status=1
	done
	{ printf 1 && repeat 4095 '\000'; } >"$input"
	give_all "$@" && return $status
}

from_random()
{
	local bytes round status=0
	for bytes in 1 2 8 64 4096 65536; do
		for round in $(seq "$rounds"); do
			head -c $bytes /dev/urandom >"$input"
			give_all "$@" || { echo "round $round"; status=1; }
		done
	done
	return $status
}

# The file is opened for writing, and closed.
from_nothing()
{
	local file before status=0
	for file in "$@"; do
		show "$file"
		before=$shown
		: >"$file" || status=1
		show "$file"
		is "$file" "$before" "$shown" || status=1
	done
	return $status
}

# --- Files that cannot be read or written ------------------------------------

# Read the whole file, and read it byte by byte.
read_all()
{
	local file status=0
	for file in $(files -perm -400); do
		if ! { cat "$file" && dd if="$file" bs=1; } >/dev/null 2>&1; then
			echo "$file cannot be read"
			status=1
		fi
	done
	return $status
}

# not_read: files that are for writing only cannot be read
not_read()
{
	local file status=0
	for file in $(files ! -perm -400); do
		if cat "$file" 2>/dev/null; then
			echo "$file can be read"
			status=1
		fi
	done
	return $status
}

not_written()
{
	local file status=0
	for file in $(files ! -perm -200); do
		if echo 0 2>/dev/null >"$file"; then
			echo "$file can be written"
			status=1
		fi
	done
	return $status
}

# --- Who is not root ---------------------------------------------------------

as_nobody()
{
	su -s /bin/sh nobody -c "$1" 2>&1
}

cannot_write()
{
	local output
	output=$(as_nobody "for file in $(files | tr '\n' ' '); do
		if { true >\$file; } 2>/dev/null; then echo \$file can be opened; fi
	done; id -u")
	is "what nobody can write" 65534 "$output"
}

# Only root sees names of functions and addresses. Nothing that other users can read looks
# like an address, and they cannot open the files that list coroutines and traces.
no_addresses()
{
	local output
	output=$(as_nobody "id -u; cd /; find $root /sys/module/costack* -type f |
		while read -r file; do cat \$file; done 2>/dev/null |
			grep -E '(^|[^0-9a-f])(0x)?ffff[0-9a-f]{12}'
		cat /sys/kernel/debug/costack/stacks && echo shows coroutines
		cat /sys/kernel/debug/costack/functions && echo shows functions
		cat /sys/kernel/debug/costack/dump && echo shows traces of stacks
		cat /sys/kernel/tracing/events/costack/costack_grow/id && echo shows traces
		cat /sys/module/costack/sections/.text && echo shows where its text is" |
		grep -v 'ermission denied')
	is "what nobody sees" 65534 "$output"
}

# --- Parameters --------------------------------------------------------------

# Loading refuses what the files refuse.
bad_parameters()
{
	local word status=0
	unload || return 1
	for word in policy= policy=cop policy=copyx stack_min=0x stack_min=4096x \
		stack_max=-4096 stack_max=18446744073709555712 poison=2 poison=1x \
		poison=onx adaptive_start=yes force_move=yess unmap= unmap; do
		if insmod "$KO/costack.ko" $word 2>/dev/null; then
			echo "loaded with $word"
			rmmod costack
			status=1
		fi
		count_input
	done
	load && return $status
}

# -----------------------------------------------------------------------------

# Change every knob again and again, until $dir/over exists.
keep_changing()
{
	local i=0
	while [ ! -e "$dir/over" ]; do
		i=$((i + 1))
		knob policy copy && knob adaptive_start $((i / 16 % 2)) && knob poison $((i % 2)) &&
			knob workers $((i % 5 + 1)) &&
			knob pack_after $((i / 8 % 2)) && knob stuck_after $((i / 8 % 2)) &&
			knob trace_held $((i / 4 % 2)) &&
			knob unmap $((i / 2 % 2)) &&
			knob stack_min 8192 && knob shrink 1 &&
			knob force_move $((i / 4 % 2)) && knob stack_max 32768 &&
			knob policy inplace && knob stack_max 65536 && knob stack_min 4096 ||
			return 1
	done
	knob adaptive_start 0 && knob poison 0 && knob force_move 0 && knob force_pack 0 &&
		knob pack_after 0 && knob stuck_after 0 && knob trace_held 0 &&
		knob unmap 0 && knob policy copy
}

# Coroutines that run continue as they began, or take the new value.
change_meanwhile()
{
	local status=0 before
	before=$(cat "$root/workers")
	rm -f "$dir/over"
	keep_changing &
	for _ in 1 2 3; do
		run storm-hotplug 1000 200 200 200 && run deep 300 600 &&
			run chan-many 8 4 100 7 || status=1
	done
	touch "$dir/over"
	wait $! || { echo "a knob could not be set"; status=1; }
	knob workers "$before" && return $status
}

works()
{
	is "coroutines alive" 0 "$(counter live)" && run deep 0 1000 97 &&
		run storm-hotplug 200 50 50 50
}

writable=$(files -perm -200)
test_case read read_all
test_case not-read not_read
test_case not-written not_written
# shellcheck disable=SC2086 # a list of files
{
	test_case nothing from_nothing $writable
	test_case words from_words $writable
	test_case long from_long $writable
	test_case random from_random $writable
}
test_case nobody-writes cannot_write
test_case nobody-reads no_addresses
rmmod costack_demo
test_case parameters bad_parameters
test_case changes run fuzz "$seed" $((3000 * rounds))
echo "# seed of changes: $seed"
test_case change-meanwhile change_meanwhile
test_case works works
figures bad_inputs="$(wc -c <"$dir/tried")"

rm -rf "$dir"
finish
