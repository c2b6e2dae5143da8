// SPDX-License-Identifier: GPL-2.0
/*
 * Queues, and the chains on them. A chain for which the ring has no room waits in a list, and is
 * sent, in its turn, when others come back: nobody sleeps for room. Two descriptors are always
 * left for CANCEL, so that it gets through when a ring is full of calls that take long.
 */
#include <linux/slab.h>

#include "compat.h"
#include "virtio_vaccel.h"

void vaccel_queue_init(struct vaccel_queue *queue, unsigned int number)
{
	spin_lock_init(&queue->lock);
	init_waitqueue_head(&queue->gather);
	INIT_LIST_HEAD(&queue->waiting);
	snprintf(queue->name, sizeof(queue->name), "requests.%u", number);
}

void vaccel_chain_init(struct vaccel_chain *chain, struct vaccel_queue *queue,
		       wait_queue_head_t *wait)
{
	INIT_LIST_HEAD(&chain->node);
	chain->queue = queue;
	chain->over = vaccel_chain_wake;
	chain->wait = wait;
	chain->state = CHAIN_IDLE;
}

void vaccel_chain_bare(struct vaccel_chain *chain, struct scatterlist *sg)
{
	sg_init_table(sg, 2);
	sg_set_buf(&sg[0], &chain->header, sizeof(chain->header));
	sg_set_buf(&sg[1], &chain->status, sizeof(chain->status));
	sg_mark_end(&sg[0]);
	chain->sg = sg;
	chain->sg_room = 2;
	chain->nr_out = 1;
	chain->nr_in = 1;
}

void vaccel_chain_wake(struct vaccel_chain *chain)
{
	wake_up(chain->wait);
}

static void chain_over(struct vaccel_chain *chain, enum vaccel_chain_state state)
{
	chain->state = state;
	chain->over(chain);
}

/* Puts it in the ring. -ENOSPC: there is no room now. queue->lock. */
static int chain_add(struct vaccel_chain *chain, bool urgent)
{
	struct vaccel_queue *queue = chain->queue;
	struct scatterlist *lists[] = {chain->sg, chain->sg + chain->nr_out};
	unsigned int wanted = queue->indirect ? 1 : chain->nr_out + chain->nr_in;
	int ret;

	if (queue->vq->num_free < wanted + (urgent ? 0 : VACCEL_RESERVED))
		return -ENOSPC;
	ret = virtqueue_add_sgs(queue->vq, lists, 1, 1, chain, GFP_ATOMIC);
	if (!ret) {
		chain->state = CHAIN_SENT;
		chain->sent = true;
	}
	return ret;
}

int vaccel_chain_send(struct vaccel_chain *chain, u64 life, bool urgent)
{
	struct vaccel_queue *queue = chain->queue;
	unsigned long flags;
	int ret = -ENOSPC;

	spin_lock_irqsave(&queue->lock, flags);
	if (!queue->life || queue->life != life) {
		ret = -ESTALE;
	} else {
		if (urgent || list_empty(&queue->waiting))
			ret = chain_add(chain, urgent);
		if (ret == -ENOSPC) {
			chain->state = CHAIN_WAITING;
			if (urgent)
				list_add(&chain->node, &queue->waiting);
			else
				list_add_tail(&chain->node, &queue->waiting);
			ret = 0;
		} else if (!ret) {
			virtqueue_kick(queue->vq);
		}
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	return ret;
}

bool vaccel_chain_is_over(struct vaccel_chain *chain)
{
	bool over;

	spin_lock_irq(&chain->queue->lock);
	over = chain->state != CHAIN_WAITING && chain->state != CHAIN_SENT;
	spin_unlock_irq(&chain->queue->lock);
	return over;
}

void vaccel_chain_withdraw(struct vaccel_chain *chain)
{
	spin_lock_irq(&chain->queue->lock);
	if (chain->state == CHAIN_WAITING) {
		list_del_init(&chain->node);
		chain->state = CHAIN_LOST;
	}
	spin_unlock_irq(&chain->queue->lock);
}

/* Which has waited longest. queue->lock. */
static struct vaccel_chain *next_waiting(struct vaccel_queue *queue)
{
	return list_first_entry(&queue->waiting, struct vaccel_chain, node);
}

/* Sends what waits, as far as there is room. queue->lock. */
static void queue_refill(struct vaccel_queue *queue)
{
	bool added = false;

	while (!list_empty(&queue->waiting)) {
		struct vaccel_chain *chain = next_waiting(queue);
		int ret = chain_add(chain, chain->nr_out + chain->nr_in == VACCEL_RESERVED);

		if (ret == -ENOSPC)
			break;
		list_del_init(&chain->node);
		if (ret)
			chain_over(chain, CHAIN_LOST);
		else
			added = true;
	}
	if (added)
		virtqueue_kick(queue->vq);
}

void vaccel_queue_callback(struct virtqueue *vq)
{
	struct vaccel_device *device = vq->vdev->priv;
	struct vaccel_queue *queue = &device->queues[vq->index];
	struct vaccel_chain *chain;
	unsigned long flags;
	bool broken = false;
	u32 len;

	spin_lock_irqsave(&queue->lock, flags);
	if (queue->life) {
		do {
			virtqueue_disable_cb(vq);
			while ((chain = virtqueue_get_buf(vq, &len))) {
				chain->len = len;
				chain_over(chain, CHAIN_BACK);
			}
		} while (!virtqueue_is_broken(vq) && !virtqueue_enable_cb(vq));
		queue_refill(queue);
		broken = virtqueue_is_broken(vq);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	if (broken)
		vaccel_device_break(device, "an entry of its ring that is none");
}

void vaccel_queue_up(struct vaccel_queue *queue, struct virtqueue *vq, u64 life, bool indirect)
{
	spin_lock_irq(&queue->lock);
	queue->vq = vq;
	queue->life = life;
	queue->indirect = indirect;
	spin_unlock_irq(&queue->lock);
}

void vaccel_queue_stop(struct vaccel_queue *queue)
{
	spin_lock_irq(&queue->lock);
	queue->life = 0;
	spin_unlock_irq(&queue->lock);
}

void vaccel_queue_down(struct vaccel_queue *queue)
{
	struct vaccel_chain *chain;

	spin_lock_irq(&queue->lock);
	while (!list_empty(&queue->waiting)) {
		chain = next_waiting(queue);
		list_del_init(&chain->node);
		chain_over(chain, CHAIN_LOST);
	}
	while (queue->vq && (chain = virtqueue_detach_unused_buf(queue->vq)))
		chain_over(chain, CHAIN_LOST);
	queue->vq = NULL;
	spin_unlock_irq(&queue->lock);
	wake_up_all(&queue->gather);
}
