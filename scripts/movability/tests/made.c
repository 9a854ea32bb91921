// SPDX-License-Identifier: GPL-2.0
/*
 * Plain code of which some optimizations of GCC make code that is not movable. With -O2 and
 * without the flags for movable text the checker must refuse made_*. hidden_* then has
 * accesses far below the address that it keeps across a call, which no checker can tell from
 * accesses to fields of a structure. With the flags the checker must approve all of them, at
 * each level of optimization, and there must be no such accesses. run.py compiles this file
 * both ways.
 */
typedef unsigned char u8;
typedef unsigned long u64;

int hop(int n);
int hop_at(void *p, u64 n);

struct table {
	int head[3];
	int entry[64];
};

/* === Induction variables (ivopts): count - 4 * first === */

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

int made_biased_index_of_parameter(int *count, u64 first, u64 end)
{
	int sum = 0;

	for (u64 pfn = first; pfn < end; pfn++)
		sum += count[pfn - first] += hop(pfn);
	return sum;
}

int made_biased_bytes(u64 first, u64 end)
{
	u8 seen[64] = { };

	for (u64 pfn = first; pfn < end; pfn++)
		seen[pfn - first] ^= hop(pfn);
	return seen[first & 63];
}

int made_biased_downwards(u64 last, u64 first)
{
	long count[64];

	hop_at(count, sizeof(count));
	for (u64 pfn = last; pfn-- > first;)
		count[pfn - first] += hop(pfn);
	return count[last & 63];
}

int made_biased_and_mirrored(u64 first, u64 end)
{
	int up[64], down[64];

	hop_at(up, sizeof(up));
	hop_at(down, sizeof(down));
	for (u64 pfn = first; pfn < end; pfn++) {
		up[pfn - first] += hop(pfn);
		down[end - 1 - pfn] += hop(pfn);
	}
	return up[end & 63] + down[end & 63];
}

int made_backwards_by_stride(u64 step, u64 n)
{
	int a[64] = { };

	for (u64 i = 0; i < n; i++)
		a[i * step] += hop(i);
	for (u64 i = 0; i < n; i++)
		a[(n - i) * step - step] += hop(i);
	return a[hop(1) & 63];
}

/* === Straight-line strength reduction: keeps p + 4 * i, and reads at -8000 and below === */

int hidden_constant_bias(struct table *p, u64 i)
{
	int sum = p->entry[i - 2000] + p->entry[i - 1999];

	sum += hop(1);
	sum += p->entry[i - 2000] + p->entry[i - 1999];
	p->entry[i - 1998] = sum;
	sum += hop(2);
	return sum + p->entry[i - 2000] + p->entry[i - 1999] + p->entry[i - 1998];
}

int hidden_constant_bias_read_once(struct table *p, u64 i)
{
	int sum = p->entry[i - 2000];

	sum += hop(1);
	sum += p->entry[i - 1999];
	sum += hop(2);
	sum += p->entry[i - 1998];
	sum += hop(3);
	return sum + p->entry[i - 1997];
}

/* === Allocation over calls (ipa-ra): keeps values in registers that a callee may change === */

static __attribute__((noinline)) int leaf(int *p)
{
	return p[0] * 3 + p[1];
}

int made_kept_over_a_leaf(int n)
{
	int v[2] = { n, n + 1 }, w[2] = { n + 2, n }, *p = w, sum;

	hop_at(v, sizeof(v));
	hop_at(w, sizeof(w));
	if (n > 3)
		p = v;
	sum = leaf(v);
	sum += leaf(w);
	sum += leaf(p);
	return sum + v[0] + p[1];
}
