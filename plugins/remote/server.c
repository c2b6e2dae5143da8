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

#define SERVERS_MAX 64

#define SECOND INT64_C(1000000000)

pthread_mutex_t remote_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t remote_changed;

/* As they were given; never changed once opened. */
static struct address *addresses;
static size_t nr_addresses;
static struct tls *tls;

static struct server servers[SERVERS_MAX];
static size_t nr_servers;   /* remote_lock, for adding */
static int64_t resolved_at; /* remote_lock */
static uint64_t look_ups;   /* remote_lock; so far */
static bool resolving;	    /* remote_lock; by one thread at a time */

int remote_wait(int64_t until)
{
	struct timespec when = {.tv_sec = (time_t)(until / SECOND),
				.tv_nsec = (long)(until % SECOND)};

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

static int add_address(const char *text)
{
	struct address *larger = reallocarray(addresses, nr_addresses + 1, sizeof(*larger));
	int ret;

	if (!larger)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an address");
	addresses = larger;
	if (nr_addresses == SERVERS_MAX)
		return vaccel_fail(VACCEL_EINVAL, "VACCEL_RPC_ADDRESS has more than %d addresses",
				   SERVERS_MAX);
	ret = address_parse(text, &addresses[nr_addresses]);
	if (!ret)
		nr_addresses++;
	return ret;
}

static int parse(char *list)
{
	char *rest = list, *item;
	int ret = VACCEL_OK;

	while (!ret && (item = strsep(&rest, ",")))
		if (*item)
			ret = add_address(item);
	if (!ret && !nr_addresses)
		ret = vaccel_fail(VACCEL_EINVAL,
				  "VACCEL_RPC_ADDRESS is empty; set it to where an agent listens, "
				  "or unset it");
	return ret;
}

static bool uses_tls(void)
{
	for (size_t i = 0; i < nr_addresses; i++)
		if (!strcmp(addresses[i].carrier->scheme, "tls"))
			return true;
	return false;
}

static int open_tls(void)
{
	const struct tls_files files = {
		.cert = vaccel_knob_text(&knobs[KNOB_TLS_CERT]),
		.key = vaccel_knob_text(&knobs[KNOB_TLS_KEY]),
		.ca = vaccel_knob_text(&knobs[KNOB_TLS_CA]),
	};
	_cleanup_(tls_pem_release) struct tls_pem pem = {0};
	int ret = tls_pem_read(&files, &pem);

	return ret ? ret : tls_client_new(&pem, &tls);
}

int servers_open(void)
{
	int ret = settings.addresses ? parse(settings.addresses) : VACCEL_OK;

	if (!ret && uses_tls())
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
	for (size_t i = 0; i < nr_servers; i++)
		server_release(&servers[i]);
	nr_servers = 0;
	resolved_at = 0;
	for (size_t i = 0; i < nr_addresses; i++)
		address_release(&addresses[i]);
	free(TAKE(addresses));
	nr_addresses = 0;
	tls_delete(TAKE(tls));
}

void servers_forget(void)
{
	resolving = false;
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
	server->seen = look_ups;
	if (server == &servers[nr_servers])
		__atomic_store_n(&nr_servers, nr_servers + 1, __ATOMIC_RELEASE);
}

/* What addresses lead to. */
struct found {
	struct address *list;
	size_t nr;
};

static void found_release(struct found *found)
{
	addresses_free(found->list, found->nr);
}

/* Lists what has been found. Unless that is @all there is, what was listed stays. */
static void list_servers(struct found *found, bool all)
{
	struct server *server;

	look_ups++;
	for (size_t i = 0; i < found->nr; i++)
		if ((server = server_at(&found->list[i])))
			server->seen = look_ups;
	for (server = NULL; (server = server_next(server));)
		server->listed = server->seen == look_ups || (server->listed && !all);
	for (size_t i = 0; i < found->nr; i++)
		if (!server_at(&found->list[i]))
			add_server(&found->list[i]);
}

/* Closes connections to servers that are not listed any more and have no session. */
static void leave_unlisted(void)
{
	struct server *server = NULL;

	while ((server = server_next(server))) {
		pthread_mutex_lock(&remote_lock);
		if (is_left(server) && !server->sessions)
			server_end_client(server);
		pthread_mutex_unlock(&remote_lock);
		server_bury(server);
	}
}

/* Where nobody has named an agent */

struct search {
	char address[512];    /* of the first place that can be used; else empty */
	char sentences[2048]; /* what is at all others */
};

static void note_place(void *context, const struct vaccel_agent_place *place)
{
	struct search *search = context;
	size_t used = strlen(search->sentences);

	if (!place->code && !*search->address)
		snprintf(search->address, sizeof(search->address), "%s", place->address);
	if (place->code)
		snprintf(search->sentences + used, sizeof(search->sentences) - used, "%s%s",
			 used ? "; " : "", place->sentence);
}

static int find_server(struct found *found)
{
	struct search search = {"", ""};
	int ret = vaccel_agent_look(note_place, &search);

	if (ret)
		return ret;
	if (!*search.address)
		return vaccel_fail(VACCEL_ENOTSUP,
				   "no agent is configured, and none was found: %s; start "
				   "vaccel-agent, or set VACCEL_RPC_ADDRESS to where one listens",
				   search.sentences);
	found->list = calloc(1, sizeof(*found->list));
	if (!found->list)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an address");
	found->nr = 1;
	return address_parse(search.address, found->list);
}

/* Adds what one address leads to. */
static int resolve(const struct address *address, struct found *found)
{
	struct address *list, *both;
	size_t nr;
	int ret = address_resolve(address, &list, &nr);

	if (ret)
		return ret;
	both = reallocarray(found->list, found->nr + nr, sizeof(*both));
	if (!both) {
		addresses_free(list, nr);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for addresses");
	}
	memcpy(both + found->nr, list, nr * sizeof(*both));
	free(list);
	found->list = both;
	found->nr += nr;
	return VACCEL_OK;
}

static int resolve_all(struct found *found)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; i < nr_addresses; i++) {
		int failure = resolve(&addresses[i], found);

		ret = failure ? failure : ret;
	}
	return ret;
}

/* Whether this thread is to look the names up; others wait only where there is no server yet. */
static bool begin_resolving(int64_t age)
{
	SCOPED_LOCK(&remote_lock);

	while (resolving && !nr_servers)
		remote_wait(FOREVER);
	if (resolving || (nr_servers && time_now() - resolved_at < age))
		return false;
	resolving = true;
	return true;
}

/* A name that could not be looked up stands for what it stood for before. */
static int end_resolving(struct found *found, int ret)
{
	SCOPED_LOCK(&remote_lock);

	list_servers(found, !ret);
	resolving = false;
	resolved_at = time_now();
	pthread_cond_broadcast(&remote_changed);
	return nr_servers ? VACCEL_OK : ret;
}

int servers_resolve(int64_t age)
{
	_cleanup_(found_release) struct found found = {0};
	int ret;

	if (!begin_resolving(age))
		return VACCEL_OK;
	ret = settings.addresses ? resolve_all(&found) : find_server(&found);
	ret = end_resolving(&found, ret);
	leave_unlisted();
	return ret;
}
