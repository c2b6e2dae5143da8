// SPDX-License-Identifier: Apache-2.0
/* A worker's resources: what is offered, put, registered, changed, brought back and released. */
#include "bed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include <vaccel/error.h>
#include <vaccel/ops/image.h>
#include <vaccel/resource.h>

#include "agent/worker/resource/store.h"
#include "call/call.h"

#define BLOCK 4096 /* what the store counts in */
#define LARGE (3 * BLOCK)

static struct bed bed;
static struct program program;
static int64_t session;

/* A content and what is told of it. */
struct thing {
	const char *name;
	unsigned char *bytes;
	size_t size;
	bool in_memory;
	bool told; /* with all its bytes */
	unsigned char sha256[SHA256_SIZE];
};

static struct thing thing_of(const char *name, unsigned char *bytes, size_t size)
{
	struct thing thing = {.name = name, .bytes = bytes, .size = size};

	assert_int_equal(EVP_Digest(bytes, size, thing.sha256, NULL, EVP_sha256(), NULL), 1);
	return thing;
}

/* Status; the id, or 0 and how many are missing. */
static int offer(uint32_t type, struct thing *things, size_t nr, int64_t *ret_id,
		 size_t *ret_missing)
{
	struct vaccel_content contents[16];
	struct vaccel_resource_offer_args args = {
		.type = type,
		.path_type = VACCEL_PATH_LOCAL_FILE,
		.contents = {contents, nr},
		.resource = ret_id,
	};
	int ret;

	for (size_t i = 0; i < nr; i++) {
		const struct thing *thing = &things[i];

		contents[i] = (struct vaccel_content){
			.name = (char *)thing->name,
			.size = thing->size,
			.in_memory = thing->in_memory,
			.sha256 = {(uint8_t *)thing->sha256, SHA256_SIZE},
			.bytes = {thing->told ? thing->bytes : NULL, thing->told ? thing->size : 0},
		};
	}
	*ret_id = 0;
	ret = program_call(&program, 0, &vaccel_op_resource_offer, &args);
	*ret_missing = ret ? 0 : args.missing.count;
	if (!ret)
		args_drop_outputs(&vaccel_op_resource_offer, &args);
	return ret;
}

static int64_t must_offer(uint32_t type, struct thing *thing)
{
	size_t missing;
	int64_t id;

	assert_int_equal(offer(type, thing, 1, &id, &missing), VACCEL_OK);
	assert_int_equal(missing, 0);
	assert_true(id > 0);
	return id;
}

static int put(const struct thing *thing, uint64_t offset, size_t count)
{
	struct vaccel_content_put_args args = {
		.sha256 = {(uint8_t *)thing->sha256, SHA256_SIZE},
		.size = thing->size,
		.offset = offset,
		.bytes = {thing->bytes + offset, count},
	};

	return program_call(&program, 0, &vaccel_op_content_put, &args);
}

static int use(const struct vaccel_op *op, int64_t id)
{
	struct vaccel_resource_register_args args = {.resource = id, .session = session};

	return program_call(&program, 0, op, &args);
}

static int release(int64_t id)
{
	struct vaccel_resource_release_args args = {.resource = id};

	return program_call(&program, 0, &vaccel_op_resource_release, &args);
}

static int retype(int64_t id, uint32_t type)
{
	struct vaccel_resource_retype_args args = {.resource = id, .type = type};

	return program_call(&program, 0, &vaccel_op_resource_retype, &args);
}

static int sync_back(int64_t id, uint32_t content, unsigned char *bytes, size_t size)
{
	struct vaccel_resource_sync_args args = {
		.resource = id, .session = session, .content = content, .bytes = {bytes, size}};

	return program_call(&program, 0, &vaccel_op_resource_sync, &args);
}

/* The gate's operation that changes the session's data, and tells where its file is. */
static int change(char path[256])
{
	uint8_t picture[] = {1};
	struct vaccel_image_depth_args args = {.image = {picture, 1}, .imgname = {path, 256}};

	path[0] = '\0';
	return program_call(&program, session, &vaccel_op_image_depth, &args);
}

static unsigned int files_in(const char *folder)
{
	char path[128];
	struct dirent *entry;
	unsigned int nr = 0;
	DIR *stream;

	snprintf(path, sizeof(path), "%s/%s", bed.directory, folder);
	stream = opendir(path);
	while (stream && (entry = readdir(stream)))
		nr += entry->d_name[0] != '.';
	if (stream)
		closedir(stream);
	return nr;
}

