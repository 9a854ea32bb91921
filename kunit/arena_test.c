// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the arena: slots, the pages mapped in them, and the lookup by address.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/costack.h>

#include "../module/arena.h"

static int on_the_image;

static struct costack_slot *get(struct kunit *test)
{
	struct costack_slot *slot = costack_arena_get(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, slot);
	return slot;
}

static struct page *map(struct kunit *test, struct costack_slot *slot)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, page);
	costack_arena_map(slot, page);
	return page;
}

/* Return a slot to the arena, and its pages to the page allocator. */
static void put(struct costack_slot *slot)
{
	struct page *pages[COSTACK_MAX_PAGES];
	unsigned int nr = 0;

	while (slot->pages)
		pages[nr++] = costack_arena_unmap(slot);
	costack_arch_flush();
	while (nr)
		__free_page(pages[--nr]);
	costack_arena_put(slot);
}

static bool is_mapped(unsigned long addr)
{
	return pte_present(*costack_arch_pte(addr));
}

static void new_slot_is_empty(struct kunit *test)
{
	struct costack_slot *slot = get(test);

	KUNIT_EXPECT_EQ(test, slot->pages, 0);
	KUNIT_EXPECT_EQ(test, costack_slot_lo(slot), slot->hi);
	KUNIT_EXPECT_NULL(test, slot->co);
	KUNIT_EXPECT_NULL(test, slot->next);
	put(slot);
}

static void slot_is_aligned_to_its_size(struct kunit *test)
{
	struct costack_slot *slot = get(test);

	KUNIT_EXPECT_EQ(test, slot->hi % COSTACK_SLOT_SIZE, 0);
	KUNIT_EXPECT_EQ(test, costack_slot_start(slot), slot->hi - COSTACK_SLOT_SIZE);
	put(slot);
}

static void slot_has_the_entry_of_its_highest_page(struct kunit *test)
{
	struct costack_slot *slot = get(test);

	KUNIT_EXPECT_PTR_EQ(test, slot->ptep, costack_arch_pte(slot->hi - PAGE_SIZE));
	put(slot);
}

static void new_slot_has_no_page_anywhere(struct kunit *test)
{
	struct costack_slot *slot = get(test);
	unsigned long addr;

	for (addr = costack_slot_start(slot); addr < slot->hi; addr += PAGE_SIZE)
		KUNIT_EXPECT_FALSE(test, is_mapped(addr));
	put(slot);
}

static void lookup_finds_the_first_and_the_last_byte(struct kunit *test)
{
	struct costack_slot *slot = get(test);

	KUNIT_EXPECT_PTR_EQ(test, costack_arena_lookup(costack_slot_start(slot)), slot);
	KUNIT_EXPECT_PTR_EQ(test, costack_arena_lookup(slot->hi - 1), slot);
	put(slot);
}

static void lookup_finds_the_guard(struct kunit *test)
{
	struct costack_slot *slot = get(test);

	map(test, slot);
	KUNIT_EXPECT_PTR_EQ(test, costack_arena_lookup(costack_slot_lo(slot) - 1), slot);
	KUNIT_EXPECT_PTR_EQ(test, costack_arena_lookup(costack_slot_lo(slot)), slot);
	put(slot);
}

/* There may be no slot above or below: that depends on the place in the chunk. */
static void lookup_of_the_neighbours_is_not_the_slot(struct kunit *test)
{
	struct costack_slot *slot = get(test), *above, *below;

	above = costack_arena_lookup(slot->hi);
	below = costack_arena_lookup(costack_slot_start(slot) - 1);
	KUNIT_EXPECT_PTR_NE(test, above, slot);
	KUNIT_EXPECT_PTR_NE(test, below, slot);
	KUNIT_EXPECT_TRUE(test, above || below);
	if (above)
		KUNIT_EXPECT_EQ(test, costack_slot_start(above), slot->hi);
	if (below)
		KUNIT_EXPECT_EQ(test, below->hi, costack_slot_start(slot));
	put(slot);
}

