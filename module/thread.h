/* SPDX-License-Identifier: GPL-2.0 */
/*
 * State that belongs to the thread, and not to the coroutine that runs in it. things.c
 * has the table.
 */
#ifndef _COSTACK_THREAD_H
#define _COSTACK_THREAD_H

#include <linux/compiler.h>
#include <linux/iocontext.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/types.h>

#include "arena.h"
#include "compat.h"
#include "coroutine.h"

struct bio_list;
struct cred;
struct fs_struct;
struct mem_cgroup;
struct mm_struct;

/**
 * struct costack_thread - how a thread was before a coroutine ran in it
 * @flags: PF_* flags
 * @journal_info: as in struct task_struct, like the fields that follow
 * @bio_list: likewise
 * @active_memcg: likewise
 * @mm: likewise
 * @cred: likewise
 * @pagefault_disabled: likewise
 * @migration_disabled: likewise
 * @normal_prio: likewise; the policy can be derived from it
 * @nr_cpus_allowed: likewise
 * @fs: likewise
 * @ioprio: of its I/O context
 */
struct costack_thread {
	unsigned int		flags;
	void			*journal_info;
	struct bio_list		*bio_list;
	struct mem_cgroup	*active_memcg;
	struct mm_struct	*mm;
	const struct cred	*cred;
	int			pagefault_disabled;
	unsigned int		migration_disabled;
	int			normal_prio;
	int			nr_cpus_allowed;
	struct fs_struct	*fs;
	int			ioprio;
};

/* Flags that code sets for a while, and a flag that every kernel thread begins with. */
#define COSTACK_SCOPE_FLAGS	(PF_MEMALLOC | PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO | \
				 PF_MEMALLOC_PIN | PF_LOCAL_THROTTLE | PF_KSWAPD | \
				 COSTACK_PF_NORECLAIM | COSTACK_PF_NOWARN)
#define COSTACK_THREAD_FLAGS	(COSTACK_SCOPE_FLAGS | PF_NOFREEZE)

/* Debug state of a thread; 0 if none is set. */
static __always_inline unsigned long costack_thread_debugged(const struct task_struct *task)
{
	unsigned long odd = 0;

#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	odd |= task->non_block_count;
#endif
#if defined(CONFIG_KASAN_GENERIC) || defined(CONFIG_KASAN_SW_TAGS)
	odd |= task->kasan_depth;
#endif
#ifdef CONFIG_KCSAN
	odd |= task->kcsan_ctx.disable_count;
#endif
#ifdef CONFIG_KCOV
	odd |= task->kcov_mode;
#endif
	return odd;
}

/* Makes GCC use one "or" from memory for each word; by itself it uses two or three. */
static __always_inline unsigned int costack_thread_int(unsigned int odd)
{
	OPTIMIZER_HIDE_VAR(odd);
	return odd;
}

static __always_inline unsigned long costack_thread_word(unsigned long odd)
{
	OPTIMIZER_HIDE_VAR(odd);
	return odd;
}

/**
 * costack_thread_odd() - does the thread have state that forbids a plain park
 * @task: the current thread, a worker
 *
 * One test for all the words that are zero in a clean worker. Every park evaluates this, so
 * it combines the words without a branch. Interrupts and locks are tested elsewhere. What
 * the kernel sets only inside of its own functions is tested when a coroutine has ended.
 *
 * Context: Process context, any stack.
 * Return: 0 if there is nothing that the table in things.c refuses or flushes.
 */
static __always_inline unsigned long costack_thread_odd(const struct task_struct *task)
{
	unsigned int odd = (task->flags & COSTACK_THREAD_FLAGS) ^ PF_NOFREEZE;
	unsigned long words = (unsigned long)task->plug;

	/* A waker may change it meanwhile, to a value that is no reason to refuse. */
	odd = costack_thread_int(odd | data_race(task->__state));
	odd = costack_thread_int(odd | task->pagefault_disabled);
#ifdef CONFIG_PREEMPT_RCU
	odd = costack_thread_int(odd | task->rcu_read_lock_nesting);
#endif
#ifdef CONFIG_TASKS_TRACE_RCU
	odd = costack_thread_int(odd | task->trc_reader_nesting);
#endif
#ifdef CONFIG_SMP
	odd = costack_thread_int(odd | task->migration_disabled);
#endif
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT))
		odd |= preempt_count();
	words = costack_thread_word(words | (unsigned long)task->journal_info);
	words = costack_thread_word(words | (unsigned long)task->bio_list);
	words = costack_thread_word(words | (unsigned long)task->mm);
