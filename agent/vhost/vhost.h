/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device of a virtual machine, as the worker sees it: requests come as
 * chains of the machine's memory, and go back when they are answered. What the device
 * is says a struct device_kind: the accelerator (device.c) or the drive (drive.c).
 * Everything in a chain is the guest's, who may change it all the while: what is
 * decided by it is copied first.
 */
#ifndef VACCEL_AGENT_VHOST_VHOST_H
#define VACCEL_AGENT_VHOST_VHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct guest;
struct listener_setup;
struct ring;
struct worker;

/* One request. It is the device's from take() until chain_finish(). */
struct chain {
	struct chain *next;	/* the device's own */
	struct iovec *readable; /* by the device; what adjoins is one piece */
	struct iovec *writable; /* behind the former */
	size_t nr_readable, nr_writable;
	uint64_t readable_size, writable_size;
	unsigned int queue;
	bool again; /* a worker that is gone had it: what became of it is not known */

	/* The ring's */
	struct ring *ring;
	struct guest *guest; /* counted */
	uint16_t head;
	struct iovec pieces[];
};

/* Copies from the readable bytes, or to the writable ones. False: it has not so many. */
bool chain_read(const struct chain *chain, uint64_t offset, void *to, size_t size);
bool chain_write(const struct chain *chain, uint64_t offset, const void *from, size_t size);

/* Where those bytes lie, if they are in one piece; else NULL. */
void *chain_at(const struct chain *chain, bool writable, uint64_t offset, size_t size);

/* Gives it back; the guest may look at the first @written of the writable bytes. Any thread. */
void chain_finish(struct chain *chain, uint64_t written);

/* For take(): it is nothing that can be answered, and its queue is not looked at any more. */
void chain_drop(struct chain *chain);

struct device_kind {
	const char *scheme; /* of the listener's address */

	/* When the machine comes; what else is there is the worker's. @ret_device is what all
	 * others get. A code, with words. */
	int (*start)(struct worker *worker, const struct listener_setup *listener, const char *peer,
		     void **ret_device);

	/* A request, in the thread that walks the rings, so without waiting. */
	void (*take)(void *device, struct chain *chain);

	/*
	 * The queue is to stop: what the device has of it is to be finished as soon as can be.
	 * The same thread. It does not wait for that.
	 */
	void (*stop)(void *device, unsigned int queue);

	/*
	 * After each walk, and soon again if that is VACCEL_EAGAIN: sees to what takes too long.
	 * VACCEL_ETIMEDOUT in words: only the end of this process gives the machine back what is
	 * its. The same thread. NULL: nothing does.
	 */
	int (*look)(void *device);

	/* Whether nothing that it took is without an answer, or has only a part of it. The same
	 * thread. NULL: nobody asks. */
	bool (*is_done)(void *device);

	/* The guest's driver begins: what the one before it had made of the device is void.
	 * The same thread. */
	void (*rest)(void *device);

	/* The machine is gone, or this process ends. It has no chains any more. */
	void (*end)(void *device);
};

const struct device_kind *device_by_scheme(const char *scheme);

/*
 * A machine's device in this process: its thread walks the rings. @channel, which it takes
 * also when it fails, is what the supervisor says on, see update.h.
 */
struct vhost;

int vhost_new(struct worker *worker, const struct device_kind *kind,
	      const struct listener_setup *listener, const char *peer, int channel,
	      struct vhost **ret_vhost);

/*
 * To be said when all that connections were asked has been answered: it takes no more chains, as
 * soon as nothing is halfway, and leaves the machine to the next worker. Any thread.
 */
void vhost_drain(struct vhost *vhost);

/* ns that a guest has then for what it has left halfway; for tests to change. */
extern int64_t halfway_patience;

/*
 * One thread at a time that has nothing else to do until @until may wait for the guest and walk
 * the rings: what comes for it, it then has without another thread. It returns as soon as it has
 * walked, or somebody has written to vhost_help_fd().
 */
void vhost_help(struct vhost *vhost, int64_t until);
int vhost_help_fd(const struct vhost *vhost);

/* Whether it has left, or has been left. */
bool vhost_is_over(const struct vhost *vhost);

/* Waits until it is over. */
void vhost_delete(struct vhost *vhost);

#endif
