// SPDX-License-Identifier: Apache-2.0
/*
 * The first refusal of a second claims its line by the time from which there may be another.
 * Whoever has a loop calls refusals_tell() in it, since nobody may be refused any more.
 */
#include "agent/base/refusals.h"

#include "base/util.h"
#include "transport/transport.h"

#define LINE_EACH_NS SECOND

static void say_how_many(struct refusals *refusals, const struct about *about)
{
	unsigned int count = atomic_exchange(&refusals->unlogged, 0);

	if (count)
		log_line(VACCEL_LOG_WARN, about, "%u more %s refused", count,
			 count == 1 ? "was" : "were");
}

void refusals_line(struct refusals *refusals, const struct about *about, const char *peer,
		   const char *words)
{
	int64_t now = time_now();
	int64_t next = atomic_load(&refusals->next_line);

	if (now < next ||
	    !atomic_compare_exchange_strong(&refusals->next_line, &next, now + LINE_EACH_NS)) {
		atomic_fetch_add(&refusals->unlogged, 1);
		return;
	}
	say_how_many(refusals, about);
	log_line(VACCEL_LOG_WARN, about, "%s: %s", peer, words);
}

int refusals_tell(struct refusals *refusals, const struct about *about)
{
	int64_t left;

	if (likely(!atomic_load(&refusals->unlogged)))
		return -1;
	left = atomic_load(&refusals->next_line) - time_now();
	if (left > 0)
		return (int)(left / MILLISECOND) + 1;
	say_how_many(refusals, about);
	return -1;
}
