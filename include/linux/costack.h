/* SPDX-License-Identifier: GPL-2.0 */
/*
 * costack: coroutine stacks that grow
 *
 * A coroutine is a function that runs in a kernel thread, on a stack of its own
 * that starts at one page. When it overflows, the stack grows: in place (more
 * pages mapped below, no address changes) or by copy (Go's copystack: moved to
 * a larger stack, every pointer into it adjusted).
 *
 * Every function here says where it may be called: on a *coroutine stack*, on a
 * *host stack* (the thread's ordinary one), or both.
 */
#ifndef _LINUX_COSTACK_H
#define _LINUX_COSTACK_H

#ifdef __ASSEMBLY__

/*
 * COSTACK_TRUSTED name: declare a function in assembly that the checker of machine code
 * cannot follow, such as one that moves the stack pointer by hand. Its author vouches
 * that at each of its instructions every register and every word of its frame holds
 * either no address of the stack or a plain one: not negated, not split in halves, and
 * not reduced by a value that a move does not change. The checker trusts this and does
 * not prove it; scripts/movable lists such functions.
 * (The number is added because objtool would take the plain address for a branch target.)
 */
.macro COSTACK_TRUSTED name
	.pushsection .init.costack.trusted, "a", @progbits
	.quad	\name + (1 << 40)
	.popsection
.endm

#else /* !__ASSEMBLY__ */

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/moduleparam.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct completion;
struct costack;
struct costack_chan;
struct costack_group;
struct kobject;
struct mem_cgroup;

/*
 * A coroutine that has waited may continue in another thread, but the compiler takes
 * current for a constant. From here on, current is read each time. Only include/current/,
 * which scripts/movable.mk puts first in the search path, fixes its uses in the headers
 * that were included before this one.
 */
#ifdef this_cpu_read_stable
#undef current
/*
 * 6.2 moves it into pcpu_hot and adds X86_FEATURE_CALL_DEPTH. 6.15 makes it a variable of its own
 * again and adds DECLARE_PER_CPU_CACHE_HOT().
 */
#if defined(X86_FEATURE_CALL_DEPTH) && !defined(DECLARE_PER_CPU_CACHE_HOT)
#define current			this_cpu_read(pcpu_hot.current_task)
#else
#define current			this_cpu_read(current_task)
#endif
#if defined(MODULE) && !defined(_COSTACK_ASM_CURRENT_H) && !defined(COSTACK_NEVER_WAITS)
/* The kernel's inline functions may use the thread that a coroutine has left. */
#warning "costack: code that waits needs scripts/movable.mk; if none waits: -DCOSTACK_NEVER_WAITS"
#endif
#endif

/** typedef costack_fn_t - what a coroutine runs; its caller gets the return value */
typedef int (*costack_fn_t)(void *arg);

/** typedef costack_defer_fn_t - what costack_defer() registers */
typedef void (*costack_defer_fn_t)(void *arg);

/*
 * When the stack reaches its limit, the function may be cut off at any instruction of
 * movable text: it then ends with -EOVERFLOW after its defers have run. Code that cannot
 * be left half done may use 16 KiB beyond the limit: an interrupt, a kernel function, a
 * function that a kernel function calls back (as sort() does), code that holds a lock.
 * An overflow of these 16 KiB is handled as without this flag.
 * Without this flag an overflow is fatal, as on any kernel stack.
 */
#define COSTACK_ABORTABLE	BIT(0)
/* Never move this stack: it grows in place only, whatever the policy says. */
#define COSTACK_PINNED		BIT(1)
/*
 * For a work item that waits for long: each time it parks, the bytes in use of its stack are kept
 * and the stack is given back, if it may be moved and no more than 2,016 bytes are in use.
 * costack_call_attr() ignores this flag.
 */
#define COSTACK_PACK		BIT(2)
/*
 * Charge the memory of a waiting work item, its coroutine and its packed bytes, to the memory
 * cgroup of the process that queues it. Stacks belong to a pool that all share, and are not
 * charged. For costack_call_attr() only the coroutine is charged.
 */
