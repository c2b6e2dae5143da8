// SPDX-License-Identifier: Apache-2.0
/*
 * Listeners. All that a configuration lists are opened before any of those before
 * is closed; a socket that both have goes over to the new one, so that no
 * connection is refused meanwhile. Connections keep the listener that they came by.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "agent/base/log.h"
#include "agent/supervisor/listener.h"
#include "agent/supervisor/notify.h"
#include "agent/supervisor/observe.h"
#include "agent/supervisor/relay.h"
#include "agent/supervisor/tenant/tenant.h"
#include "agent/vhost/machine.h"
#include "base/util.h"
#include "transport/carrier.h"
#include "transport/secret.h"
#include "transport/tls.h"

#define ACCEPTS_MAX 32	   /* at once, so that others have their turn */
#define CROWD	    32	   /* handshakes at once, from which on hosts are held to a pace */
#define HASTE_NS    SECOND /* without a line on who is too fast */
#define PAUSE_MS    100	   /* where the system has no descriptor or memory left */

bool listener_names_user(const struct listener_config *how)
{
	return !how->tenant && !strcmp(how->address.carrier->scheme, "unix");
}

bool listener_does_tls(const struct listener_config *how)
{
	return !strcmp(how->address.carrier->scheme, "tls");
}

bool listener_is_relayed(const struct listener_config *how)
{
	return !how->tenant && listener_does_tls(how);
}

static void listener_unref(struct listener *listener)
{
	if (!listener || --listener->refs)
		return;
	closep(&listener->setup);
	config_unref(listener->config);
	free(listener);
}

static void accept_no_more(struct listener *listener)
{
	if (listener->accepting)
		loop_remove(&listener->supervisor->loop, &listener->source);
	timer_clear(&listener->supervisor->loop, &listener->pause);
	listener->accepting = false;
}

static void accept_again(struct listener *listener)
{
	if (!listener->accepting && listener->source.fd >= 0)
		listener->accepting =
			!loop_add(&listener->supervisor->loop, &listener->source, EPOLLIN);
}

static void pause_expired(struct timer *timer)
{
	accept_again(CONTAINER_OF(timer, struct listener, pause));
}

/* Accepts nothing for a moment. */
static void rest(struct listener *listener)
{
	accept_no_more(listener);
	timer_set(&listener->supervisor->loop, &listener->pause, PAUSE_MS);
}

static void listener_close(struct listener *listener)
{
	accept_no_more(listener);
	if (listener->owns_name)
		address_unlisten(&listener->how->address, -1);
	close_own_elsewhere(TAKE_FD(listener->source.fd));
	listener_unref(listener);
}

/* Connections */

int arrival_new(struct listener *listener, const char *carrier, const char *peer, int fd,
		struct arrival **ret_arrival)
{
	struct arrival *arrival = calloc(1, sizeof(*arrival));

	if (!arrival) {
		close_own_elsewhere(fd);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection");
	}
	arrival->fd = fd;
	arrival->listener = listener;
	listener->refs++;
	arrival->message.kind = IPC_CONNECTION;
	arrival->message.listener = listener->number;
	snprintf(arrival->message.carrier, sizeof(arrival->message.carrier), "%s", carrier);
	snprintf(arrival->message.peer, sizeof(arrival->message.peer), "%s", peer);
	*ret_arrival = arrival;
	return VACCEL_OK;
}

void arrival_delete(struct arrival *arrival)
{
	if (!arrival)
		return;
	close_own_elsewhere(arrival->fd);
	listener_unref(arrival->listener);
	free(arrival);
}

/* Whether those who do the handshakes have enough of them. */
static bool is_crowded(const struct listener *listener)
{
	const struct stats *stats = listener->supervisor->nobody.stats;

	if (!listener_is_relayed(listener->how))
		stats = tenant_stats(listener->supervisor, listener->how->tenant);
	return stats && atomic_load(&stats->strangers) >= CROWD;
}

