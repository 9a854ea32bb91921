#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs every static check, and counts each as passed or failed. There are no warnings: a
# finding is a failure. A tool that finds nothing may not have run at all, so each tool must
# also find a mistake that is planted for it. The output of the checks is in build/lint/.
#
# usage: scripts/lint.sh		(after scripts/setup.sh lint)
# environment: SOURCE, the kernel sources whose checkpatch is used (see lib.sh)

set -uo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/checks.sh"

lint=$out/lint
# shellcheck disable=SC2034 # read by check()
checks=$lint
passed=0 failed=0 skipped=0 stale=''

# Runs a search, and fails if it finds something. The exit status of the search does not
# matter: a search in several steps fails if its last step finds nothing.
no_match()
{
	local found
	found=$("$@") || :
	[ -z "$found" ] || { echo "$found"; return 1; }
}

# Prints the files that git would commit: tracked and new ones, but none that were made.
tree_files()
{
	git -C "$top" ls-files -co --exclude-standard -- "$@" 2>/dev/null | sort -u |
		while read -r name; do
			[ ! -f "$top/$name" ] || echo "$name"
		done
}

# --- The build -------------------------------------------------------------

# A build that is up to date prints nothing. So if a build went through with findings, its
# objects are removed at the end, and the next run finds them again.
build()
{
	KDIR=$(find_vm_kdir) OBJ=$lint/ko W=1 KCFLAGS=-Werror scripts/build.sh
}

sparse_flags="-D__CHECK_ENDIAN__ -Wsparse-error"

build_w1()
{
	build >"$lint/build.log" 2>&1 ||
		{ grep -E 'error|warning|Error' "$lint/build.log"; return 1; }
}

build_is_silent()
{
	no_match grep -nE "$1" "$lint/build.log" || { stale=1; return 1; }
}

sparse()
{
	local log=$lint/build-sparse.log
	C=2 CF=$sparse_flags build >"$log" 2>&1 ||
		{ grep -E 'error|warning|Error' "$log"; return 1; }
	comm -13 <(sed -n 's/^ *CHECK *//p' "$log" | sort) <(compiled) >"$lint/unseen"
	[ ! -s "$lint/unseen" ] || { echo "not looked at:"; cat "$lint/unseen"; return 1; }
}

# Prints the sources from which an object was made.
compiled()
{
	(cd "$lint/ko" && find . -name '*.c' ! -name '*.mod.c' | sed 's|^\./||' | sort |
		while read -r name; do
			[ ! -e "${name%c}o" ] || echo "$name"
		done)
}

# --- Planted mistakes --------------------------------------------------------

# found REGEX COMMAND...: passes if a line of the command's output matches.
found()
{
	local what=$1 said
	shift
	said=$("$@" 2>&1) || :
	grep -E "$what" <<<"$said" || { echo "this does not say $what:"; echo "$said"; return 1; }
}

# plant NAME ARGUMENT...: builds a module from its input, in the way ours are built.
plant()
{
	local dir=$lint/planted/$1
	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	echo "obj-m := planted.o" >"$dir/Kbuild"
	{
		printf '%s\n' '#include <linux/module.h>' 'MODULE_LICENSE("GPL");' \
			'MODULE_DESCRIPTION("Has a mistake");'
		cat
	} >"$dir/planted.c"
	make -C "$(find_vm_kdir)" M="$dir" W=1 KCFLAGS=-Werror "$@" modules
}

# The compiler finds this only with W=1.
compiler_finds()
{
	found 'error=unused-but-set' plant compiler <<-END
	static void __used planted(int i) { int unused; unused = i; }
	END
}

modpost_finds()
{
	found 'modpost:' plant modpost <<-END
	void nowhere(void);
	static void __used planted(void) { nowhere(); }
	END
}

objtool_finds()
{
	found 'objtool:' plant objtool <<-END
	static void __used planted(void) { asm volatile("push %rax"); }
	END
}

# Only sparse finds this; the compiler does not.
sparse_finds()
{
	found 'error: dereference of noderef' plant sparse C=2 CF="$sparse_flags" <<-END
	static int __used planted(int __user *user) { return *user; }
	END
}

checkpatch_finds()
{
	printf '%s\n' '// SPDX-License-Identifier: GPL-2.0' 'int planted( int i);' >"$lint/planted.c"
	found SPACING run_checkpatch -f "$lint/planted.c"
}

kernel_doc_finds()
{
	cat >"$lint/planted.h" <<-END
	/**
	 * planted() - lacks something
	 * @i: this is known
	 */
	int planted(int i, int unknown);
	END
	found "'unknown' not described" kernel_doc "$lint/planted.h"
}

shellcheck_finds()
{
	# shellcheck disable=SC2016 # that is the mistake
	found SC2086 shellcheck -s bash - <<<'echo $planted'
}

# --- Documentation of files and calls ----------------------------------------

# Some tools print complaints and succeed.
complaints()
{
	"$@" 2>&1
}

