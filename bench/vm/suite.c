// SPDX-License-Identifier: Apache-2.0
/*
 * Calls out of a virtual machine, to be run in it: over virtio and over a drive, as far as it
 * has them, beside the least that these can take, and beside vsock. Emulated machines
 * are slow and their clocks go on when the host does something else, so that only ratios tell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/vm/vm.h"

#define MIB		((size_t)1 << 20)
#define BULK_MIB	64
#define BRIEF_BULK_MIB	4
#define VSOCK		"vsock://2:2048"
#define NAME_ROOM	64
#define PATH_ROOM	4096
#define DRIVE_ALIGNMENT 4096

/* So many calls for each message to the other process. */
#define TWIN_BATCH 20

/* Work */

static int noop(void *context, size_t times)
{
	struct vm *vm = context;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_noop(&vm->sess);
	return ret;
}

static int send_bulk(void *context, size_t times)
{
	struct vm *vm = context;
	struct vaccel_arg read = {
		.buf = vm->bulk, .size = (uint32_t)vm->bulk_size, .type = VACCEL_ARG_RAW};
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_exec(&vm->sess, "/bench", "take", &read, 1, NULL, 0);
	return ret;
}

static int copy_bulk(void *context, size_t times)
{
	struct vm *vm = context;

	for (size_t i = 0; i < times; i++) {
		memcpy(vm->copies, vm->bulk, vm->bulk_size);
		/* The compiler must not leave one out. */
		__asm__ volatile("" : : "r"(vm->copies) : "memory");
	}
	return VACCEL_OK;
}

static int noop_of_twin(void *context, size_t times)
{
	return twin_do(&((struct vm *)context)->twin, noop, times);
}

static int send_of_twin(void *context, size_t times)
{
	return twin_do(&((struct vm *)context)->twin, send_bulk, times);
}

/* Sessions */

static int open_session(struct vm *vm, const char *address)
{
	struct vaccel_config config = {.plugins = (char *)"remote", .log_level = VACCEL_LOG_ERROR};
	int ret;

	setenv("VACCEL_RPC_ADDRESS", address, 1);
	ret = vaccel_bootstrap_with_config(&config);
	if (!ret)
		ret = vaccel_session_init(&vm->sess, VACCEL_PLUGIN_REMOTE);
	return ret ? ret : noop(vm, 1);
}

static void close_session(struct vm *vm)
{
	if (vm->sess.id)
		vaccel_session_release(&vm->sess);
	memset(&vm->sess, 0, sizeof(vm->sess));
	vaccel_cleanup();
}

/* In the other process */
static int open_vsock(void *context, size_t times)
{
	(void)times;
	return open_session(context, VSOCK);
}

/* Rows */

static int tell(struct vm *vm, const struct bench_row *row, const char *name,
		const struct bench_result *result)
{
	struct bench_row named = *row;
	char text[NAME_ROOM];

	snprintf(text, sizeof(text), "%.40s, %.20s", name, vm->carrier);
	named.name = text;
	return vm->show(vm->context, &named, result);
}

static int skip(struct vm *vm, const char *name, const char *why)
{
	const struct bench_row row = {.unit = ""};
	const struct bench_result result = {.skipped = why};

	return tell(vm, &row, name, &result);
}

/* A row whose work cannot be done here, as where the agent does not permit it, is left out. */
static int measure(struct vm *vm, const struct bench_row *row, struct bench_result *ret_result)
{
	struct bench_row timed = *row;
	int ret = row->run(row->context, 1);

	if (!ret)
		ret = row->floor(row->context, 1);
	if (ret)
		return skip(vm, row->name, vaccel_error_text());
	if (vm->models->brief)
		timed.seconds = 0;
	ret = bench_measure(&timed, ret_result);
	return ret ? ret : tell(vm, row, row->name, ret_result);
}

static int measure_beside_vsock(struct vm *vm, const struct bench_row *row)
{
	struct bench_result result;

	return *vm->no_twin ? skip(vm, row->name, vm->no_twin) : measure(vm, row, &result);
}

static int measure_noop(struct vm *vm, const struct bare *bare)
{
	const struct bench_row least = {
		.name = "noop",
		.unit = "us",
		.threads = 1,
		.batch = 1,
		.seconds = 4,
		.run = noop,
		.floor = bare->run,
		.context = vm,
		.run_length = 20,
		.goal = 1.5,
	};
	struct bench_row rate = {
		.name = "noop beside vsock",
		.unit = "calls/s",
		.threads = 1,
		.batch = TWIN_BATCH,
		.seconds = 4,
		.run = noop,
		.floor = noop_of_twin,
		.context = vm,
		.amount = 1,
		.goal = 3,
	};
	struct bench_result result;
	int ret = measure(vm, &least, &result);

	if (!ret)
		ret = measure_beside_vsock(vm, &rate);
	/* What the same could be at best. */
	rate.name = "the least beside vsock";
	rate.run = bare->run;
	rate.goal = 0;
	return ret ? ret : measure_beside_vsock(vm, &rate);
}

static int measure_bulk(struct vm *vm, bool beside_vsock, bench_work *bare, double goal)
{
	char name[NAME_ROOM];
	struct bench_row row = {
		.name = name,
		.unit = "GB/s",
		.threads = 1,
		.batch = 1,
		.seconds = beside_vsock ? 0 : 5, /* of vsock one takes long enough */
		.run = send_bulk,
		.floor = beside_vsock ? send_of_twin : copy_bulk,
		.context = vm,
		.amount = (double)vm->bulk_size,
		.goal = goal,
	};
	struct bench_result result;
	int ret;

	snprintf(name, sizeof(name), "%zu MiB in%s", vm->bulk_size / MIB,
		 beside_vsock ? " beside vsock" : " beside memcpy");
	if (!beside_vsock)
		return measure(vm, &row, &result);
	ret = measure_beside_vsock(vm, &row);
	if (ret || !bare)
		return ret;
	/* What the same could be at best. */
	snprintf(name, sizeof(name), "%zu MiB at best beside vsock", vm->bulk_size / MIB);
	row.run = bare;
	row.goal = 0;
	return measure_beside_vsock(vm, &row);
}

