// SPDX-License-Identifier: GPL-2.0
/*
 * Locks that coroutines and threads use together.
 *
 *	locks-exclude COROUTINES THREADS COUNT CALLED
 *				one owner at a time, however they lock the mutex
 *	locks-order WAITERS	first come, first served; every third waiter is a thread
 *	locks-parked WAITERS	those that wait hold no worker
 *	locks-timeout		the time is over: for an item, a call and a thread
 *	locks-cancel ABORTABLE	an item that is cancelled before it locks, while it waits, and
 *				when it has been given the lock
 *	locks-cancel-race ROUNDS ABORTABLE
 *				cancelled just when it is given the lock
 *	locks-cycle		three items wait for each other, until one is cancelled
 *	locks-foreign CALLED	somebody else unlocks a mutex; twice by its owner
 *	locks-ends HOW		a coroutine ends while it holds one; 0: an item, 1: a call, 2: it
 *				is cut off
 *	locks-rwsem COROUTINES THREADS COUNT
 *				readers together, writers alone
 *	locks-rwsem-order	who waits for what, and who need not wait any more
 *	locks-sem ITEMS COUNT	as many as there are; an interrupt gives some
 */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "items.h"

/* How many wait in the queue of a lock. */
static unsigned int waiting(struct costack_lock *lock)
{
	struct list_head *link;
	unsigned long flags;
	unsigned int nr = 0;

	raw_spin_lock_irqsave(&lock->lock, flags);
	list_for_each(link, &lock->waiters)
		nr++;
	raw_spin_unlock_irqrestore(&lock->lock, flags);
	return nr;
}

static struct cst_group *start(unsigned int nr, bool called, costack_fn_t fn, void *data,
			       const struct costack_attr *attr)
{
	struct cst_group *group = cst_items_new(nr, called, fn, data, attr);

	if (group)
		cst_items_start(group);
	return group;
}

/* === Exclusion === */

/**
 * struct room - what one at a time may be in
 * @mutex: sees to that
 * @rwsem: likewise, for the cases with readers
 * @inside: how many are in it
 * @writers: how many of them write
 * @most: the most readers that were in it at once
 * @entered: how often somebody was in it; not atomic
 * @count: how often each is to be in it
 */
struct room {
	struct costack_mutex	mutex;
	struct costack_rwsem	rwsem;
	atomic_t		inside;
	atomic_t		writers;
	atomic_t		most;
	long			entered;
	long			count;
};

static struct room *new_room(long count)
{
	struct room *room = kzalloc(sizeof(*room), GFP_KERNEL);

	if (!CST_TRUE(room))
		return NULL;
	costack_mutex_init(&room->mutex);
	costack_rwsem_init(&room->rwsem);
	room->count = count;
	return room;
}

/* In one of the ways that there are. */
static int lock_somehow(struct costack_mutex *mutex, unsigned int i)
{
	int err;

	switch (i % 4) {
	case 0:
		do
			err = costack_mutex_lock_timeout(mutex, 1);
		while (err == -ETIMEDOUT && !cst_failures());
		return err;
	case 1:
		if (costack_mutex_trylock(mutex))
			return 0;
		fallthrough;
	default:
		return costack_mutex_lock(mutex);
	}
}

static void be_inside(struct room *room, unsigned int i)
{
	long entered = READ_ONCE(room->entered);

	CST_EQ(1, atomic_inc_return(&room->inside));
	CST_EQ(true, costack_mutex_is_locked(&room->mutex));
	/* Let others run meanwhile, and wait. */
	if (!(i % 3) && costack_current())
		CST_EQ(0, costack_yield());
	else if (!(i % 5))
		cond_resched();
	WRITE_ONCE(room->entered, entered + 1);
	CST_EQ(0, atomic_dec_return(&room->inside));
}

static void enter_often(struct room *room, unsigned int nr)
{
	long i;

	for (i = 0; i < room->count && !cst_failures(); i++) {
		if (!CST_EQ(0, lock_somehow(&room->mutex, i + nr)))
			return;
		be_inside(room, i + nr);
		CST_EQ(0, costack_mutex_unlock(&room->mutex));
	}
}