#ifdef CONFIG_MEMCG
	words = costack_thread_word(words | (unsigned long)task->active_memcg);
#endif
	words |= (__force unsigned long)task->cred ^ (__force unsigned long)task->real_cred;
	words |= costack_borrows_fs(task);
	return words | odd | costack_thread_debugged(task);
}

/**
 * costack_thread_plain() - can the running coroutine leave its thread as it is
 * @co: the running coroutine
 *
 * Context: Coroutine stack of @co.
 * Return: true if nothing is set or held that belongs to the thread. If false, the caller
 * must ask costack_thread_may_leave(), and must not hand the thread over.
 */
static __always_inline bool costack_thread_plain(const struct costack *co)
{
	return likely(!irqs_disabled()) && likely(!costack_thread_odd(co->task)) &&
	       !costack_holds_locks(co);
}

/**
 * costack_thread_points_to() - does the thread keep an address of this stack
 * @task: the thread
 * @slot: the stack
 *
 * A plug is usually a local, and the entries of its lists may point back to it.
 *
 * Context: Any context, any stack.
 * Return: true if it does: then the stack must not move.
 */
static __always_inline bool costack_thread_points_to(const struct task_struct *task,
						     const struct costack_slot *slot)
{
	unsigned long start = costack_slot_start(slot);

	return (unsigned long)task->plug - start < COSTACK_SLOT_SIZE ||
	       (unsigned long)task->journal_info - start < COSTACK_SLOT_SIZE;
}

/**
 * costack_thread_changed() - has a coroutine changed its worker for good
 * @task: the current thread, a worker
 * @was: how it was
 *
 * This tests what an administrator may change as well, and what therefore does not forbid
 * a park.
 *
 * Context: Process context, host stack.
 * Return: true if so: then the caller calls costack_thread_put_back().
 */
static __always_inline bool costack_thread_changed(struct task_struct *task,
						   const struct costack_thread *was)
{
#ifdef CONFIG_BLOCK
	if (task->io_context && task->io_context->ioprio != was->ioprio)
		return true;
#endif
	return task->normal_prio != was->normal_prio ||
	       task->nr_cpus_allowed < was->nr_cpus_allowed ||
	       task->fs != was->fs || signal_pending(task);
}

bool costack_thread_may_leave(struct costack *co, const struct costack_thread *was);
void costack_thread_leave(struct costack *co);
void costack_thread_unplug(struct costack *co);
void costack_thread_forget(struct costack *co);
void costack_thread_put_back(struct costack_thread *was, const void *fn);
void costack_thread_note(struct costack_thread *was);
void costack_thread_put_right(struct costack *co, struct costack_thread *was);

/**
 * costack_thread_enter() - restore in the thread what was carried over a park
 * @co: is about to be switched in
 *
 * Context: Process context, the stack that becomes the host stack.
 */
static __always_inline void costack_thread_enter(struct costack *co)
{
	if (unlikely(co->plug)) {
		current->plug = co->plug;
		co->plug = NULL;
	}
}

/* What the kernel sets inside of its own functions, where coroutines usually do not park. */
static __always_inline bool costack_thread_hidden(const struct task_struct *task)
{
#ifdef CONFIG_PSI
	if (task->in_memstall)
		return true;
#endif
#ifdef COSTACK_TASK_HAS_BDI
	if (task->backing_dev_info)
		return true;
#endif
	return false;
}

/**
 * costack_thread_leave_stack() - make sure that a thread keeps no address of a stack
 * @co: has ended, in this thread
 *
 * Context: Process context, host stack.
 */
static __always_inline void costack_thread_leave_stack(struct costack *co)
{
	const struct task_struct *task = co->task;

	if (unlikely((unsigned long)task->plug | (unsigned long)task->journal_info))
		costack_thread_forget(co);
}

/**
 * costack_thread_clean() - make sure that a worker is as it was
 * @co: has ended, in this thread
 * @was: how the worker was
 *
 * Context: Host stack. Process context, unless @co has left it otherwise.
 */
static __always_inline void costack_thread_clean(struct costack *co, struct costack_thread *was)
{
	struct task_struct *task = co->task;

	if (unlikely(irqs_disabled() || costack_thread_odd(task) ||
		     costack_thread_hidden(task)))
		costack_thread_put_right(co, was);
	if (unlikely(costack_thread_changed(task, was)))
		costack_thread_put_back(was, co->fn);
}

#endif /* _COSTACK_THREAD_H */
