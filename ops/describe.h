/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an operation is described.
 *
 * A header under ops/ holds, for each operation, its argument list and one line:
 *
 *	#define VACCEL_SCALE_ARGS(ARG, op)                                      \
 *		ARG(op, IN, SPAN, f32, samples, NONE, "values to scale")       \
 *		ARG(op, IN, ONE, f32, factor, NONE, "what to multiply by")     \
 *		ARG(op, OUT, SPAN, f32, scaled, NONE, "as many products")
 *	VACCEL_OP_CHECKED(90, SCALE, scale, vaccel_scale, PURE, "multiply values by a factor")
 *
 * and, between #ifdef VACCEL_OP_BODIES and its #endif, what is compiled once into
 * libvaccel: the check of the rules between arguments and the C function.
 *
 * ARG's columns: the operation; IN, OUT or INOUT; the kind; the type of an
 * element; the argument's name; its marks joined by _ in the order OPTIONAL,
 * GROWS, STABLE, or NONE; a sentence.
 *
 * VACCEL_OP makes `struct vaccel_scale_args` of it, with one member for each argument:
 *
 *	kind		IN				OUT, INOUT
 *	ONE		T name				T *name
 *	SPAN		{ const T *data; size_t count }	{ T *data; size_t count }
 *	TEXT		const char *name		{ char *data; size_t size }
 *	LIST		{ const T *data; size_t count }	{ T *data; size_t count }
 *	TENSORS		{ const struct vaccel_tensor *data; size_t count } and without const
 *	ARGS		{ struct vaccel_arg *data; size_t count }
 *	RESOURCE	struct vaccel_resource *name
 *
 * A list's items are described the same way, and the struct is made of it:
 *
 *	#define VACCEL_FIELDS_tf_node(FIELD, item)                              \
 *		FIELD(item, TEXT, char, name, "name of the node")              \
 *		FIELD(item, ONE, i32, id, "which of its outputs")
 *	VACCEL_ITEM(tf_node)
 *
 * with TEXT as `char *name`, ONE as `T name`, SPAN as `struct { T *data; size_t count; } name`.
 */
#ifndef VACCEL_OPS_DESCRIBE_H
#define VACCEL_OPS_DESCRIBE_H

#include <vaccel/arg.h>
#include <vaccel/error.h>
#include <vaccel/op.h>
#include <vaccel/resource.h>
#include <vaccel/session.h>
#include <vaccel/tensor.h>

struct vaccel_call;

/* Element types */
#define VACCEL_T_i8	int8_t
#define VACCEL_T_i16	int16_t
#define VACCEL_T_i32	int32_t
#define VACCEL_T_i64	int64_t
#define VACCEL_T_u8	uint8_t
#define VACCEL_T_u16	uint16_t
#define VACCEL_T_u32	uint32_t
#define VACCEL_T_u64	uint64_t
#define VACCEL_T_f32	float
#define VACCEL_T_f64	double
#define VACCEL_T_char	char
#define VACCEL_T_tensor struct vaccel_tensor
#define VACCEL_T_arg	struct vaccel_arg

/* Marks */
#define VACCEL_MARKS_NONE	     0
#define VACCEL_MARKS_OPTIONAL	     VACCEL_MARK_OPTIONAL
#define VACCEL_MARKS_GROWS	     VACCEL_MARK_GROWS
#define VACCEL_MARKS_STABLE	     VACCEL_MARK_STABLE
#define VACCEL_MARKS_OPTIONAL_GROWS  (VACCEL_MARK_OPTIONAL | VACCEL_MARK_GROWS)
#define VACCEL_MARKS_OPTIONAL_STABLE (VACCEL_MARK_OPTIONAL | VACCEL_MARK_STABLE)

/* The member that an argument becomes, by kind and direction */
#define VACCEL_MEMBER_(op, dir, kind, type, name, marks, sentence) \
	VACCEL_MEMBER_##kind##_##dir(type, name);
#define VACCEL_MEMBER_ONE_IN(type, name)    VACCEL_T_##type name
#define VACCEL_MEMBER_ONE_OUT(type, name)   VACCEL_T_##type *name
#define VACCEL_MEMBER_ONE_INOUT(type, name) VACCEL_T_##type *name
#define VACCEL_MEMBER_SPAN_IN(type, name)    \
	struct {                             \
		const VACCEL_T_##type *data; \
		size_t count;                \
	} name
#define VACCEL_MEMBER_SPAN_OUT(type, name) \
	struct {                           \
		VACCEL_T_##type *data;     \
		size_t count;              \
	} name
#define VACCEL_MEMBER_SPAN_INOUT(type, name) VACCEL_MEMBER_SPAN_OUT(type, name)
#define VACCEL_MEMBER_TEXT_IN(type, name)    const char *name
#define VACCEL_MEMBER_TEXT_OUT(type, name) \
	struct {                           \
		char *data;                \
		size_t size;               \
	} name
#define VACCEL_MEMBER_LIST_IN(type, name)         \
	struct {                                  \
		const struct vaccel_##type *data; \
		size_t count;                     \
	} name
