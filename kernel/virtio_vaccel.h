/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the driver: device.c brings a device up and down, queue.c has its queues and what
 * is on them, pin.c lends a program's pages, call.c is one call from its first chain to its
 * last, file.c is /dev/accelN.
 *
 * The locks: queue->lock alone, and device->lock, which nests in nothing. Both are taken in
 * interrupts too, and nobody sleeps with either. That of pin.c is its own, and never taken there.
 */
#ifndef VIRTIO_VACCEL_H
#define VIRTIO_VACCEL_H

#include <linux/cache.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "uapi/linux/vaccel.h"
#include "wire.h"

/* A request queue of the device. */
struct vaccel_queue {
	spinlock_t lock; /* guards all below, but for gather's own lock */
	struct virtqueue *vq;
	u64 life;		     /* of the device, from 1; 0: it is down, and vq is none */
	bool indirect;		     /* a chain takes one of them */
	struct vaccel_call *gathers; /* the one between its BEGIN and its END */
	wait_queue_head_t gather;    /* for the end of that */
	struct list_head waiting;    /* chains for which the ring had no room, in order */
	char name[16];
} ____cacheline_aligned_in_smp;

/* What is the same as long as the device is up. */
struct vaccel_limits {
	u32 version;
	u32 features;
	u32 nr_queues;
	u32 segments_max; /* of a chain, those of header and status included */
	u32 segment_size_max;
	u64 readable_max;
	u64 writable_max;
};

struct vaccel_device {
	struct kref ref; /* of the driver's binding, and of each open file */
	struct virtio_device *vdev;
	struct miscdevice misc;
	char name[16];
	int number;
	struct vaccel_limits limits;
	struct vaccel_queue *queues;
	u32 queues_max;
	u64 life;		   /* counts how often it came up */
	wait_queue_head_t changed; /* it went down, or said GOAWAY of a file: for poll() */
	atomic64_t last_file;	   /* numbers given */
	atomic64_t last_request;
	struct work_struct reap; /* of what has come back of the calls that were left */
	atomic_long_t nr_left;	 /* pages that these have pinned */
	spinlock_t lock;	 /* guards the four below */
	struct list_head left;
	bool removed;
	bool broken; /* it talks nonsense, and is left alone until the next reset */
	struct work_struct reset;
};

enum vaccel_chain_state {
	CHAIN_IDLE,
	CHAIN_WAITING, /* in queue->waiting */
	CHAIN_SENT,    /* the device's */
	CHAIN_BACK,    /* given back by it */
	CHAIN_LOST,    /* taken back by a reset, or not sent at all */
};

/*
 * One chain of descriptors. Whoever sends it owns it again once it is back or lost, and then only
 * after taking queue->lock once: vaccel_chain_is_over() does.
 */
struct vaccel_chain {
	struct list_head node;
	struct vaccel_queue *queue;
	enum vaccel_chain_state state; /* queue->lock */
	bool sent;		       /* ever */
	u32 len;		       /* bytes that the device says it wrote */

	/* Called under queue->lock, also in interrupts, when it is back or lost. */
	void (*over)(struct vaccel_chain *chain);
	wait_queue_head_t *wait; /* for vaccel_chain_wake() */

	/* Entries: the header, what is readable, the status, what is writable. */
	struct scatterlist *sg;
	unsigned int sg_room;
	u32 entry_max; /* bytes of one of them */
	unsigned int nr_out;
	unsigned int nr_in;
	u64 readable; /* bytes, header and status not counted */
	u64 writable;
	unsigned long nr_pages; /* pinned for it */
	struct mm_struct *mm;	/* of which they are */

	/* For the device to read and to write, each in lines of cache of its own. */
	struct vaccel_header header ____cacheline_aligned;
	struct vaccel_status status ____cacheline_aligned;
};

struct vaccel_file {
	struct kref ref; /* of the open file, and of its calls that were left */
	struct vaccel_device *device;
	u64 number;
	u64 life;		/* of the device when it was opened */
	atomic_long_t nr_pages; /* pinned by its calls */
	bool begun;		/* the device has heard of it */
	bool goaway;
	bool left;		    /* some of its calls were */
	struct vaccel_chain *close; /* made at once, since closing cannot fail */
};

/* Bytes of the caller's buffers that are still to come. */
struct vaccel_cursor {
	const struct accel_buffer *buffers;
	u32 nr;
	u64 skip; /* bytes of the first of them that are done */
	u64 done; /* bytes */
	u64 size; /* of all */
};

