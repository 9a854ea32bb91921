// SPDX-License-Identifier: GPL-2.0
/*
 * A file in which a function that is called by a pointer returns in memory a structure that
 * may be written only in part.
 */
typedef unsigned int u32;
typedef unsigned long u64;

struct torn {
	u64	wide[4];
	u32	number;
};

int hop(int n);

u64 bad_half_word_returned_by_pointer(struct torn (*get)(int n), int n)
{
	struct torn v = get(n);

	return hop(n) + v.number;
}

u64 good_pointer_to_another(u64 (*get)(u64 n), int n)
{
	u64 v = get(n);

	return hop(n) + v;
}
