// SPDX-License-Identifier: Apache-2.0
/* Measures parts of a program, where VACCEL_PROFILING_ENABLED=1 asks for it. */
#include "example.h"

enum { SESSIONS, CALLS, REGIONS };

int main(int argc, char **argv)
{
	struct vaccel_prof_region regions[REGIONS] = {
		[SESSIONS] = VACCEL_PROF_REGION_INIT("sessions"),
		[CALLS] = VACCEL_PROF_REGION_INIT("calls"),
	};
	struct vaccel_session sess;

	if (argc != 1)
		usage("profiling");
	if (!vaccel_prof_enabled())
		printf("profiling is off: VACCEL_PROFILING_ENABLED=1 turns it on, "
		       "VACCEL_LOG_LEVEL=3 shows it\n");

	TRY(vaccel_prof_region_start(&regions[SESSIONS]));
	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_prof_region_stop(&regions[SESSIONS]));
	for (int i = 0; i < 100; i++) {
		TRY(vaccel_prof_regions_start_by_name(regions, REGIONS, "calls"));
		TRY(vaccel_noop(&sess));
		TRY(vaccel_prof_regions_stop_by_name(regions, REGIONS, "calls"));
	}
	TRY(vaccel_session_release(&sess));

	/* Into the log, which shows them from VACCEL_LOG_LEVEL=3 on */
	TRY(vaccel_prof_regions_print_all(regions, REGIONS));
	return EXIT_SUCCESS;
}
