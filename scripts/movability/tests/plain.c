// SPDX-License-Identifier: GPL-2.0
/*
 * Ordinary functions with local variables whose addresses live across calls. The checker
 * must approve all of them, at each level of optimization, with the flags for movable text.
 * run.py compiles this file.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef unsigned long size_t;

#define noinline __attribute__((noinline, noclone))

int hop(int n);
int hop_at(void *p, size_t n);
void print(const char *fmt, ...);
void *allocate(size_t n);
int compare(const void *a, const void *b);
void sort(void *base, size_t nr, size_t size, int (*cmp)(const void *, const void *));

struct node {
	struct node *up;
	int depth;
};

struct pair {
	u64 first, second;
};

struct large {
	u64 word[24];
};

struct request {
	char name[32];
	u32 flags;
	struct node *owner;
	u16 tag[4];
};

int good_sum(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += hop(i);
	return sum;
}

int good_array(int n)
{
	int count[16] = { };

	for (int i = 0; i < 16; i++)
		count[i] += hop(i);
	return count[n & 15];
}

int good_array_by_pointer(void)
{
	int count[16], *p, sum = 0;

	for (p = count; p < count + 16; p++)
		*p = hop(p - count);
	for (p = count; p < count + 16; p++)
		sum += *p;
	return sum;
}

int good_array_backwards(void)
{
	int count[16];

	for (int i = 15; i >= 0; i--)
		count[i] = hop(i);
	return count[hop(1) & 15];
}

int good_array_mirrored(void)
{
	int a[16], b[16], sum = 0;

	hop_at(a, sizeof(a));
	for (int i = 0; i < 16; i++)
		b[15 - i] = a[i] + hop(i);
	for (int i = 0; i < 16; i++)
		sum += b[i];
	return sum;
}

int good_array_from_a_number(u64 first, u64 end)
{
	int count[64] = { }, sum = 0;

	for (u64 pfn = first; pfn < end; pfn++)
		count[pfn - first] += hop(pfn);
	for (int i = 0; i < 64; i++)
		sum += count[i];
	return sum;
}

int good_two_arrays(void)
{
	u64 a[8];
	u8 b[8];

	for (int i = 0; i < 8; i++) {
		a[i] = hop(i);
		b[i] = hop(i + 1);
	}
	return a[hop(0) & 7] + b[hop(1) & 7];
}

int good_matrix(void)
{
	int m[4][8];

	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 8; j++)
			m[i][j] = hop(i * j);
	return m[hop(0) & 3][hop(1) & 7];
}

int good_heap_and_stack(const int *heap, int n)
{
	int local[32];

	for (int i = 0; i < (n & 31); i++)
		local[i] = heap[i] + hop(i);
	return local[hop(n) & 31];
}

int good_list(struct node *up)
{
	struct node here = { .up = up, .depth = up ? up->depth + 1 : 0 };

	if (here.depth > 10)
		return hop(here.depth);
	return good_list(&here) + here.depth;
}

int good_walk_list(struct node *node)
{
	int sum = 0;

	for (; node; node = node->up)
		sum += hop(node->depth);
	return sum;
}

static noinline struct pair make_pair(u64 n)
{
	return (struct pair){ n, hop(n) };
}

u64 good_pair(u64 n)
{
	struct pair p = make_pair(n);

	hop(1);
	return p.first + p.second;
}

static noinline struct large make_large(u64 n)
{
	struct large l = { { n } };

	l.word[hop(n) & 15] = n;
	return l;
}

static noinline u64 take_large(struct large l)
{
	return l.word[hop(0) & 15] + l.word[3];
}

u64 good_large(u64 n)
{
	struct large l = make_large(n);

	return take_large(l) + l.word[1];
}

int good_request(struct node *owner)
{
	struct request r = { .owner = owner, .flags = 3 };

	for (int i = 0; i < 4; i++)
		r.tag[i] = hop(i);
	for (int i = 0; i < 31; i++)
		r.name[i] = 'a' + hop(i);
	return hop_at(&r, sizeof(r)) + r.flags + r.owner->depth;
}

int good_varargs(int n)
{
	char text[32];

	print("%d %s %p\n", n, text, &n);
	return hop_at(text, sizeof(text));
}

int good_sum_of(int nr, ...)
{
	__builtin_va_list args;
	int sum = 0;

	__builtin_va_start(args, nr);
	while (nr--)
		sum += hop(__builtin_va_arg(args, int));
	__builtin_va_end(args);
	return sum;
}

int good_aligned(void)
{
	u64 block[8] __attribute__((aligned(64)));

	hop_at(block, sizeof(block));
	return block[hop(0) & 7];
}

int good_many_registers(int a, int b, int c, int d, int e, int f)
{
	int g = hop(a), h = hop(b), i = hop(c), j = hop(d), k = hop(e), l = hop(f);
	int buf[4] = { g, h, i, j };

	hop_at(buf, sizeof(buf));
	return a * g + b * h + c * i + d * j + e * k + f * l + buf[hop(0) & 3];
}

int good_narrow_spills(u16 a, u8 b, u16 c, u8 d, u32 e, u32 f, u32 g, u32 h)
{
	int *p = &(int){ a };

	for (int i = 0; i < 3; i++)
		*p += hop(a) + hop(b) + hop(c) + hop(d) + hop(e) + hop(f) + hop(g) + hop(h);
	return *p;
}

int good_switch(int n)
{
	int v = n;

	switch (n) {
	case 1:
		v += hop_at(&v, 1);
		break;
	case 7:
		v -= hop_at(&v, 2);
		fallthrough:
	case 12:
		v *= hop(3);
		break;
	case 99:
		goto fallthrough;
	default:
		v = hop_at(&v, 4);
	}
	return v + hop(v);
}

int good_callback(int (*fn)(void *, int), int n)
{
	int v[2] = { n, 0 };

	for (int i = 0; i < n; i++)
		v[1] += fn(v, i);
	return v[0] + v[1];
}

int good_sort(int n)
{
	int v[8] = { n, 3, 5 };

	sort(v, 8, sizeof(v[0]), compare);
	return v[hop(0) & 7];
}

int good_pointer_to_pointer(void)
{
	int a = 1, b = 2, *p = &a, **pp = &p;

	hop_at(pp, sizeof(*pp));
	if (hop(0))
		*pp = &b;
	hop_at(pp, sizeof(*pp));
	return **pp;
}

int good_end_pointer(void)
{
	int v[8], *end = v + 8, *p = end;

	while (p != v)
		*--p = hop(0);
	return hop_at(v, sizeof(v)) + *v;
}

size_t good_string(const char *s)
{
	char text[64], *p = text;

	while (*s && p < text + 63) {
		*p++ = *s++;
		hop(*s);
	}
	*p = 0;
	hop_at(text, p - text);
	return p - text;
}

int good_hash(const u8 *data, size_t size)
{
	u32 state[5] = { 1, 2, 3, 4, 5 };

	while (size >= 16) {
		for (int i = 0; i < 5; i++)
			state[i] = (state[i] << 7 | state[i] >> 25) + data[i] + hop(i);
		data += 16;
		size -= 16;
	}
	return state[0] ^ state[4];
}

int good_union(int n)
{
	union {
		u64 word;
		u8 byte[8];
		u32 half[2];
	} v = { .word = n };

	for (int i = 0; i < 8; i++)
		v.byte[i] ^= hop(i);
	return v.half[0] + v.half[1];
}

int good_goto(int n)
{
	int v = n;

again:
	if (hop_at(&v, sizeof(v)) > 3)
		goto out;
	v++;
	if (hop(v))
		goto again;
out:
	return v;
}

int good_deep(int n)
{
	volatile char room[600];

	room[n & 511] = n;
	return n > 0 ? good_deep(n - 1) + room[n & 511] : hop(n);
}

u64 good_distance(int n)
{
	int v[16];
	int *p = v + (n & 15);

	hop_at(v, sizeof(v));
	return v[hop(0) & 15] + (p - v) * hop(1);
}

int good_parameter_array(int *count, u64 first, u64 end)
{
	int sum = 0;

	for (u64 pfn = first; pfn < end; pfn++)
		sum += count[pfn - first] += hop(pfn);
	return sum;
}

int good_copy_of_struct(const struct request *from)
{
	struct request to = *from;

	hop_at(&to, sizeof(to));
	to.flags |= hop(1);
	return hop_at(&to, sizeof(to)) + to.flags;
}

int good_bits(u64 mask)
{
	int v[64], sum = 0;

	hop_at(v, sizeof(v));
	while (mask) {
		int bit = __builtin_ctzl(mask);

		sum += v[bit] + hop(bit);
		mask &= mask - 1;
	}
	return sum;
}

int good_asm_operand(int n)
{
	int v = n, w;

	asm volatile("movl %1, %0" : "=r" (w) : "m" (v));
	hop_at(&v, sizeof(v));
	return v + w + hop(w);
}

int good_never_returns(int n)
{
	int v = n;

	if (hop_at(&v, sizeof(v)))
		__builtin_trap();
	return v;
}

/* A structure returned in memory is not zeroed first, and its padding is not written. */
struct torn {
	u64	wide[4];
	u32	number;
};

