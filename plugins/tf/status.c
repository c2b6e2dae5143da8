// SPDX-License-Identifier: Apache-2.0
#include "tf/tf.h"

static _Thread_local uint8_t last_code;

int status_check(const TF_Status *status)
{
	if (TF_GetCode(status) == TF_OK)
		return VACCEL_OK;
	last_code = (uint8_t)TF_GetCode(status);
	return vaccel_fail(VACCEL_EBACKEND, "%.900s", TF_Message(status));
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
