/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Call traces of all parked stacks.
 */
#ifndef _COSTACK_TRACES_H
#define _COSTACK_TRACES_H

struct costack;
struct costack_slot;
struct seq_file;

unsigned int costack_traces_frames(const struct costack *co, const struct costack_slot *copy,
				   unsigned long *ip, unsigned int max);
int costack_traces_show(struct seq_file *m);

#endif /* _COSTACK_TRACES_H */
