// SPDX-License-Identifier: GPL-2.0
/*
 * The things that belong to a thread: how costack detects, names and undoes each.
 *
 *	thing					since	at a park	left at the end
 *	interrupts, preemption, bottom halves	2.6	refused		undone
 *	RCU read section			2.6	refused		undone
 *	locks that lockdep counts		2.6.18	refused		reported
 *	task state				2.6	refused		undone
 *	memalloc_noio_save()			3.9	refused		undone
 *	memalloc_nofs_save(), _noreclaim_	4.12	refused		undone
 *	memalloc_pin_save()			5.2	refused		undone
 *	PF_LOCAL_THROTTLE, PF_KSWAPD		2.6	refused		undone
 *	set_freezable()				2.6.23	refused		undone
 *	kthread_use_mm()			5.8	refused		undone
 *	override_creds()			2.6.29	refused		undone
 *	journal_info, bio_list			2.6	refused		undone
 *	set_active_memcg()			4.19	refused		undone
 *	pagefault_disable()			4.2	refused		undone
 *	migrate_disable()			5.11	refused		undone
 *	rcu_read_lock_trace()			5.8	refused		undone
 *	scoped_with_init_fs()			7.3	refused		undone
 *	debug state: non_block_start(), KASAN,
 *	KCSAN, kcov				-	refused		undone, not kcov
 *	backing_dev_info			2.6-6.4	-		undone
 *	psi_memstall_enter()			4.20	-		undone
 *	block plug				2.6.39	flushed, and	dropped: its frame
 *							carried		is gone
 *	policy and priority, I/O priority,
 *	CPUs it may run on, pending signals	2.6	-		put back
 *	unshare_fs_struct()			2.6.29	-		reported
 *	canary of the stack protector		2.6	one for all coroutines
 *	files, namespaces, cgroup, I/O context,
 *	accounting, name			-	the worker's, as in any work item
 *	mutexes and the like (no lockdep),
 *	kthread_associate_blkcg()		-	cannot be detected from here
 *
 * thread.c says when and why.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bottom_half.h>
#include <linux/cred.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/psi.h>
#include <linux/rcupdate.h>
#include <linux/rcupdate_trace.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/sched/prio.h>
#include <linux/sched/rt.h>
#include <linux/sched/signal.h>

#include "things.h"
#include "thread.h"

/**
 * struct thing - something that belongs to a thread
 * @name: the name that its user knows
 * @at_park: what a park does about it
 * @is_set: does the current thread have it, and did not before
 * @undo: handles a thing that a coroutine has left in the thread
 * @flags: its PF_* flags
 * @in_task: offset in struct task_struct, if the thing is just a pointer there
 * @in_was: its offset in struct costack_thread
 */
struct thing {
	const char	*name;
	enum costack_at_park	at_park;
	bool		(*is_set)(const struct thing *thing, struct task_struct *task,
				  const struct costack_thread *was);
	void		(*undo)(const struct thing *thing, struct task_struct *task,
				struct costack_thread *was);
	unsigned int	flags;
	size_t		in_task;
	size_t		in_was;
};

/* === What forbids to sleep === */

static bool irqs_set(const struct thing *thing, struct task_struct *task,
		     const struct costack_thread *was)
{
	return irqs_disabled();
}

static void irqs_undo(const struct thing *thing, struct task_struct *task,
		      struct costack_thread *was)
{
	local_irq_enable();
}

static bool bh_set(const struct thing *thing, struct task_struct *task,
		   const struct costack_thread *was)
{
	return softirq_count();
}

static void bh_undo(const struct thing *thing, struct task_struct *task,
		    struct costack_thread *was)
{
	while (softirq_count())
		local_bh_enable();
}

static bool preempt_set(const struct thing *thing, struct task_struct *task,
			const struct costack_thread *was)
{
	return IS_ENABLED(CONFIG_PREEMPT_COUNT) && preempt_count() & PREEMPT_MASK;
}

static void preempt_undo(const struct thing *thing, struct task_struct *task,
			 struct costack_thread *was)
{
	while (preempt_count() & PREEMPT_MASK)
		preempt_enable();
}

static bool rcu_set(const struct thing *thing, struct task_struct *task,
		    const struct costack_thread *was)
{
	return rcu_preempt_depth();
}