static int exclude_body(void *arg)
{
	struct cst_item *item = arg;

	enter_often(item->group->data, item->nr);
	return 0;
}

static int exclude_thread(void *arg)
{
	enter_often(arg, 0);
	return 0;
}

#define MAX_THREADS	16

static bool start_threads(struct cst_thread *threads, long nr, costack_fn_t fn, void *arg)
{
	long i;

	for (i = 0; i < nr; i++)
		if (!CST_EQ(0, cst_thread_start(&threads[i], CST_ANY_CPU, fn, arg)))
			return false;
	return true;
}

static bool join_threads(struct cst_thread *threads, long nr)
{
	long i;

	for (i = 0; i < nr; i++)
		if (!CST_TRUE(wait_for_completion_timeout(&threads[i].done, CST_PATIENCE)))
			return false;
	return true;
}

/* What hangs keeps its memory: the case has failed. */
static struct cst_thread threads[MAX_THREADS];

static void exclude(const long *args)
{
	struct room *room = new_room(args[2]);
	struct cst_group *group;

	if (!room)
		return;
	group = start(args[0], args[3], exclude_body, room, NULL);
	if (!group || !start_threads(threads, args[1], exclude_thread, room))
		return;
	if (!join_threads(threads, args[1]) || !CST_FINISH(group, 0))
		return;
	CST_EQ((args[0] + args[1]) * args[2], room->entered);
	CST_EQ(false, costack_mutex_is_locked(&room->mutex));
	kfree(room);
}

/* === Order === */

/**
 * struct queue - those that wait for one mutex
 * @mutex: the mutex
 * @next: the number of the one that is to get it next
 */
struct queue {
	struct costack_mutex	mutex;
	unsigned int		next;
};

/**
 * struct place - one of those that wait
 * @queue: where
 * @nr: its number
 * @work: runs it, unless a thread does
 * @thread: runs it
 */
struct place {
	struct queue		*queue;
	unsigned int		nr;
	struct costack_work	work;
	struct cst_thread	thread;
};

static int take_turn(void *arg)
{
	struct place *place = arg;
	struct queue *queue = place->queue;

	if (!CST_EQ(0, costack_mutex_lock(&queue->mutex)))
		return -EIO;
	CST_EQ(place->nr, queue->next);
	queue->next++;
	/* It stays locked from one to the next: nobody else gets in between. */
	CST_EQ(0, costack_mutex_unlock(&queue->mutex));
	return 0;
}

static bool stands_third(const struct place *place)
{
	return place->nr % 3 == 2;
}

static bool get_in_line(struct place *place)
{
	costack_work_init(&place->work, take_turn, place, NULL);
	if (!CST_EQ(0, stands_third(place) ?
		    cst_thread_start(&place->thread, CST_ANY_CPU, take_turn, place) :
		    costack_queue(&place->work)))
		return false;
	return CST_SOON(waiting(&place->queue->mutex.base) == place->nr + 1);
}

static void wait_for_place(struct place *place)
{
	if (stands_third(place))
		join_threads(&place->thread, 1);
	else
		CST_EQ(0, costack_wait(&place->work));
}

static void order(const long *args)
{
	struct place *places = kcalloc(args[0], sizeof(*places), GFP_KERNEL);
	static struct queue queue;
	long i;

	if (!CST_TRUE(places))
		return;
	costack_mutex_init(&queue.mutex);
	queue.next = 0;
	CST_EQ(0, costack_mutex_lock(&queue.mutex));
	for (i = 0; i < args[0]; i++) {
		places[i].queue = &queue;
		places[i].nr = i;
		if (!get_in_line(&places[i]))
			return;
	}
	CST_EQ(0, costack_mutex_unlock(&queue.mutex));
	/* It was handed over: it cannot be had now, unless all have been served. */
	for (i = 0; i < args[0]; i++)
		wait_for_place(&places[i]);
	CST_EQ(args[0], queue.next);
	CST_EQ(false, costack_mutex_is_locked(&queue.mutex));
	kfree(places);
}