static void lookup_outside_finds_nothing(struct kunit *test)
{
	int on_the_stack;

	KUNIT_EXPECT_NULL(test, costack_arena_lookup(0));
	KUNIT_EXPECT_NULL(test, costack_arena_lookup(ULONG_MAX));
	KUNIT_EXPECT_NULL(test, costack_arena_lookup((unsigned long)&on_the_stack));
	KUNIT_EXPECT_NULL(test, costack_arena_lookup((unsigned long)&on_the_image));
	KUNIT_EXPECT_NULL(test, costack_arena_lookup((unsigned long)test));
}

/* The guess may be the slot of a stack that another thread uses, or of none. */
static void guess_is_checked(struct kunit *test)
{
	struct costack *co = kunit_kzalloc(test, sizeof(*co), GFP_KERNEL);
	struct costack_slot *mine = get(test), *other = get(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, co);
	mine->co = co;
	co->slot = mine;
	for (i = 0; i < 2; i++) {
		costack_arena_expect(i ? mine : other);
		KUNIT_EXPECT_PTR_EQ(test, costack_arena_at(mine->hi - sizeof(long)), co);
		KUNIT_EXPECT_PTR_EQ(test, costack_arena_at(costack_slot_start(mine) + 1), co);
		KUNIT_EXPECT_NULL(test, costack_arena_at(other->hi - sizeof(long)));
		KUNIT_EXPECT_NULL(test, costack_arena_at(mine->hi + sizeof(long)));
		KUNIT_EXPECT_NULL(test, costack_arena_at(costack_slot_start(mine) - 1));
		KUNIT_EXPECT_NULL(test, costack_arena_at((unsigned long)&i));
	}
	mine->co = NULL;
	KUNIT_EXPECT_NULL(test, costack_arena_at(mine->hi - sizeof(long)));
	put(mine);
	put(other);
}

static void slots_do_not_overlap(struct kunit *test)
{
	struct costack_slot *slots[8];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(slots); i++)
		slots[i] = get(test);
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_TRUE(test, slots[i]->hi <= costack_slot_start(slots[j]) ||
					  slots[j]->hi <= costack_slot_start(slots[i]));
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		put(slots[i]);
}

static void slot_that_is_out_is_not_free(struct kunit *test)
{
	unsigned long before = costack_arena_free_slots();
	struct costack_slot *slot = get(test);

	KUNIT_EXPECT_EQ(test, costack_arena_free_slots(), before - 1);
	put(slot);
	KUNIT_EXPECT_EQ(test, costack_arena_free_slots(), before);
}

static void put_takes_a_whole_list(struct kunit *test)
{
	unsigned long before = costack_arena_free_slots();
	struct costack_slot *slots[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slots); i++)
		slots[i] = get(test);
	slots[0]->next = slots[1];
	slots[1]->next = slots[2];
	KUNIT_EXPECT_EQ(test, costack_arena_free_slots(), before - 3);
	costack_arena_put(slots[0]);
	KUNIT_EXPECT_EQ(test, costack_arena_free_slots(), before);
}

static void map_adds_a_page_below(struct kunit *test)
{
	struct costack_slot *slot = get(test);

	map(test, slot);
	KUNIT_EXPECT_EQ(test, slot->pages, 1);
	KUNIT_EXPECT_EQ(test, costack_slot_lo(slot), slot->hi - PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, is_mapped(slot->hi - PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, is_mapped(slot->hi - 2 * PAGE_SIZE));

	map(test, slot);
	KUNIT_EXPECT_EQ(test, slot->pages, 2);
	KUNIT_EXPECT_TRUE(test, is_mapped(slot->hi - 2 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, is_mapped(slot->hi - 3 * PAGE_SIZE));
	put(slot);
}

static void mapped_page_is_the_one_that_was_given(struct kunit *test)
{
	struct costack_slot *slot = get(test);
	struct page *upper = map(test, slot), *lower = map(test, slot);

	memset((void *)(slot->hi - PAGE_SIZE), 1, PAGE_SIZE);
	memset((void *)(slot->hi - 2 * PAGE_SIZE), 2, PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(upper), 1, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(lower), 2, PAGE_SIZE));
	put(slot);
}

static void contents_survive_a_further_page(struct kunit *test)
{
	struct costack_slot *slot = get(test);

	map(test, slot);
	memset((void *)costack_slot_lo(slot), 0xa5, PAGE_SIZE);
	map(test, slot);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)(slot->hi - PAGE_SIZE), 0xa5, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)costack_slot_lo(slot), 0, PAGE_SIZE));
	put(slot);
}

