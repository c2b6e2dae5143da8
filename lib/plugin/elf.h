/* SPDX-License-Identifier: Apache-2.0 */
/* What dlopen() does not look at before it relies on it. */
#ifndef VACCEL_PLUGIN_ELF_H
#define VACCEL_PLUGIN_ELF_H

/*
 * ENOENT, in words, for what is there and is no regular file, on which dlopen()
 * may wait for ever, or is a library cut short, of which it touches what is not
 * there. All else is left to dlopen(), which has words of its own.
 */
int elf_check(const char *path);

#endif
