// SPDX-License-Identifier: Apache-2.0
/*
 * What the agent answers to who asks by HTTP: how it does, whether it lives, and
 * whether it serves. Balancers and orchestrators go by the status alone.
 */
#include "agent/monitor/pages.h"

#include <stdio.h>

#include "agent/monitor/metrics.h"
#include "agent/monitor/state.h"

#define OK	    200
#define NOT_FOUND   404
#define UNAVAILABLE 503

static void answer_metrics(const struct state *state, struct http_page *page)
{
	*page = (struct http_page){.status = OK,
				   .type = "text/plain; version=0.0.4; charset=utf-8"};
	page->text = metrics_text(state, &page->size);
}

static void answer_readiness(const struct state *state, struct http_page *page)
{
	enum readiness readiness = state_readiness(state);
	char words[32];

	snprintf(words, sizeof(words), "%s\n", readiness_name(readiness));
	http_words(page, readiness == SERVING ? OK : UNAVAILABLE, words);
}

static void answer_health(const struct state *state, struct http_page *page)
{
	if (state_readiness(state) == STUCK)
		answer_readiness(state, page);
	else
		http_words(page, OK, "alive\n");
}

void pages_answer(const void *state, const char *path, struct http_page *ret_page)
{
	if (!strcmp(path, "/metrics"))
		answer_metrics(state, ret_page);
	else if (!strcmp(path, "/healthz"))
		answer_health(state, ret_page);
	else if (!strcmp(path, "/readyz"))
		answer_readiness(state, ret_page);
	else
		http_words(ret_page, NOT_FOUND, "there are /metrics, /healthz and /readyz\n");
}
