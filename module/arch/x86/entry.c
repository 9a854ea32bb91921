// SPDX-License-Identifier: GPL-2.0
/*
 * Find functions in the kernel's entry code. That code exports no symbols. But the IDT has the
 * addresses of the entries, the calls in an entry have the addresses of other functions, and
 * kallsyms has the names of both.
 */
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "entry.h"

#define CALL_OPCODE	0xe8
#define CALL_BYTES	5

/**
 * costack_entry_find() - check whether a function begins at an address
 * @addr: the address
 * @name: name of the function
 * @text: out: its whole text
 *
 * Context: Process context.
 * Return: true if function @name begins at @addr.
 */
bool __init costack_entry_find(unsigned long addr, const char *name, struct entry_text *text)
{
	char symbol[KSYM_SYMBOL_LEN];
	unsigned long size;
	size_t len;

	sprint_symbol(symbol, addr);
	len = str_has_prefix(symbol, name);
	if (!len || sscanf(symbol + len, "+0x0/0x%lx", &size) != 1)
		return false;
	*text = (struct entry_text) { addr, addr + size };
	return true;
}

/**
 * costack_entry_call() - find the call of one function in another one
 * @caller: the text to search
 * @name: the name of the called function
 * @text: out: the whole text of the called function
 *
 * Context: Process context.
 * Return: the address that the call returns to, or 0 if there is no such call.
 */
unsigned long __init costack_entry_call(const struct entry_text *caller, const char *name,
					struct entry_text *text)
{
	unsigned long ip;

	for (ip = caller->start; ip + CALL_BYTES <= caller->end; ip++) {
		unsigned long next = ip + CALL_BYTES;

		if (*(const u8 *)ip == CALL_OPCODE &&
		    costack_entry_find(next + *(const s32 *)(ip + 1), name, text))
			return next;
	}
	return 0;
}
