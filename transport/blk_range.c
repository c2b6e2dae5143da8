// SPDX-License-Identifier: Apache-2.0
/*
 * Finding a drive, and having a range of it. Nothing is written before serial number and first
 * block have shown that it is ours. A range is claimed by a nonce: who reads it back there has
 * it. A thread tells the agent now and then that the program still runs, since nothing
 * else would tell of its end.
 */
#include "transport/blk.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <vaccel/error.h>

#include "base/util.h"

/* Ranges to try; among many free ones few are needed. */
#define TRIES 32

/* Until a range is asked for again, while none is given. */
#define AGAIN_NS (50 * MILLISECOND)

/* An access by a thread that nobody waits for, and one at the end. */
#define CONTROL_NS (2 * SECOND)

/* Without a deadline a drive that does not answer is given up. */
#define CONNECT_NS (10 * SECOND)

#define HUGE_PAGE   (2u << 20)
#define SMALL_PAGES (2 + 2 * BLK_SLOTS)
#define MEMORY_SIZE (2 * HUGE_PAGE + SMALL_PAGES * DRIVE_BLOCK)

/* Opening */

static int why_not_open(const char *path, int error)
{
	switch (error) {
	case ENOENT:
		return vaccel_fail(VACCEL_ENOENT,
				   "%s: there is no such device; 'blk:' alone finds the drive",
				   path);
	case ENOTBLK:
		return vaccel_fail(VACCEL_EINVAL,
				   "%s is no block device; 'blk:' alone finds the drive", path);
	case EACCES:
	case EPERM:
		return vaccel_fail(VACCEL_EACCES,
				   "%s may not be opened for reading and writing; let this user's "
				   "group do so, for instance by a rule of udev for the serial "
				   "number " DRIVE_SERIAL,
				   path);
	case EINVAL:
		return vaccel_fail(VACCEL_ENOTSUP, "%s cannot be accessed without a cache", path);
	default:
		return vaccel_fail(VACCEL_EREMOTEIO, "%s: %s", path, strerror(error));
	}
}

static int check_serial(const char *path)
{
	char serial[64] = "";
	int error = disk->serial(path, serial, sizeof(serial));

	if (error && error != ENODEV)
		return why_not_open(path, error);
	if (!error && !strcmp(serial, DRIVE_SERIAL))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL,
			   "%s is another disk, and was not touched: its serial number is '%s' "
			   "instead of " DRIVE_SERIAL,
			   path, serial);
}

int blk_open(const struct address *address, int *ret_fd)
{
	char found[64];
	const char *path = address->path;
	int ret, error;

	if (!path) {
		if (disk->find(DRIVE_SERIAL, found, sizeof(found)))
			return vaccel_fail(VACCEL_ENOENT,
					   "no drive of this machine has the serial "
					   "number " DRIVE_SERIAL "; add one that vaccel-agent "
					   "serves at vhost-user-blk://");
		path = found;
	}
	ret = check_serial(path);
	if (ret)
		return ret;
	error = disk->open(path, ret_fd);
	return error ? why_not_open(path, error) : VACCEL_OK;
}

/* Accesses to the control block, with blk->lock held. */

int blk_failed(const struct blk *blk, int error)
{
	switch (error) {
	case EAGAIN:
		return vaccel_fail(VACCEL_ETIMEDOUT,
				   "%s does not answer; does vaccel-agent run on the host?",
				   blk->name);
	case EIO:
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "%s refuses an access; the agent there may be a new one",
				   blk->name);
	case ENODEV:
	case ENXIO:
		return vaccel_fail(VACCEL_EREMOTEIO, "%s: the drive is gone", blk->name);
	default:
		return vaccel_fail(VACCEL_EREMOTEIO, "%s: %s", blk->name, strerror(error));
	}
}

