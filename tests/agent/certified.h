/* SPDX-License-Identifier: Apache-2.0 */
/* A house that has a certificate, for listeners of TLS. */
#ifndef TESTS_AGENT_CERTIFIED_H
#define TESTS_AGENT_CERTIFIED_H

#include "house.h"

/* A new one, with its key: the files cert and key in the house's directory. */
void certify(const struct house *house);

/* A configuration with a listener that the front relays. */
#define RELAYED                                                                             \
	"listeners:\n"                                                                      \
	"  - {address: 'unix://@/stays.sock', tenant: stays, policy: other}\n"              \
	"  - {address: 'tls://127.0.0.1:0', cert: @/cert, key: @/key, client_ca: @/cert}\n" \
	"policies: {other: {calls: 7}}\n"

#endif
