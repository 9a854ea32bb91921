// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that raise an interrupt on request: QEMU's "edu", by message and by line, and a
 * UART whose transmitter is empty. And a device that others use: virtio's random number
 * generator.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/serial_reg.h>
#include <linux/smp.h>

#include "figures.h"
#include "items.h"
#include "faults/lost.h"

#define DEVICE_NAME	"costack_test"

/* The last CPU that an interrupt has come on; what begin() waits for. */
static int came_on;

static irqreturn_t came(void)
{
	WRITE_ONCE(came_on, raw_smp_processor_id());
	cst_came();
	return IRQ_HANDLED;
}

/*
 * Have the interrupt come on @cpu. A new affinity may take effect with the next
 * interrupt only, so raise some until one has come there.
 */
static int direct(unsigned int irq, int cpu, void (*raise)(int cpu))
{
	int err = irq_set_affinity(irq, cpumask_of(cpu)), i;

	for (i = 0; i < 100 && !err; i++) {
		WRITE_ONCE(came_on, -1);
		raise(cpu);
		usleep_range(1000, 2000);
		if (READ_ONCE(came_on) == cpu)
			return 0;
	}
	return err ?: -ETIMEDOUT;
}

/* === edu === */

#define EDU_VENDOR	0x1234
#define EDU_DEVICE	0x11e8

/* Registers. */
#define EDU_STATUS	0x24
#define EDU_RAISE	0x60
#define EDU_ACK		0x64

static struct pci_dev *edu;
static void __iomem *edu_regs;

static irqreturn_t edu_handler(int irq, void *dev)
{
	u32 status = ioread32(edu_regs + EDU_STATUS);

	if (!status)
		return IRQ_NONE;
	iowrite32(status, edu_regs + EDU_ACK);
	return came();
}

static void raise_edu(int cpu)
{
	iowrite32(1, edu_regs + EDU_RAISE);
}

static void end_edu(void)
{
	free_irq(pci_irq_vector(edu, 0), &edu);
	pci_free_irq_vectors(edu);
	pci_iounmap(edu, edu_regs);
	pci_disable_device(edu);
	pci_dev_put(edu);
}

static int begin_edu(int cpu, unsigned int kind)
{
	int err;

	edu = pci_get_device(EDU_VENDOR, EDU_DEVICE, NULL);
	if (!edu)
		return -ENODEV;
	err = pci_enable_device(edu);
	if (err)
		goto put;
	pci_set_master(edu);
	edu_regs = pci_iomap(edu, 0, 0);
	if (!edu_regs) {
		err = -ENOMEM;
		goto disable;
	}
	err = pci_alloc_irq_vectors(edu, 1, 1, kind);
	if (err < 0)
		goto unmap;
	err = request_irq(pci_irq_vector(edu, 0), edu_handler, IRQF_SHARED, DEVICE_NAME, &edu);
	if (err)
		goto free_vectors;
	err = direct(pci_irq_vector(edu, 0), cpu, raise_edu);
	if (err)
		end_edu();
	return err;

free_vectors:
	pci_free_irq_vectors(edu);
unmap:
	pci_iounmap(edu, edu_regs);
disable:
	pci_disable_device(edu);
put:
	pci_dev_put(edu);
	return err;
}

static int begin_msi(int cpu)
{
	return begin_edu(cpu, PCI_IRQ_MSI);
}

static int begin_intx(int cpu)
{
	return begin_edu(cpu, PCI_IRQ_INTX);
}

const struct cst_source cst_msi = { .begin = begin_msi, .raise = raise_edu, .end = end_edu };
const struct cst_source cst_intx = { .begin = begin_intx, .raise = raise_edu, .end = end_edu };

/* === UART === */

static unsigned int uart_port = 0x2e8;
module_param(uart_port, uint, 0444);
MODULE_PARM_DESC(uart_port, "I/O port of a UART that nobody uses");

static unsigned int uart_irq = 7;
module_param(uart_irq, uint, 0444);
MODULE_PARM_DESC(uart_irq, "its interrupt, not shared");