static int count_body(void *arg)
{
	struct cst_item *item = arg;
	struct room *room = item->group->data;

	CST_EQ(0, costack_mutex_lock(&room->mutex));
	be_inside(room, 1);
	CST_EQ(0, costack_mutex_unlock(&room->mutex));
	return 0;
}

/*
 * The workers that these begin on come and go. So compare with the most that there may be of any
 * items that do not hold their worker: a few for each CPU.
 */
static void parked(const long *args)
{
	struct room *room = new_room(1);
	struct cst_group *group;

	if (!room)
		return;
	CST_EQ(0, costack_mutex_lock(&room->mutex));
	group = start(args[0], false, count_body, room, NULL);
	if (!group)
		return;
	CST_SOON(cst_parked() == args[0]);
	CST_EQ(args[0], waiting(&room->mutex.base));
	CST_SOON(cst_stat("runners") <= 4 * num_online_cpus());
	CST_EQ(0, costack_mutex_unlock(&room->mutex));
	if (!CST_FINISH(group, 0))
		return;
	CST_EQ(args[0], room->entered);
	kfree(room);
}

/* === Time === */

static DEFINE_COSTACK_MUTEX(timed_mutex);
static DEFINE_COSTACK_SEM(timed_sem, 0);
static DEFINE_COSTACK_RWSEM(timed_rwsem);

static int run_out_of_time(void *arg)
{
	long timeout;

	for (timeout = -1; timeout < 3; timeout++) {
		CST_EQ(-ETIMEDOUT, costack_mutex_lock_timeout(&timed_mutex, timeout));
		CST_EQ(-ETIMEDOUT, costack_sem_down_timeout(&timed_sem, timeout));
		CST_EQ(-ETIMEDOUT, costack_rwsem_down_read_timeout(&timed_rwsem, timeout));
		CST_EQ(-ETIMEDOUT, costack_rwsem_down_write_timeout(&timed_rwsem, timeout));
	}
	CST_EQ(false, costack_mutex_trylock(&timed_mutex));
	CST_EQ(false, costack_sem_trydown(&timed_sem));
	CST_EQ(false, costack_rwsem_try_read(&timed_rwsem));
	CST_EQ(false, costack_rwsem_try_write(&timed_rwsem));
	return 0;
}

static int have_time(void *arg)
{
	long timeout;

	for (timeout = -1; timeout < 2; timeout++) {
		CST_EQ(0, costack_mutex_lock_timeout(&timed_mutex, timeout));
		CST_EQ(0, costack_mutex_unlock(&timed_mutex));
		CST_EQ(0, costack_sem_down_timeout(&timed_sem, timeout));
		costack_sem_up(&timed_sem);
		CST_EQ(0, costack_rwsem_down_read_timeout(&timed_rwsem, timeout));
		costack_rwsem_up_read(&timed_rwsem);
		CST_EQ(0, costack_rwsem_down_write_timeout(&timed_rwsem, timeout));
		costack_rwsem_up_write(&timed_rwsem);
	}
	return 0;
}

static void in_all_ways(costack_fn_t fn)
{
	struct cst_group *group = start(1, false, fn, NULL, NULL);

	if (group)
		CST_FINISH(group, 0);
	CST_EQ(0, costack_call(fn, NULL));
	CST_EQ(0, fn(NULL));
}

static int hold_all(void *arg)
{
	CST_EQ(0, costack_mutex_lock(&timed_mutex));
	CST_EQ(0, costack_rwsem_down_write(&timed_rwsem));
	return 0;
}

