// SPDX-License-Identifier: Apache-2.0
/*
 * A program that says in how many ms its first call succeeded, a worker's start included; then
 * runs functions one after the other, in one session, and says what came of each: the code, how
 * long it took, how long the next call then took to succeed, both in ms, and the words.
 *
 * usage: culprit LIBRARY FUNCTION...
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <vaccel.h>

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int try(struct vaccel_session *session, const char *library, const char *function)
{
	int64_t began = now_ms(), ended;
	int ret = vaccel_exec(session, library, function, NULL, 0, NULL, 0);
	char words[512];

	snprintf(words, sizeof(words), "%s", ret ? vaccel_error_text() : "");
	ended = now_ms();
	if (vaccel_noop(session)) {
		fprintf(stderr, "after %s: %s\n", function, vaccel_error_text());
		return 1;
	}
	printf("%d\t%" PRId64 "\t%" PRId64 "\t%s\n", ret, ended - began, now_ms() - ended, words);
	return 0;
}

int main(int argc, char **argv)
{
	int64_t began = now_ms();
	struct vaccel_session session;
	int failed = 0;

	if (argc < 3 || vaccel_session_init(&session, 0) || vaccel_noop(&session)) {
		fprintf(stderr, "culprit: %s\n", vaccel_error_text());
		return 1;
	}
	printf("%" PRId64 "\n", now_ms() - began);
	for (int i = 2; !failed && i < argc; i++)
		failed = try(&session, argv[1], argv[i]);
	return vaccel_session_release(&session) || failed;
}
