/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Call traces of all parked stacks.
 */
#ifndef _COSTACK_TRACES_H
#define _COSTACK_TRACES_H

struct seq_file;

int costack_traces_show(struct seq_file *m);

#endif /* _COSTACK_TRACES_H */
