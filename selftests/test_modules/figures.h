/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Figures: what the cases have done since the module was loaded.
 */
#ifndef _COSTACK_TEST_FIGURES_H
#define _COSTACK_TEST_FIGURES_H

#include <linux/types.h>

/**
 * enum cst_figure - what is counted
 * @CST_SWEPT: runs of the kernel's code, each from another place of the stack
 * @CST_INTERRUPTS_SENT: counted by the code that raises them
 * @CST_INTERRUPTS_DELIVERED: counted in their handlers
 * @CST_INTERRUPTS_LOST: sent and not delivered
 * @CST_INTERRUPTS_DOUBLED: delivered and not sent
 * @CST_BAD_INPUTS: inputs that were written to a file and refused
 * @CST_EXCEPTIONS: instructions that raised an exception with too little room
 * @CST_NMIS_SENT: NMIs, counted by the code that sends them
 * @CST_NMIS_HANDLED: counted in their handler
 * @CST_NMIS_IN_GROWTH: of these, those that came while a stack grew
 * @CST_WAKE_UPS: of items that are packed all the time, each by an interrupt
 * @CST_SLEEPS: of coroutines, for a time
 * @CST_JIFFIES_LATE: by which these have been longer than asked for, in all
 */
enum cst_figure {
	CST_SWEPT,
	CST_INTERRUPTS_SENT,
	CST_INTERRUPTS_DELIVERED,
	CST_INTERRUPTS_LOST,
	CST_INTERRUPTS_DOUBLED,
	CST_BAD_INPUTS,
	CST_EXCEPTIONS,
	CST_NMIS_SENT,
	CST_NMIS_HANDLED,
	CST_NMIS_IN_GROWTH,
	CST_WAKE_UPS,
	CST_SLEEPS,
	CST_JIFFIES_LATE,
	CST_NR_FIGURES
};

void cst_figure(enum cst_figure figure, long n);
bool cst_compare_interrupts(long sent, long delivered);
ssize_t cst_figures_show(char *buf);

#endif /* _COSTACK_TEST_FIGURES_H */