#define VACCEL_MEMBER_LIST_OUT(type, name)  \
	struct {                            \
		struct vaccel_##type *data; \
		size_t count;               \
	} name
#define VACCEL_MEMBER_TENSORS_IN(type, name)  VACCEL_MEMBER_LIST_IN(type, name)
#define VACCEL_MEMBER_TENSORS_OUT(type, name) VACCEL_MEMBER_LIST_OUT(type, name)
#define VACCEL_MEMBER_ARGS_IN(type, name)     VACCEL_MEMBER_LIST_OUT(type, name)
#define VACCEL_MEMBER_ARGS_INOUT(type, name)  VACCEL_MEMBER_LIST_OUT(type, name)
#define VACCEL_MEMBER_RESOURCE_IN(type, name) struct vaccel_resource *name

/* The field of an item */
#define VACCEL_ITEM_MEMBER_(item, kind, type, name, sentence) VACCEL_ITEM_MEMBER_##kind(type, name);
#define VACCEL_ITEM_MEMBER_ONE(type, name)		      VACCEL_T_##type name
#define VACCEL_ITEM_MEMBER_TEXT(type, name)		      char *name
#define VACCEL_ITEM_MEMBER_SPAN(type, name)		      VACCEL_MEMBER_SPAN_OUT(type, name)

/* The signature: all that both ends must agree on */
#define VACCEL_OP_SIGNATURE(NAME, name) #name ":" VACCEL_##NAME##_ARGS(VACCEL_SIGNATURE_ARG_, name)
#define VACCEL_SIGNATURE_ARG_(op, dir, kind, type, name, marks, sentence) \
	" " #dir " " #kind " " #type VACCEL_SIGNATURE_##kind(type) " " #name " " #marks ";"
#define VACCEL_SIGNATURE_ONE(type)
#define VACCEL_SIGNATURE_SPAN(type)
#define VACCEL_SIGNATURE_TEXT(type)
#define VACCEL_SIGNATURE_LIST(type) "{" VACCEL_FIELDS_##type(VACCEL_SIGNATURE_FIELD_, type) "}"
#define VACCEL_SIGNATURE_TENSORS(type)
#define VACCEL_SIGNATURE_ARGS(type)
#define VACCEL_SIGNATURE_RESOURCE(type)
#define VACCEL_SIGNATURE_FIELD_(item, kind, type, name, sentence) #kind " " #type " " #name ";"

/* What every user of an operation sees */
#define VACCEL_OP_DECLARE_(NAME, name)                                \
	struct vaccel_##name##_args {                                 \
		VACCEL_##NAME##_ARGS(VACCEL_MEMBER_, name) char end_; \
	};                                                            \
	extern const struct vaccel_op vaccel_op_##name;

#define VACCEL_ITEM_DECLARE_(item)                              \
	struct vaccel_##item {                                  \
		VACCEL_FIELDS_##item(VACCEL_ITEM_MEMBER_, item) \
	};

#ifndef VACCEL_OP_BODIES

#define VACCEL_OP(number, NAME, name, symbol, repeat, sentence) VACCEL_OP_DECLARE_(NAME, name)
#define VACCEL_OP_CHECKED(number, NAME, name, symbol, repeat, sentence) \
	VACCEL_OP_DECLARE_(NAME, name)
#define VACCEL_ITEM(item) VACCEL_ITEM_DECLARE_(item)

#else /* once, in libvaccel: the description as data */

#define VACCEL_OP(number, NAME, name, symbol, repeat, sentence) \
	VACCEL_OP_DECLARE_(NAME, name)                          \
	VACCEL_OP_DEFINE_(NAME, name, symbol, repeat, sentence, NULL)

