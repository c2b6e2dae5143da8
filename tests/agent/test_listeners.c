// SPDX-License-Identifier: Apache-2.0
/* Listeners, what a reload makes of them, and the front that those of TLS are relayed by. */
#include "house.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/supervisor/notify.h"
#include "agent/supervisor/relay.h"
#include "base/util.h"
#include "certificates.h"
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

static int free_port(struct house *house)
{
	char text[64];

	apply(house, "listeners: [{address: 'tcp://127.0.0.1:0', tenant: stays}]");
	assert_int_equal(listener_text(&house->supervisor.listeners->how->address,
				       house->supervisor.listeners->source.fd, text, sizeof(text)),
			 VACCEL_OK);
	apply(house, "listeners: [{address: 'unix://@/other.sock'}]");
	return atoi(strrchr(text, ':') + 1);
}

static void certify(const struct house *house)
{
	struct certificate certificate;

	certificate_make(&(struct certificate_order){.name = "localhost"}, &certificate);
	write_file(house, "cert", certificate.cert);
	write_file(house, "key", certificate.key);
	certificate_release(&certificate);
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
	int port = free_port(house);
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

/* One socket that systemd has made, at passed.sock, and what was there before in its place. */
#define PASSED 3
#define PLACES 2

static int kept[PLACES];

static int house_make_with_socket(void **state)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct house *house;
	char pid[16];
	int fd;

	for (int i = 0; i < PLACES; i++) {
		kept[i] = fcntl(PASSED + i, F_DUPFD_CLOEXEC, 100);
		assert_int_equal(dup2(STDERR_FILENO, PASSED + i), PASSED + i);
	}
	house_make(state);
	house = *state;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/passed.sock", house->directory);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)) || listen(fd, 8), 0);
	assert_int_equal(dup2(fd, PASSED), PASSED);
	close(fd);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	return 0;
}

static int house_drop_with_socket(void **state)
{
	house_drop(state);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	for (int i = 0; i < PLACES; i++) {
		close(PASSED + i);
		if (kept[i] >= 0)
			dup2(kept[i], PASSED + i);
		closep(&kept[i]);
	}
	return 0;
}

/* Whoever connects meanwhile waits, as systemd has it. */
static void test_a_passed_socket_that_goes_and_comes_back(void **state)
{
	struct house *house = *state;
	int early;

	apply(house, "listeners:\n" LISTENER("stays") LISTENER("passed"));
	assert_int_equal(activation_check(house->supervisor.listeners), VACCEL_OK);
	ask(house, "passed");
	apply(house, "listeners:\n" LISTENER("stays"));
	assert_int_equal(activation_check(house->supervisor.listeners), VACCEL_EINVAL);
	early = knock(house, "passed");
	ask(house, "stays");
	apply(house, "listeners:\n" LISTENER("stays") LISTENER("passed"));
	read_line(house, early);
	close(early);
	ask(house, "passed");
}

/* At any port if it is 0. */
static int pass_at_loopback(int place, int port)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f000001),
		.sin_port = htons((uint16_t)port),
	};
	socklen_t size = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)) || listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	assert_int_equal(dup2(fd, PASSED + place), PASSED + place);
	close(fd);
	return ntohs(name.sin_port);
}

/* @other may be NULL. */
static struct config *config_at(const struct house *house, int port, const char *one,
				const char *other)
{
	const char *hosts[] = {one, other};
	char text[256] = "listeners:\n";

	for (size_t i = 0; i < ARRAY_SIZE(hosts) && hosts[i]; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "  - {address: 'tcp://%s:%d', tenant: of-%s}\n", hosts[i], port, hosts[i]);
	return config_of(house, text);
}

static void assert_shared(struct house *house, int port, const char *one, const char *other)
{
	struct config *config = config_at(house, port, one, other);

	assert_int_equal(listeners_apply(&house->supervisor, config), VACCEL_EBUSY);
	assert_non_null(strstr(vaccel_error_text(), " has the socket that systemd passed for it"));
	config_unref(config);
}

static void apply_at(struct house *house, int port, const char *one)
{
	struct config *config = config_at(house, port, one, NULL);

	assert_int_equal(listeners_apply(&house->supervisor, config), VACCEL_OK);
	config_unref(config);
}

/* Else all who connect would be of one of the tenants. */
static void test_a_passed_socket_has_one_listener(void **state)
{
	struct house *house = *state;
	int port = pass_at_loopback(0, 0);

	assert_shared(house, port, "127.0.0.1", "localhost");
	apply_at(house, port, "127.0.0.1");
	assert_shared(house, port, "127.0.0.1", "localhost");
	assert_shared(house, port, "localhost", "127.0.0.1");
	apply_at(house, port, "localhost");
}