/* One access to a block, from beginning to end. What hangs is waited for the next time. */
static int access_block(struct blk *blk, bool is_write, const void *from, size_t size,
			uint64_t place, int64_t until)
{
	int error = access_wait(&blk->control, until);

	if (error == EAGAIN)
		return blk_failed(blk, error);
	if (is_write) {
		memset(blk->control_block, 0, DRIVE_BLOCK);
		memcpy(blk->control_block, from, size);
	}
	error = access_start(&blk->control, is_write,
			     &(struct iovec){blk->control_block, DRIVE_BLOCK}, 1, place);
	if (!error)
		error = access_wait(&blk->control, until);
	return error ? blk_failed(blk, error) : VACCEL_OK;
}

static int send_control(struct blk *blk, enum drive_control_kind kind, int64_t until)
{
	uint64_t read = atomic_load(&blk->read);
	struct drive_control control = {
		.magic = htole32(DRIVE_CONTROL_MAGIC),
		.kind = htole32(kind),
		.epoch = htole64(blk->epoch),
		.read = htole64(read),
	};

	memcpy(control.nonce, blk->nonce, DRIVE_NONCE);
	drive_seal(&control);
	return access_block(blk, true, &control, sizeof(control), blk->base, until);
}

static int get_status(struct blk *blk, int64_t until, struct drive_status *ret_status)
{
	int ret = access_block(blk, false, NULL, 0, blk->base, until);

	if (ret)
		return ret;
	memcpy(ret_status, blk->control_block, sizeof(*ret_status));
	if (ret_status->magic != htole32(DRIVE_STATUS_MAGIC) || !drive_is_sealed(ret_status))
		return vaccel_fail(VACCEL_EREMOTEIO, "%s: a range has no status", blk->name);
	if (ret_status->epoch != htole64(blk->epoch))
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "%s: the agent's process for this machine is a new one",
				   blk->name);
	return VACCEL_OK;
}

static bool is_ours(const struct blk *blk, const struct drive_status *status)
{
	return status->state != htole32(DRIVE_FREE) &&
	       !memcmp(status->nonce, blk->nonce, DRIVE_NONCE);
}

void blk_raise(_Atomic uint64_t *value, uint64_t to)
{
	uint64_t before = atomic_load(value);

	while (before < to && !atomic_compare_exchange_weak(value, &before, to))
		;
}

int blk_keep(struct blk *blk, int64_t until)
{
	SCOPED_LOCK(&blk->lock);

	return send_control(blk, DRIVE_KEEP, until);
}

int blk_look(struct blk *blk, int64_t until, uint64_t *ret_ready, bool *ret_ended)
{
	SCOPED_LOCK(&blk->lock);
	struct drive_status status;
	int ret = get_status(blk, until, &status);

	if (ret)
		return ret;
	if (!is_ours(blk, &status))
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "%s: the agent has ended this connection, of which it heard "
				   "nothing for too long",
				   blk->name);
	blk_raise(&blk->taken, le64toh(status.taken));
	*ret_ready = le64toh(status.ready);
	*ret_ended = status.state == htole32(DRIVE_ENDED);
	return VACCEL_OK;
}

/* If the range is lost, who uses it learns that. */
static void say_something(struct blk *blk)
{
	SCOPED_LOCK(&blk->lock);
	int64_t until = time_now() + CONTROL_NS;

	if (!blk->is_held)
		return;
	if (!blk->is_given_up)
		send_control(blk, DRIVE_KEEP, until);
	else if (!send_control(blk, DRIVE_RELEASE, until))
		blk->is_held = false;
}

static void *keep(void *context)
{
	struct blk *blk = context;

	for (;;) {
		int64_t next = time_now() + blk->lease_ms / 3 * MILLISECOND;
		struct timespec when = timespec_of(next);

		sem_clockwait(&blk->wake, CLOCK_MONOTONIC, &when);
		if (blk->ending)
			return NULL;
		say_something(blk);
	}
}

