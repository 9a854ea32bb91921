// SPDX-License-Identifier: GPL-2.0
/*
 * Reports that are printed once for each place in the code.
 *
 * A report of misuse names the place in the code that caused it. Each place is reported
 * once: the first place must not hide a second one, and a place in a loop must not fill
 * the log.
 */
#include <linux/atomic.h>
#include <linux/compiler.h>

#include "once.h"

/**
 * costack_once() - is this the first report for a place
 * @once: what this kind of report remembers
 * @ip: the place
 *
 * There is room for COSTACK_PLACES places; when it is used up, no report is the first.
 *
 * Context: Any context, any stack.
 * Return: true once for each @ip.
 */
bool costack_once(struct costack_once *once, unsigned long ip)
{
	unsigned long seen;
	unsigned int i;

	for (i = 0; i < COSTACK_PLACES; i++) {
		seen = READ_ONCE(once->seen[i]);
		if (!seen)
			seen = cmpxchg(&once->seen[i], 0, ip);
		if (!seen)
			return true;
		if (seen == ip)
			return false;
	}
	return false;
}
