/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VACCEL_AGENT_WORKER_CONNECTION_WORDS_H
#define VACCEL_AGENT_WORKER_CONNECTION_WORDS_H

#include <stddef.h>

/*
 * An error's words as a client may read them: of absolute paths, which are this
 * machine's, only the last component. But @named, where it is one, is the client's own word.
 */
void words_without_paths(const char *words, const char *named, char *ret_words, size_t room);

#endif