/* A handshake costs more than to ask for one. */
static bool is_too_fast(struct listener *listener, const struct peer *peer)
{
	struct supervisor *supervisor = listener->supervisor;
	int64_t now = time_now();

	if (!listener_does_tls(listener->how) || pace_permits(&supervisor->pace, peer->host, now) ||
	    !is_crowded(listener))
		return false;
	atomic_fetch_add(&supervisor->nobody.stats->refused[REFUSED_BUSY], 1);
	if (now - supervisor->last_haste > HASTE_NS)
		log_line(VACCEL_LOG_WARN, NULL,
			 "%s: connects more than %d times a second, and is refused", peer->text,
			 PACE_A_SECOND);
	supervisor->last_haste = now;
	return true;
}

static void take(struct listener *listener, const struct peer *peer, int fd)
{
	const struct listener_config *how = listener->how;
	struct arrival *arrival = NULL;
	char user[TENANT_NAME_MAX];

	if (is_too_fast(listener, peer)) {
		close(fd);
		return;
	}
	if (listener_is_for_machine(how)) {
		machine_take(listener, peer->text, fd);
		/* There is one, and one that comes and goes does so at no great speed. */
		rest(listener);
		return;
	}
	if (arrival_new(listener, how->address.carrier->scheme, peer->text, fd, &arrival))
		return;
	if (listener_is_relayed(how)) {
		relay_take(listener->supervisor, arrival);
		return;
	}
	snprintf(user, sizeof(user), "uid-%u", (unsigned int)peer->uid);
	tenant_take(listener->supervisor, how->tenant ? how->tenant : user, arrival);
}

static void listener_ready(struct source *source, uint32_t events)
{
	struct listener *listener = CONTAINER_OF(source, struct listener, source);

	for (int i = 0; i < ACCEPTS_MAX && listener->accepting; i++) {
		struct peer peer;
		int fd;
		int ret = address_accept(&listener->how->address, source->fd, &peer, &fd);

		if (ret == VACCEL_EAGAIN)
			return;
		if (ret) {
			log_line(VACCEL_LOG_WARN, NULL, "%s: %s", listener->how->address.text,
				 vaccel_error_text());
			rest(listener);
			return;
		}
		take(listener, &peer, fd);
	}
}

void listeners_hold_relayed(struct supervisor *supervisor, bool hold)
{
	for (struct listener *listener = supervisor->listeners; listener; listener = listener->next)
		if (listener_is_relayed(listener->how))
			(hold ? accept_no_more : accept_again)(listener);
}

struct listener *listener_by_number(struct supervisor *supervisor, uint32_t number)
{
	struct listener *listener = supervisor->listeners;

	while (listener && listener->number != number)
		listener = listener->next;
	return listener;
}

/* Opening */

/* With the failure's words comes the key that names the file. */
static int blame(const struct named_file *file, int code)
{
	char words[512];

	snprintf(words, sizeof(words), "%s", vaccel_error_text());
	return vaccel_fail(code, "%s: %s", file->where, words);
}

static int read_file(const char *what, const struct named_file *file, bool secret, char **ret_text)
{
	int ret = file->path ? text_file_read(what, file->path, secret, ret_text) : VACCEL_OK;

	return ret ? blame(file, ret) : VACCEL_OK;
}

static int read_token(const struct named_file *file, char **ret_token)
{
	int ret = file->path ? token_read(file->path, ret_token) : VACCEL_OK;

	return ret ? blame(file, ret) : VACCEL_OK;
}

/* Who serves the listener reads them anew, when it is too late to say what does not fit. */
static int check_pem(const struct listener_config *how, const struct listener_setup *setup)
{
	const struct tls_pem pem = {setup->cert, setup->key, setup->client_ca};
	const struct tls_pem ca = {.ca = setup->client_ca};
	struct tls *tls;
	/* By itself, to know which key is to blame. */
	int ret = ca.ca ? tls_client_new(&ca, &tls) : VACCEL_OK;

	if (ret)
		return blame(&how->client_ca, ret);
	if (ca.ca)
		tls_delete(tls);
	ret = tls_server_new(&pem, listener_is_relayed(how), &tls);
	if (ret)
		return blame(&how->cert, ret);
	if (tls_has_expired(tls))
		log_line(VACCEL_LOG_WARN, NULL,
			 "%s: the certificate has expired; clients will refuse it",
			 how->cert.where);
	tls_delete(tls);
	return VACCEL_OK;
}

