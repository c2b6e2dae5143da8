// SPDX-License-Identifier: Apache-2.0
/*
 * A program with a session, a resource and one call that takes its time, and with a
 * megabyte of arguments: something to be interrupted. Says what came of it. With FILE it calls once
 * more when that is there.
 *
 * usage: patient LIBRARY MILLISECONDS [FILE]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel.h>

#include "../e2e/deeds.h"

#define BYTES (1 << 20)

static unsigned char in[BYTES], out[BYTES];

static int call(struct vaccel_session *session, struct vaccel_resource *library, uint64_t us)
{
	struct mark mark = {.id = 1, .us = us};
	struct vaccel_arg read[] = {
		{.buf = &mark, .size = sizeof(mark), .type = VACCEL_ARG_RAW},
		{.buf = in, .size = BYTES, .type = VACCEL_ARG_RAW},
	};
	struct vaccel_arg write = {.buf = out, .size = BYTES, .type = VACCEL_ARG_RAW};

	return vaccel_exec_with_resource(session, library, "deed_mark", read, 2, &write, 1);
}

int main(int argc, char **argv)
{
	struct vaccel_session session;
	struct vaccel_resource library;
	int ret;

	if (argc != 3 && argc != 4)
		return 2;
	memset(in, 0x5a, BYTES);
	ret = vaccel_session_init(&session, 0);
	if (!ret)
		ret = vaccel_resource_init(&library, argv[1], VACCEL_RESOURCE_LIB);
	if (!ret)
		ret = vaccel_resource_register(&library, &session);
	if (!ret)
		ret = call(&session, &library, strtoull(argv[2], NULL, 10) * 1000);
	for (; !ret && argc == 4 && access(argv[3], F_OK); usleep(10000))
		;
	if (!ret && argc == 4)
		ret = call(&session, &library, strtoull(argv[2], NULL, 10) * 1000);
	if (ret) {
		fprintf(stderr, "%s: %s\n", vaccel_error_name(ret), vaccel_error_text());
		return 1;
	}
	for (size_t i = 0; i < BYTES; i++) {
		if (out[i] != (unsigned char)~in[i]) {
			fprintf(stderr, "byte %zu is wrong\n", i);
			return 1;
		}
	}
	printf("done\n");
	vaccel_session_release(&session);
	vaccel_resource_release(&library);
	return 0;
}
