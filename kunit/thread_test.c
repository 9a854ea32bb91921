// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the check at each park for state that belongs to the thread: it must see every
 * such word.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fixture.h"
#include "../module/thread.h"

#define WORKER_FLAGS	(PF_KTHREAD | PF_WQ_WORKER | PF_NOFREEZE | PF_NO_SETAFFINITY)

/* Make a thread that never runs, with the words of a worker that owns nothing. */
static struct task_struct *make_worker(struct kunit *test)
{
	struct task_struct *task = kunit_kzalloc(test, sizeof(*task), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, task);
	task->flags = WORKER_FLAGS;
	rcu_assign_pointer(task->cred, current_cred());
	rcu_assign_pointer(task->real_cred, current_cred());
	return task;
}

static void clean_worker_is_not_odd(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, costack_thread_odd(make_worker(test)), 0);
}

/**
 * struct word - a word of a thread that the check must see
 * @offset: in struct task_struct
 * @size: its size
 * @value: the value to give it
 */
struct word {
	size_t	offset;
	size_t	size;
	u64	value;
};

#define SHORT(field, value)	{ offsetof(struct task_struct, field), sizeof(short), value }
#define INT(field, value)	{ offsetof(struct task_struct, field), sizeof(int), value }
#define LONG(field, value)	{ offsetof(struct task_struct, field), sizeof(long), value }

/* The highest and the lowest bit of a pointer: the check must lose neither. */
#define HIGH	BIT(BITS_PER_LONG - 1)
#define LOW	BIT(0)

static const struct word words[] = {
	INT(__state, TASK_INTERRUPTIBLE), INT(__state, TASK_IDLE),
	INT(flags, WORKER_FLAGS & ~PF_NOFREEZE),
	INT(flags, WORKER_FLAGS | PF_MEMALLOC),
	INT(flags, WORKER_FLAGS | PF_MEMALLOC_NOFS),
	INT(flags, WORKER_FLAGS | PF_MEMALLOC_NOIO),
	INT(flags, WORKER_FLAGS | PF_MEMALLOC_PIN),
	INT(flags, WORKER_FLAGS | PF_LOCAL_THROTTLE),
	INT(flags, WORKER_FLAGS | PF_KSWAPD),
	INT(pagefault_disabled, 1),
	LONG(plug, HIGH), LONG(plug, LOW),
	LONG(journal_info, HIGH), LONG(journal_info, LOW),
	LONG(bio_list, HIGH), LONG(bio_list, LOW),
	LONG(mm, HIGH), LONG(mm, LOW),
#ifdef CONFIG_SMP
	SHORT(migration_disabled, 1), SHORT(migration_disabled, 0x8000),
#endif
#ifdef CONFIG_PREEMPT_RCU
	INT(rcu_read_lock_nesting, 1),
#endif
#ifdef CONFIG_TASKS_TRACE_RCU
	INT(trc_reader_nesting, 1),
#endif
#ifdef CONFIG_MEMCG
	LONG(active_memcg, HIGH), LONG(active_memcg, LOW),
#endif
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	INT(non_block_count, 1),
#endif
};

static void each_word_is_seen(struct kunit *test)
{
	struct task_struct *task = make_worker(test);
	const struct word *word;
	u64 was = 0;

	for (word = words; word < words + ARRAY_SIZE(words); word++) {
		memcpy(&was, (void *)task + word->offset, word->size);
		memcpy((void *)task + word->offset, &word->value, word->size);
		KUNIT_EXPECT_NE_MSG(test, costack_thread_odd(task), 0, "%zu: %llx",
				    word->offset, word->value);
		memcpy((void *)task + word->offset, &was, word->size);
		KUNIT_EXPECT_EQ(test, costack_thread_odd(task), 0);
	}
}

static void other_credentials_are_seen(struct kunit *test)
{
	struct task_struct *task = make_worker(test);
	struct cred *other = prepare_kernel_cred(&init_task);

	KUNIT_ASSERT_NOT_NULL(test, other);
	rcu_assign_pointer(task->cred, other);
	KUNIT_EXPECT_NE(test, costack_thread_odd(task), 0);
	rcu_assign_pointer(task->real_cred, other);
	KUNIT_EXPECT_EQ(test, costack_thread_odd(task), 0);
	put_cred(other);
}

static void other_flags_do_not_matter(struct kunit *test)
{
	struct task_struct *task = make_worker(test);

	task->flags |= PF_SUPERPRIV | PF_USED_MATH | PF_MCE_EARLY;
	KUNIT_EXPECT_EQ(test, costack_thread_odd(task), 0);
}

static void preemption_off_is_seen(struct kunit *test)
{
	struct task_struct *task = make_worker(test);
	unsigned long odd;

	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT))
		return;
	preempt_disable();
	odd = costack_thread_odd(task);
	preempt_enable();
	KUNIT_EXPECT_NE(test, odd, 0);
}

static void address_of_the_stack_is_seen(struct kunit *test)
{
	struct task_struct *task = make_worker(test);
	struct costack *co = make_running(test, NULL);
	unsigned long hi = co->slot->hi;

	KUNIT_EXPECT_FALSE(test, costack_thread_points_to(task, co->slot));
	task->plug = (void *)(hi - 64);
	KUNIT_EXPECT_TRUE(test, costack_thread_points_to(task, co->slot));
	task->plug = (void *)hi;
	KUNIT_EXPECT_FALSE(test, costack_thread_points_to(task, co->slot));
	task->journal_info = (void *)costack_slot_start(co->slot);
	KUNIT_EXPECT_TRUE(test, costack_thread_points_to(task, co->slot));
	task->journal_info = (void *)(costack_slot_start(co->slot) - 8);
	KUNIT_EXPECT_FALSE(test, costack_thread_points_to(task, co->slot));
}

static struct kunit_case thread_cases[] = {
	KUNIT_CASE(clean_worker_is_not_odd),
	KUNIT_CASE(each_word_is_seen),
	KUNIT_CASE(other_credentials_are_seen),
	KUNIT_CASE(other_flags_do_not_matter),
	KUNIT_CASE(preemption_off_is_seen),
	KUNIT_CASE(address_of_the_stack_is_seen),
	{ }
};

static struct kunit_suite thread_suite = {
	.name		= "costack_thread",
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= thread_cases,
};

kunit_test_suite(thread_suite);

MODULE_LICENSE("GPL");
