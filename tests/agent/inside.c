// SPDX-License-Identifier: Apache-2.0
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vaccel/error.h>

struct task {
	const struct walls *walls;
	inside_fn *function;
	const void *context;
};

int in_child(inside_fn *function, const void *context)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (!child)
		_exit(function(context));
	if (child < 0 || waitpid(child, &status, 0) != child)
		return INSIDE_FAILED;
	return WIFSIGNALED(status) ? INSIDE_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

bool are_closed(const struct walls *walls)
{
	char *missing = NULL;
	int ret = walls_close(walls, &missing);

	free(missing);
	if (ret)
		fprintf(stderr, "%s\n", vaccel_error_text());
	return !ret;
}

static int close_and_run(const void *context)
{
	const struct task *task = context;

	return are_closed(task->walls) ? task->function(task->context) : INSIDE_NOT_CLOSED;
}

int inside(const struct walls *walls, inside_fn *function, const void *context)
{
	struct task task = {walls, function, context};

	return in_child(close_and_run, &task);
}

int inside_role(enum sandbox_role role, inside_fn *function, const void *context)
{
	struct sandbox sandbox = {.role = role};
	struct walls walls = {&sandbox, NULL, 0};

	return inside(&walls, function, context);
}
