/* SPDX-License-Identifier: Apache-2.0 */
/* The drive: docs/virtio.md. drive.c is what it does, blk.c a machine's device of it. */
#ifndef VACCEL_AGENT_VHOST_BLK_H
#define VACCEL_AGENT_VHOST_BLK_H

#include "agent/vhost/vhost.h"

/* The smallest that machines use: of it a share may be held. */
#define BLK_QUEUE_SIZE 128

extern const struct device_kind device_blk;

#endif
