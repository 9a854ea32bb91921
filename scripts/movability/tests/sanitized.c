// SPDX-License-Identifier: GPL-2.0
/*
 * Functions as KCSAN instruments them. It calls a function for each access, and what is left in
 * other registers than that of the address is not handed to it.
 */

struct slot {
	unsigned long lo;
	unsigned long hi;
};

struct costack {
	struct slot *slot;
	unsigned char limit;
};

int good_room_left(const struct costack *co);
int good_room_left(const struct costack *co)
{
	register unsigned long sp asm("rsp");
	const struct slot *slot = co->slot;
	unsigned long here;

	asm("mov %1, %0" : "=r" (here) : "r" (sp));
	return here - slot->lo < 512 || here + co->limit * 4096 < slot->hi;
}