static void timeout(const long *args)
{
	hold_all(NULL);
	/* The thread of this case owns the mutex: let others try. */
	CST_EQ(0, cst_thread_run(CST_ANY_CPU, run_out_of_time, NULL));
	CST_EQ(0, costack_call(run_out_of_time, NULL));
	CST_EQ(0, waiting(&timed_mutex.base));
	CST_EQ(0, waiting(&timed_sem.base));
	CST_EQ(0, waiting(&timed_rwsem.base));
	CST_EQ(0, costack_mutex_unlock(&timed_mutex));
	costack_rwsem_up_write(&timed_rwsem);
	costack_sem_up(&timed_sem);
	in_all_ways(have_time);
	CST_EQ(true, costack_sem_trydown(&timed_sem));
}

/* === Cancel === */

/**
 * struct cancelled - an item that is cancelled
 * @mutex: what it locks
 * @go: it is to lock it now
 * @ret: what the lock returned
 */
struct cancelled {
	struct costack_mutex	mutex;
	bool			go;
	int			ret;
};

static int cancelled_body(void *arg)
{
	struct cst_item *item = arg;
	struct cancelled *c = item->group->data;

	WRITE_ONCE(item->count, 1);
	while (!READ_ONCE(c->go))
		cst_relax();
	WRITE_ONCE(c->ret, costack_mutex_lock(&c->mutex));
	if (!c->ret)
		CST_EQ(0, costack_mutex_unlock(&c->mutex));
	return 0;
}

static struct cancelled *new_cancelled(void)
{
	struct cancelled *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!CST_TRUE(c))
		return NULL;
	costack_mutex_init(&c->mutex);
	c->ret = 1;
	return c;
}

static void cancel(const long *args)
{
	struct costack_attr attr = { .flags = args[0] ? COSTACK_ABORTABLE : 0 };
	struct cancelled *c = new_cancelled();
	struct cst_group *group;

	if (!c)
		return;
	/* Before: the mutex is free, and it does not get it. */
	group = start(1, false, cancelled_body, c, &attr);
	CST_SOON(READ_ONCE(group->item[0].count));
	CST_EQ(0, costack_cancel(&group->item[0].work));
	WRITE_ONCE(c->go, true);
	if (!CST_FINISH(group, 0))
		return;
	CST_EQ(-ECANCELED, c->ret);
	CST_EQ(false, costack_mutex_is_locked(&c->mutex));

	/* While it waits: the call returns, even if it is abortable. */
	CST_EQ(0, costack_mutex_lock(&c->mutex));
	group = start(1, false, cancelled_body, c, &attr);
	CST_SOON(waiting(&c->mutex.base) == 1);
	CST_SOON(cst_parked() == 1);
	CST_EQ(0, costack_cancel(&group->item[0].work));
	if (!CST_FINISH(group, 0))
		return;
	CST_EQ(-ECANCELED, c->ret);
	CST_EQ(0, waiting(&c->mutex.base));
	CST_EQ(0, costack_mutex_unlock(&c->mutex));
	CST_EQ(false, costack_mutex_is_locked(&c->mutex));
	kfree(c);
}

static int cancel_thread(void *arg)
{
	struct cst_group *group = arg;

	costack_cancel(&group->item[0].work);
	return 0;
}

static void cancel_race(const long *args)
{
	struct costack_attr attr = { .flags = args[1] ? COSTACK_ABORTABLE : 0 };
	struct cancelled *c = new_cancelled();
	struct cst_thread canceller;
	struct cst_group *group;
	long i;

	if (!c)
		return;
	c->go = true;
	for (i = 0; i < args[0] && !cst_failures(); i++) {
		CST_EQ(0, costack_mutex_lock(&c->mutex));
		group = start(1, false, cancelled_body, c, &attr);
		if (!group)
			return;
		CST_SOON(waiting(&c->mutex.base) == 1);
		if (!CST_EQ(0, cst_thread_start(&canceller, CST_ANY_CPU, cancel_thread, group)))
			return;
		if (i % 2)
			cond_resched();
		CST_EQ(0, costack_mutex_unlock(&c->mutex));
		wait_for_completion(&canceller.done);
		if (!CST_FINISH(group, 0))
			return;
		CST_TRUE(c->ret == 0 || c->ret == -ECANCELED);
		CST_EQ(false, costack_mutex_is_locked(&c->mutex));
	}
	kfree(c);
}

