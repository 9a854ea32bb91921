// SPDX-License-Identifier: GPL-2.0
/*
 * Emits tracepoints from the notes that growth takes.
 */
#include "coroutine.h"
#include "pool.h"
#include "trace.h"

#define CREATE_TRACE_POINTS
#include <trace/events/costack.h>

/**
 * costack_trace_events() - emit the events that growth has noted
 * @co: a coroutine that is switched out; the notes in its reserve are dropped
 *
 * Context: Process context, host stack.
 */
void costack_trace_events(struct costack *co)
{
	struct costack_reserve *reserve = costack_reserve_of(co);
	unsigned int i;

	for (i = 0; i < reserve->nr_events; i++) {
		const struct costack_event *e = &reserve->events[i];

		switch (e->kind) {
		case COSTACK_EVENT_IN_PLACE:
		case COSTACK_EVENT_COPY:
			trace_costack_grow(e->name, e->fn, e->kind == COSTACK_EVENT_COPY,
					   e->from, e->to, e->frames, e->words, e->ip);
			break;
		case COSTACK_EVENT_REFUSE:
			trace_costack_refuse(e->name, e->fn, e->detail, e->frames, e->ip);
			break;
		case COSTACK_EVENT_OVERFLOW:
			trace_costack_overflow(e->name, e->fn, e->to, e->frames, e->ip);
			break;
		case COSTACK_EVENT_REPLAY:
			trace_costack_replay(e->name, e->fn, e->detail, e->ip);
			break;
		}
	}
	reserve->nr_events = 0;
	co->noted = false;
}
