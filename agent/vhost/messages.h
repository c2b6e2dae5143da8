/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back end of vhost-user, in the supervisor: what the front end, a machine's monitor,
 * has said so far. It knows descriptors and addresses, and touches nothing that
 * they lead to.
 */
#ifndef VACCEL_AGENT_VHOST_MESSAGES_H
#define VACCEL_AGENT_VHOST_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/vhost/protocol.h"

#define QUEUES_MAX     32
#define QUEUE_SIZE_MAX 1024
#define REGIONS_MAX    32

/* What to say of a machine whose memory cannot be shared. */
#define SHARE_MEMORY                                                             \
	"start QEMU with -object memory-backend-memfd,id=mem,size=...,share=on " \
	"-numa node,memdev=mem, or Cloud Hypervisor with --memory shared=on"

/* What a device shows to its machine. */
struct model {
	const char *scheme; /* of the listener's address */
	uint64_t features;  /* of its own, beside those of all devices here */
	uint16_t queues;
	uint32_t config_size;
	unsigned char config[VHOST_CONFIG_MAX];
};

struct region {
	struct vhost_region at;
	int fd;
};

struct vring {
	uint32_t size; /* 0: not told yet */
	uint16_t base; /* where in the available ring it goes on */
	uint16_t left; /* where it did as it stopped; 0: a driver has begun since, or never did */
	bool anew;     /* as it started, a driver began */
	bool has_addresses;
	struct vhost_addresses addresses;
	int kick, call, error; /* or -1 */
	bool enabled;
	bool started;
	bool stopping; /* the worker has been asked to stop it */
};

struct backend;

/* What follows from a message; they change nothing in the backend, but by its functions. */
struct backend_events {
	void (*memory)(struct backend *backend);   /* there is another table */
	void (*inflight)(struct backend *backend); /* there is other memory for what is under way */
	void (*start)(struct backend *backend, unsigned int queue);
	void (*enable)(struct backend *backend, unsigned int queue);
	void (*call)(struct backend *backend, unsigned int queue); /* another descriptor to ring */
	/* backend_stopped() says when it has. */
	void (*stop)(struct backend *backend, unsigned int queue);
};

struct backend {
	const struct model *model;
	const struct backend_events *events;
	int fd; /* the front end's socket; does not block */
	bool owned;
	uint64_t features; /* agreed, as below */
	uint64_t protocol;
	struct region regions[REGIONS_MAX];
	unsigned int nr_regions;
	struct vring rings[QUEUES_MAX];
	bool fresh;	/* no queue has started since the front end came */
	bool was_reset; /* and none since it reset the device, though some had before */
	struct vhost_inflight inflight;
	int inflight_fd;
	char *inflight_own; /* ours, mapped; NULL: what the front end has in it counts */

	/* The message that is being read */
	struct vhost_header header;
	union {
		uint64_t number;
		struct vhost_number state;
		struct vhost_addresses addresses;
		struct vhost_table table;
		struct vhost_one_region one;
		struct vhost_config config;
		struct vhost_inflight inflight;
		unsigned char bytes[1];
	} body;
	size_t have; /* bytes of both */
	int fds[TABLE_MAX];
	unsigned int nr_fds;
	int asked;	/* GET_VRING_BASE waits for that queue to stop; -1: none */
	bool resetting; /* RESET_DEVICE waits for all to stop */
};

/* Takes @fd. */
void backend_init(struct backend *backend, const struct model *model,
		  const struct backend_events *events, int fd);

/* Closes all descriptors. */
void backend_release(struct backend *backend);

/*
 * Acts on what the front end has sent, as much as one turn takes: the socket stays readable
 * if there is more. VACCEL_EREMOTEIO: it is gone, or what it says is none of the protocol:
 * words.
 */
int backend_read(struct backend *backend);

/* Whether it waits for a queue to stop, and must not be read. */
bool backend_waits(const struct backend *backend);

/* The queue has stopped, and would go on at @base. As backend_read(). */
int backend_stopped(struct backend *backend, unsigned int queue, uint16_t base);

#endif
