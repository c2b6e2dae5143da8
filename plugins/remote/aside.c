// SPDX-License-Identifier: Apache-2.0
/*
 * See aside.h. Such a thread may still run when the plugin is unloaded: what it uses has
 * to be its own by then, and its code stays, by the linker's nodelete.
 */
#include "remote/aside.h"

#include <pthread.h>
#include <signal.h>

bool run_aside(void *(*work)(void *context), void *context)
{
	sigset_t all, before;
	pthread_t thread;
	bool runs;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	runs = !pthread_create(&thread, NULL, work, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (runs)
		pthread_detach(thread);
	return runs;
}
