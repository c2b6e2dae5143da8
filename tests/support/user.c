// SPDX-License-Identifier: Apache-2.0
/* A library that needs another. */
#include <string.h>

#include <vaccel/arg.h>

int base_answer(void);
int user_answer(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write);

int user_answer(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	int answer = base_answer();

	memcpy(write[0].buf, &answer, sizeof(answer));
	return 0;
}
