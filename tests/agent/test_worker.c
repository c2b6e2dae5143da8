// SPDX-License-Identifier: Apache-2.0
/* A worker's connections: who may say what, and what is answered. */
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/ops/minmax.h>
#include <vaccel/ops/noop.h>

#include "bed.h"

static struct bed bed;

static int setup(void **state)
{
	bed_init(&bed);
	bed_start(&bed);
	return 0;
}

static int teardown(void **state)
{
	bed_stop(&bed);
	return 0;
}

static void test_calls(void **state)
{
	struct program program;
	int64_t session;

	program_connect(&program, &bed, NULL);
	session = program_session(&program);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(program_noop(&program, session), VACCEL_OK);
	assert_int_equal(bed.worker.stats->calls[VACCEL_OP_NOOP][0], 1000);
	program_close(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
