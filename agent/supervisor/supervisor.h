/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process: it accepts connections, learns who is there, and hands each to
 * the process that serves it. It reads nothing that a peer sends.
 */
#ifndef VACCEL_AGENT_SUPERVISOR_SUPERVISOR_H
#define VACCEL_AGENT_SUPERVISOR_SUPERVISOR_H

#include "agent/config/config.h"
#include "agent/supervisor/aside/directory.h"
#include "agent/supervisor/aside/surveyor.h"
#include "agent/supervisor/child/helper.h"
#include "agent/supervisor/loop.h"
#include "agent/supervisor/pace.h"
#include "agent/supervisor/tenant/tally.h"

struct listener;
struct machine;
struct tenant;

/* A socket that the monitor listens on. */
struct window {
	struct address address; /* carrier NULL: there is none */
	mode_t mode;
	int fd;
};

struct supervisor {
	struct loop loop;
	struct config *config;
	const char *file; /* that a reload reads; NULL: there is none */
	struct directory directory;
	struct surveyor *surveyor; /* of workers' directories */
	struct listener *listeners;
	struct machine *machines; /* see agent/vhost/machine.h */
	struct tenant *tenants;
	unsigned int nr_tenants;
	struct tally
		nobody;	    /* what was refused before its tenant was known; the front counts too */
	struct pace pace;   /* of connections with TLS */
	int64_t last_haste; /* when the log said last that somebody was too fast */
	struct helper front, monitor;
	struct window admin, metrics;
	struct source signals;
	struct timer patience; /* of a shutdown */
	uint32_t last_listener;
	bool ready;
	bool stopping;
};

/*
 * Serves until SIGTERM or SIGINT. @config is taken. @file may be NULL; @base: the directory
 * below which run-time files go. The caller logs an error.
 */
int supervisor_run(struct config *config, const char *file, const char *base);

/* Something has ended, or has become ready: what waited for it may go on. */
void supervisor_step(struct supervisor *supervisor);

#endif