static void connect_program(void)
{
	bed_start(&bed);
	program_connect(&program, &bed, NULL);
	session = program_session(&program);
}

static int setup(void **state)
{
	bed_init(&bed);
	connect_program();
	return 0;
}

static int setup_small(void **state)
{
	bed_init(&bed);
	bed.setup.policy.content = 8 * BLOCK;
	bed.setup.models.memory = LARGE;
	connect_program();
	return 0;
}

static int teardown(void **state)
{
	program_close(&program);
	while (bed.worker.stats->connections)
		usleep(1000);
	assert_int_equal(files_in("resources"), 0);
	bed_stop(&bed);
	return 0;
}

static void test_large_content_is_put_once(void **state)
{
	unsigned char bytes[LARGE];
	struct thing thing;
	int64_t id, again;
	size_t missing;

	memset(bytes, 7, sizeof(bytes));
	thing = thing_of("sub/large", bytes, sizeof(bytes));
	assert_int_equal(offer(VACCEL_RESOURCE_MODEL, &thing, 1, &id, &missing), VACCEL_OK);
	assert_int_equal(id, 0);
	assert_int_equal(missing, 1);
	assert_int_equal(put(&thing, 0, BLOCK), VACCEL_OK);
	assert_int_equal(put(&thing, BLOCK, LARGE - BLOCK), VACCEL_OK);
	id = must_offer(VACCEL_RESOURCE_MODEL, &thing);
	again = must_offer(VACCEL_RESOURCE_MODEL, &thing);
	assert_int_not_equal(id, again);
	assert_int_equal(files_in("resources"), 2);
	assert_int_equal(release(id), VACCEL_OK);
	assert_int_equal(files_in("resources"), 1);
	assert_int_equal(release(id), VACCEL_EPERM);
	assert_int_equal(release(again), VACCEL_OK);
	/* It is known still. */
	assert_int_equal(release(must_offer(VACCEL_RESOURCE_MODEL, &thing)), VACCEL_OK);
}

static void test_what_was_put_wrongly(void **state)
{
	unsigned char bytes[LARGE] = {1};
	struct thing thing = thing_of("x", bytes, sizeof(bytes));
	unsigned int before = files_in("content");
	size_t missing;
	int64_t id;

	assert_int_equal(put(&thing, BLOCK, 1), VACCEL_EINVAL);
	assert_int_equal(put(&thing, 0, BLOCK), VACCEL_OK);
	assert_int_equal(put(&thing, 2 * BLOCK, 1), VACCEL_EINVAL);
	/* That has ended it; from 0 it begins anew, also halfway. */
	assert_int_equal(put(&thing, BLOCK, BLOCK), VACCEL_EINVAL);
	assert_int_equal(put(&thing, 0, BLOCK), VACCEL_OK);
	assert_int_equal(put(&thing, 0, BLOCK), VACCEL_OK);
	bytes[LARGE - 1]++;
	assert_int_equal(put(&thing, BLOCK, LARGE - BLOCK), VACCEL_EINVAL);
	assert_non_null(strstr(program.words, "do not have the SHA-256"));
	assert_int_equal(files_in("content"), before);
	assert_int_equal(offer(VACCEL_RESOURCE_MODEL, &thing, 1, &id, &missing), VACCEL_OK);
	assert_int_equal(missing, 1);
	/* Nor is anybody believed who sends all at once. */
	thing.told = true;
	assert_int_equal(offer(VACCEL_RESOURCE_MODEL, &thing, 1, &id, &missing), VACCEL_EINVAL);
}

/* With one more than a client may have begun it gives the oldest up. */
static void test_too_many_uploads(void **state)
{
	unsigned char bytes[9][LARGE];
	struct thing things[9];

	for (unsigned int i = 0; i < 9; i++) {
		memset(bytes[i], (int)i + 1, LARGE);
		things[i] = thing_of("x", bytes[i], LARGE);
		assert_int_equal(put(&things[i], 0, 1), VACCEL_OK);
	}
	assert_int_equal(put(&things[0], 1, 1), VACCEL_EINVAL);
	assert_int_equal(put(&things[1], 1, LARGE - 1), VACCEL_OK);
	assert_int_equal(put(&things[8], 1, LARGE - 1), VACCEL_OK);
}

