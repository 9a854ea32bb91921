// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the kernel's IRET fault on the stack for 16-bit stack segments (espfix64), as any
 * user may: a signal handler returns to a code segment that is not there, with a stack
 * segment of 16 bits. That stack cannot be written, so the CPU raises #DF; and with
 * page-table isolation it does so on the user's page tables. The kernel answers with
 * SIGSEGV.
 *
 * usage: iret16 TIMES
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <unistd.h>

#define LDT_SELECTOR(entry)	((entry) << 3 | 7)
#define NOT_HERE		4	/* exit status of a test that is skipped */
#define CODE			0	/* entries of the LDT */
#define STACK			1

static sigjmp_buf back;
/* Not on a stack that siglongjmp() leaves. */
static long faults, tries;

static void add_segment(unsigned int entry, unsigned int contents, unsigned int absent)
{
	struct user_desc segment = {
		.entry_number = entry, .limit = 0xffff, .contents = contents,
		.seg_not_present = absent,
	};

	/* An error comes as a number of 32 bits, which the C library takes for a success. */
	int err = syscall(SYS_modify_ldt, 1, &segment, sizeof(segment));

	if (!err)
		return;
	if (err == -EINVAL) {
		puts("the kernel has no segments of 16 bits (CONFIG_X86_16BIT)");
		exit(NOT_HERE);
	}
	fprintf(stderr, "iret16: modify_ldt: %s\n", strerror(err == -1 ? errno : -err));
	exit(1);
}

/* What the kernel returns to after this is not to be had. */
static void on_usr1(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	/* CS, GS, FS and SS, 16 bits each. */
	regs[REG_CSGSFS] = (greg_t)LDT_SELECTOR(STACK) << 48 | LDT_SELECTOR(CODE);
}

static void on_segv(int sig, siginfo_t *info, void *context)
{
	faults++;
	siglongjmp(back, 1);
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	if (sigaction(sig, &action, NULL)) {
		perror("iret16: sigaction");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static char room[65536];
	stack_t stack = { .ss_sp = room, .ss_size = sizeof(room) };
	const long times = argc > 1 ? atol(argv[1]) : 1;

	add_segment(CODE, MODIFY_LDT_CONTENTS_CODE, 1);
	add_segment(STACK, MODIFY_LDT_CONTENTS_DATA, 0);
	if (sigaltstack(&stack, NULL)) {
		perror("iret16: sigaltstack");
		return 1;
	}
	handle(SIGUSR1, on_usr1, 0);
	handle(SIGSEGV, on_segv, SA_ONSTACK);
	for (; tries < times; tries++)
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
	printf("%ld faults of %ld\n", faults, times);
	return faults != times;
}
