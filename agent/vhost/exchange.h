/* SPDX-License-Identifier: Apache-2.0 */
/* A request of an open file of the guest, from its first chain to the last byte of its answer. */
#ifndef VACCEL_AGENT_VHOST_EXCHANGE_H
#define VACCEL_AGENT_VHOST_EXCHANGE_H

#include "agent/vhost/vhost.h"
#include "agent/vhost/wire.h"
#include "transport/transport.h"

struct accel;

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
	uint64_t number; /* the device's in place of the frame's, which the program chose */
	unsigned char bytes[FRAME_SIZE]; /* of the frame with that */
	unsigned char *gathered;	 /* readable bytes of a request in several chains */
	uint64_t have;			 /* so many of them */
	unsigned char *image;		 /* writable bytes of a request with room in several */
	uint64_t image_size, sent;	 /* of these the guest is to get, and has */
	uint64_t size;			 /* of its message */
	uint64_t read;			 /* by the connection */
	uint64_t room;			 /* for the answer's message */
	struct lent *lent;
	bool lends;	     /* a call may use memory of the guest's for it */
	int64_t canceled;    /* when; 0: it is wanted */
	unsigned char *kept; /* the answer's message that found no room */
	uint64_t kept_size;
	uint64_t charged; /* bytes of the tenant's memory */
};

struct exchange *exchange_new(struct accel *accel, const struct header *header);
/* Its chain must be answered. */
void exchange_delete(struct accel *accel, struct exchange *exchange);

/* Memory of the tenant's, given back with the exchange; NULL: there is not so much. */
void *exchange_memory(struct accel *accel, struct exchange *exchange, uint64_t size);

/* Lists of them: at the end; out of the list, if it is there; by the request's number, or NULL. */
void exchange_append(struct exchange **list, struct exchange *exchange);
struct exchange *exchange_take(struct exchange **list, struct exchange *exchange);
struct exchange *exchange_find(struct exchange *list, uint64_t request);

#endif
