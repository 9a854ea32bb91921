/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's entry code, as far as it has to be known: what begins where, and where it
 * calls what.
 */
#ifndef _COSTACK_X86_ENTRY_H
#define _COSTACK_X86_ENTRY_H

#include <linux/types.h>

/**
 * struct entry_text - the text of a function; it stays as it is from boot on
 * @start: its first byte
 * @end: behind its last
 */
struct entry_text {
	unsigned long	start;
	unsigned long	end;
};

bool costack_entry_find(unsigned long addr, const char *name, struct entry_text *text);
unsigned long costack_entry_call(const struct entry_text *caller, const char *name,
				 struct entry_text *text);

#endif /* _COSTACK_X86_ENTRY_H */
