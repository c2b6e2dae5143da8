// SPDX-License-Identifier: Apache-2.0
/* Resources: registered, found, synced, released; many of them, and many threads. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include <vaccel/plugin.h>

#include "plugin/registry.h"
#include "resource_tests.h"

#define STUCK_S 20

static void test_names_of_types(void **state)
{
	char name[VACCEL_ENUM_STR_MAX];

	assert_int_equal(VACCEL_RESOURCE_LIB, 0);
	assert_int_equal(VACCEL_RESOURCE_DATA, 1);
	assert_int_equal(VACCEL_RESOURCE_MODEL, 2);
	assert_int_equal(VACCEL_RESOURCE_MAX, 3);
	assert_string_equal(vaccel_resource_type_to_str(MODEL), "VACCEL_RESOURCE_MODEL");
	assert_string_equal(vaccel_resource_type_to_base_str(LIB), "LIB");
	assert_string_equal(vaccel_resource_type_name(DATA, name, sizeof(name)), "data");
}

static void test_release(void **state)
{
	struct vaccel_resource res, copy;

	assert_int_equal(vaccel_resource_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_delete(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, file, DATA), VACCEL_OK);
	/* A copy of the struct is not the resource. */
	copy = res;
	assert_int_equal(vaccel_resource_register(&copy, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(&copy), VACCEL_EINVAL);

	/* Unregisters it everywhere first. */
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &second), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_all_zero(&res);
	assert_int_equal(vaccel_session_update(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_update(&second, 0), VACCEL_OK);

	assert_int_equal(vaccel_resource_release(&res), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_unregister(&res, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(&copy), VACCEL_EINVAL);
}

static void test_refcount_counts_sessions(void **state)
{
	struct vaccel_resource res;

	assert_int_equal(vaccel_resource_refcount(NULL), -VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, file, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_refcount(&res), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_refcount(&res), 1);
	assert_int_equal(vaccel_resource_register(&res, &second), VACCEL_OK);
	assert_int_equal(vaccel_resource_refcount(&res), 2);
	assert_int_equal(vaccel_resource_unregister(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_refcount(&res), 1);
	assert_int_equal(vaccel_session_release(&second), VACCEL_OK);
	assert_int_equal(vaccel_resource_refcount(&res), 0);
	assert_int_equal(vaccel_session_init(&second, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(vaccel_resource_refcount(&res), -VACCEL_EINVAL);
}

static void test_register(void **state)
{
	struct vaccel_session closed = {0};
	struct vaccel_resource res;
	struct vaccel_blob **blobs;

	assert_int_equal(vaccel_resource_register(NULL, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_unregister(NULL, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, file, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_register(&res, &closed), VACCEL_EINVAL);
	assert_null(res.blobs);

	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_true(vaccel_session_has_resource(&sess, &res));
	assert_false(vaccel_session_has_resource(&second, &res));
	blobs = res.blobs;
	assert_int_equal(vaccel_resource_register(&res, &second), VACCEL_OK);
	assert_ptr_equal(res.blobs, blobs);

	assert_int_equal(vaccel_resource_unregister(&res, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_unregister(&res, &closed), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_unregister(&res, &sess), VACCEL_OK);
	assert_false(vaccel_session_has_resource(&sess, &res));
	assert_int_equal(vaccel_resource_unregister(&res, &sess), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "not registered"));
	assert_true(vaccel_session_has_resource(&second, &res));
	/* The blobs stay, and it can come back. */
	assert_ptr_equal(res.blobs, blobs);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static void test_a_file_gone_before_it_is_registered(void **state)
{
	char *brief = file_new(dir, "brief", "x");
	const char *paths[] = {file, brief};
	struct vaccel_resource res;

	assert_int_equal(vaccel_resource_init_multi(&res, paths, 2, DATA), VACCEL_OK);
	unlink(brief);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "brief"));
	assert_null(res.blobs);
	assert_int_equal(res.nr_blobs, 0);
	assert_int_equal(vaccel_resource_refcount(&res), 0);
	assert_false(vaccel_session_has_resource(&sess, &res));
	/* It may come back. */
	file_fill(brief, "x", 1);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.nr_blobs, 2);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);

	assert_int_equal(vaccel_resource_init(&res, folder, DATA), VACCEL_OK);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	free(brief);
}

static int syncs;
static int sync_hook(struct vaccel_session *session, struct vaccel_resource *res)
{
	syncs++;
	assert_ptr_equal(session, &sess);
	res->blobs[0]->data[0] = 'W';
	return syncs == 1 ? VACCEL_OK : VACCEL_EREMOTEIO;
}

static void test_sync(void **state)
{
	static const struct vaccel_plugin_info info = {.name = "far"};
	struct vaccel_plugin far = {.info = &info, .resource_sync = sync_hook};
	struct vaccel_plugin *near = sess.plugin;
	struct vaccel_resource res, with_file;

	syncs = 0;
	assert_int_equal(vaccel_resource_init_from_buf(&res, buf, NR, DATA, NULL, true), VACCEL_OK);
	assert_int_equal(vaccel_resource_init_from_buf(&with_file, buf, NR, DATA, NULL, false),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_sync(NULL, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_sync(&res, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_EPERM);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_sync(&res, &second), VACCEL_EPERM);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_OK);
	assert_memory_equal(buf, TEXT, NR);

	sess.plugin = &far;
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_OK);
	assert_int_equal(buf[0], 'W');
	vaccel_fail(VACCEL_EREMOTEIO, "before");
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_EREMOTEIO);
	assert_non_null(strstr(vaccel_error_text(), "plugin far could not"));
	assert_int_equal(vaccel_resource_register(&with_file, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_sync(&with_file, &sess), VACCEL_EINVAL);
	assert_int_equal(syncs, 2);
	sess.plugin = near;
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&with_file), VACCEL_OK);
}

