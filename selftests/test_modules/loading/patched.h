/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between patched.c and costack_test_patch.c.
 */
#ifndef _COSTACK_TEST_PATCHED_H
#define _COSTACK_TEST_PATCHED_H

int cst_wait_released(void);
int cst_fetch(int old);

#endif /* _COSTACK_TEST_PATCHED_H */
