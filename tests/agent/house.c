// SPDX-License-Identifier: Apache-2.0
#include "house.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/relay.h"
#include "agent/vhost/machine.h"
#include "base/util.h"
#include "fake_child.h"

/* To be freed. */
static char *expand(const struct house *house, const char *text)
{
	char *whole = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&whole, &size);

	assert_non_null(out);
	for (; *text; text++)
		fprintf(out, *text == '@' ? "%s" : "%.1s", *text == '@' ? house->directory : text);
	fclose(out);
	return whole;
}

struct config *config_of(const struct house *house, const char *text)
{
	struct config *config = NULL;
	char *whole = expand(house, text);

	if (config_parse("a test", whole, strlen(whole), &config))
		fail_msg("%s", vaccel_error_text());
	free(whole);
	return config;
}

void write_config(const struct house *house, const char *text)
{
	char *whole = expand(house, text);

	write_file(house, "agent.yaml", whole);
	free(whole);
}

void apply(struct house *house, const char *text)
{
	struct supervisor *supervisor = &house->supervisor;
	struct config *config = config_of(house, text);

	if (listeners_apply(supervisor, config))
		fail_msg("%s", vaccel_error_text());
	config_unref(supervisor->config);
	supervisor->config = config;
	relay_apply(supervisor);
	tenants_reload(supervisor);
	machines_reload(supervisor);
	supervisor->ready = true;
	listeners_begin(supervisor);
}

static void look(struct timer *timer)
{
	struct house *house = CONTAINER_OF(timer, struct house, look);

	if (time_now() > house->end)
		fail_msg("not within %d s", (int)(PATIENCE / SECOND));
	house->supervisor.loop.over = house->is_reached(house);
	if (!house->supervisor.loop.over)
		timer_set(&house->supervisor.loop, timer, 1);
}

void until(struct house *house, bool (*is_reached)(struct house *house))
{
	house->is_reached = is_reached;
	house->end = time_now() + PATIENCE;
	house->supervisor.loop.over = false;
	timer_set(&house->supervisor.loop, &house->look, 0);
	assert_int_equal(loop_run(&house->supervisor.loop), VACCEL_OK);
}

int house_make(void **state)
{
	struct house *house = calloc(1, sizeof(*house));
	char base[64];

	assert_non_null(house);
	strcpy(house->directory, "/tmp/vaccel-test-XXXXXX");
	assert_non_null(mkdtemp(house->directory));
	snprintf(base, sizeof(base), "%s/run", house->directory);
	house->look.expired = look;
	house->supervisor.admin.fd = house->supervisor.metrics.fd = -1;
	assert_int_equal(loop_open(&house->supervisor.loop), VACCEL_OK);
	assert_int_equal(directory_open(base, &house->supervisor.directory), VACCEL_OK);
	assert_int_equal(surveyor_new(&house->supervisor.loop, tenants_look_at_directories,
				      &house->supervisor, &house->supervisor.surveyor),
			 VACCEL_OK);
	assert_int_equal(tally_new(&house->supervisor.nobody), VACCEL_OK);
	log_open(&(struct log_setup){.level = VACCEL_LOG_ERROR}, STDERR_FILENO);
	*state = house;
	return 0;
}

int house_drop(void **state)
{
	struct house *house = *state;
	struct supervisor *supervisor = &house->supervisor;
	char command[64];

	listeners_close(supervisor);
	machines_close(supervisor);
	tenants_delete(supervisor);
	helper_stop(&supervisor->front);
	surveyor_delete(supervisor->surveyor);
	directory_close(&supervisor->directory);
	tally_release(&supervisor->nobody);
	timer_clear(&supervisor->loop, &house->look);
	assert_null(supervisor->loop.timers);
	loop_close(&supervisor->loop);
	config_unref(supervisor->config);
	snprintf(command, sizeof(command), "rm -rf %s", house->directory);
	assert_int_equal(system(command), 0);
	free(house);
	unsetenv("VACCEL_TEST_FRONT");
	return 0;
}

struct tenant *tenant_of(const struct house *house, const char *name)
{
	struct tenant *tenant = house->supervisor.tenants;

	while (tenant && strcmp(tenant->name, name))
		tenant = tenant->next;
	return tenant;
}

int knock(const struct house *house, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.sock", house->directory, name);
	assert_int_equal(unix_connect(path, time_now() + PATIENCE, &fd), 0);
	return fd;
}

static bool is_answered(struct house *house)
{
	return !socket_wait(house->client, POLLIN, 0);
}

struct line read_line(struct house *house, int client)
{
	char text[600] = "";
	struct line line;

	house->client = client;
	until(house, is_answered);
	assert_true(recv(client, text, sizeof(text) - 1, 0) > 0);
	if (sscanf(text, FAKE_LINE, &line.pid, &line.status, line.carrier, line.token,
		   line.words) != 5)
		fail_msg("'%s'", text);
	return line;
}

struct line ask(struct house *house, const char *name)
{
	int client = knock(house, name);
	struct line line = read_line(house, client);

	close(client);
	return line;
}

void assert_hung_up(struct house *house, int client)
{
	char byte;

	house->client = client;
	until(house, is_answered);
	assert_int_equal(recv(client, &byte, 1, 0), 0);
	close(client);
}

void assert_pause(const struct timer *timer, int64_t start, int ms)
{
	assert_true(timer->due >= start + ms * MILLISECOND);
	assert_true(timer->due <= time_now() + ms * MILLISECOND);
}

void write_file(const struct house *house, const char *name, const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", house->directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	fclose(file);
}