static void rcu_undo(const struct thing *thing, struct task_struct *task,
		     struct costack_thread *was)
{
	while (rcu_preempt_depth()) {
		__acquire(RCU);
		rcu_read_unlock();
	}
}

/* === Scopes === */

static bool flag_set(const struct thing *thing, struct task_struct *task,
		     const struct costack_thread *was)
{
	return task->flags & ~was->flags & thing->flags;
}

static void flag_undo(const struct thing *thing, struct task_struct *task,
		      struct costack_thread *was)
{
	task->flags &= ~thing->flags | was->flags;
}

static bool word_set(const struct thing *thing, struct task_struct *task,
		     const struct costack_thread *was)
{
	return *(void **)((char *)task + thing->in_task) !=
	       *(void **)((char *)was + thing->in_was);
}

static void word_undo(const struct thing *thing, struct task_struct *task,
		      struct costack_thread *was)
{
	*(void **)((char *)task + thing->in_task) = *(void **)((char *)was + thing->in_was);
}

static bool pagefault_set(const struct thing *thing, struct task_struct *task,
			  const struct costack_thread *was)
{
	return task->pagefault_disabled != was->pagefault_disabled;
}

static void pagefault_undo(const struct thing *thing, struct task_struct *task,
			   struct costack_thread *was)
{
	task->pagefault_disabled = was->pagefault_disabled;
}

static bool state_set(const struct thing *thing, struct task_struct *task,
		      const struct costack_thread *was)
{
	return READ_ONCE(task->__state);
}

static void state_undo(const struct thing *thing, struct task_struct *task,
		       struct costack_thread *was)
{
	__set_current_state(TASK_RUNNING);
}

static bool freezable_set(const struct thing *thing, struct task_struct *task,
			  const struct costack_thread *was)
{
	return was->flags & ~task->flags & PF_NOFREEZE;
}

static void freezable_undo(const struct thing *thing, struct task_struct *task,
			   struct costack_thread *was)
{
	task->flags |= PF_NOFREEZE;
}

static bool mm_set(const struct thing *thing, struct task_struct *task,
		   const struct costack_thread *was)
{
	return task->mm != was->mm;
}

static void mm_undo(const struct thing *thing, struct task_struct *task,
		    struct costack_thread *was)
{
	if (task->mm)
		kthread_unuse_mm(task->mm);
	if (was->mm)
		kthread_use_mm(was->mm);
}

static bool cred_set(const struct thing *thing, struct task_struct *task,
		     const struct costack_thread *was)
{
	return rcu_access_pointer(task->cred) != was->cred;
}

static void cred_undo(const struct thing *thing, struct task_struct *task,
		      struct costack_thread *was)
{
	revert_creds(was->cred);
}

#ifdef CONFIG_SMP
static bool migrate_set(const struct thing *thing, struct task_struct *task,
			const struct costack_thread *was)
{
	return task->migration_disabled != was->migration_disabled;
}

static void migrate_undo(const struct thing *thing, struct task_struct *task,
			 struct costack_thread *was)
{
	while (task->migration_disabled > was->migration_disabled)
		migrate_enable();
}
#endif

#ifdef CONFIG_TASKS_TRACE_RCU
static bool trace_rcu_set(const struct thing *thing, struct task_struct *task,
			  const struct costack_thread *was)
{
	return task->trc_reader_nesting;
}

static void trace_rcu_undo(const struct thing *thing, struct task_struct *task,
			   struct costack_thread *was)
{
	while (task->trc_reader_nesting > 0)
		rcu_read_unlock_trace();
}
#endif

#ifdef CONFIG_PSI
static bool memstall_set(const struct thing *thing, struct task_struct *task,
			 const struct costack_thread *was)
{
	return task->in_memstall;
}

static void memstall_undo(const struct thing *thing, struct task_struct *task,
			  struct costack_thread *was)
{
	unsigned long flags = 0;

	psi_memstall_leave(&flags);
}
#endif

static bool borrowed_fs_set(const struct thing *thing, struct task_struct *task,
			    const struct costack_thread *was)
{
	return costack_borrows_fs(task) && task->fs != was->fs;
}

static void borrowed_fs_undo(const struct thing *thing, struct task_struct *task,
			     struct costack_thread *was)
{
	task->fs = was->fs;
}

#ifdef COSTACK_TASK_HAS_BDI
static bool bdi_set(const struct thing *thing, struct task_struct *task,
		    const struct costack_thread *was)
{
	return task->backing_dev_info;
}

