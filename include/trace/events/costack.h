/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM costack

#if !defined(_TRACE_COSTACK_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_COSTACK_H

#include <linux/costack.h>
#include <linux/tracepoint.h>

/*
 * Each event has the coroutine's name, which may be empty, and its function. The events of
 * a fault are emitted when the coroutine is next switched out, in the order of the notes.
 */

/* The numbers are those of enum costack_refusal. */
#define costack_refusal_words(why)						\
	__print_symbolic(why, { 0, "-" }, { 1, "pin" }, { 2, "text" }, { 3, "unwind" },	\
			 { 4, "hook" }, { 5, "reserve" }, { 6, "verdict" },	\
			 { 7, "point" }, { 8, "opaque" }, { 9, "large" },	\
			 { 10, "memory" })

/* The numbers are those of enum costack_waits. */
#define costack_waits_words(waits)						\
	__print_symbolic(waits, { 0, "-" }, { 1, "unpark" }, { 2, "time" },	\
			 { 3, "queue" }, { 4, "item" }, { 5, "channel" },	\
			 { 6, "lock" }, { 7, "group" }, { 8, "completion" })

TRACE_EVENT(costack_grow,

	TP_PROTO(const char *name, const void *fn, bool copy, unsigned int from,
		 unsigned int to, unsigned int frames, unsigned int words, unsigned long ip),

	TP_ARGS(name, fn, copy, from, to, frames, words, ip),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(const void *, fn)
		__field(bool, copy)
		__field(unsigned int, from)
		__field(unsigned int, to)
		__field(unsigned int, frames)
		__field(unsigned int, words)
		__field(unsigned long, ip)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->fn = fn;
		__entry->copy = copy;
		__entry->from = from;
		__entry->to = to;
		__entry->frames = frames;
		__entry->words = words;
		__entry->ip = ip;
	),

	TP_printk("name=%s kind=%s pages=%u->%u frames=%u words=%u ip=%pS fn=%ps",
		  __entry->name, __entry->copy ? "copy" : "in_place", __entry->from,
		  __entry->to, __entry->frames, __entry->words, (void *)__entry->ip,
		  __entry->fn)
);

TRACE_EVENT(costack_refuse,

	TP_PROTO(const char *name, const void *fn, unsigned int why, unsigned int frames,
		 unsigned long ip),

	TP_ARGS(name, fn, why, frames, ip),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(const void *, fn)
		__field(unsigned int, why)
		__field(unsigned int, frames)
		__field(unsigned long, ip)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->fn = fn;
		__entry->why = why;
		__entry->frames = frames;
		__entry->ip = ip;
	),

	TP_printk("name=%s why=%s frames=%u ip=%pS fn=%ps", __entry->name,
		  costack_refusal_words(__entry->why), __entry->frames,
		  (void *)__entry->ip, __entry->fn)
);

TRACE_EVENT(costack_overflow,

	TP_PROTO(const char *name, const void *fn, unsigned int limit, unsigned int frames,
		 unsigned long ip),

	TP_ARGS(name, fn, limit, frames, ip),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(const void *, fn)
		__field(unsigned int, limit)
		__field(unsigned int, frames)
		__field(unsigned long, ip)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->fn = fn;
		__entry->limit = limit;
		__entry->frames = frames;
		__entry->ip = ip;
	),

	TP_printk("name=%s limit=%u pages frames=%u ip=%pS fn=%ps", __entry->name,
		  __entry->limit, __entry->frames, (void *)__entry->ip, __entry->fn)
);

TRACE_EVENT(costack_replay,

	TP_PROTO(const char *name, const void *fn, unsigned int vector, unsigned long ip),

	TP_ARGS(name, fn, vector, ip),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(const void *, fn)
		__field(unsigned int, vector)
		__field(unsigned long, ip)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->fn = fn;
		__entry->vector = vector;
		__entry->ip = ip;
	),

	TP_printk("name=%s vector=%u ip=%pS fn=%ps", __entry->name, __entry->vector,
		  (void *)__entry->ip, __entry->fn)
);

/* The stack was moved at a safe point. */
DECLARE_EVENT_CLASS(costack_moved,

	TP_PROTO(const char *name, const void *fn, unsigned int from, unsigned int to),

	TP_ARGS(name, fn, from, to),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(const void *, fn)
		__field(unsigned int, from)
		__field(unsigned int, to)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->fn = fn;
		__entry->from = from;
		__entry->to = to;
	),

	TP_printk("name=%s pages=%u->%u fn=%ps", __entry->name, __entry->from, __entry->to,
		  __entry->fn)
);

/* The stack of a coroutine that is parked or yields was moved to one of half the size. */
DEFINE_EVENT(costack_moved, costack_shrink,
	TP_PROTO(const char *name, const void *fn, unsigned int from, unsigned int to),
	TP_ARGS(name, fn, from, to)
);

/* The knob force_move has moved the stack to one of the same size. */
DEFINE_EVENT(costack_moved, costack_move,
	TP_PROTO(const char *name, const void *fn, unsigned int from, unsigned int to),
	TP_ARGS(name, fn, from, to)
);

/* The stack of a parked coroutine was packed, or could not be packed. */
TRACE_EVENT(costack_pack,

	TP_PROTO(const char *name, const void *fn, unsigned int bytes, unsigned int why),

	TP_ARGS(name, fn, bytes, why),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(const void *, fn)
		__field(unsigned int, bytes)
		__field(unsigned int, why)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->fn = fn;
		__entry->bytes = bytes;
		__entry->why = why;
	),

	TP_printk("name=%s bytes=%u why=%s fn=%ps", __entry->name, __entry->bytes,
		  costack_refusal_words(__entry->why), __entry->fn)
);

/* The coroutine is about to leave its thread, unless an unpark has come already. */
TRACE_EVENT(costack_park,

	TP_PROTO(const char *name, const void *fn, unsigned int waits),

	TP_ARGS(name, fn, waits),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(const void *, fn)
		__field(unsigned int, waits)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->fn = fn;
		__entry->waits = waits;
	),

	TP_printk("name=%s waits=%s fn=%ps", __entry->name,
		  costack_waits_words(__entry->waits), __entry->fn)
);

DECLARE_EVENT_CLASS(costack_told,

	TP_PROTO(const char *name, const void *fn, bool parked),

	TP_ARGS(name, fn, parked),

	TP_STRUCT__entry(
		__array(char, name, COSTACK_NAME_LEN)
		__field(const void *, fn)
		__field(bool, parked)
	),

	TP_fast_assign(
		strscpy(__entry->name, name, COSTACK_NAME_LEN);
		__entry->fn = fn;
		__entry->parked = parked;
	),

	TP_printk("name=%s parked=%u fn=%ps", __entry->name, __entry->parked, __entry->fn)
);

/* The coroutine is woken. If it is not parked, its next park returns at once. */
DEFINE_EVENT(costack_told, costack_unpark,
	TP_PROTO(const char *name, const void *fn, bool parked),
	TP_ARGS(name, fn, parked)
);

/* The work item of the coroutine is cancelled; an unpark follows. */
DEFINE_EVENT(costack_told, costack_cancel,
	TP_PROTO(const char *name, const void *fn, bool parked),
	TP_ARGS(name, fn, parked)
);

#endif /* _TRACE_COSTACK_H */

#include <trace/define_trace.h>
