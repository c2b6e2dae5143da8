// SPDX-License-Identifier: Apache-2.0
/*
 * What the supervisor tells its children, as bytes in a sealed memfd. One walk
 * over the members writes, reads and releases them, so that the three cannot
 * differ. Both ends are the same program: the bytes need no version.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <vaccel/error.h>

#include "agent/base/setup.h"
#include "base/util.h"

#define TEXT_MAX  (1U << 20)
#define NAMES_MAX 4096
#define NO_TEXT	  UINT32_MAX

const struct policy default_policy = {
	.sessions = 256,
	.connections = 4096,
	.memory = UINT64_C(4) << 30,
	.content = UINT64_C(2) << 30,
	.payload = UINT64_C(1) << 30,
	.calls = 8,
	.queue = 64,
	.worker_idle_ms = 300000,
};

struct walk {
	enum { WRITE, READ, RELEASE } what;
	FILE *file;
	bool failed;
};

static void walk_bytes(struct walk *walk, void *bytes, size_t size)
{
	if (walk->failed || walk->what == RELEASE)
		return;
	if (walk->what == WRITE)
		walk->failed = fwrite(bytes, 1, size, walk->file) != size;
	else
		walk->failed = fread(bytes, 1, size, walk->file) != size;
}

#define WALK(walk, member) walk_bytes(walk, &(member), sizeof(member))

static void walk_text(struct walk *walk, char **text)
{
	uint32_t size = walk->what == WRITE && *text ? (uint32_t)strlen(*text) : NO_TEXT;

	if (walk->what == RELEASE)
		free(TAKE(*text));
	WALK(walk, size);
	if (walk->what == READ && size <= TEXT_MAX && !walk->failed)
		*text = calloc(1, (size_t)size + 1);
	if (size == NO_TEXT || walk->failed)
		return;
	if (*text)
		walk_bytes(walk, *text, size);
	else
		walk->failed = true;
}

static void walk_names(struct walk *walk, struct names *names)
{
	unsigned int count = names->count;

	WALK(walk, count);
	if (walk->what == READ && count && count <= NAMES_MAX && !walk->failed)
		names->at = calloc(count, sizeof(*names->at));
	if (walk->failed || (count && !names->at)) {
		walk->failed = true;
		return;
	}
	names->count = count;
	for (unsigned int i = 0; i < count; i++)
		walk_text(walk, &names->at[i]);
	if (walk->what == RELEASE) {
		free(TAKE(names->at));
		names->count = 0;
	}
}

static void walk_policy(struct walk *walk, struct policy *policy)
{
	walk_text(walk, &policy->name);
	walk_names(walk, &policy->ops);
	walk_names(walk, &policy->plugins);
	walk_names(walk, &policy->exec_libraries);
	walk_names(walk, &policy->exec_uploads);
	WALK(walk, policy->sessions);
	WALK(walk, policy->connections);
	WALK(walk, policy->memory);
	WALK(walk, policy->content);
	WALK(walk, policy->payload);
	WALK(walk, policy->calls);
	WALK(walk, policy->queue);
	WALK(walk, policy->deadline_ms);
	WALK(walk, policy->idle_timeout_ms);
	WALK(walk, policy->worker_idle_ms);
	WALK(walk, policy->spin);
}

static void walk_worker(struct walk *walk, void *object)
{
	struct worker_setup *setup = object;

	walk_text(walk, &setup->tenant);
	walk_text(walk, &setup->directory);
	WALK(walk, setup->epoch);
	walk_policy(walk, &setup->policy);
	walk_text(walk, &setup->models.path);
	WALK(walk, setup->models.memory);
	walk_names(walk, &setup->models.preload);
	WALK(walk, setup->log);
	WALK(walk, setup->fates);
}

static void walk_listener(struct walk *walk, void *object)
{
	struct listener_setup *setup = object;

	walk_text(walk, &setup->cert);
	walk_text(walk, &setup->key);
	walk_text(walk, &setup->client_ca);
	walk_text(walk, &setup->token);
}

typedef void walk_fn(struct walk *walk, void *object);

/* The walk does not change what it writes. */
static int write_all(walk_fn *walk_object, const void *object, int *ret_fd)
{
	_cleanup_(closep) int fd = memfd_create("vaccel-setup", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	_cleanup_(closep) int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	_cleanup_(fclosep) FILE *file = copy < 0 ? NULL : fdopen(copy, "w");
	struct walk walk = {.what = WRITE, .file = file};

	if (!file)
		return vaccel_fail(errno, "cannot make a memory file: %s", strerror(errno));
	(void)TAKE_FD(copy);
	walk_object(&walk, (void *)object);
	if (fflush(file) || walk.failed ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW))
		return vaccel_fail(errno, "cannot write a memory file: %s", strerror(errno));
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

static void release_all(walk_fn *walk_object, void *object)
{
	walk_object(&(struct walk){.what = RELEASE}, object);
}

/* Mapped, since processes that share a memfd share its file position. */
struct view {
	void *bytes;
	size_t size;
};

static int view_open(int fd, struct view *ret_view)
{
	struct stat st;
	size_t size = fstat(fd, &st) ? 0 : (size_t)st.st_size;
	void *bytes = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;

	if (bytes == MAP_FAILED)
		return vaccel_fail(VACCEL_EINVAL, "what should be a setup is no memory file");
	*ret_view = (struct view){bytes, size};
	return VACCEL_OK;
}

static void view_close(struct view *view)
{
	if (view->size)
		munmap(view->bytes, view->size);
}

bool setup_is_same(int one, int other)
{
	_cleanup_(view_close) struct view first = {};
	_cleanup_(view_close) struct view second = {};

	if (one < 0 || other < 0)
		return one < 0 && other < 0;
	return !view_open(one, &first) && !view_open(other, &second) && first.size == second.size &&
	       !memcmp(first.bytes, second.bytes, first.size);
}

/* @object is all zero. */
static int read_all(walk_fn *walk_object, int fd, void *object)
{
	_cleanup_(view_close) struct view view = {};
	struct walk walk = {.what = READ};
	int ret = view_open(fd, &view);

	if (ret)
		return ret;
	walk.file = fmemopen(view.bytes, view.size, "r");
	walk.failed = !walk.file;
	walk_object(&walk, object);
	fclosep(&walk.file);
	if (!walk.failed)
		return VACCEL_OK;
	release_all(walk_object, object);
	return vaccel_fail(VACCEL_EINVAL, "the setup from the supervisor is cut short");
}

int worker_setup_write(const struct worker_setup *setup, int *ret_fd)
{
	return write_all(walk_worker, setup, ret_fd);
}

int worker_setup_read(int fd, struct worker_setup *ret_setup)
{
	struct worker_setup setup = {};
	int ret = read_all(walk_worker, fd, &setup);

	if (!ret)
		*ret_setup = setup;
	return ret;
}

void worker_setup_release(struct worker_setup *setup)
{
	release_all(walk_worker, setup);
}

int listener_setup_write(const struct listener_setup *setup, int *ret_fd)
{
	return write_all(walk_listener, setup, ret_fd);
}

int listener_setup_read(int fd, struct listener_setup *ret_setup)
{
	struct listener_setup setup = {};
	int ret = read_all(walk_listener, fd, &setup);

	if (!ret)
		*ret_setup = setup;
	return ret;
}

void listener_setup_release(struct listener_setup *setup)
{
	release_all(walk_listener, setup);
}

void policy_release(struct policy *policy)
{
	walk_policy(&(struct walk){.what = RELEASE}, policy);
}

void names_release(struct names *names)
{
	walk_names(&(struct walk){.what = RELEASE}, names);
}
