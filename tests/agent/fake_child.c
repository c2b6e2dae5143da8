// SPDX-License-Identifier: Apache-2.0
#include "fake_child.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/ipc.h"
#include "agent/base/setup.h"
#include "agent/base/stats.h"
#include "agent/vhost/update.h"
#include "base/util.h"

static const char mark[] = "vaccel-agent: ";

static void say(enum ipc_kind kind, const char *text)
{
	struct ipc_message message = {.kind = kind};

	strncpy(message.text, text, sizeof(message.text) - 1);
	ipc_send(IPC_FD, &message, -1);
}

static const struct fate *last_fate(const struct worker_setup *setup)
{
	const struct fate *last = &setup->fates[0];

	for (size_t i = 1; i < FATES_MAX && setup->fates[i].epoch; i++)
		last = &setup->fates[i];
	return last;
}

static void greet(const struct worker_setup *setup, const struct listener_setup *listener,
		  const char *carrier, int fd)
{
	const struct fate *fate = last_fate(setup);

	dprintf(fd, "%d %d %s %s %s\n", (int)getpid(), fate->epoch ? fate->status : 0, carrier,
		listener->token ? listener->token : "-", fate->epoch ? fate->text : "-");
}

static void begin_call(int64_t since)
{
	struct stats *stats;

	if (stats_map(STATS_FD, true, &stats))
		abort();
	stats->running[3].op = 1;
	stats->running[3].since = since;
	stats->watched = 1;
	say(IPC_BUSY, "");
}

static _Noreturn void overrun(int64_t since)
{
	begin_call(since);
	for (;;)
		pause();
}

static int leave(const struct worker_setup *setup)
{
	if (!strcmp(setup->tenant, "stumbles")) {
		begin_call(time_now());
		raise(SIGKILL);
	}
	while (!strcmp(setup->tenant, "lingers"))
		pause();
	return EXIT_SUCCESS;
}

/* Kinds that there are and others; only the front may pass descriptors. */
static void say_anything(bool is_front)
{
	static const char *const names[] = {"", "uid-0", "../x", "stays", "babbles"};
	static const int passed[] = {-1, STDIN_FILENO, IPC_FD, STATS_FD};
	struct ipc_message message;
	int fd = -1;

	for (size_t i = 0; i < sizeof(message); i++)
		((unsigned char *)&message)[i] = (unsigned char)rand();
	message.kind = (uint32_t)rand() % (IPC_BUSY + 3);
	message.listener = (uint32_t)rand() % 4;
	if (rand() % 2)
		strcpy(message.text, names[(size_t)rand() % ARRAY_SIZE(names)]);
	if (is_front && message.kind == IPC_PEER)
		fd = passed[(size_t)rand() % ARRAY_SIZE(passed)];
	while (ipc_send(IPC_FD, &message, fd) == VACCEL_EAGAIN)
		poll(&(struct pollfd){IPC_FD, POLLOUT, 0}, 1, -1);
}

static _Noreturn void babble(bool is_front)
{
	struct stats *stats;

	if (stats_map(STATS_FD, true, &stats))
		abort();
	for (int i = 0; i < 20000; i++) {
		((volatile unsigned char *)stats)[(size_t)rand() % sizeof(*stats)] =
			(unsigned char)rand();
		say_anything(is_front);
	}
	(void)!write(IPC_FD, "?", 1);
	for (;;)
		pause();
}

/* One that never ends of itself, and holds what this process does. */
static void breed(void)
{
	if (fork())
		return;
	alarm(60);
	for (;;)
		pause();
}

/* A machine's channel stays open. */
static void attend(const struct worker_setup *setup, int fd)
{
	const struct update stuck = {.kind = UPDATE_STUCK, .words = "it goes on"};

	if (!strcmp(setup->tenant, "sticks")) {
		poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1);
		update_send(fd, &stuck, -1, -1);
		close(fd);
	}
}