#define COSTACK_ACCOUNT		BIT(3)

#define COSTACK_NAME_LEN	24

/**
 * struct costack_attr - how a coroutine is to be run
 * @name: shown in reports and traces, which print at most COSTACK_NAME_LEN - 1 bytes; must
 *	stay valid, and stay where it is, until the function has ended; %NULL: the symbol of
 *	the function
 * @stack_first: initial size in bytes; 0: /sys/kernel/costack/stack_min. With the knob
 *	adaptive_start the stack starts larger if the function has needed more before
 * @stack_limit: maximal size in bytes; 0: .../stack_max
 * @flags: %COSTACK_ABORTABLE, %COSTACK_PINNED, %COSTACK_PACK, %COSTACK_ACCOUNT
 *
 * Sizes are rounded up to a size class: 1, 2, 4, 8 or 16 pages.
 */
struct costack_attr {
	const char	*name;
	size_t		stack_first;
	size_t		stack_limit;
	unsigned int	flags;
};

/**
 * struct costack_work - a function to run as a coroutine on the kernel's workers
 * @fn: what to run
 * @arg: argument of @fn
 * @name: the name in its attributes
 * @owner: module held from costack_queue() until the item has ended
 * @ret: how the item ended; valid after costack_wait()
 * @growths: how often its stack grew; valid after costack_wait()
 * @deepest: bytes in use at its deepest growth; valid after costack_wait()
 *
 * costack_work_init() fills the fields in; users only read them after that.
 */
struct costack_work {
	costack_fn_t		fn;
	void			*arg;
	const char		*name;
	struct module		*owner;
	union {
		struct {
			unsigned int	growths;
			unsigned int	deepest;
		};
		/* private: */
		/* Until then, with COSTACK_ACCOUNT: what is charged. */
		struct mem_cgroup	*memcg;
		/* public: */
	};
	int			ret;
	/* private: */
	/* The other attributes; sizes in pages, 255: too large. */
	u8			first;
	u8			limit;
	u8			flags;
	/* The item is neither queued nor running; written under wait.lock. */
	bool			done;
	/* The coroutine until the item is done; under wait.lock. */
	struct costack		*co;
	/* Threads and coroutines that wait for the item. */
	struct wait_queue_head	wait;
};

/**
 * struct costack_opaque_range - bytes that a move copies as they are
 *
 * The structure lies in the frame that declares it and moves with that frame.
 */
struct costack_opaque_range {
	/* private: */
	/* The range that was declared before this one. */
	struct costack_opaque_range	*next;
	const void			*buf;
	size_t				len;
	/* The coroutine on whose stack it lies; NULL: on none, or no longer opaque. */
	struct costack			*co;
};

/**
 * struct costack_completion - something that coroutines and threads wait for
 *
 * The kernel's struct completion can be waited for as well: costack_wait_for_completion().
 */
struct costack_completion {
	/* private: */
	raw_spinlock_t		lock;
	/* How many will not have to wait; UINT_MAX: all. 0 if anybody waits. */
	unsigned int		done;
	/* Sudogs, in the order in which they came. */
	struct list_head	waiters;
};

/**
 * DEFINE_COSTACK_COMPLETION() - define a completion that is not complete
 * @name: its name; not a local variable
 */
#define DEFINE_COSTACK_COMPLETION(name)					\
	struct costack_completion name = {				\
		.lock = __RAW_SPIN_LOCK_UNLOCKED(name.lock),		\
		.waiters = LIST_HEAD_INIT(name.waiters),		\
	}

/* The most cases that one costack_select() can have. */
#define COSTACK_SELECT_MAX	128U

/**
 * struct costack_select_case - one case of costack_select()
 * @chan: the channel; %NULL: never
 * @elem: the value to send, or where to store the received one; %NULL: drop that
 * @send: whether to send
 * @ret: once the case was served: 0, or -EPIPE: the channel is closed, and nothing was sent or
 *	received
 */
