// SPDX-License-Identifier: Apache-2.0
/* Bootstrap, reload, cleanup and fork, and what a bad configuration does to sessions. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel.h>

#define THREADS 4
#define FORKS	100
#define STUCK_S 20

static int clean(void **state)
{
	unsetenv("VACCEL_PLUGINS");
	unsetenv("VACCEL_LOG_LEVEL");
	unsetenv("VACCEL_LOG_FILE");
	return vaccel_cleanup();
}

static void test_before_bootstrap(void **state)
{
	struct vaccel_session sess = {0}, *found;

	assert_string_equal(vaccel_version(), VACCEL_VERSION);
	assert_false(vaccel_is_initialized());
	assert_null(vaccel_config()->plugins);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ESESS);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_ESESS);
	assert_int_equal(vaccel_session_update(&sess, 0), VACCEL_ESESS);
	assert_int_equal(vaccel_session_get_by_id(&found, 1), VACCEL_EPERM);
	assert_int_equal(vaccel_noop(&sess), VACCEL_ESESS);
	assert_non_null(strstr(vaccel_error_text(), "vaccel_bootstrap()"));
	assert_int_equal(vaccel_plugin_load("noop"), VACCEL_ESESS);
	assert_int_equal(vaccel_plugin_parse_and_load("noop"), VACCEL_ESESS);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
}

static void test_environment(void **state)
{
	struct vaccel_session sess;

	setenv("VACCEL_PLUGINS", "noop", 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	assert_true(vaccel_is_initialized());
	assert_string_equal(vaccel_config()->plugins, "noop");
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	assert_false(vaccel_is_initialized());
}

static void test_program_without_plugins(void **state)
{
	struct vaccel_config config = {.log_level = VACCEL_LOG_ERROR};
	struct vaccel_session sess = {.id = 77};

	assert_int_equal(vaccel_bootstrap_with_config(&config), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ENOTSUP);
	assert_non_null(strstr(vaccel_error_text(), "VACCEL_PLUGINS"));
	assert_int_equal(sess.id, 77);
	assert_int_equal(vaccel_plugin_load("noop"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_bootstrap_with_config(NULL), VACCEL_EINVAL);
	assert_true(vaccel_is_initialized());
}

/* The error of a bad configuration is that of every session, until a bootstrap succeeds. */
static void assert_refused(const char *variable, const char *value, int code, const char *words)
{
	struct vaccel_session sess;

	setenv(variable, value, 1);
	setenv("VACCEL_LOG_FILE", "/dev/null", 0);
	assert_int_equal(vaccel_bootstrap(), code);
	assert_non_null(strstr(vaccel_error_text(), words));
	assert_false(vaccel_is_initialized());
	vaccel_fail(VACCEL_EIO, "something else meanwhile");
	assert_int_equal(vaccel_session_init(&sess, 0), code);
	assert_non_null(strstr(vaccel_error_text(), words));
	unsetenv(variable);
	unsetenv("VACCEL_LOG_FILE");
	setenv("VACCEL_PLUGINS", "noop", 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	clean(NULL);
}

static void test_bad_configurations(void **state)
{
	assert_refused("VACCEL_PLUGINS", "nobody", VACCEL_ENOENT, "libvaccel-nobody.so");
	assert_refused("VACCEL_PLUGINS", "noop:/nowhere/x.so", VACCEL_ENOENT, "/nowhere/x.so");
	assert_refused("VACCEL_LOG_LEVEL", "loud", VACCEL_EINVAL, "VACCEL_LOG_LEVEL");
	assert_refused("VACCEL_LOG_FILE", "/nowhere/log", VACCEL_ENOENT, "/nowhere/log");
}

/* A session of before a reload is refused, not looked into. */
static void test_reload(void **state)
{
	struct vaccel_session before, after, *allocated;
	vaccel_id_t last;

	setenv("VACCEL_PLUGINS", "noop", 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&before, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_new(&allocated, 0), VACCEL_OK);
	last = allocated->id;
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	assert_int_equal(vaccel_noop(&before), VACCEL_ESESS);
	assert_int_equal(vaccel_session_release(&before), VACCEL_ESESS);
	assert_int_equal(vaccel_session_delete(allocated), VACCEL_ESESS);
	assert_int_equal(vaccel_session_init(&after, 0), VACCEL_OK);
	assert_true(after.id > last);
	assert_int_equal(vaccel_noop(&after), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&after), VACCEL_OK);
	/* What vaccel_config() points to may be given back. */
	assert_int_equal(vaccel_bootstrap_with_config(vaccel_config()), VACCEL_OK);
	assert_string_equal(vaccel_config()->plugins, "noop");
}

