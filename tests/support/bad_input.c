// SPDX-License-Identifier: Apache-2.0
/*
 * What must not harm any framework: the same tensors, models and orders of calls are tried
 * with each, and its row of the table has what it says of them. The models "pair" of all
 * frameworks make sum and difference of a and b, which have rows of three floats.
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "cli/base/framework.h"
#include "framework.h"

#define THREADS	    4
#define ROUNDS	    50
#define MODEL(name) MODELS "/" name
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum wrong {
	RANK,
	TYPE,
	SHAPE,
	BYTES,
	OVERFLOW,
	NEGATIVE,
	FEW,
	MANY,
	OUTPUTS,
	STRANGER,
	TWICE,
	NO_MODEL,
	HUGE_MODEL,
	WRONGS
};

typedef int model_fn(struct vaccel_session *sess, struct vaccel_resource *model);

/* @words of 0 code: no such thing can be wrong there. */
struct facts {
	const char *plugin;
	const char *suffix;
	model_fn *load;
	model_fn *unload;
	struct {
		int code;
		const char *words;
	} wrong[WRONGS];
};

static int tf_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	return vaccel_tf_model_load(sess, model, NULL);
}

static int tf_unload(struct vaccel_session *sess, struct vaccel_resource *model)
{
	return vaccel_tf_model_unload(sess, model, NULL);
}

/* What is told of tensors by those whose models say what they take. */
#define OF_TENSORS                                                                                 \
	[RANK] = {VACCEL_EINVAL, "input 'b' is float [3], and the model takes float [any, 3]"},    \
	[TYPE] = {VACCEL_EINVAL, "input 'b' is int32 [2, 3], and the model takes float [any, 3]"}, \
	[SHAPE] = {VACCEL_EINVAL, "input 'b' is float [2, 2]"},                                    \
	[BYTES] = {VACCEL_EINVAL, "input 'b' has 23 bytes of data; float [2, 3] is 24"},           \
	[OVERFLOW] = {VACCEL_ERANGE, "input 'b'"},                                                 \
	[NEGATIVE] = {VACCEL_EINVAL, "input 'b' has a dimension of -1; 0 is the least"}

static const struct facts all_facts[] = {
	[FRAMEWORK_ONNX] =
		{
			"onnx",
			".onnx",
			vaccel_onnx_model_load,
			vaccel_onnx_model_unload,
			{
				OF_TENSORS,
				[FEW] = {VACCEL_EINVAL,
					 "input 'b' is missing; it is float [any, 3]"},
				[MANY] = {VACCEL_EINVAL, "3 inputs, and the model has 2"},
				[OUTPUTS] = {VACCEL_EINVAL, "3 outputs, and the model has 2"},
				[STRANGER] = {VACCEL_EINVAL, "no input 'c'"},
				[TWICE] = {VACCEL_EINVAL, "input 'a' is there twice"},
				[NO_MODEL] = {VACCEL_EINVAL, "no ONNX model that ONNX Runtime"},
				[HUGE_MODEL] = {VACCEL_ENOMEM, "Expand node"},
			},
		},
	[FRAMEWORK_TFLITE] =
		{
			"tflite",
			".tflite",
			vaccel_tflite_model_load,
			vaccel_tflite_model_unload,
			{
				OF_TENSORS,
				[FEW] = {VACCEL_EINVAL,
					 "input 'b' is missing; it is float [any, 3]"},
				[MANY] = {VACCEL_EINVAL, "3 inputs, and the model has 2"},
				[OUTPUTS] = {VACCEL_EINVAL, "3 outputs, and the model has 2"},
				[NO_MODEL] = {VACCEL_EINVAL, "no TensorFlow Lite model"},
				[HUGE_MODEL] = {VACCEL_ENOMEM,
						"tensor 'much' takes 120000000000 bytes"},
			},
		},
	[FRAMEWORK_TF] =
		{
			"tf",
			".pb",
			tf_load,
			tf_unload,
			{
				OF_TENSORS,
				[FEW] = {VACCEL_EBACKEND, "'b'"},
				[MANY] = {VACCEL_EINVAL, "no node 'c' for an input"},
				[OUTPUTS] = {VACCEL_EINVAL, "no node 'product' for an output"},
				[STRANGER] = {VACCEL_EINVAL, "no node 'c' for an input"},
				[TWICE] = {VACCEL_EBACKEND, "a:0"},
				[NO_MODEL] = {VACCEL_EBACKEND, "GraphDef"},
				[HUGE_MODEL] = {VACCEL_ENOMEM, "shape[100000,300000]"},
			},
		},
	/* Its models do not say what tensors they take, but torch's words have those that there
	   were. */
	[FRAMEWORK_TORCH] =
		{
			"torch",
			".pt",
			vaccel_torch_model_load,
			NULL,
			{
				[RANK] = {VACCEL_EBACKEND, "b: Float [3]"},
				[TYPE] =
					{VACCEL_EBACKEND,
					 "(in torch.mm); the inputs were a: Float [2, 3], b: Int [2, 3]"},
				[SHAPE] = {VACCEL_EBACKEND, "b: Float [2, 2]"},
				[BYTES] = {VACCEL_EINVAL,
					   "input 'b' has 23 bytes of data; Float [2, 3] is 24"},
				[NEGATIVE] = {VACCEL_EINVAL,
					      "input 'b' cannot have the dimensions Float [-1, 3]"},
				[OVERFLOW] = {VACCEL_EINVAL,
					      "input 'b' cannot have the dimensions"},
				[FEW] = {VACCEL_EINVAL,
					 "'b' is missing; the model takes a: Tensor, b: Tensor"},
				[MANY] = {VACCEL_EINVAL, "3 inputs, and the model takes 2"},
				[OUTPUTS] =
					{VACCEL_EINVAL,
					 "3 outputs are asked for, and the model has returned 2"},
				[NO_MODEL] = {VACCEL_EINVAL, "no TorchScript model"},
				[HUGE_MODEL] = {VACCEL_ENOMEM, "(in torch.repeat)"},
			},
		},
};