#define VACCEL_OP_CHECKED(number, NAME, name, symbol, repeat, sentence)         \
	VACCEL_OP_DECLARE_(NAME, name)                                          \
	static int name##_check(const struct vaccel_##name##_args *args);       \
	static int name##_check_any(const void *args)                           \
	{                                                                       \
		return name##_check((const struct vaccel_##name##_args *)args); \
	}                                                                       \
	VACCEL_OP_DEFINE_(NAME, name, symbol, repeat, sentence, name##_check_any)

/* A field table ends in an empty row, since an operation may have no arguments. */
#define VACCEL_OP_DEFINE_(NAME, name_, symbol_, repeat_, sentence_, check_)          \
	static const struct vaccel_field name_##_fields[] = {                        \
		VACCEL_##NAME##_ARGS(VACCEL_FIELD_ROW_, name_){0}};                  \
	const struct vaccel_op vaccel_op_##name_ = {                                 \
		.number = (vaccel_op_type_t)VACCEL_OP_##NAME,                        \
		.index = VACCEL_OP_##NAME##_INDEX,                                   \
		.name = #name_,                                                      \
		.symbol = #symbol_,                                                  \
		.sentence = sentence_,                                               \
		.signature = VACCEL_OP_SIGNATURE(NAME, name_),                       \
		.repeat = VACCEL_REPEAT_##repeat_,                                   \
		.args_size = sizeof(struct vaccel_##name_##_args),                   \
		.fields = name_##_fields,                                            \
		.nr_fields = sizeof(name_##_fields) / sizeof(name_##_fields[0]) - 1, \
		.check = check_,                                                     \
	};

#define VACCEL_FIELD_ROW_(op, dir_, kind_, type_, name_, marks_, sentence_) \
	{                                                                   \
		.name = #name_,                                             \
		.type = #type_,                                             \
		.sentence = sentence_,                                      \
		.dir = VACCEL_DIR_##dir_,                                   \
		.kind = VACCEL_KIND_##kind_,                                \
		.marks = VACCEL_MARKS_##marks_,                             \
		.offset = offsetof(struct vaccel_##op##_args, name_),       \
		.size = VACCEL_SIZE_##kind_(type_),                         \
		.item = VACCEL_ITEM_OF_##kind_(type_),                      \
		.resource_type = VACCEL_RESOURCE_TYPE_OF_##kind_(type_),    \
	},
#define VACCEL_SIZE_ONE(type)	   sizeof(VACCEL_T_##type)
#define VACCEL_SIZE_SPAN(type)	   sizeof(VACCEL_T_##type)
#define VACCEL_SIZE_TEXT(type)	   sizeof(char)
#define VACCEL_SIZE_LIST(type)	   sizeof(struct vaccel_##type)
#define VACCEL_SIZE_TENSORS(type)  sizeof(struct vaccel_tensor)
#define VACCEL_SIZE_ARGS(type)	   sizeof(struct vaccel_arg)
#define VACCEL_SIZE_RESOURCE(type) sizeof(struct vaccel_resource *)

#define VACCEL_ITEM_OF_ONE(type)      NULL
#define VACCEL_ITEM_OF_SPAN(type)     NULL
#define VACCEL_ITEM_OF_TEXT(type)     NULL
#define VACCEL_ITEM_OF_LIST(type)     &type##_item
#define VACCEL_ITEM_OF_TENSORS(type)  NULL
#define VACCEL_ITEM_OF_ARGS(type)     NULL
#define VACCEL_ITEM_OF_RESOURCE(type) NULL

#define VACCEL_RESOURCE_TYPE_OF_ONE(type)      VACCEL_RESOURCE_MAX
#define VACCEL_RESOURCE_TYPE_OF_SPAN(type)     VACCEL_RESOURCE_MAX
#define VACCEL_RESOURCE_TYPE_OF_TEXT(type)     VACCEL_RESOURCE_MAX
#define VACCEL_RESOURCE_TYPE_OF_LIST(type)     VACCEL_RESOURCE_MAX
#define VACCEL_RESOURCE_TYPE_OF_TENSORS(type)  VACCEL_RESOURCE_MAX
#define VACCEL_RESOURCE_TYPE_OF_ARGS(type)     VACCEL_RESOURCE_MAX
#define VACCEL_RESOURCE_TYPE_OF_RESOURCE(type) VACCEL_RESOURCE_##type

#define VACCEL_ITEM(item_)                                                                 \
	VACCEL_ITEM_DECLARE_(item_)                                                        \
	static const struct vaccel_field item_##_item_fields[] = {                         \
		VACCEL_FIELDS_##item_(VACCEL_ITEM_ROW_, item_)};                           \
	static const struct vaccel_item item_##_item = {                                   \
		.name = #item_,                                                            \
		.size = sizeof(struct vaccel_##item_),                                     \
		.fields = item_##_item_fields,                                             \
		.nr_fields = sizeof(item_##_item_fields) / sizeof(item_##_item_fields[0]), \
	};
#define VACCEL_ITEM_ROW_(item_, kind_, type_, name_, sentence_)   \
	{                                                         \
		.name = #name_,                                   \
		.type = #type_,                                   \
		.sentence = sentence_,                            \
		.kind = VACCEL_KIND_##kind_,                      \
		.offset = offsetof(struct vaccel_##item_, name_), \
		.size = VACCEL_SIZE_##kind_(type_),               \
		.resource_type = VACCEL_RESOURCE_MAX,             \
	},

#endif /* VACCEL_OP_BODIES */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vaccel_call() - run an operation
 * @sess: where
 * @op: which: &vaccel_op_NAME
 * @args: its arguments, a struct vaccel_NAME_args, whose GROWS outputs are zero
 *
 * The one way by which every operation is run; the functions of <vaccel/ops/>
 * fill @args and call it. The memory of IN arguments is only read, and only
 * until the call returns. The program keeps @sess and the resources in @args
 * until then. GROWS outputs are malloc'd and the caller's to free; after a failure there
 * are none.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for arguments that break the description;
 * VACCEL_ESESS for a session that is closed; VACCEL_EPERM for a resource that
 * is not registered with @sess; VACCEL_ENOTSUP if no plugin has the operation;
 * else what the backend returned.
 */
int vaccel_call(struct vaccel_session *sess, const struct vaccel_op *op, void *args);

#ifdef __cplusplus
}
#endif

#endif
