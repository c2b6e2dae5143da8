// SPDX-License-Identifier: Apache-2.0
/* The run directory: where it is, when it comes and goes, crashes, forks, many at once. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <vaccel/error.h>
#include <vaccel/plugin.h>
#include <vaccel/utils/path.h>

#include "file/rundir.h"
#include "files.h"
#include "nomem.h"

#define NR_PROCESSES 8
#define NR_STARTS    40

static char *dir;    /* XDG_RUNTIME_DIR, or TMPDIR */
static char *parent; /* what is in it while there are run directories */

static int setup(void **state)
{
	dir = dir_new();
	parent = path_in(dir, "vaccel");
	setenv("XDG_RUNTIME_DIR", dir, 1);
	unsetenv("TMPDIR");
	return 0;
}

static int setup_tmp(void **state)
{
	dir = dir_new();
	assert_true(asprintf(&parent, "%s/vaccel-%u", dir, (unsigned int)geteuid()) > 0);
	setenv("TMPDIR", dir, 1);
	unsetenv("XDG_RUNTIME_DIR");
	return 0;
}

static int teardown(void **state)
{
	rundir_cleanup();
	free(parent);
	dir_remove(dir);
	return 0;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void assert_below(const char *path, const char *where)
{
	assert_non_null(path);
	assert_int_equal(strncmp(path, where, strlen(where)), 0);
	assert_int_equal(path[strlen(where)], '/');
}

static void test_made_when_asked_for(void **state)
{
	const char *path;
	char *old;

	rundir_sweep();
	rundir_cleanup();
	assert_int_equal(dir_count(dir), 0);
	path = rundir_path();
	assert_below(path, parent);
	assert_ptr_equal(rundir_path(), path);
	assert_int_equal(mode_of(path), 0700);
	assert_int_equal(mode_of(parent), 0700);
	assert_int_equal(dir_count(parent), 1);

	old = strdup(path);
	free(file_new(path, "file", "x"));
	rundir_cleanup();
	assert_int_equal(dir_count(dir), 0);
	rundir_cleanup();
	path = rundir_path();
	assert_below(path, parent);
	assert_string_not_equal(path, old);
	free(old);
}

static void test_under_tmpdir(void **state)
{
	assert_below(rundir_path(), parent);
	assert_int_equal(mode_of(parent), 0700);
	rundir_cleanup();
	assert_int_equal(dir_count(dir), 0);
}

static void test_an_unusable_runtime_dir_is_passed_over(void **state)
{
	char *open_dir = path_in(dir, "open"), *gone = path_in(dir, "gone");
	const char *const useless[] = {open_dir, gone, "relative", ""};

	assert_int_equal(mkdir(open_dir, 0777), 0);
	assert_int_equal(chmod(open_dir, 0777), 0);
	for (size_t i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
		setenv("XDG_RUNTIME_DIR", useless[i], 1);
		assert_below(rundir_path(), parent);
		rundir_cleanup();
	}
	free(open_dir);
	free(gone);
}

static void test_without_any_variable_it_is_in_tmp(void **state)
{
	setenv("TMPDIR", "", 1);
	assert_below(rundir_path(), "/tmp");
	rundir_cleanup();
}

static void assert_agent_at(const char *expected, bool safe)
{
	bool is_safe = false;
	char *path = rundir_agent_socket(&is_safe);

	assert_int_equal(is_safe, safe);

	if (expected)
		assert_string_equal(path, expected);
	else
		assert_null(path);
	free(path);
}

static void test_an_agent_of_ones_own(void **state)
{
	char *own = path_in(parent, "agent.sock");

	/* A directory that is not there somebody else may make before the socket is connected to.
	 */
	assert_agent_at(own, false);
	assert_int_equal(mkdir(parent, 0700), 0);
	assert_agent_at(own, true);
	/* Where others can put something in its place it is nobody's. */
	assert_int_equal(chmod(parent, 0777), 0);
	assert_agent_at(NULL, false);
	free(own);
}

static void assert_refused(void)
{
	char *made = NULL;

	assert_null(rundir_path());
	assert_int_equal(rundir_make("x", &made), VACCEL_EPERM);
	assert_null(made);
	assert_non_null(strstr(vaccel_error_text(), parent));
	assert_non_null(strstr(vaccel_error_text(), "XDG_RUNTIME_DIR"));
	rundir_sweep();
}

static void test_what_is_not_private_is_refused(void **state)
{
	char *elsewhere = path_in(dir, "elsewhere");

	assert_int_equal(mkdir(parent, 0700), 0);
	assert_int_equal(chmod(parent, 0750), 0);
	assert_refused();
	assert_int_equal(rmdir(parent), 0);

	assert_int_equal(mkdir(elsewhere, 0700), 0);
	assert_int_equal(symlink(elsewhere, parent), 0);
	assert_refused();
	assert_int_equal(unlink(parent), 0);

	file_fill(parent, "x", 1);
	assert_refused();
	assert_int_equal(unlink(parent), 0);
	free(elsewhere);
}

static void test_a_missing_tmpdir(void **state)
{
	char *gone = path_in(dir, "gone");

	setenv("TMPDIR", gone, 1);
	assert_null(rundir_path());
	assert_non_null(strstr(vaccel_error_text(), "gone"));
	rundir_sweep();
	free(gone);
}

static void test_make_and_remove(void **state)
{
	char *first, *second, *outside = path_in(dir, "outside"), *link, *beside;

	assert_int_equal(mkdir(outside, 0700), 0);
	free(file_new(outside, "kept", "x"));
	assert_int_equal(rundir_make("session", &first), VACCEL_OK);
	assert_int_equal(rundir_make("session", &second), VACCEL_OK);
	assert_string_not_equal(first, second);
	assert_below(first, rundir_path());
	assert_non_null(strstr(first, "/session-"));
	assert_int_equal(mode_of(first), 0700);

	dir_make(first, "a");
	dir_make(first, "a/b");
	free(file_new(first, "a/b/c", "x"));
	link = path_in(first, "a/link");
	assert_int_equal(symlink(outside, link), 0);
	rundir_remove_tree(first);
	assert_false(vaccel_path_exists(first));
	assert_int_equal(dir_count(outside), 1);

	/* Only below the run directory, and not that itself. */
	rundir_remove_tree(outside);
	rundir_remove_tree(rundir_path());
	rundir_remove_tree(NULL);
	assert_int_equal(dir_count(outside), 1);
	assert_true(asprintf(&beside, "%sx%s", rundir_path(), strrchr(second, '/') + 1) > 0);
	rundir_remove_tree(beside);
	free(beside);
	assert_true(vaccel_path_is_dir(second));
	free(first);
	free(second);
	free(outside);
	free(link);
}

/* Deeper than descriptors would last. */
static void test_a_tree_without_bottom(void **state)
{
	char *top;
	int fd;

	assert_int_equal(rundir_make("deep", &top), VACCEL_OK);
	fd = open(top, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 100; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	close(fd);
	rundir_remove_tree(top);
	assert_true(vaccel_path_is_dir(top));
	free(top);
}

/* A child with a run directory and a file in it, which waits to be killed. */
static pid_t start_child(void)
{
	pid_t child;
	char byte;
	int ready[2];

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		const char *path = rundir_path();

		/* Not to be left behind by a test that fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!path)
			_exit(1);
		free(file_new(path, "left", "x"));
		dir_make(path, "sub");
		free(file_new(path, "sub/left", "x"));
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void kill_child(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void test_a_crash_is_swept_by_the_next_start(void **state)
{
	pid_t child = start_child();

	rundir_sweep();
	assert_int_equal(dir_count(parent), 1);
	kill_child(child);
	assert_int_equal(dir_count(parent), 1);
	rundir_sweep();
	assert_int_equal(dir_count(dir), 0);
}

static void test_making_one_sweeps_as_well(void **state)
{
	pid_t dead = start_child(), alive = start_child();

	kill_child(dead);
	assert_int_equal(dir_count(parent), 2);
	assert_non_null(rundir_path());
	assert_int_equal(dir_count(parent), 2);
	kill_child(alive);
	rundir_sweep();
	assert_int_equal(dir_count(parent), 1);
	assert_true(vaccel_path_is_dir(rundir_path()));
}

static void test_what_is_not_ours_is_not_swept(void **state)
{
	assert_int_equal(mkdir(parent, 0700), 0);
	free(file_new(parent, "run-file", "x"));
	dir_make(parent, "other");
	rundir_sweep();
	assert_int_equal(dir_count(parent), 2);
}

/* Somebody cleaned up. The path that the program has is that of a directory again. */
static void test_made_again_where_it_was(void **state)
{
	const char *path = rundir_path();
	char *made;

	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(parent), 0);
	assert_int_equal(rundir_make("kept", &made), VACCEL_OK);
	assert_ptr_equal(rundir_path(), path);
	assert_below(made, path);
	assert_true(vaccel_path_is_dir(made));
	/* It is locked as the first was. */
	rundir_sweep();
	assert_true(vaccel_path_is_dir(made));
	rundir_cleanup();
	assert_int_equal(dir_count(dir), 0);
	free(made);
}

static void test_a_forked_child_makes_its_own(void **state)
{
	char *ours = strdup(rundir_path()), *made;
	int status;
	pid_t child;

	assert_int_equal(rundir_make("kept", &made), VACCEL_OK);
	child = fork();
	if (!child) {
		const char *own;

		/* What it inherited is not its own, to clean up or to remove. */
		rundir_cleanup();
		rundir_remove_tree(made);
		own = rundir_path();
		if (!own || !strcmp(own, ours) || !vaccel_path_is_dir(own))
			_exit(1);
		rundir_remove_tree(made);
		rundir_sweep();
		status = vaccel_path_is_dir(made) ? 0 : 2;
		rundir_cleanup();
		free(ours);
		free(made);
		_exit(dir_count(parent) == 1 ? status : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_string_equal(rundir_path(), ours);
	assert_true(vaccel_path_is_dir(made));
	free(ours);
	free(made);
}

/* A child that outlives its parent does not keep the parent's directory. */
static void test_a_child_does_not_hold_its_parents_directory(void **state)
{
	int to_parent[2], to_child[2];
	char byte;
	pid_t middle, grandchild;

	assert_int_equal(pipe(to_parent), 0);
	assert_int_equal(pipe(to_child), 0);
	middle = fork();
	if (!middle) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!rundir_path())
			_exit(1);
		grandchild = fork();
		if (!grandchild) {
			close(to_child[1]);
			if (write(to_parent[1], "x", 1) != 1)
				_exit(1);
			_exit(read(to_child[0], &byte, 1) < 0);
		}
		for (;;)
			pause();
	}
	assert_int_equal(read(to_parent[0], &byte, 1), 1);
	kill_child(middle);
	rundir_sweep();
	assert_int_equal(dir_count(dir), 0);
	close(to_child[0]);
	close(to_child[1]);
	close(to_parent[0]);
	close(to_parent[1]);
}

static int start_and_stop_often(void)
{
	for (int i = 0; i < NR_STARTS; i++) {
		const char *path;

		rundir_sweep();
		path = rundir_path();
		if (!path) {
			fprintf(stderr, "%s\n", vaccel_error_text());
			return 1;
		}
		free(file_new(path, "file", "x"));
		if (i % 2 && !vaccel_path_is_dir(path))
			return 2;
		rundir_cleanup();
	}
	return 0;
}

static void test_many_processes_start_and_stop_at_once(void **state)
{
	pid_t children[NR_PROCESSES];
	int status;

	for (size_t i = 0; i < NR_PROCESSES; i++) {
		children[i] = fork();
		if (!children[i])
			_exit(start_and_stop_often());
	}
	for (size_t i = 0; i < NR_PROCESSES; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(dir_count(dir), 0);
}

static void *ask(void *context)
{
	return (void *)rundir_path();
}

static void test_threads_share_it(void **state)
{
	pthread_t threads[8];
	void *path, *first = NULL;

	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, NULL), 0);
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], &path);
		assert_non_null(path);
		first = first ? first : path;
		assert_ptr_equal(path, first);
	}
	assert_int_equal(dir_count(parent), 1);
}