static enum framework framework;
static const struct facts *facts;

static bool through_agent(void)
{
	return getenv("VACCEL_RPC_ADDRESS") != NULL;
}

static float ones[6] = {1, 1, 1, 1, 1, 1}, counted[6] = {1, 2, 3, 4, 5, 6};
static int64_t two_rows[] = {2, 3}, two_columns[] = {2, 2}, three[] = {3},
	       endless[] = {INT32_MAX, INT64_MAX / 2, 3}, negative[] = {-1, 3};

static struct vaccel_tensor floats(float *data, size_t nr_dims, int64_t *dims)
{
	size_t size = sizeof(float);

	for (size_t i = 0; i < nr_dims; i++)
		size *= (size_t)dims[i];
	return (struct vaccel_tensor){.data = data,
				      .size = size,
				      .nr_dims = nr_dims,
				      .dims = dims,
				      .data_type = VACCEL_TENSOR_FLOAT};
}

static void open_pair(struct vaccel_resource *model)
{
	char path[512];

	snprintf(path, sizeof(path), MODEL("pair%s"), facts->suffix);
	open_model(model, path);
}

static const char *const in_names[] = {"a", "b", "c"};

static int run(struct vaccel_resource *model, const char *const *names,
	       const struct vaccel_tensor *in, size_t nr_in, struct vaccel_tensor *out,
	       size_t nr_out)
{
	static const char *const out_names[] = {"sum", "difference", "product"};
	bool named = framework_has_names(framework);
	struct framework_run run = {
		.framework = framework,
		.sess = &session,
		.model = model,
		.in_names = named ? names : NULL,
		.in = in,
		.nr_in = nr_in,
		.out_names = named ? out_names : NULL,
		.out = out,
		.nr_out = nr_out,
	};

	return framework_run(&run);
}

/* Whether the model is what it was. */
static bool adds(struct vaccel_resource *model)
{
	static const float sums[6] = {2, 3, 4, 5, 6, 7};
	const struct vaccel_tensor in[] = {floats(counted, 2, two_rows), floats(ones, 2, two_rows)};
	struct vaccel_tensor out = {0};
	bool right;

	if (run(model, in_names, in, 2, &out, 1))
		return false;
	right = out.size == sizeof(sums);
	for (size_t i = 0; right && i < COUNT(sums); i++)
		right = ((const float *)out.data)[i] == sums[i];
	vaccel_tensor_release(&out);
	return right;
}

