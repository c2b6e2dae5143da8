// SPDX-License-Identifier: Apache-2.0
/*
 * The drive as a device of a machine: virtio-blk's requests as those of drive.h, and ranges
 * that are claimed as connections of the worker. A request that a worker which is gone had is
 * taken as any other: nothing is done by one that was not done before.
 */
#include "agent/vhost/blk.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/vhost/drive.h"
#include "agent/vhost/messages.h"
#include "agent/vhost/ring.h"
#include "agent/worker/server.h"
#include "base/util.h"
#include "transport/drive.h"

/* virtio-blk, of VirtIO 1.2, 5.2 */
enum blk_type { BLK_IN = 0, BLK_OUT = 1, BLK_FLUSH = 4, BLK_GET_ID = 8 };
enum blk_status { BLK_OK, BLK_IOERR, BLK_UNSUPP };

#define ID_SIZE 20

/* After so long without a request a driver is not expected to make one. */
#define SILENT_NS (10 * SECOND)

struct blk_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

struct blk {
	struct worker *worker;
	const struct listener_setup *listener;
	struct drive *drive;
	char peer[64];
	bool warned;	      /* of writes that are none of ours, since the driver began */
	int64_t silent_since; /* when the driver began; 0: there is none, or it is known to be heard
			       */
};

struct blk_request {
	struct drive_request request; /* first */
	struct chain *chain;
	struct iovec pieces[];
};

/* The status is the last of the writable bytes. */
static void answer(struct chain *chain, enum blk_status status)
{
	const unsigned char byte = (unsigned char)status;

	chain_write(chain, chain->writable_size - 1, &byte, 1);
	chain_finish(chain, chain->writable_size);
}

static void request_done(struct drive_request *drive_request, bool went_well)
{
	struct blk_request *request = (struct blk_request *)drive_request;
	struct chain *chain = request->chain;

	free(request);
	answer(chain, went_well ? BLK_OK : BLK_IOERR);
}

/* The pieces from @skip on, @size bytes of them. */
static size_t slice(const struct iovec *from, size_t nr, uint64_t skip, uint64_t size,
		    struct iovec *to)
{
	size_t count = 0;

	for (size_t i = 0; i < nr && size; i++) {
		size_t length = from[i].iov_len;

		if (skip >= length) {
			skip -= length;
			continue;
		}
		length = (size_t)MIN_OF((uint64_t)length - skip, size);
		to[count++] = (struct iovec){(char *)from[i].iov_base + skip, length};
		size -= length;
		skip = 0;
	}
	return count;
}

/* Of somebody in the machine who takes the drive for a disk. */
static void warn(struct blk *blk)
{
	if (!blk->warned)
		log_line(VACCEL_LOG_WARN, &(struct about){.tenant = blk->worker->setup.tenant},
			 "%s: something in the machine writes to the drive as to a disk, and is "
			 "refused: it stores nothing, and cannot be partitioned, formatted or "
			 "mounted; programs use it by VACCEL_RPC_ADDRESS=blk:",
			 blk->peer);
	blk->warned = true;
}

static void access_blocks(struct blk *blk, struct chain *chain, uint64_t sector, bool is_write)
{
	size_t nr = is_write ? chain->nr_readable : chain->nr_writable;
	struct blk_request *request = malloc(sizeof(*request) + nr * sizeof(struct iovec));
	uint64_t size = is_write ? chain->readable_size - sizeof(struct blk_header)
				 : chain->writable_size - 1;

	if (!request || sector > UINT64_MAX / DRIVE_SECTOR) {
		free(request);
		answer(chain, BLK_IOERR);
		return;
	}
	request->chain = chain;
	request->request = (struct drive_request){
		.is_write = is_write,
		.offset = sector * DRIVE_SECTOR,
		.at = request->pieces,
		.size = size,
		.done = request_done,
	};
	if (is_write)
		request->request.nr = slice(chain->readable, nr, sizeof(struct blk_header), size,
					    request->pieces);
	else
		request->request.nr = slice(chain->writable, nr, 0, size, request->pieces);
	if (is_write && !drive_has_writes_at(request->request.offset))
		warn(blk);
	drive_helped(blk->drive, chain->ring->vhost);
	drive_submit(blk->drive, &request->request);
}