void blk_give_up(struct blk *blk)
{
	if (!atomic_exchange(&blk->is_given_up, true))
		sem_post(&blk->wake);
}

/* The first block */

/* Whether that lies in [0, @size), and in blocks. */
static bool is_inside(uint64_t place, uint64_t length, uint64_t size)
{
	return !(place % DRIVE_BLOCK) && !(length % DRIVE_BLOCK) && place >= DRIVE_BLOCK &&
	       length && length <= size && place <= size - length;
}

static bool is_sound(const struct blk *blk, uint64_t size)
{
	uint64_t from = MIN_OF(blk->out_at, blk->in_at);
	uint64_t to = MAX_OF(blk->out_at, blk->in_at);

	return blk->ranges && blk->range_size && blk->ranges <= size / blk->range_size &&
	       is_inside(blk->ranges_at, blk->ranges * blk->range_size, size) &&
	       !(blk->area & (blk->area - 1)) && is_inside(from, blk->area, blk->range_size) &&
	       is_inside(to, blk->area, blk->range_size) && to - from >= blk->area &&
	       blk->parcel_max % DRIVE_BLOCK == 0 && blk->parcel_max >= 2 * DRIVE_BLOCK &&
	       blk->parcel_max <= BLK_PARCEL && blk->window >= 2 * blk->parcel_max &&
	       blk->window <= blk->area / 4 && blk->lease_ms >= 3;
}

static int read_front(struct blk *blk, int64_t until)
{
	struct drive_front front;
	uint64_t size;
	int ret = access_block(blk, false, NULL, 0, 0, until);

	if (ret)
		return ret;
	memcpy(&front, blk->control_block, sizeof(front));
	if (memcmp(front.magic, DRIVE_MAGIC, sizeof(front.magic)))
		return vaccel_fail(VACCEL_EINVAL,
				   "%s is another disk, and was not touched: its first block is "
				   "not that of a drive of vaccel-agent's",
				   blk->name);
	if (!drive_is_sealed(&front))
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "%s: the first block's sum is wrong; nothing was written",
				   blk->name);
	if (front.version != htole32(DRIVE_VERSION) || front.block != htole32(DRIVE_BLOCK))
		return vaccel_fail(VACCEL_ENOTSUP,
				   "%s is a drive of version %" PRIu32
				   ", and this program knows version %d; update vaccel in here",
				   blk->name, le32toh(front.version), DRIVE_VERSION);
	blk->epoch = le64toh(front.epoch);
	blk->ranges_at = le64toh(front.ranges_at);
	blk->range_size = le64toh(front.range_size);
	blk->out_at = le64toh(front.out_at);
	blk->in_at = le64toh(front.in_at);
	blk->area = le64toh(front.area);
	blk->ranges = le32toh(front.ranges);
	blk->parcel_max = le32toh(front.parcel_max);
	blk->window = le32toh(front.window);
	blk->lease_ms = le32toh(front.lease_ms);
	if (disk->size(blk->control.fd, &size) || !is_sound(blk, size))
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "%s: what the first block says does not fit the drive",
				   blk->name);
	blk->segments = disk->segments(blk->control.fd);
	return VACCEL_OK;
}

/* Claiming */

static int claim_one(struct blk *blk, int64_t until, bool *ret_is_full)
{
	struct drive_status status;
	uint64_t start;
	uint32_t number;
	int ret;

	if (getrandom(blk->nonce, sizeof(blk->nonce), 0) != sizeof(blk->nonce) ||
	    getrandom(&number, sizeof(number), 0) != sizeof(number))
		return vaccel_fail(VACCEL_EIO, "no random numbers: %s", strerror(errno));
	blk->base = blk->ranges_at + number % blk->ranges * blk->range_size;
	memcpy(&start, blk->nonce, sizeof(start));
	blk->start = le64toh(start) & (blk->area - 1) & ~(uint64_t)(DRIVE_BLOCK - 1);
	atomic_init(&blk->taken, blk->start);
	atomic_init(&blk->read, blk->start);
	ret = send_control(blk, DRIVE_CLAIM, until);
	if (!ret)
		ret = get_status(blk, until, &status);
	if (ret)
		return ret;
	blk->is_held = is_ours(blk, &status);
	*ret_is_full = status.state == htole32(DRIVE_FREE) && status.held == status.held_max;
	return VACCEL_OK;
}

