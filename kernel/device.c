// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of the device of docs/virtio.md: coming up and going down.
 *
 * The node is a misc device called accelN. The kernel's class for accelerators belongs to DRM: it
 * came with 6.2, and what it names /dev/accel/accelN has DRM's own ioctls and memory.
 *
 * Whenever the device goes down (a suspend, a reset, being unplugged), what is under way is
 * lost, and open files are of no more use. Programs treat that as a lost connection.
 *
 * probe, remove, freeze and restore never run at once, as the driver core sees to. The work that
 * resets a device runs on a queue that is frozen for suspends, and is waited for by remove.
 */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_ring.h>

#include "compat.h"
#include "virtio_vaccel.h"

/* The number that vAccel uses, and which VMMs can name; and one beyond those in use. */
#define ID	 21
#define ID_OTHER 63

#define ENTRIES_MAX 1024 /* of a chain, however long the ring: 40 KiB of scatterlist */
#define ENTRY_MAX   SZ_1G
#define BYTES_MAX   BIT_ULL(56) /* of a request, each way */

static DEFINE_IDA(numbers);

static void device_free(struct kref *ref)
{
	struct vaccel_device *device = container_of(ref, struct vaccel_device, ref);

	put_device(&device->vdev->dev);
	kfree(device->queues);
	kfree(device);
}

void vaccel_device_put(struct vaccel_device *device)
{
	kref_put(&device->ref, device_free);
}

u64 vaccel_device_life(struct vaccel_device *device)
{
	u64 life;

	spin_lock_irq(&device->queues[0].lock);
	life = device->queues[0].life;
	spin_unlock_irq(&device->queues[0].lock);
	return life;
}

static void reset_later(struct vaccel_device *device, bool broken)
{
	unsigned long flags;

	spin_lock_irqsave(&device->lock, flags);
	if (!device->removed) {
		device->broken |= broken;
		queue_work(system_freezable_wq, &device->reset);
	}
	spin_unlock_irqrestore(&device->lock, flags);
}

void vaccel_device_reset(struct vaccel_device *device)
{
	dev_err(&device->vdev->dev, "a canceled call does not come back: resetting the device\n");
	reset_later(device, false);
}

void vaccel_device_break(struct vaccel_device *device, const char *what)
{
	dev_err(&device->vdev->dev,
		"the device answers with %s: it is not used any more; see to the agent, then bind the driver anew\n",
		what);
	reset_later(device, true);
}

/* Reads the configuration. Its sentences say what is wrong with it. */
static int limits_read(struct vaccel_device *device, struct vaccel_limits *limits)
{
	struct virtio_device *vdev = device->vdev;
	struct vaccel_config config;

	virtio_cread_bytes(vdev, 0, &config, sizeof(config));
	if (le32_to_cpu(config.magic) != VACCEL_MAGIC) {
		dev_err(&vdev->dev,
			"this is no device of vaccel's: no magic in its configuration\n");
		return -ENODEV;
	}
	limits->version = le16_to_cpu(config.version);
	if (limits->version != VACCEL_VERSION) {
		dev_err(&vdev->dev,
			"the device is of version %u, this driver knows %u: install the one that came with the agent\n",
			limits->version, VACCEL_VERSION);
		return -EPROTONOSUPPORT;
	}
	limits->nr_queues = le16_to_cpu(config.num_queues);
	limits->features = le32_to_cpu(config.features);
	limits->segments_max = le32_to_cpu(config.segments_max);
	limits->readable_max = le64_to_cpu(config.readable_max);
	limits->writable_max = le64_to_cpu(config.writable_max);
	if (!limits->nr_queues || limits->segments_max < VACCEL_SEGMENTS_MIN ||
	    limits->readable_max < VACCEL_BYTES_MIN || limits->writable_max < VACCEL_BYTES_MIN) {
		dev_err(&vdev->dev, "the device's limits are below what a device has\n");
		return -EINVAL;
	}
	/* No program has so many, and sums of them do not wrap. */
	limits->readable_max = min_t(u64, limits->readable_max, BYTES_MAX);
	limits->writable_max = min_t(u64, limits->writable_max, BYTES_MAX);
	limits->segments_max = min_t(u32, limits->segments_max, ENTRIES_MAX);
	limits->segment_size_max = min_t(size_t, virtio_max_dma_size(vdev), ENTRY_MAX);
	return 0;
}

