/* SPDX-License-Identifier: Apache-2.0 */
/* A name server that is this program: who asks for NAME gets the records that a test has added. */
#ifndef TESTS_REMOTE_NAME_SERVER_H
#define TESTS_REMOTE_NAME_SERVER_H

#include <semaphore.h>
#include <stdbool.h>

#define NAME "agents.test"

/* What the name stands for: nothing, and one address more. Clearing begins all counts anew. */
void clear_records(void);
void add_record(const char *number);

/* Answers with an EAI_* code from now on. */
void fail_with(int error);

/* Each question from now on waits for may_answer, or does not. */
void hold_answers(bool hold);
extern sem_t may_answer;

int questions(void);
void await_questions(int count);
void await_answers(int count);

#endif