static int looked_up;

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **list);
int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **list);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **list)
{
	looked_up++;
	return __real_getaddrinfo(host, service, hints, list);
}

/* By the sockets themselves: to ask for a name may take long, and it may have several. */
static void test_passed_sockets_that_nobody_has(void **state)
{
	struct house *house = *state;
	int port = pass_at_loopback(0, 0);

	apply_at(house, port, "localhost");
	looked_up = 0;
	assert_int_equal(activation_check(house->supervisor.listeners), VACCEL_OK);
	pass_at_loopback(1, port);
	setenv("LISTEN_FDS", "2", 1);
	assert_int_equal(activation_check(house->supervisor.listeners), VACCEL_EINVAL);
	apply_at(house, port, "localhost");
	assert_int_equal(looked_up, 0);
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
	timer_set(&house->supervisor.loop, &tenant->restart, 2 * PATIENCE / MS);
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
	assert_int_equal(supervisor_check(config), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "tls://127.0.0.1:0: TLS: "));
	assert_int_equal(listeners_apply(&house->supervisor, config), VACCEL_EINVAL);
	assert_null(house->supervisor.listeners);
	write_file(house, "key", one.key);
	assert_int_equal(supervisor_check(config), VACCEL_OK);
	config_unref(config);
	certificate_release(&one);
	certificate_release(&other);
}

/* The front */

#define RELAYED                                                                             \
	"listeners:\n"                                                                      \
	"  - {address: 'unix://@/stays.sock', tenant: stays, policy: other}\n"              \
	"  - {address: 'tls://127.0.0.1:0', cert: @/cert, key: @/key, client_ca: @/cert}\n" \
	"policies: {other: {calls: 7}}\n"

static bool front_is_ready(struct house *house)
{
	return house->supervisor.front.ready;
}

static bool front_has_ended(struct house *house)
{
	return !house->supervisor.front.running && house->supervisor.front.failures > house->number;
}

static void begin_front(struct house *house, const char *tenant)
{
	certify(house);
	setenv("VACCEL_TEST_FRONT", tenant, 1);
	apply(house, RELAYED);
}

static const struct listener *relayed(const struct house *house)
{
	const struct listener *listener = house->supervisor.listeners;

	while (!listener_is_relayed(listener->how))
		listener = listener->next;
	return listener;
}

static int knock_by_tls(const struct house *house)
{
	const struct listener *listener = relayed(house);
	struct address address;
	char text[64];
	int fd;

	assert_int_equal(
		listener_text(&listener->how->address, listener->source.fd, text, sizeof(text)),
		VACCEL_OK);
	assert_int_equal(address_parse(text, &address), VACCEL_OK);
	assert_int_equal(tcp_connect(&address, time_now() + PATIENCE, &fd), VACCEL_OK);
	address_release(&address);
	return fd;
}

static struct line ask_by_tls(struct house *house)
{
	int client = knock_by_tls(house);
	struct line line = read_line(house, client);

	close(client);
	return line;
}

static void test_what_the_front_passes_is_its_tenants(void **state)
{
	struct house *house = *state;

	begin_front(house, "alice");
	until(house, front_is_ready);
	assert_string_equal(ask_by_tls(house).carrier, "tcp");
	assert_non_null(tenant_of(house, "alice"));
	assert_string_equal(tenant_of(house, "alice")->policy->name, "default");
}

static void test_names_that_the_front_may_not_tell(void **state)
{
	static const char *const names[] = {"uid-0", "../x", "", "stays"};
	struct house *house = *state;

	begin_front(house, "alice");
	until(house, front_is_ready);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		pid_t pid = house->supervisor.front.child.pid;

		setenv("VACCEL_TEST_FRONT", names[i], 1);
		house->number = house->supervisor.front.failures;
		kill(pid, SIGKILL);
		until(house, front_has_ended);
		until(house, front_is_ready);
		assert_hung_up(house, knock_by_tls(house));
	}
	assert_null(house->supervisor.tenants);
	assert_int_equal(house->supervisor.nobody.stats->refused[REFUSED_AUTH], ARRAY_SIZE(names));
}

