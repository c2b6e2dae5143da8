/* SPDX-License-Identifier: Apache-2.0 */
/* What ONNX Runtime computes with: its execution providers, as VACCEL_ONNX_PROVIDERS lists them. */
#ifndef ONNX_PROVIDERS_H
#define ONNX_PROVIDERS_H

#include <vaccel/plugin.h>

#include "onnx/content.h"
#include "onnx/runtime.h"

/** The longest name of a provider. */
#define PROVIDER_NAME_MAX 64

/** Room for the path of a directory of compiled models. */
#define CACHE_ROOM 4096

/**
 * provider_session() - make a session for a model, with the first provider that can
 * @content: the model
 * @ret_session: the caller's to release
 *
 * Return: 0; EINVAL if it is no model that ONNX Runtime can read; EBACKEND if
 * none of the providers can be used.
 */
int provider_session(const struct content *content, OrtSession **ret_session);

/** providers_list() - the names of those that the runtime has, ", " between them: 0 or EBACKEND */
int providers_list(char *text, size_t size);

/** provider_in_use() - the first of the knob's providers that can be set up here: 0 or EBACKEND */
int provider_in_use(char name[PROVIDER_NAME_MAX]);

/** provider_cache_root() - where compiled models are kept; false if the path is too long */
bool provider_cache_root(char path[CACHE_ROOM]);

/** providers_other_than_cpu() - whether the knob names any */
bool providers_other_than_cpu(void);

#endif
