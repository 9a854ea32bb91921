// SPDX-License-Identifier: GPL-2.0
/*
 * The stacks of the programs, and their moves. A move uses the module's own copy.c, and has the
 * order of steps and the range of addresses of costack_copystack() in module/move.c.
 *
 * A slot has an unmapped guard and, above it, the mapped part. As in the kernel, a stack
 * moves to the same place in another slot, so the lower bits of its addresses do not change.
 * If the mapped part ends at the page of the lowest used byte, an access below that faults. The
 * handler, on a stack of its own, moves the stack and adjusts the registers, and the instruction
 * is executed again.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "../../module/copy.h"
#include "fuzz.h"

/*
 * An address up to this far below the used part is an address of the stack too: list code
 * computes the address of a structure around the list's head, although there is none. Nothing
 * else has such an address.
 */
#define BELOW		PAGE
/* Room below a stack whose accesses must not fault, and unused room at the top. */
#define ROOM		0x4000UL
#define MARGIN		256UL

/**
 * struct slot - a place for a stack
 * @start: its lowest address
 * @open: where the mapped part begins
 * @end: its end
 */
static struct slot {
	unsigned long	start, open, end;
} slots[NR_SLOTS];

/* The slot and the top of the stack in use, and how the program is run. */
static struct slot *slot;
static unsigned long hi;
static struct way way;
static u64 random_state;
static sigjmp_buf *crash_to;

/* The last move: if a hook caused it, what that hook returns is adjusted by it. */
static struct costack_range range;
static bool moved;

struct tally tally;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void protect(unsigned long from, unsigned long to, int prot)
{
	if (mprotect((void *)from, to - from, prot))
		die("mprotect");
}

/* Make the mapped part of a slot begin at @open. */
static void set_open(struct slot *s, unsigned long open)
{
	if (open < s->open)
		protect(open, s->open, PROT_READ | PROT_WRITE);
	else if (open > s->open)
		protect(s->open, open, PROT_NONE);
	s->open = open;
}

/*
 * All slots are in one range of 4 GiB, so all addresses of stacks have the same upper half.
 * Their lower halves are values that numbers often have: small ones, small negative ones,
 * values near the sign bit, and any others.
 */
void move_init(u64 seed)
{
	static const unsigned long lower[] = {
		0, 0xfffc0000, 0x7ffe0000, 0x80000000, 0x00100000, 0x00400000,
	};
	unsigned long upper;
	unsigned int i, k;

	/* Keep away from the program itself, its heap and the libraries. */
	upper = 0x1000 + draw(&seed) % 0x4000;
	for (i = 0; i < NR_SLOTS; i++) {
		struct slot *s = &slots[i];
		void *at;

		for (k = 0; k < 100; k++) {
			s->start = i < 6 && !k ? lower[i] : (u32)draw(&seed) & -SLOT_SIZE;
			s->start |= upper << 32;
			at = mmap((void *)s->start, SLOT_SIZE, PROT_NONE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
			if (at == (void *)s->start)
				break;
		}
		if (k == 100)
			die("mmap");
		s->end = s->start + SLOT_SIZE;
		s->open = s->end;
	}
}

/* Return an address that may be in the used part of a stack. */
unsigned long move_an_address(u64 random)
{
	const struct slot *s = &slots[random % NR_SLOTS];

	random >>= 8;
	return s->end - (random >> 16) % (random & 1 ? 0x1400 : 0x4000);
}

/* === Copystack === */

/* A bit for each word of the stack; set if the word is known to be a number. */
static unsigned long skip[SLOT_SIZE / 8 / 64];

struct walk {
	unsigned long	from;
	unsigned int	frames;
	bool		fault, refused, ended;
};

static void skip_words(const struct walk *walk, unsigned long sp, const struct words *words)
{
	unsigned long at = (sp - walk->from) / 8 + words->first;
	u32 i;

	for (i = 0; i < words->nr; i++, at++)
		if (at < (hi - walk->from) / 8)
			skip[at / 64] |= 1UL << at % 64;
}

/*
 * Look at a frame. The unwinder begins on the host stack, in this file. libgcc gives the
 * frame's return address, or the address of the fault, and the stack pointer there.
 */
static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *arg)
{
	struct walk *walk = arg;
	int before = 0;
	unsigned long ip = _Unwind_GetIPInfo(context, &before);
	const struct words *words;
	u32 nr, i;

	if (ip == (unsigned long)fuzz_base) {
		walk->ended = true;
		return _URC_END_OF_STACK;
	}
	/* A push in a hook found no room. Such a frame has only saved registers. */
	if (before && ip >= (unsigned long)fuzz_hooks && ip < (unsigned long)fuzz_hooks_end)
		return _URC_NO_REASON;
	/* The newest frames are the harness's own. */
	if (!before && !walk->frames && !verdict_in_unit(ip - 1))
		return _URC_NO_REASON;
	if (!verdict_allows(ip, before, &words, &nr)) {
		walk->refused = true;
		return _URC_END_OF_STACK;
	}
	for (i = 0; i < nr; i++)
		skip_words(walk, _Unwind_GetCFA(context), &words[i]);
	walk->frames++;
	return _URC_NO_REASON;
}

/* Return whether all frames may move. Sets the bits of words that must not be rebased. */
static bool verify(unsigned long from, bool fault)
{
	struct walk walk = { .from = from, .fault = fault };

	memset(skip, 0, ((hi - from) / 8 + 64) / 64 * 8);
	_Unwind_Backtrace(visit, &walk);
	if (!walk.refused && !walk.ended) {
		fputs("harness: the walk did not come to the base\n", stderr);
		_exit(2);
	}
	return !walk.refused;
}

