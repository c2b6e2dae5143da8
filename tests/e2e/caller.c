// SPDX-License-Identifier: Apache-2.0
/*
 * A program under load whose agent is killed again and again: threads that call in sessions
 * and with a resource which they keep, until standard input ends. Each result is
 * recorded; what a call may not have done, such as to take longer than its deadline or
 * to write to the caller's memory after it returned, ends the program with a sentence.
 * That memory is plain, or of vaccel_alloc(), where what was written once lies between
 * what is lent to the agent now.
 * At the end everything has to work, and nothing may be left.
 *
 * usage: caller LIBRARY RECORDS PROGRESS NUMBER
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <vaccel.h>

#include "deeds.h"

#define THREADS	   3
#define KEPT	   32
#define KINDS	   10	       /* of calls */
#define MOST	   (256 << 10) /* bytes of an argument */
#define LONGEST_US 8000	       /* of a deed */
#define SLACK_MS   5000	       /* past the deadline, on a machine that does other things */
#define TRIES	   1000	       /* of one whose deadline is short */
#define WORDS_MAX  512

/* What a call read or wrote, to be seen unchanged later. */
struct kept {
	unsigned char *bytes;
	size_t size;
	uint64_t sum;
	bool shared; /* a part of its caller's shared memory */
};

struct caller {
	pthread_t thread;
	unsigned int number, seed;
	uint64_t calls, nr_kept;
	struct vaccel_session own;
	unsigned char *shared; /* of vaccel_alloc(); MOST bytes for each that is kept */
	struct kept kept[KEPT];
};

static struct {
	const char *library;
	int64_t deadline_ms;
	uint64_t number;
	FILE *records;
	_Atomic uint64_t *progress;
	struct vaccel_session session; /* of all threads */
	struct vaccel_resource resource;
	atomic_bool over;
} all;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "caller: %s: %s\n", what, vaccel_error_text());
	_exit(1);
}

static void must(const char *what, int ret)
{
	if (ret)
		die(what);
}

