/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Coroutines that send or receive a value which is on their stack: see party.h.
 */
#ifndef _COSTACK_KUNIT_SIDE_H
#define _COSTACK_KUNIT_SIDE_H

#include <linux/types.h>

#include <linux/costack.h>

/**
 * struct side - a coroutine with a value on its stack
 * @chan: the channel
 * @value: the value it sends or has received
 */
struct side {
	struct costack_chan	*chan;
	u64			value;
};

static inline int send_local(void *arg)
{
	struct side *side = arg;
	u64 local = side->value;

	return costack_chan_send(side->chan, &local);
}

static inline int receive_local(void *arg)
{
	struct side *side = arg;
	u64 local = 0;
	int err = costack_chan_recv(side->chan, &local);

	side->value = local;
	return err;
}

#endif /* _COSTACK_KUNIT_SIDE_H */
