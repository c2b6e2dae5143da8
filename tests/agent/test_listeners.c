// SPDX-License-Identifier: Apache-2.0
/* Listeners, and what a reload makes of them. */
#include "house.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/supervisor/check.h"
#include "base/util.h"
#include "certificates.h"
#include "certified.h"
#include "fake_child.h"

static mode_t mode_of(const struct house *house, const char *name)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", house->directory, name);
	return stat(path, &st) ? 0 : st.st_mode & 0777;
}

static void test_a_listener_has_its_options(void **state)
{
	struct house *house = *state;

	write_file(house, "token", "a-secret-of-some-length\n");
	apply(house, "listeners:\n"
		     "  - {address: 'unix://@/a.sock', mode: 0640, tenant: stays,\n"
		     "     token_file: @/token}\n"
		     "  - {address: 'unix://@/b.sock', mode: 0600}\n");
	assert_int_equal(mode_of(house, "a.sock"), 0640);
	assert_int_equal(mode_of(house, "b.sock"), 0600);
	assert_string_equal(ask(house, "a").token, "a-secret-of-some-length");
	assert_string_equal(ask(house, "b").token, "-");
}

/* Those that stay keep who waits for them. */
static void test_a_reload_closes_only_what_is_gone(void **state)
{
	struct house *house = *state;
	struct stat before, after;
	char path[64];
	int early;

	apply(house, "listeners:\n" LISTENER("stays") LISTENER("goes"));
	snprintf(path, sizeof(path), "%s/stays.sock", house->directory);
	assert_int_equal(stat(path, &before), 0);
	early = knock(house, "stays");
	apply(house, "listeners:\n" LISTENER("stays") LISTENER("comes"));
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	read_line(house, early);
	close(early);
	assert_int_equal(mode_of(house, "goes.sock"), 0);
	ask(house, "comes");
	assert_int_equal(ask(house, "stays").status, VACCEL_OK);
}

static void test_a_mode_that_is_changed(void **state)
{
	static const char *const configs[] = {
		"listeners: [{address: 'unix://@/a.sock', tenant: stays, mode: 0660}]",
		"listeners: [{address: 'unix:@/a.sock', tenant: stays, mode: 0606}]",
		"listeners: [{address: 'unix://@/a.sock', tenant: stays, mode: 0600}]",
	};
	static const mode_t modes[] = {0660, 0606, 0600};
	struct house *house = *state;
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		int early = i ? knock(house, "a") : -1;

		apply(house, configs[i]);
		assert_int_equal(mode_of(house, "a.sock"), modes[i]);
		if (early >= 0)
			read_line(house, early);
		closep(&early);
		ask(house, "a");
	}
	/* Whoever has taken the file away has no mode changed of what is there now. */
	write_file(house, "other", "");
	snprintf(path, sizeof(path), "%s/a.sock", house->directory);
	assert_int_equal(unlink(path) || symlink("other", path), 0);
	apply(house, configs[1]);
	assert_int_equal(mode_of(house, "other"), 0600);
}

/* Where it is not NULL, what somebody in the directory puts in the place of a new socket file. */
static const char *instead;

int __real_bind(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *name, socklen_t size);

int __wrap_bind(int fd, const struct sockaddr *name, socklen_t size)
{
	const char *path = ((const struct sockaddr_un *)name)->sun_path;
	int ret = __real_bind(fd, name, size);

	if (!ret && instead && name->sa_family == AF_UNIX)
		assert_int_equal(unlink(path) || symlink(instead, path), 0);
	return ret;
}

static void test_a_mode_is_the_socket_files_alone(void **state)
{
	struct house *house = *state;
	mode_t mask = umask(077);

	write_file(house, "other", "");
	instead = "other";
	apply(house, "listeners: [{address: 'unix://@/a.sock', tenant: stays, mode: 0666}]");
	instead = NULL;
	assert_int_equal(mode_of(house, "other"), 0600);
	assert_int_equal(umask(mask), 077);
}

/* Of a listener that is the only one. */
static ino_t socket_of(const struct house *house)
{
	struct stat st;

	assert_int_equal(fstat(house->supervisor.listeners->source.fd, &st), 0);
	return st.st_ino;
}

/* One that nobody is given until @ret_holder is closed; the agent can listen there all the same. */
static int hold_port(int *ret_holder)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_holder = fd;
	return ntohs(address.sin_port);
}

static void test_a_port_that_is_served_otherwise(void **state)
{
	static const char tcp[] = "listeners: [{address: 'tcp://127.0.0.1:%d', tenant: stays}]",
			  tls[] = "listeners: [{address: 'tls://127.0.0.1:%d', tenant: stays, "
				  "cert: @/cert, key: @/key, insecure: true}]",
			  all[] = "listeners: [{address: 'tcp://0.0.0.0:%d', tenant: stays, "
				  "insecure: true}]";
	struct house *house = *state;
	struct config *config;
	char text[256];
	int holder, port = hold_port(&holder);
	ino_t before;

	certify(house);
	snprintf(text, sizeof(text), tcp, port);
	apply(house, text);
	before = socket_of(house);
	snprintf(text, sizeof(text), tls, port);
	apply(house, text);
	assert_int_equal(socket_of(house), before);
	snprintf(text, sizeof(text), all, port);
	config = config_of(house, text);
	assert_int_equal(listeners_apply(&house->supervisor, config), VACCEL_EBUSY);
	assert_non_null(
		strstr(vaccel_error_text(), "this agent itself has it by tls://127.0.0.1:"));
	config_unref(config);
	assert_int_equal(socket_of(house), before);
	close(holder);
}

