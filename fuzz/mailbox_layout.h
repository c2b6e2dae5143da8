/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are in a mailbox, for who plays the other end; see transport/mailbox.c. */
#ifndef FUZZ_MAILBOX_LAYOUT_H
#define FUZZ_MAILBOX_LAYOUT_H

/* Of half a mailbox, the one that the client writes to and then the other. */
#define HALF_SIZE 8192
#define AT_SENT	  8
#define AT_SLOT	  64
#define SLOT_SIZE 4096

#endif
