// SPDX-License-Identifier: GPL-2.0
/*
 * What costs no growth: switching, calling, starting.
 *
 *	switch		two work items unpark each other and park: a round trip
 *	switch_packed	the same, and at each park the stack is packed
 *	switch_deep	as switch, from four more frames
 *	switch_deep_packed
 *			the same, and packed: the difference is two packs and two unpacks
 *	chan_roundtrip	a value there and one back through unbuffered channels
 *	select2		costack_select() of two channels, one of which has a value
 *	mutex		a mutex that nobody else uses, locked and unlocked by a coroutine
 *	mutex_handover	two work items hand mutexes to each other, there and back
 *	call		costack_call() of an empty function
 *	queue_wait	costack_queue() and costack_wait() of an empty function
 *	spawn		the same by a coroutine, the item allocated and freed
 *	group_8		a coroutine starts eight children in a group and waits for them
 *	ensure_hit	costack_ensure() when there is room
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "bench.h"

/* What two coroutines that are measured share; @elapsed is the first one's answer. */
static struct {
	unsigned int		count;
	struct costack		*first;
	struct costack		*second;
	struct costack_chan	*there;
	struct costack_chan	*back;
	s64			elapsed;
} pair;

static struct costack_work first_item, second_item;

/* Run both to their end. The second is started first, so that it waits already. */
static s64 run_pair(costack_fn_t first, costack_fn_t second, const struct costack_attr *attr,
		    unsigned int count)
{
	int err;

	pair.count = count;
	pair.elapsed = -EIO;
	WRITE_ONCE(pair.second, NULL);
	costack_work_init(&first_item, first, NULL, attr);
	costack_work_init(&second_item, second, NULL, attr);
	err = costack_queue(&second_item);
	if (err)
		return err;
	while (!READ_ONCE(pair.second))
		schedule_timeout_uninterruptible(1);
	err = costack_queue(&first_item);
	if (!err)
		err = costack_wait(&first_item);
	if (err)
		costack_cancel(&second_item);
	return costack_wait(&second_item) ?: err ?: pair.elapsed;
}

/* === Park and unpark === */

static int switch_first(void *arg)
{
	unsigned int i;
	s64 start;

	pair.first = costack_current();
	bench_quiet();
	start = bench_now();
	for (i = 0; i < pair.count; i++) {
		costack_unpark(pair.second);
		costack_park();
	}
	pair.elapsed = bench_now() - start;
	/* The second one waits for one more unpark. */
	costack_unpark(pair.second);
	return 0;
}

static int switch_second(void *arg)
{
	unsigned int i;
	int err;

	WRITE_ONCE(pair.second, costack_current());
	err = costack_park();
	for (i = 0; i < pair.count && !err; i++) {
		costack_unpark(pair.first);
		err = costack_park();
	}
	return err;
}

static s64 switch_round(unsigned int count)
{
	return run_pair(switch_first, switch_second, NULL, count);
}

static const struct costack_attr packs = { .flags = COSTACK_PACK };

static s64 switch_packed(unsigned int count)
{
	return run_pair(switch_first, switch_second, &packs, count);
}

static noinline int run_below(costack_fn_t fn, unsigned int frames)
{
	int err = frames ? run_below(fn, frames - 1) : fn(NULL);

	/* Not a tail call: the frame stays. */
	barrier();
	return err;
}

static int deep_first(void *arg)
{
	return run_below(switch_first, 3);
}

static int deep_second(void *arg)
{
	return run_below(switch_second, 3);
}

static s64 switch_deep(unsigned int count)
{
	return run_pair(deep_first, deep_second, NULL, count);
}

static s64 switch_deep_packed(unsigned int count)
{
	return run_pair(deep_first, deep_second, &packs, count);
}

/* === Channels === */

static int chan_first(void *arg)
{
	unsigned long value = 0;
	unsigned int i;
	int err = 0;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < pair.count && !err; i++)
		err = costack_chan_send(pair.there, &value) ?:
		      costack_chan_recv(pair.back, &value);
	pair.elapsed = bench_now() - start;
	return err;
}

static int chan_second(void *arg)
{
	unsigned long value;
	unsigned int i;
	int err = 0;

	WRITE_ONCE(pair.second, costack_current());
	for (i = 0; i < pair.count && !err; i++)
		err = costack_chan_recv(pair.there, &value) ?:
		      costack_chan_send(pair.back, &value);
	return err;
}

static s64 chan_roundtrip(unsigned int count)
{
	s64 ret = -ENOMEM;

	pair.there = costack_chan_create(sizeof(unsigned long), 0);
	pair.back = costack_chan_create(sizeof(unsigned long), 0);
	if (pair.there && pair.back)
		ret = run_pair(chan_first, chan_second, NULL, count);
	costack_chan_destroy(pair.there);
	costack_chan_destroy(pair.back);
	return ret;
}

static int select_body(void *arg)
{
	unsigned long value;
	struct costack_select_case cases[] = {
		COSTACK_RECV(pair.there, &value), COSTACK_RECV(pair.back, &value),
	};
	unsigned int i;
	int ret = 0;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < pair.count && !ret; i++)
		ret = costack_select(cases, ARRAY_SIZE(cases));
	pair.elapsed = bench_now() - start;
	return ret;
}

static s64 select2(unsigned int count)
{
	unsigned long value = 0;
	s64 ret = -ENOMEM;
	unsigned int i;

	pair.count = count;
	pair.there = costack_chan_create(sizeof(unsigned long), count);
	pair.back = costack_chan_create(sizeof(unsigned long), 0);
	if (pair.there && pair.back) {
		for (i = 0; i < count; i++)
			costack_chan_try_send(pair.there, &value);
		costack_work_init(&first_item, select_body, NULL, NULL);
		ret = costack_queue(&first_item) ?: costack_wait(&first_item) ?: pair.elapsed;
	}
	costack_chan_destroy(pair.there);
	costack_chan_destroy(pair.back);
	return ret;
}

