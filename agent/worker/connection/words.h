/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VACCEL_AGENT_WORKER_CONNECTION_WORDS_H
#define VACCEL_AGENT_WORKER_CONNECTION_WORDS_H

#include <stddef.h>

/*
 * An error's words as a client may read them: of absolute paths, which are this
 * machine's, only the last component.
 */
void words_without_paths(const char *words, char *ret_words, size_t room);

#endif