static void test_no_descriptor_is_left(void **state)
{
	int before = descriptors();

	assert_non_null(rundir_path());
	rundir_sweep();
	assert_int_equal(descriptors(), before + 1);
	rundir_cleanup();
	assert_int_equal(descriptors(), before);
}

static int make_and_clean_up(void)
{
	char *made;
	int ret = rundir_make("x", &made);

	if (!ret)
		free(made);
	rundir_cleanup();
	return ret;
}

static void test_no_memory(void **state)
{
	NOMEM_SWEEP(make_and_clean_up());
	assert_int_equal(dir_count(dir), 0);
	nomem_after(0);
	rundir_sweep();
	nomem_after(-1);
}

#define TEST(name)     cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_TMP(name) cmocka_unit_test_setup_teardown(name, setup_tmp, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_made_when_asked_for),
		TEST_TMP(test_under_tmpdir),
		TEST_TMP(test_an_unusable_runtime_dir_is_passed_over),
		TEST_TMP(test_without_any_variable_it_is_in_tmp),
		TEST(test_an_agent_of_ones_own),
		TEST_TMP(test_what_is_not_private_is_refused),
		TEST_TMP(test_a_missing_tmpdir),
		TEST(test_make_and_remove),
		TEST(test_a_tree_without_bottom),
		TEST(test_a_crash_is_swept_by_the_next_start),
		TEST(test_making_one_sweeps_as_well),
		TEST(test_what_is_not_ours_is_not_swept),
		TEST(test_made_again_where_it_was),
		TEST(test_a_forked_child_makes_its_own),
		TEST(test_a_child_does_not_hold_its_parents_directory),
		TEST(test_many_processes_start_and_stop_at_once),
		TEST(test_threads_share_it),
		TEST(test_no_memory),
		TEST(test_no_descriptor_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