static int claim(struct blk *blk, int64_t until)
{
	bool is_full = false;
	int ret = VACCEL_OK;

	for (int i = 0; i < TRIES && !ret && !blk->is_held && !is_full; i++)
		ret = claim_one(blk, until, &is_full);
	if (ret)
		return ret;
	if (is_full)
		return vaccel_fail(VACCEL_EDQUOT,
				   "%s: all its ranges are taken by programs in this machine; end "
				   "some, or wait until those of programs that are gone expire",
				   blk->name);
	if (!blk->is_held)
		return vaccel_fail(VACCEL_EREMOTEIO, "%s: the agent takes no connection",
				   blk->name);
	blk->out = blk->at = blk->told = blk->start;
	return VACCEL_OK;
}

/* An agent's worker that is to end takes none, and the next one's drive has another epoch. */
static int hold_range(struct blk *blk, int64_t until)
{
	static const struct timespec pause = {.tv_nsec = AGAIN_NS};
	int ret;

	for (;;) {
		ret = read_front(blk, until);
		if (ret)
			return ret;
		ret = claim(blk, until);
		if (ret != VACCEL_EREMOTEIO || time_now() + AGAIN_NS >= until)
			return ret;
		nanosleep(&pause, NULL);
	}
}

/* Beginning and end */

static int make_memory(struct blk *blk)
{
	void *memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *small = memory;
	uintptr_t large;

	if (memory == MAP_FAILED)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection");
	blk->memory = memory;
	/* A child shares no memory that a device is writing to. */
	madvise(memory, MEMORY_SIZE, MADV_DONTFORK);
	large = (uintptr_t)small + SMALL_PAGES * DRIVE_BLOCK + HUGE_PAGE - 1;
	large &= ~(uintptr_t)(HUGE_PAGE - 1);
	madvise((void *)large, HUGE_PAGE, MADV_HUGEPAGE);
	blk->control_block = small;
	blk->in.small = small + DRIVE_BLOCK;
	blk->in.large = (unsigned char *)large;
	for (size_t i = 0; i < ARRAY_SIZE(blk->slots); i++) {
		blk->slots[i].small = small + (2 + 2 * i) * DRIVE_BLOCK;
		blk->slots[i].last = blk->slots[i].small + DRIVE_BLOCK;
		blk->slots[i].large = (unsigned char *)large + (1 + i) * BLK_PARCEL;
	}
	return VACCEL_OK;
}

static struct disk_access *access_at(struct blk *blk, size_t index)
{
	if (index < 2)
		return index ? &blk->in.access : &blk->control;
	return index - 2 < BLK_SLOTS ? &blk->slots[index - 2].access : NULL;
}

static int make_accesses(struct blk *blk, int fd)
{
	struct disk_access *access;

	for (size_t i = 0; (access = access_at(blk, i)); i++)
		access->fd = -1;
	for (size_t i = 0; (access = access_at(blk, i)); i++) {
		int error = access_setup(access, fd);

		if (error)
			return vaccel_fail(
				error == EAGAIN ? VACCEL_ENOMEM : error,
				"%s: no asynchronous accesses: %s%s", blk->name, strerror(error),
				error == EAGAIN ? "; more need a greater fs.aio-max-nr" : "");
	}
	return VACCEL_OK;
}

static int start_keeper(struct blk *blk)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	blk->is_kept = !pthread_create(&blk->keeper, NULL, keep, blk);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return blk->is_kept ? VACCEL_OK
			    : vaccel_fail(VACCEL_ENOMEM, "no thread for a connection over %s",
					  blk->name);
}

