// SPDX-License-Identifier: Apache-2.0
/*
 * A program that ends while its threads are in calls, with status 3: by
 * exit(), by the return of main(), by an exit() of one of the threads, or by _exit(); or it has
 * vaccel make a digest when all that was to be done at exit has been done.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel.h>

#define THREADS 8
#define STATUS	3

/*
 * What threads in calls hold is no leak; and the leak sanitizer of GCC 12 crashes over memory of
 * threads' own that is a plugin's.
 */
int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
	return 1;
}

static struct vaccel_session sess;

static void *call_for_ever(void *context)
{
	for (;;)
		vaccel_noop(&sess);
	return NULL;
}

static void *leave(void *context)
{
	exit(STATUS);
}

static int send_resource(void)
{
	struct vaccel_resource res;
	int ret = vaccel_resource_init_from_buf(&res, "bytes", 5, VACCEL_RESOURCE_DATA, "b", true);

	if (!ret)
		ret = vaccel_resource_register(&res, &sess);
	return ret ? ret : vaccel_resource_release(&res);
}

static void send_late(void)
{
	if (send_resource())
		_exit(1);
	_exit(STATUS);
}

static int end(const char *how)
{
	pthread_t thread;

	if (!strcmp(how, "exit"))
		exit(STATUS);
	if (!strcmp(how, "_exit"))
		_exit(STATUS);
	if (!strcmp(how, "thread") && !pthread_create(&thread, NULL, leave, NULL))
		pthread_join(thread, NULL);
	return STATUS;
}

int main(int argc, char **argv)
{
	const double samples[] = {3, 1, 2};
	double out[3], min, max;

	/* The first that is registered runs last. */
	if (argc == 2 && !strcmp(argv[1], "late"))
		atexit(send_late);
	if (argc != 2 || vaccel_bootstrap() || vaccel_session_init(&sess, 0))
		return 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, call_for_ever, NULL))
			return 1;
	}
	if (vaccel_minmax(&sess, samples, 3, 0, 9, out, &min, &max) || send_resource())
		return 1;
	return end(argv[1]);
}