static void check_refused(struct vaccel_resource *model, enum wrong wrong, const char *const *names,
			  const struct vaccel_tensor *b, size_t nr_in, size_t nr_out)
{
	const struct vaccel_tensor a = floats(counted, 2, two_rows), in[] = {a, *b, a};
	struct vaccel_tensor out[3] = {0};

	if (!facts->wrong[wrong].code)
		return;
	assert_fails(run(model, names, in, nr_in, out, nr_out), facts->wrong[wrong].code,
		     facts->wrong[wrong].words);
	assert_null(out[0].data);
	assert_true(adds(model));
}

static void test_tensors(void **state)
{
	struct vaccel_tensor b = floats(ones, 2, two_rows);
	struct vaccel_resource model;

	open_pair(&model);
	check_refused(&model, SHAPE, in_names,
		      &(struct vaccel_tensor){ones, 16, false, 2, two_columns, VACCEL_TENSOR_FLOAT},
		      2, 1);
	b = floats(ones, 1, three);
	check_refused(&model, RANK, in_names, &b, 2, 1);
	b = floats(ones, 2, two_rows);
	b.data_type = VACCEL_TENSOR_INT32;
	check_refused(&model, TYPE, in_names, &b, 2, 1);
	b = floats(ones, 2, two_rows);
	b.size--;
	check_refused(&model, BYTES, in_names, &b, 2, 1);
	b = floats(ones, 2, two_rows);
	b.dims = endless + 1;
	check_refused(&model, OVERFLOW, in_names, &b, 2, 1);
	b.dims = negative;
	check_refused(&model, NEGATIVE, in_names, &b, 2, 1);
	close_model(&model);
}

static void test_counts_and_names(void **state)
{
	static const char *const stranger[] = {"a", "c"}, *const twice[] = {"a", "a"};
	struct vaccel_tensor b = floats(ones, 2, two_rows);
	struct vaccel_resource model;

	open_pair(&model);
	check_refused(&model, FEW, in_names, &b, 1, 1);
	check_refused(&model, MANY, in_names, &b, 3, 1);
	check_refused(&model, OUTPUTS, in_names, &b, 2, 3);
	check_refused(&model, STRANGER, stranger, &b, 2, 1);
	check_refused(&model, TWICE, twice, &b, 2, 1);
	close_model(&model);
}

/* No number goes through as one; no numbers make none. */
static void test_no_number_and_nothing(void **state)
{
	static int64_t none[] = {0, 3};
	float numbers[6] = {NAN, 0, 0, 1, 2, 3};
	const struct vaccel_tensor in[] = {floats(numbers, 2, two_rows), floats(ones, 2, two_rows)};
	const struct vaccel_tensor empty[] = {floats(NULL, 2, none), floats(NULL, 2, none)};
	struct vaccel_tensor out = {0};
	struct vaccel_resource model;

	open_pair(&model);
	assert_int_equal(run(&model, in_names, in, 2, &out, 1), VACCEL_OK);
	assert_true(isnan(((float *)out.data)[0]));
	assert_true(((float *)out.data)[5] == 4);
	vaccel_tensor_release(&out);
	assert_int_equal(run(&model, in_names, empty, 2, &out, 1), VACCEL_OK);
	assert_int_equal(out.size, 0);
	assert_int_equal(out.nr_dims, 2);
	assert_memory_equal(out.dims, none, sizeof(none));
	vaccel_tensor_release(&out);
	assert_true(adds(&model));
	close_model(&model);
}

/* An agent takes so much and no more of a tenant. */
static void test_more_than_an_agent_takes(void **state)
{
	int64_t dims[] = {200000, 3};
	float *data = calloc(600000, sizeof(*data));
	struct vaccel_tensor in[] = {floats(data, 2, dims), floats(data, 2, dims)}, out = {0};
	struct vaccel_resource model;
	char words[64];

	assert_non_null(data);
	open_pair(&model);
	snprintf(words, sizeof(words), "%s_model_run: a request of ", facts->plugin);
	if (through_agent())
		assert_fails(run(&model, in_names, in, 2, &out, 1), VACCEL_EDQUOT, words);
	assert_true(adds(&model));
	close_model(&model);
	free(data);
}

