// SPDX-License-Identifier: Apache-2.0
/*
 * A program with large arguments, in plain memory and in that of vaccel_alloc(), whose
 * results are looked at byte by byte; then many small calls. Says after each step what
 * it has done, and goes on when it reads a line.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#define SIZE   ((size_t)64 << 20)
#define ROUNDS 3
#define NOOPS  10000

static struct vaccel_session session;

static void must(const char *what, int ret)
{
	if (!ret)
		return;
	fprintf(stderr, "%s: %s\n", what, vaccel_error_text());
	exit(1);
}

static void fill(uint64_t *words, uint64_t seed)
{
	for (size_t i = 0; i < SIZE / sizeof(*words); i++)
		words[i] = (i + seed) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The backend makes a copy of what it reads. */
static void echo(uint64_t *in, uint64_t *out)
{
	struct vaccel_arg read = {.buf = in, .size = SIZE, .type = VACCEL_ARG_RAW};
	struct vaccel_arg write = {.buf = out, .size = SIZE, .type = VACCEL_ARG_RAW};

	for (uint64_t round = 0; round < ROUNDS; round++) {
		fill(in, round);
		memset(out, 0x55, SIZE);
		must("exec", vaccel_exec(&session, "/any.so", "any", &read, 1, &write, 1));
		if (write.size == SIZE && !memcmp(in, out, SIZE))
			continue;
		fprintf(stderr, "round %d: not what was sent\n", (int)round);
		exit(1);
	}
}

static void done(const char *step)
{
	puts(step);
	fflush(stdout);
	while (getchar() != '\n')
		if (feof(stdin))
			exit(1);
}

int main(void)
{
	uint64_t *plain_in = malloc(SIZE), *plain_out = malloc(SIZE);
	uint64_t *shared_in = vaccel_alloc(SIZE), *shared_out = vaccel_alloc(SIZE);

	if (!plain_in || !plain_out || !shared_in || !shared_out)
		return 1;
	must("session", vaccel_session_init(&session, 0));
	done("begun");
	echo(plain_in, plain_out);
	done("plain");
	echo(shared_in, shared_out);
	done("shared");
	for (int i = 0; i < NOOPS; i++)
		must("noop", vaccel_noop(&session));
	done("noops");
	must("release", vaccel_session_release(&session));
	free(plain_in);
	free(plain_out);
	vaccel_free(shared_in);
	vaccel_free(shared_out);
	return 0;
}
