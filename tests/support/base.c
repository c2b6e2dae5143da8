// SPDX-License-Identifier: Apache-2.0
/* What user.c needs. */
int base_answer(void);

int base_answer(void)
{
	return 42;
}