static void bdi_undo(const struct thing *thing, struct task_struct *task,
		     struct costack_thread *was)
{
	task->backing_dev_info = NULL;
}
#endif

static bool debug_set(const struct thing *thing, struct task_struct *task,
		      const struct costack_thread *was)
{
	return costack_thread_debugged(task);
}

static void debug_undo(const struct thing *thing, struct task_struct *task,
		       struct costack_thread *was)
{
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	task->non_block_count = 0;
#endif
#if defined(CONFIG_KASAN_GENERIC) || defined(CONFIG_KASAN_SW_TAGS)
	task->kasan_depth = 0;
#endif
#ifdef CONFIG_KCSAN
	task->kcsan_ctx.disable_count = 0;
#endif
}

/* === The plug === */

static bool plug_set(const struct thing *thing, struct task_struct *task,
		     const struct costack_thread *was)
{
	return task->plug;
}

/* The function whose local it was has returned: the plug cannot be trusted any more. */
static void plug_undo(const struct thing *thing, struct task_struct *task,
		      struct costack_thread *was)
{
	costack_drop_plug(task);
}

/* === The worker's own === */

static bool prio_set(const struct thing *thing, struct task_struct *task,
		     const struct costack_thread *was)
{
	return task->normal_prio != was->normal_prio;
}

/* A worker that an administrator had given another policy stays as it is now. */
static void prio_undo(const struct thing *thing, struct task_struct *task,
		      struct costack_thread *was)
{
	if (!rt_prio(was->normal_prio))
		sched_set_normal(task, PRIO_TO_NICE(was->normal_prio));
	was->normal_prio = task->normal_prio;
}

/* Fewer CPUs than before. The workqueue itself adds CPUs that come online. */
static bool cpus_set(const struct thing *thing, struct task_struct *task,
		     const struct costack_thread *was)
{
	return task->nr_cpus_allowed < was->nr_cpus_allowed;
}

static void cpus_undo(const struct thing *thing, struct task_struct *task,
		      struct costack_thread *was)
{
	set_cpus_allowed_ptr(task, housekeeping_cpumask(HK_TYPE_WQ));
	was->nr_cpus_allowed = task->nr_cpus_allowed;
}

#ifdef CONFIG_BLOCK
static bool ioprio_set(const struct thing *thing, struct task_struct *task,
		       const struct costack_thread *was)
{
	return task->io_context && task->io_context->ioprio != was->ioprio;
}

static void ioprio_undo(const struct thing *thing, struct task_struct *task,
			struct costack_thread *was)
{
	set_task_ioprio(task, was->ioprio);
}
#endif

static bool fs_set(const struct thing *thing, struct task_struct *task,
		   const struct costack_thread *was)
{
	return task->fs != was->fs;
}

/* The worker has lost its own fs. Do not blame the next coroutine for that. */
static void fs_undo(const struct thing *thing, struct task_struct *task,
		    struct costack_thread *was)
{
	was->fs = task->fs;
}

static bool signal_set(const struct thing *thing, struct task_struct *task,
		       const struct costack_thread *was)
{
	return signal_pending(task);
}

static void signal_undo(const struct thing *thing, struct task_struct *task,
			struct costack_thread *was)
{
	flush_signals(task);
}

/* === The table === */

#define THING(name, kind, prefix)	{ name, COSTACK_PARK_##kind, prefix##_set, prefix##_undo }

#define FLAG(name, flags)		{ name, COSTACK_PARK_REFUSED, flag_set, flag_undo, flags }

