/* SPDX-License-Identifier: Apache-2.0 */
/* Printing for people: in columns that fit, and in colour where that is wanted. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stddef.h>

enum style { STYLE_PLAIN, STYLE_HEADING, STYLE_QUIET, STYLE_GOOD, STYLE_DOUBTFUL, STYLE_BAD };

/* How wide the lines on stdout may be. */
size_t terminal_columns(void);

/* How many lines the terminal on stdout has; 0 if there is none, or if it does not say. */
size_t terminal_lines(void);

/* How many columns a text takes. */
size_t terminal_width_of(const char *text);

/* Prints a text in a style and fills it up with spaces to @width columns. */
void terminal_put(enum style style, size_t width, const char *text);

/*
 * Prints a text in as many lines as it takes, and ends the last. Standing at column
 * @indent, it begins further lines there.
 */
void terminal_wrap(size_t indent, const char *text);

/* One line on stderr: "vaccel: SENTENCE". */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
