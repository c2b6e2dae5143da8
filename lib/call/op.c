// SPDX-License-Identifier: Apache-2.0
/*
 * The table of operations. The headers under ops/ are included here in their
 * full form, once: descriptions become data, and the check and the C function
 * of each operation are compiled.
 */
#define VACCEL_OP_BODIES

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "call/op.h"
#include "value/tensor.h"

#include <vaccel/op_headers.h>

VACCEL_ENUM_NAMES_DEFINE(vaccel_op_type, VACCEL_OP, VACCEL_OP_TYPE_LIST)

#define ADDRESS_OF(name, NAME) &vaccel_op_##name,
static const struct vaccel_op *const table[] = {VACCEL_OP_NAME_LIST(ADDRESS_OF)};

#define BELOW_MAX(name, number) _Static_assert((number) < VACCEL_OP_MAX, #name " reaches MAX");
VACCEL_OP_TYPE_LIST(BELOW_MAX)

const struct vaccel_op *vaccel_op_at(size_t index)
{
	return index < ARRAY_SIZE(table) ? table[index] : NULL;
}

const struct vaccel_op *vaccel_op_by_number(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if ((uint32_t)table[i]->number == number)
			return table[i];
	return NULL;
}

uint64_t vaccel_op_hash(const char *signature)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *signature; signature++)
		hash = (hash ^ (unsigned char)*signature) * 0x100000001b3u;
	return hash;
}
