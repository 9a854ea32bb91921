// SPDX-License-Identifier: GPL-2.0
/*
 * Replay: deliver the interrupt whose delivery hit the guard.
 *
 * When the local APIC hands a vector to the CPU, it moves the vector from IRR to ISR.
 * If the CPU then cannot push the frame, it delivers #DF instead, and only the APIC
 * still knows the vector: its in-service bit stays set, and would block all interrupts of
 * that priority and below for ever.
 *
 * That bit identifies the lost vector: while interrupts are enabled and no hard interrupt
 * is being handled, no in-service bit can otherwise be set, because every handler sends
 * EOI before both are true again.
 */
#include <linux/bitops.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <asm/apic.h>
#include <asm/desc.h>
#include <asm/processor-flags.h>

#include <asm/costack.h>

#include "compat.h"
#include "guard.h"

/* The frame that the CPU pushes for an interrupt, from the lowest address up. */
struct iret_frame {
	unsigned long ip;
	unsigned long cs;
	unsigned long flags;
	unsigned long sp;
	unsigned long ss;
};

/*
 * With page-table isolation #DF comes by the kernel's own entry. Where that has found a return
 * thunk half executed, it has ended it, and raised the stack pointer by up to so much: see
 * handle_interrupted_saferet() in arch/x86/kernel/cpu/bugs.c.
 */
#define SAFE_RET_BYTES	16

/**
 * costack_replay_frame() - where the CPU pushes the frame of an interrupt
 * @sp: the interrupted stack pointer
 *
 * 64-bit mode aligns the stack to 16 bytes first (SDM, volume 3, "64-Bit Mode Stack Frame").
 *
 * Context: Any context, any stack.
 * Return: the lowest address of the frame.
 */
unsigned long costack_replay_frame(unsigned long sp)
{
	return ALIGN_DOWN(sp, 16) - sizeof(struct iret_frame);
}
NOKPROBE_SYMBOL(costack_replay_frame);

/**
 * costack_replay_find() - find the interrupt that was lost, if one was
 * @regs: the interrupted registers
 * @addr: address that could not be written
 *
 * Reads registers of the APIC only if @addr lies where the CPU would have pushed a frame.
 * It does for a lost interrupt, and also for some pushes and calls. Each read is a device
 * access, or an exit from a virtual machine. So this reads the processor priority first (SDM,
 * volume 3, "Task and Processor Priorities"), which is at least the priority class of the
 * interrupt in service. Device vectors begin with class 2. The task priority is a lower bound
 * of the processor priority as well, but Linux sets it to class 1.
 *
 * Context: #DF stack, interrupts off, the fault is a coroutine's.
 * Return: the vector, or -1.
 */
int costack_replay_find(const struct pt_regs *regs, unsigned long addr)
{
	int i;

	if (addr - costack_replay_frame(regs->sp) + SAFE_RET_BYTES >=
	    sizeof(struct iret_frame) + SAFE_RET_BYTES)
		return -1;
	if (!(regs->flags & X86_EFLAGS_IF) || hardirq_count())
		return -1;
	for (i = (costack_apic_read(APIC_PROCPRI) & 0xff) / 32; i > 0; i--) {
		u32 isr = costack_apic_read(APIC_ISR + i * 0x10);

		if (isr)
			return i * 32 + __fls(isr);
	}
	return -1;
}
NOKPROBE_SYMBOL(costack_replay_find);

/**
 * costack_arch_end_interrupt() - end the interrupt that is in service on this CPU
 *
 * In process context none is, or costack_replay_find() would find one that was not lost. If one
 * was lost for good, this lets those of its priority and below come again, also if the APIC does
 * not show it. If none is in service, the APIC does nothing.
 *
 * Context: Process context, interrupts off.
 * Return: its vector, or -1 if the APIC shows none.
 */
int costack_arch_end_interrupt(void)
{
	int i, vector = -1;

	for (i = 0; i < 8; i++) {
		u32 isr = costack_apic_read(APIC_ISR + i * 0x10);

		if (isr)
			vector = i * 32 + __fls(isr);
	}
	costack_apic_eoi();
	return vector;
}
NOKPROBE_SYMBOL(costack_arch_end_interrupt);

/**
 * costack_replay() - deliver an interrupt as the CPU does
 * @regs: the interrupted registers, on a stack that has room now
 * @idt: interrupt descriptor table
 * @vector: the interrupt
 *
 * Pushes the frame and changes @regs to enter the handler with interrupts off. The IRET
 * of the handler returns to the interrupted instruction.
 *
 * Context: #DF stack or host stack, interrupts off.
 */
void costack_replay(struct pt_regs *regs, const gate_desc *idt, int vector)
{
	struct iret_frame *frame = (struct iret_frame *)costack_replay_frame(regs->sp);

	/* Copy whole words, as the CPU pushed them: pt_regs may have only parts of CS and SS. */
	BUILD_BUG_ON(offsetof(struct pt_regs, ip) + sizeof(*frame) != sizeof(*regs));
	*frame = *(const struct iret_frame *)&regs->ip;
	regs->sp = (unsigned long)frame;
	regs->ip = gate_offset(&idt[vector]);
	regs->flags &= ~(X86_EFLAGS_IF | X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_RF);
}
NOKPROBE_SYMBOL(costack_replay);
