// SPDX-License-Identifier: GPL-2.0
/*
 * costack_test_fred: makes modules that are loaded after it believe that the kernel uses FRED.
 *
 * No emulator of Debian's has FRED. A module learns it from boot_cpu_data when the kernel
 * patches the alternatives of the module's text. The kernel's own text was patched at boot, so
 * nothing else changes while this module is loaded.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#ifdef X86_FEATURE_FRED

/* boot_cpu_data may be read-only after boot, so write to another mapping of its pages. */
static int pretend(bool has_fred)
{
	void *data = &boot_cpu_data.x86_capability[X86_FEATURE_FRED / 32];
	struct page *page = virt_to_page(lm_alias(data));
	void *mapping = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	u32 *word = mapping + offset_in_page(data), bit = BIT(X86_FEATURE_FRED % 32);

	if (!mapping)
		return -ENOMEM;
	WRITE_ONCE(*word, has_fred ? *word | bit : *word & ~bit);
	vunmap(mapping);
	return 0;
}

static int __init costack_test_fred_init(void)
{
	if (boot_cpu_has(X86_FEATURE_FRED)) {
		pr_err("costack_test_fred: this CPU has FRED, no need to pretend\n");
		return -EEXIST;
	}
	return pretend(true);
}

static void __exit costack_test_fred_exit(void)
{
	WARN_ON(pretend(false));
}

#else

static int __init costack_test_fred_init(void)
{
	pr_err("costack_test_fred: this kernel does not know FRED\n");
	return -EOPNOTSUPP;
}

static void __exit costack_test_fred_exit(void)
{
}

#endif

module_init(costack_test_fred_init);
module_exit(costack_test_fred_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Tests of costack: a CPU with FRED");
