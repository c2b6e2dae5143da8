/* SPDX-License-Identifier: Apache-2.0 */
/* An operation that no plugin has, with every kind, direction and mark that there is. */
#ifndef TESTS_SUPPORT_PROBE_H
#define TESTS_SUPPORT_PROBE_H

#include <vaccel/ops/describe.h>

/* Not in the table of operations. */
#define VACCEL_OP_PROBE	      ((vaccel_op_type_t)127)
#define VACCEL_OP_PROBE_INDEX 0

#define VACCEL_FIELDS_probe_item(FIELD, item)  \
	FIELD(item, ONE, u8, small, "one")     \
	FIELD(item, TEXT, char, name, "text")  \
	FIELD(item, SPAN, i16, shorts, "span") \
	FIELD(item, ONE, f64, large, "one")    \
	FIELD(item, SPAN, f64, doubles, "span")
VACCEL_ITEM(probe_item)

#define VACCEL_PROBE_ARGS(ARG, op)                                                \
	ARG(op, IN, ONE, u8, one_u8, NONE, "one")                                 \
	ARG(op, IN, ONE, f32, one_f32, NONE, "one")                               \
	ARG(op, IN, ONE, i64, one_i64, NONE, "one")                               \
	ARG(op, INOUT, ONE, i16, both_one, NONE, "one")                           \
	ARG(op, INOUT, ONE, u8, both_one_opt, OPTIONAL, "one")                    \
	ARG(op, OUT, ONE, i64, out_one, NONE, "one")                              \
	ARG(op, OUT, ONE, f32, out_one_opt, OPTIONAL, "one")                      \
	ARG(op, IN, SPAN, u16, span, NONE, "span")                                \
	ARG(op, IN, SPAN, u8, span_stable, OPTIONAL_STABLE, "span")               \
	ARG(op, INOUT, SPAN, i32, both_span, NONE, "span")                        \
	ARG(op, INOUT, SPAN, f64, both_span_opt, OPTIONAL, "span")                \
	ARG(op, OUT, SPAN, u64, out_span, NONE, "span")                           \
	ARG(op, OUT, SPAN, i8, out_span_opt, OPTIONAL, "span")                    \
	ARG(op, OUT, SPAN, f32, out_span_grows, GROWS, "span")                    \
	ARG(op, IN, TEXT, char, text, NONE, "text")                               \
	ARG(op, IN, TEXT, char, text_opt, OPTIONAL, "text")                       \
	ARG(op, OUT, TEXT, char, out_text, NONE, "text")                          \
	ARG(op, OUT, TEXT, char, out_text_opt, OPTIONAL, "text")                  \
	ARG(op, OUT, TEXT, char, out_text_grows, GROWS, "text")                   \
	ARG(op, IN, LIST, probe_item, list, NONE, "list")                         \
	ARG(op, IN, LIST, probe_item, list_opt, OPTIONAL, "list")                 \
	ARG(op, OUT, LIST, probe_item, out_list, GROWS, "list")                   \
	ARG(op, OUT, LIST, probe_item, out_list_opt, OPTIONAL_GROWS, "list")      \
	ARG(op, IN, TENSORS, tensor, tensors, NONE, "tensors")                    \
	ARG(op, IN, TENSORS, tensor, tensors_opt, OPTIONAL, "tensors")            \
	ARG(op, OUT, TENSORS, tensor, out_tensors, GROWS, "tensors")              \
	ARG(op, OUT, TENSORS, tensor, out_tensors_opt, OPTIONAL_GROWS, "tensors") \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "resource")                     \
	ARG(op, IN, ARGS, arg, read, NONE, "arguments")                           \
	ARG(op, IN, ARGS, arg, read_opt, OPTIONAL, "arguments")                   \
	ARG(op, INOUT, ARGS, arg, write, OPTIONAL, "arguments")
VACCEL_OP(127, PROBE, probe, vaccel_probe, EFFECT, "carry every kind of argument")

#endif
