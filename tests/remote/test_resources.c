// SPDX-License-Identifier: Apache-2.0
/* Resources: what an agent gets of them, when, and what is made anew where it was lost. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bed.h"

static char directory[64];
static char path[128];

static void write_file(const char *name, const char *text)
{
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/vaccel-remote-XXXXXX");
	assert_non_null(mkdtemp(directory));
	return bed_begin(state);
}

static int end(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
	return bed_end(state);
}

static void is_there(int64_t resource, const char *wanted)
{
	char text[1024];

	fake_describe(fake, resource, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void session_has(const struct vaccel_session *session, const char *wanted)
{
	char text[1024];

	fake_describe_session(fake, session->remote_id, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void from_text(struct vaccel_resource *res, const char *text, vaccel_resource_type_t type,
		      const char *name)
{
	assert_int_equal(vaccel_resource_init_from_buf(res, text, strlen(text), type, name, true),
			 VACCEL_OK);
}

static void test_kinds(void **state)
{
	struct vaccel_resource file, folder, memory, written, empty;

	write_file("alone", "all by itself");
	assert_int_equal(vaccel_resource_init(&file, path, VACCEL_RESOURCE_MODEL), VACCEL_OK);
	snprintf(path, sizeof(path), "%s/folder", directory);
	assert_int_equal(vaccel_resource_init(&folder, directory, VACCEL_RESOURCE_DATA), VACCEL_OK);
	from_text(&memory, "words", VACCEL_RESOURCE_DATA, "in memory");
	assert_int_equal(vaccel_resource_init_from_buf(&written, "code", 4, VACCEL_RESOURCE_LIB,
						       "lib.so", false),
			 VACCEL_OK);

	assert_int_equal(vaccel_resource_register(&file, &sess), VACCEL_OK);
	is_there(file.remote_id, "2:alone=all by itself");
	snprintf(path, sizeof(path), "%s/sub", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file("sub/deep", "further down");
	assert_int_equal(vaccel_resource_register(&folder, &sess), VACCEL_OK);
	is_there(folder.remote_id, "1:alone=all by itself,sub/deep=further down");
	assert_int_equal(vaccel_resource_register(&memory, &sess), VACCEL_OK);
	is_there(memory.remote_id, "1:in memory*=words");
	assert_int_equal(vaccel_resource_register(&written, &sess), VACCEL_OK);
	is_there(written.remote_id, "0:lib.so=code");
	session_has(&sess, "2:alone,1:alone,1:in memory,0:lib.so");
	/* All of it came with the offers. */
	assert_int_equal(fake_calls(fake, &vaccel_op_content_put), 0);

	write_file("nothing", "");
	assert_int_equal(vaccel_resource_init(&empty, path, VACCEL_RESOURCE_DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&empty, &sess), VACCEL_OK);
	is_there(empty.remote_id, "1:nothing=");

	assert_int_equal(vaccel_resource_release(&empty), VACCEL_OK);
	assert_int_equal(vaccel_resource_unregister(&folder, &sess), VACCEL_OK);
	session_has(&sess, "2:alone,1:in memory,0:lib.so");
	assert_int_equal(vaccel_resource_release(&file), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&memory), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&written), VACCEL_OK);
	assert_int_equal(fake_resources(fake), 1);
	assert_int_equal(vaccel_resource_release(&folder), VACCEL_OK);
	assert_int_equal(fake_resources(fake), 0);
}

/* Bytes that differ everywhere; so many that they travel in several parts. */
static char *much(size_t size)
{
	char *bytes = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)('A' + (i * 2654435761u >> 16) % 26);
	bytes[size] = '\0';
	return bytes;
}

