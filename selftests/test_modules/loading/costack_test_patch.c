// SPDX-License-Identifier: GPL-2.0
/*
 * costack_test_patch: a livepatch for cst_fetch() of costack_test. The new function waits
 * as the old one does, and returns another number.
 */
#include <linux/livepatch.h>
#include <linux/module.h>

#include <linux/costack.h>

#include "patched.h"

static int new_fetch(int old)
{
	return cst_wait_released() ?: old + 1;
}

static struct klp_func funcs[] = {
	{ .old_name = "cst_fetch", .new_func = new_fetch },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "costack_test", .funcs = funcs },
	{ }
};

static struct klp_patch patch = {
	.mod	= THIS_MODULE,
	.objs	= objs,
};

static int __init costack_test_patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit costack_test_patch_exit(void)
{
}

module_init(costack_test_patch_init);
module_exit(costack_test_patch_exit);

MODULE_COSTACK_MOVABLE();
MODULE_INFO(livepatch, "Y");
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Tests of costack: a livepatch of a function that waits");
