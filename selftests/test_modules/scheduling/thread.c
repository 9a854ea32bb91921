// SPDX-License-Identifier: GPL-2.0
/*
 * What belongs to the thread, and not to the coroutine that runs in it. NR is a line of
 * things[] below.
 *
 *	thread-refused NR	calls that would leave the thread with it are refused, and
 *				the coroutine goes on
 *	thread-left NR		a coroutine ends with it: the worker does not keep it
 *	thread-called		a thread of its own may wait with all of them
 *	thread-call-cut		it has none of them after the coroutine was cut off
 *	thread-kept NR		what an administrator may change is restored when it ends
 *	thread-kept-parked	and when the coroutine leaves the worker
 *	thread-current		current is read anew after a wait
 *
 * All but thread-called and thread-call-cut are for one worker.
 */
#include <linux/blkdev.h>
#include <linux/bottom_half.h>
#include <linux/cred.h>
#include <linux/freezer.h>
#include <linux/fs_struct.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/psi.h>
#include <linux/rcupdate_trace.h>
#include <linux/sched/mm.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "items.h"

/* === Things === */

/* What a thing needs to be set, and to be taken back. One case runs at a time. */
static struct {
	struct mm_struct	*mm;
	struct cred		*acted_as;
	const struct cred	*own;
	struct mem_cgroup	*memcg, *own_memcg;
	unsigned int		nofs, noio, noreclaim, pin;
	unsigned long		memstall;
	struct fs_struct	*fs;
} kept;

/* Nobody reads this: some pointers only have to be not NULL. */
static long nowhere;

/*
 * Each thing has functions of its own that leave it or wait with it, because costack reports
 * each function once, by name.
 */
#define DEFINE_THING(name, set, unset, is_set)				\
static noinline void begin_##name(void)					\
{									\
	set;								\
}									\
static noinline void end_##name(void)					\
{									\
	unset;								\
}									\
static bool is_set_##name(struct task_struct *task)			\
{									\
	return is_set;							\
}									\
static noinline int wait_with_##name(void)				\
{									\
	int ret = costack_yield();					\
									\
	barrier();							\
	return ret;							\
}									\
static int leave_with_##name(void *arg)					\
{									\
	note_owner();							\
	begin_##name();							\
	return 42;							\
}

static struct task_struct *owner;

/* The thread that the coroutine runs in; the case lets go of it. */
static noinline void note_owner(void)
{
	owner = get_task_struct(current);
}

DEFINE_THING(irqs, local_irq_disable(), local_irq_enable(), false)
DEFINE_THING(bh, local_bh_disable(), local_bh_enable(), false)
DEFINE_THING(preempt, preempt_disable(), preempt_enable(), false)
DEFINE_THING(rcu, rcu_read_lock(); __release(RCU), __acquire(RCU); rcu_read_unlock(), false)
DEFINE_THING(state, set_current_state(TASK_UNINTERRUPTIBLE), __set_current_state(TASK_RUNNING),
	     READ_ONCE(task->__state) == TASK_UNINTERRUPTIBLE)
DEFINE_THING(nofs, kept.nofs = memalloc_nofs_save(), memalloc_nofs_restore(kept.nofs),
	     task->flags & PF_MEMALLOC_NOFS)
DEFINE_THING(noio, kept.noio = memalloc_noio_save(), memalloc_noio_restore(kept.noio),
	     task->flags & PF_MEMALLOC_NOIO)
DEFINE_THING(noreclaim, kept.noreclaim = memalloc_noreclaim_save(),
	     memalloc_noreclaim_restore(kept.noreclaim), task->flags & PF_MEMALLOC)
DEFINE_THING(pin, kept.pin = memalloc_pin_save(), memalloc_pin_restore(kept.pin),
	     task->flags & PF_MEMALLOC_PIN)
DEFINE_THING(throttle, current->flags |= PF_LOCAL_THROTTLE,
	     current->flags &= ~PF_LOCAL_THROTTLE, task->flags & PF_LOCAL_THROTTLE)
DEFINE_THING(freezable, set_freezable(), current->flags |= PF_NOFREEZE,
	     !(task->flags & PF_NOFREEZE))
