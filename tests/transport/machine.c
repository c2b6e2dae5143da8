// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/disk.h"
#include "transport/drive.h"
#include "transport/transport.h"

enum { PIECES_MAX = 64, VECTORS = 3, THREADS = 2 };

struct machine {
	struct drive *drive;
	struct drive_setup setup;
	bool wild;
	int pipe[2];

	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	char serial[64];
	int error;
	bool hanging, refusing, ending;
	unsigned char front[DRIVE_BLOCK];
	bool has_front;
	unsigned int writes, lent, segments, random;
	unsigned int accesses; /* that have not ended */
	struct piece *pieces;  /* that wait for a thread */
	pthread_t threads[THREADS];
};

/* Of one access, and of the disk_access that it belongs to as long as that exists. */
struct job {
	unsigned int pending;
	bool failed;
};

struct piece {
	struct drive_request request;
	struct iovec vectors[VECTORS];
	struct job *job;
	char *copy;
	struct piece *next;
};

static struct machine *machine;

/* With the lock held. */
static unsigned int random_below(unsigned int limit)
{
	machine->random = machine->random * 1103515245 + 12345;
	return machine->random / 65536 % limit;
}

static void piece_done(struct drive_request *request, bool went_well)
{
	struct piece *piece = (struct piece *)request;

	pthread_mutex_lock(&machine->lock);
	piece->job->failed |= !went_well;
	piece->job->pending--;
	pthread_cond_broadcast(&machine->changed);
	pthread_mutex_unlock(&machine->lock);
	free(piece->copy);
	free(piece);
}

static void cut(struct piece *piece, char *at, size_t size)
{
	size_t nr = machine->wild ? 1 + random_below(VECTORS) : 1, done = 0;

	for (size_t i = 0; i < nr; i++) {
		size_t part = i + 1 < nr ? (size - done) / 2 : size - done;

		piece->vectors[i] = (struct iovec){at + done, part};
		done += part;
	}
	piece->request.nr = nr;
}

static struct piece *make_piece(struct job *job, bool is_write, size_t size, uint64_t place)
{
	struct piece *piece = calloc(1, sizeof(*piece));

	assert_non_null(piece);
	piece->job = job;
	piece->request = (struct drive_request){
		.is_write = is_write,
		.offset = place,
		.at = piece->vectors,
		.size = size,
		.done = piece_done,
	};
	job->pending++;
	return piece;
}

/* Of one piece of memory; @late: which may be another's when it is written from, as the
 * pages that a kernel keeps then are not. */
static struct piece *make_cut_piece(struct job *job, bool is_write, char *at, size_t size,
				    uint64_t place, bool late)
{
	struct piece *piece = make_piece(job, is_write, size, place);

	if (is_write && late) {
		piece->copy = malloc(size);
		assert_non_null(piece->copy);
		at = memcpy(piece->copy, at, size);
	}
	cut(piece, at, size);
	return piece;
}

/* To any place among those that wait. */
static void enqueue(struct piece *piece)
{
	struct piece **link = &machine->pieces;

	for (unsigned int skip = random_below(8); skip && *link; skip--)
		link = &(*link)->next;
	piece->next = *link;
	*link = piece;
}

static void start_wildly(struct job *job, bool is_write, char *at, size_t size, uint64_t place)
{
	size_t sectors = size / DRIVE_SECTOR, done = 0;

	while (done < sectors) {
		size_t part = 1 + random_below((unsigned int)MAX_OF(2 * sectors / PIECES_MAX, 12u));

		part = MIN_OF(part, sectors - done);
		for (unsigned int i = 0; i < 1 + !random_below(4); i++)
			enqueue(make_cut_piece(job, is_write, at + done * DRIVE_SECTOR,
					       part * DRIVE_SECTOR, place + done * DRIVE_SECTOR,
					       true));
		done += part;
	}
	pthread_cond_broadcast(&machine->changed);
}

static void *run_pieces(void *context)
{
	pthread_mutex_lock(&machine->lock);
	while (!machine->ending) {
		struct piece *piece = machine->pieces;

		if (!piece || machine->hanging) {
			pthread_cond_wait(&machine->changed, &machine->lock);
			continue;
		}
		machine->pieces = piece->next;
		pthread_mutex_unlock(&machine->lock);
		drive_submit(machine->drive, &piece->request);
		pthread_mutex_lock(&machine->lock);
	}
	pthread_mutex_unlock(&machine->lock);
	return NULL;
}

