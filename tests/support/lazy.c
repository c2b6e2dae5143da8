// SPDX-License-Identifier: Apache-2.0
/* A library with a function that nobody has. */
#include <vaccel/arg.h>

int nobody_has_this(void);
int lazy_fine(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write);
int lazy_broken(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write);

int lazy_fine(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	return 0;
}

int lazy_broken(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	return nobody_has_this();
}
