// SPDX-License-Identifier: Apache-2.0
/* The same sources, as C++14. */
// NOLINTBEGIN(bugprone-suspicious-include)
#include "args.c"
#include "core.c"
#include "main.c"
#include "ops.c"
#include "values.c"
// NOLINTEND(bugprone-suspicious-include)
