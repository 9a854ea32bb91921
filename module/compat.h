/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that costack is built for: Linux 6.1 to 7.3. Nothing
 * else in module/ knows kernel versions, except arch/x86/compat.h, which has what only
 * the architecture's code needs.
 *
 * This header detects a feature by a macro that came with it, or by the kernel version
 * where there is no such macro. Each feature has one name and one form on all kernels.
 */
#ifndef _COSTACK_COMPAT_H
#define _COSTACK_COMPAT_H

#include <linux/compiler.h>
#include <linux/fs_struct.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/version.h>

#if KERNEL_VERSION(6, 1, 0) > LINUX_VERSION_CODE
#error "costack needs Linux 6.1 or later: the unwinder and the IDT differ in older ones"
#elif KERNEL_VERSION(7, 4, 0) <= LINUX_VERSION_CODE
#error "costack is not tested on kernels after 7.3: read compat.h and arch/x86, then raise this"
#elif defined(CONFIG_PREEMPTION) && !defined(CONFIG_TASKS_RCU)
#error "costack needs CONFIG_TASKS_RCU: who is preempted while it reads a stack must be waited for"
#endif

/* Older releases of a stable series lack __uninitialized. */
#ifndef __uninitialized
#define __uninitialized
#endif

/* === Modules === */

/* 6.4 replaces module_layout by module_memory, and brings for_each_mod_mem_type(). */
static inline void costack_module_text(const struct module *mod, unsigned long *start,
				       unsigned long *end)
{
#ifdef for_each_mod_mem_type
	*start = (unsigned long)mod->mem[MOD_TEXT].base;
	*end = *start + mod->mem[MOD_TEXT].size;
#else
	*start = (unsigned long)mod->core_layout.base;
	*end = *start + mod->core_layout.text_size;
#endif
}

/* Does @addr lie in what is data of @mod for as long as @mod is loaded? */
static inline bool costack_module_data(const struct module *mod, unsigned long addr)
{
#ifdef for_each_mod_mem_type
	/* Declares its variable. */
	for_class_mod_mem_type(type, core_data)
		if (addr - (unsigned long)mod->mem[type].base < mod->mem[type].size)
			return true;
	return false;
#else
	unsigned long at = addr - (unsigned long)mod->core_layout.base;

	return at < mod->core_layout.size && at >= mod->core_layout.text_size;
#endif
}

/* References to @module; 0 where modules cannot be unloaded, as nobody counts them there. */
static inline int costack_module_refs(struct module *module)
{
#ifdef CONFIG_MODULE_UNLOAD
	return module_refcount(module);
#else
	return 0;
#endif
}

/* Returns false when costack is built in: it has no text of its own, nothing is movable. */
static inline bool costack_own_text(unsigned long *start, unsigned long *end)
{
#ifdef MODULE
	costack_module_text(THIS_MODULE, start, end);
	return true;
#else
	return false;
#endif
}

/* === Shrinkers === */

typedef unsigned long (*costack_shrinker_fn)(struct shrinker *shrinker,
					     struct shrink_control *sc);

/*
 * Returns a registered shrinker, or NULL. From 6.7 on the kernel allocates it, and has
 * SHRINKER_ALLOCATED.
 */
static inline struct shrinker *costack_shrinker_new(const char *name, costack_shrinker_fn count,
						    costack_shrinker_fn scan)
{
	struct shrinker *shrinker;

#ifdef SHRINKER_ALLOCATED
	shrinker = shrinker_alloc(0, "%s", name);
#else
	shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
#endif
	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
#ifdef SHRINKER_ALLOCATED
	shrinker_register(shrinker);
#else
	if (register_shrinker(shrinker, "%s", name)) {
		kfree(shrinker);
		return NULL;
	}
#endif
	return shrinker;
}

/* @shrinker may be NULL. When this returns, no scan is running any more. */
static inline void costack_shrinker_free(struct shrinker *shrinker)
{
	if (!shrinker)
		return;
#ifdef SHRINKER_ALLOCATED
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
	kfree(shrinker);
#endif
}

/* === Workqueues === */

/* 6.17 renames it, and 7.2 warns of the old name. */
#if KERNEL_VERSION(6, 17, 0) > LINUX_VERSION_CODE
#define system_dfl_wq	system_unbound_wq
#endif

/* === Timers === */

/* 6.16 renames from_timer(). */
#ifndef timer_container_of
#define timer_container_of(var, timer, field)	from_timer(var, timer, field)
#endif

/* 6.2 and late 6.1 rename del_timer_sync(); 6.15 drops the old name. */
#if KERNEL_VERSION(6, 2, 0) > LINUX_VERSION_CODE
#define timer_delete_sync(timer)	del_timer_sync(timer)
#endif

/* 6.13 brings hrtimer_setup(), 6.15 drops hrtimer_init(). */
static inline void costack_hrtimer_setup(struct hrtimer *timer,
					 enum hrtimer_restart (*fn)(struct hrtimer *),
					 clockid_t clock, enum hrtimer_mode mode)
{
#if KERNEL_VERSION(6, 13, 0) <= LINUX_VERSION_CODE
	hrtimer_setup(timer, fn, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
#endif
}

/* === Files === */

/*
 * Returns an existing entry of a directory, or ERR_PTR(). 6.3 replaces the mount's user
 * namespace by a mnt_idmap, and 6.16 takes the name as a qstr.
 */
#if KERNEL_VERSION(6, 16, 0) <= LINUX_VERSION_CODE
#define costack_lookup_positive(mnt, name, len, base) \
	lookup_one_positive_unlocked(mnt_idmap(mnt), \
				     &(struct qstr)QSTR_INIT(name, len), base)
#elif KERNEL_VERSION(6, 3, 0) <= LINUX_VERSION_CODE
#define costack_lookup_positive(mnt, name, len, base) \
	lookup_one_positive_unlocked(mnt_idmap(mnt), name, base, len)
#else
#define costack_lookup_positive(mnt, name, len, base) \
	lookup_one_positive_unlocked(mnt_user_ns(mnt), name, base, len)
#endif

/* === What a thread has === */

/* 6.5 drops backing_dev_info. */
#if KERNEL_VERSION(6, 5, 0) > LINUX_VERSION_CODE
#define COSTACK_TASK_HAS_BDI	1
#endif

/* 6.9 to 6.11 have scopes that set these two flags; others have neither flag. */
#ifdef PF_MEMALLOC_NORECLAIM
#define COSTACK_PF_NORECLAIM	PF_MEMALLOC_NORECLAIM
#else
#define COSTACK_PF_NORECLAIM	0
#endif
#ifdef PF_MEMALLOC_NOWARN
#define COSTACK_PF_NOWARN	PF_MEMALLOC_NOWARN
#else
#define COSTACK_PF_NOWARN	0
#endif

/* Forget a plug. 6.9 caches the time in the plug, and reads it there if the flag is set. */
static inline void costack_drop_plug(struct task_struct *task)
{
#ifdef PF_BLOCK_TS
	task->flags &= ~PF_BLOCK_TS;
	barrier(); /* clear the flag first: an interrupt may schedule */
#endif
	task->plug = NULL;
}

/* 7.3 gives kernel threads an empty root, and lets them borrow init's root for a while. */
static __always_inline bool costack_borrows_fs(const struct task_struct *task)
{
#ifdef scoped_with_init_fs
	return task->fs == userspace_init_fs;
#else
	return false;
#endif
}

#endif /* _COSTACK_COMPAT_H */
