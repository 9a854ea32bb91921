// SPDX-License-Identifier: GPL-2.0
/*
 * Packing: a parked coroutine needs no stack, only what is on it.
 *
 * The used part of its stack is moved into an object of just that size, and the stack goes
 * back to the pool. Before the coroutine runs again, the runner moves the used part to any
 * other stack. What may be packed is what may be moved (costack_move_verify()).
 *
 * Meanwhile the words that are addresses of the stack are addresses of *home*: a slot that
 * nobody ever runs on and where nothing is mapped.
 *
 *	stack                  object                 another stack
 *	hi  +---------+  pack  +---------+   unpack   +---------+
 *	    | used    | -----> | words   |  ------->  | used    |
 *	sp  |         |        | skip    |            |         |
 *	    +---------+        +---------+            +---------+
 *	    |         |
 *	addresses:  of the stack        of home              of the other stack
 *
 * They cannot remain addresses of the old stack, which others use by then: somebody may send
 * the packed coroutine an address of a pinned stack that lies there, and unpacking would
 * change it. Nor can they be addresses of the object: a move also adjusts addresses a little
 * below the used part, and there lies memory of others. And code that wrongly uses an address
 * of a packed stack faults, and does not write to somebody else's stack.
 *
 * Two kinds of root are used by others while the coroutine is parked, and so these point into
 * the object: the value of a wait for a channel, and tracked pointers outside the stack.
 *
 * Unpacking needs no walk: which words are addresses of home is kept with them. So it cannot be
 * refused.
 */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/costack.h>
#include <trace/events/costack.h>

#include "arena.h"
#include "compat.h"
#include "copy.h"
#include "coroutine.h"
#include "frames.h"
#include "left.h"
#include "move.h"
#include "pack.h"
#include "pool.h"
#include "roots.h"
#include "shadow.h"
#include "stats.h"
#include "tags.h"
#include "thread.h"

/*
 * A used part of more bytes than this stays where it is: it needs much of its page anyway. With
 * a bit for each word it just fits into an object of 2,048 bytes.
 */
#define MAX_BYTES	2016UL
#define MAX_WORDS	(MAX_BYTES / sizeof(long))

/* costack_frames_prepare() clears four at a time, and up to two more than there are words. */
#define MAX_SKIP	ALIGN(MAX_WORDS / BITS_PER_LONG + 2, 4)

static struct costack_slot *home;

/*
 * The object: a bit for each word, set if the word was made an address of home; then the words.
 * Their number follows from the stack pointer of the coroutine, which is an address of home.
 */
static size_t noted_longs(size_t nr)
{
	return DIV_ROUND_UP(nr, BITS_PER_LONG);
}

static unsigned long *words_of(unsigned long *packed, size_t nr)
{
	return packed + noted_longs(nr);
}

/*
 * Adjust the roots to a move from @old to a stack that ends at @new_hi. First redirect what others
 * use meanwhile: @nr words that ended at @from now end at @to. Each pointer changes once: whoever
 * reads it finds the old place or the new one, never an address of home.
 */
static noinline void redirect(struct costack *co, const struct costack_slot *old,
			      unsigned long new_hi, unsigned long from, unsigned long to, size_t nr)
{
	const struct costack_range slot = costack_move_slot(old, new_hi);
	/* An address right behind an object may be that of another object. */
	struct costack_range range = {
		.lo	= from - nr * sizeof(long),
		.hi	= from - 1,
		.delta	= to - from,
	};

	costack_roots_redirect(&co->roots, &range, slot.lo, slot.hi);
	costack_roots_adjust(&co->roots, &slot, nr * sizeof(long));
}

/*
 * Adjust everything outside the words. The arguments are those of redirect(), and what a move
 * treats as an address of @old. Most have no root, so this takes less than costack_move_adjust().
 */
static __always_inline void adjust(struct costack *co, const struct costack_slot *old,
				   const struct costack_range *slot, unsigned long new_hi,
				   unsigned long from, unsigned long to, size_t nr)
{
	costack_move_adjust_known(co, slot);
	if (unlikely(!costack_roots_none(&co->roots)))
		redirect(co, old, new_hi, from, to, nr);
}

/* === Pack === */

/* The arguments of costack_roots_copy()'s callback. */
struct packing {
	struct costack		*co;
	unsigned long		*packed;
	unsigned long		*skip;
	size_t			nr;
};

static void do_pack(void *arg)
{
	struct packing *packing = arg;
	struct costack *co = packing->co;
	struct costack_slot *old = co->slot;
	unsigned long *words = words_of(packing->packed, packing->nr);
	const struct costack_range used = costack_move_range(co, NULL, home->hi);
	const struct costack_range slot = costack_move_slot(old, home->hi);

	costack_arch_copy(words, (void *)co->ctx.sp, packing->nr);
	costack_rebase_note(&used, words, packing->nr, packing->skip, packing->packed);
	adjust(co, old, &slot, home->hi, old->hi, (unsigned long)(words + packing->nr),
	       packing->nr);
	co->packed = packing->packed;
	WRITE_ONCE(co->slot, NULL);
}

