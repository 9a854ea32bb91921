/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM costack

#if !defined(_TRACE_COSTACK_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_COSTACK_H

#include <linux/costack.h>
#include <linux/tracepoint.h>

/*
 * A fault takes notes only; these events are emitted when the coroutine is next
 * switched out, in the order of the notes.
 */

TRACE_EVENT(costack_grow,

	TP_PROTO(const char *name, bool copy, unsigned int from, unsigned int to,
		 unsigned int frames, unsigned int words, unsigned long ip),

	TP_ARGS(name, copy, from, to, frames, words, ip),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(bool, copy)
		__field(unsigned int, from)
		__field(unsigned int, to)
		__field(unsigned int, frames)
		__field(unsigned int, words)
		__field(unsigned long, ip)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->copy = copy;
		__entry->from = from;
		__entry->to = to;
		__entry->frames = frames;
		__entry->words = words;
		__entry->ip = ip;
	),

	TP_printk("name=%s kind=%s pages=%u->%u frames=%u words=%u ip=%pS",
		  __entry->name, __entry->copy ? "copy" : "in_place", __entry->from,
		  __entry->to, __entry->frames, __entry->words, (void *)__entry->ip)
);

TRACE_EVENT(costack_refuse,

	TP_PROTO(const char *name, unsigned int why, unsigned int frames, unsigned long ip),

	TP_ARGS(name, why, frames, ip),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(unsigned int, why)
		__field(unsigned int, frames)
		__field(unsigned long, ip)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->why = why;
		__entry->frames = frames;
		__entry->ip = ip;
	),

	/* The numbers are those of enum costack_refusal. */
	TP_printk("name=%s why=%s frames=%u ip=%pS", __entry->name,
		  __print_symbolic(__entry->why, { 1, "pin" }, { 2, "text" }, { 3, "unwind" },
				   { 4, "hook" }, { 5, "reserve" }, { 6, "verdict" },
				   { 7, "point" }, { 8, "opaque" }),
		  __entry->frames, (void *)__entry->ip)
);

TRACE_EVENT(costack_overflow,

	TP_PROTO(const char *name, unsigned int limit, unsigned int frames, unsigned long ip),

	TP_ARGS(name, limit, frames, ip),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(unsigned int, limit)
		__field(unsigned int, frames)
		__field(unsigned long, ip)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->limit = limit;
		__entry->frames = frames;
		__entry->ip = ip;
	),

	TP_printk("name=%s limit=%u pages frames=%u ip=%pS", __entry->name, __entry->limit,
		  __entry->frames, (void *)__entry->ip)
);

TRACE_EVENT(costack_replay,

	TP_PROTO(const char *name, unsigned int vector, unsigned long ip),

	TP_ARGS(name, vector, ip),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(unsigned int, vector)
		__field(unsigned long, ip)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->vector = vector;
		__entry->ip = ip;
	),

	TP_printk("name=%s vector=%u ip=%pS", __entry->name, __entry->vector,
		  (void *)__entry->ip)
);

#endif /* _TRACE_COSTACK_H */

#include <trace/define_trace.h>
