// SPDX-License-Identifier: Apache-2.0
/* Each connection is taken to need its time, and a host may be ahead of that by some. */
#include "agent/supervisor/pace.h"

#include <stddef.h>
#include <sys/random.h>

#include "base/util.h"
#include "transport/clock.h"

#define EACH_NS (SECOND / PACE_A_SECOND)

void pace_init(struct pace *pace)
{
	*pace = (struct pace){0};
	/* Without it hosts can be made to share a set, and are still told apart there. */
	(void)!getrandom(&pace->secret, sizeof(pace->secret), 0);
}

/* The finalizer of MurmurHash3: each bit of the host changes half of the others. */
static size_t set_of(const struct pace *pace, uint64_t host)
{
	uint64_t mixed = host ^ pace->secret;

	mixed = (mixed ^ mixed >> 33) * UINT64_C(0xff51afd7ed558ccd);
	mixed = (mixed ^ mixed >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (mixed ^ mixed >> 33) % PACE_SETS;
}

/* One that has none takes that of whoever has least to wait for. */
static struct paced *place_of(struct pace *pace, uint64_t host)
{
	struct paced *set = pace->hosts[set_of(pace, host)];
	struct paced *place = set;

	for (size_t i = 0; i < PACE_WAYS; i++) {
		if (set[i].host == host)
			return &set[i];
		if (set[i].until < place->until)
			place = &set[i];
	}
	*place = (struct paced){.host = host};
	return place;
}

bool pace_permits(struct pace *pace, uint64_t host, int64_t now)
{
	struct paced *place;

	if (!host)
		return true;
	place = place_of(pace, host);
	if (place->until > now + (PACE_AT_ONCE - 1) * EACH_NS)
		return false;
	place->until = MAX_OF(place->until, now) + EACH_NS;
	return true;
}
