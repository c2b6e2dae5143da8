// SPDX-License-Identifier: Apache-2.0
/*
 * What the supervisor hears of its children: workers, the front and the monitor, all of which
 * may have been taken over. No process is started: a child is the other end of its connection,
 * and a number. An input is a list of events, see happen(); at the end everything must have been
 * given back.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "agent/base/log.h"
#include "agent/supervisor/child/starter.h"
#include "agent/supervisor/listener.h"
#include "agent/supervisor/observe.h"
#include "agent/supervisor/relay.h"
#include "agent/supervisor/tenant/tenant.h"
#include "base/util.h"
#include "messages.h"
#include "transport/carrier.h"

#define CHILDREN_MAX 64
#define FIRST_PID    (1 << 23) /* a multiple of that; no process has it */
#define STEPS	     8	       /* of the loop, after each event */
#define STATS_STEP   8

/* What a child is made of here. */
static struct fake {
	pid_t pid;
	int ipc; /* its end */
	int end; /* an eventfd: readable when it has ended */
	int status;
	bool ended;
	bool reaped;
} fakes[CHILDREN_MAX];
static unsigned int nr_fakes;
static int latest_end;

uint64_t messages_taken;

static struct supervisor supervisor;
static struct config *config;
static char directory[] = "/tmp/vaccel-fuzz-XXXXXX";

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Instead of the starter's and the system's: image_start() has made a child, which kill() ends. */

int __wrap_image_start(const struct image *image, pid_t *ret_pid);
int __wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options);
pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *usage);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
int __wrap_kill(pid_t pid, int signal);
int __wrap_ipc_pair(int ret_fds[2]);
int __real_ipc_pair(int ret_fds[2]);
long __wrap_syscall(long number, ...);
long __real_syscall(long number, ...);

static struct fake *fake_of(pid_t pid)
{
	struct fake *fake = &fakes[(unsigned int)(pid - FIRST_PID) % CHILDREN_MAX];

	require(fake->pid == pid);
	return fake;
}

int __wrap_ipc_pair(int ret_fds[2])
{
	int ret = __real_ipc_pair(ret_fds);

	if (!ret)
		require((latest_end = fcntl(ret_fds[1], F_DUPFD_CLOEXEC, 0)) >= 0);
	return ret;
}

static void bury(struct fake *fake)
{
	if (!fake->pid)
		return;
	close(fake->ipc);
	close(fake->end);
	*fake = (struct fake){0};
}

int __wrap_image_start(const struct image *image, pid_t *ret_pid)
{
	struct fake *fake = fakes;

	while (fake < fakes + CHILDREN_MAX && fake->pid && !fake->reaped)
		fake++;
	if (fake == fakes + CHILDREN_MAX) {
		close(TAKE_FD(latest_end));
		return vaccel_fail(VACCEL_EAGAIN, "no child can be made");
	}
	bury(fake);
	*fake = (struct fake){
		.pid = FIRST_PID +
		       (pid_t)(nr_fakes++ * CHILDREN_MAX + (unsigned int)(fake - fakes)),
		.ipc = TAKE_FD(latest_end),
		.end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	*ret_pid = fake->pid;
	return VACCEL_OK;
}

/* A descriptor of the child that can be waited for. How many arguments others have is not told. */
__attribute__((no_sanitize_address)) long __wrap_syscall(long number, ...)
{
	long args[6];
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_pidfd_open)
		return fcntl(fake_of((pid_t)args[0])->end, F_DUPFD_CLOEXEC, 0);
	return __real_syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

static void end(struct fake *fake, int status)
{
	const uint64_t one = 1;

	if (fake->ended)
		return;
	fake->ended = true;
	fake->status = status;
	require(write(fake->end, &one, sizeof(one)) == sizeof(one));
}

int __wrap_kill(pid_t pid, int signal)
{
	/* Nobody is in a child's group but itself. */
	if (pid > 0)
		end(fake_of(pid), signal);
	return 0;
}

int __wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	info->si_pid = fake_of((pid_t)id)->ended ? (pid_t)id : 0;
	return 0;
}

pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	*usage = (struct rusage){0};
	return __wrap_waitpid(pid, status, options);
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	struct fake *fake = fake_of(pid);

	if (status)
		*status = fake->status;
	fake->reaped = true;
	return pid;
}

/* The supervisor */

static void stop(void)
{
	char command[64];

	config_unref(config);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	require(!system(command));
}

static void start(void)
{
	static const char text[] =
		"listeners:\n"
		"  - {address: 'unix:///none/fuzz.sock', tenant: fuzz}\n"
		"  - {address: 'tls://127.0.0.1:1', cert: /none, key: /none, client_ca: /none}\n"
		"policies: {default: {deadline: 1s, worker_idle: 1s, connections: 4}}\n";

	log_open(&(struct log_setup){.level = VACCEL_LOG_ERROR},
		 open("/dev/null", O_WRONLY | O_CLOEXEC));
	require(mkdtemp(directory) && !closer_start());
	require(!config_parse("fuzz", text, sizeof(text) - 1, &config));
	atexit(stop);
}

/* Listeners without sockets: connections come as the input says. */
static void add_listener(const struct listener_config *how)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	require(listener);
	*listener = (struct listener){
		.next = supervisor.listeners,
		.refs = 1,
		.number = ++supervisor.last_listener,
		.supervisor = &supervisor,
		.config = config_ref(config),
		.how = how,
		.setup = -1,
		.source.fd = -1,
	};
	supervisor.listeners = listener;
}

