// SPDX-License-Identifier: Apache-2.0
/*
 * See vhost.h. One thread for each machine: it hears what the supervisor says, maps memory,
 * and hands chains to the device as the guest kicks. The descriptors that kick are watched
 * for edges and never read: who else has them cannot make it wait. A thread that waits for
 * the next message of a file may take this one's place for a moment, which saves
 * going from one to the other.
 */
#include "agent/vhost/vhost.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <vaccel/error.h>

#include "agent/vhost/messages.h"
#include "agent/vhost/ring.h"
#include "agent/vhost/update.h"
#include "agent/worker/worker.h"
#include "base/util.h"
#include "transport/transport.h"

/* While the device waits for what takes long. */
#define LOOK_MS 250

int64_t halfway_patience = 10 * SECOND;

/* A monitor may kick, too, as queues start: who kicks so long after that is the driver. */
#define SETTLED_NS SECOND

/* Chains of one queue before the others have their turn. */
#define BATCH 32

/* What events are about, beside queues. */
enum { CHANNEL = QUEUES_MAX, WAKE };

struct vhost {
	struct worker *worker;
	const struct device_kind *kind;
	void *device;
	char peer[64];
	int channel, epoll, wake;
	int help_epoll, help_wake; /* of who helps */
	pthread_t thread;
	bool has_thread;
	atomic_bool draining;
	atomic_bool over; /* the thread is at its end */
	int64_t stops_at; /* at the latest, once it drains; the thread's */

	pthread_mutex_t walking;	  /* all below */
	struct guest *guest, *next_guest; /* NULL: none yet */
	void *inflight;			  /* mapped; NULL: none */
	struct vhost_inflight shape;	  /* of it */
	struct ring rings[QUEUES_MAX];
	struct vhost_addresses addresses[QUEUES_MAX];
	bool due[QUEUES_MAX]; /* there may be chains */
	bool looks;	      /* the device wants to look again soon */
	bool starved;	      /* and so do we: there was no memory for a chain */
	int64_t unseen_since; /* when the driver began; 0: there is none, or chains have been seen
			       */
	atomic_bool stopping; /* all of them, for good */
	bool left;	      /* the channel is closed */
};

/* Words for the log, and for the supervisor if nothing more can be done for this machine. */
static void complain(const struct vhost *vhost)
{
	log_line(VACCEL_LOG_WARN, &(struct about){.tenant = vhost->worker->setup.tenant}, "%s: %s",
		 vhost->peer, vaccel_error_text());
}

static void say(struct vhost *vhost, enum update_kind kind)
{
	struct update update = {.kind = kind};

	snprintf(update.words, sizeof(update.words), "%s", vaccel_error_text());
	update_send(vhost->channel, &update, -1, -1);
}

static void wake(struct vhost *vhost)
{
	(void)!write(vhost->wake, &(uint64_t){1}, sizeof(uint64_t));
}

static int watch(int epoll, int fd, uint32_t events, uint32_t what)
{
	struct epoll_event event = {.events = events, .data.u32 = what};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return vaccel_fail(errno,
				   "what a machine's monitor passes cannot be waited for: %s",
				   strerror(errno));
	return VACCEL_OK;
}

/* What the supervisor says */

static int add_region(struct vhost *vhost, const struct update *update, int fd)
{
	int ret = VACCEL_OK;

	if (!vhost->next_guest)
		ret = guest_new(&vhost->next_guest);
	return ret ? ret : guest_add(vhost->next_guest, &update->region, fd);
}

static int use_memory(struct vhost *vhost)
{
	if (!vhost->next_guest)
		return vaccel_fail(VACCEL_EINVAL, "a table of memory without a region");
	guest_unref(vhost->guest);
	vhost->guest = TAKE(vhost->next_guest);
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		struct ring *ring = &vhost->rings[i];

		if (ring->running && ring_move(ring, &vhost->addresses[i], vhost->guest)) {
			ring->broken = true;
			complain(vhost);
		}
	}
	return VACCEL_OK;
}

/* 0: more than can be mapped. */
static size_t inflight_bytes(const struct vhost_inflight *shape)
{
	size_t bytes;

	return __builtin_add_overflow(shape->offset, shape->size, &bytes) ? 0 : bytes;
}

static int use_inflight(struct vhost *vhost, const struct update *update, int fd)
{
	const struct vhost_inflight *shape = &update->inflight;
	void *memory;

	if (vhost->inflight)
		munmap(TAKE(vhost->inflight), inflight_bytes(&vhost->shape));
	memory = shape->offset % INFLIGHT_ALIGN ? MAP_FAILED
						: mmap(NULL, inflight_bytes(shape),
						       PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "the memory for requests under way cannot be mapped");
	vhost->inflight = memory;
	vhost->shape = *shape;
	return VACCEL_OK;
}

