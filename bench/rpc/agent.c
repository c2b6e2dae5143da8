// SPDX-License-Identifier: Apache-2.0
/* See agent.h. That it is ready the agent tells as it would tell systemd. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
#include <vaccel/plugin.h>

#include "bench/measure.h"
#include "bench/rpc/agent.h"
#include "bench/rpc/process.h"

#define PATH_ROOM   512
#define START_TRIES 300 /* tenths of a second */
#define CHILDREN    16

/* Names of tenants; RELAYED's is the certificate's. */
static const char *const tenants[ROUTE_COUNT] = {"unix", "tcp", "tls", "bench"};

/*
 * What an agent gives its workers where it has none to pass on, by which a model is faster:
 * the same here must have it too. glibc reads it as a program starts.
 */
static const char settings[] = "glibc.malloc.hugetlb=1";
static const struct vaccel_knob tunables = {
	"GLIBC_TUNABLES", NULL, "the C library's settings", VACCEL_KNOB_TEXT, 0, 0,
};

static const char certificates[] =
	"set -e\n"
	"curve='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'\n"
	"openssl req -x509 $curve -keyout ca.key -out ca.pem -subj '/CN=bench authority'\n"
	"for name in localhost bench; do\n"
	"	openssl req $curve -keyout $name.key -out $name.csr -subj /CN=$name\n"
	"	echo subjectAltName=DNS:$name,IP:127.0.0.1 >names\n"
	"	openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
	"-extfile names -out $name.pem\n"
	"	chmod 600 $name.key\n"
	"done\n";

static int fail(const char *what)
{
	return vaccel_fail(errno, "cannot start an agent: %s: %s", what, strerror(errno));
}

int bench_rpc_settle(char *const *argv)
{
	const char *tuned = vaccel_knob_text(&tunables);

	if (tuned && *tuned)
		return VACCEL_OK;
	setenv(tunables.name, settings, 1);
	execv("/proc/self/exe", argv);
	return vaccel_fail(errno, "cannot start anew with %s=%s: %s", tunables.name, settings,
			   strerror(errno));
}

/* In a child: what it prints would be among the rows. */
static void be_silent(const char *log)
{
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
}

static bool run_script(const char *directory, const char *script)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		be_silent("/dev/null");
		if (!chdir(directory))
			execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(EXIT_FAILURE);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static unsigned int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		address.sin_port = 0;
	if (fd >= 0)
		close(fd);
	return ntohs(address.sin_port);
}

int agent_begin(struct agent *agent)
{
	*agent = (struct agent){.pid = 0};
	snprintf(agent->directory, sizeof(agent->directory), "/tmp/vaccel-bench-XXXXXX");
	if (!mkdtemp(agent->directory))
		return fail("a directory below /tmp");
	agent->has_tls = HAVE_TLS && run_script(agent->directory, certificates);
	return VACCEL_OK;
}

void agent_end(struct agent *agent)
{
	agent_stop(agent);
	if (agent->directory[0]) {
		char script[PATH_ROOM];

		snprintf(script, sizeof(script), "rm -rf %s", agent->directory);
		run_script("/", script);
	}
	agent->directory[0] = '\0';
}

static void write_listener(FILE *file, const struct agent *agent, enum route route)
{
	fprintf(file, "  - {address: \"%s\", policy: bench", agent->address[route]);
	if (route != ROUTE_RELAYED)
		fprintf(file, ", tenant: %s", tenants[route]);
	if (route == ROUTE_TLS || route == ROUTE_RELAYED)
		fprintf(file,
			", cert: %1$s/localhost.pem, key: %1$s/localhost.key, "
			"client_ca: %1$s/ca.pem",
			agent->directory);
	fputs("}\n", file);
}

static int write_config(struct agent *agent, const char *plugins)
{
	enum route routes = agent->has_tls ? ROUTE_COUNT : ROUTE_TLS;
	char path[PATH_ROOM];
	FILE *file;

	snprintf(agent->address[ROUTE_UNIX], sizeof(agent->address[0]), "unix://%s/agent.sock",
		 agent->directory);
	for (enum route route = ROUTE_TCP; route < ROUTE_COUNT; route++)
		snprintf(agent->address[route], sizeof(agent->address[0]), "%s://127.0.0.1:%u",
			 route == ROUTE_TCP ? "tcp" : "tls", free_port());
	snprintf(path, sizeof(path), "%s/agent.yaml", agent->directory);
	file = fopen(path, "we");
	if (!file)
		return fail(path);
	fputs("listeners:\n", file);
	for (enum route route = ROUTE_UNIX; route < routes; route++)
		write_listener(file, agent, route);
	fprintf(file,
		"policies:\n"
		"  bench: {ops: [noop, exec, image_classify, image_classify_top], plugins: [%s], "
		"exec_libraries: [/bench], calls: 16, connections: 20000, payload: 256MiB, spin: 4}\n"
		"admin: {socket: %s/admin.sock}\n",
		plugins, agent->directory);
	return fclose(file) ? fail(path) : VACCEL_OK;
}

/* Beside the command as it is installed, or as it is built. */
static bool find_agent(const char *program, char path[PATH_ROOM])
{
	static const char *const places[] = {"vaccel-agent", "../sbin/vaccel-agent",
					     "../agent/vaccel-agent"};
	const char *slash = strrchr(program, '/');

	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, PATH_ROOM, "%.*s/%s", (int)(slash - program), program, places[i]);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