static void refuse_to_load(struct vaccel_resource *model)
{
	assert_fails(facts->load(&session, model), facts->wrong[NO_MODEL].code,
		     facts->wrong[NO_MODEL].words);
	assert_false(adds(model));
	close_model(model);
}

static void test_models_of_other_frameworks(void **state)
{
	static const char *const others[] = {MODEL("pair.onnx"), MODEL("pair.tflite"),
					     MODEL("pair.pb"), MODEL("pair.pt")};
	struct vaccel_resource model;

	for (size_t i = 0; i < COUNT(others); i++) {
		if (!strcmp(strrchr(others[i], '.'), facts->suffix))
			continue;
		open_model(&model, others[i]);
		refuse_to_load(&model);
	}
}

static void from_memory(struct vaccel_resource *model, const void *data, size_t size)
{
	assert_int_equal(vaccel_resource_init_from_buf(model, data, size, VACCEL_RESOURCE_MODEL,
						       "model", true),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(model, &session), VACCEL_OK);
}

/* What is left of a model may still be one, with less in it; but it does nothing else. */
static void test_truncated_models(void **state)
{
	struct vaccel_resource model;
	size_t whole;
	char path[512], *data;

	snprintf(path, sizeof(path), MODEL("pair%s"), facts->suffix);
	data = read_file(path, &whole);
	for (size_t size = 1; size < whole; size += size < 64 ? 1 : 7) {
		/* So much and no more, for those who look. */
		char *part = malloc(size);

		assert_non_null(part);
		memcpy(part, data, size);
		from_memory(&model, part, size);
		if (!adds(&model)) {
			assert_string_not_equal(vaccel_error_text(), "");
			assert_null(strchr(vaccel_error_text(), '\n'));
		}
		close_model(&model);
		free(part);
	}
	from_memory(&model, data, whole / 2);
	assert_int_not_equal(facts->load(&session, &model), VACCEL_OK);
	close_model(&model);
	free(data);
}

/* Not on a machine that would have it. */
static void limit_memory(struct rlimit *ret_before)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_AS, ret_before), 0);
	limit = *ret_before;
#ifndef SANITIZED
	limit.rlim_cur = (rlim_t)64 << 30;
#endif
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

static void test_a_model_that_wants_100_gb(void **state)
{
	static int64_t one[] = {1};
	static const char *const x[] = {"x"}, *const y[] = {"y"};
	const struct vaccel_tensor in = floats(ones, 1, one);
	struct vaccel_tensor out = {0};
	struct vaccel_resource model, pair;
	bool named = framework_has_names(framework);
	struct framework_run run = {framework,	      &session, &model, named ? x : NULL, &in, 1,
				    named ? y : NULL, &out,	1};
	struct rlimit before;
	char path[512];

#ifdef SANITIZED
	/* Its new ends the process where another one throws. */
	if (framework == FRAMEWORK_ONNX)
		skip();
#endif
	snprintf(path, sizeof(path), MODEL("huge%s"), facts->suffix);
	open_model(&model, path);
	open_pair(&pair);
	limit_memory(&before);
	assert_fails(framework_run(&run), facts->wrong[HUGE_MODEL].code,
		     facts->wrong[HUGE_MODEL].words);
	assert_null(out.data);
	assert_true(adds(&pair));
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	close_model(&pair);
	close_model(&model);
}

static void test_orders(void **state)
{
	struct vaccel_resource model;

	open_pair(&model);
	if (facts->unload)
		assert_fails(facts->unload(&session, &model), VACCEL_EINVAL, "is not loaded");
	/* Run before it is loaded, loaded twice, and run after it was unloaded. */
	assert_true(adds(&model));
	assert_int_equal(facts->load(&session, &model), VACCEL_OK);
	assert_int_equal(facts->load(&session, &model), VACCEL_OK);
	for (int i = 0; facts->unload && i < 2; i++)
		assert_int_equal(facts->unload(&session, &model), VACCEL_OK);
	assert_true(adds(&model));
	close_model(&model);
	/* Nor is one run that the session does not have. */
	assert_int_equal(vaccel_resource_init(&model, MODEL("pair.pt"), VACCEL_RESOURCE_MODEL),
			 VACCEL_OK);
	assert_false(adds(&model));
	assert_string_not_equal(vaccel_error_text(), "");
	close_model(&model);
}

