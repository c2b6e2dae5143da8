// SPDX-License-Identifier: Apache-2.0
/*
 * Several plugins may offer the same operation on a session's model, and each
 * takes the calls whose model is its own. That is asked for each such call, so
 * it is decided by names where they say enough, and else by eight bytes.
 */
#include "model/format.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HEAD_SIZE 8

static const struct {
	const char *suffix;
	const char *in_directory; /* what the file is called in the directory of a model */
	enum model_format format;
} names[] = {
	{".onnx", "model.onnx", FORMAT_ONNX},
	{".tflite", "model.tflite", FORMAT_TFLITE},
	{".lite", NULL, FORMAT_TFLITE},
	{".pb", "saved_model.pb", FORMAT_TF},
	{".pbtxt", "saved_model.pbtxt", FORMAT_TF},
	{".pt", "model.pt", FORMAT_TORCH},
	{".pth", NULL, FORMAT_TORCH},
	{".torchscript", NULL, FORMAT_TORCH},
};

#define NR_NAMES (sizeof(names) / sizeof(names[0]))

static bool ends_in(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && !strcmp(name + length - tail, suffix);
}

/* Up to HEAD_SIZE bytes, as many as the file has. */
static size_t read_head(const struct model_file *file, char head[HEAD_SIZE])
{
	size_t size = file->size < HEAD_SIZE ? file->size : HEAD_SIZE;
	ssize_t n;
	int fd;

	if (!file->path) {
		if (size)
			memcpy(head, file->data, size);
		return size;
	}
	fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	n = read(fd, head, HEAD_SIZE);
	close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static enum model_format format_by_bytes(const struct model_file *file)
{
	char head[HEAD_SIZE];
	size_t size = read_head(file, head);

	if (size == HEAD_SIZE && !memcmp(head + 4, "TFL3", 4))
		return FORMAT_TFLITE;
	/* TorchScript is a ZIP archive. */
	if (size >= 4 && !memcmp(head, "PK\3\4", 4))
		return FORMAT_TORCH;
	return FORMAT_UNKNOWN;
}

enum model_format format_of(const struct model_files *files)
{
	const struct model_file *single = files_single(files);

	if (!single) {
		for (size_t i = 0; i < NR_NAMES; i++)
			if (names[i].in_directory && files_find(files, names[i].in_directory))
				return names[i].format;
		return FORMAT_UNKNOWN;
	}
	for (size_t i = 0; i < NR_NAMES; i++)
		if (ends_in(single->name, names[i].suffix))
			return names[i].format;
	return format_by_bytes(single);
}
