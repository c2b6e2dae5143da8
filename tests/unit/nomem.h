/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running out of memory on purpose. A test that is linked with nomem.c, and
 * with the linker told to wrap the functions named there, makes one allocation
 * fail; NOMEM_SWEEP makes each fail in turn until the expression succeeds:
 *
 *	NOMEM_SWEEP(vaccel_arg_new(&arg, buf, size, type, 0));
 */
#ifndef TESTS_UNIT_NOMEM_H
#define TESTS_UNIT_NOMEM_H

/* Lets @count allocations pass and fails the one after; -1 for no failure. */
void nomem_after(long count);

#define NOMEM_SWEEP(expression)                          \
	do {                                             \
		long passed_ = -1;                       \
		int sweep_ret_;                          \
                                                         \
		do {                                     \
			nomem_after(++passed_);          \
			sweep_ret_ = (expression);       \
			nomem_after(-1);                 \
		} while (sweep_ret_ == VACCEL_ENOMEM);   \
		assert_int_equal(sweep_ret_, VACCEL_OK); \
		assert_true(passed_ > 0);                \
	} while (0)

#endif
