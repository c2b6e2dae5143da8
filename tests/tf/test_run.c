// SPDX-License-Identifier: Apache-2.0
/* Models from resources, runs on tensors, what does not fit, and what TensorFlow says. */
#include "../support/changing.h"
#include "support.h"

static float ones[6] = {1, 1, 1, 1, 1, 1};
static float counted[6] = {1, 2, 3, 4, 5, 6};
static const float sums[6] = {2, 3, 4, 5, 6, 7}, less[6] = {0, 1, 2, 3, 4, 5};

#define FLOATS(data, nr, ...) tensor(VACCEL_TF_FLOAT, data, (nr) * sizeof(float), DIMS(__VA_ARGS__))

static struct vaccel_tf_node node(const char *name, int id)
{
	return (struct vaccel_tf_node){(char *)name, id};
}

static void check_status(struct vaccel_tf_status *status, uint8_t code, const char *words)
{
	assert_int_equal(status->code, code);
	assert_non_null(status->message);
	if (!strstr(status->message, words))
		fail_msg("'%s' does not say '%s'", status->message, words);
	vaccel_tf_status_release(status);
}

/* Sum and difference by these names of the nodes. */
static void check_pair(struct vaccel_resource *model, const char *a_name, const char *b_name,
		       const char *sum_name)
{
	const struct vaccel_tf_node in_nodes[] = {node(b_name, 0), node(a_name, 0)};
	const struct vaccel_tf_node out_nodes[] = {node("difference", 0), node(sum_name, 0)};
	struct vaccel_tf_tensor a = FLOATS(counted, 6, 2, 3), b = FLOATS(ones, 6, 2, 3);
	struct vaccel_tf_tensor *const in[] = {&b, &a}, *out[2];
	struct vaccel_tf_status status;

	memset(&status, 0x5a, sizeof(status));
	assert_int_equal(vaccel_tf_model_run(&session, model, NULL, in_nodes, in, 2, out_nodes, out,
					     2, &status),
			 VACCEL_OK);
	check_status(&status, 0, "");
	check_output(out[0], VACCEL_TF_FLOAT, DIMS(2, 3), less, sizeof(less));
	check_output(out[1], VACCEL_TF_FLOAT, DIMS(2, 3), sums, sizeof(sums));
}

static void test_graph(void **state)
{
	struct vaccel_resource model;

	open_model(&model, MODEL("pair"));
	check_pair(&model, "a", "b", "sum");
	close_model(&model);
}

static void test_saved_model(void **state)
{
	struct vaccel_resource model;
	struct vaccel_tf_status status;

	open_model(&model, MODELS "/saved");
	assert_int_equal(vaccel_tf_model_load(&session, &model, &status), VACCEL_OK);
	check_status(&status, 0, "");
	check_pair(&model, "a", "b", "sum");
	check_pair(&model, "left", "right", "total");
	assert_int_equal(vaccel_tf_model_unload(&session, &model, &status), VACCEL_OK);
	check_status(&status, 0, "");
	close_model(&model);
}

static void test_settings(void **state)
{
	struct vaccel_resource model;
	struct vaccel_tf_status status;

	setenv("VACCEL_TF_TAGS", "train:gpu", 1);
	setenv("VACCEL_TF_THREADS", "200", 1);
	reload();
	open_model(&model, MODELS "/saved");
	assert_int_equal(vaccel_tf_model_load(&session, &model, &status), VACCEL_EBACKEND);
	check_status(&status, 5, "tags: { gpu train }");
	close_model(&model);
	unsetenv("VACCEL_TF_TAGS");
	setenv("VACCEL_TF_SIGNATURE", "other", 1);
	reload();
	open_model(&model, MODELS "/saved");
	check_pair(&model, "a", "b", "sum");
	assert_fails(vaccel_tf_model_run(&session, &model, NULL, NULL, NULL, 0,
					 &(struct vaccel_tf_node){(char *)"total", 0},
					 &(struct vaccel_tf_tensor *){NULL}, 1, NULL),
		     VACCEL_EINVAL, "no node 'total' for an output");
	close_model(&model);
}

