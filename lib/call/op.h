/* SPDX-License-Identifier: Apache-2.0 */
/* The operations by a dense index, for tables that have a place for each. */
#ifndef VACCEL_CALL_OP_H
#define VACCEL_CALL_OP_H

#include <vaccel/op.h>

#define OP_INDEX_(name, number) name##_INDEX,
enum { VACCEL_OP_TYPE_LIST(OP_INDEX_) OP_COUNT };

#endif