static void test_content_travels_once(void **state)
{
	size_t size = (17u << 20) + 5;
	char *bytes = much(size);
	struct vaccel_resource in_memory, as_file;
	char wanted[64];

	write_file("large", bytes);
	assert_int_equal(vaccel_resource_init(&as_file, path, VACCEL_RESOURCE_MODEL), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&as_file, &sess), VACCEL_OK);
	snprintf(wanted, sizeof(wanted), "2:large=%.20s", bytes);
	is_there(as_file.remote_id, wanted);
	assert_int_equal(fake_calls(fake, &vaccel_op_content_put), 2);
	assert_int_equal(fake_calls(fake, &vaccel_op_resource_offer), 2);

	from_text(&in_memory, bytes, VACCEL_RESOURCE_DATA, "same");
	assert_int_equal(vaccel_resource_register(&in_memory, &sess), VACCEL_OK);
	snprintf(wanted, sizeof(wanted), "1:same*=%.20s", bytes);
	is_there(in_memory.remote_id, wanted);
	assert_int_equal(fake_calls(fake, &vaccel_op_content_put), 2);
	assert_int_equal(vaccel_resource_release(&in_memory), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&as_file), VACCEL_OK);
	free(bytes);
}

static void test_file_that_changed_is_sent_anew(void **state)
{
	struct vaccel_resource res;
	vaccel_id_t first;

	write_file("x", "first");
	assert_int_equal(vaccel_resource_init(&res, path, VACCEL_RESOURCE_DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	first = res.remote_id;
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_unregister(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.remote_id, first);
	assert_int_equal(fake_calls(fake, &vaccel_op_resource_offer), 1);

	assert_int_equal(vaccel_resource_unregister(&res, &sess), VACCEL_OK);
	write_file("x", "second");
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_not_equal(res.remote_id, first);
	is_there(res.remote_id, "1:x=second");
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(fake_resources(fake), 0);
}

static void test_type_that_the_program_changes(void **state)
{
	struct vaccel_resource a, b;

	from_text(&a, "a", VACCEL_RESOURCE_DATA, "a");
	from_text(&b, "b", VACCEL_RESOURCE_MODEL, "b");
	assert_int_equal(vaccel_resource_register(&a, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&b, &sess), VACCEL_OK);
	a.type = VACCEL_RESOURCE_MODEL;
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	session_has(&sess, "2:a,2:b");
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_resource_retype), 1);
	assert_int_equal(vaccel_resource_release(&a), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&b), VACCEL_OK);
}

static void test_all_is_made_anew_in_order(void **state)
{
	struct vaccel_resource a, b, c;
	struct vaccel_session other;

	from_text(&a, "a", VACCEL_RESOURCE_MODEL, "a");
	from_text(&b, "b", VACCEL_RESOURCE_LIB, "b");
	from_text(&c, "c", VACCEL_RESOURCE_DATA, "c");
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&c, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&a, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&b, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&a, &other), VACCEL_OK);
	assert_int_equal(fake_resources(fake), 3);

	fake_restart(fake, VACCEL_EBACKEND, "it crashed");
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	session_has(&sess, "1:c,2:a,0:b");
	assert_int_equal(fake_sessions(fake), 1);
	assert_int_equal(vaccel_noop(&other), VACCEL_OK);
	session_has(&other, "2:a");
	assert_int_equal(fake_resources(fake), 3);
	assert_int_equal(fake_calls(fake, &vaccel_op_content_put), 0);

	/* What was ended meanwhile is not. */
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_resource_release(&c), VACCEL_OK);
	assert_int_equal(vaccel_resource_unregister(&a, &sess), VACCEL_OK);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	session_has(&sess, "0:b");
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&a), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&b), VACCEL_OK);
}

/* What operations change */

static int exec(void)
{
	return vaccel_exec(&sess, "lib", "f", NULL, 0, NULL, 0);
}

static void test_sync(void **state)
{
	char first[] = "abc", second[] = "xyz";
	const struct vaccel_blob *blobs[2];
	struct vaccel_blob a, b;
	struct vaccel_resource res;

	assert_int_equal(
		vaccel_blob_init_from_buf(&a, (uint8_t *)first, 3, false, "a", NULL, false),
		VACCEL_OK);
	assert_int_equal(
		vaccel_blob_init_from_buf(&b, (uint8_t *)second, 3, false, "b", NULL, false),
		VACCEL_OK);
	blobs[0] = &a;
	blobs[1] = &b;
	assert_int_equal(vaccel_resource_init_from_blobs(&res, blobs, 2, VACCEL_RESOURCE_DATA),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	is_there(res.remote_id, "1:a*=abc,b*=xyz");
	fake_change(fake, res.remote_id);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_OK);
	assert_memory_equal(res.blobs[0]->data, "bcd", 3);
	assert_memory_equal(res.blobs[1]->data, "yz{", 3);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	vaccel_blob_release(&a);
	vaccel_blob_release(&b);
}

