// SPDX-License-Identifier: GPL-2.0
/*
 * What GCC makes of plain loops when it may: with -O2 and none of the flags for
 * movable text the checker has to refuse them, with the flags to approve them.
 * run.py compiles this file both ways.
 */
typedef unsigned long u64;

int hop(int n);
int hop_at(void *p, u64 n);

/* ivopts: count - 4 * first. */
int made_biased_index(u64 first, u64 end)
{
	int count[64] = { }, sum = 0;

	for (u64 pfn = first; pfn < end; pfn++)
		count[pfn - first] += hop(pfn);
	for (int i = 0; i < 64; i++)
		sum += count[i];
	return sum;
}

int made_biased_index_of_long(u64 first, u64 end)
{
	u64 count[64];

	hop_at(count, sizeof(count));
	for (u64 ino = first; ino < end; ino++)
		count[ino - first] += hop(ino);
	return count[first & 63];
}