DEFINE_THING(mm, kthread_use_mm(kept.mm), kthread_unuse_mm(kept.mm), task->mm)
DEFINE_THING(creds, kept.own = override_creds(kept.acted_as), revert_creds(kept.own),
	     rcu_access_pointer(task->cred) != rcu_access_pointer(task->real_cred))
DEFINE_THING(journal, current->journal_info = &nowhere, current->journal_info = NULL,
	     task->journal_info)
DEFINE_THING(bio, current->bio_list = (void *)&nowhere, current->bio_list = NULL,
	     task->bio_list)
DEFINE_THING(pagefault, pagefault_disable(), pagefault_enable(), task->pagefault_disabled)
#ifdef CONFIG_MEMCG
DEFINE_THING(memcg, kept.own_memcg = set_active_memcg(kept.memcg),
	     set_active_memcg(kept.own_memcg), task->active_memcg)
#endif
#ifdef CONFIG_SMP
DEFINE_THING(migrate, migrate_disable(), migrate_enable(), task->migration_disabled)
#endif
#ifdef CONFIG_TASKS_TRACE_RCU
DEFINE_THING(trace_rcu, rcu_read_lock_trace(), rcu_read_unlock_trace(),
	     task->trc_reader_nesting)
#endif
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
DEFINE_THING(non_block, non_block_start(), non_block_end(), task->non_block_count)
#endif
#ifdef COSTACK_TASK_HAS_BDI
DEFINE_THING(bdi, current->backing_dev_info = (void *)&nowhere,
	     current->backing_dev_info = NULL, task->backing_dev_info)
#endif
#ifdef scoped_with_init_fs
DEFINE_THING(init_fs, kept.fs = __override_init_fs(), __revert_init_fs(kept.fs),
	     costack_borrows_fs(task))
#endif
#ifdef CONFIG_PSI
DEFINE_THING(memstall, psi_memstall_enter(&kept.memstall), psi_memstall_leave(&kept.memstall),
	     task->in_memstall)
#endif

enum { ATOMIC = BIT(0), HIDDEN = BIT(1), ALONE = BIT(2) };

/**
 * struct thing - one of them
 * @set: sets it
 * @unset: takes it back
 * @wait: costack_yield()
 * @leave: what a coroutine runs that ends with it
 * @is_set: does another thread have it; false where that cannot be told
 * @kind: ATOMIC: forbids to sleep; HIDDEN: parks go on with it; ALONE: no thread may wait
 *	with it
 *
 * Their numbers are those that test-thread.sh gives them.
 */
struct thing {
	void		(*set)(void);
	void		(*unset)(void);
	int		(*wait)(void);
	int		(*leave)(void *arg);
	bool		(*is_set)(struct task_struct *task);
	unsigned int	kind;
};

static const struct thing things[] = {
#define THING(name, kind) \
	{ begin_##name, end_##name, wait_with_##name, leave_with_##name, is_set_##name, kind }
	THING(irqs, ATOMIC), THING(bh, ATOMIC), THING(preempt, ATOMIC), THING(rcu, ATOMIC),
	THING(state, ALONE), THING(nofs, 0), THING(noio, 0), THING(noreclaim, 0), THING(pin, 0),
	THING(throttle, 0), THING(freezable, 0), THING(mm, 0), THING(creds, 0),
	THING(journal, 0), THING(bio, ALONE), THING(pagefault, 0),
#ifdef COSTACK_TASK_HAS_BDI
	[16] = THING(bdi, HIDDEN),
#endif
#ifdef CONFIG_MEMCG
	[17] = THING(memcg, 0),
#endif
#ifdef CONFIG_SMP
	[18] = THING(migrate, 0),
#endif
#ifdef CONFIG_TASKS_TRACE_RCU
	/* lockdep takes it for a lock, and nobody may wait with a lock. */
	[19] = THING(trace_rcu, IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC) ? ALONE : 0),
#endif
#ifdef CONFIG_PSI
	[20] = THING(memstall, HIDDEN),
#endif
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	[21] = THING(non_block, ALONE),
#endif
#ifdef scoped_with_init_fs
	[22] = THING(init_fs, 0),
#endif
};