/* === Misuse === */

static struct costack_mutex ring[3];
static bool ring_go[3];

static int ring_body(void *arg)
{
	struct cst_item *item = arg;
	long nr = (long)item->group->data;
	int err;

	CST_EQ(0, costack_mutex_lock(&ring[nr]));
	WRITE_ONCE(item->count, 1);
	while (!READ_ONCE(ring_go[nr]))
		costack_yield();
	err = costack_mutex_lock(&ring[(nr + 1) % 3]);
	CST_EQ(nr == 2 ? -ECANCELED : 0, err);
	if (!err)
		CST_EQ(0, costack_mutex_unlock(&ring[(nr + 1) % 3]));
	CST_EQ(0, costack_mutex_unlock(&ring[nr]));
	return 0;
}

static void cycle(const long *args)
{
	static const struct costack_attr attrs[] = {
		{ .name = "ring-one" }, { .name = "ring-two" }, { .name = "ring-three" },
	};
	struct cst_group *groups[3];
	long i;

	for (i = 0; i < 3; i++) {
		costack_mutex_init(&ring[i]);
		WRITE_ONCE(ring_go[i], false);
	}
	for (i = 0; i < 3; i++) {
		groups[i] = start(1, false, ring_body, (void *)i, &attrs[i]);
		if (!groups[i])
			return;
		CST_SOON(READ_ONCE(groups[i]->item[0].count));
	}
	/* One after the other, so that the last one finds the others parked. */
	for (i = 0; i < 3; i++) {
		WRITE_ONCE(ring_go[i], true);
		CST_SOON(waiting(&ring[(i + 1) % 3].base) == 1);
		CST_SOON(cst_parked() == i + 1);
	}
	/* They would wait for ever. */
	CST_EQ(0, costack_cancel(&groups[2]->item[0].work));
	for (i = 0; i < 3; i++)
		CST_FINISH(groups[i], 0);
	for (i = 0; i < 3; i++)
		CST_EQ(false, costack_mutex_is_locked(&ring[i]));
}

static DEFINE_COSTACK_MUTEX(misused);
static struct costack_chan *never;

/* Locks it, and waits to be told to unlock it. */
static noinline int owner_body(void *arg)
{
	struct cst_item *item = arg;
	long value;

	CST_EQ(0, costack_mutex_lock(&misused));
	WRITE_ONCE(item->count, 1);
	CST_EQ(0, costack_chan_recv(never, &value));
	CST_EQ(-EDEADLK, costack_mutex_lock(&misused));
	CST_EQ(0, costack_mutex_unlock(&misused));
	return 0;
}

static noinline int stranger(void *arg)
{
	CST_EQ(-EPERM, costack_mutex_unlock(&misused));
	CST_EQ(true, costack_mutex_is_locked(&misused));
	return 0;
}

static noinline int unlock_free(void *arg)
{
	CST_EQ(-EPERM, costack_mutex_unlock(&misused));
	CST_EQ(false, costack_mutex_is_locked(&misused));
	return 0;
}

static noinline int other_thread(void *arg)
{
	CST_EQ(-EPERM, costack_mutex_unlock(&misused));
	CST_EQ(true, costack_mutex_is_locked(&misused));
	return 0;
}

static noinline int stranger_body(void *arg)
{
	CST_EQ(-EPERM, costack_mutex_unlock(&misused));
	CST_EQ(true, costack_mutex_is_locked(&misused));
	return 0;
}

