// SPDX-License-Identifier: Apache-2.0
/* The bar is one line that is drawn over itself, a few times a second. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/progress.h"

#define WORDS_WIDTH    34 /* of what stands beside the bar */
#define BAR_LEAST      10
#define BAR_MOST       40
#define SECONDS_APART  0.1
#define COLUMNS_USUAL  80
#define CLEAR_THE_LINE "\r\033[K"

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_begin(struct progress *progress, size_t total)
{
	*progress = (struct progress){
		.total = total,
		.began = seconds_now(),
		.wanted = total > 1 && isatty(STDERR_FILENO),
	};
}

static size_t bar_width(void)
{
	struct winsize size;
	size_t columns = COLUMNS_USUAL, width;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		columns = size.ws_col;
	width = columns > WORDS_WIDTH + BAR_LEAST ? columns - WORDS_WIDTH : BAR_LEAST;
	return width < BAR_MOST ? width : BAR_MOST;
}

static void draw(struct progress *progress, double now)
{
	size_t width = bar_width();
	size_t full = progress->done * width / progress->total;
	double left = (now - progress->began) / (double)progress->done *
		      (double)(progress->total - progress->done);

	fputs(CLEAR_THE_LINE "[", stderr);
	for (size_t i = 0; i < width; i++)
		fputc(i < full ? '#' : '.', stderr);
	fprintf(stderr, "] %zu/%zu, %.0f s left", progress->done, progress->total, left);
	fflush(stderr);
	progress->drawn = now;
	progress->shown = true;
}

void progress_step(struct progress *progress)
{
	double now = seconds_now();

	progress->done++;
	if (!progress->wanted)
		return;
	if (progress->done == progress->total)
		progress_hide(progress);
	else if (!progress->shown || now - progress->drawn > SECONDS_APART)
		draw(progress, now);
}

void progress_hide(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs(CLEAR_THE_LINE, stderr);
	fflush(stderr);
	progress->shown = false;
}
