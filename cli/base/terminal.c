// SPDX-License-Identifier: Apache-2.0
/*
 * Columns and colours. Colour is for terminals, and for those who do not set
 * NO_COLOR. Names and labels are others' choice: what is not printable in them
 * stays away from terminals.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <vaccel.h>

#include "base/terminal.h"

#define COLUMNS_USUAL 80
#define SENTENCE_MAX  8192 /* a path or two and what is wrong with them */
#define COLUMNS_LEAST 40
#define COLUMNS_MOST  100 /* longer lines are hard to read */

static const struct vaccel_knob no_color = {
	"NO_COLOR", NULL, "print without colours", VACCEL_KNOB_TEXT, 0, 0,
};

size_t terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return COLUMNS_USUAL;
	if (size.ws_col < COLUMNS_LEAST)
		return COLUMNS_LEAST;
	return size.ws_col < COLUMNS_MOST ? size.ws_col : COLUMNS_MOST;
}

size_t terminal_lines(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_row;
}

/* Columns of the first @length bytes: characters, whose further bytes in UTF-8 are 10xxxxxx. */
static size_t width_of(const char *text, size_t length)
{
	size_t width = 0;

	for (size_t i = 0; i < length; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

size_t terminal_width_of(const char *text)
{
	return width_of(text, strlen(text));
}

static bool colours_wanted(void)
{
	const char *refused = vaccel_knob_text(&no_color);

	return isatty(STDOUT_FILENO) && (!refused || !*refused);
}

void terminal_put(enum style style, size_t width, const char *text)
{
	static const char *const codes[] = {
		[STYLE_HEADING] = "\033[1m", [STYLE_QUIET] = "\033[2m",
		[STYLE_GOOD] = "\033[32m",   [STYLE_DOUBTFUL] = "\033[33m",
		[STYLE_BAD] = "\033[1;31m",
	};
	char *shown = strdup(text);
	size_t taken;

	vaccel_str_make_printable(shown);
	text = shown ? shown : "?";
	taken = terminal_width_of(text);
	if (style != STYLE_PLAIN && colours_wanted())
		printf("%s%s\033[0m", codes[style], text);
	else
		fputs(text, stdout);
	if (taken < width)
		printf("%*s", (int)(width - taken), "");
	free(shown);
}

static void put_word(const char *text, size_t length)
{
	char *word = strndup(text, length);

	vaccel_str_make_printable(word);
	fputs(word ? word : "?", stdout);
	free(word);
}

void terminal_wrap(size_t indent, const char *text)
{
	size_t columns = terminal_columns();
	size_t column = indent;

	while (*(text += strspn(text, " \n"))) {
		size_t length = strcspn(text, " \n");
		size_t width = width_of(text, length);

		if (column > indent && column + 1 + width > columns) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		}
		if (column > indent)
			putchar(' ');
		column += (column > indent) + width;
		put_word(text, length);
		text += length;
	}
	putchar('\n');
}

void complain(const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	vaccel_str_make_printable(sentence);
	/* What was printed before it should be seen before it. */
	fflush(stdout);
	fprintf(stderr, "vaccel: %s\n", sentence);
}
