// SPDX-License-Identifier: Apache-2.0
/* Memory for a product, while other threads see to theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int looks;

/* Once this thread has looked, another one has provided for many. */
#undef atomic_load
#define atomic_load(object) (looks++ ? 1000 : atomic_load_explicit(object, memory_order_seq_cst))

#include "../../plugins/blas/blas.c" // NOLINT(bugprone-suspicious-include)

static void test_others_provide_for_more(void **state)
{
	const struct shape shape = {1, 1, 1, 1, 1, 1};
	float a = 2, b = 3, c = 0;
	struct vaccel_blas_sgemm_args args = {
		.alpha = 1,
		.a = {&a, 1},
		.b = {&b, 1},
		.c = {&c, 1},
	};

	assert_int_equal(multiply(&shape, &args), VACCEL_OK);
	assert_true(looks > 0);
	assert_true(c == 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_others_provide_for_more)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
