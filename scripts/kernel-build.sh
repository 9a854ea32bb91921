# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts that build a kernel have in common. Sourced after lib.sh, never run.
#
#	make_kernel WHAT DIR LOG COMMAND...	builds the kernel WHAT in directory DIR with
#						the command, which writes to LOG
#	require_options CONFIG FILE...		dies if the final configuration CONFIG lacks
#						an option of the files

# Without this the first build prints nothing for minutes. The sleep does not hold our
# output open: it may outlive us, and the reader of a pipe would wait for it.
show_progress()
{
	while sleep 20 >/dev/null 2>&1; do
		say "building $1: $(find "$2" -name '*.o' | wc -l) objects"
	done
}

make_kernel()
{
	local what=$1 dir=$2 log=$3 ticker status=0
	shift 3
	show_progress "$what" "$dir" &
	ticker=$!
	# shellcheck disable=SC2064 # the process id of now is meant
	trap "kill $ticker 2>/dev/null || :" EXIT
	"$@" || status=$?
	kill $ticker 2>/dev/null || :
	wait $ticker 2>/dev/null || :
	trap - EXIT
	if [ $status -ne 0 ]; then
		grep -E 'error|Error|ERROR|undefined' "$log" >&2 || :
		tail -n 20 "$log" >&2
		die "$what did not build" "the log is $log"
	fi
}

# Kconfig drops an option whose dependencies are not met, and says nothing: the tests that
# need it would not run.
require_options()
{
	local config=$1 line missing=0
	shift
	while read -r line; do
		grep -qxF -- "$line" "$config" ||
			{ say "not in the final configuration: $line"; missing=1; }
	done < <(grep -hE '^(CONFIG_|# CONFIG_[A-Z0-9_]+ is not set$)' "$@")
	[ $missing -eq 0 ] || die "Kconfig dropped options of ${*##*/}" \
		"look for their dependencies in the Kconfig files"
}
