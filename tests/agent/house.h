/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A supervisor that a test drives: in a directory of its own, with listeners of a configuration,
 * children as in fake_child.h, and clients. What does not come ends the test.
 */
#ifndef TESTS_AGENT_HOUSE_H
#define TESTS_AGENT_HOUSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/supervisor/tenant/tenant.h"
#include "transport/carrier.h"

#define PATIENCE (30 * SECOND) /* for machines that do other things */

struct house {
	struct supervisor supervisor;
	char directory[32];
	struct timer look;
	bool (*is_reached)(struct house *house);
	int64_t end;

	int client; /* what the condition is about */
	uint64_t number;
};

/* As a test's set-up and tear-down. */
int house_make(void **state);
int house_drop(void **state);

/* A configuration in YAML; '@' stands for the house's directory. */
struct config *config_of(const struct house *house, const char *text);

/* Such a one as its agent.yaml. */
void write_config(const struct house *house, const char *text);

/* Has the supervisor live by it, as a reload does. */
void apply(struct house *house, const char *text);

/* Lets the supervisor do its work until this is so. */
void until(struct house *house, bool (*is_reached)(struct house *house));

/* NULL: it has none of that name. */
struct tenant *tenant_of(const struct house *house, const char *name);

/* For its owner alone to read. */
void write_file(const struct house *house, const char *name, const char *text);

/* A listener of a tenant; and a client's connection there, which is the caller's to close. */
#define LISTENER(name) "  - {address: 'unix://@/" name ".sock', tenant: " name "}\n"
int knock(const struct house *house, const char *name);

/* What a worker has said on a connection. */
struct line {
	int pid, status;
	char carrier[16];
	char token[256], words[256];
};

struct line read_line(struct house *house, int client);

/* On a connection of its own. */
struct line ask(struct house *house, const char *name);

/* The connection ends without a word; closes it. */
void assert_hung_up(struct house *house, int client);

/* A timer that was set after @start. */
void assert_pause(const struct timer *timer, int64_t start, int ms);

#define IN_HOUSE(name) cmocka_unit_test_setup_teardown(name, house_make, house_drop)

#endif
