/* SPDX-License-Identifier: Apache-2.0 */
/* Small messages through shared memory that both ends watch; see transport.h. */
#ifndef VACCEL_REMOTE_MAILBOX_H
#define VACCEL_REMOTE_MAILBOX_H

#include "remote/channel.h"

/* An agent that would rather not is no error. */
int mailbox_open(struct channel *channel);

/* After the link's end. */
void mailbox_close(struct channel *channel);

#endif
