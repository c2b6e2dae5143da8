// SPDX-License-Identifier: Apache-2.0
/*
 * What a call costs beside the work: operations of the noop plugin against an
 * empty function called through a pointer, a session against a block of memory.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#include "bench/measure.h"

#define TEXT_ROOM 512

/* About what a session's own memory is. */
#define SESSION_BYTES 512

static const unsigned char picture[1024];

static int nothing(void *argument)
{
	return argument == picture;
}

/* The compiler must not see what is called. */
static int (*volatile empty)(void *argument) = nothing;

static int call_empty(void *context, size_t times)
{
	int sum = 0;

	for (size_t i = 0; i < times; i++)
		sum += empty(context);
	return sum;
}

static int call_noop(void *context, size_t times)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_noop(context);
	return ret;
}

/* Each thread opens a session of its own at its first sample, and keeps it. */
static int call_noop_on_own(void *context, size_t times)
{
	static _Thread_local struct vaccel_session own;
	int ret = own.id ? VACCEL_OK : vaccel_session_init(&own, 0);

	(void)context;
	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_noop(&own);
	return ret;
}

static int call_image_classify(void *context, size_t times)
{
	unsigned char text[TEXT_ROOM], name[TEXT_ROOM];
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_image_classification(context, picture, text, name, sizeof(picture),
						  sizeof(text), sizeof(name));
	return ret;
}

static int open_and_close(void *context, size_t times)
{
	struct vaccel_session sess;
	int ret = VACCEL_OK;

	(void)context;
	for (size_t i = 0; !ret && i < times; i++) {
		ret = vaccel_session_init(&sess, 0);
		if (!ret)
			ret = vaccel_session_release(&sess);
	}
	return ret;
}

static int allocate_and_free(void *context, size_t times)
{
	(void)context;
	for (size_t i = 0; i < times; i++) {
		void *volatile block = calloc(1, SESSION_BYTES);

		if (!block)
			return vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
		free(block);
	}
	return VACCEL_OK;
}

static int measure_all(struct vaccel_session *sess, bench_show *show, void *context)
{
	const struct bench_row rows[] = {
		{"noop", "ns", 1, 10000, 1.5, call_noop, call_empty, sess},
		{"noop, 2 threads on a session", "ns", 2, 10000, 1.5, call_noop, call_empty, sess},
		{"noop, 16 threads on a session", "ns", 16, 10000, 1.5, call_noop, call_empty,
		 sess},
		{"noop, 16 threads on 16 sessions", "ns", 16, 10000, 1.5, call_noop_on_own,
		 call_empty, sess},
		{"image_classify", "ns", 1, 5000, 1.5, call_image_classify, call_empty, sess},
		{"session", "ns", 1, 1000, 1.5, open_and_close, allocate_and_free, NULL},
	};
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench_result result;

		ret = bench_measure(&rows[i], &result);
		if (!ret)
			ret = show(context, &rows[i], &result);
	}
	return ret;
}

int bench_call(bench_show *show, void *context)
{
	struct vaccel_config config = {.plugins = (char *)"noop", .log_level = VACCEL_LOG_ERROR};
	struct vaccel_session sess;
	int ret = vaccel_bootstrap_with_config(&config);

	if (!ret)
		ret = vaccel_session_init(&sess, 0);
	if (ret)
		return ret;
	ret = measure_all(&sess, show, context);
	/* Closes the sessions that threads left, too. */
	vaccel_session_release(&sess);
	vaccel_cleanup();
	return ret;
}
