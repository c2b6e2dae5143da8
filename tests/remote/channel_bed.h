/* SPDX-License-Identifier: Apache-2.0 */
/* A fake agent, and a channel to it, by the remote plugin's insides. */
#ifndef TESTS_REMOTE_CHANNEL_BED_H
#define TESTS_REMOTE_CHANNEL_BED_H

#include "fake.h"
#include "remote/server.h"

/* Enough for a machine that does other things. */
#define SLACK (60 * SECOND)

/* Where such a machine shows nothing. */
#define TRIES 10

extern struct fake *fake;
extern struct server server;
extern struct channel *channel;
extern struct welcome welcome;

/* Before and after a test: a fake agent, a channel, and patience for all of SLACK. */
int channel_bed_begin(void **state);
int channel_bed_end(void **state);

/* With all that was sent before taken. */
void hang_up_here(void);
void connect_anew(void);

/* Opens a session there, since nothing has to be there for it. */
int ask_on(struct channel *asked);
int ask(void);

#endif
