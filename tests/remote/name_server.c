// SPDX-License-Identifier: Apache-2.0
/* See name_server.h. What it defines comes before what the C library has. */
#include "name_server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "bed.h"

#define RECORDS_MAX 100

/* What the name stands for. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER;
static char records[RECORDS_MAX][16];
static int nr_records;
static int failure; /* an EAI_* code, or 0 */
static int nr_questions, nr_answers;
static bool holds; /* each question waits for may_answer */
sem_t may_answer;

struct record {
	struct addrinfo info;
	struct sockaddr_in in;
};

static struct addrinfo *record_of(const char *number, const char *port)
{
	struct record *record = calloc(1, sizeof(*record));

	record->in.sin_family = AF_INET;
	record->in.sin_port = htons((uint16_t)atoi(port));
	assert_int_equal(inet_pton(AF_INET, number, &record->in.sin_addr), 1);
	record->info = (struct addrinfo){.ai_family = AF_INET,
					 .ai_socktype = SOCK_STREAM,
					 .ai_addrlen = sizeof(record->in),
					 .ai_addr = (struct sockaddr *)&record->in};
	return &record->info;
}

/* Counts it, and waits if it is to. */
static void be_asked(void)
{
	bool is_held;

	pthread_mutex_lock(&lock);
	nr_questions++;
	pthread_cond_broadcast(&asked);
	is_held = holds;
	pthread_mutex_unlock(&lock);
	if (is_held)
		sem_wait(&may_answer);
}

static int answer(const char *port, struct addrinfo **ret_list)
{
	struct addrinfo **link = ret_list;
	SCOPED_LOCK(&lock);

	nr_answers++;
	pthread_cond_broadcast(&asked);
	if (failure)
		return failure;
	for (int i = 0; i < nr_records; i++) {
		*link = record_of(records[i], port);
		link = &(*link)->ai_next;
	}
	return nr_records ? 0 : EAI_NONAME;
}

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		struct addrinfo **ret_list)
{
	*ret_list = NULL;
	if (!strcmp(host, NAME)) {
		be_asked();
		return answer(port, ret_list);
	}
	*ret_list = record_of(host, port);
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *info = list;

		list = info->ai_next;
		free(info);
	}
}

void clear_records(void)
{
	SCOPED_LOCK(&lock);

	nr_records = 0;
	nr_questions = nr_answers = 0;
	failure = 0;
	holds = false;
}

void add_record(const char *number)
{
	SCOPED_LOCK(&lock);

	snprintf(records[nr_records++], sizeof(records[0]), "%s", number);
}

int questions(void)
{
	SCOPED_LOCK(&lock);

	return nr_questions;
}

void await_questions(int count)
{
	SCOPED_LOCK(&lock);

	while (nr_questions < count)
		pthread_cond_wait(&asked, &lock);
}

void fail_with(int error)
{
	SCOPED_LOCK(&lock);

	failure = error;
}

void await_answers(int count)
{
	SCOPED_LOCK(&lock);

	while (nr_answers < count)
		pthread_cond_wait(&asked, &lock);
}

void hold_answers(bool hold)
{
	SCOPED_LOCK(&lock);

	holds = hold;
}