/* In the order in which they are undone. */
static const struct thing things[] = {
	THING("interrupts off", NEVER, irqs),
	THING("bottom halves off", NEVER, bh),
	THING("preemption off, or a spinlock", NEVER, preempt),
	THING("rcu_read_lock()", NEVER, rcu),
	THING("set_current_state()", REFUSED, state),
	FLAG("memalloc_nofs_save()", PF_MEMALLOC_NOFS),
	FLAG("memalloc_noio_save()", PF_MEMALLOC_NOIO),
	FLAG("memalloc_noreclaim_save(), or in reclaim", PF_MEMALLOC),
	FLAG("memalloc_pin_save()", PF_MEMALLOC_PIN),
	FLAG("PF_MEMALLOC_NORECLAIM or PF_MEMALLOC_NOWARN",
	     COSTACK_PF_NORECLAIM | COSTACK_PF_NOWARN),
	FLAG("PF_LOCAL_THROTTLE or PF_KSWAPD", PF_LOCAL_THROTTLE | PF_KSWAPD),
	THING("set_freezable()", REFUSED, freezable),
	THING("kthread_use_mm()", REFUSED, mm),
	THING("override_creds()", REFUSED, cred),
	{ "journal_info: in a transaction", COSTACK_PARK_REFUSED, word_set, word_undo, 0,
	  offsetof(struct task_struct, journal_info),
	  offsetof(struct costack_thread, journal_info) },
	{ "bio_list: in submit_bio()", COSTACK_PARK_REFUSED, word_set, word_undo, 0,
	  offsetof(struct task_struct, bio_list),
	  offsetof(struct costack_thread, bio_list) },
#ifdef CONFIG_MEMCG
	{ "set_active_memcg()", COSTACK_PARK_REFUSED, word_set, word_undo, 0,
	  offsetof(struct task_struct, active_memcg),
	  offsetof(struct costack_thread, active_memcg) },
#endif
	THING("pagefault_disable()", REFUSED, pagefault),
#ifdef CONFIG_SMP
	THING("migrate_disable()", REFUSED, migrate),
#endif
#ifdef CONFIG_TASKS_TRACE_RCU
	THING("rcu_read_lock_trace()", REFUSED, trace_rcu),
#endif
	THING("scoped_with_init_fs()", REFUSED, borrowed_fs),
#ifdef COSTACK_TASK_HAS_BDI
	THING("backing_dev_info: in a write", HIDDEN, bdi),
#endif
#ifdef CONFIG_PSI
	THING("psi_memstall_enter()", HIDDEN, memstall),
#endif
	THING("non_block_start(), kcov, or a sanitizer disabled", REFUSED, debug),
	THING("blk_start_plug()", FLUSHED, plug),
	THING("another policy or priority", KEPT, prio),
	THING("fewer CPUs to run on, if not by CPU hotplug or the workqueue's cpumask", KEPT, cpus),
	THING("unshare_fs_struct(), for good", KEPT, fs),
#ifdef CONFIG_BLOCK
	THING("another I/O priority", KEPT, ioprio),
#endif
	THING("a signal pending", KEPT, signal),
};

#define END	(things + ARRAY_SIZE(things))

/* Is @thing set, and of a kind between @from and @to? */
static bool is_one(const struct thing *thing, struct task_struct *task,
		   const struct costack_thread *was, enum costack_at_park from,
		   enum costack_at_park to)
{
	return thing->at_park >= from && thing->at_park <= to && thing->is_set(thing, task, was);
}

/**
 * costack_things_any() - does the thread have one of these things
 * @task: the current thread
 * @was: how @task was; may be %NULL if @to is %COSTACK_PARK_NEVER
 * @from: first kind of thing to look for
 * @to: last kind
 *
 * Context: Any context, any stack.
 * Return: true if so.
 */
bool costack_things_any(struct task_struct *task, const struct costack_thread *was,
			enum costack_at_park from, enum costack_at_park to)
{
	const struct thing *thing;

	for (thing = things; thing < END; thing++)
		if (is_one(thing, task, was, from, to))
			return true;
	return false;
}

/**
 * costack_things_print() - print the names of those things that the thread has
 * @task: as for costack_things_any()
 * @was: likewise
 * @from: likewise
 * @to: likewise
 *
 * Context: Any context, any stack.
 */
void costack_things_print(struct task_struct *task, const struct costack_thread *was,
			  enum costack_at_park from, enum costack_at_park to)
{
	const struct thing *thing;

	for (thing = things; thing < END; thing++)
		if (is_one(thing, task, was, from, to))
			pr_warn("  %s\n", thing->name);
}

/**
 * costack_things_undo() - undo those things that the thread has
 * @task: as for costack_things_any()
 * @was: likewise; for some things, undo() stores the present value in it
 * @from: likewise
 * @to: likewise
 *
 * Context: Host stack. Process context, unless one of these things has changed that.
 */
void costack_things_undo(struct task_struct *task, struct costack_thread *was,
			 enum costack_at_park from, enum costack_at_park to)
{
	const struct thing *thing;

	for (thing = things; thing < END; thing++)
		if (is_one(thing, task, was, from, to))
			thing->undo(thing, task, was);
}
