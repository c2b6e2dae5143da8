// SPDX-License-Identifier: Apache-2.0
/*
 * conform [--echo] [--ops OP,OP…] [--library PATH] [--models DIR [--pictures]] [--seed N]
 *
 * --echo: the backend answers without computing. --ops: operations that must be
 * there; others may answer VACCEL_ENOTSUP. --library, --models, --pictures: see conform.h.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "conform.h"

struct vaccel_session conform_sess;
bool conform_computes = true;
const char *conform_library;
const char *conform_models;
bool conform_pictures;

static const char *promised = "";
static uint64_t random_state = 1;

static bool is_promised(const char *op)
{
	size_t length = strlen(op);

	for (const char *at = promised; (at = strstr(at, op)); at += length)
		if ((at == promised || at[-1] == ',') && (!at[length] || at[length] == ','))
			return true;
	return !strcmp(promised, "all");
}

void skip_unless_offered(int ret, const char *op)
{
	if (ret != VACCEL_ENOTSUP)
		return;
	assert_non_null(strstr(vaccel_error_text(), op));
	if (is_promised(op))
		fail_msg("%s was promised, and: %s", op, vaccel_error_text());
	skip();
}

int64_t random_between(int64_t least, int64_t most)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return least + (int64_t)(random_state % (uint64_t)(most - least + 1));
}

float random_float(void)
{
	return (float)random_between(-64, 64) / 8;
}

/* Whatever the backend: an argument that must be there is missed. */
static void test_arguments_that_are_missing(void **state)
{
	const struct vaccel_op *op;

	for (size_t i = 0; (op = vaccel_op_at(i)); i++) {
		bool needed = false;
		void *args = calloc(1, op->args_size);

		for (size_t j = 0; j < op->nr_fields; j++)
			needed |= !(op->fields[j].marks & VACCEL_MARK_OPTIONAL);
		if (needed)
			assert_refused(vaccel_call(&conform_sess, op, args));
		free(args);
	}
}

static int run_group(const char *name, const struct CMUnitTest *tests, size_t nr)
{
	return _cmocka_run_group_tests(name, tests, nr, NULL, NULL);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"echo", no_argument, NULL, 'e'},
						{"ops", required_argument, NULL, 'o'},
						{"library", required_argument, NULL, 'l'},
						{"models", required_argument, NULL, 'm'},
						{"pictures", no_argument, NULL, 'p'},
						{"seed", required_argument, NULL, 's'},
						{0}};
	const struct CMUnitTest general[] = {cmocka_unit_test(test_arguments_that_are_missing)};
	int option, failed;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'e')
			conform_computes = false;
		else if (option == 'o')
			promised = optarg;
		else if (option == 'l')
			conform_library = optarg;
		else if (option == 'm')
			conform_models = optarg;
		else if (option == 'p')
			conform_pictures = true;
		else if (option == 's')
			random_state = strtoull(optarg, NULL, 10);
		else
			return EXIT_FAILURE;
	}
	if (conform_pictures && !conform_models)
		return EXIT_FAILURE;
	random_state = random_state ? random_state : 1;
	printf("seed %llu\n", (unsigned long long)random_state);
	if (vaccel_session_init(&conform_sess, 0)) {
		fprintf(stderr, "no session: %s\n", vaccel_error_text());
		return EXIT_FAILURE;
	}
	printf("plugin %s\n", conform_sess.plugin->info->name);
	failed = run_group("general", general, 1);
	/* Before any model is registered, which would be for pictures, too. */
	failed += run_group("pictures", picture_tests, nr_picture_tests);
	failed += run_group("numbers", number_tests, nr_number_tests);
	failed += run_group("models", model_tests, nr_model_tests);
	failed += run_group("pairs", pair_tests, nr_pair_tests);
	failed += run_group("exec", exec_tests, nr_exec_tests);
	failed += vaccel_session_release(&conform_sess) != VACCEL_OK;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
