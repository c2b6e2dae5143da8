/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are in a mailbox, for who plays the other end; see transport/mailbox.c. */
#ifndef FUZZ_MAILBOX_LAYOUT_H
#define FUZZ_MAILBOX_LAYOUT_H

/* Of half a mailbox, the one that the client writes to and then the other. */
#define HALF_SIZE 4176
#define AT_SENT	  64
#define AT_FULL	  72
#define AT_SLOT	  80
#define SLOT_SIZE 4096

#endif