/* An agent that brings back less than was asked for. */
static enum verdict sync_half(struct turn *turn, struct trick *trick)
{
	struct vaccel_resource_sync_args args = {.bytes = {(uint8_t *)"bcd", 3}};

	turn_reply(turn, &args);
	return DONE;
}

/* What did not come stays as it is, and is no memory of the program's that was something else. */
static void test_sync_of_a_part(void **state)
{
	struct trick trick = {&vaccel_op_resource_sync, 1, sync_half};
	char text[] = "abcxyz";
	struct vaccel_resource res;

	from_text(&res, text, VACCEL_RESOURCE_DATA, "d");
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	fake_script(fake, bed_trick, &trick);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_OK);
	assert_string_equal(text, "bcdxyz");
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static void test_changes_that_were_lost_are_told_once(void **state)
{
	char text[] = "abc";
	struct vaccel_resource res, model;
	struct vaccel_session other;

	from_text(&res, text, VACCEL_RESOURCE_DATA, "d");
	from_text(&model, "m", VACCEL_RESOURCE_MODEL, "m");
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &other), VACCEL_OK);

	/* What may not have changed was not lost. */
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(exec(), VACCEL_OK);
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_noop(&sess), VACCEL_ESESS);
	bed_said("what operations have changed in resource");
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(vaccel_noop(&other), VACCEL_OK);

	/* Both sessions hear of it if both use it. */
	assert_int_equal(exec(), VACCEL_OK);
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_noop(&other), VACCEL_ESESS);
	assert_int_equal(vaccel_noop(&sess), VACCEL_ESESS);
	assert_int_equal(vaccel_noop(&other), VACCEL_OK);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);

	/* Nothing is lost that was brought back. */
	assert_int_equal(exec(), VACCEL_OK);
	fake_change(fake, res.remote_id);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_OK);
	assert_string_equal(text, "bcd");
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(exec(), VACCEL_OK);
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_ESESS);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&model), VACCEL_OK);
}

/* What the agent refused has changed nothing. */
static void test_effect_in_a_session_that_is_unknown(void **state)
{
	struct trick trick = {&vaccel_op_exec,	   1,	 bed_fail, VACCEL_ESESS,
			      "never heard of it", false};
	struct vaccel_resource res;

	from_text(&res, "abc", VACCEL_RESOURCE_DATA, "d");
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	fake_script(fake, bed_trick, &trick);
	assert_int_equal(exec(), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), 2);
	session_has(&sess, "1:d");
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

/* Refusals and losses in the middle */

static void test_refused_registration_changes_nothing(void **state)
{
	struct trick trick = {
		&vaccel_op_resource_offer, 1, bed_fail, VACCEL_EDQUOT, "no room", true};
	struct vaccel_resource res;

	write_file("x", "text");
	assert_int_equal(vaccel_resource_init(&res, path, VACCEL_RESOURCE_DATA), VACCEL_OK);
	fake_script(fake, bed_trick, &trick);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EDQUOT);
	assert_string_equal(vaccel_error_text(), "no room");
	assert_null(res.blobs);
	assert_int_equal(res.remote_id, 0);
	assert_false(vaccel_session_has_resource(&sess, &res));
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_unregister(&res, &sess), VACCEL_OK);
	trick = (struct trick){&vaccel_op_resource_register, 1, bed_fail, VACCEL_EPERM, "no", true};
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EPERM);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	session_has(&sess, "");
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(fake_resources(fake), 0);
}

