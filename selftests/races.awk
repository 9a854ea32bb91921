# SPDX-License-Identifier: GPL-2.0
#
# Finds the reports of KCSAN in a kernel log. Prints one line each:
#	ours TITLE	a function of costack or of one of its test modules takes part
#	meant TITLE	the race of test_modules/debug/race.c, which says where it is
#	kernel TITLE	functions of the kernel only
#
# 0x0 in a title is a function on a stack that KCSAN cannot walk, a coroutine's. If what
# keep_callers() of functions.sh keeps comes first, their names are added.
#
# The lines of several threads mix, but each names its own (CONFIG_PRINTK_CALLER).
#
# usage: awk -f races.awk LOG

function judge(by,	what)
{
	if (address[by] != "" && address[by] == meant)
		what = "meant"
	else if (ours[by] || title[by] ~ / 0x0/)
		what = "ours"
	else
		what = "kernel"
	if (title[by] ~ / 0x0/ && address[by] in callers)
		title[by] = title[by] ":" callers[address[by]]
	print what " " title[by]
	delete title[by]
}

{ sub(/\r$/, "") }

/: \(kcsan_report_.*\) at=0x[0-9a-f]+ by=/ {
	match($0, / at=0x[0-9a-f]+/)
	at = substr($0, RSTART + 6, RLENGTH - 6)
	sub(/.* by=/, "")
	if (index(callers[at], " " $0) == 0)
		callers[at] = callers[at] " " $0
	next
}

/costack_test: a race on purpose at 0x/ {
	meant = $0
	sub(/.* at 0x/, "", meant)
}

{ by = match($0, /\[ *[TC][0-9]+\]/) ? substr($0, RSTART, RLENGTH) : "" }

/BUG: KCSAN: / {
	if (by in title)
		judge(by)
	title[by] = $0
	sub(/.*BUG: KCSAN: /, "", title[by])
	address[by] = ""
	ours[by] = 0
	next
}

by in title && match($0, / to 0x[0-9a-f]+ of /) {
	address[by] = substr($0, RSTART + 6, RLENGTH - 10)
}

# The line of a call trace, with the module that the function is in.
by in title && /\+0x[0-9a-f]+\/0x[0-9a-f]+ \[(costack[a-z_]*|[a-z]+_test)\]/ { ours[by] = 1 }

by in title && /==========/ { judge(by) }

END {
	for (by in title)
		judge(by)
}
