/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is said once for each place in the code.
 */
#ifndef _COSTACK_ONCE_H
#define _COSTACK_ONCE_H

#include <linux/types.h>

/* Places that are remembered. */
#define COSTACK_PLACES	64

/**
 * struct costack_once - where a kind of report was made already
 * @seen: places, 0 if there are no more; each written once, by cmpxchg
 */
struct costack_once {
	unsigned long seen[COSTACK_PLACES];
};

bool costack_once(struct costack_once *once, unsigned long ip);

#endif /* _COSTACK_ONCE_H */
