/* SPDX-License-Identifier: Apache-2.0 */
/* The type of session and resource ids: > 0 for a live object, counted up by one. */
#ifndef VACCEL_ID_H
#define VACCEL_ID_H

#include <stdint.h>

typedef int64_t vaccel_id_t;

#endif
