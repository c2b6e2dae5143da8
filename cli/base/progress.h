/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on stderr, if that is a terminal; otherwise nothing. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
	size_t total;
	size_t done;
	double began; /* seconds, see seconds_now() */
	double drawn;
	bool wanted;
	bool shown;
};

/* Seconds of a clock that only goes forward. */
double seconds_now(void);

void progress_begin(struct progress *progress, size_t total);

/* One more is done. */
void progress_step(struct progress *progress);

/* Takes the bar away, so that something can be printed; the next step brings it back. */
void progress_hide(struct progress *progress);

#endif
