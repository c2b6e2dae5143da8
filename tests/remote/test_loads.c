// SPDX-License-Identifier: Apache-2.0
/* Models that are loaded and unloaded, by agents that count, whatever becomes of the answers. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"

static void from_text(struct vaccel_resource *res, const char *text, vaccel_resource_type_t type,
		      const char *name)
{
	assert_int_equal(vaccel_resource_init_from_buf(res, text, strlen(text), type, name, true),
			 VACCEL_OK);
}

static void test_what_loaded_a_model_is_done_again(void **state)
{
	struct vaccel_resource model, second;
	struct vaccel_session other;
	struct vaccel_tf_status status;

	from_text(&model, "m", VACCEL_RESOURCE_MODEL, "m");
	from_text(&second, "n", VACCEL_RESOURCE_MODEL, "n");
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&second, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &other), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
	assert_int_equal(vaccel_tf_model_load(&sess, &second, &status), VACCEL_OK);
	free(status.message);
	assert_int_equal(fake_calls(fake, &vaccel_op_onnx_model_load), 2);

	/* By the first session that has the model, for all of them, as often as it was done. */
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_noop(&other), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_onnx_model_load), 4);
	assert_int_equal(fake_calls(fake, &vaccel_op_tf_model_load), 1);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_onnx_model_load), 4);
	assert_int_equal(fake_calls(fake, &vaccel_op_tf_model_load), 2);

	/* Not what was unloaded, nor what the resource took with it. */
	assert_int_equal(vaccel_onnx_model_unload(&sess, &model), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&second), VACCEL_OK);
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_onnx_model_load), 5);
	assert_int_equal(vaccel_onnx_model_unload(&other, &model), VACCEL_OK);
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_onnx_model_load), 5);
	assert_int_equal(fake_calls(fake, &vaccel_op_tf_model_load), 2);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&model), VACCEL_OK);
}

static void test_load_and_unload_that_were_lost(void **state)
{
	struct trick load = {&vaccel_op_onnx_model_load, 1, bed_restart};
	struct trick unload = {&vaccel_op_onnx_model_unload, 1, bed_restart};
	struct vaccel_resource model;

	from_text(&model, "m", VACCEL_RESOURCE_MODEL, "m");
	assert_int_equal(vaccel_resource_register(&model, &sess), VACCEL_OK);
	fake_script(fake, bed_trick, &load);
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_onnx_model_load), 2);
	/* What is gone is unloaded. */
	fake_script(fake, bed_trick, &unload);
	assert_int_equal(vaccel_onnx_model_unload(&sess, &model), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_onnx_model_unload), 1);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_onnx_model_load), 2);
	assert_int_equal(vaccel_resource_release(&model), VACCEL_OK);
}

static void test_load_that_fails_the_second_time(void **state)
{
	struct trick trick = {
		&vaccel_op_onnx_model_load, 1, bed_fail, VACCEL_ENOMEM, "no room", true};
	struct vaccel_resource model;

	from_text(&model, "m", VACCEL_RESOURCE_MODEL, "m");
	assert_int_equal(vaccel_resource_register(&model, &sess), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
	fake_restart(fake, 0, "");
	fake_script(fake, bed_trick, &trick);
	assert_int_equal(vaccel_noop(&sess), VACCEL_ENOMEM);
	assert_string_equal(vaccel_error_text(), "no room");
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_onnx_model_load), 3);
	assert_int_equal(fake_sessions(fake), 1);
	assert_int_equal(vaccel_resource_release(&model), VACCEL_OK);
}

/* A backend that counts, as those for models do */

static struct {
	int loads;
	const struct vaccel_op *lost; /* whose answer is lost, */
	int times;		      /* so often, */
	bool never_ran;		      /* and it, too */
	sem_t *held;		      /* what a minmax waits for; or NULL */
	bool leaves;		      /* with an unload, after which it takes no sessions */
} backend;

/* What an agent that leaves says beside its answers; whether that is all. */
static bool take_leave(struct turn *turn, const struct vaccel_op *op)
{
	const struct frame goodbye = {.kind = FRAME_GOAWAY};

	if (op == &vaccel_op_onnx_model_unload)
		turn_frame(turn, &goodbye, NULL, NULL);
	if (op != &vaccel_op_session_open)
		return false;
	turn_fail(turn, VACCEL_EBUSY, "full for now", true);
	return true;
}

static enum verdict run_backend(struct turn *turn, void *context)
{
	const struct vaccel_op *op = turn_op(turn);
	bool is_lost = op && op == backend.lost && backend.times > 0;
	bool runs = !is_lost || !backend.never_ran;

	if (backend.leaves && take_leave(turn, op))
		return DONE;
	if (op == &vaccel_op_minmax && backend.held)
		sem_wait(backend.held);
	if (op == &vaccel_op_onnx_model_unload && runs && !backend.loads) {
		turn_fail(turn, VACCEL_EINVAL, "the model is not loaded", true);
		return DONE;
	}
	if (op == &vaccel_op_onnx_model_load)
		backend.loads += runs;
	if (op == &vaccel_op_onnx_model_unload)
		backend.loads -= runs;
	backend.times -= is_lost;
	return is_lost ? HANG_UP : GO_ON;
}

