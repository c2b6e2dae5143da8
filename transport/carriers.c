// SPDX-License-Identifier: Apache-2.0
/* The carriers that there are: a new one is a line here, see docs/writing-a-transport.md. */
#include <string.h>

#include "base/util.h"
#include "transport/carrier.h"

static const struct carrier *const carriers[] = {
	&carrier_unix,
	&carrier_tcp,
	&carrier_tls,
	&carrier_vsock,
	&carrier_vsock_uds,
	/* By devices of virtual machines */
	&carrier_virtio,
	&carrier_blk,
	&carrier_vhost_user,
	&carrier_vhost_user_blk,
};

const struct carrier *carrier_at(size_t index)
{
	return index < ARRAY_SIZE(carriers) ? carriers[index] : NULL;
}

const char *carrier_name_at(size_t index)
{
	const struct carrier *carrier = carrier_at(index);

	return carrier ? carrier->scheme : NULL;
}

const struct carrier *carrier_by_scheme(const char *scheme)
{
	const struct carrier *carrier;

	for (size_t i = 0; (carrier = carrier_at(i)); i++)
		if (!strcmp(carrier->scheme, scheme))
			return carrier;
	return NULL;
}