int listener_read_files(const struct listener_config *how, int *ret_setup)
{
	struct listener_setup setup = {};
	int ret = read_file("certificate", &how->cert, false, &setup.cert);

	*ret_setup = -1;
	if (!ret)
		ret = read_file("private key", &how->key, true, &setup.key);
	if (!ret)
		ret = read_file("CA", &how->client_ca, false, &setup.client_ca);
	if (!ret && setup.cert)
		ret = check_pem(how, &setup);
	if (!ret)
		ret = read_token(&how->token_file, &setup.token);
	if (!ret && (setup.cert || setup.token))
		ret = listener_setup_write(&setup, ret_setup);
	secret_free(TAKE(setup.key));
	secret_free(TAKE(setup.token));
	listener_setup_release(&setup);
	return ret;
}

/* The one of the same socket, whatever else is different. */
static struct listener *find(struct listener *list, const struct listener_config *how)
{
	while (list && !address_is_same(&list->how->address, &how->address))
		list = list->next;
	return list;
}

/* However the path to it is written. */
static bool is_same_file(const char *path, const char *other)
{
	struct stat one, two;

	if (!strcmp(path, other))
		return true;
	return !stat(path, &one) && !stat(other, &two) && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino;
}

static bool is_in_the_way(const struct address *ours, const struct address *wanted)
{
	if (!ours->carrier || ours->port != wanted->port)
		return false;
	if (ours->path || wanted->path)
		return ours->path && wanted->path && is_same_file(ours->path, wanted->path);
	return !ours->host == !wanted->host;
}

static const struct address *own_in_the_way(const struct supervisor *supervisor,
					    const struct address *wanted)
{
	const struct listener *listener = supervisor->listeners;

	if (is_in_the_way(&supervisor->admin.address, wanted))
		return &supervisor->admin.address;
	if (is_in_the_way(&supervisor->metrics.address, wanted))
		return &supervisor->metrics.address;
	while (listener && !is_in_the_way(&listener->how->address, wanted))
		listener = listener->next;
	return listener ? &listener->how->address : NULL;
}

int listen_anew(const struct supervisor *supervisor, const struct address *address, mode_t mode,
		int *ret_fd)
{
	const struct address *own;
	int ret = address_listen(address, mode, ret_fd);

	if (ret != VACCEL_EBUSY || !(own = own_in_the_way(supervisor, address)))
		return ret;
	return vaccel_fail(ret,
			   "listening at %s: this agent itself has it by %s, up to its end; start "
			   "it anew, or take another",
			   address->text, own->text);
}

const struct listener *listener_of_socket(const struct listener *list, int fd)
{
	struct stat wanted, other;

	if (fstat(fd, &wanted))
		return NULL;
	while (list && (fstat(list->source.fd, &other) || other.st_dev != wanted.st_dev ||
			other.st_ino != wanted.st_ino))
		list = list->next;
	return list;
}

/* Names of hosts may lead more than one of a configuration to a socket that systemd passed. */
static int copy_socket(struct listener *listener, const struct listener *others, int open)
{
	const struct address *address = &listener->how->address;
	const struct listener *other = listener_of_socket(others, open);

	if (other)
		return vaccel_fail(VACCEL_EBUSY,
				   "listening at %s: %s has the socket that systemd passed for it; "
				   "give it another address",
				   address->text, other->how->address.text);
	listener->source.fd = fcntl(open, F_DUPFD_CLOEXEC, 0);
	return listener->source.fd < 0 ? vaccel_fail(errno, "no descriptor for '%s'", address->text)
				       : VACCEL_OK;
}

static int open_socket(struct listener *listener, const struct listener *before,
		       const struct listener *others)
{
	const struct listener_config *how = listener->how;
	int open = before ? before->source.fd : activation_find(&how->address);
	int ret;

	if (open >= 0) {
		listener->owns_name = before && before->owns_name;
		return copy_socket(listener, others, open);
	}
	ret = listen_anew(listener->supervisor, &how->address, how->mode, &listener->source.fd);
	listener->owns_name = !ret;
	if (ret != VACCEL_EBUSY)
		return ret;
	while (others && !is_in_the_way(&others->how->address, &how->address))
		others = others->next;
	return others ? vaccel_fail(ret, "listening at %s: the listener of %s has it; take another",
				    how->address.text, others->how->address.text)
		      : ret;
}

