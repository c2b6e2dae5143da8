// SPDX-License-Identifier: Apache-2.0
/*
 * What the addresses of agents stand for. The system may wait for a name server for as
 * long as it likes, so names are looked up in a thread of its own, one look-up at a time:
 * it is waited for up to the caller's deadline, and only as long as no server is known.
 * The thread has nothing but its look-up, which both sides hold; what it has found is
 * listed by the next one who asks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/plugin.h>

#include "base/util.h"
#include "remote/aside.h"
#include "remote/server.h"
#include "remote/settings.h"
#include "transport/carrier.h"

/* A name server that does not answer is given up after so long, also without a deadline. */
#define LOOK_UP_NS (10 * SECOND)

struct look_up {
	/* Its own until it has ended */
	struct found asked, found;
	int ret;
	char why[512];

	/* remote_lock */
	unsigned int holders;
	bool has_ended;
};

/* As they were given; never changed once opened. None: an agent is looked for. */
static struct found addresses;

static struct look_up *current; /* remote_lock: it goes on, or has not been listed yet; or NULL */
static int64_t resolved_at;	/* remote_lock */

static int add_address(struct found *list, const char *text)
{
	struct address *larger = reallocarray(list->list, list->nr + 1, sizeof(*larger));
	int ret;

	if (!larger)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an address");
	list->list = larger;
	if (list->nr == SERVERS_MAX)
		return vaccel_fail(VACCEL_EINVAL, "VACCEL_RPC_ADDRESS has more than %d addresses",
				   SERVERS_MAX);
	ret = address_parse(text, &larger[list->nr]);
	if (!ret)
		list->nr++;
	return ret;
}

static void found_release(struct found *found)
{
	addresses_free(found->list, found->nr);
	*found = (struct found){0};
}

int names_open(char *list)
{
	char *rest = list, *item;
	int ret = VACCEL_OK;

	while (!ret && (item = strsep(&rest, ",")))
		if (*item)
			ret = add_address(&addresses, item);
	if (!ret && !addresses.nr)
		ret = vaccel_fail(VACCEL_EINVAL,
				  "VACCEL_RPC_ADDRESS is empty; set it to where an agent listens, "
				  "or unset it");
	return ret;
}

bool names_use(const char *scheme)
{
	for (size_t i = 0; i < addresses.nr; i++)
		if (!strcmp(addresses.list[i].carrier->scheme, scheme))
			return true;
	return false;
}

/* Look-ups */

static void look_up_delete(struct look_up *look_up)
{
	found_release(&look_up->asked);
	found_release(&look_up->found);
	free(look_up);
}

/* remote_lock is held */
static void look_up_unhold(struct look_up *look_up)
{
	if (!--look_up->holders)
		look_up_delete(look_up);
}

static struct look_up *look_up_new(void)
{
	struct look_up *look_up = calloc(1, sizeof(*look_up));

	for (size_t i = 0; look_up && i < addresses.nr; i++) {
		if (add_address(&look_up->asked, addresses.list[i].text)) {
			look_up_delete(look_up);
			return NULL;
		}
	}
	return look_up;
}

void names_close(void)
{
	SCOPED_LOCK(&remote_lock);

	if (current)
		look_up_unhold(TAKE(current));
	resolved_at = 0;
	found_release(&addresses);
}

void names_forget(void)
{
	/* Its thread is the parent's, and in the middle of it. */
	if (current && !current->has_ended)
		current = NULL;
}

/* Adds what one address stands for. */
static int resolve(const struct address *address, struct found *found)
{
	struct address *list, *both;
	size_t nr;
	int ret = address_resolve(address, &list, &nr);

	if (ret)
		return ret;
	both = reallocarray(found->list, found->nr + nr, sizeof(*both));
	if (!both) {
		addresses_free(list, nr);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for addresses");
	}
	memcpy(both + found->nr, list, nr * sizeof(*both));
	free(list);
	found->list = both;
	found->nr += nr;
	return VACCEL_OK;
}

static int resolve_all(struct look_up *look_up)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; i < look_up->asked.nr; i++) {
		int failure = resolve(&look_up->asked.list[i], &look_up->found);

		ret = failure ? failure : ret;
	}
	return ret;
}

/* Where nobody has named an agent */

struct search {
	char address[512];    /* of the first place that can be used; else empty */
	char sentences[2048]; /* what is at all others */
};