static void test_strings(void **state)
{
	static const struct {
		int32_t count, offsets[4];
		char text[8];
	} words = {3, {20, 23, 23, 28}, "onethree"};
	static const struct {
		int32_t count, offsets[4];
		char text[16];
	} twice = {3, {20, 26, 26, 36}, "oneonethreethree"};
	const struct vaccel_tf_node in_node = node("text", 0), out_node = node("twice", 0);
	struct vaccel_tf_tensor text = tensor(VACCEL_TF_STRING, (void *)&words, 28, DIMS(3));
	struct vaccel_tf_tensor *const in[] = {&text}, *out = NULL;
	struct vaccel_resource model;

	open_model(&model, MODEL("strings"));
#define RUN() vaccel_tf_model_run(&session, &model, NULL, &in_node, in, 1, &out_node, &out, 1, NULL)
	assert_int_equal(RUN(), VACCEL_OK);
	check_output(out, VACCEL_TF_STRING, DIMS(3), &twice, 36);
	text.size = 27;
	out = NULL;
	assert_fails(RUN(), VACCEL_EINVAL, "input 'text' is string [3], and its 27 bytes are not");
	assert_null(out);
	close_model(&model);
}

static int32_t *changing_words;

static void move_words(void)
{
	changing_words[2] = 28;
	changing_words[3] = changing_words[4] = 34;
}

/* Another process writes to them while they are read: they are taken as they were, or not at all.
 */
static void test_strings_that_change(void **state)
{
	static const int32_t offsets[] = {3, 20, 23, 23, 28};
	static const int32_t wanted[] = {3, 20, 26, 26, 36};
	const struct vaccel_tf_node in_node = node("text", 0), out_node = node("twice", 0);
	struct vaccel_tf_tensor text, *out = NULL, *const in[] = {&text};
	struct vaccel_resource model;
	int ret;

	changing_words = changing_new(sizeof(offsets));
	memcpy(changing_words, offsets, sizeof(offsets));
	memcpy(changing_words + 5, "onethreeothers", 14);
	text = tensor(VACCEL_TF_STRING, changing_words, 28, DIMS(3));
	open_model(&model, MODEL("strings"));
	changing_guard(move_words);
	ret = vaccel_tf_model_run(&session, &model, NULL, &in_node, in, 1, &out_node, &out, 1,
				  NULL);
	changing_delete();
	if (ret) {
		assert_int_equal(ret, VACCEL_EINVAL);
		assert_null(out);
	} else {
		assert_memory_equal(out->data, wanted, sizeof(wanted));
		assert_memory_equal((char *)out->data + 20, "oneonethreethree", 16);
		vaccel_tf_tensor_delete(out);
	}
	close_model(&model);
}

static void refuse(struct vaccel_resource *model, const char *b_name, int b_id,
		   struct vaccel_tf_tensor *b, const char *out_name, const char *words)
{
	const struct vaccel_tf_node in_nodes[] = {node("a", 0), node(b_name, b_id)};
	const struct vaccel_tf_node out_node = node(out_name, 0);
	struct vaccel_tf_tensor a = FLOATS(counted, 6, 2, 3);
	struct vaccel_tf_tensor *const in[] = {&a, b}, *out = NULL;
	struct vaccel_tf_status status;

	assert_int_equal(vaccel_tf_model_run(&session, model, NULL, in_nodes, in, 2, &out_node,
					     &out, 1, &status),
			 VACCEL_EINVAL);
	check_status(&status, 2, words);
	assert_null(out);
}

static void test_wrong_tensors(void **state)
{
	struct vaccel_tf_tensor b = FLOATS(ones, 6, 2, 3);
	struct vaccel_resource model;

	open_model(&model, MODEL("pair"));
	refuse(&model, "c", 0, &b, "sum", "no node 'c' for an input");
	refuse(&model, "b", 1, &b, "sum", "node 'b' has 1 outputs, and no 1");
	refuse(&model, "b", -1, &b, "sum", "node 'b' has 1 outputs, and no -1");
	refuse(&model, "b", 0, &b, "product", "no node 'product' for an output");
	b.data_type = VACCEL_TF_INT32;
	refuse(&model, "b", 0, &b, "sum",
	       "input 'b' is int32 [2, 3], and the model takes float [any, 3]");
	b = FLOATS(ones, 4, 2, 2);
	refuse(&model, "b", 0, &b, "sum", "input 'b' is float [2, 2]");
	b = FLOATS(ones, 3, 3);
	refuse(&model, "b", 0, &b, "sum", "input 'b' is float [3]");
	b = FLOATS(ones, 6, 2, 3);
	b.size = 23;
	refuse(&model, "b", 0, &b, "sum", "input 'b' has 23 bytes of data; float [2, 3] is 24");
	check_pair(&model, "a", "b", "sum");
	close_model(&model);
}