static void foreign(const long *args)
{
	static const struct costack_attr attr = { .name = "owner" };
	struct cst_group *group;
	long value = 1;

	never = costack_chan_create(sizeof(value), 0);
	if (!CST_TRUE(never))
		return;
	unlock_free(NULL);
	group = start(1, args[0], owner_body, NULL, &attr);
	CST_SOON(READ_ONCE(group->item[0].count));
	CST_SOON(cst_parked() == 1 || args[0]);
	stranger(NULL);
	CST_EQ(0, costack_call(stranger_body, NULL));
	CST_SOON(costack_chan_try_send(never, &value) == 0);
	CST_FINISH(group, 0);
	CST_EQ(false, costack_mutex_is_locked(&misused));
	/* And by a thread that is not the owner of what a thread has locked. */
	CST_EQ(0, costack_mutex_lock(&misused));
	CST_EQ(0, cst_thread_run(CST_ANY_CPU, other_thread, NULL));
	CST_EQ(0, costack_call(stranger, NULL));
	CST_EQ(-EDEADLK, costack_mutex_lock(&misused));
	CST_EQ(0, costack_mutex_unlock(&misused));
	costack_chan_destroy(never);
}

static noinline void lock_for_good(struct costack_mutex *mutex)
{
	CST_EQ(0, costack_mutex_lock(mutex));
}

static int ends_item(void *arg)
{
	struct cst_item *item = arg;

	lock_for_good(item->group->data);
	return 0;
}

static int ends_call(void *arg)
{
	lock_for_good(arg);
	return 0;
}

static int ends_cut(void *arg)
{
	struct cst_item *item = arg;

	lock_for_good(item->group->data);
	costack_park();
	CST_TRUE(!"it was to be cut off");
	return 0;
}

static void unlock_deferred(void *mutex)
{
	CST_EQ(0, costack_mutex_unlock(mutex));
}

static int cut_after_defer(void *arg)
{
	struct cst_item *item = arg;

	lock_for_good(item->group->data);
	CST_EQ(0, costack_defer(unlock_deferred, item->group->data));
	costack_park();
	CST_TRUE(!"it was to be cut off");
	return 0;
}

static bool cut(costack_fn_t fn, struct costack_mutex *mutex)
{
	struct costack_attr attr = { .flags = COSTACK_ABORTABLE };
	struct cst_group *group = start(1, false, fn, mutex, &attr);

	if (!group)
		return false;
	CST_SOON(cst_parked() == 1);
	CST_EQ(0, costack_cancel(&group->item[0].work));
	return CST_FINISH(group, -ECANCELED);
}

static void ends(const long *args)
{
	static struct costack_mutex left;
	struct cst_group *group;

	costack_mutex_init(&left);
	switch (args[0]) {
	case 0:
		group = start(1, false, ends_item, &left, NULL);
		if (!group || !CST_FINISH(group, 0))
			return;
		break;
	case 1:
		CST_EQ(0, costack_call(ends_call, &left));
		break;
	default:
		if (!cut(cut_after_defer, &left))
			return;
		CST_EQ(false, costack_mutex_is_locked(&left));
		if (!cut(ends_cut, &left))
			return;
	}
	CST_EQ(true, costack_mutex_is_locked(&left));
	/* Others run in what would be the memory of the owner. */
	group = start(64, false, exclude_body, new_room(3), NULL);
	if (group) {
		void *room = group->data;

		CST_FINISH(group, 0);
		kfree(room);
	}
	CST_EQ(-EPERM, costack_mutex_unlock(&left));
	CST_EQ(-ETIMEDOUT, costack_mutex_lock_timeout(&left, 1));
}

static int wait_for_left(void *arg)
{
	CST_EQ(-ETIMEDOUT, costack_mutex_lock_timeout(arg, 1));
	return 0;
}

/* Who waits for such a mutex is told where it was locked. */
static void ends_waiter(const long *args)
{
	static struct costack_mutex left;

	costack_mutex_init(&left);
	CST_EQ(0, costack_call(ends_call, &left));
	CST_EQ(0, costack_call(wait_for_left, &left));
}

/* === Rwsems === */

static void be_reader(struct room *room, unsigned int i)
{
	int now = atomic_inc_return(&room->inside), most = atomic_read(&room->most);

	CST_EQ(0, atomic_read(&room->writers));
	while (now > most && !atomic_try_cmpxchg(&room->most, &most, now))
		;
	if (!(i % 3) && costack_current())
		CST_EQ(0, costack_yield());
	CST_EQ(0, atomic_read(&room->writers));
	atomic_dec(&room->inside);
}