/* With names that it may tell, others, and none. */
static void test_a_front_that_babbles_is_ended(void **state)
{
	struct house *house = *state;

	begin_front(house, "babbles");
	until(house, front_is_ready);
	close(knock_by_tls(house));
	house->number = 0;
	until(house, front_has_ended);
	assert_null(tenant_of(house, "uid-0"));
	assert_null(tenant_of(house, "../x"));
	ask(house, "stays");
}

/* Its listeners wait meanwhile; the others have never heard of it. */
static void test_a_front_that_dies_is_started_anew(void **state)
{
	struct house *house = *state;
	int client;

	begin_front(house, "alice");
	until(house, front_is_ready);
	ask_by_tls(house);
	kill(house->supervisor.front.child.pid, SIGKILL);
	house->number = 0;
	until(house, front_has_ended);
	assert_false(relayed(house)->accepting);
	client = knock_by_tls(house);
	ask(house, "stays");
	until(house, front_is_ready);
	assert_true(relayed(house)->accepting);
	read_line(house, client);
	close(client);
	assert_int_equal(house->supervisor.front.failures, 0);
}

static void test_a_front_that_cannot_start_is_tried_more_rarely(void **state)
{
	static const int pauses[] = {100, 200, 400, 800};
	struct house *house = *state;
	struct helper *front = &house->supervisor.front;
	int64_t start = time_now();

	begin_front(house, "fails");
	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
		house->number = i;
		until(house, front_has_ended);
		assert_pause(&front->restart, start, pauses[i]);
		start = time_now();
		timer_set(&house->supervisor.loop, &front->restart, 0);
	}
	ask(house, "stays");
	setenv("VACCEL_TEST_FRONT", "alice", 1);
	timer_set(&house->supervisor.loop, &front->restart, 0);
	until(house, front_is_ready);
	ask_by_tls(house);
}

/* However much that is. */
static void test_a_front_is_told_all_that_it_must_know(void **state)
{
	const struct ipc_message message = {.kind = IPC_LISTENER, .listener = 4711};
	struct house *house = *state;
	struct helper *front = &house->supervisor.front;

	begin_front(house, "alice");
	until(house, front_is_ready);
	kill(front->child.pid, SIGSTOP);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(
			helper_tell(front, &message, i % 100 ? -1 : house->supervisor.nobody.fd),
			VACCEL_OK);
	assert_int_equal(helper_offer(front, &message, -1), VACCEL_EAGAIN);
	relay_drain(&house->supervisor);
	kill(front->child.pid, SIGCONT);
	house->number = front->failures;
	until(house, front_has_ended);
	assert_null(front->errands);
	assert_false(front->child.frozen);
}

static bool front_knows_what_is_there(struct house *house)
{
	return house->supervisor.nobody.stats->sessions == UINT64_C(1)
								   << relayed(house)->number % 64;
}

/* A key that is replaced is not kept. */
static void test_the_front_forgets_what_is_gone(void **state)
{
	struct house *house = *state;
	uint32_t number;

	begin_front(house, "alice");
	until(house, front_is_ready);
	until(house, front_knows_what_is_there);
	number = relayed(house)->number;
	begin_front(house, "alice");
	assert_int_not_equal(relayed(house)->number, number);
	until(house, front_knows_what_is_there);
	ask_by_tls(house);
}

static bool front_knows_nothing(struct house *house)
{
	return !house->supervisor.nobody.stats->sessions;
}

/* The key of a listener that has got a tenant is its worker's alone. */
static void test_the_front_forgets_what_a_tenant_has(void **state)
{
	struct house *house = *state;

	begin_front(house, "alice");
	until(house, front_is_ready);
	until(house, front_knows_what_is_there);
	apply(house, "listeners:\n"
		     "  - {address: 'tls://127.0.0.1:0', cert: @/cert, key: @/key, "
		     "client_ca: @/cert, tenant: stays}\n");
	until(house, front_knows_nothing);
	apply(house, RELAYED);
	until(house, front_knows_what_is_there);
	ask_by_tls(house);
}

/* It has run: that it cannot is logged once. */
static void test_a_front_that_complains_is_ended(void **state)
{
	struct house *house = *state;

	begin_front(house, "complains");
	house->number = 0;
	until(house, front_has_ended);
	setenv("VACCEL_TEST_FRONT", "alice", 1);
	timer_set(&house->supervisor.loop, &house->supervisor.front.restart, 0);
	until(house, front_is_ready);
	ask_by_tls(house);
}

/* The whole supervisor, by the house's agent.yaml, as a process of its own */

#define SUPERVISE "supervise" /* this program, if it is called so */