static int listen_for_ready(const struct agent *agent)
{
	const struct timeval tenth = {.tv_usec = 100000};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/ready", agent->directory);
	unlink(address.sun_path);
	if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tenth, sizeof(tenth)))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

_Noreturn static void become(const struct agent *agent, const char *path, pid_t parent)
{
	const char *tuned = vaccel_knob_text(&tunables);
	char text[PATH_ROOM];

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	snprintf(text, sizeof(text), "%s/log", agent->directory);
	be_silent(text);
	snprintf(text, sizeof(text), "%s/ready", agent->directory);
	setenv("NOTIFY_SOCKET", text, 1);
	snprintf(text, sizeof(text), "%s/run", agent->directory);
	mkdir(text, 0700);
	setenv("XDG_RUNTIME_DIR", text, 1);
	setenv("VACCEL_ONNX_THREADS", "1", 1);
	/* It is not for the supervisor, which gives it to the workers by itself. */
	if (tuned && !strcmp(tuned, settings))
		unsetenv(tunables.name);
	snprintf(text, sizeof(text), "%s/agent.yaml", agent->directory);
	execl(path, path, "--config", text, NULL);
	_exit(EXIT_FAILURE);
}

/* The last line that the agent has written, for words. */
static void last_words(const struct agent *agent, char *line, size_t room)
{
	char path[PATH_ROOM];
	FILE *file;

	snprintf(path, sizeof(path), "%s/log", agent->directory);
	file = fopen(path, "re");
	snprintf(line, room, "it said nothing");
	while (file && fgets(line, (int)room, file))
		line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
}

static int await(struct agent *agent, int ready)
{
	char words[PATH_ROOM];

	for (int tries = 0; tries < START_TRIES; tries++) {
		char said[256] = "";

		if (recv(ready, said, sizeof(said) - 1, 0) > 0 && strstr(said, "READY=1"))
			return VACCEL_OK;
		if (waitpid(agent->pid, NULL, WNOHANG) == agent->pid) {
			agent->pid = 0;
			break;
		}
	}
	last_words(agent, words, sizeof(words));
	agent_stop(agent);
	return vaccel_fail(VACCEL_EREMOTEIO, "the agent did not get ready: %s", words);
}

int agent_start(struct agent *agent, const char *program, const char *plugins)
{
	char path[PATH_ROOM];
	pid_t parent = getpid();
	int ready, ret = write_config(agent, plugins);

	if (ret)
		return ret;
	if (!find_agent(program, path))
		return vaccel_fail(VACCEL_ENOENT, "there is no vaccel-agent beside %s", program);
	ready = listen_for_ready(agent);
	if (ready < 0)
		return fail("a socket to hear from it");
	agent->pid = fork();
	if (!agent->pid)
		become(agent, path, parent);
	ret = agent->pid < 0 ? fail("fork") : await(agent, ready);
	close(ready);
	return ret;
}

void agent_stop(struct agent *agent)
{
	if (agent->pid <= 0)
		return;
	kill(agent->pid, SIGTERM);
	waitpid(agent->pid, NULL, 0);
	agent->pid = 0;
}

void agent_choose(const struct agent *agent, enum route route)
{
	char path[PATH_ROOM];

	setenv("VACCEL_RPC_ADDRESS", agent->address[route], 1);
	snprintf(path, sizeof(path), "%s/bench.pem", agent->directory);
	setenv("VACCEL_TLS_CERT", path, 1);
	snprintf(path, sizeof(path), "%s/bench.key", agent->directory);
	setenv("VACCEL_TLS_KEY", path, 1);
	snprintf(path, sizeof(path), "%s/ca.pem", agent->directory);
	setenv("VACCEL_TLS_CA", path, 1);
}

/* At most CHILDREN + 1; how many there are. */
static size_t all_processes(const struct agent *agent, pid_t pids[CHILDREN + 1])
{
	size_t count = process_children(agent->pid, "", pids + 1, CHILDREN);

	pids[0] = agent->pid;
	return 1 + (count < CHILDREN ? count : CHILDREN);
}

void agent_pin(const struct agent *agent, int processor)
{
	pid_t pids[CHILDREN + 1];
	size_t count;

	if (agent->pid <= 0)
		return;
	count = all_processes(agent, pids);
	for (size_t i = 0; i < count; i++)
		process_pin(pids[i], processor);
}

int agent_worker(const struct agent *agent, enum route route, pid_t *ret_worker)
{
	char name[64];

	snprintf(name, sizeof(name), "vaccel-agent: worker %s", tenants[route]);
	if (process_children(agent->pid, name, ret_worker, 1))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_ENOENT, "the agent has no worker of '%s'", tenants[route]);
}

int agent_usage(const struct agent *agent, struct usage *ret_usage)
{
	struct usage sum = {0};
	pid_t pids[CHILDREN + 1];
	size_t count = all_processes(agent, pids);

	for (size_t i = 0; i < count; i++) {
		double kib, busy;
		int ret = process_kib(pids[i], "VmRSS", &kib);

		if (!ret)
			ret = process_busy(pids[i], &busy);
		if (ret)
			return ret;
		sum.kib += kib;
		sum.busy_ns += busy;
	}
	*ret_usage = sum;
	return VACCEL_OK;
}