struct costack_select_case {
	struct costack_chan	*chan;
	void			*elem;
	bool			send;
	/* private: */
	/* Entries of two lists: which case to try, and which one's channel to lock. */
	u8			poll;
	u8			lock;
	/* public: */
	int			ret;
};

/**
 * COSTACK_SEND() - initializer of a case that sends
 * @_chan: the channel
 * @_elem: the value
 */
#define COSTACK_SEND(_chan, _elem)	\
	{ .chan = (_chan), .elem = (void *)(_elem), .send = true }

/**
 * COSTACK_RECV() - initializer of a case that receives
 * @_chan: the channel
 * @_elem: where to store the value; %NULL: drop it
 */
#define COSTACK_RECV(_chan, _elem)	\
	{ .chan = (_chan), .elem = (_elem) }

/*
 * What the locks have in common.
 *
 * A lock must not lie on a coroutine stack, unless that is pinned. As with the kernel's locks, its
 * memory may be freed once every call that was made on it has returned.
 */
struct costack_lock {
	/* private: */
	/* Covers the queue of those that wait. */
	raw_spinlock_t		lock;
	struct list_head	waiters;
#ifdef CONFIG_LOCKDEP
	struct lockdep_map	dep_map;
#endif
};

#ifdef CONFIG_LOCKDEP
#define __COSTACK_DEP_MAP(_name)						\
	.dep_map = { .name = #_name, .wait_type_inner = LD_WAIT_SLEEP },
#else
#define __COSTACK_DEP_MAP(_name)
#endif

#define __COSTACK_LOCK(_name) {							\
		.lock = __RAW_SPIN_LOCK_UNLOCKED((_name).base.lock),		\
		.waiters = LIST_HEAD_INIT((_name).base.waiters),		\
		__COSTACK_DEP_MAP(_name)					\
	}

/**
 * struct costack_mutex - a mutex for coroutines and threads
 *
 * See costack_mutex_lock().
 */
struct costack_mutex {
	/* private: */
	/* Who has locked it, and flags, see module/locks.h. */
	atomic_long_t		owner;
	/* Where it was locked last. */
	unsigned long		ip;
	struct costack_lock	base;
};

/**
 * struct costack_sem - a counting semaphore for coroutines and threads
 *
 * See costack_sem_down().
 */
struct costack_sem {
	/* private: */
	struct costack_lock	base;
	/* 0 if somebody waits. */
	unsigned int		count;
};

/**
 * struct costack_rwsem - readers or one writer, coroutines and threads
 *
 * See costack_rwsem_down_read().
 */
struct costack_rwsem {
	/* private: */
	struct costack_lock	base;
	/* Readers that hold it; -1: a writer does. */
	int			count;
};

/**
 * DEFINE_COSTACK_MUTEX() - define a mutex, which is not locked
 * @_name: its name
 */
#define DEFINE_COSTACK_MUTEX(_name)						\
	struct costack_mutex _name = { .base = __COSTACK_LOCK(_name) }

/**
 * DEFINE_COSTACK_SEM() - define a semaphore
 * @_name: its name
 * @_count: what it starts with
 */
#define DEFINE_COSTACK_SEM(_name, _count)					\
	struct costack_sem _name = { .base = __COSTACK_LOCK(_name), .count = (_count) }

/**
 * DEFINE_COSTACK_RWSEM() - define an rwsem, which is not locked
 * @_name: its name
 */
#define DEFINE_COSTACK_RWSEM(_name)						\
	struct costack_rwsem _name = { .base = __COSTACK_LOCK(_name) }

#if IS_ENABLED(CONFIG_COSTACK) || defined(MODULE)

int costack_call(costack_fn_t fn, void *arg);
int costack_call_attr(const struct costack_attr *attr, costack_fn_t fn, void *arg);

struct costack *costack_current(void);

int costack_ensure(size_t bytes);
size_t costack_stack_left(void);
size_t costack_stack_used(void);
size_t costack_stack_size(void);