static void unmap_takes_the_lowest_page(struct kunit *test)
{
	struct costack_slot *slot = get(test);
	struct page *upper = map(test, slot), *lower = map(test, slot);

	KUNIT_EXPECT_PTR_EQ(test, costack_arena_unmap(slot), lower);
	KUNIT_EXPECT_EQ(test, slot->pages, 1);
	KUNIT_EXPECT_FALSE(test, is_mapped(slot->hi - 2 * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, is_mapped(slot->hi - PAGE_SIZE));
	KUNIT_EXPECT_PTR_EQ(test, costack_arena_unmap(slot), upper);
	KUNIT_EXPECT_EQ(test, slot->pages, 0);
	KUNIT_EXPECT_FALSE(test, is_mapped(slot->hi - PAGE_SIZE));
	costack_arch_flush();
	__free_page(lower);
	__free_page(upper);
	put(slot);
}

static void contents_go_with_the_page_to_another_slot(struct kunit *test)
{
	struct costack_slot *from = get(test), *to = get(test);

	map(test, from);
	memset((void *)costack_slot_lo(from), 0xa5, PAGE_SIZE);
	costack_arena_map(to, costack_arena_unmap(from));
	costack_arch_flush();
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)costack_slot_lo(to), 0xa5, PAGE_SIZE));
	put(from);
	put(to);
}

static void other_page_shows_after_a_remap(struct kunit *test)
{
	struct costack_slot *slot = get(test);
	struct page *page = map(test, slot);

	memset((void *)costack_slot_lo(slot), 0xa5, PAGE_SIZE);
	costack_arena_unmap(slot);
	costack_arch_flush();
	map(test, slot);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)costack_slot_lo(slot), 0, PAGE_SIZE));
	__free_page(page);
	put(slot);
}

static void largest_stack_has_as_much_guard(struct kunit *test)
{
	struct costack_slot *slot = get(test);
	unsigned long addr;

	while (slot->pages < COSTACK_MAX_PAGES)
		map(test, slot);
	KUNIT_EXPECT_EQ(test, costack_slot_lo(slot) - costack_slot_start(slot),
			COSTACK_MAX_PAGES * PAGE_SIZE);
	for (addr = costack_slot_start(slot); addr < costack_slot_lo(slot); addr += PAGE_SIZE)
		KUNIT_EXPECT_FALSE(test, is_mapped(addr));
	for (; addr < slot->hi; addr += PAGE_SIZE)
		KUNIT_EXPECT_TRUE(test, is_mapped(addr));
	put(slot);
}

/* Take @nr slots. Returns them as a list. */
static struct costack_slot *take(struct kunit *test, unsigned long nr)
{
	struct costack_slot *first = NULL;

	while (nr--) {
		struct costack_slot *slot = get(test);

		slot->next = first;
		first = slot;
	}
	return first;
}

static struct costack_slot *take_all(struct kunit *test, unsigned long *nr)
{
	*nr = costack_arena_free_slots() + 1;
	return take(test, *nr);
}

static void chunk_is_added_when_no_slot_is_left(struct kunit *test)
{
	unsigned long slots = costack_arena_slots(), was_free = costack_arena_free_slots(), nr;
	struct costack_slot *all = take_all(test, &nr);

	KUNIT_EXPECT_EQ(test, nr, was_free + 1);
	KUNIT_EXPECT_EQ(test, costack_arena_slots(), slots + COSTACK_CHUNK_SLOTS);
	KUNIT_EXPECT_EQ(test, costack_arena_free_slots(), COSTACK_CHUNK_SLOTS - 1);
	costack_arena_put(all);
	KUNIT_EXPECT_EQ(test, costack_arena_free_slots(), was_free + COSTACK_CHUNK_SLOTS);
}

