// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a file may be given to dlopen(), as far as its headers tell: a copy
 * that was interrupted still looks like a library at its beginning. Nothing here
 * protects from a file that is changed later, or made to do harm.
 */
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "plugin/elf.h"

static bool read_at(int fd, void *data, size_t size, off_t offset)
{
	return pread(fd, data, size, offset) == (ssize_t)size;
}

/* Whether all that a library of this machine wants in memory is in the file. */
static bool is_whole(int fd, uint64_t size)
{
	ElfW(Ehdr) header;
	ElfW(Phdr) part;

	if (!read_at(fd, &header, sizeof(header), 0) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(part))
		return true;
	for (size_t i = 0; i < header.e_phnum; i++) {
		if (!read_at(fd, &part, sizeof(part), (off_t)(header.e_phoff + i * sizeof(part))))
			return false;
		if (part.p_type == PT_LOAD &&
		    (part.p_offset > size || part.p_filesz > size - part.p_offset))
			return false;
	}
	return true;
}

int elf_check(const char *path)
{
	/* A pipe is not waited for either. */
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return VACCEL_OK;
	if (!S_ISREG(st.st_mode))
		return vaccel_fail(VACCEL_ENOENT, "'%s' is not a file; give that of a plugin",
				   path);
	if (!is_whole(fd, (uint64_t)st.st_size))
		return vaccel_fail(VACCEL_ENOENT,
				   "the plugin '%s' is cut short, at %jd bytes; install it again",
				   path, (intmax_t)st.st_size);
	return VACCEL_OK;
}
