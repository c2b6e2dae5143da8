// SPDX-License-Identifier: Apache-2.0
/*
 * Connections of the admin socket. The document is made when somebody connects and
 * sent as fast as it is taken; who takes longer than a few seconds is left.
 */
#include "agent/monitor/admin.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <vaccel/log.h>

#include "agent/base/log.h"
#include "base/util.h"

#define PATIENCE_MS 5000

void admin_init(struct admin *admin)
{
	admin->listener = -1;
	for (int i = 0; i < ADMIN_CLIENTS_MAX; i++)
		admin->clients[i] = (struct admin_client){.fd = -1};
}

static void leave(struct admin_client *client)
{
	closep(&client->fd);
	free(client->text);
	*client = (struct admin_client){.fd = -1};
}

void admin_release(struct admin *admin)
{
	for (int i = 0; i < ADMIN_CLIENTS_MAX; i++)
		leave(&admin->clients[i]);
	closep(&admin->listener);
	admin->listener = -1;
}

static struct admin_client *free_place(const struct admin *admin)
{
	for (int i = 0; i < ADMIN_CLIENTS_MAX; i++)
		if (admin->clients[i].fd < 0)
			return (struct admin_client *)&admin->clients[i];
	return NULL;
}

int admin_prepare(const struct admin *admin, struct pollfd polls[ADMIN_POLLS])
{
	int64_t now = time_now(), patience = INT64_MAX;

	polls[0] = (struct pollfd){free_place(admin) ? admin->listener : -1, POLLIN, 0};
	for (int i = 0; i < ADMIN_CLIENTS_MAX; i++) {
		const struct admin_client *client = &admin->clients[i];

		polls[i + 1] = (struct pollfd){client->fd, POLLOUT, 0};
		if (client->fd >= 0)
			patience = MIN_OF(patience,
					  MAX_OF((client->until - now) / MILLISECOND + 1, 0));
	}
	return patience == INT64_MAX ? -1 : (int)patience;
}

static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	if (!peer.uid || peer.uid == geteuid())
		return true;
	log_line(VACCEL_LOG_WARN, NULL,
		 "admin socket: uid %u is refused; only root and the agent's own user may ask",
		 (unsigned int)peer.uid);
	return false;
}

static void send_on(struct admin_client *client)
{
	ssize_t sent = send(client->fd, client->text + client->sent, client->size - client->sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent > 0)
		client->sent += (size_t)sent;
	if (client->sent == client->size || (sent < 0 && errno != EAGAIN && errno != EINTR))
		leave(client);
}

static void receive_client(struct admin *admin, const struct state *state)
{
	struct admin_client *client = free_place(admin);
	_cleanup_(closep) int fd = accept4(admin->listener, NULL, NULL, SOCK_CLOEXEC);

	if (!client || fd < 0 || !may_ask(fd))
		return;
	client->text = admin_text(state);
	if (!client->text)
		return;
	client->fd = TAKE_FD(fd);
	client->size = strlen(client->text);
	client->until = time_now() + (int64_t)PATIENCE_MS * MILLISECOND;
	send_on(client);
}

void admin_run(struct admin *admin, const struct state *state,
	       const struct pollfd polls[ADMIN_POLLS])
{
	for (int i = 0; i < ADMIN_CLIENTS_MAX; i++) {
		struct admin_client *client = &admin->clients[i];

		if (client->fd < 0)
			continue;
		if (polls[i + 1].revents)
			send_on(client);
		else if (client->until <= time_now())
			leave(client);
	}
	if (polls[0].revents)
		receive_client(admin, state);
}
