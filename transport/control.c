// SPDX-License-Identifier: Apache-2.0
/* The descriptions of control.h as data. */
#define VACCEL_OP_BODIES

#include "transport/control.h"
#include "base/util.h"

#define ADDRESS_OF(NAME, name) &vaccel_op_##name,
static const struct vaccel_op *const table[] = {CONTROL_LIST(ADDRESS_OF)};

const struct vaccel_op *control_by_number(uint32_t number)
{
	if (number < CONTROL_FIRST || number - CONTROL_FIRST >= ARRAY_SIZE(table))
		return NULL;
	return table[number - CONTROL_FIRST];
}
