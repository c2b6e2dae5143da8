/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the library is ready, for everything that must know. The bootstraps
 * are counted: a session made under another number is stale, and is not looked into.
 */
#ifndef VACCEL_BASE_READY_H
#define VACCEL_BASE_READY_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/util.h"

/* The number of the bootstrap in force; 0 while the library is not ready. */
extern hidden _Atomic uint64_t ready_epoch;

/* VACCEL_OK, or @code with words. */
int ready_check(int code);

/* VACCEL_OK, or the error of the last bootstrap with its words, or ESESS if there was none. */
int ready_or_why(void);

/*
 * A program that defines this one, whatever its value, is not bootstrapped when the
 * library is loaded: the agent's supervisor, which must load no plugin, and the command vaccel,
 * which says itself what is wrong.
 */
extern const char vaccel_program_bootstraps __attribute__((weak));

/* For the lifecycle: ready from now on; not any more; not, because of the thread's last error. */
void ready_begin(void);
void ready_end(void);
void ready_fail(int code);

/*
 * A failure that no call has returned, since the library bootstrapped by itself, is owed to the
 * program. It is logged unless the program asks for the words of the first call that fails by it:
 * as the next one does, or at the end of the process. So nobody reads it twice.
 */
void ready_owe(void);
void ready_heard(void); /* the program asks for an error's words */
void ready_settle(void);

/* See unlock_in_child(). */
void ready_after_fork(void);

#endif