static void test_tensorflow_fails(void **state)
{
	const struct vaccel_tf_node in_node = node("x", 0), out_node = node("y", 0);
	struct vaccel_tf_tensor x = FLOATS(counted, 3, 3);
	struct vaccel_tf_tensor *const in[] = {&x}, *out = NULL;
	struct vaccel_tf_status status;
	struct vaccel_resource model;

	open_model(&model, MODEL("square"));
	assert_int_equal(vaccel_tf_model_run(&session, &model, NULL, &in_node, in, 1, &out_node,
					     &out, 1, &status),
			 VACCEL_EBACKEND);
	check_status(
		&status, 3,
		"Input to reshape is a tensor with 3 values, but the requested shape has 4 [[{{node y}}]]");
	assert_null(out);
	/* The model is as good as before. */
	x = FLOATS(counted, 4, 4);
	assert_int_equal(vaccel_tf_model_run(&session, &model, NULL, &in_node, in, 1, &out_node,
					     &out, 1, NULL),
			 VACCEL_OK);
	check_output(out, VACCEL_TF_FLOAT, DIMS(2, 2), counted, 16);
	/* No RunOptions. */
	assert_int_equal(vaccel_tf_model_run(&session, &model,
					     &(struct vaccel_tf_buffer){(void *)"\377\377", 2},
					     &in_node, in, 1, &out_node, &out, 1, &status),
			 VACCEL_EBACKEND);
	check_status(&status, 3, "Unparseable RunOptions");
	close_model(&model);
}

static void test_too_large(void **state)
{
	const struct vaccel_tf_node in_node = node("x", 0), out_node = node("y", 0);
	struct vaccel_tf_tensor x = FLOATS(ones, 1, 1);
	struct vaccel_tf_tensor *const in[] = {&x}, *out = NULL;
	struct vaccel_tf_status status;
	struct vaccel_resource model;

	open_model(&model, MODEL("huge"));
	assert_int_equal(vaccel_tf_model_run(&session, &model, NULL, &in_node, in, 1, &out_node,
					     &out, 1, &status),
			 VACCEL_ENOMEM);
	check_status(&status, 8, "OOM when allocating tensor with shape[100000,300000]");
	close_model(&model);
}

static float run_counter(struct vaccel_session *sess, struct vaccel_resource *model,
			 const char *x_name, const char *out_name)
{
	const struct vaccel_tf_node in_node = node(x_name, 0), out_node = node(out_name, 0);
	float more = 2, sum;
	struct vaccel_tf_tensor x = FLOATS(&more, 1, 1);
	struct vaccel_tf_tensor *const in[] = {&x}, *out;

	if (vaccel_tf_model_run(sess, model, NULL, &in_node, in, x_name ? 1 : 0, &out_node, &out, 1,
				NULL))
		fail_msg("%s", vaccel_error_text());
	sum = *(float *)out->data;
	vaccel_tf_tensor_delete(out);
	return sum;
}

/* What a session adds to a variable is its own, and gone with its session or its model. */
static void test_variables(void **state)
{
	struct vaccel_session other;
	struct vaccel_resource model, same;

	open_model(&model, MODELS "/counting");
	open_model(&same, MODELS "/counting");
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &other), VACCEL_OK);
	assert_true(run_counter(&session, &model, NULL, "unchanged") == 0);
	assert_true(run_counter(&session, &model, "more", "total") == 2);
	assert_true(run_counter(&session, &model, "x", "sum") == 4);
	assert_true(run_counter(&session, &same, NULL, "unchanged") == 4);
	assert_true(run_counter(&other, &model, NULL, "unchanged") == 0);
	assert_true(run_counter(&other, &model, "more", "total") == 2);
	assert_true(run_counter(&session, &model, "more", "total") == 6);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &other), VACCEL_OK);
	assert_true(run_counter(&other, &model, "more", "total") == 2);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	close_model(&same);
	assert_int_equal(vaccel_tf_model_unload(&session, &model, NULL), VACCEL_OK);
	assert_true(run_counter(&session, &model, NULL, "unchanged") == 0);
	close_model(&model);
}