static struct inflight_queue *inflight_of(const struct vhost *vhost, const struct update *update)
{
	char *memory = vhost->inflight;

	if (!memory || update->queue >= vhost->shape.queues ||
	    update->size > vhost->shape.queue_size)
		return NULL;
	return (struct inflight_queue *)(memory + vhost->shape.offset +
					 INFLIGHT_STRIDE(vhost->shape.queue_size) * update->queue);
}

/* Who helps is woken, if there is somebody, and else the thread. */
static int watch_kick(struct vhost *vhost, const struct ring *ring)
{
	const uint32_t events = EPOLLIN | EPOLLET | EPOLLEXCLUSIVE;
	int ret = watch(vhost->help_epoll, ring->kick, events, ring->queue);

	return ret ? ret : watch(vhost->epoll, ring->kick, events, ring->queue);
}

static int start(struct vhost *vhost, const struct update *update, int fds[UPDATE_FDS])
{
	struct ring *ring = &vhost->rings[update->queue];
	struct inflight_queue *inflight = inflight_of(vhost, update);
	struct ring_setup setup = {
		.size = update->size,
		.features = update->features,
		.addresses = update->addresses,
		.base = update->base,
	};
	int ret;

	if (!inflight || !vhost->guest || ring->running)
		return vaccel_fail(VACCEL_EINVAL, "a queue starts too early");
	setup.kick = TAKE_FD(fds[0]);
	setup.call = TAKE_FD(fds[1]);
	if (update->anew) {
		vhost->kind->rest(vhost->device);
		vhost->unseen_since = time_now();
	}
	vhost->addresses[update->queue] = update->addresses;
	ret = ring_start(ring, &setup, vhost->guest, inflight);
	if (!ret)
		ret = watch_kick(vhost, ring);
	ring->enabled = update->enabled;
	vhost->due[update->queue] = true;
	return ret;
}

/* Any thread: that of the last chain's end. */
static void stopped(struct ring *ring)
{
	struct vhost *vhost = ring->owner;
	struct update update = {
		.kind = UPDATE_STOPPED,
		.queue = ring->queue,
		.base = ring->next,
	};

	if (atomic_load(&vhost->stopping))
		wake(vhost);
	else
		update_send(vhost->channel, &update, -1, -1);
}

static void stop(struct vhost *vhost, unsigned int queue)
{
	struct ring *ring = &vhost->rings[queue];

	if (!ring->running)
		return;
	epoll_ctl(vhost->epoll, EPOLL_CTL_DEL, ring->kick, NULL);
	epoll_ctl(vhost->help_epoll, EPOLL_CTL_DEL, ring->kick, NULL);
	ring->running = false;
	vhost->kind->stop(vhost->device, queue);
	ring_stop(ring, stopped);
}

/* Who goes on with the queue believes that all before the base has been given back. */
static void end_what_was_left(struct vhost *vhost, struct ring *ring)
{
	struct chain *chain;
	int ret;

	while (!(ret = ring_take_again(ring, &chain)))
		vhost->kind->take(vhost->device, chain);
	if (ret != VACCEL_EAGAIN)
		complain(vhost);
}

static int obey(struct vhost *vhost, const struct update *update, int fds[UPDATE_FDS])
{
	if (update->queue >= QUEUES_MAX)
		return vaccel_fail(VACCEL_EINVAL, "there is no such queue");
	switch (update->kind) {
	case UPDATE_REGION:
		return add_region(vhost, update, fds[0]);
	case UPDATE_MEMORY:
		return use_memory(vhost);
	case UPDATE_INFLIGHT:
		return use_inflight(vhost, update, fds[0]);
	case UPDATE_START:
		return start(vhost, update, fds);
	case UPDATE_ENABLE:
		vhost->rings[update->queue].enabled = update->enabled;
		vhost->due[update->queue] = true;
		return VACCEL_OK;
	case UPDATE_CALL:
		ring_set_call(&vhost->rings[update->queue], TAKE_FD(fds[0]));
		return VACCEL_OK;
	case UPDATE_STOP:
		end_what_was_left(vhost, &vhost->rings[update->queue]);
		/* One that could not be started has stopped, too. */
		if (vhost->rings[update->queue].running)
			stop(vhost, update->queue);
		else
			stopped(&vhost->rings[update->queue]);
		return VACCEL_OK;
	default:
		return vaccel_fail(VACCEL_EINVAL, "the supervisor says %u of a machine",
				   update->kind);
	}
}

/* False: it has closed the channel. */
static bool listen_to_supervisor(struct vhost *vhost)
{
	struct update update;
	int fds[UPDATE_FDS], ret;

	while (!(ret = update_receive(vhost->channel, &update, fds))) {
		ret = obey(vhost, &update, fds);
		for (size_t i = 0; i < UPDATE_FDS; i++)
			closep(&fds[i]);
		if (ret) {
			complain(vhost);
			say(vhost, UPDATE_FAILED);
		}
	}
	return ret == VACCEL_EAGAIN;
}