static pthread_barrier_t together;
static atomic_bool unloading;

static void in_threads(void *(*work)(void *), void *arguments[THREADS], void *(*meanwhile)(void *),
		       void *argument)
{
	pthread_t thread[THREADS];
	void *failure, *wrong;

	assert_int_equal(pthread_barrier_init(&together, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, work, arguments[i]), 0);
	failure = meanwhile ? meanwhile(argument) : NULL;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &wrong);
		failure = failure ? failure : wrong;
	}
	pthread_barrier_destroy(&together);
	if (failure)
		fail_msg("%s", (char *)failure);
}

static void *add_often(void *model)
{
	const char *wrong = NULL;

	while (!wrong && unloading)
		if (!adds(model))
			wrong = "a sum is wrong";
	return (void *)wrong;
}

/* The model itself, and another resource of the same content. */
static const char *unload_once(struct vaccel_resource *model)
{
	struct vaccel_resource same;
	int ret;

	open_pair(&same);
	if (facts->load(&session, &same))
		return "cannot load";
	close_model(&same);
	ret = facts->unload ? facts->unload(&session, model) : VACCEL_OK;
	return ret && ret != VACCEL_EINVAL ? "cannot unload" : NULL;
}

static void *unload_often(void *model)
{
	const char *wrong = NULL;

	for (int i = 0; !wrong && i < ROUNDS; i++)
		wrong = unload_once(model);
	unloading = false;
	return (void *)wrong;
}

static void test_unloading_while_it_runs(void **state)
{
	struct vaccel_resource model;
	void *models[THREADS] = {&model, &model, &model, &model};

	open_pair(&model);
	unloading = true;
	in_threads(add_often, models, unload_often, &model);
	close_model(&model);
	if (!through_agent())
		assert_string_equal(reported("models"), "0 loaded");
}

static void *load_one(void *model)
{
	pthread_barrier_wait(&together);
	return facts->load(&session, model) ? (void *)"cannot load" : NULL;
}

static void *fail_to_load(void *model)
{
	pthread_barrier_wait(&together);
	if (facts->load(&session, model) != facts->wrong[NO_MODEL].code)
		return (void *)"it does not fail, or by another code";
	return strstr(vaccel_error_text(), facts->wrong[NO_MODEL].words)
		       ? NULL
		       : (void *)"it says something else";
}

static void load_together(const char *path, void *(*work)(void *), bool one)
{
	struct vaccel_resource model[THREADS];
	void *models[THREADS];

	for (int i = 0; i < (one ? 1 : THREADS); i++)
		open_model(&model[i], path);
	for (int i = 0; i < THREADS; i++)
		models[i] = &model[one ? 0 : i];
	in_threads(work, models, NULL, NULL);
	if (!through_agent())
		assert_string_equal(reported("models"), work == load_one ? "1 loaded" : "0 loaded");
	for (int i = 0; i < (one ? 1 : THREADS); i++)
		close_model(&model[i]);
}

static void test_loads_at_once(void **state)
{
	const char *other = framework == FRAMEWORK_TFLITE ? MODEL("pair.pt") : MODEL("pair.tflite");
	char path[512];

	snprintf(path, sizeof(path), MODEL("pair%s"), facts->suffix);
	for (int one = 0; one < 2; one++) {
		load_together(path, load_one, one);
		load_together(other, fail_to_load, one);
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_tensors),
		TEST(test_counts_and_names),
		TEST(test_no_number_and_nothing),
		TEST(test_more_than_an_agent_takes),
		TEST(test_models_of_other_frameworks),
		TEST(test_truncated_models),
		TEST(test_a_model_that_wants_100_gb),
		TEST(test_orders),
		TEST(test_unloading_while_it_runs),
		TEST(test_loads_at_once),
	};

	while (strcmp(all_facts[framework].plugin, FRAMEWORK) != 0)
		framework++;
	facts = &all_facts[framework];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