/* What a caller with a short deadline may have to try more than once. */
#define MUST_IN_THE_END(call)                                      \
	for (int tries = TRIES, ret; (ret = (call)) != VACCEL_OK;) \
		if (ret != VACCEL_ETIMEDOUT || !--tries)           \
	die(#call)

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t sum_of(const unsigned char *bytes, size_t size)
{
	uint64_t sum = size;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static void keep(struct kept *kept)
{
	kept->sum = sum_of(kept->bytes, kept->size);
}

static void kept_release(struct kept *kept)
{
	if (kept->bytes && sum_of(kept->bytes, kept->size) != kept->sum)
		die(kept->shared ? "shared memory changed after its call had returned"
				 : "memory changed after its call had returned");
	if (!kept->shared)
		free(kept->bytes);
	kept->bytes = NULL;
}

/* Memory that nothing has been written to for a while; what it had has to be there still. */
static struct kept *fresh(struct caller *caller, size_t size, bool shared)
{
	size_t index = caller->nr_kept++ % KEPT;
	struct kept *kept = &caller->kept[index];

	kept_release(kept);
	kept->bytes = shared ? caller->shared + index * MOST : malloc(size);
	kept->size = size;
	kept->shared = shared;
	if (!kept->bytes)
		die("no memory");
	memset(kept->bytes, (int)(caller->calls * 31), size);
	keep(kept);
	return kept;
}

/* The result of a call; @id is 0 for one that may run twice. */
static void record(uint64_t id, int code, int64_t began)
{
	int64_t took = now_ms() - began;

	if (took > all.deadline_ms + SLACK_MS)
		die("a call took longer than its deadline");
	if (code && !*vaccel_error_text())
		die("a failure without words");
	if (!code)
		atomic_fetch_add(all.progress, 1);
	fprintf(all.records, "%" PRIu64 "\t%d\t%" PRId64 "\t%s\n", id, code, took,
		code ? vaccel_error_text() : "");
}

static int mark(struct caller *caller, bool with_resource, bool shared_in, bool shared_out)
{
	size_t size = 1 + (size_t)rand_r(&caller->seed) % (caller->calls % 4 ? 4096 : MOST);
	struct kept *in = fresh(caller, size, shared_in), *out = fresh(caller, size, shared_out);
	struct mark mark = {
		.id = all.number << 48 | (uint64_t)caller->number << 40 | caller->calls,
		.us = (uint64_t)rand_r(&caller->seed) % LONGEST_US,
	};
	struct vaccel_arg read[2] = {
		{.buf = &mark, .size = sizeof(mark), .type = VACCEL_ARG_RAW},
		{.buf = in->bytes, .size = size, .type = VACCEL_ARG_RAW},
	};
	struct vaccel_arg write = {.buf = out->bytes, .size = size, .type = VACCEL_ARG_RAW};
	int64_t began = now_ms();
	int ret;

	if (with_resource)
		ret = vaccel_exec_with_resource(&all.session, &all.resource, "deed_mark", read, 2,
						&write, 1);
	else
		ret = vaccel_exec(&caller->own, all.library, "deed_mark", read, 2, &write, 1);
	record(mark.id, ret, began);
	for (size_t i = 0; !ret && i < size; i++)
		if (out->bytes[i] != (unsigned char)~in->bytes[i])
			die("an answer is wrong");
	keep(out);
	return ret;
}

static int noop(struct vaccel_session *session)
{
	int64_t began = now_ms();
	int ret = vaccel_noop(session);

	record(0, ret, began);
	return ret;
}

/* May run twice, and writes. */
static int minmax(struct caller *caller)
{
	double samples[] = {3, 1, 2}, min = 0, max = 0;
	struct kept *out = fresh(caller, sizeof(samples), caller->calls % 2);
	int64_t began = now_ms();
	int ret = vaccel_minmax(&caller->own, samples, 3, 0, 9, (double *)out->bytes, &min, &max);

	record(0, ret, began);
	if (!ret && (min != 1 || max != 3))
		die("an answer is wrong");
	keep(out);
	return ret;
}

static int call(struct caller *caller, unsigned int which)
{
	caller->calls++;
	switch (which % KINDS) {
	case 0:
		return noop(&all.session);
	case 1:
		return minmax(caller);
	default:
		return mark(caller, which & 1, which & 2, which & 4);
	}
}

static void *run(void *context)
{
	struct caller *caller = context;

	while (!atomic_load(&all.over))
		call(caller, (unsigned int)rand_r(&caller->seed));
	return NULL;
}

/* With the sessions and the resource of the start. Machines that do other things may be late. */
static void check_all_work(struct caller *caller)
{
	for (unsigned int which = 0; which < KINDS; which++) {
		int tries = 0;

		while (call(caller, which))
			if (++tries == TRIES)
				die("it does not work any more");
	}
}

static void caller_init(struct caller *caller, unsigned int number)
{
	caller->number = caller->seed = number;
	caller->shared = vaccel_alloc((size_t)KEPT * MOST);
	if (!caller->shared)
		die("no memory");
	MUST_IN_THE_END(vaccel_session_init(&caller->own, 0));
}

static void caller_release(struct caller *caller)
{
	for (size_t i = 0; i < KEPT; i++)
		kept_release(&caller->kept[i]);
	vaccel_free(caller->shared);
	must("the end of a session", vaccel_session_release(&caller->own));
}

static unsigned int count_descriptors(void)
{
	DIR *stream = opendir("/proc/self/fd");
	unsigned int nr = 0;

	while (readdir(stream))
		nr++;
	closedir(stream);
	return nr;
}

static bool maps_memfd(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[WORDS_MAX];
	bool found = false;

	while (fgets(line, sizeof(line), maps))
		found |= strstr(line, "/memfd:") != NULL;
	fclose(maps);
	return found;
}

static void open_files(const char *records, const char *progress)
{
	int fd = open(progress, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	all.records = fopen(records, "we");
	if (fd < 0 || !all.records || ftruncate(fd, sizeof(*all.progress)))
		die("cannot make files");
	all.progress = mmap(NULL, sizeof(*all.progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (all.progress == MAP_FAILED)
		die("cannot map a file");
}

static void call_until_told(struct caller callers[THREADS])
{
	char byte;

	for (unsigned int i = 0; i < THREADS; i++)
		if (pthread_create(&callers[i].thread, NULL, run, &callers[i]))
			die("no thread");
	while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
		;
	atomic_store(&all.over, true);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(callers[i].thread, NULL);
}

int main(int argc, char **argv)
{
	static struct caller callers[THREADS];
	const char *deadline = getenv("VACCEL_TIMEOUT_MS");
	unsigned int descriptors;

	if (argc != 5 || !deadline)
		return 2;
	all.library = argv[1];
	all.number = strtoull(argv[4], NULL, 10);
	all.deadline_ms = strtoll(deadline, NULL, 10);
	open_files(argv[2], argv[3]);
	descriptors = count_descriptors();
	must("bootstrap", vaccel_bootstrap());
	MUST_IN_THE_END(vaccel_session_init(&all.session, 0));
	must("a resource", vaccel_resource_init(&all.resource, all.library, VACCEL_RESOURCE_LIB));
	MUST_IN_THE_END(vaccel_resource_register(&all.resource, &all.session));
	for (unsigned int i = 0; i < THREADS; i++)
		caller_init(&callers[i], i);
	call_until_told(callers);
	for (unsigned int i = 0; i < THREADS; i++) {
		check_all_work(&callers[i]);
		caller_release(&callers[i]);
	}
	must("to unregister", vaccel_resource_unregister(&all.resource, &all.session));
	must("the end of a session", vaccel_session_release(&all.session));
	must("the end of a resource", vaccel_resource_release(&all.resource));
	must("cleanup", vaccel_cleanup());
	if (count_descriptors() != descriptors)
		die("descriptors are left");
	if (maps_memfd())
		die("a mapping of a memory file is left");
	return fclose(all.records) ? 1 : 0;
}
