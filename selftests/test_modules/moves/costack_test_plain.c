// SPDX-License-Identifier: GPL-2.0
/*
 * costack_test_plain: promises that its text is movable, but is built like a module whose
 * Kbuild does not include scripts/movable.mk: without the flags for the compiler and
 * without a verdict. So its stacks grow in place, and the log says why.
 *
 *	plain FIRST	the loop of counted.h
 */
#include <linux/device/driver.h>
#include <linux/module.h>

#include "counted.h"

static const struct cst_case cases[] = {
	{ "plain", counted },
	{ }
};

static struct cst_suite suite = { .owner = THIS_MODULE, .cases = cases };

module_driver(suite, cst_register, cst_unregister);

MODULE_COSTACK_MOVABLE();
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Tests of costack: movable by promise, built without the checker");
