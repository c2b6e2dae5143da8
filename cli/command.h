/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. Each is a function that prints to stdout and returns the exit status. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/options.h"

/* All of them, ending in one without a name. */
extern const struct command commands[];

int bench_main(const struct options *options);
int classify_main(const struct options *options);
int completion_main(const struct options *options);
int config_main(const struct options *options);
int depth_main(const struct options *options);
int detect_main(const struct options *options);
int doctor_main(const struct options *options);
int info_main(const struct options *options);
int ops_main(const struct options *options);
int ping_main(const struct options *options);
int plugins_main(const struct options *options);
int pose_main(const struct options *options);
int run_main(const struct options *options);
int segment_main(const struct options *options);
int top_main(const struct options *options);

#endif