static void lookup_finds_every_slot_of_every_chunk(struct kunit *test)
{
	struct costack_slot *all, *slot;
	unsigned long nr, wrong = 0;

	all = take_all(test, &nr);
	KUNIT_EXPECT_GT(test, costack_arena_slots(), COSTACK_CHUNK_SLOTS);
	for (slot = all; slot; slot = slot->next) {
		wrong += costack_arena_lookup(costack_slot_start(slot)) != slot;
		wrong += costack_arena_lookup(slot->hi - 1) != slot;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	costack_arena_put(all);
}

/*
 * A number below 64 Mi, of either sign, in the lower half of a word must never look like
 * an address of a stack.
 */
static void no_lower_half_is_a_small_number(struct kunit *test)
{
	const u32 small = 64 << 20;
	struct costack_slot *all, *slot;
	unsigned long wrong = 0;

	all = take(test, costack_arena_free_slots() + 32 * COSTACK_CHUNK_SLOTS);
	for (slot = all; slot; slot = slot->next) {
		wrong += (u32)costack_slot_start(slot) + small < 2 * small;
		wrong += (u32)slot->hi + small < 2 * small;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	costack_arena_put(all);
}

/* How far the entry at @i is from its place. Each chunk is entered at two places. */
static unsigned long displaced(unsigned long i)
{
	const struct costack_chunk *chunk = costack_arena_table[i];
	unsigned long first = costack_table_index(chunk->first);
	unsigned long last = costack_table_index(chunk->first + COSTACK_CHUNK_SLOTS - 1);

	return min((i - first) % COSTACK_TABLE_SIZE, (i - last) % COSTACK_TABLE_SIZE);
}

/* Most of the chunks are neighbours in the address space. */
static void lookup_stays_short_with_many_chunks(struct kunit *test)
{
	unsigned long slots = costack_arena_slots() + 24 * COSTACK_CHUNK_SLOTS;
	unsigned long i, worst = 0;
	struct costack_slot *all;

	all = take(test, costack_arena_free_slots() + 23 * COSTACK_CHUNK_SLOTS + 1);
	KUNIT_EXPECT_EQ(test, costack_arena_slots(), slots);
	for (i = 0; i < COSTACK_TABLE_SIZE; i++)
		if (costack_arena_table[i])
			worst = max(worst, displaced(i));
	KUNIT_EXPECT_LE(test, worst, 3);
	costack_arena_put(all);
}

static struct kunit_case arena_cases[] = {
	KUNIT_CASE(new_slot_is_empty),
	KUNIT_CASE(slot_is_aligned_to_its_size),
	KUNIT_CASE(slot_has_the_entry_of_its_highest_page),
	KUNIT_CASE(new_slot_has_no_page_anywhere),
	KUNIT_CASE(lookup_finds_the_first_and_the_last_byte),
	KUNIT_CASE(lookup_finds_the_guard),
	KUNIT_CASE(lookup_of_the_neighbours_is_not_the_slot),
	KUNIT_CASE(lookup_outside_finds_nothing),
	KUNIT_CASE(guess_is_checked),
	KUNIT_CASE(slots_do_not_overlap),
	KUNIT_CASE(slot_that_is_out_is_not_free),
	KUNIT_CASE(put_takes_a_whole_list),
	KUNIT_CASE(map_adds_a_page_below),
	KUNIT_CASE(mapped_page_is_the_one_that_was_given),
	KUNIT_CASE(contents_survive_a_further_page),
	KUNIT_CASE(unmap_takes_the_lowest_page),
	KUNIT_CASE(contents_go_with_the_page_to_another_slot),
	KUNIT_CASE(other_page_shows_after_a_remap),
	KUNIT_CASE(largest_stack_has_as_much_guard),
	KUNIT_CASE(chunk_is_added_when_no_slot_is_left),
	KUNIT_CASE(lookup_finds_every_slot_of_every_chunk),
	KUNIT_CASE(lookup_stays_short_with_many_chunks),
	KUNIT_CASE(no_lower_half_is_a_small_number),
	{ }
};

static struct kunit_suite arena_suite = {
	.name		= "costack_arena",
	.test_cases	= arena_cases,
};

kunit_test_suite(arena_suite);

MODULE_LICENSE("GPL");
