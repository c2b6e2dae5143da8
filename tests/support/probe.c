// SPDX-License-Identifier: Apache-2.0
/* The description as data, as lib/call/op.c does it for the operations in the table. */
#define VACCEL_OP_BODIES

#include "probe.h"