static void test_get_by_id(void **state)
{
	struct vaccel_resource res, *found = NULL;
	vaccel_id_t id;

	assert_int_equal(vaccel_resource_init(&res, file, DATA), VACCEL_OK);
	id = res.id;
	assert_int_equal(vaccel_resource_get_by_id(NULL, id), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_get_by_id(&found, 0), VACCEL_ENOENT);
	assert_int_equal(vaccel_resource_get_by_id(&found, -1), VACCEL_ENOENT);
	assert_int_equal(vaccel_resource_get_by_id(&found, id + 1), VACCEL_ENOENT);
	assert_null(found);
	assert_int_equal(vaccel_resource_get_by_id(&found, id), VACCEL_OK);
	assert_ptr_equal(found, &res);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(vaccel_resource_get_by_id(&found, id), VACCEL_ENOENT);
}

static void test_get_by_type(void **state)
{
	struct vaccel_resource many[40], *found = NULL, **all = NULL;
	size_t nr = 9;

	assert_int_equal(vaccel_resource_get_by_type(NULL, LIB), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_get_by_type(&found, VACCEL_RESOURCE_MAX), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_get_all_by_type(NULL, &nr, LIB), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_get_all_by_type(&all, NULL, LIB), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_get_all_by_type(&all, &nr, VACCEL_RESOURCE_MAX),
			 VACCEL_EINVAL);
	assert_int_equal(nr, 9);
	assert_int_equal(vaccel_resource_get_by_type(&found, LIB), VACCEL_ENOENT);
	assert_int_equal(vaccel_resource_get_all_by_type(&all, &nr, LIB), VACCEL_ENOENT);
	assert_int_equal(nr, 0);
	assert_null(found);
	assert_null(all);

	for (size_t i = 0; i < 40; i++)
		assert_int_equal(vaccel_resource_init(&many[i], file, i % 2 ? LIB : DATA),
				 VACCEL_OK);
	assert_int_equal(vaccel_resource_get_by_type(&found, LIB), VACCEL_OK);
	assert_ptr_equal(found, &many[1]);
	assert_int_equal(vaccel_resource_get_all_by_type(&all, &nr, LIB), VACCEL_OK);
	assert_int_equal(nr, 20);
	for (size_t i = 0; i < nr; i++)
		assert_ptr_equal(all[i], &many[2 * i + 1]);
	free(all);
	NOMEM_SWEEP(vaccel_resource_get_all_by_type(&all, &nr, DATA));
	free(all);

	/* The type is the program's to change, and read at each call. */
	many[0].type = MODEL;
	assert_int_equal(vaccel_resource_get_by_type(&found, MODEL), VACCEL_OK);
	assert_ptr_equal(found, &many[0]);
	assert_int_equal(vaccel_resource_register(&many[0], &sess), VACCEL_OK);
	assert_int_equal(vaccel_session_resource_by_type(&sess, &found, MODEL), VACCEL_OK);
	assert_int_equal(many[0].type, MODEL);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(vaccel_resource_release(&many[i]), VACCEL_OK);
}

