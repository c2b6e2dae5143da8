// SPDX-License-Identifier: Apache-2.0
/* Which of several plugins does a session's work. Each fake one answers with its own number. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

enum { ALPHA = 1, BETA, CPU, DEBUG, PICKY, REMOTE };

static int install_all(void **state)
{
	int ret = scratch_setup(state);

	for (const char *const *name = (const char *const[]){"alpha", "beta", "cpu", "debug",
							     "picky", "remote", NULL};
	     !ret && *name; name++)
		install_fake(*state, *name, true);
	return ret;
}

static int answer_for(uint32_t flags, int n)
{
	struct vaccel_session sess;
	int answer;

	assert_int_equal(vaccel_session_init(&sess, flags), VACCEL_OK);
	answer = who_answers(&sess, n);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	return answer;
}

static void test_a_hint_finds_the_first_that_has_a_bit(void **state)
{
	struct vaccel_session sess;

	assert_int_equal(boot("alpha:beta:cpu"), VACCEL_OK);
	assert_int_equal(answer_for(0, 1), ALPHA);
	assert_int_equal(answer_for(VACCEL_PLUGIN_GPU, 1), ALPHA);
	assert_int_equal(answer_for(VACCEL_PLUGIN_FPGA, 1), BETA);
	assert_int_equal(answer_for(VACCEL_PLUGIN_CPU, 1), CPU);
	assert_int_equal(answer_for(VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_FPGA, 1), BETA);
	assert_int_equal(answer_for(VACCEL_PLUGIN_ALL, 1), ALPHA);
	/* Nobody has this bit: it is only a preference. */
	assert_int_equal(answer_for(VACCEL_PLUGIN_JETSON, 1), ALPHA);

	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_FPGA), VACCEL_OK);
	assert_string_equal(sess.plugin->info->name, "beta");
	assert_false(sess.is_virtio);
	assert_int_equal(who_answers(&sess, 1), BETA);
	assert_int_equal(vaccel_session_update(&sess, VACCEL_PLUGIN_CPU), VACCEL_OK);
	assert_string_equal(sess.plugin->info->name, "cpu");
	assert_int_equal(who_answers(&sess, 1), CPU);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_local_plugins_go_before_a_remote_one(void **state)
{
	struct vaccel_session sess;

	assert_int_equal(boot("remote:alpha"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_string_equal(sess.plugin->info->name, "alpha");
	assert_false(sess.is_virtio);
	assert_int_equal(sess.remote_id, 0);
	assert_int_equal(who_answers(&sess, 1), ALPHA);
	/* What no local plugin has goes to the remote one, and its refusal is final. */
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(vaccel_image_detection(&sess, "x", NULL, 1, 0), VACCEL_ENOTSUP);
	assert_says("nobody there has 'image_detect_boxes'");
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_remote_insists(void **state)
{
	struct vaccel_session sess;

	assert_int_equal(boot("alpha:remote"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_REMOTE), VACCEL_OK);
	assert_string_equal(sess.plugin->info->name, "remote");
	assert_true(sess.is_virtio);
	assert_int_equal(sess.remote_id, 1000 + sess.id);
	assert_int_equal(who_answers(&sess, 1), REMOTE);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(answer_for(VACCEL_PLUGIN_REMOTE | VACCEL_PLUGIN_GPU, 1), REMOTE);
	assert_int_equal(answer_for(VACCEL_PLUGIN_ALL, 1), ALPHA);

	/* Whom any will do insists on none: nothing is opened elsewhere before a call needs it. */
	setenv("VACCEL_RPC_ADDRESS", "unix:///nowhere", 1);
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_ALL), VACCEL_OK);
	assert_string_equal(sess.plugin->info->name, "remote");
	assert_int_equal(sess.remote_id, 0);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	unsetenv("VACCEL_RPC_ADDRESS");
	assert_int_equal(boot(""), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_ALL), VACCEL_ENOTSUP);
	assert_says("no plugin is loaded");

	assert_int_equal(boot("alpha"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_REMOTE), VACCEL_ENOTSUP);
	assert_says("remote");
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_CPU), VACCEL_OK);
	assert_int_equal(vaccel_session_update(&sess, VACCEL_PLUGIN_REMOTE), VACCEL_ENOTSUP);
	assert_int_equal(who_answers(&sess, 1), ALPHA);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_a_remote_plugin_alone(void **state)
{
	struct vaccel_session sess;

	assert_int_equal(boot("remote"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_GPU), VACCEL_OK);
	assert_true(sess.is_virtio);
	assert_int_equal(sess.remote_id, 1000 + sess.id);
	assert_int_equal(who_answers(&sess, 1), REMOTE);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_auto_puts_remote_last_or_first(void **state)
{
	struct vaccel_session sess;

	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_string_equal(plugin_names(), "alpha beta picky cpu remote");
	assert_int_equal(answer_for(0, 1), ALPHA);
	assert_int_equal(answer_for(VACCEL_PLUGIN_CPU, 1), CPU);
	assert_int_equal(answer_for(VACCEL_PLUGIN_REMOTE, 1), REMOTE);

	setenv("VACCEL_RPC_ADDRESS", "unix:///nowhere", 1);
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_string_equal(plugin_names(), "remote alpha beta picky cpu");
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_CPU), VACCEL_OK);
	assert_string_equal(sess.plugin->info->name, "remote");
	assert_int_equal(who_answers(&sess, 1), REMOTE);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	/* An explicit list keeps to its own rules. */
	assert_int_equal(boot("remote:cpu"), VACCEL_OK);
	assert_int_equal(answer_for(0, 1), CPU);
	unsetenv("VACCEL_RPC_ADDRESS");
}

