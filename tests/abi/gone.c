// SPDX-License-Identifier: Apache-2.0
/* A library that a plugin needs and that is no longer there when it is loaded. */
int gone(void);

int gone(void)
{
	return 0;
}
