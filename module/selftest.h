/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The test that has to pass before the module lets itself be used.
 */
#ifndef _COSTACK_SELFTEST_H
#define _COSTACK_SELFTEST_H

int costack_selftest(void);

#endif /* _COSTACK_SELFTEST_H */