int costack_defer(costack_defer_fn_t fn, void *arg);
int costack_pin(void);
int costack_unpin(void);
int __costack_track(void **loc, unsigned long sp);
int __costack_untrack(void **loc, unsigned long sp);
struct costack_opaque_range *__costack_opaque(struct costack_opaque_range *range);
void __costack_opaque_end(struct costack_opaque_range **range);
int costack_unopaque(const void *buf);
int costack_on_host(costack_fn_t fn, void *arg);

void __costack_work_init(struct costack_work *work, costack_fn_t fn, void *arg,
			 const struct costack_attr *attr, struct module *owner);
int costack_queue(struct costack_work *work);
int costack_wait(struct costack_work *work);
int costack_cancel(struct costack_work *work);
unsigned int __costack_cancel_all(const struct module *owner);
int __costack_show_items(const struct module *owner);

struct costack_group *costack_group_create(void);
int __costack_group_start(struct costack_group *group, costack_fn_t fn, void *arg,
			  const struct costack_attr *attr, struct module *owner);
int costack_group_wait(struct costack_group *group);
void costack_group_cancel(struct costack_group *group);
void costack_group_destroy(struct costack_group *group);

int costack_park(void);
void costack_unpark(struct costack *co);
int costack_yield(void);
long costack_sleep(long timeout);
long __costack_wait_begin(struct wait_queue_head *wq, long timeout);
long __costack_wait_park(long timeout);
void __costack_wait_finish(void);
int costack_wait_for_completion(struct completion *done);

struct costack_chan *costack_chan_create(size_t elem_size, unsigned int nr);
void costack_chan_destroy(struct costack_chan *chan);
int costack_chan_send(struct costack_chan *chan, const void *elem);
int costack_chan_recv(struct costack_chan *chan, void *elem);
int costack_chan_try_send(struct costack_chan *chan, const void *elem);
int costack_chan_try_recv(struct costack_chan *chan, void *elem);
int costack_chan_send_timeout(struct costack_chan *chan, const void *elem, long timeout);
int costack_chan_recv_timeout(struct costack_chan *chan, void *elem, long timeout);
int costack_chan_close(struct costack_chan *chan);

int costack_select(struct costack_select_case *cases, unsigned int nr);
int costack_select_timeout(struct costack_select_case *cases, unsigned int nr, long timeout);
int costack_try_select(struct costack_select_case *cases, unsigned int nr);

void __costack_mutex_init(struct costack_mutex *mutex, const char *name,
			  struct lock_class_key *key);
int costack_mutex_lock(struct costack_mutex *mutex);
int costack_mutex_lock_timeout(struct costack_mutex *mutex, long timeout);
bool costack_mutex_trylock(struct costack_mutex *mutex);
int costack_mutex_unlock(struct costack_mutex *mutex);
bool costack_mutex_is_locked(const struct costack_mutex *mutex);

void __costack_sem_init(struct costack_sem *sem, unsigned int count, const char *name,
			struct lock_class_key *key);
int costack_sem_down(struct costack_sem *sem);
int costack_sem_down_timeout(struct costack_sem *sem, long timeout);
bool costack_sem_trydown(struct costack_sem *sem);
void costack_sem_up(struct costack_sem *sem);

void __costack_rwsem_init(struct costack_rwsem *rwsem, const char *name,
			  struct lock_class_key *key);
int costack_rwsem_down_read(struct costack_rwsem *rwsem);
int costack_rwsem_down_read_timeout(struct costack_rwsem *rwsem, long timeout);
bool costack_rwsem_try_read(struct costack_rwsem *rwsem);
int costack_rwsem_down_write(struct costack_rwsem *rwsem);
int costack_rwsem_down_write_timeout(struct costack_rwsem *rwsem, long timeout);
bool costack_rwsem_try_write(struct costack_rwsem *rwsem);
void costack_rwsem_up_read(struct costack_rwsem *rwsem);
void costack_rwsem_up_write(struct costack_rwsem *rwsem);