static void serve(const struct worker_setup *setup, const struct listener_setup *listener,
		  const char *carrier, int fd)
{
	struct stats *stats;

	/* As a worker does, so that the supervisor knows that it is needed. */
	if (!stats_map(STATS_FD, true, &stats))
		stats->connections++;
	if (!strcmp(carrier, "vhost-user")) {
		attend(setup, fd);
		return;
	}
	greet(setup, listener, carrier, fd);
	if (!strcmp(setup->tenant, "dies"))
		raise(SIGKILL);
	if (!strcmp(setup->tenant, "freezes"))
		raise(SIGSTOP);
	if (!strcmp(setup->tenant, "overruns"))
		overrun(time_now());
	if (!strcmp(setup->tenant, "lies"))
		overrun(INT64_MAX);
	if (!strcmp(setup->tenant, "babbles"))
		babble(false);
	if (!strcmp(setup->tenant, "passes"))
		ipc_send(IPC_FD, &(struct ipc_message){.kind = IPC_PEER}, STDIN_FILENO);
	if (!strcmp(setup->tenant, "breeds"))
		breed();
}

static int work(const struct worker_setup *setup)
{
	struct listener_setup listener = {};
	struct ipc_message message;
	int fd;

	if (!strcmp(setup->tenant, "fails")) {
		say(IPC_FAILED, "no plugin fits");
		return EXIT_FAILURE;
	}
	say(IPC_READY, "");
	while (!ipc_receive(IPC_FD, true, &message, &fd)) {
		if (message.kind == IPC_DRAIN)
			return leave(setup);
		if (message.kind == IPC_ALIVE)
			ipc_live(IPC_FD);
		if (message.kind == IPC_LISTENER && listener_setup_read(fd, &listener))
			return EXIT_FAILURE;
		if (message.kind == IPC_CONNECTION)
			serve(setup, &listener, message.carrier, fd);
	}
	return EXIT_FAILURE;
}

/* Bits of the numbers that it was told and not told to forget. */
static void note_listener(struct stats *stats, uint32_t number, int fd)
{
	if (fd >= 0)
		stats->sessions |= UINT64_C(1) << number % 64;
	else
		stats->sessions &= ~(UINT64_C(1) << number % 64);
	closep(&fd);
}

static int relay(const char *tenant)
{
	struct ipc_message message;
	struct stats *stats;
	int fd;

	if (!strcmp(tenant, "fails") || stats_map(STATS_FD, true, &stats)) {
		say(IPC_FAILED, "no certificate fits");
		return EXIT_FAILURE;
	}
	say(IPC_READY, "");
	while (!strcmp(tenant, "complains"))
		say(IPC_FAILED, "it is too late for that");
	while (!ipc_receive(IPC_FD, true, &message, &fd)) {
		while (message.kind == IPC_DRAIN && !strcmp(tenant, "lingers"))
			pause();
		if (message.kind == IPC_DRAIN)
			return EXIT_SUCCESS;
		if (message.kind == IPC_ALIVE)
			ipc_live(IPC_FD);
		if (message.kind == IPC_LISTENER)
			note_listener(stats, message.listener, fd);
		if (message.kind != IPC_CONNECTION)
			continue;
		if (!strcmp(tenant, "babbles"))
			babble(true);
		message.kind = IPC_PEER;
		strcpy(message.carrier, "vhost-user");
		strncpy(message.text, tenant, sizeof(message.text) - 1);
		ipc_send(IPC_FD, &message, fd);
		close(fd);
	}
	return EXIT_FAILURE;
}

void fake_child(int argc, char **argv)
{
	const char *tenant = getenv("VACCEL_TEST_FRONT");
	struct worker_setup setup;
	struct ipc_message message;
	int fd;

	if (argc != 1 || strncmp(argv[0], mark, strlen(mark)))
		return;
	if (ipc_receive(IPC_FD, true, &message, &fd) || message.kind != IPC_SETUP ||
	    worker_setup_read(fd, &setup))
		_exit(EXIT_FAILURE);
	/* A child's memory is nobody's business. */
	_exit(setup.tenant ? work(&setup) : relay(tenant ? tenant : "fails"));
}