/* === Mutexes === */

static int mutex_body(void *arg)
{
	static DEFINE_COSTACK_MUTEX(mutex);
	unsigned int i;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < pair.count; i++) {
		costack_mutex_lock(&mutex);
		costack_mutex_unlock(&mutex);
	}
	pair.elapsed = bench_now() - start;
	return 0;
}

static s64 mutex_row(unsigned int count)
{
	pair.count = count;
	costack_work_init(&first_item, mutex_body, NULL, NULL);
	return costack_queue(&first_item) ?: costack_wait(&first_item) ?: pair.elapsed;
}

static struct costack_mutex ring[3];

/* Each holds one mutex, and locks the next one before it unlocks this one: see peers.c. */
static int follow(unsigned int from)
{
	unsigned int i, next;
	int err = 0;

	for (i = 0; i < pair.count && !err; i++, from = next) {
		next = from == 2 ? 0 : from + 1;
		err = costack_mutex_lock(&ring[next]);
		costack_mutex_unlock(&ring[from]);
	}
	costack_mutex_unlock(&ring[from]);
	return err;
}

static int mutex_first(void *arg)
{
	s64 start;
	int err;

	costack_mutex_lock(&ring[0]);
	bench_quiet();
	start = bench_now();
	costack_unpark(pair.second);
	err = follow(0);
	pair.elapsed = bench_now() - start;
	return err;
}

static int mutex_second(void *arg)
{
	costack_mutex_lock(&ring[1]);
	WRITE_ONCE(pair.second, costack_current());
	return costack_park() ?: follow(1);
}

static s64 mutex_handover(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		costack_mutex_init(&ring[i]);
	return run_pair(mutex_first, mutex_second, NULL, count);
}

/* === Calls and items === */

static s64 call(unsigned int count)
{
	unsigned int i;
	int err = 0;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < count && !err; i++)
		err = costack_call(bench_empty, NULL);
	return err ?: bench_now() - start;
}

static s64 queue_wait(unsigned int count)
{
	unsigned int i;
	int err = 0;
	s64 start;

	costack_work_init(&first_item, bench_empty, NULL, NULL);
	bench_quiet();
	start = bench_now();
	for (i = 0; i < count && !err; i++)
		err = costack_queue(&first_item) ?: costack_wait(&first_item);
	return err ?: bench_now() - start;
}

static int alloc_item(void *arg)
{
	struct costack_work **item = arg;

	*item = kmalloc(sizeof(**item), GFP_KERNEL);
	return *item ? 0 : -ENOMEM;
}

static int spawn_body(void *arg)
{
	struct costack_work *item;
	unsigned int i;
	int err = 0;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < pair.count && !err; i++) {
		err = costack_on_host(alloc_item, &item);
		if (err)
			break;
		costack_work_init(item, bench_empty, NULL, NULL);
		err = costack_queue(item) ?: costack_wait(item);
		kfree(item);
	}
	pair.elapsed = bench_now() - start;
	return err;
}

static s64 spawn(unsigned int count)
{
	int err;

	pair.count = count;
	costack_work_init(&first_item, spawn_body, NULL, NULL);
	err = costack_queue(&first_item) ?: costack_wait(&first_item);
	return err ?: pair.elapsed;
}

static int group_body(void *arg)
{
	struct costack_group *group = costack_group_create();
	unsigned int i, nr;
	int err = 0;
	s64 start;

	if (!group)
		return -ENOMEM;
	bench_quiet();
	start = bench_now();
	for (i = 0; i < pair.count && !err; i++) {
		for (nr = 0; nr < 8 && !err; nr++)
			err = costack_group_start(group, bench_empty, NULL, NULL);
		err = costack_group_wait(group) ?: err;
	}
	pair.elapsed = bench_now() - start;
	costack_group_destroy(group);
	return err;
}

static s64 group_8(unsigned int count)
{
	int err;

	pair.count = count;
	costack_work_init(&first_item, group_body, NULL, NULL);
	err = costack_queue(&first_item) ?: costack_wait(&first_item);
	return err ?: pair.elapsed;
}

static int ensure_body(void *arg)
{
	unsigned int i;
	int err = 0;
	s64 start;

	bench_quiet();
	start = bench_now();
	for (i = 0; i < pair.count && !err; i++)
		err = costack_ensure(1024);
	pair.elapsed = bench_now() - start;
	return err;
}

static s64 ensure_hit(unsigned int count)
{
	int err;

	pair.count = count;
	err = costack_call(ensure_body, NULL);
	return err ?: pair.elapsed;
}

const struct bench_row bench_switch_rows[] = {
	{ "switch", switch_round, 1000 },
	{ "switch_packed", switch_packed, 1000 },
	{ "switch_deep", switch_deep, 1000 },
	{ "switch_deep_packed", switch_deep_packed, 1000 },
	{ "chan_roundtrip", chan_roundtrip, 1000 },
	{ "select2", select2, 1000 },
	{ "mutex", mutex_row, 10000 },
	{ "mutex_handover", mutex_handover, 1000 },
	{ "call", call, 1000 },
	{ "group_8", group_8, 100 },
	{ "queue_wait", queue_wait, 200 },
	{ "spawn", spawn, 200 },
	{ "ensure_hit", ensure_hit, 10000 },
	{ }
};