/* As many queues as there are, of those wanted. */
static int queues_find(struct vaccel_device *device, struct virtqueue **vqs, unsigned int *count)
{
	const char *names[VACCEL_QUEUES_MAX];
	unsigned int i;
	int ret;

	for (i = 0; i < *count; i++)
		names[i] = device->queues[i].name;
	for (;;) {
		ret = vaccel_find_queues(device->vdev, *count, vqs, vaccel_queue_callback, names);
		if (ret != -ENOENT || *count == 1)
			return ret;
		*count /= 2;
	}
}

static int device_up(struct vaccel_device *device)
{
	struct virtio_device *vdev = device->vdev;
	bool indirect = virtio_has_feature(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	struct virtqueue *vqs[VACCEL_QUEUES_MAX];
	struct vaccel_limits limits;
	unsigned int i;
	int ret = limits_read(device, &limits);

	if (ret)
		return ret;
	limits.nr_queues = min(limits.nr_queues, device->queues_max);
	ret = queues_find(device, vqs, &limits.nr_queues);
	if (ret) {
		dev_err(&vdev->dev, "no queues can be had: error %d\n", -ret);
		return ret;
	}
	for (i = 0; i < limits.nr_queues; i++)
		limits.segments_max =
			min_t(u32, limits.segments_max,
			      max_t(int, virtqueue_get_vring_size(vqs[i]) - VACCEL_RESERVED, 0));
	if (limits.segments_max < VACCEL_SEGMENTS_MIN) {
		dev_err(&vdev->dev, "its queues have too few entries: 8 are needed\n");
		vdev->config->del_vqs(vdev);
		return -EINVAL;
	}

	device->limits = limits;
	device->life++;
	virtio_device_ready(vdev);
	for (i = limits.nr_queues; i--;)
		vaccel_queue_up(&device->queues[i], vqs[i], device->life, indirect);
	return 0;
}

static void device_down(struct vaccel_device *device)
{
	struct virtio_device *vdev = device->vdev;
	unsigned int i;

	if (!vaccel_device_life(device))
		return;
	for (i = 0; i < device->queues_max; i++)
		vaccel_queue_stop(&device->queues[i]);
	virtio_break_device(vdev);
	virtio_reset_device(vdev);
	for (i = 0; i < device->queues_max; i++)
		vaccel_queue_down(&device->queues[i]);
	vdev->config->del_vqs(vdev);
	wake_up_all(&device->changed);
}

static void device_reset(struct work_struct *work)
{
	struct vaccel_device *device = container_of(work, struct vaccel_device, reset);
	bool broken;

	spin_lock_irq(&device->lock);
	broken = device->broken;
	spin_unlock_irq(&device->lock);

	device_down(device);
#ifdef CONFIG_PM_SLEEP
	/* These two call freeze and restore below, and see to what virtio has to do between. */
	if (!broken && (virtio_device_freeze(device->vdev) || virtio_device_restore(device->vdev)))
		dev_err(&device->vdev->dev,
			"the device does not come up again: see to the agent, then bind the driver anew\n");
#else
	if (!broken)
		dev_err(&device->vdev->dev,
			"a kernel without CONFIG_PM_SLEEP does not bring it up again: bind the driver anew\n");
#endif
}

static struct vaccel_device *device_new(struct virtio_device *vdev)
{
	struct vaccel_device *device = kzalloc(sizeof(*device), GFP_KERNEL);
	unsigned int i;

	if (!device)
		return NULL;
	device->queues_max = min_t(unsigned int, nr_cpu_ids, VACCEL_QUEUES_MAX);
	device->queues = kcalloc(device->queues_max, sizeof(*device->queues), GFP_KERNEL);
	device->number = device->queues ? ida_alloc(&numbers, GFP_KERNEL) : -ENOMEM;
	if (device->number < 0) {
		kfree(device->queues);
		kfree(device);
		return NULL;
	}
	for (i = 0; i < device->queues_max; i++)
		vaccel_queue_init(&device->queues[i], i);
	kref_init(&device->ref);
	spin_lock_init(&device->lock);
	init_waitqueue_head(&device->changed);
	INIT_WORK(&device->reset, device_reset);
	INIT_WORK(&device->reap, vaccel_calls_reap);
	INIT_LIST_HEAD(&device->left);
	get_device(&vdev->dev);
	device->vdev = vdev;
	vdev->priv = device;
	snprintf(device->name, sizeof(device->name), "accel%d", device->number);
	device->misc.minor = MISC_DYNAMIC_MINOR;
	device->misc.name = device->name;
	device->misc.fops = &vaccel_file_operations;
	device->misc.parent = &vdev->dev;
	return device;
}

/* Nothing resets it any more, nor is about to. */
static void reset_never(struct vaccel_device *device)
{
	spin_lock_irq(&device->lock);
	device->removed = true;
	spin_unlock_irq(&device->lock);
	cancel_work_sync(&device->reset);
}

static int vaccel_probe(struct virtio_device *vdev)
{
	struct vaccel_device *device;
	int ret;

	if (!vdev->config->get || !virtio_has_feature(vdev, VIRTIO_F_VERSION_1)) {
		dev_err(&vdev->dev, "the device is not one of VirtIO 1.0 or later\n");
		return -EINVAL;
	}
	device = device_new(vdev);
	if (!device)
		return -ENOMEM;
	ret = device_up(device);
	if (ret)
		goto put;
	ret = misc_register(&device->misc);
	if (ret)
		goto down;
	dev_info(&vdev->dev, "/dev/%s: %u queues, %u segments\n", device->name,
		 device->limits.nr_queues, device->limits.segments_max);
	return 0;

down:
	reset_never(device);
	device_down(device);
put:
	ida_free(&numbers, device->number);
	vaccel_device_put(device);
	return ret;
}

static void vaccel_remove(struct virtio_device *vdev)
{
	struct vaccel_device *device = vdev->priv;

	reset_never(device);
	misc_deregister(&device->misc);
	/* The next one has this name, however long a program keeps a file of this one. */
	ida_free(&numbers, device->number);
	device_down(device);
	flush_work(&device->reap);
	vaccel_device_put(device);
}

#ifdef CONFIG_PM_SLEEP
static int vaccel_freeze(struct virtio_device *vdev)
{
	device_down(vdev->priv);
	return 0;
}

static int vaccel_restore(struct virtio_device *vdev)
{
	struct vaccel_device *device = vdev->priv;

	spin_lock_irq(&device->lock);
	device->broken = false;
	spin_unlock_irq(&device->lock);
	return device_up(device);
}
#endif

static const struct virtio_device_id ids[] = {
	{ID, VIRTIO_DEV_ANY_ID},
	{ID_OTHER, VIRTIO_DEV_ANY_ID},
	{},
};
MODULE_DEVICE_TABLE(virtio, ids);

static struct virtio_driver virtio_vaccel = {
	.driver.name = KBUILD_MODNAME,
	.id_table = ids,
	.probe = vaccel_probe,
	.remove = vaccel_remove,
#ifdef CONFIG_PM_SLEEP
	.freeze = vaccel_freeze,
	.restore = vaccel_restore,
#endif
};
module_virtio_driver(virtio_vaccel);

MODULE_DESCRIPTION("calls from a guest to the accelerators of its host, over VirtIO");
MODULE_LICENSE("GPL");
