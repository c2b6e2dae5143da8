/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine's monitor says to the agent, message by message, as Firecracker and Cloud
 * Hypervisor say it: the features that they know, the order, and what they do not do. The
 * guest is a front.
 */
#ifndef TESTS_VHOST_VMM_H
#define TESTS_VHOST_VMM_H

#include "front.h"

struct vmm_kind {
	const char *name;
	uint64_t features;    /* that it takes if they are offered */
	uint64_t protocol;    /* likewise */
	uint32_t config_size; /* that it reads when it starts; 0: it reads what the guest reads */
	bool enables_at_once; /* each queue, not all of them at the end */
};

extern const struct vmm_kind vmm_firecracker, vmm_cloud_hypervisor_disk,
	vmm_cloud_hypervisor_device;

struct vmm {
	const struct vmm_kind *kind;
	struct front *front;
	const char *path;
	int socket;
	unsigned int queues;
	uint64_t features, protocol; /* agreed */
	unsigned char config[64];
	struct vhost_inflight shape; /* of the memory that the agent has given */
	int inflight;
};

/* As the monitor starts, and reads the configuration if it does so by itself. */
void vmm_boot(struct vmm *vmm, const struct vmm_kind *kind, struct front *front,
	      unsigned int queues, const char *path);
void vmm_end(struct vmm *vmm);

/* As the guest reads, and writes, @size bytes there. */
void vmm_read_config(struct vmm *vmm, uint32_t offset, void *to, uint32_t size);
void vmm_write_config(struct vmm *vmm, uint32_t offset, const void *from, uint32_t size);

/* The guest's driver has set up its queues; and has reset the device. */
void vmm_activate(struct vmm *vmm);
void vmm_reset(struct vmm *vmm);

void vmm_pause(struct vmm *vmm, bool pause);

/* The connection was closed: tries again, for as long as it takes. */
void vmm_connect_again(struct vmm *vmm);

/* Memory more for the guest. */
void vmm_add_memory(struct vmm *vmm, const struct vhost_region *region, int fd);

/* Until the other end has closed the connection. */
void vmm_wait_for_end(struct vmm *vmm);

#endif