/* As struct disk_kind has it. */

static int serial_of(const char *path, char *text, size_t room)
{
	if (!strcmp(path, "/dev/missing"))
		return ENOENT;
	if (!strcmp(path, "/dev/null"))
		return ENOTBLK;
	if (!strcmp(path, "/dev/loop0"))
		return ENODEV;
	snprintf(text, room, "%s", machine->serial);
	return 0;
}

static int find_by(const char *serial, char *path, size_t room)
{
	if (strcmp(serial, machine->serial))
		return ENODEV;
	snprintf(path, room, "/dev/vdb");
	return 0;
}

static int open_it(const char *path, int *ret_fd)
{
	if (!strcmp(path, "/dev/secret"))
		return EACCES;
	if (!strcmp(path, "/dev/cached"))
		return EINVAL;
	if (!strcmp(path, "/dev/broken"))
		return ENXIO;
	*ret_fd = eventfd(0, EFD_CLOEXEC);
	return *ret_fd < 0 ? errno : 0;
}

static int size_of(int fd, uint64_t *ret_size)
{
	*ret_size = drive_capacity();
	return 0;
}

static int setup_access(struct disk_access *access)
{
	SCOPED_LOCK(&machine->lock);

	access->simulated = calloc(1, sizeof(struct job));
	machine->accesses += access->simulated != NULL;
	return access->simulated ? 0 : ENOMEM;
}

/* Small and large, so that parcels are made in all ways. */
static unsigned int segments_of(int fd)
{
	SCOPED_LOCK(&machine->lock);

	return machine->wild && random_below(2) ? 1 : machine->segments;
}

static void start_all(struct job *job, bool is_write, const struct iovec *at, int nr,
		      uint64_t place)
{
	for (int i = 0; i < nr; i++) {
		start_wildly(job, is_write, at[i].iov_base, at[i].iov_len, place);
		place += at[i].iov_len;
	}
}

static int start_access(struct disk_access *access, bool is_write, const struct iovec *at, int nr,
			uint64_t place)
{
	struct job *job = access->simulated;
	struct piece *piece;

	for (int i = 0; i < nr; i++)
		assert_true((uintptr_t)at[i].iov_base % DRIVE_BLOCK == 0 &&
			    at[i].iov_len % DRIVE_BLOCK == 0);
	assert_true(nr <= VECTORS && place % DRIVE_BLOCK == 0);
	pthread_mutex_lock(&machine->lock);
	assert_int_equal(job->pending, 0);
	job->failed = false;
	machine->writes += is_write;
	machine->lent += is_write && nr > 1;
	if (machine->error) {
		int error = machine->error;

		pthread_mutex_unlock(&machine->lock);
		return error;
	}
	if (!is_write && !place && machine->has_front) {
		memcpy(at->iov_base, machine->front, DRIVE_BLOCK);
		pthread_mutex_unlock(&machine->lock);
		return 0;
	}
	if (machine->wild || machine->hanging) {
		start_all(job, is_write, at, nr, place);
		pthread_mutex_unlock(&machine->lock);
		return 0;
	}
	piece = make_piece(job, is_write, access->size, place);
	memcpy(piece->vectors, at, (size_t)nr * sizeof(*at));
	piece->request.nr = (size_t)nr;
	pthread_mutex_unlock(&machine->lock);
	drive_submit(machine->drive, &piece->request);
	return 0;
}

static int wait_for(struct disk_access *access, int64_t until)
{
	struct job *job = access->simulated;
	struct timespec when = timespec_of(until);
	SCOPED_LOCK(&machine->lock);

	while (job->pending)
		if (!until || pthread_cond_timedwait(&machine->changed, &machine->lock, &when))
			return EAGAIN;
	return job->failed ? EIO : 0;
}

static void end_access(struct disk_access *access)
{
	wait_for(access, FOREVER / 2);
	free(TAKE(access->simulated));
	SCOPED_LOCK(&machine->lock);
	machine->accesses--;
	pthread_cond_broadcast(&machine->changed);
}

static const struct disk_kind simulated = {
	.serial = serial_of,
	.find = find_by,
	.open = open_it,
	.size = size_of,
	.segments = segments_of,
	.setup = setup_access,
	.start = start_access,
	.wait = wait_for,
	.end = end_access,
};