/* Classifying */

struct pair {
	struct vaccel_session *sess;  /* classifies */
	struct vaccel_session nobody; /* the same call, to a backend that does nothing */
	const uint8_t *picture;
	size_t size;
	unsigned char text[512];
};

static int classify(struct vaccel_session *sess, struct pair *pair, size_t times)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_image_classification(sess, pair->picture, pair->text, NULL, pair->size,
						  sizeof(pair->text), 0);
	return ret;
}

static int classify_really(void *context, size_t times)
{
	struct pair *pair = context;

	return classify(pair->sess, pair, times);
}

static int classify_for_nothing(void *context, size_t times)
{
	struct pair *pair = context;

	return classify(&pair->nobody, pair, times);
}

static bool are_different(struct pair *pair)
{
	unsigned char text[sizeof(pair->text)];

	if (classify_really(pair, 1))
		return true; /* measuring says why */
	memcpy(text, pair->text, sizeof(text));
	return classify_for_nothing(pair, 1) || memcmp(text, pair->text, sizeof(text)) != 0;
}

/* What a call takes beside its backend is what the same takes where the backend does nothing. */
static int measure_pair(struct vm *vm, struct pair *pair)
{
	const struct bench_row row = {
		.name = "classify",
		.unit = "ms",
		.threads = 1,
		.batch = 1,
		.seconds = 4,
		.run = classify_really,
		.floor = classify_for_nothing,
		.context = pair,
		.run_length = 5,
	};
	const struct bench_row rest = {.unit = "ms", .value_goal = 3};
	struct bench_result result = {.limit = 0};
	int ret;

	if (!are_different(pair))
		return skip(vm, row.name, "the agent has no plugin that classifies");
	ret = measure(vm, &row, &result);
	if (ret || result.limit == 0)
		return ret;
	return tell(vm, &rest, "classify without the backend",
		    &(struct bench_result){.value = result.limit});
}

static int measure_classify(struct vm *vm)
{
	struct pair pair = {.sess = &vm->sess};
	const char *path = vm->models->picture;
	struct vaccel_blob *blob;
	char ours[PATH_ROOM];
	int ret;

	snprintf(ours, sizeof(ours), "%s/images/seven.png", vaccel_datadir());
	ret = vaccel_blob_new(&blob, path ? path : ours);
	if (ret)
		return ret;
	ret = vaccel_blob_read(blob);
	if (!ret)
		pair.picture = vaccel_blob_data(blob, &pair.size);
	if (!ret)
		ret = vaccel_session_init(&pair.nobody, VACCEL_PLUGIN_REMOTE | VACCEL_PLUGIN_DEBUG);
	if (!ret) {
		ret = measure_pair(vm, &pair);
		vaccel_session_release(&pair.nobody);
	}
	vaccel_blob_delete(blob);
	return ret;
}

/* The suite */

static int measure_all(struct vm *vm, const struct bare *bare, const char *path)
{
	char address[VM_PATH + 16];
	int ret;

	snprintf(address, sizeof(address), "%s://%s", bare->name, path);
	ret = open_session(vm, address);
	if (!ret)
		ret = measure_noop(vm, bare);
	if (!ret && bare == &bare_virtio)
		ret = measure_bulk(vm, false, NULL, 0.8);
	if (!ret)
		ret = measure_bulk(vm, true, bare->bulk, bare == &bare_blk ? 10 : 0);
	if (!ret)
		ret = measure_classify(vm);
	close_session(vm);
	return ret;
}

static int measure_carrier(struct vm *vm, const struct bare *bare)
{
	char path[VM_PATH];
	const char *why;
	int ret;

	vm->carrier = bare->name;
	vm->fd = bare->open(path, &why);
	if (vm->fd < 0)
		return skip(vm, "all", why);
	ret = measure_all(vm, bare, path);
	close(vm->fd);
	return ret;
}

static int begin(struct vm *vm)
{
	vm->bulk_size = (vm->models->brief ? BRIEF_BULK_MIB : BULK_MIB) * MIB;
	vm->bulk = malloc(vm->bulk_size);
	vm->copies = aligned_alloc(DRIVE_ALIGNMENT, vm->bulk_size);
	vm->block = aligned_alloc(DRIVE_ALIGNMENT, DRIVE_ALIGNMENT);
	if (!vm->bulk || !vm->copies || !vm->block)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
	memset(vm->bulk, 1, vm->bulk_size);
	memset(vm->copies, 1, vm->bulk_size);
	return twin_start(&vm->twin, vm);
}

int bench_vm(const struct bench_models *models, bench_show *show, void *context)
{
	struct vm vm = {.models = models, .show = show, .context = context};
	int ret = begin(&vm);

	if (!ret && twin_do(&vm.twin, open_vsock, 1))
		snprintf(vm.no_twin, sizeof(vm.no_twin), "%s", vaccel_error_text());
	if (!ret)
		ret = measure_carrier(&vm, &bare_virtio);
	if (!ret)
		ret = measure_carrier(&vm, &bare_blk);
	twin_stop(&vm.twin);
	free(vm.bulk);
	free(vm.copies);
	free(vm.block);
	return ret;
}
