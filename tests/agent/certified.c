// SPDX-License-Identifier: Apache-2.0
#include "certified.h"

#include "certificates.h"

void certify(const struct house *house)
{
	struct certificate certificate;

	certificate_make(&(struct certificate_order){.name = "localhost"}, &certificate);
	write_file(house, "cert", certificate.cert);
	write_file(house, "key", certificate.key);
	certificate_release(&certificate);
}