static void be_writer(struct room *room, unsigned int i)
{
	CST_EQ(1, atomic_inc_return(&room->writers));
	CST_EQ(0, atomic_read(&room->inside));
	room->entered++;
	if (!(i % 5) && costack_current())
		CST_EQ(0, costack_yield());
	CST_EQ(0, atomic_read(&room->inside));
	CST_EQ(0, atomic_dec_return(&room->writers));
}

static int down_somehow(struct costack_rwsem *rwsem, bool write, unsigned int i)
{
	int err;

	if (i % 2)
		return write ? costack_rwsem_down_write(rwsem) : costack_rwsem_down_read(rwsem);
	do
		err = write ? costack_rwsem_down_write_timeout(rwsem, 1) :
			      costack_rwsem_down_read_timeout(rwsem, 1);
	while (err == -ETIMEDOUT && !cst_failures());
	return err;
}

static void read_and_write(struct room *room, unsigned int nr)
{
	long i;

	for (i = 0; i < room->count && !cst_failures(); i++) {
		bool write = !((i + nr) % 4);

		if (!CST_EQ(0, down_somehow(&room->rwsem, write, i / 4 + nr)))
			return;
		if (write) {
			be_writer(room, i + nr);
			costack_rwsem_up_write(&room->rwsem);
		} else {
			be_reader(room, i + nr);
			costack_rwsem_up_read(&room->rwsem);
		}
	}
}

static int rwsem_body(void *arg)
{
	struct cst_item *item = arg;

	read_and_write(item->group->data, item->nr);
	return 0;
}

static int rwsem_thread(void *arg)
{
	read_and_write(arg, 1);
	return 0;
}

static void rwsem(const long *args)
{
	struct room *room = new_room(args[2]);
	struct cst_group *group;

	if (!room)
		return;
	group = start(args[0], false, rwsem_body, room, NULL);
	if (!group || !start_threads(threads, args[1], rwsem_thread, room))
		return;
	if (!join_threads(threads, args[1]) || !CST_FINISH(group, 0))
		return;
	CST_EQ(true, costack_rwsem_try_write(&room->rwsem));
	kfree(room);
}

/**
 * struct line - those that wait for an rwsem
 * @rwsem: the rwsem
 * @in: who has it: a digit for each reader, 100 for a writer
 * @leave: they are to give it up
 */
struct line {
	struct costack_rwsem	rwsem;
	atomic_t		in;
	bool			leave;
};

static int line_reader(void *arg)
{
	struct cst_item *item = arg;
	struct line *line = item->group->data;

	CST_EQ(0, costack_rwsem_down_read(&line->rwsem));
	atomic_inc(&line->in);
	while (!READ_ONCE(line->leave))
		costack_yield();
	atomic_dec(&line->in);
	costack_rwsem_up_read(&line->rwsem);
	return 0;
}

static int line_writer(void *arg)
{
	struct cst_item *item = arg;
	struct line *line = item->group->data;
	int err = costack_rwsem_down_write(&line->rwsem);

	if (err)
		return err;
	CST_EQ(0, atomic_read(&line->in));
	atomic_add(100, &line->in);
	while (!READ_ONCE(line->leave))
		costack_yield();
	atomic_sub(100, &line->in);
	costack_rwsem_up_write(&line->rwsem);
	return 0;
}

