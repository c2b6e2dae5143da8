/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accelerator: what docs/virtio.md, "The device", says. Chains come in the thread that
 * walks the rings, device.c; each open file of the guest is a connection of the
 * worker's, whose link is in file.c: messages are read from chains, and answers written
 * into them, by the threads that serve connections.
 */
#ifndef VACCEL_AGENT_VHOST_DEVICE_H
#define VACCEL_AGENT_VHOST_DEVICE_H

#include <endian.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/vhost/messages.h"
#include "agent/vhost/vhost.h"
#include "agent/worker/worker.h"
#include "transport/transport.h"

#define DEVICE_MAGIC   0x4c434356u /* "VCCL" */
#define DEVICE_VERSION 1
#define DEVICE_ECHO    1u /* of its features */

struct device_config {
	uint32_t magic;
	uint16_t version;
	uint16_t num_queues;
	uint32_t features;
	uint32_t segments_max;
	uint64_t readable_max;
	uint64_t writable_max;
	uint64_t reserved[4];
};

enum request_type { TYPE_MESSAGE = 1, TYPE_CANCEL, TYPE_CLOSE, TYPE_ECHO };
enum request_flag { FLAG_BEGIN = 1, FLAG_END = 2, FLAG_ROOM = 4, FLAG_FETCH = 8, FLAGS_KNOWN = 15 };

/* What a chain begins with. */
struct header {
	uint16_t type;
	uint16_t flags;
	uint32_t uid;
	uint32_t pid;
	uint32_t reserved;
	uint64_t file;
	uint64_t request;
	uint64_t offset;
	uint64_t readable;
	uint64_t writable;
	uint64_t timeout_ns;
};

enum code { CODE_OK, CODE_BAD, CODE_NOSPACE, CODE_CANCELED, CODE_STALE, CODE_BUSY, CODE_GONE };
enum status_flag { STATUS_GOAWAY = 1, STATUS_MORE = 2 };

/* What its writable bytes begin with. */
struct status {
	uint32_t code;
	uint32_t flags;
	uint64_t used;
	uint64_t wanted;
	uint64_t reserved;
};

/* Gives the chain back. @touched: bytes of the room that the guest may look at. */
struct answer {
	enum code code;
	uint32_t flags;
	uint64_t used, wanted, touched;
};
void chain_answer(struct chain *chain, const struct answer *answer);

/* Memory of an argument that is not used where the guest has it, or an output there. */
struct lent {
	struct lent *next;
	void *data;
	uint64_t offset, size;
	bool writable;
	bool copied; /* @data is ours */
	bool named;  /* by the answer */
};

/* A request of a file. */
struct exchange {
	struct exchange *next;
	struct chain *chain; /* with END; NULL: answered, or a CANCEL of ours */
	struct header header;
	struct frame frame;
	unsigned char bytes[FRAME_SIZE]; /* of it */
	unsigned char *gathered;	 /* readable bytes of a request in several chains */
	uint64_t have;			 /* so many of them */
	unsigned char *image;		 /* writable bytes of a request with room in several */
	uint64_t image_size, sent;	 /* of these the guest is to get, and has */
	uint64_t size;			 /* of its message */
	uint64_t read;			 /* by the connection */
	uint64_t room;			 /* for the answer's message */
	struct lent *lent;
	bool canceled;
	unsigned char *kept; /* the answer's message that found no room */
	uint64_t kept_size;
	uint64_t charged; /* bytes of the tenant's memory */
};

struct accel;

struct file {
	struct file *next;
	struct accel *accel;
	uint64_t number;
	int event; /* readable: there is something to read */

	pthread_mutex_t lock; /* all below */
	pthread_cond_t more;
	unsigned int refs; /* the device's and the link's */
	bool waited_for;   /* somebody waits for @more */
	int helped;	   /* somebody walks the rings meanwhile, and is woken by this; or -1 */
	bool signaled;	   /* @event is readable */
	bool closed;	   /* nothing more comes */
	bool goaway;
	struct exchange *incoming; /* to be read, in their order */
	struct exchange *running;  /* to be answered */
	struct exchange *kept;	   /* with answers that have not been fetched, the newest first */

	/* The answer that is being written; who holds the link's lock */
	struct exchange *writing;
	unsigned char *into; /* memory of ours; NULL: straight into the chain */
	uint64_t written, left;
	enum frame_kind kind;
	int status;
};

/* Counted: as the machine's device, and by its files. */
struct accel {
	_Atomic unsigned int refs;
	struct worker *worker;
	const struct listener_setup *listener;
	char peer[64];
	pthread_mutex_t helping;       /* who does; see vhost_help() */
	_Atomic(struct vhost *) vhost; /* goes under that; NULL: there is none */
	uint64_t bytes_max;	       /* readable or writable, of one request */
	struct file *files;	       /* the walking thread's */
	struct exchange
		*parts[QUEUES_MAX]; /* requests between BEGIN and END; the walking thread's */
	struct header refused[QUEUES_MAX]; /* of which more may come */
	enum code refused_code[QUEUES_MAX];
};

void accel_unref(struct accel *accel);

struct exchange *exchange_new(struct accel *accel, const struct header *header);
/* Its chain must be answered. */
void exchange_delete(struct accel *accel, struct exchange *exchange);

/* A file, and its connection with the worker. BUSY in words. */
int file_open(struct accel *accel, uint64_t number, struct file **ret_file);
void file_unref(struct file *file);

/* The walking thread: takes the exchange, which has its frame. */
void file_push(struct file *file, struct exchange *exchange);
void file_cancel(struct file *file, uint64_t request);
/* Its connection ends when all is read. */
void file_close(struct file *file);
/* What has not begun to be read of that queue is given back. */
void file_stop(struct file *file, unsigned int queue);
/* More room for, or another try of, an answer; the chain is answered. */
void file_fetch(struct file *file, const struct header *header, struct chain *chain);
void file_room(struct file *file, const struct header *header, struct chain *chain);

#endif