abi_format()
{
	no_match complaints "$ksrc/scripts/get_abi.pl" --dir "$1" validate
}

# Plants files that are not described, and descriptions of files that do not exist.
abi_finds()
{
	local dir=$lint/planted/abi
	rm -rf "$dir"
	mkdir -p "$dir/scripts"
	cp -r module include README.md "$dir/" && cp scripts/abi.py "$dir/scripts/"
	sed -i 's|/stats/live$|/stats/dead|' "$dir/module/ABI/sysfs-kernel-costack"
	# shellcheck disable=SC2016 # the backquotes are README's
	sed -i 's/^| `unmap` |/| `unpam` |/; s/^| `costack_current()` |/| |/' "$dir/README.md"
	mkdir -p "$dir/scripts/etc/modprobe.d"
	echo 'options costack unpam=1 policy=copy' >"$dir/scripts/etc/modprobe.d/costack.conf"
	found 'modprobe.d: unpam: does not exist' "$dir/scripts/abi.py" &&
		found 'stats/live: is not documented' "$dir/scripts/abi.py" &&
		found 'stats/dead: does not exist' "$dir/scripts/abi.py" &&
		found 'README, files: unmap: is not documented' "$dir/scripts/abi.py" &&
		found 'README, calls: costack_current: is not documented' "$dir/scripts/abi.py" &&
		printf 'What:\t\t/sys/planted\nNothing:\tat all\n' >"$dir/module/ABI/planted" &&
		! abi_format "$dir/module/ABI"
}

# man.py makes a page for each public call, and fails if a call has no kernel-doc.
manual_pages()
{
	rm -rf "$lint/man"
	scripts/man.py "$ksrc/scripts/kernel-doc" "$lint/man" &&
		no_match complaints groff -man -Tutf8 -ww -z "$lint"/man/*
}

manual_pages_finds()
{
	printf '%s\n' '.TH PLANTED 7' '.SH NAME' '.UNKNOWN' >"$lint/planted.7"
	found UNKNOWN groff -man -Tutf8 -ww -z "$lint/planted.7"
}

# --- Style -----------------------------------------------------------------

# NOKPROBE_SYMBOL() stands right below its function, as EXPORT_SYMBOL() does, but checkpatch
# knows only the latter and asks for a blank line.
without_nokprobe()
{
	local file line rest
	while IFS=: read -r file line rest; do
		[[ $rest == *LINE_SPACING* ]] &&
			sed -n "${line}p" "$file" | grep -q '^NOKPROBE_SYMBOL(' ||
			echo "$file:$line:$rest"
	done
}

# checkpatch exits with 1 if it has found something; with any other status it has failed.
run_checkpatch()
{
	local found status=0
	[ "${*: -1}" != -f ] || return 0
	found=$(perl "$ksrc/scripts/checkpatch.pl" -q "$@" 2>&1) || status=$?
	[ $status -le 1 ] || { echo "checkpatch.pl failed: $found"; return 1; }
	found=$(without_nokprobe <<<"$found" | without_exports | grep -v '^:*$')
	[ -z "$found" ] || { echo "$found"; return 1; }
}

# kunit/exports.c exports functions that are defined in other files.
without_exports()
{
	grep -v '^kunit/exports\.c:[0-9]*: WARNING:EXPORT_SYMBOL:'
}

# checkpatch takes the layout of TRACE_EVENT for bad alignment. The harness of the fuzzer is
# a program in user space, and itself defines some macros of the kernel's headers.
checkpatch()
{
	local status=0 user=PREFER_DEFINED_ATTRIBUTE_MACRO,ARRAY_SIZE,AVOID_EXTERNS,CAMELCASE
	user+=,MACRO_ARG_UNUSED
	run_checkpatch -f "${sources[@]}" || status=1
	run_checkpatch --ignore "$user,IS_ENABLED_CONFIG,COMPLEX_MACRO" -f "${user_sources[@]}" ||
		status=1
	run_checkpatch --ignore PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE \
		-f "${trace_headers[@]}" || status=1
	return $status
}

kernel_doc()
{
	local status=0 file
	for file in "$@"; do
		"$ksrc/scripts/kernel-doc" -none -Werror "$file" || status=1
	done
	return $status
}

# Prints those of the files that have no such line among their first three.
without_spdx()
{
	comm -23 <(printf '%s\n' "$@" | sort) <(awk '
		/SPDX-License-Identifier: / { print FILENAME; nextfile }
		FNR == 3 { nextfile }' "$@" | sort)
}

scripts_are_executable()
{
	local status=0 file line
	for file in "${shell_scripts[@]}"; do
		read -r line <"$file"
		[[ $line != '#!'* ]] || [ -x "$file" ] ||
			{ echo "$file: not executable"; status=1; }
	done
	return $status
}

# --- Layers ----------------------------------------------------------------

# The layers in module/*.[ch] do not depend on the processor, except that compat.h may.
arch_words()
{
	find module -maxdepth 1 -name '*.[ch]' ! -name compat.h -exec \
		grep -nE '\b(CONFIG_X86|pt_regs\b|idt\b|apic\b)' {} +
}

# The public header may test for versions, because its users have no compat.h.
version_tests()
{
	grep -rnE '\b(LINUX_VERSION_CODE|KERNEL_VERSION)\b' --include='*.[chS]' \
		--exclude=compat.h include module kunit selftests
}

# copy.c and roots.c must run in any kernel, including user-mode Linux.
pure_files()
{
	grep -nE '#include <asm/' /dev/null module/copy.[ch] module/roots.[ch]
}

# A test module includes what any other module can include, and compat.h for differences
# between kernels.
private_includes()
{
	grep -rnE '#include .*module/' --include='*.[ch]' selftests | grep -v '/module/compat.h"'
	grep -rnE '#include .*kunit/' --include='*.[ch]' module | grep -v '<kunit/'
}

machine_paths()
{
	local here=$top
	# A path with one directory (/src, /tmp) may occur in scripts for other reasons.
	[[ $here == /*/* ]] || here=/home
	tree_files | tr '\n' '\0' |
		xargs -0 grep -nIE "(^|[^[:alnum:]_./-])($here|/home)(/|\$|[^[:alnum:]_.-])" |
		grep -v '^scripts/lint.sh:'
}

