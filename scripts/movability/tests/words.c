// SPDX-License-Identifier: GPL-2.0
/*
 * Functions words_N_*, in whose frames N words are known to be numbers while they call another
 * function. words_N_warned_* have arrays whose bytes a move may take for addresses.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define __aligned(n)	__attribute__((aligned(n)))

struct address {
	u64 *to;
	u64 room[7];
};

struct numbers {
	u32 a[5];
	u8 b[10];
	u16 c;
};

int hop(void);
void costack_opaque(void *buf, u64 len);
void fill(void *buf, u64 len);
void fill_chars(char *buf, u64 len);
void get_random_bytes(void *buf, u64 len);
void *memset(void *buf, int c, u64 len);
void *memcpy(void *to, const void *from, u64 len);
void send(const void *buf, u64 len);
void set(u64 where);
int show(const char *format, ...);
int gather(int nr, ...);
int unknown();
int use_address(struct address *p);
int many(long, long, long, long, long, long, long, long);

int words_8_chars(void)
{
	char text[64];

	fill_chars(text, sizeof(text));
	return hop() + text[3];
}

int words_2_partly_chars(void)
{
	u64 number;
	char text[13];

	fill_chars(text, sizeof(text));
	fill(&number, sizeof(number));
	return hop() + text[3] + number;
}

int words_64_large_chars(void)
{
	u8 bytes[512];

	get_random_bytes(bytes, sizeof(bytes));
	return hop() + bytes[3];
}

int words_5_ints(void)
{
	u32 v[10];

	get_random_bytes(v, sizeof(v));
	return hop() + v[3];
}

int words_4_struct(void)
{
	struct numbers v;

	get_random_bytes(&v, sizeof(v));
	return hop() + v.a[3];
}

int words_7_two_dimensions(void)
{
	u16 v[4][7];

	get_random_bytes(v, sizeof(v));
	return hop() + v[3][3];
}

int words_4_aligned_ints(void)
{
	u32 v[8] __aligned(8);

	get_random_bytes(v, sizeof(v));
	return hop() + v[3];
}

int words_0_aligned_chars(void)
{
	char room[64] __aligned(8);

	fill(room, sizeof(room));
	return hop() + room[3];
}

int words_0_longs(void)
{
	u64 v[8];

	fill(v, sizeof(v));
	return hop() + v[3];
}

int words_0_struct_with_an_address(void)
{
	struct address v;

	fill(&v, sizeof(v));
	return hop() + v.room[3];
}

int words_0_chars_used_as_a_struct(void)
{
	char room[sizeof(struct address)];

	use_address((struct address *)room);
	return hop() + room[3];
}

int words_0_chars_with_an_address_in_them(void)
{
	char room[16];
	u64 there;

	fill(&there, sizeof(there));
	*(u64 **)room = &there;
	fill(room, sizeof(room));
	return hop() + room[3];
}

/* Both variables have the same place, one after the other. */
int words_8_shared_by_scopes(void)
{
	int sum;

	{
		struct address v;

		fill(&v, sizeof(v));
		sum = hop() + v.room[3];
	}
	{
		char text[64];

		fill_chars(text, sizeof(text));
		sum += hop() + text[3];
	}
	return sum;
}

/* One variable is used only after the other's scope. */
int words_12_shared_with_what_comes_later(void)
{
	int sum;
	u64 later[12];

	{
		u32 v[23];

		get_random_bytes(v, sizeof(v));
		sum = hop() + v[3];
	}
	fill(later, sizeof(later));
	return sum + hop() + later[3];
}

/* An address one past an array must not affect a number that is kept elsewhere. */
int words_9_beside_the_end_of_an_array(void)
{
	u8 bytes[64], *p = bytes, *end = bytes + sizeof(bytes);
	u32 number = hop();

	while (p < end) {
		get_random_bytes(p, end - p);
		/* No register is left for the number. */
		asm volatile("" :: "r" (__builtin_frame_address(0)) :
			     "rbx", "r12", "r13", "r14", "r15");
		p += hop();
	}
	return number;
}

/* The last word belongs partly to the array; its other bytes are old ones. */
int words_1_end_of_aligned_chars(void)
{
	char room[20] __aligned(8);

	fill(room, sizeof(room));
	return hop() + room[3];
}

/* The argument on top of the stack belongs to the callee. */
int words_0_arguments(void)
{
	return many(1, 2, 3, 4, 5, 6, 7, 8) + 1;
}

int words_0_warned_chars(void)
{
	char room[512];

	fill(room, sizeof(room));
	return room[3];
}

int words_0_opaque_chars(void)
{
	char room[512] __aligned(8);

	costack_opaque(room, sizeof(room));
	fill(room, sizeof(room));
	return room[3];
}

/* The alignment shows that this is room for an object. */
int words_0_room_for_an_object(void)
{
	char room[512] __aligned(8);

	fill(room, sizeof(room));
	return room[3];
}

int words_0_chars_to_void(void)
{
	char room[64];

	fill(room, sizeof(room));
	return hop() + room[3];
}

