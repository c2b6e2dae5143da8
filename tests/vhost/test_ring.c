// SPDX-License-Identifier: Apache-2.0
/* A ring by itself: who takes chains off it, and who gives them back, is the test. */
#include "bed.h"
#include "front.h"
#include "nomem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/ipc.h"
#include "agent/vhost/ring.h"
#include "base/util.h"

struct set {
	struct front front;
	struct guest *guest;
	struct inflight_queue *inflight;
	struct ring ring;
	char *memory; /* of the guest's */
};

static void set_start(struct set *set, int call)
{
	const struct ring_setup setup = {
		.size = FRONT_SIZE,
		.features = VIRTIO_VERSION_1 | VIRTIO_EVENT_IDX,
		.addresses = front_addresses(&set->front, 0),
		.kick = -1,
		.call = call,
	};

	assert_int_equal(ring_start(&set->ring, &setup, set->guest, set->inflight), VACCEL_OK);
	set->ring.enabled = true;
}

static int setup(void **state)
{
	static struct set set;

	front_init(&set.front);
	assert_int_equal(guest_new(&set.guest), VACCEL_OK);
	for (unsigned int i = 0; i < 2; i++) {
		const struct vhost_region region = front_region(&set.front, i);

		assert_int_equal(guest_add(set.guest, &region, set.front.fd), VACCEL_OK);
	}
	set.inflight = mmap(NULL, INFLIGHT_STRIDE(FRONT_SIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			    set.front.inflight, 0);
	assert_ptr_not_equal(set.inflight, MAP_FAILED);
	set.memory = front_take(&set.front, 4096);
	ring_init(&set.ring, 0, &set);
	set_start(&set, -1);
	*state = &set;
	return 0;
}

static int teardown(void **state)
{
	struct set *set = *state;

	ring_release(&set->ring);
	guest_unref(set->guest);
	munmap(set->inflight, INFLIGHT_STRIDE(FRONT_SIZE));
	front_release(&set->front);
	return 0;
}

static uint16_t put(struct set *set)
{
	return front_put(&set->front, 0, &(struct front_piece){set->memory, 64, true}, 1);
}

static struct chain *take(struct set *set)
{
	struct chain *chain;

	assert_int_equal(ring_take(&set->ring, &chain), VACCEL_OK);
	return chain;
}

static void finish(struct chain *chain)
{
	chain_finish(chain, 0);
}

/* As a worker's end does: it stays under way. */
static void lose(struct set *set, struct chain *chain)
{
	set->ring.under_way--;
	guest_unref(chain->guest);
	free(chain);
}

/* Beginning and end */

static unsigned int idle_calls;

/* Whoever frees the ring looks first whether something is under way. */
static void note_idle(struct ring *ring)
{
	idle_calls++;
	assert_int_equal(pthread_mutex_trylock(&ring->lock), EBUSY);
}

static void test_nobody_frees_it_before_it_is_said(void **state)
{
	void (*const ends[])(struct chain * chain) = {chain_drop, finish};
	struct set *set = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct chain *chain;

		put(set);
		chain = take(set);
		idle_calls = 0;
		ring_stop(&set->ring, note_idle);
		assert_int_equal(idle_calls, 0);
		ends[i](chain);
		assert_int_equal(idle_calls, 1);
		front_reset_queue(&set->front, 0);
		set->inflight->version = 0;
		set_start(set, -1);
	}
}

/* Between the used index and the interrupt: the next worker tells a guest that waits for it. */
static void test_a_worker_that_ends_before_it_interrupts(void **state)
{
	struct set *set = *state;
	struct front_queue *queue = &set->front.queues[0];
	uint64_t count;

	put(set);
	finish(take(set));
	assert_true(read(queue->call, &count, sizeof(count)) < 0);
	set_start(set, dup(queue->call));
	assert_int_equal(read(queue->call, &count, sizeof(count)), sizeof(count));
}

/* Memory that runs out */

/* A chain for which there was none is the next one, also one that an earlier worker had. */
static void test_no_memory(void **state)
{
	struct set *set = *state;
	uint16_t heads[2] = {put(set), put(set)};
	struct chain *chain;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
			nomem_after(0);
			assert_int_equal(ring_take(&set->ring, &chain), VACCEL_ENOMEM);
			nomem_after(-1);
			chain = take(set);
			assert_int_equal(chain->head, heads[i]);
			assert_int_equal(chain->again, round);
			if (round)
				finish(chain);
			else
				lose(set, chain);
		}
		assert_int_equal(ring_take(&set->ring, &chain), VACCEL_EAGAIN);
		set_start(set, -1);
	}
	assert_int_equal(set->inflight->used, 2);
}

/* A device that gives all back, and has no memory for the chain behind the first. */

static bool hungry;

static int hungry_start(struct worker *worker, const struct listener_setup *listener,
			const char *peer, void **ret_device)
{
	*ret_device = &hungry;
	hungry = true;
	return VACCEL_OK;
}

static void hungry_take(void *device, struct chain *chain)
{
	finish(chain);
	if (hungry)
		nomem_after(0);
	hungry = false;
}

static void hungry_stop(void *device, unsigned int queue)
{
}

static void hungry_end(void *device)
{
}

static const struct device_kind device_hungry = {
	.start = hungry_start,
	.take = hungry_take,
	.stop = hungry_stop,
	.rest = hungry_end,
	.end = hungry_end,
};

/* The guest has said so once that there are chains, and is not asked to say it again. */
static void test_no_memory_in_mid_walk(void **state)
{
	struct front_piece piece = {.size = 64, .writable = true};
	struct front front;
	struct vhost *vhost;
	struct bed bed;
	uint16_t heads[2];
	int ends[2];

	bed_init(&bed);
	bed_start(&bed);
	front_init(&front);
	piece.at = front_take(&front, 4096);
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		heads[i] = front_put(&front, 0, &piece, 1);
	assert_int_equal(ipc_pair(ends), VACCEL_OK);
	assert_int_equal(
		vhost_new(&bed.worker, &device_hungry, &bed.listener, "a machine", ends[1], &vhost),
		VACCEL_OK);
	front_attach(&front, ends[0], true);
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		front_wait(&front, 0, heads[i]);
	assert_false(hungry);
	close(ends[0]);
	vhost_delete(vhost);
	front_release(&front);
	bed_stop(&bed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nobody_frees_it_before_it_is_said),
		TEST(test_a_worker_that_ends_before_it_interrupts),
		TEST(test_no_memory),
		cmocka_unit_test(test_no_memory_in_mid_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
