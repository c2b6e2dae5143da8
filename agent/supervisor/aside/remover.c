// SPDX-License-Identifier: Apache-2.0
/*
 * A queue of directories, and the thread that removes them one after the other. What
 * cannot be removed is said and left.
 */
#include "agent/supervisor/aside/remover.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "agent/base/log.h"
#include "agent/base/tree.h"
#include "base/util.h"

struct waste {
	struct waste *next;
	char *path;
	int lock;
};

struct remover {
	pthread_t thread;
	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	struct waste *first, **last;
	bool over;
};

static void dispose(struct waste *waste)
{
	tree_remove(waste->path);
	if (!access(waste->path, F_OK))
		log_line(VACCEL_LOG_WARN, NULL, "cannot remove all of '%s'", waste->path);
	closep(&waste->lock);
	free(waste->path);
	free(waste);
}

/* NULL: there is no more, and nothing more will come. */
static struct waste *next(struct remover *remover)
{
	struct waste *waste;

	SCOPED_LOCK(&remover->lock);
	while (!remover->first && !remover->over)
		pthread_cond_wait(&remover->changed, &remover->lock);
	waste = remover->first;
	if (!waste)
		return NULL;
	remover->first = waste->next;
	if (!remover->first)
		remover->last = &remover->first;
	return waste;
}

static void *remove_all(void *context)
{
	struct remover *remover = context;
	struct waste *waste;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	while ((waste = next(remover)))
		dispose(waste);
	return NULL;
}

int remover_new(struct remover **ret_remover)
{
	struct remover *remover = calloc(1, sizeof(*remover));
	int error;

	if (!remover)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a thread");
	remover->last = &remover->first;
	pthread_mutex_init(&remover->lock, NULL);
	pthread_cond_init(&remover->changed, NULL);
	error = pthread_create(&remover->thread, NULL, remove_all, remover);
	if (error) {
		free(remover);
		return vaccel_fail(error, "cannot start a thread: %s", strerror(error));
	}
	*ret_remover = remover;
	return VACCEL_OK;
}

void remover_take(struct remover *remover, char *path, int lock)
{
	struct waste *waste = malloc(sizeof(*waste));

	if (!waste) {
		/* It is removed with the directory that it is in, or by the next agent. */
		closep(&lock);
		free(path);
		return;
	}
	*waste = (struct waste){.path = path, .lock = lock};
	SCOPED_LOCK(&remover->lock);
	*remover->last = waste;
	remover->last = &waste->next;
	pthread_cond_signal(&remover->changed);
}

void remover_delete(struct remover *remover)
{
	if (!remover)
		return;
	pthread_mutex_lock(&remover->lock);
	remover->over = true;
	pthread_cond_signal(&remover->changed);
	pthread_mutex_unlock(&remover->lock);
	pthread_join(remover->thread, NULL);
	pthread_cond_destroy(&remover->changed);
	pthread_mutex_destroy(&remover->lock);
	free(remover);
}
