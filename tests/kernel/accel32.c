// SPDX-License-Identifier: Apache-2.0
/*
 * The driver's calls from a program of 32 bits in a guest of 64. It is made without a C library, so
 * that none for 32 bits has to be installed; its status says which step has failed.
 */
#include <stddef.h>

#include "linux/vaccel.h"

#define NR_EXIT	 1
#define NR_OPEN	 5
#define NR_IOCTL 54

#define BYTES  5000
#define PERIOD 251

static unsigned char in[BYTES], out[BYTES];

static long call(long number, long first, long second, long third)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(number), "b"(first), "c"(second), "d"(third)
			 : "memory");
	return ret;
}

static int step(void)
{
	struct accel_buffer from[] = {{(unsigned long)in, 1000},
				      {(unsigned long)in + 1000, BYTES - 1000}};
	struct accel_buffer to = {(unsigned long)out, BYTES};
	struct accel_call request = {
		.in = (unsigned long)from,
		.out = (unsigned long)&to,
		.nr_in = 2,
		.nr_out = 1,
		.patience_ns = 60000000000,
	};
	struct accel_info info = {};
	long fd = call(NR_OPEN, (long)"/dev/accel0", 2 /* O_RDWR */, 0);

	if (fd < 0)
		return 1;
	if (call(NR_IOCTL, fd, ACCEL_INFO, (long)&info) || info.version != 1 || !info.readable_max)
		return 2;
	for (size_t i = 0; i < BYTES; i++)
		in[i] = i % PERIOD;
	if (call(NR_IOCTL, fd, ACCEL_CALL, (long)&request) || request.code || request.used != BYTES)
		return 3;
	for (size_t i = 0; i < BYTES; i++)
		if (out[i] != i % PERIOD)
			return 4;
	from[1].size = 1ull << 32;
	if (call(NR_IOCTL, fd, ACCEL_CALL, (long)&request) != -7 /* E2BIG */)
		return 5;
	from[1].size = 8;
	from[1].address = 1ull << 40;
	if (call(NR_IOCTL, fd, ACCEL_CALL, (long)&request) != -14 /* EFAULT */)
		return 6;
	return 0;
}

void _start(void);

__attribute__((force_align_arg_pointer)) void _start(void)
{
	call(NR_EXIT, step(), 0, 0);
	__builtin_unreachable();
}
