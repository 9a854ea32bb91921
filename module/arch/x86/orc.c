// SPDX-License-Identifier: GPL-2.0
/*
 * Rules: how to leave the frame of a point, taken from the ORC table of its module.
 *
 * The kernel's unwinder looks each frame's address up in that table, which is most of its
 * work. The points of movable text are known when its module is loaded, and so are their ORC
 * entries. So each point keeps what a walk needs of its entry, and the walk takes a few
 * instructions for each frame. Only plain entries have a rule, and nearly all entries are
 * plain: the caller's frame begins at an offset from the stack pointer or from RBP, and
 * RBP is untouched, or saved at an offset from that frame. For other entries the walk
 * calls unwind_next_frame().
 */
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/types.h>

#include <asm/costack.h>

#include "compat.h"
#include "orc.h"

/* How to check rules when they are made. */
enum {
	CHECK_NONE,
	CHECK_ALL,
	CHECK_SPOILED,		/* spoil the first rule, for a test of the check */
};

static unsigned int check_rules;
module_param(check_rules, uint, 0400);
MODULE_PARM_DESC(check_rules, "compare each rule of a point with the kernel's unwinder (0, 1)");

static unsigned long rules_checked;
module_param(rules_checked, ulong, 0400);
MODULE_PARM_DESC(rules_checked, "rules compared so far");

static unsigned long rules_wrong;
module_param(rules_wrong, ulong, 0400);
MODULE_PARM_DESC(rules_wrong, "rules that the unwinder disagreed with; they are not used");

static unsigned long entry_ip(const int *at)
{
	return (unsigned long)at + *at;
}

/*
 * Find the entry with the highest address that is not above @ip. If several entries have that
 * address, return the last of them, like __orc_find() in arch/x86/kernel/unwind_orc.c.
 */
static const struct orc_entry *find(const struct module *mod, unsigned long ip)
{
	const int *table = mod->arch.orc_unwind_ip;
	unsigned int first = 0, end = mod->arch.num_orcs;

	if (!end || ip < entry_ip(table))
		return NULL;
	while (end - first > 1) {
		unsigned int mid = first + (end - first) / 2;

		if (entry_ip(table + mid) <= ip)
			first = mid;
		else
			end = mid;
	}
	return mod->arch.orc_unwind + first;
}

static u32 rule_at(const struct module *mod, unsigned long ip)
{
	const struct orc_entry *orc = find(mod, ip);
	u32 rule;

	if (!orc || !costack_orc_call(orc))
		return 0;
	if (orc->sp_offset <= 0 || orc->sp_offset % (int)sizeof(long) ||
	    orc->bp_offset > 0 || orc->bp_offset % (int)sizeof(long) ||
	    -orc->bp_offset > orc->sp_offset)
		return 0;
	rule = COSTACK_RULE | orc->sp_offset;
	if (orc->sp_reg == ORC_REG_BP)
		rule |= COSTACK_RULE_FROM_BP;
	else if (orc->sp_reg != ORC_REG_SP)
		return 0;
	if (orc->bp_reg == ORC_REG_PREV_SP && orc->bp_offset)
		rule |= (u32)orc->bp_offset << COSTACK_RULE_BP_SHIFT;
	else if (orc->bp_reg != ORC_REG_UNDEFINED)
		return 0;
	return rule;
}

/* Return @rule, or 0 if the unwinder leaves the frame in another way or there is no memory. */
static u32 checked(u32 rule, unsigned long ip, bool interrupted)
{
	int err;

	if (check_rules == CHECK_SPOILED && !rules_checked)
		rule ^= 1U << 4;
	err = costack_orc_compare(rule, ip, interrupted);
	if (err == -ENOMEM)
		return 0;
	rules_checked++;
	if (likely(!err))
		return rule;
	pr_err("costack: the rule %x of %pS is wrong, and is not used\n", rule, (void *)ip);
	rules_wrong++;
	return 0;
}

/**
 * costack_arch_rule() - how to leave the frame of a point
 * @mod: module of the point; its ORC table is sorted
 * @ip: address of the point
 * @called: a call returns there
 * @interrupted: a fault may occur there
 *
 * For a return address this takes the entry of the call instruction, as unwind_next_frame()
 * does.
 *
 * With the parameter check_rules each rule is compared with what the unwinder does.
 *
 * Context: Process context.
 * Return: the rule, for costack_arch_walk(); 0 if there is none, or if the rules for
 * @called and @interrupted differ.
 */
u32 costack_arch_rule(const struct module *mod, unsigned long ip, bool called, bool interrupted)
{
	u32 rule = rule_at(mod, called ? ip - 1 : ip);

	if (called && interrupted && rule != rule_at(mod, ip))
		return 0;
	return unlikely(check_rules) && rule ? checked(rule, ip, !called) : rule;
}
