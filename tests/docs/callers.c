// SPDX-License-Identifier: Apache-2.0
/*
 * callers NUMBER: threads that call without pause until standard input ends, but once at least,
 * each in a session of its own: one half noop, the other an exec that takes a millisecond and
 * is never repeated. Tells of every hundredth call, and of each that fails.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <vaccel.h>

#define CALLERS_MAX 64

static atomic_bool over;
static atomic_ulong calls, failures;

static int call_once(struct vaccel_session *sess, bool is_effect)
{
	static char time[] = "1";
	struct vaccel_arg read[] = {{.buf = time, .size = sizeof(time)}};

	return is_effect ? vaccel_exec(sess, "/mbench", "mbench", read, 1, NULL, 0)
			 : vaccel_noop(sess);
}

static void *caller(void *is_effect)
{
	struct vaccel_session sess;
	int ret = vaccel_session_init(&sess, 0);

	if (ret) {
		printf("no session: %s\n", vaccel_error_text());
		atomic_fetch_add(&failures, 1);
		return NULL;
	}
	do {
		ret = call_once(&sess, is_effect != NULL);
		if (ret) {
			atomic_fetch_add(&failures, 1);
			printf("%s: %s: %s\n", is_effect ? "exec" : "noop", vaccel_error_name(ret),
			       vaccel_error_text());
		}
		if (atomic_fetch_add(&calls, 1) % 100 == 99)
			printf("calls\n");
	} while (!atomic_load(&over));
	vaccel_session_release(&sess);
	return NULL;
}

int main(int argc, char **argv)
{
	int number = argc == 2 ? atoi(argv[1]) : 0;
	pthread_t threads[CALLERS_MAX];
	char byte;

	if (number < 1 || number > CALLERS_MAX)
		return EXIT_FAILURE;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < number; i++)
		pthread_create(&threads[i], NULL, caller, i % 2 ? argv : NULL);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	atomic_store(&over, true);
	for (int i = 0; i < number; i++)
		pthread_join(threads[i], NULL);
	printf("%lu calls, %lu failed\n", atomic_load(&calls), atomic_load(&failures));
	return atomic_load(&failures) ? EXIT_FAILURE : EXIT_SUCCESS;
}
