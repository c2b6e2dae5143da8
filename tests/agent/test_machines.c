// SPDX-License-Identifier: Apache-2.0
/* The workers of machines, and who comes to a tenant while one of its workers leaves. */
#include "house.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "../vhost/repeat.h"
#include "agent/supervisor/tenant/service.h"
#include "agent/vhost/machine.h"
#include "agent/vhost/update.h"
#include "fake_child.h"

/* The other end of what comes to that tenant: a connection, or a machine's channel. */
static int arrive(struct house *house, const char *name, const char *machine)
{
	struct arrival *arrival;
	int ends[2];

	assert_int_equal(ipc_pair(ends), VACCEL_OK);
	assert_int_equal(
		arrival_new(house->supervisor.listeners, "unix", "somebody", ends[1], &arrival),
		VACCEL_OK);
	strcpy(arrival->message.text, machine);
	tenant_take(&house->supervisor, name, arrival);
	return ends[0];
}

static void test_who_comes_while_one_is_let_go_in_vain(void **state)
{
	struct house *house = *state;
	struct rlimit files;
	int clients[2];

	apply(house, "listeners:\n" LISTENER("stays"));
	clients[0] = arrive(house, "stays", "");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, files.rlim_max}), 0);
	tenant_let_go(&house->supervisor, "stays");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	clients[1] = arrive(house, "stays", "");
	assert_hung_up(house, clients[0]);
	read_line(house, clients[1]);
	close(clients[1]);
}

static bool has_none_that_leaves(struct house *house)
{
	for (struct tenant *tenant = house->supervisor.tenants; tenant; tenant = tenant->next)
		if (tenant->leaving)
			return false;
	return true;
}

static int await_line(struct house *house, int client)
{
	int pid = read_line(house, client).pid;

	close(client);
	return pid;
}

/* What it gives back, the next one gives back, too. */
static void test_a_machine_waits_for_the_worker_that_had_it(void **state)
{
	struct house *house = *state;
	struct tenant *tenant;
	int first;

	apply(house, "listeners:\n" LISTENER("lingers"));
	first = await_line(house, arrive(house, "lingers", "vm1"));
	tenant = tenant_of(house, "lingers");
	assert_int_equal(await_line(house, arrive(house, "lingers", "vm1")), first);
	service_let_go(tenant);
	assert_hung_up(house, arrive(house, "lingers", "vm1"));
	assert_int_not_equal(await_line(house, arrive(house, "lingers", "vm2")), first);
	tenant->leaving->wanted -= 6 * SECOND;
	assert_hung_up(house, arrive(house, "lingers", "vm1"));
	until(house, has_none_that_leaves);
	first = tenant->worker->child.pid;
	assert_int_equal(await_line(house, arrive(house, "lingers", "vm1")), first);
}

static void test_a_machine_waits_for_another_tenants_worker(void **state)
{
	struct house *house = *state;
	struct worker *former;

	apply(house, "listeners:\n" LISTENER("lingers"));
	await_line(house, arrive(house, "lingers", "vm1"));
	former = tenant_of(house, "lingers")->worker;
	assert_hung_up(house, arrive(house, "stays", "vm1"));
	assert_ptr_equal(tenant_of(house, "lingers")->leaving, former);
	assert_null(tenant_of(house, "lingers")->worker);
	former->wanted -= 6 * SECOND;
	assert_hung_up(house, arrive(house, "stays", "vm1"));
	until(house, has_none_that_leaves);
	await_line(house, arrive(house, "stays", "vm1"));
}

int __real_update_send(int channel, const struct update *update, int first, int second);
int __wrap_update_send(int channel, const struct update *update, int first, int second);

/* The second one of a table of memory with one region finds that the worker has gone. */
int __wrap_update_send(int channel, const struct update *update, int first, int second)
{
	if (update->kind == UPDATE_MEMORY)
		poll(&(struct pollfd){channel, 0, 0}, 1, -1);
	return __real_update_send(channel, update, first, second);
}

#define MACHINE "listeners:\n  - {address: 'vhost-user://@/vm1', tenant: "

static bool has_a_machine(struct house *house)
{
	return house->supervisor.tenants->worker->nr_machines;
}

/* A monitor's end, at the only listener; its worker has the other of a channel. */
static int bring_machine(struct house *house)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	machine_take(house->supervisor.listeners, "a monitor", ends[1]);
	until(house, has_a_machine);
	return ends[0];
}

/* The former one has a machine still, of which that tenant has nothing any more. */
static void test_who_follows_one_with_a_machine_outlives_it(void **state)
{
	struct house *house = *state;
	struct tenant *tenant;
	struct worker *former;
	int monitor, next;

	apply(house, MACHINE "lingers}");
	monitor = bring_machine(house);
	tenant = tenant_of(house, "lingers");
	former = tenant->worker;
	apply(house, MACHINE "stays}");
	assert_ptr_equal(tenant->leaving, former);
	next = await_line(house, arrive(house, "lingers", "vm2"));
	apply(house, MACHINE "stays}");
	assert_ptr_equal(tenant->leaving, former);
	assert_null(former->next);
	tenants_end_machine(&house->supervisor, house->supervisor.listeners->how->address.text);
	until(house, has_none_that_leaves);
	assert_int_equal(await_line(house, arrive(house, "lingers", "vm2")), next);
	close(monitor);
}

static bool has_ever_failed(struct house *house)
{
	return house->supervisor.tenants->failures;
}

/* It has said why it is to be ended, and was told something meanwhile. */
static void test_a_stuck_worker_is_heard_before_it_is_given_up(void **state)
{
	const struct __attribute__((packed)) {
		struct vhost_header header;
		uint32_t count, padding;
		struct vhost_region region;
	} table = {
		.header = {.request = SET_MEM_TABLE, .flags = VHOST_VERSION, .size = 40},
		.count = 1,
		.region = {.size = 4096},
	};
	struct house *house = *state;
	int monitor, memory = memfd_create("machine", MFD_CLOEXEC);

	assert_int_equal(ftruncate(memory, 4096), 0);
	apply(house, MACHINE "sticks}");
	monitor = bring_machine(house);
	assert_int_equal(send_repeating(monitor, &table, sizeof(table), memory, 1, 0),
			 sizeof(table));
	until(house, has_ever_failed);
	close(monitor);
	close(memory);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_HOUSE(test_who_comes_while_one_is_let_go_in_vain),
		IN_HOUSE(test_a_machine_waits_for_the_worker_that_had_it),
		IN_HOUSE(test_a_machine_waits_for_another_tenants_worker),
		IN_HOUSE(test_who_follows_one_with_a_machine_outlives_it),
		IN_HOUSE(test_a_stuck_worker_is_heard_before_it_is_given_up),
	};

	fake_child(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
