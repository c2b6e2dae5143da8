// SPDX-License-Identifier: Apache-2.0
/*
 * Links from their beginning to their end, and what can be asked of them. Messages
 * are in receive.c and send.c.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"

/* Of a peer that has said nothing yet. */
static const struct frame_limits first_limits = {HELLO_HEAD_MAX, HELLO_PAYLOAD_MAX};

/* Takes @fd also when it fails. */
static int make_link(const struct carrier *carrier, int fd, bool is_client, struct link **ret_link)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link) {
		if (is_client)
			making_close(fd);
		else
			close(fd);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection");
	}
	link->carrier = carrier;
	link->read = carrier->read ? carrier->read : socket_read;
	link->write = carrier->write ? carrier->write : socket_write;
	link->fd = fd;
	link->is_being_made = is_client;
	link->receive_ms = -1;
	link->patience_ns = LINK_PATIENCE_NS;
	link->passed = -1;
	link->limits = first_limits;
	link->heard = time_about_now();
	pthread_mutex_init(&link->sending, NULL);
	*ret_link = link;
	return VACCEL_OK;
}

void link_delete(struct link *link)
{
	if (!link)
		return;
	if (link->carrier->end)
		link->carrier->end(link);
	if (link->is_being_made)
		making_close(link->fd);
	else
		close(link->fd);
	if (link->passed >= 0)
		close(link->passed);
	pthread_mutex_destroy(&link->sending);
	free(link->mailbox);
	free(link->buffer);
	free(link);
}

static void link_deletep(struct link **link)
{
	link_delete(*link);
}

static int start_link(const struct carrier *carrier, int fd, struct tls *tls,
		      const struct address *address, int64_t until, struct link **ret_link)
{
	_cleanup_(link_deletep) struct link *link = NULL;
	int ret = make_link(carrier, fd, address, &link);

	if (!ret && carrier->start)
		ret = carrier->start(link, tls, address, until);
	if (!ret)
		*ret_link = TAKE(link);
	return ret;
}

int link_connect(const struct address *address, struct tls *tls, int64_t until,
		 struct link **ret_link)
{
	int fd = -1;
	int ret;

	making_links(true);
	ret = address->carrier->connect(address, until, &fd);
	making_links(false);
	if (ret)
		return ret;
	making_note(fd);
	return start_link(address->carrier, fd, tls, address, until, ret_link);
}

void link_is_made(struct link *link)
{
	link->is_being_made = false;
	making_forget(link->fd);
}

int link_adopt(const struct carrier *carrier, int fd, struct tls *tls, struct link **ret_link)
{
	int ret = socket_make_blocking(fd);

	if (ret) {
		close(fd);
		return ret;
	}
	ret = start_link(carrier, fd, tls, NULL, 0, ret_link);
	if (!ret)
		(*ret_link)->in_turn = true;
	return ret;
}

unsigned int link_abilities(const struct link *link)
{
	return link->carrier->abilities;
}

void link_take_passed(struct link *link, bool take)
{
	link->takes_passed = take && link_abilities(link) & LINK_REGIONS;
}

int link_fd(const struct link *link)
{
	return link->fd;
}

/* Without what only waits for more to come. */
static bool has_read_ahead(const struct link *link)
{
	return (link->start < link->end && !link->is_partial) ||
	       (link->carrier->has_read_ahead && link->carrier->has_read_ahead(link));
}

/* A socket that has room to write wakes at once. */
uint32_t link_events(struct link *link)
{
	bool has = has_read_ahead(link) || (link->mailbox && mailbox_has_message(link));

	return has ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

bool link_has_news(struct link *link)
{
	uint32_t events = link_events(link);
	struct pollfd socket = {.fd = link->fd, .events = POLLIN | POLLRDHUP};

	return events & EPOLLOUT || poll(&socket, 1, 0);
}

void link_rest(struct link *link)
{
	if (link->start < link->end)
		return;
	free(TAKE(link->buffer));
	link->room = 0;
	link->start = 0;
	link->end = 0;
}

const char *link_peer_name(const struct link *link)
{
	return link->carrier->peer_name ? link->carrier->peer_name(link) : NULL;
}

bool link_is_open(const struct link *link)
{
	return !link->carrier->is_open || link->carrier->is_open(link);
}

void link_set_limits(struct link *link, const struct frame_limits *limits)
{
	link->limits = *limits;
}

bool link_is_stale(struct link *link)
{
	char byte;

	if (link->receive_ended || link->send_ended || has_read_ahead(link))
		return true;
	if (link->mailbox)
		return mailbox_is_stale(link);
	if (link->io && link->carrier->is_stale)
		return link->carrier->is_stale(link);
	return recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

void link_shut_down(struct link *link)
{
	link->shut = true;
	shutdown(link->fd, SHUT_RDWR);
	if (link->carrier->shut_down)
		link->carrier->shut_down(link);
}

int link_at(struct link *link, uint64_t request, const struct payload *payload, enum vaccel_dir dir,
	    void **ret_data)
{
	if (!link->carrier->at)
		return vaccel_fail(VACCEL_EINVAL, "this connection has no pages of a guest");
	return link->carrier->at(link, request, payload, dir, ret_data);
}

bool link_place(struct link *link, uint64_t request, const void *data, enum vaccel_dir dir,
		struct payload *payload)
{
	return link->carrier->place && link->carrier->place(link, request, data, dir, payload);
}

bool link_is_silent(const struct link *link)
{
	return link->silent;
}

bool link_has_declined(const struct link *link)
{
	return link->declined;
}

int64_t link_last_heard(const struct link *link)
{
	return atomic_load_explicit(&link->heard, memory_order_relaxed);
}

void place_advance(struct place *place, uint64_t size)
{
	while (place->count && size >= place->at->iov_len - place->offset) {
		size -= place->at->iov_len - place->offset;
		place->at++;
		place->count--;
		place->offset = 0;
	}
	place->offset += (size_t)size;
}

int place_batch(const struct place *place, struct iovec *batch, int room)
{
	int nr = (int)MIN_OF(place->count, (size_t)room);

	for (int i = 0; i < nr; i++)
		batch[i] = place->at[i];
	if (nr) {
		batch[0].iov_base = (char *)batch[0].iov_base + place->offset;
		batch[0].iov_len -= place->offset;
	}
	return nr;
}