static const struct thing *thing_of(const long *args)
{
	const struct thing *thing = things + args[0];

	if (!CST_TRUE(args[0] >= 0 && args[0] < ARRAY_SIZE(things) && thing->set))
		return NULL;
	kept.acted_as = prepare_kernel_cred(&init_task);
	if (!CST_TRUE(kept.acted_as && current->mm))
		return NULL;
	kept.mm = current->mm;
	mmget(kept.mm);
#ifdef CONFIG_MEMCG
	kept.memcg = get_mem_cgroup_from_mm(kept.mm);
#endif
	return thing;
}

static void end_thing(void)
{
#ifdef CONFIG_MEMCG
	css_put(&kept.memcg->css);
#endif
	mmput(kept.mm);
	put_cred(kept.acted_as);
	if (owner)
		put_task_struct(owner);
	owner = NULL;
}

/* === Refused === */

static DECLARE_WAIT_QUEUE_HEAD(nobody_wakes);

static void expect_refused(struct costack_chan *chan)
{
	long value = 0;

	/* Where it is not, this one does not leave either. */
	costack_unpark(costack_current());
	CST_EQ(-EINVAL, costack_park());
	CST_EQ(-EINVAL, costack_sleep(1));
	CST_EQ(-EINVAL, costack_wait_event_timeout(nobody_wakes, false, 1));
	CST_EQ(-EINVAL, costack_chan_send(chan, &value));
	CST_EQ(-EINVAL, costack_chan_recv(chan, &value));
}

static void expect_allowed(struct costack_chan *chan)
{
	long value = 4711;

	CST_EQ(0, costack_yield());
	CST_EQ(0, costack_sleep(1));
	CST_EQ(0, costack_wait_event_timeout(nobody_wakes, false, 1));
	CST_EQ(0, costack_chan_send(chan, &value));
	CST_EQ(0, costack_chan_recv(chan, &value));
	costack_unpark(costack_current());
	CST_EQ(0, costack_park());
}

static struct {
	const struct thing	*thing;
	struct costack_chan	*chan;
} refusal;

/* A condition that is never true, and leaves a thing behind. */
static bool sets(const struct thing *thing)
{
	if (!thing->is_set(current))
		thing->set();
	return false;
}

static int refused_body(void *arg)
{
	const struct thing *thing = refusal.thing;
	pid_t pid = cst_pid();

	expect_allowed(refusal.chan);
	thing->set();
	if (!(thing->kind & HIDDEN)) {
		CST_EQ(-EINVAL, thing->wait());
		expect_refused(refusal.chan);
		CST_TRUE((thing->kind & ATOMIC) || thing->is_set(current));
	}
	thing->unset();
	if (!(thing->kind & (HIDDEN | ATOMIC))) {
		CST_EQ(-EINVAL, costack_wait_event_timeout(nobody_wakes, sets(thing), 1));
		thing->unset();
	}
	expect_allowed(refusal.chan);
	return pid ? 42 : 0;
}

static void thread_refused(const long *args)
{
	struct costack_work *work = kzalloc(sizeof(*work), GFP_KERNEL);

	refusal.thing = thing_of(args);
	refusal.chan = costack_chan_create(sizeof(long), 1);
	if (!CST_TRUE(refusal.thing && refusal.chan && work))
		return;
	costack_work_init(work, refused_body, NULL, NULL);
	CST_EQ(0, costack_queue(work));
	CST_EQ(42, costack_wait(work));
	costack_chan_destroy(refusal.chan);
	end_thing();
	kfree(work);
}

/* === Left === */

static void run_alone(costack_fn_t fn, unsigned int flags, int ret)
{
	struct costack_attr attr = { .flags = flags };
	struct costack_work *work = kzalloc(sizeof(*work), GFP_KERNEL);

	if (!CST_TRUE(work))
		return;
	costack_work_init(work, fn, NULL, &attr);
	CST_EQ(0, costack_queue(work));
	CST_EQ(ret, costack_wait(work));
	kfree(work);
}

static void thread_left(const long *args)
{
	const struct thing *thing = thing_of(args);

	if (!thing)
		return;
	run_alone(thing->leave, 0, 42);
	CST_TRUE(!thing->is_set(owner));
	end_thing();
}

