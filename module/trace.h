/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Notes that growth takes, and the tracepoints emitted from them.
 */
#ifndef _COSTACK_TRACE_H
#define _COSTACK_TRACE_H

#include <linux/costack.h>
#include <linux/types.h>

struct costack;

enum costack_event_kind {
	COSTACK_EVENT_IN_PLACE,
	COSTACK_EVENT_COPY,
	COSTACK_EVENT_REFUSE,
	COSTACK_EVENT_OVERFLOW,
	COSTACK_EVENT_REPLAY,
};

/**
 * struct costack_event - a decision of growth, kept until it can be traced
 * @kind: what was decided
 * @detail: the reason for a refusal, or the vector of a replay
 * @from: pages before
 * @to: pages after
 * @frames: frames walked
 * @words: words rebased
 * @ip: interrupted instruction
 * @fn: what the coroutine runs
 * @name: its name, valid until the coroutine ends: the note is dropped before that
 *
 * A fault may come inside the tracer, so its handler only takes a note; the host loop emits
 * the tracepoint when the coroutine next comes back to it.
 */
struct costack_event {
	u8		kind;
	u8		detail;
	u16		from;
	u16		to;
	u16		frames;
	u32		words;
	unsigned long	ip;
	costack_fn_t	fn;
	const char	*name;
};

/*
 * At most two notes for each doubling, the growth and a refusal or a replay; and there may be
 * those of two coroutines, see park_prev(). Events that do not fit are still counted in stats/.
 */
#define COSTACK_NR_EVENTS	20

void costack_trace_events(struct costack *co);

#endif /* _COSTACK_TRACE_H */
