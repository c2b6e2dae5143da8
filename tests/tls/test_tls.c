// SPDX-License-Identifier: Apache-2.0
/* Who may speak to whom over tls://, and in what words each end learns that it may not. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "bed.h"

static void test_both_ends(void **state)
{
	const struct bed *bed = *state;
	struct meeting meeting;

	bed_meet(bed, bed->tls, bed->server, &meeting);
	print_message("%s | %s\n", meeting.client.words, meeting.agent.words);
	assert_int_equal(meeting.client.ret, VACCEL_OK);
	assert_int_equal(meeting.agent.ret, VACCEL_OK);
	assert_string_equal(meeting.agent.name, "alice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends),
	};

	return cmocka_run_group_tests_name("tls", tests, bed_make, bed_drop);
}
