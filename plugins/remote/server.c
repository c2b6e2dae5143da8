// SPDX-License-Identifier: Apache-2.0
/*
 * The list of servers: what the addresses, and the names of hosts in them, stand
 * for. Pointers to them are good until the plugin is unloaded. Those that a name does
 * not stand for any more are passed over; where there is no room for another one, it
 * takes the place of such a one.
 */
#include "remote/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/log.h>
#include <vaccel/plugin.h>

#include "base/util.h"
#include "remote/session.h"
#include "remote/settings.h"
#include "transport/carrier.h"
#include "transport/tls.h"

pthread_mutex_t remote_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t remote_changed;

static struct tls *tls;

static struct server servers[SERVERS_MAX];
static size_t nr_servers;    /* remote_lock, for adding */
static uint64_t nr_listings; /* remote_lock; so far */

int remote_wait(int64_t until)
{
	struct timespec when = timespec_of(until);

	if (until == FOREVER)
		return pthread_cond_wait(&remote_changed, &remote_lock);
	return pthread_cond_timedwait(&remote_changed, &remote_lock, &when) ? VACCEL_ETIMEDOUT
									    : VACCEL_OK;
}

void remote_changed_init(void)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&remote_changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

struct tls *servers_tls(void)
{
	return tls;
}

/* Opening */

/* With the words for what the files hold, and do not, come the variables that name them. */
static int blame_files(int code)
{
	static const int of_files[] = {KNOB_TLS_CERT, KNOB_TLS_KEY, KNOB_TLS_CA};
	char words[512], set[1024] = "";

	snprintf(words, sizeof(words), "%s", vaccel_error_text());
	for (size_t i = 0; i < ARRAY_SIZE(of_files); i++) {
		const struct vaccel_knob *knob = &knobs[of_files[i]];
		const char *path = vaccel_knob_text(knob);
		size_t used = strlen(set);

		if (path)
			snprintf(set + used, sizeof(set) - used, "%s%s is '%s'", used ? ", " : "; ",
				 knob->name, path);
	}
	return vaccel_fail(code, "%s%s", words, set);
}

static int open_tls(void)
{
	const struct tls_files files = {
		.cert = vaccel_knob_text(&knobs[KNOB_TLS_CERT]),
		.key = vaccel_knob_text(&knobs[KNOB_TLS_KEY]),
		.ca = vaccel_knob_text(&knobs[KNOB_TLS_CA]),
		.cert_setting = knobs[KNOB_TLS_CERT].name,
		.key_setting = knobs[KNOB_TLS_KEY].name,
		.ca_setting = knobs[KNOB_TLS_CA].name,
	};
	_cleanup_(tls_pem_release) struct tls_pem pem = {0};
	int ret = tls_pem_read(&files, &pem);

	if (ret)
		return ret;
	ret = tls_client_new(&pem, &tls);
	return ret ? blame_files(ret) : VACCEL_OK;
}

int servers_open(void)
{
	int ret = settings.addresses ? names_open(settings.addresses) : VACCEL_OK;

	if (!ret && names_use("tls"))
		ret = open_tls();
	if (ret)
		servers_close();
	return ret;
}

static void delete_all(struct channels *list)
{
	while (list->first) {
		struct channel *channel = list->first;

		list->first = channel->next;
		channel_delete(channel);
	}
	*list = (struct channels){0};
}

static void server_release(struct server *server)
{
	delete_all(&server->busy);
	delete_all(&server->idle);
	delete_all(&server->owing);
	delete_all(&server->dead);
	explicit_bzero(server->token, sizeof(server->token));
	address_release(&server->address);
	*server = (struct server){0};
}

void servers_close(void)
{
	survey_end();
	for (size_t i = 0; i < nr_servers; i++)
		server_release(&servers[i]);
	nr_servers = 0;
	names_close();
	tls_delete(TAKE(tls));
}

void servers_forget(void)
{
	names_forget();
	survey_forget();
	for (struct server *server = NULL; (server = server_next(server));) {
		server_end_client(server);
		/* What another thread was at is in no state to be looked at. */
		for (struct channel *channel = server->busy.first; channel; channel = channel->next)
			close(link_fd(channel->link));
		server->busy = (struct channels){0};
		delete_all(&server->dead);
		server->uploading = false;
		server->connecting = false;
		server->epoch = 0;
		server->sessions = 0;
	}
}

/* Names */

struct server *server_next(const struct server *server)
{
	size_t next = server ? (size_t)(server - servers) + 1 : 0;

	return next < __atomic_load_n(&nr_servers, __ATOMIC_ACQUIRE) ? &servers[next] : NULL;
}

static struct server *server_at(const struct address *address)
{
	struct server *server = NULL;

	while ((server = server_next(server)))
		if (!strcmp(server->address.text, address->text))
			return server;
	return NULL;
}

/* Whether nobody needs its connections; remote_lock is held. */
static bool is_left(const struct server *server)
{
	return !server->listed && !server->connecting && !server->busy.count;
}

/* One that is left and that the fewest sessions want back, of these the one left longest. */
static struct server *least_missed(void)
{
	struct server *server = NULL, *least = NULL;

	while ((server = server_next(server))) {
		if (!is_left(server))
			continue;
		if (!least || server->sessions < least->sessions ||
		    (server->sessions == least->sessions && server->seen < least->seen))
			least = server;
	}
	return least;
}

/* Makes a place for another server. NULL: all are in use. */
static struct server *make_place(void)
{
	struct server *server;

	if (nr_servers < SERVERS_MAX)
		return &servers[nr_servers];
	server = least_missed();
	if (!server)
		return NULL;
	server_end_client(server);
	address_release(&server->address);
	*server = (struct server){.dead = server->dead};
	return server;
}

/* Takes the address. */
static void add_server(struct address *address)
{
	struct server *server = make_place();

	if (!server)
		return;
	server->address = *address;
	server->name = server->address.text;
	*address = (struct address){0};
	server->listed = true;
	server->seen = nr_listings;
	if (server == &servers[nr_servers])
		__atomic_store_n(&nr_servers, nr_servers + 1, __ATOMIC_RELEASE);
}

void servers_list(struct found *found, bool all)
{
	struct server *server;

	nr_listings++;
	for (size_t i = 0; i < found->nr; i++)
		if ((server = server_at(&found->list[i])))
			server->seen = nr_listings;
	for (server = NULL; (server = server_next(server));) {
		server->listed = server->seen == nr_listings || (server->listed && !all);
		if (is_left(server) && !server->sessions)
			server_end_client(server);
	}
	for (size_t i = 0; i < found->nr; i++)
		if (!server_at(&found->list[i]))
			add_server(&found->list[i]);
}

void servers_bury(void)
{
	struct server *server = NULL;

	while ((server = server_next(server)))
		server_bury(server);
}