static void open_supervisor(void)
{
	char base[64];

	snprintf(base, sizeof(base), "%s/run", directory);
	supervisor = (struct supervisor){
		.config = config_ref(config),
		.admin.fd = -1,
		.metrics.fd = -1,
		.ready = true,
	};
	require(!loop_open(&supervisor.loop) && !tally_new(&supervisor.nobody) &&
		!directory_open(base, &supervisor.directory) &&
		!surveyor_new(&supervisor.loop, tenants_look_at_directories, &supervisor,
			      &supervisor.surveyor));
	for (unsigned int i = 0; i < config->nr_listeners; i++)
		add_listener(&config->listeners[i]);
	observe_commit(&supervisor, &(struct windows){.admin.fd = -1, .metrics.fd = -1});
	relay_apply(&supervisor);
}

static void close_supervisor(void)
{
	listeners_close(&supervisor);
	tenants_delete(&supervisor);
	helper_stop(&supervisor.front);
	observe_close(&supervisor);
	require(!supervisor.loop.timers);
	tally_release(&supervisor.nobody);
	surveyor_delete(supervisor.surveyor);
	directory_close(&supervisor.directory);
	loop_close(&supervisor.loop);
	config_unref(supervisor.config);
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		bury(&fakes[i]);
}

struct ending_timer {
	struct timer timer;
	int left;
};

static void count_down(struct timer *timer)
{
	struct ending_timer *ending = CONTAINER_OF(timer, struct ending_timer, timer);

	supervisor.loop.over = !ending->left--;
	if (!supervisor.loop.over)
		timer_set(&supervisor.loop, timer, 0);
}

static void let_it_work(void)
{
	struct ending_timer ending = {{.expired = count_down}, STEPS};

	supervisor.loop.over = false;
	timer_set(&supervisor.loop, &ending.timer, 0);
	require(!loop_run(&supervisor.loop));
	timer_clear(&supervisor.loop, &ending.timer);
}

/* Events */

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t byte(struct input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->at++;
}

static size_t bytes(struct input *input, void *room, size_t most)
{
	size_t size = byte(input);

	size = MIN_OF(size, MIN_OF(most, input->left));
	memcpy(room, input->at, size);
	input->at += size;
	input->left -= size;
	return size;
}

/* One that runs; NULL: that one has ended. */
static struct fake *choose(struct input *input)
{
	struct fake *fake = &fakes[byte(input) % CHILDREN_MAX];

	return fake->pid && !fake->status && fake->ipc >= 0 ? fake : NULL;
}

static void say(struct input *input)
{
	struct fake *fake = choose(input);
	struct ipc_message message = {.kind = byte(input), .listener = byte(input)};
	int fds[] = {-1, -1, fakes[0].end, supervisor.nobody.fd};
	int fd = fds[byte(input) % ARRAY_SIZE(fds)];

	bytes(input, message.carrier, sizeof(message.carrier));
	bytes(input, message.peer, sizeof(message.peer));
	bytes(input, message.text, sizeof(message.text));
	if (fake)
		ipc_send(fake->ipc, &message, fd);
}

static void say_nonsense(struct input *input)
{
	uint8_t room[255];
	struct fake *fake = choose(input);
	size_t size = bytes(input, room, sizeof(room));

	if (fake)
		send(fake->ipc, room, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void die(struct input *input)
{
	struct fake *fake = choose(input);
	uint8_t status = byte(input);

	if (fake)
		end(fake, status & 1 ? status >> 1 : (status >> 1) << 8);
}

static void hang_up(struct input *input)
{
	struct fake *fake = choose(input);

	if (fake)
		shutdown(fake->ipc, byte(input) % 2 ? SHUT_WR : SHUT_RDWR);
}

/* A connection to one of the listeners. */
static void connect_to(struct input *input)
{
	const struct listener_config *how;
	struct listener *listener = listener_by_number(&supervisor, 1 + byte(input) % 2);
	struct arrival *arrival;
	int ends[2];

	require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	close(ends[1]);
	how = listener->how;
	require(!arrival_new(listener, how->address.carrier->scheme, "a peer", ends[0], &arrival));
	if (listener_is_relayed(how))
		relay_take(&supervisor, arrival);
	else
		tenant_take(&supervisor, how->tenant, arrival);
}

/* Each timer is due. */
static void pass_time(struct input *input)
{
	for (struct timer *timer = supervisor.loop.timers; timer; timer = timer->next)
		timer->due = 1;
}

/* What a worker writes into its counters. */
static void count(struct input *input)
{
	size_t place = ((size_t)byte(input) << 8 | byte(input)) * STATS_STEP;
	uint8_t room[STATS_STEP] = {0};
	struct tenant *tenant = supervisor.tenants;

	bytes(input, room, sizeof(room));
	place %= sizeof(struct stats) - sizeof(room);
	if (tenant)
		memcpy((char *)tenant->tally.stats + place, room, sizeof(room));
}

static void happen(struct input *input)
{
	static void (*const events[])(struct input *) = {say,	     say_nonsense, die,	  hang_up,
							 connect_to, pass_time,	   count, say};

	events[byte(input) % ARRAY_SIZE(events)](input);
	messages_taken++;
	let_it_work();
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	return LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	if (!config)
		start();
	nr_fakes = 0;
	open_supervisor();
	while (input.left)
		happen(&input);
	close_supervisor();
	return 0;
}