trailing_space()
{
	tree_files | grep -vE '^COPYING$|\.svg$' | tr '\n' '\0' | xargs -0 grep -nIE '[[:space:]]+$'
}

cd "$top" || exit 2
[ -e "$ksrc/.unpacked" ] || die "no sources of Linux $source for checkpatch" "run SOURCE=$source scripts/setup.sh lint"
mkdir -p "$lint"

mapfile -t sources < <(tree_files '*.c' '*.h' '*.S' |
	grep -vE '^(include/trace/events|scripts/fuzz|scripts/movability)/')
mapfile -t user_sources < <(tree_files 'scripts/fuzz/*.[chS]')
# If the last run was interrupted, its findings may be lost.
[ ! -e "$lint/unfinished" ] || rm -rf "$lint/ko"
touch "$lint/unfinished"
[ ${#sources[@]} -gt 0 ] || die "git lists no files of $top" \
	"if it says that the owner is dubious: git config --global --add safe.directory $top"

mapfile -t trace_headers < <(tree_files 'include/trace/events/*.h')
mapfile -t documented < <(tree_files 'include/linux/*.h' 'module/*.c' 'module/*.h')
mapfile -t shell_scripts < <({ tree_files '*.sh'; tree_files scripts selftests .ci kunit |
	while read -r name; do
		! head -n 1 "$name" | grep -qaE '^#!.*\b(ba)?sh\b' || echo "$name"
	done; } | sort -u)
mapfile -t other_sources < <(tree_files '*Makefile' '*Kbuild' '*Kconfig' '*.awk' '*.cocci')

check "compiler, W=1 -Werror" build_w1
check "modpost" build_is_silent 'modpost:'
check "objtool" build_is_silent 'objtool:'
check "sparse" sparse
check "checkpatch --strict" checkpatch
check "kernel-doc" kernel_doc "${documented[@]}"
check "shellcheck" shellcheck "${shell_scripts[@]}"
check "documentation of files and calls agrees with the source" scripts/abi.py
check "module/ABI has the kernel's format" abi_format module/ABI
check "manual pages" manual_pages
for tool in compiler modpost objtool sparse checkpatch kernel_doc shellcheck abi manual_pages; do
	check "$tool finds what is planted" "${tool}_finds"
done
check "executable bits" scripts_are_executable
check "SPDX lines" no_match without_spdx "${sources[@]}" "${user_sources[@]}" "${trace_headers[@]}" "${shell_scripts[@]}" \
	"${other_sources[@]}"
check "layers: no processor words outside module/arch" no_match arch_words
check "layers: kernel versions only in compat.h" no_match version_tests
check "layers: copy and roots include no arch header" no_match pure_files
check "layers: no file uses a higher one" scripts/layers.py "$lint/ko"
check "layers: private headers stay private" no_match private_includes
check "escape.cocci finds what it must" scripts/coccinelle/check.sh escape samples
check "escape.cocci in our own modules" scripts/coccinelle/check.sh escape modules
check "no regular expressions in .cocci files, which differ between builds of Coccinelle" no_match \
	grep -n '[=!]~ *"' scripts/coccinelle/*.cocci
check "thread.cocci finds what it must" scripts/coccinelle/check.sh thread samples
check "thread.cocci in our own modules" scripts/coccinelle/check.sh thread modules
check "movable approves and refuses what it must" scripts/movability/tests/run.py
check "README shows the figures that were measured" scripts/bench-report.py readme \
	selftests/bench/baseline.json selftests/bench/native.json README.md
check "no path of this machine" no_match machine_paths
check "no trailing space" no_match trailing_space

[ -z "$stale" ] || rm -rf "$lint/ko"
rm -f "$lint/unfinished"

echo "lint: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
