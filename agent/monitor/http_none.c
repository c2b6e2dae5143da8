// SPDX-License-Identifier: Apache-2.0
/* An agent that was built without libmicrohttpd serves no metrics, and says so. */
#include "agent/monitor/http.h"

#include <unistd.h>

#include <vaccel/error.h>

int http_open(int listener, int life_ms, const struct state *state, struct http **ret_http)
{
	close(listener);
	return vaccel_fail(VACCEL_ENOTSUP,
			   "this agent was built without libmicrohttpd, so that it serves no "
			   "metrics; leave them out of its configuration");
}

void http_close(struct http *http)
{
}

int http_fd(const struct http *http)
{
	return -1;
}

int http_patience(const struct http *http)
{
	return -1;
}

void http_run(struct http *http)
{
}