/* Programs that end without closing what they have: nobody else would tell the agent soon. */

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct blk *all;

static void remember(struct blk *blk)
{
	SCOPED_LOCK(&all_lock);

	blk->next = all;
	blk->link_to = &all;
	if (all)
		all->link_to = &blk->next;
	all = blk;
}

static void forget(struct blk *blk)
{
	SCOPED_LOCK(&all_lock);

	if (!blk->link_to)
		return;
	*blk->link_to = blk->next;
	if (blk->next)
		blk->next->link_to = blk->link_to;
}

/* In a forked child, which has neither the thread nor the memory, and is not to free the range. */
static bool is_parents(const struct blk *blk)
{
	return blk->owner != getpid();
}

__attribute__((destructor)) static void release_all(void)
{
	int64_t until = time_now() + CONTROL_NS;

	if (pthread_mutex_trylock(&all_lock))
		return;
	for (struct blk *blk = all; blk; blk = blk->next) {
		if (is_parents(blk) || pthread_mutex_trylock(&blk->lock))
			continue;
		if (blk->is_held)
			blk->is_held = send_control(blk, DRIVE_RELEASE, until);
		pthread_mutex_unlock(&blk->lock);
	}
	pthread_mutex_unlock(&all_lock);
}

static void blk_deletep(struct blk **blk)
{
	blk_delete(*blk);
}

int blk_new(const struct address *address, int fd, int64_t until, struct blk **ret_blk)
{
	_cleanup_(blk_deletep) struct blk *blk = calloc(1, sizeof(*blk));
	int ret;

	if (!blk)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection");
	blk->owner = getpid();
	pthread_mutex_init(&blk->lock, NULL);
	pthread_mutex_init(&blk->reading, NULL);
	sem_init(&blk->wake, 0, 0);
	until = MIN_OF(until, time_now() + CONNECT_NS);
	blk->name = strdup(address->text);
	ret = blk->name ? make_memory(blk) : vaccel_fail(VACCEL_ENOMEM, "no memory for a name");
	if (!ret)
		ret = make_accesses(blk, fd);
	if (!ret)
		ret = hold_range(blk, until);
	if (!ret)
		ret = start_keeper(blk);
	if (ret)
		return ret;
	remember(blk);
	*ret_blk = TAKE(blk);
	return VACCEL_OK;
}

static void *release(void *context)
{
	struct blk *blk = context;
	struct disk_access *access;

	for (size_t i = 0; blk->memory && (access = access_at(blk, i)); i++)
		access_end(access);
	if (blk->memory)
		munmap(blk->memory, MEMORY_SIZE);
	sem_destroy(&blk->wake);
	pthread_mutex_destroy(&blk->lock);
	pthread_mutex_destroy(&blk->reading);
	free(blk->name);
	free(blk);
	return NULL;
}

static void end_keeper(struct blk *blk)
{
	if (!blk->is_kept)
		return;
	blk->ending = true;
	sem_post(&blk->wake);
	pthread_join(blk->keeper, NULL);
}

/* A device that does not answer must not keep the program. */
static bool hangs(struct blk *blk, int64_t until)
{
	struct disk_access *access;
	bool ret = false;

	for (size_t i = 1; (access = access_at(blk, i)); i++)
		ret |= access_wait(access, until) == EAGAIN;
	if (!ret && blk->is_held)
		send_control(blk, DRIVE_RELEASE, until);
	return ret || access_wait(&blk->control, until) == EAGAIN;
}

void blk_delete(struct blk *blk)
{
	pthread_t thread;

	if (!blk || is_parents(blk))
		return;
	forget(blk);
	end_keeper(blk);
	if (!hangs(blk, time_now() + CONTROL_NS))
		release(blk);
	else if (!pthread_create(&thread, NULL, release, blk))
		pthread_detach(thread);
}
