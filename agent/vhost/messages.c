// SPDX-License-Identifier: Apache-2.0
/*
 * See messages.h. A message is read as far as it has come, so that nobody is waited for,
 * and acted on when it is whole: first what a table says of its kind, its size, its
 * descriptors and what must have been agreed on, then the rest by a function. Whatever is wrong
 * ends the connection: a front end that is in error is not to be guessed at.
 */
#include "agent/vhost/requests.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "agent/base/passed.h"
#include "base/util.h"

#define HEADER_SIZE sizeof(struct vhost_header)

/* Of one front end, which may be faster than we are, before others have their turn. */
#define READS_MAX 64

void backend_init(struct backend *backend, const struct model *model,
		  const struct backend_events *events, int fd)
{
	*backend = (struct backend){
		.model = model,
		.events = events,
		.fd = fd,
		.fresh = true,
		.inflight_fd = -1,
		.asked = -1,
	};
	for (unsigned int i = 0; i < QUEUES_MAX; i++)
		backend->rings[i].kick = backend->rings[i].call = backend->rings[i].error = -1;
}

void backend_release(struct backend *backend)
{
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		close_elsewhere(backend->rings[i].kick);
		close_elsewhere(backend->rings[i].call);
		close_elsewhere(backend->rings[i].error);
	}
	for (unsigned int i = 0; i < backend->nr_regions; i++)
		close_elsewhere(backend->regions[i].fd);
	for (unsigned int i = 0; i < backend->nr_fds; i++)
		close_elsewhere(backend->fds[i]);
	leave_inflight(backend);
	close_elsewhere(backend->inflight_fd);
	close_own_elsewhere(backend->fd);
}

bool backend_waits(const struct backend *backend)
{
	return backend->asked >= 0 || backend->resetting;
}

/* Answers */

/* A peer that leaves so much unread that no answer finds room does not mean well. */
int send_answer(struct backend *backend, const void *body, size_t size, int fd)
{
	struct vhost_header header = {
		.request = backend->header.request,
		.flags = VHOST_VERSION | VHOST_REPLY,
		.size = (uint32_t)size,
	};
	struct iovec pieces[] = {{&header, sizeof(header)}, {(void *)body, size}};
	ssize_t sent = passed_send(backend->fd, pieces, ARRAY_SIZE(pieces),
				   MSG_DONTWAIT | MSG_NOSIGNAL, &fd, fd >= 0);

	if (sent == (ssize_t)(sizeof(header) + size))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EREMOTEIO, "vhost-user: the front end takes no answer");
}

int answer_number(struct backend *backend, uint64_t number)
{
	return send_answer(backend, &number, sizeof(number), -1);
}

/* Messages */

static int check_header(const struct backend *backend)
{
	const struct vhost_header *header = &backend->header;
	const struct rule *rule = rule_of(backend->header.request);

	if ((header->flags & ~VHOST_NEED_REPLY) != VHOST_VERSION)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "vhost-user: a message with flags %#" PRIx32
				   " is none of version 1",
				   header->flags);
	if (!rule)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "vhost-user: request %" PRIu32 " was not offered",
				   header->request);
	if (header->size < rule->least || header->size > rule->most)
		return vaccel_fail(VACCEL_EREMOTEIO, "vhost-user: %s with %" PRIu32 " bytes",
				   rule->name, header->size);
	if (rule->protocol && !(backend->protocol & rule->protocol))
		return refuse(rule->name, "it belongs to a feature that was not agreed on");
	return VACCEL_OK;
}

static int act(struct backend *backend)
{
	const struct rule *rule = rule_of(backend->header.request);
	bool wants_ack = backend->header.flags & VHOST_NEED_REPLY &&
			 backend->protocol & PROTOCOL_REPLY_ACK && !rule->answers;
	int ret;

	if ((rule->fds == NO_FD && backend->nr_fds) ||
	    (rule->fds == ONE_FD && backend->nr_fds != 1))
		return refuse(rule->name, "descriptors came along that do not belong to it, or the "
					  "one that does is missing");
	ret = rule->act(backend);
	if (ret)
		return ret;
	/* The answer to a reset comes when it is done. */
	return wants_ack && !backend->resetting ? answer_number(backend, 0) : VACCEL_OK;
}

/* Reading */

static void next_message(struct backend *backend)
{
	for (unsigned int i = 0; i < backend->nr_fds; i++)
		close_elsewhere(backend->fds[i]);
	backend->nr_fds = 0;
	backend->have = 0;
}

static int keep_fds(struct backend *backend, struct passed *passed)
{
	if (passed->flags & MSG_CTRUNC || passed->nr > TABLE_MAX - backend->nr_fds)
		return refuse("a message", "it brings more descriptors than any has");
	while (passed->nr)
		backend->fds[backend->nr_fds++] = passed_take(passed);
	return VACCEL_OK;
}

/* Some bytes more of the message; VACCEL_EAGAIN: there are none now. */
static int read_some(struct backend *backend)
{
	_cleanup_(passed_release) struct passed passed;
	bool front = backend->have < HEADER_SIZE;
	struct iovec to = {
		.iov_base = front ? (char *)&backend->header + backend->have
				  : (char *)&backend->body + (backend->have - HEADER_SIZE),
		.iov_len = HEADER_SIZE + (front ? 0 : backend->header.size) - backend->have,
	};
	ssize_t size = passed_receive(backend->fd, &to, MSG_DONTWAIT, &passed);

	if (size < 0 && errno == EAGAIN)
		return VACCEL_EAGAIN;
	if (size <= 0)
		return vaccel_fail(VACCEL_EREMOTEIO, "vhost-user: the machine's monitor has closed "
						     "the connection");
	backend->have += (size_t)size;
	return keep_fds(backend, &passed);
}

static bool is_whole(const struct backend *backend)
{
	return backend->have >= HEADER_SIZE && backend->have == HEADER_SIZE + backend->header.size;
}

int backend_read(struct backend *backend)
{
	int ret = VACCEL_OK;

	for (int i = 0; !ret && i < READS_MAX && !backend_waits(backend); i++) {
		ret = read_some(backend);
		if (!ret && backend->have == HEADER_SIZE)
			ret = check_header(backend);
		if (ret || !is_whole(backend))
			continue;
		memset((char *)&backend->body + backend->header.size, 0,
		       sizeof(backend->body) - backend->header.size);
		ret = act(backend);
		next_message(backend);
	}
	return ret == VACCEL_EAGAIN ? VACCEL_OK : ret;
}