int words_0_ints_to_void(void)
{
	u32 v[16];

	fill(v, sizeof(v));
	return hop() + v[3];
}

int words_0_struct_to_void(void)
{
	struct { u32 op, state[15]; } v = { 1 };

	fill(v.state, sizeof(v.state));
	return hop() + v.state[3];
}

int words_0_aligned_by_hand_to_void(void)
{
	char room[64];

	fill((void *)(((u64)room + 31) & ~31UL), 32);
	return hop() + room[3];
}

int words_0_an_address_as_a_number(void)
{
	char room[64];

	set((u64)room);
	return hop() + room[3];
}

int words_0_no_prototype(void)
{
	char room[64];

	unknown(room);
	return hop() + room[3];
}

int words_0_called_by_address(void (*fn)(void *))
{
	char room[64];

	fn(room);
	return hop() + room[3];
}

int words_0_any_arguments(void)
{
	char room[64];

	gather(1, room);
	return hop() + room[3];
}

int words_0_stored_address(char **to)
{
	char room[64];

	*to = room;
	return hop() + room[3];
}

int words_8_to_const_void(void)
{
	char room[64];

	memset(room, 1, sizeof(room));
	send(room, sizeof(room));
	return hop() + room[3];
}

int words_8_printed(void)
{
	char room[64];

	fill_chars(room, sizeof(room));
	show("%s", room);
	return hop() + room[3];
}

int words_0_copied(const void *from, u64 len)
{
	char room[64];

	memcpy(room, from, len);
	return hop() + room[3];
}

int words_8_copied_text(u64 len)
{
	char room[64];

	memcpy(room, "what never changes, and is longer than any register", len);
	return hop() + room[3];
}

int words_8_copied_a_bit(const void *from)
{
	char room[64];

	memcpy(room, from, 7);
	return hop() + room[3];
}

int words_16_copied_chars(u64 len)
{
	char room[64], other[64];

	fill_chars(other, sizeof(other));
	memcpy(room, other, len);
	return hop() + room[3] + other[3];
}

int words_0_copied_unknown_chars(u64 len)
{
	char room[64], other[64];

	fill(other, sizeof(other));
	memcpy(room, other, len);
	return hop() + room[3] + other[3];
}

int words_0_stored_by_an_index(u64 **from, int nr)
{
	char room[64];
	int i;

	for (i = 0; i < nr; i++)
		((u64 **)room)[i] = from[i];
	send(room, sizeof(room));
	return hop() + room[3];
}

/*
 * Addresses that are passed on the stack. The checker does not use the type of such an
 * argument. hop() is called before it, when the stack has no arguments and no padding for them.
 */
int late(long, long, long, long, long, long, void *buf);
int late_two(long, long, long, long, long, long, u64 len, void *buf);
int late_chars(long, long, long, long, long, long, char *buf);

struct small_given {
	u64 numbers[3];
	void *buf;
};

struct large_given {
	u64 numbers[40];
	void *buf;
};

int take_small(struct small_given);
int take_large(struct large_given);

int words_0_on_the_stack(void)
{
	char room[64];
	int sum = hop();

	late(1, 2, 3, 4, 5, 6, room);
	return sum + room[3];
}

int words_0_on_the_stack_behind_another(void)
{
	char room[64];
	int sum = hop();

	late_two(1, 2, 3, 4, 5, 6, sizeof(room), room);
	return sum + room[3];
}

int words_0_on_the_stack_and_saved(long a, long b, long c)
{
	char room[64];
	int sum = hop();

	sum += late(a, b, c, 4, 5, 6, room);
	sum += late_two(a, b, c, 4, 5, sum, 7, room);
	return room[3] + sum;
}

int words_0_on_the_stack_by_address(int (*fn)(long, long, long, long, long, long, void *))
{
	char room[64];
	int sum = hop();

	fn(1, 2, 3, 4, 5, 6, room);
	return sum + room[3];
}

int words_0_in_a_small_structure(void)
{
	char room[64];
	int sum = hop();

	take_small((struct small_given){ { 1, 2, 3 }, room });
	return sum + room[3];
}

int words_0_in_a_large_structure(void)
{
	char room[64];

	take_large((struct large_given){ { 1, 2, 3 }, room });
	return hop() + room[3];
}

int words_0_in_a_structure_of_which_a_part_is_read(long n)
{
	char room[64];
	struct large_given given = { { 1, 2, n }, room };

	take_large(given);
	given.numbers[n & 31]++;
	take_large(given);
	return hop() + room[3] + given.numbers[2];
}

int words_0_warned_on_the_stack(void)
{
	char room[512];

	late(1, 2, 3, 4, 5, 6, room);
	return room[3];
}

int words_0_warned_in_a_large_structure(void)
{
	char room[512];

	take_large((struct large_given){ { 1, 2, 3 }, room });
	return room[3];
}

int words_0_chars_on_the_stack(void)
{
	char room[64];
	int sum = hop();

	late_chars(1, 2, 3, 4, 5, 6, room);
	return sum + room[3];
}
