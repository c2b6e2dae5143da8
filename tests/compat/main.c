// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a program that was written for vAccel 0.8 still builds: every function
 * by its name and type, every constant by its value, every struct by its
 * members. The compiler and the linker do the work, once as C11 and once as
 * C++14; that the program runs only shows that it was linked.
 */
#include <stdio.h>

#include "check.h"

static unsigned int count;

void use(void (*function)(void))
{
	count += function != NULL;
}

int main(void)
{
	check_values();
	check_core();
	check_args();
	check_ops();
	printf("%u functions are where programs expect them\n", count);
	return count < 200;
}