static unsigned long *alloc_packed(const struct costack *co, size_t longs)
{
	const gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	struct mem_cgroup *old;
	unsigned long *packed;

	if (likely(!(co->flags & COSTACK_ACCOUNT)))
		return kmalloc_array(longs, sizeof(long), gfp);
	old = set_active_memcg(co->work->memcg);
	packed = kmalloc_array(longs, sizeof(long), gfp | __GFP_ACCOUNT);
	set_active_memcg(old);
	return packed;
}

static enum costack_refusal try_pack(struct costack *co, size_t nr)
{
	/* costack_frames_prepare() writes both: CONFIG_INIT_STACK_ALL_ZERO need not. */
	unsigned long skip[MAX_SKIP] __uninitialized;
	struct costack_walk walk __uninitialized;
	struct packing packing = { .co = co, .skip = skip, .nr = nr };
	enum costack_refusal refusal;

	if (nr > MAX_WORDS)
		return COSTACK_REFUSED_LARGE;
	if (co->plug || costack_thread_points_to(current, co->slot))
		return COSTACK_REFUSED_PIN;
	refusal = costack_move_verify(co, NULL, &walk, skip);
	if (refusal != COSTACK_MOVABLE)
		return refusal;
	packing.packed = alloc_packed(co, noted_longs(nr) + nr);
	if (!packing.packed)
		return COSTACK_REFUSED_MEMORY;
	costack_roots_copy(&co->roots, do_pack, &packing);
	return COSTACK_MOVABLE;
}

/**
 * costack_pack_wanted() - can anything be gained by packing a coroutine
 * @co: parked, or the answer is a guess
 *
 * Context: Any.
 * Return: false if it is packed already, or can certainly not be packed.
 */
bool costack_pack_wanted(const struct costack *co)
{
	const struct costack_slot *slot = READ_ONCE(co->slot);

	return slot && slot->hi - READ_ONCE(co->ctx.sp) <= MAX_BYTES && !READ_ONCE(co->pins);
}

/**
 * costack_pack() - pack the stack of a parked coroutine
 * @co: of a work item; has a stack; switched out, and the caller has made it COPYSTACK
 *
 * Context: Process context, any stack but @co's. Allocates without sleeping.
 * Return: %COSTACK_MOVABLE, or why @co keeps its stack.
 */
enum costack_refusal costack_pack(struct costack *co)
{
	struct costack_slot *old = co->slot;
	size_t used = old->hi - co->ctx.sp;
	enum costack_refusal refusal;

	costack_move_drop_roots(co);
	refusal = try_pack(co, used / sizeof(long));
	trace_costack_pack(co->name, co->fn, used, refusal);
	if (refusal != COSTACK_MOVABLE) {
		co->refusal = refusal;
		costack_stat_inc(COSTACK_STAT_PACKS_REFUSED);
		return refusal;
	}
	co->class = min(costack_class(old->pages), COSTACK_CLASSES - 1U);
	/* The host loop must unpack it: so nobody must hand a thread over to it. */
	costack_tag(co, 0);
	costack_stat_inc(COSTACK_STAT_PACKED);
	costack_stat_inc(COSTACK_STAT_PACKED_NOW);
	/* Nobody needs the red zones any more: an unpacked stack has none of these frames. */
	costack_shadow_clear(costack_slot_start(old), old->hi);
	if (READ_ONCE(costack_knobs.poison))
		memset((void *)costack_slot_lo(old), COSTACK_POISON_OLD, old->pages * PAGE_SIZE);
	if (unlikely(READ_ONCE(costack_knobs.unmap)))
		costack_left_add(co, old);
	else
		costack_stackfree_soon(old, costack_owner_of(co));
	return COSTACK_MOVABLE;
}

/* === Unpack === */

struct unpacking {
	struct costack		*co;
	struct costack_slot	*new;
};

static size_t words_in(const struct costack *co)
{
	return (home->hi - co->ctx.sp) / sizeof(long);
}

/* Copy @nr words that are packed to a stack. @slot is what is treated as an address of home. */
static __always_inline void copy_to(const struct costack *co, unsigned long new_hi,
				    const struct costack_range *slot, size_t nr)
{
	unsigned long *to = (unsigned long *)new_hi - nr;

	costack_arch_copy(to, words_of(co->packed, nr), nr);
	costack_rebase_noted(slot, to, nr, co->packed);
}