/* Reading the cause acknowledges "transmitter empty". */
static irqreturn_t uart_handler(int irq, void *dev)
{
	if (inb(uart_port + UART_IIR) & UART_IIR_NO_INT)
		return IRQ_NONE;
	outb(0, uart_port + UART_IER);
	return came();
}

/* The transmitter is empty: enabling that interrupt raises it. */
static void raise_uart(int cpu)
{
	outb(UART_IER_THRI, uart_port + UART_IER);
}

static void end_uart(void)
{
	outb(0, uart_port + UART_IER);
	free_irq(uart_irq, &uart_port);
}

static int begin_uart(int cpu)
{
	int err;

	outb(0x5a, uart_port + UART_SCR);
	if (inb(uart_port + UART_SCR) != 0x5a)
		return -ENODEV;
	outb(0, uart_port + UART_IER);
	err = request_irq(uart_irq, uart_handler, 0, DEVICE_NAME, &uart_port);
	if (err)
		return err;
	err = direct(uart_irq, cpu, raise_uart);
	if (err)
		end_uart();
	return err;
}

const struct cst_source cst_serial = {
	.begin = begin_uart, .raise = raise_uart, .end = end_uart,
};

/* === virtio === */

/*
 * The driver offers one buffer at a time. It is filled, and that ends with one interrupt.
 * Probes count both. The kernel's own thread reads too, whenever it likes: an interrupt
 * before the first buffer that is counted belongs to one that was not.
 */
static atomic_long_t offered, completed;
static struct kprobe offer_probe, complete_probe;
static int virtio_cpu;

static int count_offered(struct kprobe *probe, struct pt_regs *regs)
{
	atomic_long_inc(&offered);
	return 0;
}
NOKPROBE_SYMBOL(count_offered);

/* A probe that is hit inside another one is not run, but it is counted. */
static long nr_offered(void)
{
	return atomic_long_read(&offered) + offer_probe.nmissed;
}
NOKPROBE_SYMBOL(nr_offered);

static int count_completed(struct kprobe *probe, struct pt_regs *regs)
{
	if (nr_offered())
		atomic_long_inc(&completed);
	if (raw_smp_processor_id() == virtio_cpu)
		cst_came();
	return 0;
}
NOKPROBE_SYMBOL(count_completed);

/**
 * cst_virtio_begin() - begin to count
 *
 * Context: Process context; may sleep. Nobody but the kernel reads random numbers.
 */
void cst_virtio_begin(void)
{
	offer_probe = (struct kprobe) {
		.symbol_name = "virtqueue_add_inbuf", .pre_handler = count_offered,
	};
	complete_probe = (struct kprobe) {
		.symbol_name = "vring_interrupt", .pre_handler = count_completed,
	};
	atomic_long_set(&offered, 0);
	atomic_long_set(&completed, 0);
	CST_EQ(0, register_kprobe(&complete_probe));
	CST_EQ(0, register_kprobe(&offer_probe));
}

static long nr_completed(void)
{
	return atomic_long_read(&completed) + complete_probe.nmissed;
}

/**
 * cst_virtio_end() - end it, and compare
 *
 * Context: Process context; may sleep. Nobody but the kernel reads random numbers any more.
 */
void cst_virtio_end(void)
{
	unsigned long end = jiffies + CST_PATIENCE;
	long delivered, sent;

	/* Compare while both are counted: the kernel may read between the ends of two probes. */
	for (;;) {
		delivered = nr_completed();
		/* Pairs with the order of the events: a buffer is offered before it is filled. */
		smp_rmb();
		sent = nr_offered();
		if (delivered >= sent || time_after(jiffies, end))
			break;
		usleep_range(10000, 20000);
	}
	unregister_kprobe(&offer_probe);
	unregister_kprobe(&complete_probe);
	cst_compare_interrupts(sent, delivered);
}

static int begin_virtio(int cpu)
{
	virtio_cpu = cpu;
	return 0;
}

const struct cst_source cst_virtio = { .begin = begin_virtio };
