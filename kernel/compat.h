/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernels from 5.10 on call differently. Each goes when the kernels before it do.
 */
#ifndef VIRTIO_VACCEL_COMPAT_H
#define VIRTIO_VACCEL_COMPAT_H

#include <linux/freezer.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/version.h>
#include <linux/virtio_config.h>
#include <linux/wait.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 17, 0)
static inline void virtio_reset_device(struct virtio_device *vdev)
{
	vdev->config->reset(vdev);
}
#endif

/* The freezer passed over a sleeper that said so; now a state of its own says it. */
#ifdef TASK_FREEZABLE
#define vaccel_freezable(state) ((state) | TASK_FREEZABLE)
static inline void vaccel_freezable_begin(void)
{
}

static inline void vaccel_freezable_end(void)
{
}
#else
#define vaccel_freezable(state) (state)

static inline void vaccel_freezable_begin(void)
{
	freezer_do_not_count();
}

static inline void vaccel_freezable_end(void)
{
	freezer_count();
}
#endif

/*
 * Sleeps in @state until @condition or for @jiffies, and does not stand in the way of a suspend.
 * Returns what is left, at least 1; 0 when the time is over; -ERESTARTSYS for a signal that
 * @state can be woken by.
 */
#define vaccel_wait(head, condition, state, jiffies)                                 \
	({                                                                           \
		long __most = (jiffies), __ret = __most;                             \
		vaccel_freezable_begin();                                            \
		if (!___wait_cond_timeout(condition))                                \
			__ret = ___wait_event(head, ___wait_cond_timeout(condition), \
					      vaccel_freezable(state), 0, __most,    \
					      __ret = schedule_timeout(__ret));      \
		vaccel_freezable_end();                                              \
		__ret;                                                               \
	})

/* @count pages that lie one behind the other from @first on. */
static inline void vaccel_unpin(struct page *first, unsigned long count, bool dirty)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)
	unpin_user_page_range_dirty_lock(first, count, dirty);
#else
	unsigned long pfn = page_to_pfn(first);

	for (; count; count--, pfn++) {
		struct page *page = pfn_to_page(pfn);

		unpin_user_pages_dirty_lock(&page, 1, dirty);
	}
#endif
}

#define VACCEL_QUEUES_MAX 64

/* The first @count queues, @count at most VACCEL_QUEUES_MAX. */
static inline int vaccel_find_queues(struct virtio_device *vdev, unsigned int count,
				     struct virtqueue **vqs, vq_callback_t *callback,
				     const char *const *names)
{
	struct irq_affinity spread = {};
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	struct virtqueue_info infos[VACCEL_QUEUES_MAX] = {};
	unsigned int i;

	for (i = 0; i < count; i++) {
		infos[i].name = names[i];
		infos[i].callback = callback;
	}
	return virtio_find_vqs(vdev, count, vqs, infos, &spread);
#else
	vq_callback_t *callbacks[VACCEL_QUEUES_MAX];
	unsigned int i;

	for (i = 0; i < count; i++)
		callbacks[i] = callback;
	return virtio_find_vqs(vdev, count, vqs, callbacks, names, &spread);
#endif
}

#endif