static __always_inline void unpack_to(struct costack *co, struct costack_slot *new)
{
	const unsigned long new_hi = new->hi;
	const struct costack_range slot = costack_move_slot(home, new_hi);
	size_t nr = words_in(co);

	copy_to(co, new_hi, &slot, nr);
	adjust(co, home, &slot, new_hi, (unsigned long)(words_of(co->packed, nr) + nr), new_hi, nr);
	WRITE_ONCE(co->slot, new);
}

static void do_unpack(void *arg)
{
	struct unpacking *unpacking = arg;

	unpack_to(unpacking->co, unpacking->new);
}

static noinline void unpack_waiting(struct costack *co, struct costack_slot *new)
{
	struct unpacking unpacking = { .co = co, .new = new };

	costack_roots_copy_waiting(&co->roots, do_unpack, &unpacking);
}

/* How many objects a CPU collects, to free them together: they are mostly neighbours in memory. */
#define BATCH	16U

/**
 * struct ended - objects that nobody uses any more
 * @nr: how many
 * @object: the objects
 *
 * Only the CPU itself touches it, with preemption off.
 */
struct ended {
	unsigned int	nr;
	void		*object[BATCH];
};

static DEFINE_PER_CPU(struct ended, ended);

static noinline void free_batch(struct ended *full)
{
	void *object[BATCH];

	memcpy(object, full->object, sizeof(object));
	full->nr = 0;
	put_cpu_ptr(&ended);
	kfree_bulk(BATCH, object);
}

/* What is charged to a memory cgroup is freed at once. */
static __always_inline void free_packed(const struct costack *co)
{
	struct ended *own;

	if (unlikely(co->flags & COSTACK_ACCOUNT)) {
		kfree(co->packed);
		return;
	}
	own = get_cpu_ptr(&ended);
	own->object[own->nr++] = co->packed;
	if (unlikely(own->nr == BATCH))
		free_batch(own);
	else
		put_cpu_ptr(&ended);
}

/* What is packed fits into the smallest stack, and grows from there as ever. */
static_assert(2 * MAX_BYTES <= PAGE_SIZE);

static struct costack_slot *take_spare(const struct costack *co, struct costack_slot **spare)
{
	struct costack_slot *slot;

	if (!spare || !costack_is_packed(co))
		return NULL;
	slot = *spare;
	*spare = NULL;
	return slot;
}

/**
 * costack_packed_copy() - copy what is packed to a stack, for somebody who only reads it
 * @co: packed, and claimed; it does not change
 * @slot: the stack
 *
 * Context: Process context, any stack but @slot's.
 * Return: how far an address of @co's stack is from its copy.
 */
long costack_packed_copy(const struct costack *co, const struct costack_slot *slot)
{
	const struct costack_range range = costack_move_slot(home, slot->hi);

	copy_to(co, slot->hi, &range, words_in(co));
	return range.delta;
}

/**
 * costack_unpack_slow() - the slow half of costack_unpack()
 * @co: has no stack
 * @spare: as for costack_unpack()
 *
 * Context: As for costack_unpack().
 * Return: as costack_unpack().
 */
bool costack_unpack_slow(struct costack *co, struct costack_slot **spare)
{
	/* Do not wait for memory while there is a stack. */
	gfp_t gfp = spare && *spare && costack_is_packed(co) ? GFP_NOWAIT | __GFP_NOWARN :
							       COSTACK_GFP;
	struct costack_slot *new = costack_stackalloc_for(co->class, costack_owner_of(co), gfp);

	if (unlikely(!new))
		new = take_spare(co, spare);
	if (!new)
		return false;
	new->co = co;
	if (!costack_is_packed(co)) {
		WRITE_ONCE(co->slot, new);
		return true;
	}
	if (unlikely(READ_ONCE(costack_knobs.poison)))
		memset((void *)costack_slot_lo(new), COSTACK_POISON_COPY, new->pages * PAGE_SIZE);
	if (likely(!costack_roots_wait(&co->roots)))
		unpack_to(co, new);
	else
		unpack_waiting(co, new);
	free_packed(co);
	co->packed = NULL;
	costack_stat_add(COSTACK_STAT_PACKED_NOW, -1);
	return true;
}

/* === Load and unload === */

/**
 * costack_pack_init() - reserve the addresses of packed stacks
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_pack_init(void)
{
	home = costack_arena_get(GFP_KERNEL);
	if (!home)
		return -ENOMEM;
	home->use = COSTACK_HOME;
	return 0;
}

/**
 * costack_pack_exit() - undo costack_pack_init()
 *
 * Context: Process context; no coroutine lives.
 */
void costack_pack_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct ended *its = per_cpu_ptr(&ended, cpu);

		if (its->nr)
			kfree_bulk(its->nr, its->object);
		its->nr = 0;
	}
	home->use = COSTACK_FRESH;
	costack_arena_put(home);
	home = NULL;
}
