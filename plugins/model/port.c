// SPDX-License-Identifier: Apache-2.0
#include "model/port.h"

#include <stdlib.h>

bool port_takes(const struct port *port, int32_t type, size_t nr_dims, const int64_t *dims)
{
	if (port->type != type || port->nr_dims != nr_dims)
		return false;
	for (size_t i = 0; i < nr_dims; i++)
		if (dims[i] < 0 || (port->dims[i] >= 0 && port->dims[i] != dims[i]))
			return false;
	return true;
}

void ports_delete(struct port *ports, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(ports[i].name);
		free(ports[i].dims);
	}
	free(ports);
}
