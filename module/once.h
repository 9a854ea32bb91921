/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports that are printed once for each place in the code.
 */
#ifndef _COSTACK_ONCE_H
#define _COSTACK_ONCE_H

#include <linux/types.h>

/* Places that a kind of report remembers. */
#define COSTACK_PLACES	64

/**
 * struct costack_once - the places for which a kind of report was printed already
 * @seen: places, followed by 0s; each entry is written once, by cmpxchg
 */
struct costack_once {
	unsigned long seen[COSTACK_PLACES];
};

bool costack_once(struct costack_once *once, unsigned long ip);

#endif /* _COSTACK_ONCE_H */
