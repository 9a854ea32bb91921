/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sources of the interrupts whose delivery finds no room.
 */
#ifndef _COSTACK_TEST_LOST_H
#define _COSTACK_TEST_LOST_H

#include <linux/types.h>

/**
 * struct cst_source - what raises interrupts
 * @begin: take what is needed; from now on they come on @cpu. 0 or a negative errno.
 *	Process context.
 * @raise: raise one. On any CPU; with interrupts off, or else from another CPU. %NULL:
 *	they come by themselves, and are not counted here
 * @end: give back what @begin took; process context
 * @watch: counts those that have come on @cpu. %NULL: each calls cst_came().
 * @foreign: how many were sent since @begin, not by @raise. %NULL: nobody else sends any.
 *
 * Each may be %NULL.
 */
struct cst_source {
	int	(*begin)(int cpu);
	void	(*raise)(int cpu);
	void	(*end)(void);
	u32	*(*watch)(int cpu);
	long	(*foreign)(void);
};

void cst_came(void);

extern const struct cst_source cst_msi, cst_intx, cst_serial, cst_virtio;

/* For cst_virtio, before its first case and after its last. */
void cst_virtio_begin(void);
void cst_virtio_end(void);

#endif /* _COSTACK_TEST_LOST_H */
