/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From notes of growth to tracepoints.
 */
#ifndef _COSTACK_TRACE_H
#define _COSTACK_TRACE_H

struct costack;

void costack_trace_events(struct costack *co);

#endif /* _COSTACK_TRACE_H */
