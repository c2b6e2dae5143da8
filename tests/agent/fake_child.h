/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child of the supervisor that is no agent: a test's program started anew, as the
 * supervisor starts children. A worker says a line on each connection that it gets,
 * and then does what its tenant's name says:
 *
 * dies      kills itself
 * overruns  says that a call runs, and is busy for ever
 * freezes   stops, as by SIGSTOP
 * breeds    starts a process of its own
 * passes    passes a descriptor, as the front does
 * stumbles  when it is to end, begins a call, and kills itself
 * lingers   when it is to end, does not
 * fails     never gets as far: it cannot start
 * babbles   says and counts what comes into its head, and then what is no message
 *
 * A machine gets no line. It is told by one who
 * sticks    once that it is told something, that its device is stuck, and is left then
 *
 * Any other stays. The front does as VACCEL_TEST_FRONT says: with "fails" it cannot start, with
 * "babbles" it does that, with "complains" it says again and again that it cannot start, else it
 * passes each connection on as a machine's, of the tenant which VACCEL_TEST_FRONT names. In its
 * counters `sessions` has a bit for each listener that it knows.
 */
#ifndef TESTS_AGENT_FAKE_CHILD_H
#define TESTS_AGENT_FAKE_CHILD_H

/* "PID STATUS CARRIER TOKEN WORDS\n": its process, how the one before ended, how the connection
 * came, and the listener's token or -. */
#define FAKE_LINE "%d %d %15s %255s %255[^\n]"

/* In main(), first of all: returns only if this is no such child. */
void fake_child(int argc, char **argv);

#endif
