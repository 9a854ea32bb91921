# SPDX-License-Identifier: GPL-2.0
#
# Judges a TAP stream. Prints what failed and what was skipped, and then the line
#	NAME: N passed, N failed, N skipped
# A skip is allowed only if one of the files `allowed` lists the test (in a line "name
# reason"; * in a name stands for anything). Any other skip is a failure. So are a missing
# plan, fewer or more results than planned, "Bail out!", a stream without results, and a
# producer that failed (status not 0) although all results passed.
#
# usage: awk -v name=NAME -v allowed=FILE[:FILE...] -v status=N -f tap.awk STREAM

BEGIN {
	plan = -1
	files = split(allowed, file, ":")
	for (i = 1; i <= files; i++)
		while ((getline line < file[i]) > 0)
			allow(line)
}

function allow(line,	word)
{
	if (line ~ /^#/ || split(line, word) < 2)
		return
	gsub(/[.]/, "[.]", word[1])
	gsub(/[*]/, ".*", word[1])
	may_skip["^" word[1] "$"] = name ": skipped: " line
}

function complain(text)
{
	print name ": FAIL: " text
	failed++
}

function is_allowed(test,	pattern)
{
	for (pattern in may_skip)
		if (test ~ pattern) {
			if (!told[pattern]++)
				print may_skip[pattern]
			return 1
		}
	return 0
}

function skip(test, text)
{
	if (is_allowed(test))
		skipped++
	else
		complain(test " skipped, and not on the list of allowed skips: " text)
}

# Returns the line without result, number, dash and directive.
function test_name(text)
{
	sub(/^(not )?ok *[0-9]* *(- *)?/, "", text)
	sub(/ *# .*$/, "", text)
	return text
}

{ sub(/\r$/, "") }

/^1\.\.[0-9]+/ {
	if (plan >= 0)
		complain("a second plan: " $0)
	plan = substr($1, 4) + 0
	if (plan == 0) {
		results++
		plan = 1
		skip(name, $0)
	}
	next
}

/^Bail out!/ { complain($0) }

/^ok([^a-z]|$)/ {
	results++
	if (match(toupper($0), /# *SKIP/)) {
		reason = substr($0, RSTART)
		test = test_name($0)
		# kselftest's own runner puts the name behind "SKIP".
		if (test == "") {
			test = reason
			sub(/^# *[Ss][Kk][Ii][Pp] */, "", test)
			sub(/ .*/, "", test)
		}
		skip(test, reason)
	} else {
		passed++
	}
}

/^not ok([^a-z]|$)/ {
	results++
	complain(test_name($0))
}

END {
	if (plan < 0)
		complain("no plan: the run ended early, or never began")
	else if (results != plan)
		complain((results + 0) " results, " plan " planned")
	if (status != 0 && !failed)
		complain("the run ended with status " status)
	printf "%s: %d passed, %d failed, %d skipped\n", name, passed, failed, skipped
	exit failed > 0 || !results
}