static void test_rundir_is_gone_after_cleanup(void **state)
{
	struct vaccel_session sess;
	struct stat status;
	char *path, *session;

	setenv("VACCEL_PLUGINS", "noop", 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	path = strdup(vaccel_rundir());
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	session = strdup(vaccel_session_rundir(&sess));
	assert_string_equal(session, vaccel_session_rundir(&sess));
	assert_int_equal(strncmp(session, path, strlen(path)), 0);
	assert_int_equal(stat(session, &status), 0);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_not_equal(stat(session, &status), 0);
	assert_null(vaccel_session_rundir(&sess));
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	assert_int_not_equal(stat(path, &status), 0);
	free(session);
	free(path);
}

static atomic_bool enough;

/* Takes the locks of both tables and no memory: a child of a sanitizer's could not get any then. */
static void *keep_looking(void *unused)
{
	struct vaccel_resource *res;
	struct vaccel_session *sess;

	while (!atomic_load(&enough)) {
		vaccel_session_get_by_id(&sess, INT64_MAX);
		vaccel_resource_get_by_id(&res, INT64_MAX);
	}
	return NULL;
}

static int use_all(void)
{
	struct vaccel_session sess;
	struct vaccel_resource res;
	int ret = vaccel_session_init(&sess, 0);

	if (!ret)
		ret = vaccel_resource_init_from_buf(&res, "x", 1, VACCEL_RESOURCE_DATA, "x", false);
	if (!ret)
		ret = vaccel_resource_register(&res, &sess);
	if (!ret)
		ret = vaccel_noop(&sess);
	if (!ret)
		ret = vaccel_resource_release(&res);
	return ret ? ret : vaccel_session_release(&sess);
}

/*
 * Tells how it went and is gone at once: what the other threads had of memory is
 * lost in a child, and no leak.
 */
static void be_child(int answer)
{
	int ret;

	alarm(STUCK_S);
	ret = use_all() || vaccel_cleanup();
	if (write(answer, &ret, sizeof(ret)) == sizeof(ret))
		raise(SIGKILL);
	_exit(1);
}

/* Whatever other threads were at when the process was copied, the child can go on. */
static void test_forks_among_threads(void **state)
{
	pthread_t threads[THREADS];
	int answer[2], ret = VACCEL_OK;

	assert_int_equal(pipe2(answer, O_NONBLOCK), 0);
	setenv("VACCEL_PLUGINS", "noop", 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	atomic_store(&enough, false);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, keep_looking, NULL), 0);
	for (int i = 0; i < FORKS && !ret; i++) {
		pid_t child = fork();

		if (!child)
			be_child(answer[1]);
		waitpid(child, NULL, 0);
		/* One that got stuck wrote nothing. */
		if (read(answer[0], &ret, sizeof(ret)) != sizeof(ret))
			ret = -1;
	}
	atomic_store(&enough, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	close(answer[0]);
	close(answer[1]);
	assert_int_equal(ret, VACCEL_OK);
}

/* Programs of which the environment makes no sense; what each does is its argument. */

static int be_program(const char *deed)
{
	struct vaccel_session sess = {0};

	if (!strcmp(deed, "nothing"))
		return 0;
	if (vaccel_session_init(&sess, 0) != VACCEL_EINVAL)
		return 1;
	if (!strcmp(deed, "says"))
		fprintf(stderr, "%s\n", vaccel_error_text());
	if (!strcmp(deed, "goes on")) {
		vaccel_noop(&sess);
		_exit(0);
	}
	return 0;
}

#define NOT_FOR_THIS_KERNEL 3

/* How often it is told why on stderr. */
static int told_by(const char *deed)
{
	char text[4096] = "";
	size_t size = 0;
	ssize_t got;
	int ends[2], status, count = 0;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		setenv("VACCEL_BOOTSTRAP_ENABLED", "1", 1);
		setenv("VACCEL_LOG_LEVEL", "loud", 1);
		execl("/proc/self/exe", "program", deed, NULL);
		_exit(errno == ENOEXEC ? NOT_FOR_THIS_KERNEL : 2);
	}
	close(ends[1]);
	while ((got = read(ends[0], text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)got;
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOR_THIS_KERNEL) {
		print_message("this kernel runs no programs for the emulated processor\n");
		skip();
	}
	assert_int_equal(status, 0);
	for (const char *at = text; (at = strstr(at, "VACCEL_LOG_LEVEL is 'loud'")); at++)
		count++;
	return count;
}

static void test_a_program_is_told_once(void **state)
{
	assert_int_equal(told_by("nothing"), 1);
	assert_int_equal(told_by("ignores"), 1);
	assert_int_equal(told_by("goes on"), 1);
	assert_int_equal(told_by("says"), 1);
}

static int lines_with(FILE *log, const char *part)
{
	char line[1024];
	int lines = 0;

	rewind(log);
	while (fgets(line, sizeof(line), log))
		lines += strstr(line, part) != NULL;
	return lines;
}

/* The first bootstrap's log is too quiet for it, and does not use the one warning up. */
static void test_old_names_are_warned_of_once(void **state)
{
	char path[] = "/tmp/vaccel-old-names-XXXXXX";
	FILE *log = fdopen(mkstemp(path), "r");

	assert_non_null(log);
	setenv("VACCEL_LOG_FILE", path, 1);
	setenv("VACCEL_BACKENDS", "noop", 1);
	setenv("VACCEL_EXEC_DLCLOSE", "1", 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	assert_int_equal(lines_with(log, "is an old name"), 0);
	setenv("VACCEL_LOG_LEVEL", "2", 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
		assert_string_equal(vaccel_config()->plugins, "noop");
		assert_int_equal(lines_with(log, "VACCEL_BACKENDS is an old name"), 1);
		assert_int_equal(lines_with(log, "VACCEL_EXEC_DLCLOSE is an old name"), 1);
	}
	unsetenv("VACCEL_BACKENDS");
	unsetenv("VACCEL_EXEC_DLCLOSE");
	fclose(log);
	assert_int_equal(unlink(path), 0);
}

/* Each call is in one report: of the process that made it, and of the first that comes. */
static void test_profile_is_told_once(void **state)
{
	char path[] = "/tmp/vaccel-profile-XXXXXX";
	struct vaccel_config config = {.plugins = (char *)"noop",
				       .log_level = VACCEL_LOG_INFO,
				       .log_file = path,
				       .profiling_enabled = true};
	int fd = mkstemp(path), status;
	struct vaccel_session sess;
	pid_t child;
	FILE *log;

	assert_true(fd >= 0);
	assert_int_equal(vaccel_bootstrap_with_config(&config), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	child = fork();
	if (!child)
		_exit(vaccel_cleanup());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(vaccel_bootstrap_with_config(&config), VACCEL_OK);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	assert_false(vaccel_prof_enabled());
	log = fdopen(fd, "r");
	assert_int_equal(lines_with(log, "[prof] vaccel_noop"), 1);
	fclose(log);
	unlink(path);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_program_is_told_once),
		cmocka_unit_test(test_before_bootstrap),
		cmocka_unit_test_teardown(test_environment, clean),
		cmocka_unit_test_teardown(test_program_without_plugins, clean),
		cmocka_unit_test_teardown(test_bad_configurations, clean),
		cmocka_unit_test_teardown(test_reload, clean),
		cmocka_unit_test_teardown(test_rundir_is_gone_after_cleanup, clean),
		cmocka_unit_test_teardown(test_forks_among_threads, clean),
		cmocka_unit_test_teardown(test_old_names_are_warned_of_once, clean),
		cmocka_unit_test_teardown(test_profile_is_told_once, clean),
	};

	if (argc > 1)
		return be_program(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
