#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Lists the functions of costack.ko that run in a fault or in a switch of stacks: all
# functions of the objects that Kbuild names as the fault path, all functions in assembly,
# and all functions that call the switch, directly or through others. None of them may be
# probed, except those in selftests/faults/probes-allowed; test-probes.sh asks the kernel. The list
# is made from the objects, so it has new functions too. It has one function a line, and
# marks static ones, because another compiler may inline them.
#
# It is an error if an object of the fault path is instrumented.
#
# usage: scripts/probes.sh OBJECTS
#   OBJECTS: the mirror in which build.sh has made the objects

set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -eq 1 ] || { sed -n '/^# usage/,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cd "$1"

switches='costack_arch_switch costack_request costack_switch_out'

# Prints the objects that Kbuild links into costack.ko.
objects()
{
	grep -o 'module/[^ ]*\.o' costack.mod | sort -u
}

fault_path()
{
	sed -n '/^fault-path :=/,/[^\\]$/p' Kbuild | grep -o 'module/[^ ]*'
	find module/arch/*/ -name '*.S' | sed 's/\.S$//'
}

# Calls that the compiler inserts for sanitizers, tracers and canaries.
instrumented()
{
	local path
	fault_path | while read -r path; do
		[ ! -e "$path.o" ] || nm -A "$path.o" |
			grep -E ' U (__(asan|tsan|ubsan|msan|sanitizer|gcov)_.*|__fentry__|__stack_chk_fail|stackleak_track_stack|__ftrace_trace_.*)$' || :
	done
}

# Prints for an object "name FUNCTION" where a function begins, "call FUNCTION" for a call or
# jump, "reloc FUNCTION" for a relocation, which names the target of the line before, and
# "insn" for any other instruction. Skips the text that is freed after the module was loaded.
functions()
{
	objdump -dr --no-show-raw-insn "$1" | sed -nE \
		-e '/^Disassembly of section \.(init|alt)/,/^Disassembly of section \.(text|exit)/d' \
		-e 's/^[0-9a-f]+ <([A-Za-z_][A-Za-z0-9_.]*)>:$/name \1/p' \
		-e 's/^ *[0-9a-f]+:\t(call|j[a-z]+) +[0-9a-f]+ <([^+>]+)[+>].*/call \2/p; t' \
		-e 's/^\t+[0-9a-f]+: R_X86_64_P(LT|C)32\t([A-Za-z_][A-Za-z0-9_.]*)-0x4$/reloc \2/p; t' \
		-e 's/^ *[0-9a-f]+:\t.*/insn/p'
}

found=$(instrumented | sed -n 1,10p)
[ -z "$found" ] || die "the fault path is instrumented" "$found" \
	"see fault-path in Kbuild: a sanitizer may be asked for by another name now"

# Functions with the same name in different objects are different functions.
{
	fault_path | sed 's/^/path /; s/$/.o/'
	objects | while read -r object; do
		echo "object $object"
		nm "$object" | sed -n 's/.* T /global /p'
		functions "$object"
	done
} | awk -v switches="$switches" '
	function found(in_object, name) {
		return (in_object, name) in defined ? in_object SUBSEP name : owner[name]
	}
	function name_of(node) { return substr(node, index(node, SUBSEP) + 1) }
	$1 == "path" { path[$2] }
	$1 == "object" { object = $2 }
	$1 == "global" { global[$2] }
	$1 == "name" {
		node = object SUBSEP $2
		defined[object, $2]
		owner[$2] = node
		if (object in path)
			chosen[node]
	}
	$1 == "reloc" && last == "call" { n-- }
	$1 == "call" || $1 == "reloc" { caller[n] = node; from[n] = object; callee[n++] = $2 }
	{ last = $1 }
	END {
		split(switches, words)
		for (i in words) {
			if (!(words[i] in owner)) {
				print "probes.sh: there is no " words[i] >"/dev/stderr"
				exit 1
			}
			chosen[owner[words[i]]] = reaches[owner[words[i]]] = 1
		}
		do {
			more = 0
			for (i = 0; i < n; i++)
				if (found(from[i], callee[i]) in reaches && !(caller[i] in reaches))
					more = chosen[caller[i]] = reaches[caller[i]] = 1
		} while (more)
		for (node in chosen)
			print name_of(node) (name_of(node) in global ? "" : " static")
	}' | sort -u
