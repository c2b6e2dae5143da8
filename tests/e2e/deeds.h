/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller says to deed_mark(), where that enters it, and what deed_wait() waits for. */
#ifndef TESTS_E2E_DEEDS_H
#define TESTS_E2E_DEEDS_H

#include <stdint.h>

#define LEDGER "ledger" /* u64 after u64 */
#define GATE   "gate"	/* a FIFO */

struct mark {
	uint64_t id;
	uint64_t us; /* that it takes */
};

#endif
