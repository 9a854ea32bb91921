/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What exc_at.S executes at a chosen place of the stack.
 */
#ifndef _COSTACK_TEST_EXCEPTIONS_H
#define _COSTACK_TEST_EXCEPTIONS_H

#include <linux/jump_label.h>
#include <linux/linkage.h>
#include <linux/types.h>

/**
 * struct cst_outcome - what came of an instruction
 * @value: as the instruction leaves it, or -EFAULT if the exception table said so
 * @flags: of the processor right after it, for a user access; of user_regs: 1 if another
 *	register has changed; else 0
 */
struct cst_outcome {
	long		value;
	unsigned long	flags;
};

typedef struct cst_outcome (*cst_exc_fn_t)(unsigned long sp, unsigned long arg);

asmlinkage struct cst_outcome cst_exc_lea(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_push(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_call(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_branch(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_ud(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_warn(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_gp_address(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_gp_selector(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_de(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_user_load(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_user_store(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_user_string(unsigned long sp, unsigned long arg);
asmlinkage struct cst_outcome cst_exc_user_regs(unsigned long sp, unsigned long arg);

DECLARE_STATIC_KEY_FALSE(cst_branch_key);

/* hooks.c: the names that tracers are given. */
int cst_hooked_level(long *above, long level);
int cst_hooked(void *arg);

extern const char cst_probed_lea[], cst_probed_push[], cst_probed_call[];

#endif /* _COSTACK_TEST_EXCEPTIONS_H */
