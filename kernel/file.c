// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/accelN: each open file is one the device can tell apart, by a number that is never used
 * again. A file lives as long as the device does not go down; after that it can only be closed.
 */
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>

#include "virtio_vaccel.h"

/* CLOSE, made when the file is opened: it needs no memory any more, nor anybody to wait for it. */
struct closing {
	struct vaccel_chain chain;
	struct scatterlist sg[2];
};

static void close_over(struct vaccel_chain *chain)
{
	kfree(container_of(chain, struct closing, chain));
}

static struct vaccel_queue *own_queue(struct vaccel_device *device)
{
	return &device->queues[raw_smp_processor_id() % READ_ONCE(device->limits.nr_queues)];
}

static int file_open(struct inode *inode, struct file *filp)
{
	struct vaccel_device *device = container_of(filp->private_data, struct vaccel_device, misc);
	struct vaccel_file *file = kzalloc(sizeof(*file), GFP_KERNEL);
	struct closing *closing = kzalloc(sizeof(*closing), GFP_KERNEL);
	u64 life = vaccel_device_life(device);

	if (!file || !closing || !life) {
		kfree(file);
		kfree(closing);
		return life ? -ENOMEM : -ENXIO;
	}
	kref_get(&device->ref);
	kref_init(&file->ref);
	file->device = device;
	file->life = life;
	file->number = atomic64_inc_return(&device->last_file);
	file->close = &closing->chain;
	filp->private_data = file;
	return nonseekable_open(inode, filp);
}

/* Closed, and nothing of it is under way any more. */
static void file_free(struct kref *ref)
{
	struct vaccel_file *file = container_of(ref, struct vaccel_file, ref);

	if (!READ_ONCE(file->begun) || vaccel_chain_send(file->close, file->life, false))
		close_over(file->close);
	vaccel_device_put(file->device);
	kfree(file);
}

void vaccel_file_put(struct vaccel_file *file)
{
	kref_put(&file->ref, file_free);
}

static int file_release(struct inode *inode, struct file *filp)
{
	struct vaccel_file *file = filp->private_data;
	struct vaccel_device *device = file->device;
	struct closing *closing = container_of(file->close, struct closing, chain);

	vaccel_chain_init(file->close, own_queue(device), NULL);
	vaccel_chain_bare(file->close, closing->sg);
	vaccel_header_stamp(&file->close->header, VACCEL_CLOSE, file, 0);
	file->close->over = close_over;
	/* The module may go when this is over; what is to come later, remove waits for. */
	if (READ_ONCE(file->left))
		flush_work(&device->reap);
	vaccel_file_put(file);
	return 0;
}

static __poll_t file_poll(struct file *filp, poll_table *table)
{
	struct vaccel_file *file = filp->private_data;
	__poll_t events = 0;

	poll_wait(filp, &file->device->changed, table);
	if (vaccel_device_life(file->device) != file->life)
		return EPOLLHUP | EPOLLERR;
	if (READ_ONCE(file->goaway))
		events |= EPOLLIN | EPOLLRDHUP;
	return events | EPOLLOUT | EPOLLWRNORM;
}

/* The sum of @nr sizes, at most @max. */
static int sum_up(const struct accel_buffer *buffers, u32 nr, u64 max, u64 *ret_sum)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < nr; i++) {
		u64 address = buffers[i].address, size = buffers[i].size;

		if (size > max - sum)
			return -E2BIG;
		if (address + size < address || address + size > ULONG_MAX)
			return -EFAULT;
		sum += size;
	}
	*ret_sum = sum;
	return 0;
}

static int cursors_init(struct vaccel_call *call, const struct accel_buffer *buffers,
			const struct accel_call *args)
{
	const struct vaccel_limits *limits = &call->file->device->limits;

	call->in.buffers = buffers;
	call->in.nr = args->nr_in;
	call->out.buffers = buffers + args->nr_in;
	call->out.nr = args->nr_out;
	return sum_up(call->in.buffers, call->in.nr, limits->readable_max, &call->in.size)
		       ?: sum_up(call->out.buffers, call->out.nr, limits->writable_max,
				 &call->out.size);
}

/* Both arrays, one behind the other, or an error; to be freed by kvfree(). */
static struct accel_buffer *copy_buffers(const struct accel_call *args)
{
	size_t in = args->nr_in * sizeof(struct accel_buffer);
	size_t out = args->nr_out * sizeof(struct accel_buffer);
	struct accel_buffer *buffers = kvmalloc(in + out, GFP_KERNEL);

