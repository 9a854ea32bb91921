// SPDX-License-Identifier: GPL-2.0
/*
 * costack_test_lockdown: locks the kernel down just before costack is initialized.
 *
 * A locked-down kernel loads only signed modules. To show that costack itself refuses, this
 * locks the kernel down after the kernel has checked the signature and before the init of
 * the module runs. Only a reboot undoes it.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <linux/umh.h>

static int lock_down(struct notifier_block *nb, unsigned long event, void *data)
{
	char *argv[4] = {
		"/bin/sh", "-c", "echo integrity >/sys/kernel/security/lockdown", NULL,
	};
	char *envp[2] = { "PATH=/bin", NULL };
	const struct module *mod = data;
	int err;

	if (event != MODULE_STATE_COMING || strcmp(mod->name, "costack"))
		return NOTIFY_DONE;
	/* The kernel cannot write to that file itself. */
	err = call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
	if (err)
		pr_err("costack_test_lockdown: the kernel was not locked down: %d\n", err);
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = {
	.notifier_call = lock_down,
};

static int __init costack_test_lockdown_init(void)
{
	return register_module_notifier(&module_nb);
}

static void __exit costack_test_lockdown_exit(void)
{
	unregister_module_notifier(&module_nb);
}

module_init(costack_test_lockdown_init);
module_exit(costack_test_lockdown_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Tests of costack: a kernel that is locked down");