/* === In a thread of its own === */

#define NOT_ALL_AT_ONCE	(ATOMIC | HIDDEN | ALONE)

static void set_all(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(things); i++)
		if (things[i].set && !(things[i].kind & NOT_ALL_AT_ONCE))
			things[i].set();
}

static void unset_all(void)
{
	int i = ARRAY_SIZE(things);

	while (i--)
		if (things[i].set && !(things[i].kind & NOT_ALL_AT_ONCE))
			things[i].unset();
}

static int nr_set(void)
{
	int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(things); i++)
		nr += things[i].set && things[i].is_set(current);
	return nr;
}

static int called_body(void *arg)
{
	int nr;

	set_all();
	nr = nr_set();
	CST_TRUE(nr > 8);
	CST_EQ(0, costack_yield());
	CST_EQ(0, costack_sleep(1));
	CST_EQ(nr, nr_set());
	return arg ? cst_overflow() : 42;
}

static int call_with_all(void *arg)
{
	struct costack_attr attr = { .flags = COSTACK_ABORTABLE };
	long flags = current->flags;

	if (arg) {
		CST_EQ(-EOVERFLOW, costack_call_attr(&attr, called_body, arg));
		CST_EQ(0, nr_set());
		CST_EQ(flags, current->flags);
		return 0;
	}
	CST_EQ(42, costack_call(called_body, NULL));
	/* The function has set them in its own thread, so they stay. */
	CST_TRUE(nr_set() > 8);
	unset_all();
	CST_EQ(0, nr_set());
	return 0;
}

static void thread_called(const long *args)
{
	const long any = 4;

	if (!thing_of(&any))
		return;
	cst_thread_run(CST_ANY_CPU, call_with_all, NULL);
	end_thing();
}

static void thread_call_cut(const long *args)
{
	const long any = 4;

	if (!thing_of(&any))
		return;
	cst_thread_run(CST_ANY_CPU, call_with_all, &nowhere);
	end_thing();
}

/* === What an administrator may change === */

/* For an item that is to be parked until it has been looked at. */
static DECLARE_WAIT_QUEUE_HEAD(seen);
static bool is_seen;

static int prio_body(void *arg)
{
	note_owner();
	sched_set_fifo_low(current);
	return arg ? costack_wait_event(seen, READ_ONCE(is_seen)) : 42;
}

static int cpus_body(void *arg)
{
	note_owner();
	CST_EQ(0, set_cpus_allowed_ptr(current, cpumask_of(0)));
	return 42;
}

static int signal_body(void *arg)
{
	note_owner();
	allow_signal(SIGUSR1);
	CST_EQ(0, send_sig(SIGUSR1, current, 1));
	CST_TRUE(signal_pending(current));
	return 42;
}

static int fs_body(void *arg)
{
	note_owner();
	CST_EQ(0, unshare_fs_struct());
	return 42;
}

#ifdef CONFIG_BLOCK
static int ioprio_body(void *arg)
{
	note_owner();
	CST_EQ(0, set_task_ioprio(current, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7)));
	return 42;
}
#endif

static void thread_kept(const long *args)
{
	static const costack_fn_t bodies[] = {
		prio_body, cpus_body, signal_body, fs_body,
#ifdef CONFIG_BLOCK
		ioprio_body,
#endif
	};

	int here, there;

	if (args[0] >= ARRAY_SIZE(bodies))
		return;
	if (bodies[args[0]] == cpus_body && !cst_two_cpus(&here, &there))
		return;
	run_alone(bodies[args[0]], 0, 42);
	CST_EQ(DEFAULT_PRIO, owner->normal_prio);
	CST_EQ(SCHED_NORMAL, owner->policy);
	CST_EQ(num_possible_cpus(), owner->nr_cpus_allowed);
	CST_TRUE(!signal_pending(owner));
#ifdef CONFIG_BLOCK
	CST_TRUE(!owner->io_context || !owner->io_context->ioprio);
#endif
	put_task_struct(owner);
	owner = NULL;
}