static void test_lost_at_every_step(void **state)
{
	const struct vaccel_op *const steps[] = {&vaccel_op_resource_offer, &vaccel_op_content_put,
						 &vaccel_op_resource_register,
						 &vaccel_op_session_open};
	char *bytes = much(1 << 20);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct trick trick = {steps[i], 1, bed_restart};
		struct vaccel_resource res;

		bytes[0]++;
		from_text(&res, bytes, VACCEL_RESOURCE_MODEL, "m");
		if (steps[i] == &vaccel_op_session_open)
			fake_restart(fake, 0, "");
		fake_script(fake, bed_trick, &trick);
		assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
		session_has(&sess, "2:m");
		assert_int_equal(fake_sessions(fake), 1);
		assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
		session_has(&sess, "");
		assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
		assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	}
	free(bytes);
}

static enum verdict forget(struct turn *turn, struct trick *trick)
{
	int64_t none = 0;
	uint32_t missing = trick->code;
	struct vaccel_resource_offer_args args = {.resource = &none, .missing = {&missing, 1}};

	turn_reply(turn, &args);
	return DONE;
}

static void test_agent_that_keeps_nothing(void **state)
{
	struct trick trick = {&vaccel_op_resource_offer, 1 << 20, forget, 0};
	struct vaccel_resource res;

	from_text(&res, "abc", VACCEL_RESOURCE_DATA, "d");
	fake_script(fake, bed_trick, &trick);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EREMOTEIO);
	bed_said("does not keep what it is sent");
	/* And one that lacks what there is not. */
	trick.code = 1;
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EREMOTEIO);
	bed_said("that was not offered");
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static void test_file_that_is_gone(void **state)
{
	struct vaccel_resource res;

	write_file("x", "text");
	assert_int_equal(vaccel_resource_init(&res, path, VACCEL_RESOURCE_DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(unlink(path), 0);
	/* It is only missed when it has to be sent again. */
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_noop(&sess), VACCEL_ENOENT);
	bed_said("cannot read '");
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
}

/* Threads */

#define THREADS 8
#define ROUNDS	25 /* the fake keeps every content of every thread */

static void *use_resources(void *context)
{
	struct vaccel_resource *shared = context;
	struct vaccel_session session;
	char text[32];

	assert_int_equal(vaccel_session_init(&session, 0), VACCEL_OK);
	for (int i = 0; i < ROUNDS; i++) {
		struct vaccel_resource own;

		snprintf(text, sizeof(text), "%p %d", (void *)&session, i);
		from_text(&own, text, VACCEL_RESOURCE_MODEL, "own");
		assert_int_equal(vaccel_resource_register(&own, &session), VACCEL_OK);
		assert_int_equal(vaccel_resource_register(shared, &session), VACCEL_OK);
		assert_int_equal(vaccel_resource_register(&own, &sess), VACCEL_OK);
		assert_int_equal(vaccel_onnx_model_load(&session, &own), VACCEL_OK);
		assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
		assert_int_equal(vaccel_resource_unregister(shared, &session), VACCEL_OK);
		assert_int_equal(vaccel_resource_release(&own), VACCEL_OK);
	}
	assert_int_equal(vaccel_session_release(&session), VACCEL_OK);
	return NULL;
}

static void run_threads(struct vaccel_resource *shared)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, use_resources, shared), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
}

static void test_threads(void **state)
{
	struct vaccel_resource shared;

	from_text(&shared, "s", VACCEL_RESOURCE_MODEL, "shared");
	run_threads(&shared);
	assert_int_equal(fake_sessions(fake), 1);
	assert_int_equal(vaccel_resource_release(&shared), VACCEL_OK);
	assert_int_equal(fake_resources(fake), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_kinds),
		TEST(test_content_travels_once),
		TEST(test_file_that_changed_is_sent_anew),
		TEST(test_type_that_the_program_changes),
		TEST(test_all_is_made_anew_in_order),
		TEST(test_sync),
		TEST(test_sync_of_a_part),
		TEST(test_changes_that_were_lost_are_told_once),
		TEST(test_effect_in_a_session_that_is_unknown),
		TEST(test_refused_registration_changes_nothing),
		TEST(test_lost_at_every_step),
		TEST(test_agent_that_keeps_nothing),
		TEST(test_file_that_is_gone),
		TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
