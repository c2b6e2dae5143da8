/* SPDX-License-Identifier: Apache-2.0 */
/* Files with secrets in them: private keys, and tokens that a client bears. */
#ifndef VACCEL_TRANSPORT_SECRET_H
#define VACCEL_TRANSPORT_SECRET_H

#include <stdbool.h>

/* Characters of a token. The least is what 96 random bits take in base64. */
#define TOKEN_TEXT_MIN 16
#define TOKEN_TEXT_MAX 1024

/*
 * The token in a file: its one line, of printable ASCII without spaces.
 * secret_free() it. EACCES if others may read the file, EINVAL for what is no
 * token, ENOENT, EIO.
 */
int token_read(const char *path, char **ret_token);

/*
 * Whether a client bears the token that it must; NULL is none. How long it takes says nothing
 * of where the two differ.
 */
bool token_matches(const char *expected, const char *borne);

/*
 * The text of a small file; @what it is, for words. One that holds a secret is refused if others
 * may read or change it: nobody but its owner may, or, if that is root, its group may read it too.
 */
int text_file_read(const char *what, const char *path, bool secret, char **ret_text);

/* Overwrites it first. NULL is fine. */
void secret_free(char *text);

static inline void secret_freep(char **text)
{
	secret_free(*text);
}

#endif