static bool is_skipped(unsigned long word)
{
	return skip[word / 64] & 1UL << word % 64;
}

static void copy_words(unsigned long *dst, const unsigned long *src, size_t nr)
{
	size_t i;

	memcpy(dst, src, nr * sizeof(*dst));
	tally.words += costack_rebase_copy(&range, dst, nr, skip);
	for (i = 0; i < nr; i++)
		tally.spared += is_skipped(i) && src[i] - range.lo <= range.hi - range.lo;
}

/* Fill the memory below a stack with poison, or with addresses of the stack. */
static void fill(unsigned long from, unsigned long to)
{
	unsigned long at;

	memset((void *)from, COSTACK_POISON_COPY, to - from);
	if (!way.junk)
		return;
	for (at = (from + 7) & ~7UL; at + 8 <= to; at += 8)
		*(u64 *)at = to + draw(&random_state) % (hi - to + 1);
}

/* Fill the old stack with poison, or unmap it. */
static void leave(struct slot *old)
{
	memset((void *)old->open, COSTACK_POISON_OLD, old->end - old->open);
	if (way.unmap)
		set_open(old, old->end);
}

/* Return where the mapped part must begin if @used is the lowest used byte. */
static unsigned long opening(unsigned long used)
{
	return (used & -PAGE) - (way.touches ? 0 : ROOM);
}

static struct slot *another_slot(void)
{
	struct slot *new;

	do {
		new = &slots[draw(&random_state) % NR_SLOTS];
	} while (new == slot);
	return new;
}

/*
 * Move the used part, [@used, hi), to another slot. @used may be below the mapped part, where
 * there is nothing to copy. Return false if a frame may not move.
 */
static bool copystack(unsigned long used, bool fault)
{
	unsigned long from = used > slot->open ? used : slot->open;
	struct slot *old = slot, *new = another_slot();

	if (!verify(from, fault))
		return false;
	if (opening(used) < old->start + 2 * PAGE) {
		fputs("harness: a stack is too large\n", stderr);
		_exit(2);
	}
	range.lo = used - BELOW;
	range.hi = hi;
	range.delta = new->end - old->end;
	set_open(new, opening(used + range.delta));
	copy_words((void *)(from + range.delta), (void *)from, (hi - from) / 8);
	slot = new;
	hi += range.delta;
	fill(new->open, from + range.delta);
	leave(old);
	return true;
}

/* A hook may return an address that it got before the stack moved. */
u64 move_rebased(u64 word)
{
	if (moved)
		costack_rebase(&range, &word);
	return word;
}

/* Move the stack in a hook. @sp is its stack pointer. */
void move_hop(unsigned long sp)
{
	fuzz_sp = sp;
	moved = false;
	if (!way.moves || (way.rarely && draw(&random_state) % 4))
		return;
	if (!copystack(sp, false)) {
		tally.stayed++;
		return;
	}
	tally.hops++;
	fuzz_sp += range.delta;
	moved = true;
}

/* === The fault === */

/* Rebase the general registers, which may hold addresses of the stack. */
static void rebase_registers(greg_t *regs)
{
	static const int general[] = {
		REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
		REG_RDI, REG_RSI, REG_RBP, REG_RBX, REG_RDX, REG_RAX, REG_RCX, REG_RSP,
	};
	unsigned int i;

	for (i = 0; i < sizeof(general) / sizeof(general[0]); i++)
		tally.words += costack_rebase(&range, (unsigned long *)&regs[general[i]]);
}

/* Grow in place: map more below, at the same addresses. */
static void grow_in_place(unsigned long used)
{
	unsigned long open = slot->open;

	set_open(slot, (used & -PAGE) - PAGE);
	memset((void *)slot->open, COSTACK_POISON_NEW, open - slot->open);
	tally.grown++;
}

static void fault(int signal, siginfo_t *info, void *arg)
{
	ucontext_t *context = arg;
	greg_t *regs = context->uc_mcontext.gregs;
	unsigned long addr = (unsigned long)info->si_addr, sp = regs[REG_RSP], used;

	if (signal != SIGSEGV || !slot || addr < slot->start + PAGE || addr >= slot->open ||
	    sp < slot->start + PAGE || sp > hi) {
		if (!crash_to)
			_exit(3);
		siglongjmp(*crash_to, signal);
	}
	used = (addr < sp ? addr : sp) & ~7UL;
	if (!copystack(used, true)) {
		grow_in_place(used);
		return;
	}
	rebase_registers(regs);
	tally.touches++;
}

/* Catch faults from here on. A program that crashes continues at @crash. */
void move_catch(sigjmp_buf *crash)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGVTALRM };
	struct sigaction action = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_size = 0x10000, .ss_sp = malloc(0x10000) };
	unsigned int i;

	crash_to = crash;
	if (!stack.ss_sp || sigaltstack(&stack, NULL))
		die("sigaltstack");
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &action, NULL))
			die("sigaction");
}

/* Begin a run in a random slot. All the others are unmapped. */
void move_begin(const struct way *how, u64 seed)
{
	unsigned int i;

	way = *how;
	for (i = 0; i < NR_SLOTS; i++)
		set_open(&slots[i], slots[i].end);
	random_state = seed | 1;
	slot = &slots[draw(&random_state) % NR_SLOTS];
	hi = slot->end - MARGIN - draw(&random_state) % PAGE / 8 * 8;
	set_open(slot, way.moves ? opening(hi) : slot->start + 2 * PAGE);
	fill(slot->open, hi);
	moved = false;
}

/* Return the initial stack pointer. */
unsigned long move_first_sp(void)
{
	return hi;
}
