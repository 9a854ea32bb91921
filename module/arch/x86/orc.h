/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules: how the frame of a point is left, in 32 bits.
 */
#ifndef _COSTACK_X86_ORC_H
#define _COSTACK_X86_ORC_H

#include <linux/bits.h>

/*
 *	31                16 15                3   1   0
 *	| RBP, less than 0  | caller's frame    |   |bp |has|
 *
 * Both are in bytes. Where the caller's frame begins: above the stack pointer, or above
 * RBP. Where RBP is saved: below that; 0: it is untouched.
 */
#define ORC_RULE		BIT(0)
#define ORC_RULE_FROM_BP	BIT(1)
#define ORC_RULE_OFFSET		GENMASK(15, 3)
#define ORC_RULE_BP_SHIFT	16

#endif /* _COSTACK_X86_ORC_H */
