/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What costack has to know of the kernel's entry code: where functions begin, and where they
 * call others.
 */
#ifndef _COSTACK_X86_ENTRY_H
#define _COSTACK_X86_ENTRY_H

#include <linux/types.h>

/**
 * struct entry_text - the text of a function; it does not change after boot
 * @start: first byte
 * @end: one past the last byte
 */
struct entry_text {
	unsigned long	start;
	unsigned long	end;
};

bool costack_entry_find(unsigned long addr, const char *name, struct entry_text *text);
unsigned long costack_entry_call(const struct entry_text *caller, const char *name,
				 struct entry_text *text);

#endif /* _COSTACK_X86_ENTRY_H */