/* One ioctl. */
struct vaccel_call {
	struct vaccel_file *file;
	struct vaccel_queue *queue;
	enum vaccel_type type;
	bool fetch;
	bool may_leave; /* the caller does not need its buffers back */
	bool left;	/* and the device has them: vaccel_call_leave() must follow */
	bool gathering; /* it is what its queue gathers: queue->gathers */
	bool finished;	/* the device has no more to say of it */
	u64 request;
	u64 deadline; /* ns of CLOCK_MONOTONIC, or U64_MAX */
	u64 patience; /* ns, or 0 */
	struct vaccel_cursor in;
	struct vaccel_cursor out;
	wait_queue_head_t wait;
	struct vaccel_chain chain[2]; /* in turns: one is filled while the other is read */
	struct vaccel_chain cancel;
	struct scatterlist cancel_sg[2];
	struct vaccel_chain probe;
	struct scatterlist probe_sg[2];
	struct list_head node; /* in device->left */

	/* The result. */
	u32 code;
	u64 used;
	u64 wanted;
};

/* device.c */

void vaccel_device_put(struct vaccel_device *device);

/* The life that it has, or 0 if it is down. */
u64 vaccel_device_life(struct vaccel_device *device);

/* Never to be used again before a reset: it said what has no sense. In interrupts, too. */
void vaccel_device_break(struct vaccel_device *device, const char *what);

/* It has not given something back for far too long. Returns at once. */
void vaccel_device_reset(struct vaccel_device *device);

/* queue.c */

/* Descriptors that are left free for chains of header and status alone. */
#define VACCEL_RESERVED 2

void vaccel_queue_init(struct vaccel_queue *queue, unsigned int number);
void vaccel_queue_up(struct vaccel_queue *queue, struct virtqueue *vq, u64 life, bool indirect);
void vaccel_queue_callback(struct virtqueue *vq);

/* No more is sent; then, after a reset, all that was sent is lost. */
void vaccel_queue_stop(struct vaccel_queue *queue);
void vaccel_queue_down(struct vaccel_queue *queue);

void vaccel_chain_init(struct vaccel_chain *chain, struct vaccel_queue *queue,
		       wait_queue_head_t *wait);

/* Of header and status alone; @sg has two entries. */
void vaccel_chain_bare(struct vaccel_chain *chain, struct scatterlist *sg);

/*
 * Sends it, or queues it. @urgent: before those that wait, and where these leave room for.
 * -ESTALE: the device is not in that life any more; -EIO and others of virtio's.
 */
int vaccel_chain_send(struct vaccel_chain *chain, u64 life, bool urgent);

/* Whether the device has it no more. */
bool vaccel_chain_is_over(struct vaccel_chain *chain);

/* If it still waits for room: it is lost then. */
void vaccel_chain_withdraw(struct vaccel_chain *chain);
void vaccel_chain_wake(struct vaccel_chain *chain);

/* pin.c */

unsigned long vaccel_pages_max(void); /* that the calls of a file may have pinned */

/*
 * Until the caller may pin another one, at most so many jiffies: 0, -ETIMEDOUT, -EINTR; -ENOMEM if
 * no call has one either, and all that RLIMIT_MEMLOCK permits is taken without them.
 */
int vaccel_page_wait(struct vaccel_file *file, long most);

/*
 * Makes @chain of the bytes that come next, readable ones first, as far as it takes them:
 * both cursors move on. -EDQUOT: not one page may be pinned now.
 */
int vaccel_chain_fill(struct vaccel_chain *chain, struct vaccel_file *file,
		      struct vaccel_cursor *in, struct vaccel_cursor *out);

/* Gives its pages back. */
void vaccel_chain_empty(struct vaccel_chain *chain, struct vaccel_file *file);

/* call.c */

int vaccel_call_run(struct vaccel_call *call);

/* Takes the call, whose chains the device has still. */
void vaccel_call_leave(struct vaccel_call *call);

/* Gives up what has come back of those that were left. */
void vaccel_calls_reap(struct work_struct *work);

/* Who is calling, which file, and what. */
void vaccel_header_stamp(struct vaccel_header *header, enum vaccel_type type,
			 const struct vaccel_file *file, u64 request);

/* file.c */

extern const struct file_operations vaccel_file_operations;

void vaccel_file_put(struct vaccel_file *file);

#endif