/* Rings */

/* VACCEL_OK: there may be more; VACCEL_ENOMEM: there is. */
static int walk(struct vhost *vhost, struct ring *ring)
{
	struct chain *chain;
	int ret = VACCEL_OK;

	for (int i = 0; i < BATCH; i++) {
		ret = ring_take(ring, &chain);
		if (ret)
			break;
		vhost->unseen_since = 0;
		vhost->kind->take(vhost->device, chain);
	}
	if (ret && ret != VACCEL_EAGAIN)
		complain(vhost);
	return ret;
}

static bool walk_all(struct vhost *vhost)
{
	bool more = false;

	vhost->starved = false;
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		int ret = vhost->due[i] ? walk(vhost, &vhost->rings[i]) : VACCEL_EAGAIN;

		vhost->due[i] = !ret || ret == VACCEL_ENOMEM;
		vhost->starved |= ret == VACCEL_ENOMEM;
		more |= !ret;
	}
	return more;
}

static bool is_idle(struct vhost *vhost)
{
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		struct ring *ring = &vhost->rings[i];

		SCOPED_LOCK(&ring->lock);
		if (ring->under_way)
			return false;
	}
	return true;
}

static void stop_all(struct vhost *vhost)
{
	atomic_store(&vhost->stopping, true);
	for (unsigned int i = 0; i < QUEUES_MAX; i++)
		stop(vhost, i);
}

static void leave(struct vhost *vhost)
{
	epoll_ctl(vhost->epoll, EPOLL_CTL_DEL, vhost->channel, NULL);
	shutdown(vhost->channel, SHUT_RDWR);
	vhost->left = true;
}

static void act(struct vhost *vhost, uint32_t what)
{
	uint64_t count;

	if (what < QUEUES_MAX)
		vhost->due[what] = true;
	else if (what == WAKE)
		(void)!read(vhost->wake, &count, sizeof(count));
	else if (!listen_to_supervisor(vhost))
		leave(vhost);
}

/* True: it is to look again, and did not want to before. */
static bool look(struct vhost *vhost)
{
	int ret = vhost->kind->look ? vhost->kind->look(vhost->device) : VACCEL_OK;
	bool looked = vhost->looks;

	vhost->looks = ret == VACCEL_EAGAIN;
	if (ret == VACCEL_ETIMEDOUT)
		say(vhost, UPDATE_STUCK);
	return vhost->looks && !looked;
}

/*
 * A driver that kicks has put a chain there. Some monitors hand over memory of which the machine
 * has a private copy, so that nothing of what it writes is ever seen here.
 */
static void look_for_chains(struct vhost *vhost, const struct ring *ring)
{
	if (!vhost->unseen_since || !ring->running || !ring->enabled || ring->broken ||
	    time_now() - vhost->unseen_since < SETTLED_NS)
		return;
	vhost->unseen_since = 0;
	vaccel_fail(VACCEL_EREMOTEIO, "the machine asks, and nothing is seen of it: its memory is "
				      "not shared; " SHARE_MEMORY);
	complain(vhost);
}

static bool is_to_stop(struct vhost *vhost)
{
	if (!atomic_load(&vhost->draining) || vhost->left)
		return vhost->left;
	if (!vhost->stops_at)
		vhost->stops_at = time_now() + halfway_patience;
	return !vhost->kind->is_done || vhost->kind->is_done(vhost->device) ||
	       time_now() >= vhost->stops_at;
}

/* In how many ms there is more to be done, or -1. */
static int turn(struct vhost *vhost, const struct epoll_event *event)
{
	bool more;

	SCOPED_LOCK(&vhost->walking);
	if (event)
		act(vhost, event->data.u32);
	if (!atomic_load(&vhost->stopping) && is_to_stop(vhost))
		stop_all(vhost);
	more = !atomic_load(&vhost->stopping) && walk_all(vhost);
	if (event && event->data.u32 < QUEUES_MAX)
		look_for_chains(vhost, &vhost->rings[event->data.u32]);
	look(vhost);
	if (more)
		return 0;
	return vhost->looks || vhost->starved || atomic_load(&vhost->draining) ? LOOK_MS : -1;
}

static void let_go(struct vhost *vhost)
{
	SCOPED_LOCK(&vhost->walking);
	vhost->kind->rest(vhost->device);
	guest_unref(TAKE(vhost->guest));
	for (unsigned int i = 0; i < QUEUES_MAX; i++)
		guest_unref(TAKE(vhost->rings[i].guest));
	leave(vhost);
}