void costack_completion_init(struct costack_completion *c);
void costack_completion_reinit(struct costack_completion *c);
void costack_complete(struct costack_completion *c);
void costack_complete_all(struct costack_completion *c);
int costack_completion_wait(struct costack_completion *c);
int costack_completion_wait_timeout(struct costack_completion *c, long timeout);
bool costack_completion_try_wait(struct costack_completion *c);
bool costack_completion_done(struct costack_completion *c);

/* /sys/kernel/costack; a module may add its own directory below it. */
extern struct kobject *costack_kobj;

extern const struct kernel_param_ops costack_movable_ops, costack_verdict_ops;

#ifdef COSTACK_MOVABLE_BUILD
#define __COSTACK_UNCHECKED
#else
#define __COSTACK_UNCHECKED						\
	_Pragma("GCC warning \"not movable: Kbuild must include movable.mk after ccflags-y :=\"")
#endif

/**
 * MODULE_COSTACK_MOVABLE() - promise that this module's text is movable
 *
 * The promise: while a function of this module is on a coroutine stack, the module
 * stores no address of one of its locals outside that stack, other than through
 * costack_track() or costack_defer(), or while the stack is pinned. Nor does it keep
 * such an address in a disguised form (packed, tagged, as a difference, in bytes). It
 * calls costack_opaque() for bytes from outside.
 *
 * scripts/coccinelle/escape.cocci finds code that breaks the promise. The promise shows
 * as the read-only parameter "costack_movable" of the module.
 *
 * The promise is about the source. The line "include <costack>/scripts/movable.mk" in
 * the module's Kbuild makes the build check the machine code as well, and tell the kernel
 * the result. Without a verdict, the stacks of the module grow in place.
 */
#define MODULE_COSTACK_MOVABLE()					\
	__COSTACK_UNCHECKED						\
	module_param_cb(costack_movable, &costack_movable_ops, NULL, 0444); \
	MODULE_PARM_DESC(costack_movable, "text may be moved by copystack")

#else /* !CONFIG_COSTACK */

static inline int costack_call(costack_fn_t fn, void *arg)
{
	return -EOPNOTSUPP;
}

static inline int costack_call_attr(const struct costack_attr *attr,
				    costack_fn_t fn, void *arg)
{
	return -EOPNOTSUPP;
}

static inline struct costack *costack_current(void)
{
	return NULL;
}

static inline int costack_ensure(size_t bytes)
{
	return -EINVAL;
}

static inline size_t costack_stack_left(void)
{
	return 0;
}

static inline size_t costack_stack_used(void)
{
	return 0;
}

static inline size_t costack_stack_size(void)
{
	return 0;
}

static inline int costack_defer(costack_defer_fn_t fn, void *arg)
{
	return -EINVAL;
}

static inline int costack_pin(void)
{
	return -EINVAL;
}

static inline int costack_unpin(void)
{
	return -EINVAL;
}

static inline int __costack_track(void **loc, unsigned long sp)
{
	return -EINVAL;
}

static inline int __costack_untrack(void **loc, unsigned long sp)
{
	return -EINVAL;
}

static inline struct costack_opaque_range *
__costack_opaque(struct costack_opaque_range *range)
{
	return range;
}

static inline void __costack_opaque_end(struct costack_opaque_range **range)
{
}

static inline int costack_unopaque(const void *buf)
{
	return -EINVAL;
}

static inline int costack_on_host(costack_fn_t fn, void *arg)
{
	return fn(arg);
}

static inline void __costack_work_init(struct costack_work *work, costack_fn_t fn, void *arg,
				       const struct costack_attr *attr, struct module *owner)
{
}

static inline int costack_queue(struct costack_work *work)
{
	return -EOPNOTSUPP;
}

#define MODULE_COSTACK_MOVABLE()

#endif /* CONFIG_COSTACK */