/* @others: those of @config that are open already. */
static int listener_open(struct supervisor *supervisor, struct config *config,
			 const struct listener_config *how, const struct listener *others,
			 struct listener **ret_listener)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	struct listener *before = find(supervisor->listeners, how);
	int ret;

	if (!listener)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a listener");
	*listener = (struct listener){
		.refs = 1,
		.supervisor = supervisor,
		.config = config_ref(config),
		.how = how,
		.source = {.fd = -1, .ready = listener_ready},
		.pause = {.expired = pause_expired},
	};
	ret = listener_read_files(how, &listener->setup);
	/* Who knows it by its number need not be told of it again, if it is still who serves it. */
	if (before && listener_is_relayed(before->how) == listener_is_relayed(how) &&
	    setup_is_same(before->setup, listener->setup))
		listener->number = before->number;
	else
		listener->number = ++supervisor->last_listener;
	if (!ret)
		ret = open_socket(listener, before, others);
	if (ret) {
		listener_unref(listener);
		return ret;
	}
	*ret_listener = listener;
	return VACCEL_OK;
}

static void close_all(struct listener *list)
{
	while (list) {
		struct listener *listener = list;

		list = listener->next;
		listener_close(listener);
	}
}

/* Of two that share a socket only one may take its file away: not those of @losing. */
static void keep_names(struct listener *losing, struct listener *keeping)
{
	for (; losing; losing = losing->next)
		if (find(keeping, losing->how))
			losing->owns_name = false;
}

/* What systemd has made has the mode that systemd was told. */
static void change_mode(const struct listener *listener, const struct listener *before)
{
	if (listener->owns_name && before->how->mode != listener->how->mode &&
	    listener_set_mode(listener->source.fd, listener->how->mode))
		log_line(VACCEL_LOG_ERROR, NULL, "%s", vaccel_error_text());
}

static void say(const struct listener *listener)
{
	const struct listener_config *how = listener->how;
	const char *each = listener_names_user(how) ? "user" : "certificate's name";
	char where[256];

	if (listener_text(&how->address, listener->source.fd, where, sizeof(where)))
		snprintf(where, sizeof(where), "%s", how->address.text);
	if (how->tenant)
		log_line(VACCEL_LOG_INFO, &(struct about){how->tenant},
			 "listening at %s, policy '%s'", where, how->policy->name);
	else
		log_line(VACCEL_LOG_INFO, NULL,
			 "listening at %s, a tenant for each %s, policy '%s'", where, each,
			 how->policy->name);
}

/* Tells the log and the helpers of those that are gone. */
static void forget(struct supervisor *supervisor, const struct listener *former)
{
	for (; former; former = former->next) {
		if (!find(supervisor->listeners, former->how))
			log_line(VACCEL_LOG_INFO, NULL, "no longer listening at %s",
				 former->how->address.text);
		if (listener_by_number(supervisor, former->number))
			continue;
		observe_listener_gone(supervisor, former->number);
		if (listener_is_relayed(former->how))
			relay_forget(supervisor, former->number);
	}
}

int listeners_apply(struct supervisor *supervisor, struct config *config)
{
	struct listener *list = NULL;
	struct listener **end = &list;
	struct listener *former, *before;
	int ret = VACCEL_OK;

	for (unsigned int i = 0; !ret && i < config->nr_listeners; i++) {
		ret = listener_open(supervisor, config, &config->listeners[i], list, end);
		if (!ret)
			end = &(*end)->next;
	}
	if (ret) {
		keep_names(list, supervisor->listeners);
		close_all(list);
		return ret;
	}
	keep_names(supervisor->listeners, list);
	former = supervisor->listeners;
	supervisor->listeners = list;
	for (struct listener *listener = list; listener; listener = listener->next) {
		before = find(former, listener->how);
		if (before)
			change_mode(listener, before);
		if (!before || strcmp(before->how->address.text, listener->how->address.text))
			say(listener);
	}
	forget(supervisor, former);
	close_all(former);
	return VACCEL_OK;
}

void listeners_begin(struct supervisor *supervisor)
{
	for (struct listener *listener = supervisor->listeners; listener; listener = listener->next)
		if (!listener_is_relayed(listener->how) || relay_is_ready(supervisor))
			accept_again(listener);
}

void listeners_close(struct supervisor *supervisor)
{
	close_all(TAKE(supervisor->listeners));
}
