// SPDX-License-Identifier: GPL-2.0
/*
 * Which functions of work items have held their workers: they slept in the kernel or computed,
 * without parking, so that others could not have the worker.
 *
 * The watch in runner.c notices this, once each tick. So short holds are mostly missed, and
 * nothing is done where a coroutine begins or ends a hold. With the knob trace_held the log gets
 * a call trace of each function when it is first seen to hold its worker asleep.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <asm/costack.h>

#include "arena.h"
#include "compat.h"
#include "coroutine.h"
#include "held.h"
#include "report.h"
#include "stats.h"

/* Frames of a trace. */
#define MAX_FRAMES	32U

/* Replaces a function whose module has gone; the entry may be used again. */
#define GONE		((const void *)1)

/* Covers what follows. Raw, as the watch takes it in a hard interrupt. */
static DEFINE_RAW_SPINLOCK(lock);

/* Open addressing, by the address of the function. */
static struct costack_held table[COSTACK_HELD_FUNCTIONS + 1];

/**
 * struct trace - a trace that is to be taken, one at a time
 * @task: the worker, with a reference; %NULL: there is none to be taken
 * @switches: how often it had been switched out when it was seen asleep
 * @co: the coroutine that holds it
 * @entry: that of its function
 * @fn: the function
 */
static struct trace {
	struct task_struct	*task;
	unsigned long		switches;
	const struct costack	*co;
	struct costack_held	*entry;
	const void		*fn;
} asked;

static void tell(struct work_struct *work);
static DECLARE_WORK(tell_work, tell);

static struct costack_held *find(const void *fn)
{
	unsigned int i = hash_ptr(fn, ilog2(COSTACK_HELD_FUNCTIONS)), n;
	struct costack_held *free = NULL, *entry;

	lockdep_assert_held(&lock);
	for (n = 0; n < COSTACK_HELD_FUNCTIONS; n++) {
		entry = &table[(i + n) % COSTACK_HELD_FUNCTIONS];
		if (entry->fn == fn)
			return entry;
		if (!free && (!entry->fn || entry->fn == GONE))
			free = entry;
		if (!entry->fn)
			break;
	}
	if (!free)
		return &table[COSTACK_HELD_FUNCTIONS];
	*free = (struct costack_held) { .fn = fn };
	return free;
}

/* === The watch === */

static bool runs_for(const struct costack *co, const struct costack_host *host)
{
	/* data_race: another coroutine may be resumed meanwhile; then it is not this one. */
	return co && data_race(READ_ONCE(co->host)) == host &&
	       costack_state(co) == COSTACK_RUNNING;
}

/*
 * The coroutine that runs in @task, or NULL if it is not found. Three places may name it: costack
 * itself, while it runs a function for it on the host stack; the stack that the thread was switched
 * out on; and the note of the CPU. RCU is held, so each of them is a coroutine, if not this one.
 */
static struct costack *find_holder(const struct costack_host *host, struct task_struct *task)
{
	struct costack *co = READ_ONCE(host->on_host);
	struct costack_slot *slot;

	if (runs_for(co, host))
		return co;
	slot = costack_arena_lookup(costack_arch_asleep(task).sp);
	co = slot ? READ_ONCE(slot->co) : NULL;
	if (runs_for(co, host))
		return co;
	co = READ_ONCE(READ_ONCE(per_cpu(costack_arena_guess, task_cpu(task)))->co);
	return runs_for(co, host) ? co : NULL;
}