static void *call_minmax(void *context)
{
	double sample = 1, out, min, max;

	return vaccel_minmax(&sess, &sample, 1, 0, 9, &out, &min, &max) ? context : NULL;
}

/* So that the client lives on when one of them is lost. */
static void connect_twice(void)
{
	unsigned int calls = fake_calls(fake, &vaccel_op_minmax);
	pthread_t thread;
	void *failed;
	sem_t held;

	sem_init(&held, 0, 0);
	backend.held = &held;
	assert_int_equal(pthread_create(&thread, NULL, call_minmax, &held), 0);
	fake_await_calls(fake, &vaccel_op_minmax, calls + 1);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	sem_post(&held);
	pthread_join(thread, &failed);
	backend.held = NULL;
	sem_destroy(&held);
	assert_null(failed);
	assert_int_equal(fake_connections(fake), 2);
}

static void lose(const struct vaccel_op *op, bool never_ran)
{
	connect_twice();
	backend.lost = op;
	backend.never_ran = never_ran;
	backend.times = 1;
}

static void begin_model(struct vaccel_resource *model)
{
	memset(&backend, 0, sizeof(backend));
	fake_script(fake, run_backend, NULL);
	from_text(model, "m", VACCEL_RESOURCE_MODEL, "m");
	assert_int_equal(vaccel_resource_register(model, &sess), VACCEL_OK);
}

/* None is left, and the agent says so. */
static void end_model(struct vaccel_resource *model)
{
	assert_int_equal(backend.times, 0);
	assert_int_equal(backend.loads, 0);
	assert_int_equal(vaccel_onnx_model_unload(&sess, model), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(model), VACCEL_OK);
}

static void test_an_unload_without_its_answer_is_done(void **state)
{
	struct vaccel_resource model;

	for (int never_ran = 0; never_ran < 2; never_ran++) {
		begin_model(&model);
		assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
		lose(&vaccel_op_onnx_model_unload, never_ran);
		assert_int_equal(vaccel_onnx_model_unload(&sess, &model), VACCEL_OK);
		end_model(&model);
	}
}

/* Nor does it undo what somebody else has loaded. */
static void test_an_unload_without_its_answer_is_done_once(void **state)
{
	struct vaccel_resource model;

	for (int never_ran = 0; never_ran < 2; never_ran++) {
		begin_model(&model);
		assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
		assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
		lose(&vaccel_op_onnx_model_unload, never_ran);
		assert_int_equal(vaccel_onnx_model_unload(&sess, &model), VACCEL_OK);
		assert_true(backend.loads > 0);
		assert_int_equal(vaccel_onnx_model_unload(&sess, &model), VACCEL_OK);
		end_model(&model);
	}
}

static void test_a_load_without_its_answer_is_undone_whole(void **state)
{
	struct vaccel_resource model;

	for (int never_ran = 0; never_ran < 2; never_ran++) {
		begin_model(&model);
		assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
		lose(&vaccel_op_onnx_model_load, never_ran);
		assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
		assert_int_equal(vaccel_onnx_model_unload(&sess, &model), VACCEL_OK);
		assert_true(backend.loads > 0);
		assert_int_equal(vaccel_onnx_model_unload(&sess, &model), VACCEL_OK);
		end_model(&model);
	}
}

/* Whether what more may be left can be undone, too, is not its result. */
static void test_an_unload_that_is_answered_is_done(void **state)
{
	struct vaccel_resource model;

	begin_model(&model);
	lose(&vaccel_op_onnx_model_load, false);
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
	assert_int_equal(backend.loads, 2);
	backend.leaves = true;
	assert_int_equal(vaccel_onnx_model_unload(&sess, &model), VACCEL_OK);
	assert_int_equal(vaccel_noop(&sess), VACCEL_EBUSY);
	/* What was there has gone with the client. */
	backend.leaves = false;
	backend.loads = 0;
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	end_model(&model);
}

/* Of an agent that is there again: each user's load, for each user's unload. */
static void test_loads_count_after_a_restart(void **state)
{
	struct vaccel_resource model;
	struct vaccel_session other;

	begin_model(&model);
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &other), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&other, &model), VACCEL_OK);
	fake_restart(fake, 0, "");
	backend.loads = 0;
	assert_int_equal(vaccel_onnx_model_unload(&sess, &model), VACCEL_OK);
	assert_int_equal(backend.loads, 1);
	/* And where one of them is done already. */
	fake_restart(fake, 0, "");
	backend.loads = 0;
	assert_int_equal(vaccel_onnx_model_unload(&other, &model), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	end_model(&model);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)
	const struct CMUnitTest tests[] = {
		TEST(test_what_loaded_a_model_is_done_again),
		TEST(test_load_and_unload_that_were_lost),
		TEST(test_load_that_fails_the_second_time),
		TEST(test_an_unload_without_its_answer_is_done),
		TEST(test_an_unload_without_its_answer_is_done_once),
		TEST(test_a_load_without_its_answer_is_undone_whole),
		TEST(test_an_unload_that_is_answered_is_done),
		TEST(test_loads_count_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
