/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The coroutines of costack_call(), for whoever has to look at them.
 */
#ifndef _COSTACK_CALLED_H
#define _COSTACK_CALLED_H

struct costack;
struct task_struct;

/**
 * struct costack_called_look - how to look at called coroutines
 * @see: reads what is of interest of a coroutine, which may run and change meanwhile. The
 *	thread is %NULL if it has died. Called in an RCU read-side section, maybe several
 *	times for one coroutine
 * @keep: what @see has read last is of one call, and as it was at one moment of that call
 * @arg: passed to both
 */
struct costack_called_look {
	void	(*see)(const struct costack *co, const struct task_struct *thread, void *arg);
	void	(*keep)(void *arg);
	void	*arg;
};

void costack_called_each(const struct costack_called_look *look);
void costack_called_each_parked(void (*fn)(struct costack *co, void *arg), void *arg);

#endif /* _COSTACK_CALLED_H */