static bool connect_it(void *context, struct link *link)
{
	bool refusing;

	pthread_mutex_lock(&machine->lock);
	refusing = machine->refusing;
	pthread_mutex_unlock(&machine->lock);
	if (refusing) {
		link_delete(link);
		return false;
	}
	assert_int_equal(write(machine->pipe[1], &link, sizeof(link)), sizeof(link));
	return true;
}

static void make_drive(void)
{
	assert_int_equal(drive_new(&machine->setup, &machine->drive), VACCEL_OK);
}

struct machine *machine_new(bool wild, const struct drive_setup *setup)
{
	pthread_condattr_t clock;

	machine = calloc(1, sizeof(*machine));
	assert_non_null(machine);
	machine->wild = wild;
	machine->random = 1;
	machine->segments = 126;
	snprintf(machine->serial, sizeof(machine->serial), "%s", DRIVE_SERIAL);
	pthread_mutex_init(&machine->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&machine->changed, &clock);
	pthread_condattr_destroy(&clock);
	assert_int_equal(pipe2(machine->pipe, O_CLOEXEC | O_NONBLOCK), 0);
	if (setup)
		machine->setup = *setup;
	else
		machine->setup.queue_size = 256;
	machine->setup.connect = connect_it;
	make_drive();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&machine->threads[i], NULL, run_pieces, NULL), 0);
	disk = &simulated;
	return machine;
}

void machine_delete(struct machine *of)
{
	struct link *link;

	pthread_mutex_lock(&of->lock);
	/* Those that hung are ended by a thread of their own. */
	while (of->accesses)
		pthread_cond_wait(&of->changed, &of->lock);
	of->ending = true;
	pthread_cond_broadcast(&of->changed);
	pthread_mutex_unlock(&of->lock);
	for (int i = 0; i < THREADS; i++)
		pthread_join(of->threads[i], NULL);
	assert_null(of->pieces);
	drive_delete(of->drive);
	while (read(of->pipe[0], &link, sizeof(link)) == sizeof(link))
		link_delete(link);
	close(of->pipe[0]);
	close(of->pipe[1]);
	pthread_cond_destroy(&of->changed);
	pthread_mutex_destroy(&of->lock);
	free(of);
	disk = &disk_of_system;
}

int machine_listener(const struct machine *of)
{
	return of->pipe[0];
}

struct link *machine_accept(const struct machine *of)
{
	struct link *link;

	assert_int_equal(read(of->pipe[0], &link, sizeof(link)), sizeof(link));
	return link;
}

void machine_set_serial(struct machine *of, const char *serial)
{
	snprintf(of->serial, sizeof(of->serial), "%s", serial);
}

void machine_set_error(struct machine *of, int error)
{
	SCOPED_LOCK(&of->lock);

	of->error = error;
}

void machine_set_hanging(struct machine *of, bool hanging)
{
	SCOPED_LOCK(&of->lock);

	of->hanging = hanging;
	pthread_cond_broadcast(&of->changed);
}

void machine_set_refusing(struct machine *of, bool refusing)
{
	SCOPED_LOCK(&of->lock);

	of->refusing = refusing;
}

void machine_replace_drive(struct machine *of)
{
	drive_delete(of->drive);
	make_drive();
}

void machine_set_front(struct machine *of, const void *bytes, size_t size)
{
	of->has_front = bytes;
	memset(of->front, 0, sizeof(of->front));
	if (bytes)
		memcpy(of->front, bytes, size);
}

unsigned int machine_writes(const struct machine *of)
{
	SCOPED_LOCK((pthread_mutex_t *)&of->lock);

	return of->writes;
}

unsigned int machine_lent(const struct machine *of)
{
	return of->lent;
}

void machine_set_segments(struct machine *of, unsigned int segments)
{
	of->segments = segments;
}

struct drive *machine_drive(struct machine *of)
{
	return of->drive;
}

bool machine_access(struct machine *of, bool is_write, void *at, size_t size, uint64_t place)
{
	struct job job = {0};
	struct piece *piece;

	pthread_mutex_lock(&of->lock);
	piece = make_cut_piece(&job, is_write, at, size, place, false);
	pthread_mutex_unlock(&of->lock);
	drive_submit(of->drive, &piece->request);
	pthread_mutex_lock(&of->lock);
	while (job.pending)
		pthread_cond_wait(&of->changed, &of->lock);
	pthread_mutex_unlock(&of->lock);
	return !job.failed;
}