static void thread_kept_parked(const long *args)
{
	struct costack_work *work = kzalloc(sizeof(*work), GFP_KERNEL);

	if (!CST_TRUE(work))
		return;
	WRITE_ONCE(is_seen, false);
	costack_work_init(work, prio_body, &nowhere, NULL);
	CST_EQ(0, costack_queue(work));
	CST_SOON(READ_ONCE(owner) && cst_parked() == 1);
	CST_SOON(READ_ONCE(owner->normal_prio) == DEFAULT_PRIO);
	WRITE_ONCE(is_seen, true);
	wake_up(&seen);
	CST_EQ(0, costack_wait(work));
	put_task_struct(owner);
	owner = NULL;
	kfree(work);
}

/* === current === */

static DECLARE_COMPLETION(let_go);

static noinline struct task_struct *running(void)
{
	barrier();
	return current;
}

static struct task_struct *held;

/* Occupies the only worker, so that another one is made. */
static int hold_body(void *arg)
{
	WRITE_ONCE(held, running());
	wait_for_completion(&let_go);
	return 42;
}

/**
 * struct across - what is seen of the thread before and after a wait
 * @before: the thread
 * @pid: of the thread before
 * @pid_after: of the thread after
 * @real_pid: the same, by a function that looks at it but once
 * @right: a flag that an inline function has set is in the thread that runs
 * @wrong: it is in the one that ran
 */
struct across {
	struct task_struct	*before;
	pid_t			pid;
	pid_t			pid_after;
	pid_t			real_pid;
	bool			right;
	bool			wrong;
};

/* Nothing in between makes the compiler forget what it knows. */
static noinline void look_across(struct across *across)
{
	across->pid = current->pid;
	costack_sleep(2);
	across->pid_after = current->pid;
	across->real_pid = cst_pid();
}

static noinline void set_across(struct across *across)
{
	unsigned int flags = memalloc_nofs_save();

	memalloc_nofs_restore(flags);
	costack_sleep(2);
	flags = memalloc_nofs_save();
	across->right = running()->flags & PF_MEMALLOC_NOFS;
	across->wrong = across->before->flags & PF_MEMALLOC_NOFS;
	memalloc_nofs_restore(flags);
}

/* Wait while another item occupies the thread; returns whether it occupied that one. */
static bool wait_across(struct across *across, struct costack_work *holder,
			void (*wait)(struct across *across))
{
	bool kept;

	across->before = running();
	costack_work_init(holder, hold_body, NULL, NULL);
	CST_EQ(0, costack_queue(holder));
	wait(across);
	kept = READ_ONCE(held) == across->before;
	if (kept)
		CST_TRUE(running() != across->before);
	complete(&let_go);
	CST_EQ(42, costack_wait(holder));
	return kept;
}

/* If this CPU stands still meanwhile, a second worker appears, and may be occupied instead. */
#define MOST_TRIES	100

static int current_body(void *arg)
{
	struct across across = { };
	int i;

	for (i = 0; i < MOST_TRIES && !wait_across(&across, arg, look_across); i++)
		;
	CST_TRUE(i < MOST_TRIES && across.real_pid != across.pid);
	CST_EQ(across.real_pid, across.pid_after);
	for (i = 0; i < MOST_TRIES && !wait_across(&across, arg, set_across); i++)
		;
	CST_TRUE(i < MOST_TRIES && across.right && !across.wrong);
	return 42;
}

static void thread_current(const long *args)
{
	struct costack_work *works = kcalloc(2, sizeof(*works), GFP_KERNEL);

	if (!CST_TRUE(works))
		return;
	costack_work_init(&works[0], current_body, &works[1], NULL);
	CST_EQ(0, costack_queue(&works[0]));
	CST_EQ(42, costack_wait(&works[0]));
	kfree(works);
}

static const struct cst_case cases[] = {
	{ "thread-refused", thread_refused, true },
	{ "thread-left", thread_left, true },
	{ "thread-called", thread_called, true },
	{ "thread-call-cut", thread_call_cut, true },
	{ "thread-kept", thread_kept },
	{ "thread-kept-parked", thread_kept_parked },
	{ "thread-current", thread_current },
	{ }
};

struct cst_suite cst_threads = { .owner = THIS_MODULE, .cases = cases };
