// SPDX-License-Identifier: Apache-2.0
/* A plugin that needs a library: libgone.so, known to it by a name that no file has. */
int gone(void);
int (*const needy)(void) = gone;