static void test_an_agent_that_is_named_is_not_passed_over(void **state)
{
	struct vaccel_session sess;

	write_file(path_in(*state, "libvaccel-remote.so"), "no plugin");
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(answer_for(0, 1), ALPHA);

	setenv("VACCEL_RPC_ADDRESS", "unix:///nowhere", 1);
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_true(who_answers(&sess, 1) < 0);
	assert_says("libvaccel-remote.so");
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);

	assert_int_equal(unlink(path_in(*state, "libvaccel-remote.so")), 0);
	assert_int_equal(boot("auto"), VACCEL_ENOENT);
	assert_says("install it, or unset the variable");
	assert_int_equal(boot("alpha"), VACCEL_OK);
	setenv("VACCEL_RPC_ADDRESS", "", 1);
	assert_int_equal(boot("auto"), VACCEL_OK);
	unsetenv("VACCEL_RPC_ADDRESS");
}

static void test_a_plugin_may_pass_a_call_on(void **state)
{
	assert_int_equal(boot("picky:beta:cpu"), VACCEL_OK);
	assert_int_equal(answer_for(0, 10), PICKY);
	assert_int_equal(answer_for(0, 11), BETA);
	assert_int_equal(answer_for(VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_TORCH, 11), CPU);
	assert_int_equal(answer_for(VACCEL_PLUGIN_TORCH, 11), BETA);
	assert_int_equal(boot("picky:remote"), VACCEL_OK);
	assert_int_equal(answer_for(0, 11), REMOTE);
	assert_int_equal(boot("picky"), VACCEL_OK);
	assert_int_equal(answer_for(0, 10), PICKY);
	assert_int_equal(answer_for(0, 11), -VACCEL_ENOTSUP);
	assert_says("'minmax' takes what this call gives it");
}

static void test_what_no_plugin_here_takes_is_said(void **state)
{
	static const char *const others[] = {"libvaccel-alpha.so", "libvaccel-beta.so",
					     "libvaccel-cpu.so"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(unlink(path_in(*state, others[i])), 0);
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(answer_for(0, 10), PICKY);
	assert_int_equal(answer_for(0, 11), -VACCEL_ENOTSUP);
	assert_says("'minmax' takes what this call gives it");
	/* Whoever is told of an agent means it. */
	setenv("VACCEL_RPC_ADDRESS", "unix:///nowhere", 1);
	assert_int_equal(boot("picky:auto"), VACCEL_OK);
	assert_int_equal(answer_for(0, 11), REMOTE);
	unsetenv("VACCEL_RPC_ADDRESS");
}

/* As where a setting of the one makes no sense, and the other is for models of another kind. */
static void test_why_the_first_cannot_is_said_though_others_decline(void **state)
{
	static const char *const others[] = {"libvaccel-alpha.so", "libvaccel-beta.so",
					     "libvaccel-cpu.so"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(unlink(path_in(*state, others[i])), 0);
	install_fake(*state, "broken", true);
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(answer_for(0, 10), PICKY);
	assert_int_equal(answer_for(0, 11), -VACCEL_ENOTSUP);
	assert_says("the fake device is on holiday");
}

static void *call_often(void *sess)
{
	for (int i = 0; i < 1000; i++)
		if (who_answers(sess, i % 2 ? 1 : 11) != (i % 2 ? PICKY : BETA))
			return sess;
	return NULL;
}

/* All threads meet plugins that nobody has loaded yet. */
static void test_threads_choose_at_once(void **state)
{
	struct vaccel_session shared, own[4];
	pthread_t threads[8];
	void *failed;

	assert_int_equal(boot("picky:auto"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&shared, VACCEL_PLUGIN_FPGA | VACCEL_PLUGIN_TORCH),
			 VACCEL_OK);
	for (int i = 0; i < 8; i++) {
		struct vaccel_session *sess = i < 4 ? &own[i] : &shared;

		if (i < 4)
			assert_int_equal(vaccel_session_init(sess, shared.hint), VACCEL_OK);
		assert_int_equal(pthread_create(&threads[i], NULL, call_often, sess), 0);
	}
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
		if (i < 4)
			assert_int_equal(vaccel_session_release(&own[i]), VACCEL_OK);
	}
	assert_int_equal(vaccel_session_release(&shared), VACCEL_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, install_all, scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_hint_finds_the_first_that_has_a_bit),
		TEST(local_plugins_go_before_a_remote_one),
		TEST(remote_insists),
		TEST(a_remote_plugin_alone),
		TEST(auto_puts_remote_last_or_first),
		TEST(an_agent_that_is_named_is_not_passed_over),
		TEST(a_plugin_may_pass_a_call_on),
		TEST(what_no_plugin_here_takes_is_said),
		TEST(why_the_first_cannot_is_said_though_others_decline),
		TEST(threads_choose_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