static int supervise(const char *directory)
{
	struct config *config;
	char file[64], base[64];

	snprintf(file, sizeof(file), "%s/agent.yaml", directory);
	snprintf(base, sizeof(base), "%s/whole", directory);
	return config_load(file, &config) || supervisor_run(config, file, base);
}

/* Its process, and what it logs. */
static pid_t start_supervisor(const struct house *house, FILE **ret_log)
{
	int log[2];
	pid_t pid;

	assert_int_equal(pipe2(log, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(log[1], STDERR_FILENO);
		execl("/proc/self/exe", SUPERVISE, house->directory, NULL);
		_exit(EXIT_FAILURE);
	}
	close(log[1]);
	*ret_log = fdopen(log[0], "r");
	assert_non_null(*ret_log);
	return pid;
}

static void read_until(FILE *log, const char *words)
{
	char line[1024];

	do
		assert_non_null(fgets(line, sizeof(line), log));
	while (!strstr(line, words));
}

/* Where systemd would hear. */
static int listen_as_systemd(const struct house *house)
{
	const struct timeval patience = {.tv_sec = PATIENCE / MS / 1000};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s/notify", house->directory);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	setenv("NOTIFY_SOCKET", name.sun_path, 1);
	return fd;
}

static void assert_told(int systemd, const char *words)
{
	char said[512] = "";

	assert_true(recv(systemd, said, sizeof(said) - 1, 0) > 0);
	if (strncmp(said, words, strlen(words)))
		fail_msg("says '%s', not '%s'", said, words);
}

/* Not by a reload that comes before; and by one that needs no front any more. */
static void test_systemd_is_told_when_all_is_ready(void **state)
{
	struct house *house = *state;
	int systemd = listen_as_systemd(house);
	FILE *log;
	pid_t pid;
	int status;

	certify(house);
	setenv("VACCEL_TEST_FRONT", "fails", 1);
	write_config(house, RELAYED);
	pid = start_supervisor(house, &log);
	read_until(log, "front cannot start");
	kill(pid, SIGHUP);
	read_until(log, "in force");
	write_config(house, "listeners:\n" LISTENER("stays"));
	kill(pid, SIGHUP);
	assert_told(systemd, "READY=1\nSTATUS=serving");
	kill(pid, SIGHUP);
	assert_told(systemd, "RELOADING=1\n");
	assert_told(systemd, "READY=1\nSTATUS=serving");
	write_config(house, "drain: soon");
	kill(pid, SIGHUP);
	assert_told(systemd, "RELOADING=1\n");
	assert_told(systemd, "READY=1\nSTATUS=/tmp/");
	kill(pid, SIGTERM);
	assert_told(systemd, "STOPPING=1\n");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unsetenv("NOTIFY_SOCKET");
	fclose(log);
	close(systemd);
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
		cmocka_unit_test_setup_teardown(test_a_passed_socket_that_goes_and_comes_back,
						house_make_with_socket, house_drop_with_socket),
		cmocka_unit_test_setup_teardown(test_a_passed_socket_has_one_listener,
						house_make_with_socket, house_drop_with_socket),
		cmocka_unit_test_setup_teardown(test_passed_sockets_that_nobody_has,
						house_make_with_socket, house_drop_with_socket),
		IN_HOUSE(test_only_a_changed_policy_changes_the_worker),
		IN_HOUSE(test_an_end_after_a_reload_is_told_by_the_policy_before),
		IN_HOUSE(test_who_waits_when_its_policy_is_removed),
		IN_HOUSE(test_certificates_must_fit_their_keys),
		IN_HOUSE(test_what_the_front_passes_is_its_tenants),
		IN_HOUSE(test_names_that_the_front_may_not_tell),
		IN_HOUSE(test_a_front_that_babbles_is_ended),
		IN_HOUSE(test_a_front_that_complains_is_ended),
		IN_HOUSE(test_the_front_forgets_what_is_gone),
		IN_HOUSE(test_the_front_forgets_what_a_tenant_has),
		IN_HOUSE(test_a_front_is_told_all_that_it_must_know),
		IN_HOUSE(test_a_front_that_dies_is_started_anew),
		IN_HOUSE(test_a_front_that_cannot_start_is_tried_more_rarely),
		IN_HOUSE(test_systemd_is_told_when_all_is_ready),
	};
	int status = fake_child(argc, argv);

	/* A child's memory is nobody's business. */
	if (status >= 0)
		_exit(status);
	if (!strcmp(argv[0], SUPERVISE))
		return supervise(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