/**
 * costack_track() - register a pointer for copystack to adjust
 * @pp: address of the pointer variable, wherever it lives: a heap object, a
 *	static, or the coroutine stack itself
 *
 * When the stack moves and *@pp points into it, the move adjusts *@pp, as long as the
 * function that called costack_track() has not returned. That function calls
 * costack_untrack() before it returns: otherwise the record is dropped when costack next
 * looks at it, and the log names, once for each place, the caller that registered it.
 * A function that was cut off need not do so: its records are dropped with its frame.
 * *@pp must not be freed while it is registered.
 *
 * The stack may move or be packed at any moment, whether the coroutine is parked or runs. If
 * another thread or coroutine uses *@pp, pin the stack for as long as it does.
 *
 * Context: Coroutine stack. Process context; may sleep.
 * Return:
 * * 0		- registered
 * * -EINVAL	- not on a coroutine stack, or @pp is %NULL or not aligned
 * * -ENOMEM	- no memory for the record
 */
#define costack_track(pp)	__costack_track((void **)(pp), current_stack_pointer)

/**
 * costack_untrack() - unregister a pointer that costack_track() registered
 * @pp: the same pointer variable
 *
 * Context: Coroutine stack. Process context.
 * Return:
 * * 0		- unregistered
 * * -EINVAL	- not on a coroutine stack, or @pp is not registered
 */
#define costack_untrack(pp)	__costack_untrack((void **)(pp), current_stack_pointer)

/**
 * costack_opaque() - declare that a range of the stack holds no addresses of the stack
 * @_buf: first byte; a local of the function, declared before
 * @_len: bytes
 *
 * A move copies the words of the range as they are, even those that look like addresses
 * of the stack. Use it for data from outside: from the words that a move changes, the
 * sender could learn where the stack lies. Arrays of char are known to be opaque; declare
 * any other buffer.
 *
 * The macro stands among the declarations of a block. The range is opaque until the
 * block is left, in whatever way, or until costack_unopaque(). The declaration cannot
 * fail, and costs nothing on another stack.
 *
 * Context: Any, any stack.
 */
#define costack_opaque(_buf, _len)						\
	struct costack_opaque_range *__UNIQUE_ID(opaque)			\
		__attribute__((__cleanup__(__costack_opaque_end), __unused__)) =	\
		__costack_opaque(&(struct costack_opaque_range) {		\
					.buf = (_buf), .len = (_len),		\
				 })

/**
 * costack_mutex_init() - make a mutex that is not locked
 * @_mutex: the mutex
 *
 * Context: Any.
 */
