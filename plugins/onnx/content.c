// SPDX-License-Identifier: Apache-2.0
/*
 * Which of a model's files ONNX Runtime is to see. An ONNX file is read whole; where
 * its weights lie in files beside it, ONNX Runtime reads those by itself.
 */
#include "onnx/content.h"

#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "model/util.h"

/* Files of a model directory that ONNX Runtime does not see. */
static const char *const not_weights[] = {"model.onnx", "model.json", "labels.txt"};

static bool is_weights(const struct model_file *file)
{
	for (size_t i = 0; i < sizeof(not_weights) / sizeof(not_weights[0]); i++)
		if (!strcmp(file->name, not_weights[i]))
			return false;
	return true;
}

/*
 * An ONNX file names each file of weights by an entry whose key is "location".
 * Without that word there are none, and the other files do not matter.
 */
static bool has_weights(const struct model_files *files, const struct bytes *onnx)
{
	return files->nr > 1 && memmem(onnx->data, onnx->size, "location", strlen("location"));
}

static int find_weights(struct model_files *files, size_t onnx, struct content *content)
{
	int ret = files_write(files);
	char *slash;

	if (ret)
		return ret;
	content->folder = strdup(files->file[onnx].path);
	if (!content->folder)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model's files");
	slash = strrchr(content->folder, '/');
	if (slash)
		slash[1] = '\0';
	else
		strcpy(content->folder, ".");
	return VACCEL_OK;
}

int content_read(struct model_files *files, struct content *ret_content)
{
	_cleanup_(content_release) struct content content = {.words = files->words};
	const struct model_file *onnx = files_single(files);
	bool weights = false;
	int ret;

	if (!onnx)
		onnx = files_find(files, "model.onnx");
	if (!onnx)
		return vaccel_fail(VACCEL_EINVAL,
				   "%s has no model.onnx; a model is an ONNX file, or a directory "
				   "with model.onnx and, for pictures, model.json and labels.txt",
				   files->words);
	ret = file_bytes(onnx, ONNX_SIZE_MAX, &content.onnx);
	if (!ret)
		weights = has_weights(files, &content.onnx);
	if (weights)
		ret = find_weights(files, (size_t)(onnx - files->file), &content);
	if (!ret)
		ret = files_digest(files, content.onnx.data, content.onnx.size,
				   weights ? is_weights : NULL, &content.digest);
	if (ret)
		return ret;
	*ret_content = content;
	content = (struct content){0};
	return VACCEL_OK;
}

void content_release(struct content *content)
{
	bytes_release(&content->onnx);
	free(content->folder);
	*content = (struct content){0};
}
