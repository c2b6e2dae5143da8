// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a target without libFuzzer: with each file of a directory of seeds as it is,
 * then with seeds changed at random, until so many messages were taken. The same
 * number makes the same run. For tests, which any compiler builds.
 *
 * usage: NAME DIRECTORY MESSAGES [SEED]
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "messages.h"

#define SIZE_MOST 16384

struct seed_file {
	uint8_t *bytes;
	size_t size;
};

struct seeds {
	struct seed_file *at;
	size_t count;
};

static unsigned int state;

static size_t below(size_t bound)
{
	return bound ? (size_t)rand_r(&state) % bound : 0;
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	size_t at = below(size), count = 1 + below(16);

	switch (below(4)) {
	case 0: /* more */
		count = MIN_OF(count, max_size - size);
		memmove(data + at + count, data + at, size - at);
		for (size_t i = 0; i < count; i++)
			data[at + i] = (uint8_t)below(256);
		return size + count;
	case 1: /* less */
		count = MIN_OF(count, size - at);
		memmove(data + at, data + at + count, size - at - count);
		return size - count;
	case 2: /* one bit */
		if (size)
			data[at] ^= (uint8_t)(1u << below(8));
		return size;
	default: /* one byte */
		if (size)
			data[at] = (uint8_t)below(256);
		return size;
	}
}

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static struct seed_file read_seed(const char *directory, const char *name)
{
	struct seed_file seed = {malloc(SIZE_MOST), 0};
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	if (!file || !seed.bytes)
		fail(path);
	seed.size = fread(seed.bytes, 1, SIZE_MOST, file);
	fclose(file);
	return seed;
}

static struct seeds read_seeds(const char *directory)
{
	struct seeds seeds = {NULL, 0};
	struct dirent **names;
	/* In the order of their names, so that runs are alike. */
	int count = scandir(directory, &names, NULL, alphasort);

	if (count < 0)
		fail(directory);
	seeds.at = reallocarray(NULL, (size_t)count + 1, sizeof(*seeds.at));
	if (!seeds.at)
		fail("seeds");
	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.')
			seeds.at[seeds.count++] = read_seed(directory, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return seeds;
}

/* A seed, or two one behind the other, changed. */
static void run_changed(const struct seeds *seeds)
{
	const struct seed_file *one = &seeds->at[below(seeds->count)];
	const struct seed_file *other = &seeds->at[below(seeds->count)];
	static uint8_t input[2 * SIZE_MOST];
	size_t size = one->size;

	memcpy(input, one->bytes, size);
	if (!below(3)) {
		memcpy(input + size, other->bytes, other->size);
		size += other->size;
	}
	size = LLVMFuzzerCustomMutator(input, size, sizeof(input), (unsigned int)rand_r(&state));
	LLVMFuzzerTestOneInput(input, size);
}

int main(int argc, char **argv)
{
	struct seeds seeds;
	uint64_t most;

	if (argc < 3) {
		fprintf(stderr, "usage: %s DIRECTORY MESSAGES [SEED]\n", argv[0]);
		return EXIT_FAILURE;
	}
	seeds = read_seeds(argv[1]);
	most = strtoull(argv[2], NULL, 10);
	state = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10) : 1;
	for (size_t i = 0; i < seeds.count; i++)
		LLVMFuzzerTestOneInput(seeds.at[i].bytes, seeds.at[i].size);
	while (seeds.count && messages_taken < most)
		run_changed(&seeds);
	printf("%zu seeds\n", seeds.count);
	for (size_t i = 0; i < seeds.count; i++)
		free(seeds.at[i].bytes);
	free(seeds.at);
	return seeds.count ? EXIT_SUCCESS : EXIT_FAILURE;
}