static void give_id(struct chain *chain)
{
	char id[ID_SIZE] = DRIVE_SERIAL;
	size_t size = (size_t)MIN_OF(chain->writable_size - 1, (uint64_t)sizeof(id));

	chain_write(chain, 0, id, size);
	answer(chain, BLK_OK);
}

static void blk_take(void *device, struct chain *chain)
{
	struct blk *blk = device;
	struct blk_header header;

	blk->silent_since = 0;
	if (!chain->writable_size || !chain_read(chain, 0, &header, sizeof(header))) {
		chain_drop(chain);
		return;
	}
	switch (le32toh(header.type)) {
	case BLK_IN:
		access_blocks(device, chain, le64toh(header.sector), false);
		return;
	case BLK_OUT:
		access_blocks(device, chain, le64toh(header.sector), true);
		return;
	case BLK_FLUSH:
		answer(chain, BLK_OK);
		return;
	case BLK_GET_ID:
		give_id(chain);
		return;
	default:
		answer(chain, BLK_UNSUPP);
	}
}

/* A range has been claimed. */
static bool connect_range(void *context, struct link *link)
{
	struct blk *blk = context;
	struct worker *worker = blk->worker;
	struct connection *connection;

	/* Who asks again finds the next worker. */
	if (atomic_load(&worker->draining)) {
		link_delete(link);
		return false;
	}
	if (connection_new(worker, link, blk->peer, blk->listener, &connection)) {
		log_line(VACCEL_LOG_WARN, &(struct about){.tenant = worker->setup.tenant}, "%s: %s",
			 blk->peer, vaccel_error_text());
		return false;
	}
	server_add(worker->server, connection);
	return true;
}

static int blk_start(struct worker *worker, const struct listener_setup *listener, const char *peer,
		     void **ret_device)
{
	struct blk *blk = calloc(1, sizeof(*blk));
	const struct drive_setup setup = {
		.queue_size = BLK_QUEUE_SIZE,
		.connect = connect_range,
		.context = blk,
		.help = vhost_help,
		.help_fd = vhost_help_fd,
	};
	int ret;

	if (!blk)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a device");
	blk->worker = worker;
	blk->listener = listener;
	snprintf(blk->peer, sizeof(blk->peer), "%s", peer);
	ret = drive_new(&setup, &blk->drive);
	if (ret)
		free(blk);
	else
		*ret_device = blk;
	return ret;
}

static void blk_stop(void *device, unsigned int queue)
{
	struct blk *blk = device;

	drive_let_go(blk->drive);
}

static void blk_rest(void *device)
{
	struct blk *blk = device;

	drive_reset(blk->drive);
	blk->warned = false;
	blk->silent_since = time_now();
}

/*
 * A system reads a disk as soon as it has found it. Some monitors hand over memory of which the
 * machine has a private copy, so that nothing of what it writes is ever seen here.
 */
static int blk_look(void *device)
{
	struct blk *blk = device;

	if (!blk->silent_since)
		return VACCEL_OK;
	if (time_now() - blk->silent_since < SILENT_NS)
		return VACCEL_EAGAIN;
	blk->silent_since = 0;
	log_line(VACCEL_LOG_WARN, &(struct about){.tenant = blk->worker->setup.tenant},
		 "%s: the machine has a driver for the drive, and not asked anything of it; if it "
		 "waits, its memory is not shared: " SHARE_MEMORY,
		 blk->peer);
	return VACCEL_OK;
}

static void blk_end(void *device)
{
	struct blk *blk = device;

	drive_delete(blk->drive);
	free(blk);
}

const struct device_kind device_blk = {
	.scheme = "vhost-user-blk",
	.start = blk_start,
	.take = blk_take,
	.stop = blk_stop,
	.rest = blk_rest,
	.look = blk_look,
	.end = blk_end,
};