static void test_no_room_for_content(void **state)
{
	static unsigned char bytes[4][LARGE];
	static unsigned char much[16 * BLOCK];
	struct thing things[4], too_much = thing_of("x", much, sizeof(much));
	size_t missing;
	int64_t id;

	for (unsigned int i = 0; i < 4; i++) {
		memset(bytes[i], (int)i + 1, LARGE);
		things[i] = thing_of("x", bytes[i], LARGE);
	}
	assert_int_equal(put(&too_much, 0, BLOCK), VACCEL_EDQUOT);
	assert_non_null(strstr(program.words, "policy 'default' permits 32768"));
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 1);
	/* What nobody uses makes room. */
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(put(&things[i], 0, LARGE), VACCEL_OK);
	assert_int_equal(offer(VACCEL_RESOURCE_LIB, &things[0], 1, &id, &missing), VACCEL_OK);
	assert_int_equal(missing, 1);
	/* What somebody uses does not, and its own copy needs room, too. */
	must_offer(VACCEL_RESOURCE_LIB, &things[3]);
	assert_int_equal(offer(VACCEL_RESOURCE_DATA, &things[3], 1, &id, &missing), VACCEL_OK);
	assert_int_equal(offer(VACCEL_RESOURCE_DATA, &things[3], 1, &id, &missing), VACCEL_EDQUOT);
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 2);
}

/* What is memory may have to be a file, and files beside it are copied. */
static void test_no_room_for_memory(void **state)
{
	static unsigned char bytes[8 * BLOCK], some[] = "some";
	struct thing large = thing_of("x", bytes, sizeof(bytes));
	struct thing half = thing_of("x", bytes, 4 * BLOCK);
	struct thing mixed[2] = {thing_of("m", some, sizeof(some)), thing_of("f", bytes, LARGE)};
	size_t missing;
	int64_t id;

	large.in_memory = large.told = half.in_memory = true;
	assert_int_equal(offer(VACCEL_RESOURCE_DATA, &large, 1, &id, &missing), VACCEL_EDQUOT);
	assert_non_null(strstr(program.words, "policy 'default' permits 32768"));
	/* What was stored of it makes room. */
	assert_int_equal(put(&half, 0, half.size), VACCEL_OK);
	id = must_offer(VACCEL_RESOURCE_DATA, &half);
	assert_int_equal(release(id), VACCEL_OK);

	mixed[0].in_memory = mixed[0].told = mixed[1].told = true;
	assert_int_equal(offer(VACCEL_RESOURCE_DATA, mixed, 2, &id, &missing), VACCEL_EDQUOT);
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 2);
	/* Of a stored one there is the copy alone. */
	mixed[1].told = false;
	assert_int_equal(put(&mixed[1], 0, LARGE), VACCEL_OK);
	assert_int_equal(offer(VACCEL_RESOURCE_DATA, mixed, 2, &id, &missing), VACCEL_EDQUOT);
	mixed[1] = thing_of("f", bytes, BLOCK);
	assert_int_equal(put(&mixed[1], 0, BLOCK), VACCEL_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(offer(VACCEL_RESOURCE_DATA, mixed, 2, &id, &missing), VACCEL_OK);
		assert_int_equal(release(id), VACCEL_OK);
	}
}

/* A file that the agent has itself, with these bytes; its path. */
static const char *own_file(const char *name, const unsigned char *bytes, size_t size)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", bed.directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return path;
}