static void test_counted_look_up(void **state)
{
	struct vaccel_resource res, *got;

	assert_null(resource_get(0));
	assert_null(resource_get(INT64_MAX));
	vaccel_resource_unref(NULL);
	resource_forget_session(INT64_MAX, 1);
	assert_int_equal(vaccel_resource_init(&res, file, DATA), VACCEL_OK);
	got = resource_get(res.id);
	assert_ptr_equal(got, &res);
	assert_int_equal(table_refs(res.state->entry), 1);
	vaccel_resource_unref(got);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

struct slow_release {
	struct vaccel_resource *res;
	_Atomic bool done;
};

static void *release_it(void *context)
{
	struct slow_release *slow = context;
	intptr_t ret = vaccel_resource_release(slow->res);

	atomic_store(&slow->done, true);
	return (void *)ret;
}

/* Two release it at once: one waits for the reference, the other is told that it is late. */
static void test_release_waits_for_references(void **state)
{
	struct vaccel_resource res, *held;
	struct slow_release slow = {.res = &res};
	pthread_t thread;
	vaccel_id_t id;
	void *ret;

	assert_int_equal(vaccel_resource_init(&res, file, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	id = res.id;
	held = resource_get(id);
	assert_int_equal(pthread_create(&thread, NULL, release_it, &slow), 0);
	for (struct vaccel_resource *again; (again = resource_get(id));)
		vaccel_resource_unref(again);
	assert_false(atomic_load(&slow.done));
	assert_int_equal(held->nr_blobs, 1);
	assert_string_equal(held->blobs[0]->path, file);
	vaccel_resource_unref(held);
	pthread_join(thread, &ret);
	assert_int_equal((intptr_t)ret, VACCEL_OK);
	assert_all_zero(&res);
}

static struct vaccel_resource *opened, *closed;
static vaccel_id_t closed_id;

static int open_hook(struct vaccel_resource *res, void **ret_slot)
{
	opened = res;
	*ret_slot = buf;
	return VACCEL_OK;
}

static void close_hook(struct vaccel_resource *res, void *slot)
{
	closed = res;
	closed_id = res->id;
	assert_ptr_equal(slot, buf);
	assert_int_equal(res->nr_blobs, 1);
	assert_memory_equal(res->blobs[0]->data, TEXT, NR);
}

static struct plugin slot_plugin = {
	.desc = {.resource_open = open_hook, .resource_close = close_hook}};

static void test_slots_are_closed_with_the_resource(void **state)
{
	struct vaccel_resource res;
	void *slot;

	assert_int_equal(vaccel_resource_init_from_buf(&res, buf, NR, DATA, NULL, true), VACCEL_OK);
	assert_int_equal(slots_get(&res.state->slots, &slots_resource, &slot_plugin, &res, &slot),
			 VACCEL_OK);
	assert_ptr_equal(opened, &res);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_ptr_equal(closed, &res);
}

/* A cleanup frees what programs forgot, without a look at their memory, which may be gone. */
static void test_cleanup(void **state)
{
	struct vaccel_resource *forgotten = malloc(sizeof(*forgotten)), *late;
	struct vaccel_resource kept, *found;
	void *slot;
	vaccel_id_t id;

	assert_int_equal(vaccel_resource_init_from_buf(forgotten, buf, NR, DATA, NULL, false),
			 VACCEL_OK);
	id = forgotten->id;
	assert_int_equal(slots_get(&forgotten->state->slots, &slots_resource, &slot_plugin,
				   forgotten, &slot),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(forgotten, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_init(&kept, file, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_new(&late, folder, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&kept, &sess), VACCEL_OK);
	free(forgotten);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	assert_int_equal(closed_id, id);
	assert_ptr_not_equal(closed, forgotten);
	assert_int_equal(dir_count(dir), 3);

	assert_int_equal(vaccel_resource_get_by_id(&found, id), VACCEL_EPERM);
	assert_int_equal(vaccel_resource_get_by_type(&found, DATA), VACCEL_EPERM);
	assert_int_equal(vaccel_resource_refcount(&kept), -VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_register(&kept, &sess), VACCEL_EINVAL);
	/* What a cleanup closed the program may still release. */
	assert_int_equal(vaccel_resource_release(&kept), VACCEL_OK);
	assert_all_zero(&kept);
	assert_int_equal(vaccel_resource_release(&kept), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_delete(late), VACCEL_OK);

	/* Before bootstrap a resource can be made, and waits for a session. */
	assert_int_equal(vaccel_resource_init(&kept, file, DATA), VACCEL_OK);
	assert_true(kept.id > id);
	assert_int_equal(vaccel_resource_register(&kept, &sess), VACCEL_ESESS);
	assert_int_equal(vaccel_resource_sync(&kept, &sess), VACCEL_ESESS);
	assert_int_equal(vaccel_resource_unregister(&kept, &sess), VACCEL_ESESS);
	assert_int_equal(vaccel_resource_release(&kept), VACCEL_OK);

	assert_int_equal(start(NULL), 0);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&second, 0), VACCEL_OK);
}

static void test_a_forked_child_removes_nothing(void **state)
{
	struct vaccel_resource res;
	char *path;
	int status;
	pid_t child;

	assert_int_equal(vaccel_resource_init_from_buf(&res, buf, NR, DATA, "x", false), VACCEL_OK);
	path = strdup(res.blobs[0]->path);
	child = fork();
	if (!child)
		_exit(vaccel_resource_release(&res));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_file_is(path, TEXT);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_false(vaccel_path_exists(path));
	free(path);
}

/* Another thread was at its files as the process was copied: the child begins anew. */
static void test_a_forked_child_registers_what_was_being_registered(void **state)
{
	struct vaccel_resource res;
	int status;
	pid_t child;

	assert_int_equal(vaccel_resource_init(&res, file, DATA), VACCEL_OK);
	pthread_mutex_lock(&res.state->lock);
	res.state->own.blobs = (struct vaccel_blob **)buf;
	res.state->own.nr_blobs = 1;
	child = fork();
	if (!child) {
		alarm(STUCK_S);
		_exit(vaccel_resource_register(&res, &sess) || res.nr_blobs != 1 ||
		      strcmp(res.blobs[0]->path, file) != 0 || vaccel_resource_release(&res));
	}
	res.state->own.blobs = NULL;
	res.state->own.nr_blobs = 0;
	pthread_mutex_unlock(&res.state->lock);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static int make_and_delete(int how)
{
	struct vaccel_blob source = {.type = VACCEL_BLOB_BUFFER,
				     .name = (char *)"x",
				     .data = buf,
				     .data_owned = true,
				     .size = NR};
	const struct vaccel_blob *blobs[] = {&source};
	struct vaccel_resource *res;
	int ret;

	if (how == 0)
		ret = vaccel_resource_new(&res, folder, DATA);
	else if (how == 1)
		ret = vaccel_resource_from_buf(&res, buf, NR, DATA, "x", false);
	else
		ret = vaccel_resource_from_blobs(&res, blobs, 1, DATA);
	if (ret)
		return ret;
	ret = vaccel_resource_register(res, &sess);
	if (ret) {
		assert_int_equal(vaccel_resource_refcount(res), 0);
		assert_false(vaccel_session_has_resource(&sess, res));
		assert_true(how > 0 || !res->blobs);
	}
	assert_int_equal(vaccel_resource_delete(res), VACCEL_OK);
	return ret;
}

static int directory_of_blobs(void)
{
	struct vaccel_blob source = {
		.type = VACCEL_BLOB_BUFFER, .name = (char *)"a/x", .data = buf, .size = NR};
	const struct vaccel_blob *blobs[] = {&source};
	struct vaccel_resource res;
	char *alloc = NULL;
	int ret = vaccel_resource_init_from_blobs(&res, blobs, 1, DATA);

	if (ret)
		return ret;
	res.path_type = VACCEL_PATH_LOCAL_DIR;
	ret = vaccel_resource_directory(&res, NULL, 0, &alloc);
	free(alloc);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	return ret;
}

static void test_no_memory(void **state)
{
	fill_folder();
	for (int how = 0; how < 3; how++)
		NOMEM_SWEEP(make_and_delete(how));
	NOMEM_SWEEP(directory_of_blobs());
}

#define NR_THREADS 8
#define ROUNDS	   300

/* Each thread has a session of its own; one resource is everybody's, one the thread's own. */
static void *use_resources(void *context)
{
	struct vaccel_resource *shared = context, own, *found;
	struct vaccel_session session;

	for (int i = 0; i < ROUNDS; i++) {
		if (vaccel_session_init(&session, 0) ||
		    vaccel_resource_init_from_buf(&own, buf, NR, LIB, NULL, true) ||
		    vaccel_resource_register(shared, &session) ||
		    vaccel_resource_register(&own, &session))
			return (void *)"cannot make or register";
		if (vaccel_session_resource_by_type(&session, &found, LIB) || found != &own)
			return (void *)"another's resource was found";
		if (vaccel_session_resource_by_type(&session, &found, DATA) || found != shared)
			return (void *)"the shared resource was not found";
		if (!vaccel_resource_refcount(shared))
			return (void *)"the shared resource is not counted";
		if (i % 3 == 0 && vaccel_resource_unregister(shared, &session))
			return (void *)"cannot unregister";
		/* Either goes first. */
		if (i % 2 == 0 && vaccel_resource_release(&own))
			return (void *)"cannot release a registered resource";
		if (vaccel_session_release(&session))
			return (void *)"cannot release a session with resources";
		if (i % 2 == 1 && vaccel_resource_release(&own))
			return (void *)"cannot release a resource";
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[NR_THREADS];
	struct vaccel_resource shared;
	void *complaint;

	assert_int_equal(vaccel_resource_init(&shared, file, DATA), VACCEL_OK);
	for (size_t i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_resources, &shared), 0);
	for (size_t i = 0; i < NR_THREADS; i++) {
		pthread_join(threads[i], &complaint);
		if (complaint)
			fail_msg("%s: %s", (char *)complaint, vaccel_error_text());
	}
	assert_int_equal(vaccel_resource_refcount(&shared), 0);
	assert_int_equal(vaccel_resource_release(&shared), VACCEL_OK);
}

/* Many with one session, and one with many; quadratic work would show. */
static void test_very_many(void **state)
{
	const size_t nr = 200000;
	struct vaccel_resource *many = calloc(nr, sizeof(*many)), shared;
	struct vaccel_session *sessions = calloc(nr, sizeof(*sessions));

	assert_int_equal(vaccel_resource_init(&shared, file, MODEL), VACCEL_OK);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(vaccel_resource_init_from_buf(&many[i], buf, NR, DATA, "x", true),
				 VACCEL_OK);
		assert_int_equal(vaccel_resource_register(&many[i], &sess), VACCEL_OK);
		assert_int_equal(vaccel_session_init(&sessions[i], 0), VACCEL_OK);
		assert_int_equal(vaccel_resource_register(&shared, &sessions[i]), VACCEL_OK);
	}
	assert_int_equal(many[nr - 1].id, many[0].id + (vaccel_id_t)nr - 1);
	assert_int_equal(vaccel_resource_refcount(&shared), nr);
	for (size_t i = 0; i < nr; i++) {
		assert_true(vaccel_session_has_resource(&sess, &many[i]));
		assert_int_equal(vaccel_resource_release(&many[i]), VACCEL_OK);
		if (i % 2)
			assert_int_equal(vaccel_session_release(&sessions[i]), VACCEL_OK);
	}
	assert_int_equal(vaccel_resource_release(&shared), VACCEL_OK);
	for (size_t i = 0; i < nr; i += 2)
		assert_int_equal(vaccel_session_release(&sessions[i]), VACCEL_OK);
	free(many);
	free(sessions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_types),
		TEST(test_release),
		TEST(test_refcount_counts_sessions),
		TEST(test_register),
		TEST(test_a_file_gone_before_it_is_registered),
		TEST(test_sync),
		TEST(test_get_by_id),
		TEST(test_get_by_type),
		TEST(test_counted_look_up),
		TEST(test_release_waits_for_references),
		TEST(test_slots_are_closed_with_the_resource),
		TEST(test_cleanup),
		TEST(test_a_forked_child_removes_nothing),
		TEST(test_a_forked_child_registers_what_was_being_registered),
		TEST(test_no_memory),
		TEST(test_threads),
		TEST(test_very_many),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