	if (!buffers)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(buffers, u64_to_user_ptr(args->in), in) ||
	    copy_from_user(buffers + args->nr_in, u64_to_user_ptr(args->out), out)) {
		kvfree(buffers);
		return ERR_PTR(-EFAULT);
	}
	return buffers;
}

static int check(const struct vaccel_file *file, enum vaccel_type type,
		 const struct accel_call *args)
{
	if (args->nr_in > ACCEL_BUFFERS_MAX || args->nr_out > ACCEL_BUFFERS_MAX - args->nr_in)
		return -EINVAL;
	if (args->flags & ~(ACCEL_FETCH | ACCEL_LEAVE))
		return -EINVAL;
	if (args->flags & ACCEL_FETCH && (type != VACCEL_MESSAGE || args->nr_in || !args->request))
		return -EINVAL;
	if (type == VACCEL_ECHO && !(file->device->limits.features & VACCEL_FEATURE_ECHO))
		return -EOPNOTSUPP;
	return 0;
}

static int call_make(struct vaccel_call *call, struct accel_call *args)
{
	struct vaccel_device *device = call->file->device;
	struct accel_buffer *buffers = copy_buffers(args);
	u64 now = ktime_get_ns();
	int ret;

	if (IS_ERR(buffers))
		return PTR_ERR(buffers);
	call->queue = own_queue(device);
	call->fetch = args->flags & ACCEL_FETCH;
	call->request = call->fetch ? args->request : atomic64_inc_return(&device->last_request);
	call->deadline = args->timeout_ns ? now + args->timeout_ns : U64_MAX;
	if (call->deadline < now)
		call->deadline = U64_MAX;
	call->patience = args->patience_ns;
	call->may_leave = args->flags & ACCEL_LEAVE;

	ret = cursors_init(call, buffers, args);
	if (!ret) {
		if (call->type == VACCEL_MESSAGE)
			WRITE_ONCE(call->file->begun, true);
		ret = vaccel_call_run(call);
	}
	kvfree(buffers);

	args->used = call->used;
	args->wanted = call->wanted;
	args->code = call->code;
	args->flags = (READ_ONCE(call->file->goaway) ? ACCEL_GOAWAY : 0) |
		      (call->left && (ret || call->code) ? ACCEL_LEFT : 0);
	args->request = call->request;
	return ret;
}

static long call_ioctl(struct vaccel_file *file, enum vaccel_type type, void __user *argument)
{
	struct vaccel_call *call;
	struct accel_call args;
	int ret;

	if (copy_from_user(&args, argument, sizeof(args)))
		return -EFAULT;
	ret = check(file, type, &args);
	if (ret)
		return ret;
	call = kzalloc(sizeof(*call), GFP_KERNEL);
	if (!call)
		return -ENOMEM;
	call->file = file;
	call->type = type;
	ret = call_make(call, &args);
	if (call->left)
		vaccel_call_leave(call);
	else
		kfree(call);

	if (args.code == ACCEL_STALE && READ_ONCE(file->device->removed))
		ret = -ENODEV;
	if (copy_to_user(argument, &args, sizeof(args)))
		return -EFAULT;
	return ret;
}

static long info_ioctl(const struct vaccel_device *device, void __user *argument)
{
	const struct vaccel_limits *limits = &device->limits;
	struct accel_info info = {
		.version = limits->version,
		.features = limits->features & VACCEL_FEATURE_ECHO ? ACCEL_HAS_ECHO : 0,
		.queues = limits->nr_queues,
		.segments_max = limits->segments_max,
		.readable_max = limits->readable_max,
		.writable_max = limits->writable_max,
		.pinned_max = (u64)vaccel_pages_max() << PAGE_SHIFT,
	};

	return copy_to_user(argument, &info, sizeof(info)) ? -EFAULT : 0;
}

static long file_ioctl(struct file *filp, unsigned int command, unsigned long argument)
{
	struct vaccel_file *file = filp->private_data;

	switch (command) {
	case ACCEL_CALL:
		return call_ioctl(file, VACCEL_MESSAGE, (void __user *)argument);
	case ACCEL_ECHO:
		return call_ioctl(file, VACCEL_ECHO, (void __user *)argument);
	case ACCEL_INFO:
		return info_ioctl(file->device, (void __user *)argument);
	default:
		return -ENOTTY;
	}
}

const struct file_operations vaccel_file_operations = {
	.owner = THIS_MODULE,
	.open = file_open,
	.release = file_release,
	.poll = file_poll,
	.unlocked_ioctl = file_ioctl,
	.compat_ioctl = compat_ptr_ioctl, /* the structs are the same for 32-bit programs */
};
