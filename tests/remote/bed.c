// SPDX-License-Identifier: Apache-2.0
/* See bed.h. */
#include "bed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct fake *fake;
struct vaccel_session sess;

static _Thread_local bool clock_stands;
static _Thread_local struct timespec stopped_at;

/* Also the library's and the plugin's. */
int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	if (clock_stands && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)) {
		*ret_time = stopped_at;
		return 0;
	}
	return (int)syscall(SYS_clock_gettime, clock, ret_time);
}

void bed_stop_clock(void)
{
	clock_gettime(CLOCK_MONOTONIC, &stopped_at);
	clock_stands = true;
}

void bed_start_clock(void)
{
	clock_stands = false;
}

int bed_begin_bare(void **state)
{
	fake = fake_start();
	setenv("VACCEL_PLUGINS", "remote", 1);
	setenv("VACCEL_RPC_ADDRESS", fake_address(fake), 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	return 0;
}

int bed_end_bare(void **state)
{
	unsetenv("VACCEL_TIMEOUT_MS");
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	fake_await_connections(fake, 0);
	fake_stop(fake);
	return 0;
}

int bed_begin(void **state)
{
	bed_begin_bare(state);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	return 0;
}

int bed_end(void **state)
{
	/* What it was told of is gone with the test. */
	fake_script(fake, NULL, NULL);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	return bed_end_bare(state);
}

void bed_set(const char *knob, const char *value)
{
	vaccel_session_release(&sess);
	if (value)
		setenv(knob, value, 1);
	else
		unsetenv(knob);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	assert_int_equal(UNHURRIED(vaccel_session_init(&sess, 0)), VACCEL_OK);
}

void bed_said(const char *words)
{
	if (!strstr(vaccel_error_text(), words))
		fail_msg("'%s' is not in '%s'", words, vaccel_error_text());
}

enum verdict bed_trick(struct turn *turn, void *context)
{
	struct trick *trick = context;

	if (turn_op(turn) != trick->op ||
	    __atomic_sub_fetch(&trick->times, 1, __ATOMIC_SEQ_CST) < 0)
		return GO_ON;
	return trick->play(turn, trick);
}

enum verdict bed_hang_up(struct turn *turn, struct trick *trick)
{
	return HANG_UP;
}

enum verdict bed_fail(struct turn *turn, struct trick *trick)
{
	turn_fail(turn, trick->code, trick->words, trick->ran);
	return DONE;
}

enum verdict bed_restart(struct turn *turn, struct trick *trick)
{
	fake_restart(turn->fake, trick->code, trick->words ? trick->words : "");
	return HANG_UP;
}

enum verdict bed_ignore(struct turn *turn, struct trick *trick)
{
	return DONE;
}
