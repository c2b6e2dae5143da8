/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that a program needs of vaccel. */
#ifndef VACCEL_H
#define VACCEL_H

#include <vaccel/alloc.h>
#include <vaccel/arg.h>
#include <vaccel/blob.h>
#include <vaccel/config.h>
#include <vaccel/core.h>
#include <vaccel/draw.h>
#include <vaccel/error.h>
#include <vaccel/id.h>
#include <vaccel/list.h>
#include <vaccel/log.h>
#include <vaccel/op.h>
#include <vaccel/op_headers.h>
#include <vaccel/ops/genop.h>
#include <vaccel/plugin.h>
#include <vaccel/prof.h>
#include <vaccel/resource.h>
#include <vaccel/session.h>
#include <vaccel/tensor.h>
#include <vaccel/utils/enum.h>
#include <vaccel/utils/path.h>
#include <vaccel/utils/str.h>
#include <vaccel/version.h>

#endif
