/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules: how to leave the frame of a point, in 32 bits.
 */
#ifndef _COSTACK_X86_ORC_H
#define _COSTACK_X86_ORC_H

#include <linux/bits.h>

/*
 *	31                16 15                3   1   0
 *	| RBP, less than 0  | caller's frame    |   |bp |has|
 *
 * Both are offsets in bytes. The caller's frame begins that far above the stack pointer,
 * or above RBP. RBP is saved that far below the beginning of the caller's frame; 0: RBP is
 * untouched.
 */
#define ORC_RULE		BIT(0)
#define ORC_RULE_FROM_BP	BIT(1)
#define ORC_RULE_OFFSET		GENMASK(15, 3)
#define ORC_RULE_BP_SHIFT	16

#endif /* _COSTACK_X86_ORC_H */