/* Ends when the machine is gone, or to be left, and all that ran for it has been answered. */
static void *vhost_main(void *context)
{
	struct vhost *vhost = context;
	int wait_ms = -1;

	while (!atomic_load(&vhost->stopping) || !is_idle(vhost)) {
		struct epoll_event event;
		int nr = epoll_wait(vhost->epoll, &event, 1, wait_ms);

		wait_ms = turn(vhost, nr > 0 ? &event : NULL);
	}
	let_go(vhost);
	atomic_store(&vhost->over, true);
	return NULL;
}

int vhost_help_fd(const struct vhost *vhost)
{
	return vhost->help_wake;
}

/* Whatever woke it, or nothing: all rings are looked at, since the thread was not told. */
void vhost_help(struct vhost *vhost, int64_t until)
{
	int64_t left = until - time_now();
	struct epoll_event event;
	uint64_t count;
	bool more;

	if (left > 0 &&
	    epoll_wait(vhost->help_epoll, &event, 1, (int)(left / MILLISECOND) + 1) > 0 &&
	    event.data.u32 == WAKE)
		(void)!read(vhost->help_wake, &count, sizeof(count));
	pthread_mutex_lock(&vhost->walking);
	for (unsigned int i = 0; i < QUEUES_MAX; i++)
		vhost->due[i] |= vhost->rings[i].running;
	more = !atomic_load(&vhost->stopping) && walk_all(vhost);
	more |= look(vhost) || vhost->starved;
	pthread_mutex_unlock(&vhost->walking);
	if (more)
		wake(vhost);
}

/* Beginning and end */

int vhost_new(struct worker *worker, const struct device_kind *kind,
	      const struct listener_setup *listener, const char *peer, int channel,
	      struct vhost **ret_vhost)
{
	struct vhost *vhost = calloc(1, sizeof(*vhost));
	int ret;

	if (!vhost) {
		close(channel);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a machine's device");
	}
	vhost->worker = worker;
	vhost->kind = kind;
	vhost->channel = channel;
	snprintf(vhost->peer, sizeof(vhost->peer), "%s", peer);
	/* While there is a machine the worker is in use. */
	atomic_fetch_add(&worker->stats->connections, 1);
	for (unsigned int i = 0; i < QUEUES_MAX; i++)
		ring_init(&vhost->rings[i], i, vhost);
	for (unsigned int i = 0; i < QUEUES_MAX; i++)
		vhost->rings[i].vhost = vhost;
	pthread_mutex_init(&vhost->walking, NULL);
	vhost->epoll = epoll_create1(EPOLL_CLOEXEC);
	vhost->help_epoll = epoll_create1(EPOLL_CLOEXEC);
	vhost->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vhost->help_wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = vhost->epoll < 0 || vhost->wake < 0 || vhost->help_epoll < 0 || vhost->help_wake < 0
		      ? vaccel_fail(errno, "no descriptor for a machine: %s", strerror(errno))
		      : kind->start(worker, listener, peer, &vhost->device);
	if (!ret)
		ret = watch(vhost->epoll, channel, EPOLLIN, CHANNEL);
	if (!ret)
		ret = watch(vhost->epoll, vhost->wake, EPOLLIN, WAKE);
	if (!ret)
		ret = watch(vhost->help_epoll, vhost->help_wake, EPOLLIN, WAKE);
	vhost->has_thread = !ret && !pthread_create(&vhost->thread, NULL, vhost_main, vhost);
	if (!ret && !vhost->has_thread)
		ret = vaccel_fail(VACCEL_ENOMEM, "no thread for a machine");
	if (ret) {
		vhost_delete(vhost);
		return ret;
	}
	*ret_vhost = vhost;
	return VACCEL_OK;
}

void vhost_drain(struct vhost *vhost)
{
	if (!atomic_exchange(&vhost->draining, true))
		wake(vhost);
}

bool vhost_is_over(const struct vhost *vhost)
{
	return atomic_load(&vhost->over);
}

void vhost_delete(struct vhost *vhost)
{
	if (!vhost)
		return;
	if (vhost->has_thread) {
		vhost_drain(vhost);
		pthread_join(vhost->thread, NULL);
	}
	atomic_fetch_sub(&vhost->worker->stats->connections, 1);
	if (vhost->device)
		vhost->kind->end(vhost->device);
	for (unsigned int i = 0; i < QUEUES_MAX; i++)
		ring_release(&vhost->rings[i]);
	guest_unref(vhost->guest);
	guest_unref(vhost->next_guest);
	if (vhost->inflight)
		munmap(vhost->inflight, inflight_bytes(&vhost->shape));
	closep(&vhost->channel);
	closep(&vhost->epoll);
	closep(&vhost->wake);
	closep(&vhost->help_epoll);
	closep(&vhost->help_wake);
	pthread_mutex_destroy(&vhost->walking);
	free(vhost);
}