/* Each time that a thread is switched out, it is counted. */
static unsigned long switches_of(const struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

/* Have a trace taken, unless there is one of this function, or another one is being taken. */
static void ask(const struct costack *co, struct costack_held *entry, struct task_struct *task)
{
	lockdep_assert_held(&lock);
	if (entry->told || asked.task || task_is_running(task) ||
	    !READ_ONCE(costack_knobs.trace_held))
		return;
	asked = (struct trace) {
		.task	  = get_task_struct(task),
		.switches = switches_of(task),
		.co	  = co,
		.entry	  = entry,
		.fn	  = READ_ONCE(co->fn),
	};
	queue_work(system_dfl_wq, &tell_work);
}

/**
 * costack_held_look() - note that a coroutine holds its worker
 * @hold: of the runner; its @entry is %NULL if this was not so at the last look
 * @host: what the worker lends to its coroutine
 * @task: the worker
 *
 * Context: Hard interrupt; the runner does not become idle meanwhile.
 */
void costack_held_look(struct costack_hold *hold, const struct costack_host *host,
		       struct task_struct *task)
{
	struct costack *co = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	if (!hold->entry || !hold->entry->told)
		co = find_holder(host, task);
	if (!hold->entry && co) {
		hold->entry = find(READ_ONCE(co->fn));
		hold->entry->times++;
		hold->since = jiffies;
		hold->counted = jiffies;
	}
	if (hold->entry) {
		hold->entry->total += jiffies - hold->counted;
		hold->counted = jiffies;
		hold->entry->longest = max(hold->entry->longest, jiffies - hold->since);
		if (co)
			ask(co, hold->entry, task);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

/* === Traces === */

/* Is the thread in the same sleep in which it was seen? */
static bool sleeps_on(const struct trace *trace)
{
#ifdef CONFIG_SMP
	/* It may be on its way into another sleep, and not be switched out yet. */
	if (READ_ONCE(trace->task->on_cpu))
		return false;
#endif
	return !task_is_running(trace->task) && switches_of(trace->task) == trace->switches;
}

/*
 * Walk over the stack of a coroutine whose thread sleeps. The thread may wake up meanwhile: then
 * what was read is nonsense, and is dropped. It is memory in any case: see limbo.c. If the thread
 * sleeps on its host stack, the trace is that of the coroutine up to the call that went there.
 */
static unsigned int walk(const struct trace *trace, unsigned long *ip)
{
	struct costack_ctx ctx = costack_arch_asleep(trace->task);
	const struct costack_slot *slot = costack_arena_lookup(ctx.sp);

	if (!slot) {
		ctx.sp = READ_ONCE(trace->co->ctx.sp);
		slot = costack_arena_lookup(ctx.sp);
	}
	if (!slot || READ_ONCE(trace->co->slot) != slot || ctx.sp < costack_slot_lo(slot) ||
	    ctx.sp + sizeof(struct costack_switch_frame) > slot->hi)
		return 0;
	return costack_report_frames(slot, &ctx, READ_ONCE(trace->co->base), ip, MAX_FRAMES);
}

/* The coroutine exists while its thread sleeps in it; and RCU keeps its memory after that. */
static unsigned int take(const struct trace *trace, unsigned long *ip)
{
	unsigned int nr = 0;

	rcu_read_lock();
	if (sleeps_on(trace)) {
		nr = walk(trace, ip);
		if (!sleeps_on(trace))
			nr = 0;
	}
	rcu_read_unlock();
	return nr;
}

static void print(const void *fn, const unsigned long *ip, unsigned int nr)
{
	unsigned int i;

	pr_info("%ps has held its worker, asleep in the kernel; the first time here:\n", fn);
	for (i = 0; i < nr; i++)
		pr_info("  %pS\n", (void *)ip[i]);
	if (nr == MAX_FRAMES)
		pr_info("  (and its callers)\n");
}

/* A trace that could not be taken is asked for again. Nobody else changes asked meanwhile. */
static void tell(struct work_struct *work)
{
	struct task_struct *task = asked.task;
	unsigned long ip[MAX_FRAMES];
	unsigned int nr = take(&asked, ip);

	if (nr)
		print(asked.fn, ip, nr);
	raw_spin_lock_irq(&lock);
	if (nr && (asked.entry->fn == asked.fn || !asked.entry->fn))
		asked.entry->told = true;
	asked.task = NULL;
	raw_spin_unlock_irq(&lock);
	put_task_struct(task);
}

/* === For others === */

/**
 * costack_held_get() - read an entry
 * @i: which, up to and including %COSTACK_HELD_FUNCTIONS
 * @copy: out: the entry
 *
 * Context: Any.
 * Return: false if there is nothing in it.
 */
bool costack_held_get(unsigned int i, struct costack_held *copy)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	*copy = table[i];
	raw_spin_unlock_irqrestore(&lock, flags);
	return copy->times && copy->fn != GONE;
}

/**
 * costack_held_forget() - give up the entries of a module
 * @start: its text
 * @end: first byte behind
 *
 * Context: Any. No function of the module runs any more.
 */
void costack_held_forget(unsigned long start, unsigned long end)
{
	unsigned long flags, fn;
	unsigned int i;

	raw_spin_lock_irqsave(&lock, flags);
	for (i = 0; i < COSTACK_HELD_FUNCTIONS; i++) {
		fn = (unsigned long)table[i].fn;
		if (fn >= start && fn < end)
			table[i].fn = GONE;
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

/**
 * costack_held_flush() - have no trace taken any more
 *
 * Context: Process context; may sleep. No coroutine lives, and the watch does not run.
 */
void costack_held_flush(void)
{
	flush_work(&tell_work);
}