static void test_a_reload_is_all_or_nothing(void **state)
{
	struct house *house = *state;
	struct config *config;

	apply(house, "listeners:\n" LISTENER("stays"));
	write_file(house, "in-the-way", "");
	config = config_of(house,
			   "listeners:\n" LISTENER("stays") LISTENER(
				   "comes") "  - {address: 'unix://@/in-the-way', tenant: x}\n");
	assert_int_equal(listeners_apply(&house->supervisor, config), VACCEL_EEXIST);
	assert_non_null(strstr(vaccel_error_text(), "in-the-way' is there and no socket"));
	config_unref(config);
	assert_int_equal(mode_of(house, "comes.sock"), 0);
	ask(house, "stays");
}

static void test_only_a_changed_policy_changes_the_worker(void **state)
{
	struct house *house = *state;
	struct line one, other;

	apply(house,
	      "listeners:\n" LISTENER(
		      "one") "  - {address: 'unix://@/other.sock', tenant: other, policy: gold}\n"
			     "policies: {gold: {calls: 1}}\n");
	one = ask(house, "one");
	other = ask(house, "other");
	apply(house,
	      "listeners:\n" LISTENER(
		      "one") "  - {address: 'unix://@/other.sock', tenant: other, policy: gold}\n"
			     "policies: {gold: {calls: 2}}\n");
	assert_int_equal(ask(house, "one").pid, one.pid);
	assert_int_not_equal(ask(house, "other").pid, other.pid);
	assert_int_equal(ask(house, "other").status, VACCEL_OK);
}

static bool nobody_leaves(struct house *house)
{
	return !house->supervisor.tenants->leaving;
}

static void test_an_end_after_a_reload_is_told_by_the_policy_before(void **state)
{
	struct house *house = *state;

	/* Any process holds most of so little. */
	apply(house, "listeners:\n" LISTENER("stumbles") "policies: {default: {memory: 1MiB}}");
	ask(house, "stumbles");
	apply(house, "listeners:\n" LISTENER("stumbles") "policies: {default: {memory: 1TiB}}");
	until(house, nobody_leaves);
	assert_string_equal(tenant_of(house, "stumbles")->fates[0].text,
			    "worker ran out of memory, 1 MiB by policy 'default', while it ran "
			    "exec");
}

static bool somebody_waits(struct house *house)
{
	return house->supervisor.tenants && house->supervisor.tenants->waiting;
}

/* There is none to start a worker by. */
static void test_who_waits_when_its_policy_is_removed(void **state)
{
	struct house *house = *state;
	struct tenant *tenant;
	int client;

	apply(house, "listeners: [{address: 'unix://@/fails.sock', tenant: fails, policy: gold}]\n"
		     "policies: {gold: {calls: 1}}\n");
	for (int i = 0; i < 2; i++)
		assert_hung_up(house, knock(house, "fails"));
	tenant = tenant_of(house, "fails");
	assert_true(tenant->restart.due);
	timer_set(&house->supervisor.loop, &tenant->restart, 2 * PATIENCE / MILLISECOND);
	client = knock(house, "fails");
	until(house, somebody_waits);
	apply(house, "listeners:\n" LISTENER("fails"));
	assert_hung_up(house, client);
	timer_set(&house->supervisor.loop, &tenant->restart, 0);
	assert_hung_up(house, knock(house, "fails"));
	assert_string_equal(tenant->policy->name, "default");
}

/* A listener that nobody could shake hands with is none. */
static void test_certificates_must_fit_their_keys(void **state)
{
	struct house *house = *state;
	struct certificate one, other;
	struct config *config;

	certificate_make(&(struct certificate_order){.name = "one"}, &one);
	certificate_make(&(struct certificate_order){.name = "other"}, &other);
	write_file(house, "cert", one.cert);
	write_file(house, "key", other.key);
	config = config_of(house, "listeners: [{address: 'tls://127.0.0.1:0', tenant: t,"
				  "cert: @/cert, key: @/key, insecure: true}]");
	assert_int_equal(check_config(config, house->directory), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "a test: listeners[0].cert: TLS: "));
	assert_int_equal(listeners_apply(&house->supervisor, config), VACCEL_EINVAL);
	assert_null(house->supervisor.listeners);
	write_file(house, "key", one.key);
	assert_int_equal(check_config(config, house->directory), VACCEL_OK);
	config_unref(config);
	certificate_release(&one);
	certificate_release(&other);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_HOUSE(test_a_listener_has_its_options),
		IN_HOUSE(test_a_reload_closes_only_what_is_gone),
		IN_HOUSE(test_a_mode_that_is_changed),
		IN_HOUSE(test_a_mode_is_the_socket_files_alone),
		IN_HOUSE(test_a_port_that_is_served_otherwise),
		IN_HOUSE(test_a_reload_is_all_or_nothing),
		IN_HOUSE(test_only_a_changed_policy_changes_the_worker),
		IN_HOUSE(test_an_end_after_a_reload_is_told_by_the_policy_before),
		IN_HOUSE(test_who_waits_when_its_policy_is_removed),
		IN_HOUSE(test_certificates_must_fit_their_keys),
	};

	fake_child(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