/* What is used of the agent's own files is copied once, however many use it, and counts. */
static void test_own_files_count_once(void **state)
{
	static unsigned char bytes[3][LARGE], much[16 * BLOCK];
	struct thing thing, changed, too_much = thing_of("x", much, sizeof(much));
	struct thing others[2];
	size_t missing;
	int64_t id;

	memset(bytes, 'x', LARGE);
	thing = thing_of("x", bytes[0], LARGE);
	assert_int_equal(store_know(bed.worker.store, own_file("own", bytes[0], LARGE)), 0);
	for (int i = 0; i < 3; i++)
		must_offer(VACCEL_RESOURCE_MODEL, &thing);
	assert_int_equal(files_in("content"), 1);
	/* With three folders of resources two of 8 blocks are left. */
	for (unsigned int i = 0; i < 2; i++) {
		memset(bytes[i + 1], (int)i + 1, LARGE);
		others[i] = thing_of("x", bytes[i + 1], LARGE);
	}
	assert_int_equal(put(&others[0], 0, LARGE), VACCEL_EDQUOT);
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 1);

	assert_int_equal(store_know(bed.worker.store, own_file("much", much, sizeof(much))), 0);
	assert_int_equal(offer(VACCEL_RESOURCE_MODEL, &too_much, 1, &id, &missing), VACCEL_EDQUOT);
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 2);

	/* Under the hash of a content there is that content, or none. */
	changed = thing_of("x", much, BLOCK);
	assert_int_equal(store_know(bed.worker.store, own_file("changed", much, BLOCK)), 0);
	own_file("changed", bytes[0], BLOCK);
	assert_int_equal(offer(VACCEL_RESOURCE_MODEL, &changed, 1, &id, &missing), VACCEL_EIO);
	assert_non_null(strstr(program.words, "was changed since it was loaded"));
}

struct reader {
	pthread_t thread;
	const struct thing *thing;
	unsigned char bytes[5 * BLOCK];
	int ret;
};

static void *read_held(void *context)
{
	struct reader *reader = context;
	struct digest digest = {.size = reader->thing->size};

	memcpy(digest.sha256, reader->thing->sha256, SHA256_SIZE);
	assert_true(store_hold(bed.worker.store, &digest));
	reader->ret = store_read(bed.worker.store, &digest, reader->bytes);
	store_drop(bed.worker.store, &digest);
	return NULL;
}

/* There is room for one copy, and the second gets no other before the first is done. */
static void test_two_want_one_of_the_own_files(void **state)
{
	static unsigned char bytes[5 * BLOCK] = {1, 2, 3};
	const char *path = own_file("own", bytes, sizeof(bytes));
	struct thing thing = thing_of("x", bytes, sizeof(bytes));
	struct reader readers[2] = {{.thing = &thing}, {.thing = &thing}};
	struct timespec soon;
	int fd;

	assert_int_equal(store_know(bed.worker.store, path), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pthread_create(&readers[0].thread, NULL, read_held, &readers[0]), 0);
	/* Returns when the first has opened it. */
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pthread_create(&readers[1].thread, NULL, read_held, &readers[1]), 0);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec++;
	assert_int_equal(pthread_timedjoin_np(readers[1].thread, NULL, &soon), ETIMEDOUT);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	for (int i = 0; i < 2; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].ret, VACCEL_OK);
		assert_memory_equal(readers[i].bytes, bytes, sizeof(bytes));
	}
	assert_int_equal(files_in("content"), 1);
}

/* From then on it is a content like any other: those that nobody uses make room still. */
static void test_an_own_file_that_is_put(void **state)
{
	static unsigned char bytes[3][LARGE];
	struct thing things[3];

	for (unsigned int i = 0; i < 3; i++) {
		memset(bytes[i], (int)i + 1, LARGE);
		things[i] = thing_of("x", bytes[i], LARGE);
	}
	assert_int_equal(put(&things[0], 0, LARGE), VACCEL_OK);
	assert_int_equal(store_know(bed.worker.store, own_file("own", bytes[1], LARGE)), 0);
	assert_int_equal(put(&things[1], 0, LARGE), VACCEL_OK);
	must_offer(VACCEL_RESOURCE_MODEL, &things[1]);
	assert_int_equal(put(&things[2], 0, LARGE), VACCEL_OK);
}

static void test_no_room_for_models(void **state)
{
	unsigned char bytes[2][2 * BLOCK];
	struct thing things[2];
	char path[256];
	int64_t ids[2];

	for (unsigned int i = 0; i < 2; i++) {
		memset(bytes[i], (int)i + 1, sizeof(bytes[i]));
		things[i] = thing_of("x", bytes[i], sizeof(bytes[i]));
		things[i].told = true;
		ids[i] = must_offer(VACCEL_RESOURCE_MODEL, &things[i]);
	}
	assert_int_equal(use(&vaccel_op_resource_register, ids[0]), VACCEL_OK);
	assert_int_equal(use(&vaccel_op_resource_register, ids[1]), VACCEL_EDQUOT);
	assert_non_null(strstr(program.words, "permits 12288 of models"));
	/* Nor does it become one by being used as something else before. */
	assert_int_equal(retype(ids[1], VACCEL_RESOURCE_DATA), VACCEL_OK);
	assert_int_equal(use(&vaccel_op_resource_register, ids[1]), VACCEL_OK);
	assert_int_equal(retype(ids[1], VACCEL_RESOURCE_MODEL), VACCEL_EDQUOT);
	assert_int_equal(change(path), VACCEL_OK);
	assert_int_equal(release(ids[0]), VACCEL_OK);
	assert_int_equal(retype(ids[1], VACCEL_RESOURCE_MODEL), VACCEL_OK);
}

