/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes all memory, and gives some back when the kernel asks for it.
 */
#ifndef _COSTACK_TEST_HOG_H
#define _COSTACK_TEST_HOG_H

#include <linux/types.h>

int cst_hog_begin(void);
bool cst_hog_end(void);

#endif /* _COSTACK_TEST_HOG_H */
