// SPDX-License-Identifier: Apache-2.0
#include "tf/tf.h"

#include <stdio.h>

#include "model/words.h"

/* More of what TensorFlow says would not be kept. */
#define WORDS_SIZE 900

static _Thread_local uint8_t last_code;

int status_check(const TF_Status *status)
{
	char words[WORDS_SIZE];

	if (TF_GetCode(status) == TF_OK)
		return VACCEL_OK;
	last_code = (uint8_t)TF_GetCode(status);
	snprintf(words, sizeof(words), "%s", TF_Message(status));
	words_flatten(words);
	return vaccel_fail(TF_GetCode(status) == TF_RESOURCE_EXHAUSTED ? VACCEL_ENOMEM
								       : VACCEL_EBACKEND,
			   "%s", words);
}

void status_begin(void)
{
	last_code = 0;
}

uint8_t status_code(void)
{
	return last_code;
}

void status_deletep(TF_Status **status)
{
	if (*status)
		TF_DeleteStatus(*status);
}

void buffer_deletep(TF_Buffer **buffer)
{
	if (*buffer)
		TF_DeleteBuffer(*buffer);
}
