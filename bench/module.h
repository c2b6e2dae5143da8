/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the benchmarks that the command cannot hold itself, for what they need. */
#ifndef BENCH_MODULE_H
#define BENCH_MODULE_H

/* @symbol of the module @name, bench-NAME.so beside the plugins; it stays loaded. */
int bench_module(const char *name, const char *symbol, const void **ret_symbol);

#endif