static void note_place(void *context, const struct vaccel_agent_place *place)
{
	struct search *search = context;
	size_t used = strlen(search->sentences);

	if (!place->code && !*search->address)
		snprintf(search->address, sizeof(search->address), "%s", place->address);
	if (place->code)
		snprintf(search->sentences + used, sizeof(search->sentences) - used, "%s%s",
			 used ? "; " : "", place->sentence);
}

static int find_server(struct look_up *look_up)
{
	struct search search = {"", ""};
	int ret = vaccel_agent_look(note_place, &search);

	if (ret)
		return ret;
	if (!*search.address)
		return vaccel_fail(VACCEL_ENOTSUP,
				   "no agent is configured, and none was found: %s; start "
				   "vaccel-agent, or set VACCEL_RPC_ADDRESS to where one listens",
				   search.sentences);
	return add_address(&look_up->found, search.address);
}

/* Looking up */

static void *look_up_here(void *context)
{
	struct look_up *look_up = context;

	look_up->ret = look_up->asked.nr ? resolve_all(look_up) : find_server(look_up);
	if (look_up->ret)
		snprintf(look_up->why, sizeof(look_up->why), "%s", vaccel_error_text());
	SCOPED_LOCK(&remote_lock);
	look_up->has_ended = true;
	if (look_up == current)
		resolved_at = time_now();
	pthread_cond_broadcast(&remote_changed);
	look_up_unhold(look_up);
	return NULL;
}

/* Numbers, and paths, stand for themselves, and are listed at once. */
static bool asks_a_name_server(const struct look_up *look_up)
{
	for (size_t i = 0; i < look_up->asked.nr; i++)
		if (address_has_name(&look_up->asked.list[i]))
			return true;
	return false;
}

/* A name that could not be looked up stands for what it stood for before; remote_lock is held. */
static void list_found(void)
{
	if (!current || !current->has_ended)
		return;
	servers_list(&current->found, !current->ret);
	look_up_unhold(TAKE(current));
}

/* The look-up that goes on, held; NULL if there is no need of one. */
static struct look_up *begin(int64_t age, bool *ret_is_new)
{
	SCOPED_LOCK(&remote_lock);

	list_found();
	*ret_is_new = !current && (!server_next(NULL) || time_now() - resolved_at >= age);
	if (*ret_is_new)
		current = look_up_new();
	if (current)
		current->holders += *ret_is_new ? 3 : 1;
	return current;
}

static void run(struct look_up *look_up)
{
	if (!asks_a_name_server(look_up) || !run_aside(look_up_here, look_up))
		look_up_here(look_up);
}

/* Whether it has ended by then; remote_lock is held. */
static bool await(const struct look_up *look_up, int64_t until)
{
	while (!look_up->has_ended && !remote_wait(until))
		;
	return look_up->has_ended;
}

/* Waits for it if there is no server else, and gives it back. */
static int end(struct look_up *look_up, int64_t until)
{
	int ret = VACCEL_OK;

	SCOPED_LOCK(&remote_lock);
	if (!server_next(NULL) && !await(look_up, until))
		ret = vaccel_fail(VACCEL_ETIMEDOUT,
				  "looking up where %s is: no answer of the name server in time",
				  look_up->asked.nr ? look_up->asked.list->text : "an agent");
	else if (look_up->has_ended && look_up->ret)
		ret = vaccel_fail(look_up->ret, "%s", look_up->why);
	list_found();
	look_up_unhold(look_up);
	return server_next(NULL) ? VACCEL_OK : ret;
}

int servers_resolve(int64_t age, int64_t until)
{
	bool is_new;
	struct look_up *look_up = begin(age, &is_new);
	int ret;

	if (!look_up)
		return is_new ? vaccel_fail(VACCEL_ENOMEM, "no memory for addresses") : VACCEL_OK;
	if (is_new)
		run(look_up);
	ret = end(look_up, MIN_OF(until, time_now() + LOOK_UP_NS));
	servers_bury();
	return ret;
}

bool names_await(int64_t until)
{
	struct look_up *look_up;
	bool has_ended;

	SCOPED_LOCK(&remote_lock);
	look_up = current;
	if (!look_up)
		return false;
	look_up->holders++;
	has_ended = await(look_up, MIN_OF(until, time_now() + LOOK_UP_NS));
	look_up_unhold(look_up);
	return has_ended;
}