static void test_data_is_changed_and_synced(void **state)
{
	unsigned char text[] = "data", back[sizeof(text)];
	struct thing thing = thing_of("data", text, sizeof(text));
	char path[256];
	int64_t id;

	thing.told = thing.in_memory = true;
	id = must_offer(VACCEL_RESOURCE_DATA, &thing);
	assert_int_equal(sync_back(id, 0, back, sizeof(back)), VACCEL_EPERM);
	assert_int_equal(change(path), VACCEL_ENOENT);
	assert_int_equal(use(&vaccel_op_resource_register, id), VACCEL_OK);
	assert_int_equal(change(path), VACCEL_OK);
	assert_int_equal(sync_back(id, 0, back, sizeof(back)), VACCEL_OK);
	assert_string_equal(back, "Xata");
	assert_int_equal(sync_back(id, 1, back, sizeof(back)), VACCEL_EINVAL);
	assert_int_equal(sync_back(id, 0, back, 1), VACCEL_EINVAL);
	assert_int_equal(use(&vaccel_op_resource_unregister, id), VACCEL_OK);
	assert_int_equal(use(&vaccel_op_resource_unregister, id), VACCEL_EINVAL);
	assert_int_equal(sync_back(id, 0, back, sizeof(back)), VACCEL_EPERM);
}

static void test_retype(void **state)
{
	unsigned char text[] = "data";
	struct thing thing = thing_of("data", text, sizeof(text));
	char path[256];
	int64_t id;

	thing.told = thing.in_memory = true;
	id = must_offer(VACCEL_RESOURCE_MODEL, &thing);
	assert_int_equal(use(&vaccel_op_resource_register, id), VACCEL_OK);
	assert_int_equal(change(path), VACCEL_ENOENT);
	assert_int_equal(retype(id, VACCEL_RESOURCE_MAX), VACCEL_EINVAL);
	assert_int_equal(retype(id + 1, VACCEL_RESOURCE_DATA), VACCEL_EPERM);
	assert_int_equal(retype(id, VACCEL_RESOURCE_DATA), VACCEL_OK);
	assert_int_equal(change(path), VACCEL_OK);
}

/* Files of one name, which paths into different directories may have. */
static void test_files_of_one_name(void **state)
{
	unsigned char one[] = "one", two[] = "two";
	struct thing things[2] = {thing_of("x", one, sizeof(one)), thing_of("x", two, sizeof(two))};
	size_t missing;
	int64_t id;

	things[0].told = things[1].told = true;
	assert_int_equal(offer(VACCEL_RESOURCE_MODEL, things, 2, &id, &missing), VACCEL_OK);
	assert_true(id > 0);
	/* A name that is a file's cannot be a folder's as well. */
	things[1].name = "x/y";
	assert_int_not_equal(offer(VACCEL_RESOURCE_MODEL, things, 2, &id, &missing), VACCEL_OK);
	assert_int_equal(files_in("resources"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_large_content_is_put_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_was_put_wrongly, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_uploads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room_for_content, setup_small, teardown),
		cmocka_unit_test_setup_teardown(test_no_room_for_memory, setup_small, teardown),
		cmocka_unit_test_setup_teardown(test_own_files_count_once, setup_small, teardown),
		cmocka_unit_test_setup_teardown(test_two_want_one_of_the_own_files, setup_small,
						teardown),
		cmocka_unit_test_setup_teardown(test_an_own_file_that_is_put, setup_small,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_room_for_models, setup_small, teardown),
		cmocka_unit_test_setup_teardown(test_data_is_changed_and_synced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_retype, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_of_one_name, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
