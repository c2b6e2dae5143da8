/* SPDX-License-Identifier: Apache-2.0 */
/* A fake agent, and this process as its client, by the remote plugin as it is installed. */
#ifndef TESTS_REMOTE_BED_H
#define TESTS_REMOTE_BED_H

#include <vaccel.h>

#include "fake.h"

extern struct fake *fake;
extern struct vaccel_session sess;

/* Before and after a test: a fake agent, and a session with it. */
int bed_begin(void **state);
int bed_end(void **state);

/* The same without the session. */
int bed_begin_bare(void **state);
int bed_end_bare(void **state);

/* Begins anew with a setting, NULL to unset it, and opens the session. */
void bed_set(const char *knob, const char *value);

/*
 * What a call gives that has all the time it needs: whatever else the machine does meanwhile,
 * for the thread that calls the clock stands still.
 */
#define UNHURRIED(call)            \
	({                         \
		int ret_;          \
                                   \
		bed_stop_clock();  \
		ret_ = (call);     \
		bed_start_clock(); \
		ret_;              \
	})

void bed_stop_clock(void);
void bed_start_clock(void);

/* For what shows itself on a machine that does nothing else meanwhile: so many tries. */
#define TRIES 4

/* That the last error's words have this in them. */
void bed_said(const char *words);

/* A script that does something to the first @times CALLs of an operation, and then nothing. */
struct trick {
	const struct vaccel_op *op;
	int times;
	enum verdict (*play)(struct turn *turn, struct trick *trick);
	int code; /* for those who need such */
	const char *words;
	bool ran;
	void *memory;
};

fake_script_fn bed_trick;

/* Tricks */
enum verdict bed_hang_up(struct turn *turn, struct trick *trick);
enum verdict bed_fail(struct turn *turn, struct trick *trick);	  /* code, words, ran */
enum verdict bed_restart(struct turn *turn, struct trick *trick); /* code, words: its fate */
enum verdict bed_ignore(struct turn *turn, struct trick *trick);

#endif