static void rwsem_order(const long *args)
{
	struct cst_group *readers, *writer, *late;
	static struct line line;

	costack_rwsem_init(&line.rwsem);
	atomic_set(&line.in, 0);
	WRITE_ONCE(line.leave, false);
	readers = start(3, false, line_reader, &line, NULL);
	CST_SOON(atomic_read(&line.in) == 3);
	writer = start(1, false, line_writer, &line, NULL);
	CST_SOON(waiting(&line.rwsem.base) == 1);
	/* A reader that comes after a writer waits behind it, though readers have it. */
	CST_EQ(false, costack_rwsem_try_read(&line.rwsem));
	late = start(2, false, line_reader, &line, NULL);
	CST_SOON(waiting(&line.rwsem.base) == 3);
	CST_EQ(3, atomic_read(&line.in));
	/* The writer gives up: those behind it join the readers. */
	CST_EQ(0, costack_cancel(&writer->item[0].work));
	CST_FINISH(writer, -ECANCELED);
	CST_SOON(atomic_read(&line.in) == 5);
	/* One more writer: it has it alone. */
	writer = start(1, false, line_writer, &line, NULL);
	CST_SOON(waiting(&line.rwsem.base) == 1);
	WRITE_ONCE(line.leave, true);
	CST_FINISH(readers, 0);
	CST_FINISH(late, 0);
	CST_FINISH(writer, 0);
	CST_EQ(0, atomic_read(&line.in));
	CST_EQ(true, costack_rwsem_try_write(&line.rwsem));
	/* Readers that wait at the head get it together. */
	WRITE_ONCE(line.leave, false);
	readers = start(4, false, line_reader, &line, NULL);
	CST_SOON(waiting(&line.rwsem.base) == 4);
	costack_rwsem_up_write(&line.rwsem);
	CST_SOON(atomic_read(&line.in) == 4);
	WRITE_ONCE(line.leave, true);
	CST_FINISH(readers, 0);
}

/* === Semaphores === */

/**
 * struct seats - a semaphore, and who has one of it
 * @sem: the semaphore
 * @taken: how many have
 * @most: how many there are
 * @count: how often each is to take one
 */
struct seats {
	struct costack_sem	sem;
	atomic_t		taken;
	int			most;
	long			count;
};

static void give_one(void *sem)
{
	costack_sem_up(sem);
}

static int sem_body(void *arg)
{
	struct cst_item *item = arg;
	struct seats *seats = item->group->data;

	for (; item->count < seats->count && !cst_failures(); item->count++) {
		if (!CST_EQ(0, costack_sem_down(&seats->sem)))
			break;
		CST_TRUE(atomic_inc_return(&seats->taken) <= seats->most);
		if (item->count % 2)
			CST_EQ(0, costack_yield());
		atomic_dec(&seats->taken);
		/* From an interrupt on another CPU, if there is one. */
		if (item->count % 3)
			costack_sem_up(&seats->sem);
		else
			on_each_cpu_mask(cpumask_of(item->count % num_online_cpus()), give_one,
					 &seats->sem, true);
	}
	return 0;
}

static void sem(const long *args)
{
	struct seats *seats = kzalloc(sizeof(*seats), GFP_KERNEL);
	struct cst_group *group;
	unsigned int i;

	if (!CST_TRUE(seats))
		return;
	costack_sem_init(&seats->sem, 3);
	seats->most = 3;
	seats->count = args[1];
	group = start(args[0], false, sem_body, seats, NULL);
	if (!group || !CST_FINISH(group, 0))
		return;
	for (i = 0; i < 3; i++)
		CST_EQ(true, costack_sem_trydown(&seats->sem));
	CST_EQ(false, costack_sem_trydown(&seats->sem));
	kfree(seats);
}

static const struct cst_case cases[] = {
	{ "locks-exclude", exclude },
	{ "locks-order", order },
	{ "locks-parked", parked },
	{ "locks-timeout", timeout },
	{ "locks-cancel", cancel },
	{ "locks-cancel-race", cancel_race },
	{ "locks-cycle", cycle },
	{ "locks-foreign", foreign },
	{ "locks-ends", ends },
	{ "locks-ends-waiter", ends_waiter },
	{ "locks-rwsem", rwsem },
	{ "locks-rwsem-order", rwsem_order },
	{ "locks-sem", sem },
	{ }
};

struct cst_suite cst_locks = { .owner = THIS_MODULE, .cases = cases };