#define costack_mutex_init(_mutex)					\
do {									\
	static struct lock_class_key __key;				\
									\
	__costack_mutex_init(_mutex, #_mutex, &__key);			\
} while (0)

/**
 * costack_sem_init() - make a semaphore
 * @_sem: the semaphore
 * @_count: what it starts with
 *
 * Context: Any.
 */
#define costack_sem_init(_sem, _count)					\
do {									\
	static struct lock_class_key __key;				\
									\
	__costack_sem_init(_sem, _count, #_sem, &__key);		\
} while (0)

/**
 * costack_rwsem_init() - make an rwsem that is not locked
 * @_rwsem: the rwsem
 *
 * Context: Any.
 */
#define costack_rwsem_init(_rwsem)					\
do {									\
	static struct lock_class_key __key;				\
									\
	__costack_rwsem_init(_rwsem, #_rwsem, &__key);			\
} while (0)

/**
 * costack_work_init() - make a work item
 * @work: the item
 * @fn: what to run
 * @arg: argument of @fn
 * @attr: how to run it, or %NULL; copied, except for the name, which must stay valid
 *
 * The calling module cannot be unloaded from costack_queue() until the item has ended.
 *
 * Context: Any.
 */
#define costack_work_init(work, fn, arg, attr) \
	__costack_work_init(work, fn, arg, attr, THIS_MODULE)

/**
 * costack_cancel_all() - costack_cancel() for all work items of the calling module
 *
 * That includes the caller's own item, if it is called by one. Items that are queued meanwhile
 * may be left out.
 *
 * Context: Process context; host or coroutine stack. May sleep.
 * Return: how many items were cancelled.
 */
#define costack_cancel_all() \
	__costack_cancel_all(THIS_MODULE)

/**
 * costack_group_start() - start a work item in a group
 * @group: the group
 * @fn: what the child runs; a negative return value is an error, which cancels all other children
 * @arg: argument of @fn. If it lies on the stack of the calling coroutine, that must be pinned
 *	until costack_group_wait() has returned.
 * @attr: how to run it, or %NULL; copied, except for the name, which must stay valid
 *
 * A child may start others in its own group. The memory of a child that has ended is freed
 * when the next one is started, or by costack_group_wait(). The calling module cannot be unloaded
 * until the child has ended.
 *
 * Context: Process context, any stack; may sleep.
 * Return:
 * * 0		- the child will run
 * * -ECANCELED	- the group was cancelled, or one of its children has failed; @fn is not called
 * * -ENOMEM	- no memory
 * * others	- as costack_queue(); @fn is not called
 */
#define costack_group_start(group, fn, arg, attr) \
	__costack_group_start(group, fn, arg, attr, THIS_MODULE)

/**
 * costack_show_items() - print the unfinished work items of the calling module to the log
 *
 * For a wait that takes long, or an exit that finds items. Each line is for items that are alike:
 * how many there are, their name and function, their state and what they wait for. There are at
 * most 34 lines.
 *
 * Context: Process context; host or coroutine stack. May sleep.
 * Return: how many items there are, or -ENOMEM.
 */
#define costack_show_items() \
	__costack_show_items(THIS_MODULE)

/**
 * costack_wait_event_timeout() - wait for a condition or a timeout
 * @wq: an ordinary wait queue head; code that makes the condition true wakes it up
 * @condition: C expression; may be evaluated several times, on the coroutine stack
 * @timeout: jiffies; a value below 0 counts as 0
 *
 * The wait does not hold the thread. If @wq lies on the coroutine's own stack, the stack does
 * not move during the wait. @condition may itself wait, for anything.
 *
 * Context: As costack_park().
 * Return:
 * * > 0		- @condition is true; jiffies left, at least 1
 * * 0			- @condition is false, and the time has passed
 * * -EINVAL		- not on a coroutine stack, or not a place to park
 * * -ECANCELED		- the work item was cancelled
 * * -ENOMEM		- no memory
 */
#define costack_wait_event_timeout(wq, condition, timeout)		\
({									\
	long __timeout = (timeout), __err, __ret;			\
	long __left = __timeout > 0 ? __timeout : 0;			\
	bool __queued;							\
									\
	__err = __costack_wait_begin(&(wq), __left);			\
	__queued = !__err;						\
	for (;;) {							\
		if (condition) {					\
			__left = __left ?: 1;				\
			__err = 0;					\
			break;						\
		}							\
		if (__err || !__left)					\
			break;						\
		__ret = __costack_wait_park(__left);			\
		if (__ret < 0)						\
			__err = __ret;					\
		else							\
			__left = __ret;					\
	}								\
	if (__queued)							\
		__costack_wait_finish();				\
	__err ?: __left;						\
})

/**
 * costack_wait_event() - wait for a condition
 * @wq: an ordinary wait queue head; code that makes the condition true wakes it up
 * @condition: C expression; may be evaluated several times, on the coroutine stack
 *
 * Context: As costack_park().
 * Return: 0, or a negative errno as costack_wait_event_timeout().
 */
#define costack_wait_event(wq, condition)				\
({									\
	long __ret = costack_wait_event_timeout(wq, condition,		\
						MAX_SCHEDULE_TIMEOUT);	\
									\
	__ret < 0 ? (int)__ret : 0;					\
})

#endif /* !__ASSEMBLY__ */

#endif /* _LINUX_COSTACK_H */
