// SPDX-License-Identifier: GPL-2.0
/*
 * Figures: what the cases have done since the module was loaded, to be added up
 * at the end of a run. Shown in .../test/figures as NAME=VALUE words.
 */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/sysfs.h>

#include "costack_test.h"
#include "figures.h"

static atomic_long_t figures[CST_NR_FIGURES];

static const char * const names[CST_NR_FIGURES] = {
	[CST_SWEPT]			= "swept",
	[CST_INTERRUPTS_SENT]		= "interrupts_sent",
	[CST_INTERRUPTS_DELIVERED]	= "interrupts_delivered",
	[CST_INTERRUPTS_LOST]		= "interrupts_lost",
	[CST_INTERRUPTS_DOUBLED]	= "interrupts_doubled",
	[CST_BAD_INPUTS]		= "bad_inputs",
	[CST_EXCEPTIONS]		= "exceptions",
	[CST_NMIS_SENT]			= "nmis_sent",
	[CST_NMIS_HANDLED]		= "nmis_handled",
	[CST_NMIS_IN_GROWTH]		= "nmis_in_growth",
	[CST_WAKE_UPS]			= "wake_ups",
	[CST_SLEEPS]			= "sleeps",
	[CST_JIFFIES_LATE]		= "jiffies_late",
};

/**
 * cst_figure() - add to a figure
 * @figure: which
 * @n: how many more
 *
 * Context: Any context, any stack.
 */
void cst_figure(enum cst_figure figure, long n)
{
	atomic_long_add(n, &figures[figure]);
}

/**
 * cst_compare_interrupts() - check that each interrupt sent was delivered once
 * @sent: counted where they were sent
 * @delivered: counted in their handler
 *
 * Context: Any context, any stack.
 * Return: whether the numbers are equal; if not, the case fails.
 */
bool cst_compare_interrupts(long sent, long delivered)
{
	cst_figure(CST_INTERRUPTS_SENT, sent);
	cst_figure(CST_INTERRUPTS_DELIVERED, delivered);
	cst_figure(CST_INTERRUPTS_LOST, max(sent - delivered, 0L));
	cst_figure(CST_INTERRUPTS_DOUBLED, max(delivered - sent, 0L));
	return CST_EQ(sent, delivered);
}

/**
 * cst_figures_show() - show all of them
 * @buf: a page
 *
 * Context: Process context.
 * Return: bytes written.
 */
ssize_t cst_figures_show(char *buf)
{
	ssize_t size = 0;
	int i;

	for (i = 0; i < CST_NR_FIGURES; i++)
		size += sysfs_emit_at(buf, size, "%s=%ld%c", names[i],
				      atomic_long_read(&figures[i]),
				      i == CST_NR_FIGURES - 1 ? '\n' : ' ');
	return size;
}