static void test_variables_of_a_graph(void **state)
{
	struct vaccel_session other;
	struct vaccel_resource model;

	open_model(&model, MODEL("counter"));
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &other), VACCEL_OK);
	assert_true(run_counter(&session, &model, NULL, "start") == 0);
	assert_true(run_counter(&session, &model, "x", "sum") == 2);
	assert_true(run_counter(&other, &model, NULL, "start") == 0);
	assert_true(run_counter(&session, &model, "x", "sum") == 4);
	assert_true(run_counter(&other, &model, "x", "sum") == 2);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	close_model(&model);
}

/* One copy for all that only read; another for each session that does not. */
static void test_copies(void **state)
{
	struct vaccel_session other[3];
	struct vaccel_resource model;

	open_model(&model, MODELS "/counting");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(vaccel_session_init(&other[i], 0), VACCEL_OK);
		assert_int_equal(vaccel_resource_register(&model, &other[i]), VACCEL_OK);
		assert_true(run_counter(&other[i], &model, NULL, "unchanged") == 0);
	}
	assert_string_equal(reported("models"), "1 loaded");
	assert_string_equal(reported("copies"), "0 of sessions that change variables");
	assert_true(run_counter(&other[0], &model, "more", "total") == 2);
	assert_true(run_counter(&other[1], &model, "more", "total") == 2);
	assert_string_equal(reported("copies"), "2 of sessions that change variables");
	for (int i = 0; i < 3; i++)
		assert_int_equal(vaccel_session_release(&other[i]), VACCEL_OK);
	assert_string_equal(reported("copies"), "0 of sessions that change variables");
	close_model(&model);
}

static void refuse_model(const char *path, int code, const char *words)
{
	struct vaccel_resource model;

	open_model(&model, path);
	assert_fails(vaccel_tf_model_load(&session, &model, NULL), code, words);
	assert_fails(vaccel_tf_model_load(&session, &model, NULL), code, words);
	close_model(&model);
}

static void test_no_models(void **state)
{
	refuse_model(MODEL("unknown"), VACCEL_EBACKEND, "Op type not registered 'NoSuchOperation'");
	refuse_model(MODELS "/pair.tflite", VACCEL_EBACKEND, "Invalid GraphDef");
	refuse_model(MODELS, VACCEL_EINVAL, "has no saved_model.pb");
}

/* Some parts of a graph are a graph, with less in it; none ends the process. */
static void test_truncated(void **state)
{
	struct vaccel_resource model;
	size_t whole;
	char *data = read_file(MODEL("pair"), &whole);

	for (size_t size = 1; size < whole; size++) {
		/* So much and no more, for those who look. */
		char *part = malloc(size);

		assert_non_null(part);
		memcpy(part, data, size);
		assert_int_equal(vaccel_resource_init_from_buf(&model, part, size,
							       VACCEL_RESOURCE_MODEL, "model.pb",
							       true),
				 VACCEL_OK);
		assert_int_equal(vaccel_resource_register(&model, &session), VACCEL_OK);
		if (vaccel_tf_model_load(&session, &model, NULL))
			assert_string_not_equal(vaccel_error_text(), "");
		close_model(&model);
		free(part);
	}
	free(data);
}

static void test_loads(void **state)
{
	struct vaccel_resource model, same;

	open_model(&model, MODEL("pair"));
	open_model(&same, MODEL("pair"));
	assert_fails(vaccel_tf_model_unload(&session, &model, NULL), VACCEL_EINVAL,
		     "is not loaded");
	assert_int_equal(vaccel_tf_model_load(&session, &model, NULL), VACCEL_OK);
	check_pair(&same, "a", "b", "sum");
	assert_string_equal(reported("models"), "1 loaded");
	assert_int_equal(vaccel_tf_model_unload(&session, &model, NULL), VACCEL_OK);
	close_model(&same);
	assert_string_equal(reported("models"), "0 loaded");
	close_model(&model);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest anywhere[] = {
		TEST(test_graph),	  TEST(test_saved_model), TEST(test_strings),
		TEST(test_wrong_tensors), TEST(test_variables),	  TEST(test_variables_of_a_graph),
		TEST(test_no_models),	  TEST(test_truncated),	  TEST(test_tensorflow_fails),
	};
	/* What an agent has settings of its own for, and what only the process itself knows. */
	const struct CMUnitTest here[] = {TEST(test_settings), TEST(test_loads), TEST(test_copies),
					  TEST(test_too_large), TEST(test_strings_that_change)};
	int failed = cmocka_run_group_tests(anywhere, NULL, NULL);

	return getenv("VACCEL_RPC_ADDRESS") ? failed
					    : failed + cmocka_run_group_tests(here, NULL, NULL);
}