struct torn_within {
	struct {
		u8	low;
		u32	number;
	} one[2];
	u64	wide[3];
};

struct torn_union {
	u64	wide[4];
	union {
		u32	number;
		u64	all;
	};
};

struct short_tail {
	u64	wide[4];
	u16	low;	/* these bits of an address never change */
};

struct no_padding {
	u64	wide[4];
	u32	number, other;
	u16	four[4];
};

struct torn get_torn(int n);
struct torn_within get_torn_within(int n);
struct torn_union get_torn_union(int n);
struct short_tail get_short_tail(int n);
struct no_padding get_no_padding(int n);

u64 bad_half_word_returned(int n)
{
	struct torn v = get_torn(n);

	return hop(n) + v.number;
}

u64 bad_half_word_returned_within(int n)
{
	struct torn_within v = get_torn_within(n);

	return hop(n) + v.one[1].number;
}

u64 bad_half_word_returned_union(int n)
{
	struct torn_union v = get_torn_union(n);

	return hop(n) + v.number;
}

u64 good_short_tail_returned(int n)
{
	struct short_tail v = get_short_tail(n);

	return hop(n) + v.low;
}

u64 good_no_padding_returned(int n)
{
	struct no_padding v = get_no_padding(n);

	return hop(n) + v.number + v.four[3];
}
