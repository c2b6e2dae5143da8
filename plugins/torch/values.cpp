// SPDX-License-Identifier: Apache-2.0
/*
 * Tensors have their types and sizes with them, and are believed only as far as these fit
 * each other. What a model takes is in the schema of its forward(); shapes are
 * not in there, so a wrong one is torch's to find.
 */
#include "torch/values.h"

#include <cstring>
#include <sstream>

#include <ATen/Functions.h>
#include <ATen/ops/from_blob.h>

#include <vaccel/ops/torch.h>

#include "torch/failure.h"

using c10::IValue;
using c10::TypeKind;

static const struct {
	enum vaccel_torch_data_type ours;
	at::ScalarType torchs;
} types[] = {
	{VACCEL_TORCH_BYTE, at::kByte},	  {VACCEL_TORCH_CHAR, at::kChar},
	{VACCEL_TORCH_SHORT, at::kShort}, {VACCEL_TORCH_INT, at::kInt},
	{VACCEL_TORCH_LONG, at::kLong},	  {VACCEL_TORCH_HALF, at::kHalf},
	{VACCEL_TORCH_FLOAT, at::kFloat}, {VACCEL_TORCH_DOUBLE, at::kDouble},
	{VACCEL_TORCH_BOOL, at::kBool},	  {VACCEL_TORCH_BFLOAT16, at::kBFloat16},
};

static at::ScalarType type_of(const struct vaccel_tensor &tensor, const std::string &name)
{
	for (const auto &type : types)
		if (type.ours == tensor.data_type)
			return type.torchs;
	throw failure{vaccel_fail(
		VACCEL_EINVAL, "the input '%.60s' is of type %d; VACCEL_TORCH_* are %d to %d",
		name.c_str(), (int)tensor.data_type, VACCEL_TORCH_BYTE, VACCEL_TORCH_BFLOAT16)};
}

static std::string shape_words(const char *type, const int64_t *dims, size_t nr_dims)
{
	std::ostringstream words;

	words << type << " [";
	for (size_t i = 0; i < nr_dims; i++)
		words << (i ? ", " : "") << dims[i];
	words << "]";
	return words.str();
}

static std::string words_of(const struct vaccel_tensor &tensor)
{
	const char *name = "an unknown type";

	for (const auto &type : types)
		if (type.ours == tensor.data_type)
			name = c10::toString(type.torchs);
	return shape_words(name, tensor.dims, tensor.nr_dims);
}

/* Bytes of data that type and dimensions make; false if they are no number. */
static bool bytes_of(const struct vaccel_tensor &tensor, at::ScalarType type, size_t *ret_bytes)
{
	size_t bytes = c10::elementSize(type);
	bool empty = false, fits = true;

	for (size_t i = 0; i < tensor.nr_dims; i++) {
		if (tensor.dims[i] < 0)
			return false;
		if (!tensor.dims[i])
			empty = true;
		else if (__builtin_mul_overflow(bytes, tensor.dims[i], &bytes) || bytes > INT64_MAX)
			fits = false;
	}
	*ret_bytes = empty ? 0 : bytes;
	return empty || fits;
}

at::Tensor tensor_borrow(const struct vaccel_tensor &from, const std::string &name)
{
	at::ScalarType type = type_of(from, name);
	at::IntArrayRef sizes(from.dims, from.nr_dims);
	size_t bytes;

	if (!bytes_of(from, type, &bytes))
		throw failure{vaccel_fail(VACCEL_EINVAL,
					  "the input '%.60s' cannot have the dimensions %.100s",
					  name.c_str(), words_of(from).c_str())};
	if (from.size != bytes || (bytes && !from.data))
		throw failure{vaccel_fail(
			VACCEL_EINVAL, "the input '%.60s' has %zu bytes of data; %.100s is %zu",
			name.c_str(), from.data ? from.size : 0, words_of(from).c_str(), bytes)};
	if (!bytes)
		return at::empty(sizes, type);
	return at::from_blob(from.data, sizes, at::TensorOptions(type));
}

namespace
{

/* The tensors of a call, as the arguments of forward() take them one after the other. */
class Arguments
{
      public:
	Arguments(const c10::FunctionSchema &schema, const struct vaccel_tensor *from, size_t nr,
		  c10::Device device, bool copy)
	    : schema(schema), from(from), nr(nr), device(device), copy(copy)
	{
	}

	std::vector<IValue> make()
	{
		const auto &arguments = schema.arguments();
		std::vector<IValue> values;

		values.reserve(arguments.size() + 1);
		for (size_t i = 1; i < arguments.size(); i++) {
			if (taken == nr && arguments[i].default_value())
				break;
			behind = least_behind(i);
			values.push_back(value(*arguments[i].type(), arguments[i].name()));
		}
		if (taken < nr)
			throw failure{
				vaccel_fail(VACCEL_EINVAL,
					    "there are %zu inputs, and the model takes %zu: %.300s",
					    nr, taken, signature().c_str())};
		return values;
	}

      private:
	/* How many tensors a value of this type takes at least. */
	static size_t least(const c10::Type &type)
	{
		size_t sum = 0;

		if (type.kind() == TypeKind::ListType || type.kind() == TypeKind::OptionalType)
			return 0;
		if (type.kind() != TypeKind::TupleType)
			return 1;
		for (const auto &member : type.containedTypes())
			sum += least(*member);
		return sum;
	}

	size_t least_behind(size_t index) const
	{
		size_t sum = 0;

		for (size_t i = index + 1; i < schema.arguments().size(); i++)
			if (!schema.arguments()[i].default_value())
				sum += least(*schema.arguments()[i].type());
		return sum;
	}

	std::string signature() const
	{
		std::string words;

		for (size_t i = 1; i < schema.arguments().size(); i++)
			words += (i > 1 ? ", " : "") + schema.arguments()[i].name() + ": " +
				 schema.arguments()[i].type()->str();
		return words;
	}

	at::Tensor next(const std::string &name)
	{
		if (taken == nr)
			throw failure{vaccel_fail(
				VACCEL_EINVAL,
				"there are %zu inputs, and '%.60s' is missing; the model takes %.300s",
				nr, name.c_str(), signature().c_str())};
		at::Tensor tensor = tensor_borrow(from[taken++], name);
		if (!device.is_cpu())
			return tensor.to(device);
		return copy ? tensor.clone() : tensor;
	}

	IValue list(const c10::Type &type, const std::string &name)
	{
		const auto &element = type.containedTypes()[0];
		c10::impl::GenericList values(element);

		for (size_t i = 0; nr - taken > behind; i++)
			values.push_back(value(*element, name + "[" + std::to_string(i) + "]"));
		return values;
	}

	IValue tuple(const c10::Type &type, const std::string &name)
	{
		std::vector<IValue> values;

		for (size_t i = 0; i < type.containedTypes().size(); i++)
			values.push_back(value(*type.containedTypes()[i],
					       name + "[" + std::to_string(i) + "]"));
		return c10::ivalue::Tuple::create(std::move(values));
	}

	at::Scalar number(const std::string &name)
	{
		at::Tensor tensor = next(name);

		if (tensor.numel() != 1)
			throw failure{vaccel_fail(
				VACCEL_EINVAL,
				"the input '%.60s' is %.100s; the model takes one number",
				name.c_str(), words_of(from[taken - 1]).c_str())};
		return tensor.item();
	}

	IValue value(const c10::Type &type, const std::string &name)
	{
		switch (type.kind()) {
		case TypeKind::TensorType:
		case TypeKind::AnyType:
			return next(name);
		case TypeKind::OptionalType:
			if (nr - taken <= behind)
				return IValue();
			return value(*type.containedTypes()[0], name);
		case TypeKind::ListType:
			return list(type, name);
		case TypeKind::TupleType:
			return tuple(type, name);
		case TypeKind::IntType:
			return number(name).toLong();
		case TypeKind::FloatType:
			return number(name).toDouble();
		case TypeKind::BoolType:
			return number(name).toBool();
		case TypeKind::NumberType:
			return number(name);
		default:
			throw failure{vaccel_fail(
				VACCEL_ENOTSUP,
				"the model's input '%.60s' is %.60s; only tensors and numbers, and "
				"tuples and lists of them, can be handed over",
				name.c_str(), type.str().c_str())};
		}
	}

	const c10::FunctionSchema &schema;
	const struct vaccel_tensor *from;
	const size_t nr;
	const c10::Device device;
	const bool copy;
	size_t taken = 0;
	size_t behind = 0; /* what the arguments after the current one take at least */
};

/* The tensors in what forward() returned, as far as they are asked for. */
class Results
{
      public:
	explicit Results(size_t most) : most(most)
	{
	}

	void add(const IValue &value)
	{
		if (tensors.size() == most)
			return;
		if (value.isTensor() && value.toTensor().defined())
			tensors.push_back(value.toTensor());
		else if (value.isTuple())
			for (const auto &member : value.toTupleRef().elements())
				add(member);
		else if (value.isList())
			for (const IValue &member : value.toListRef())
				add(member);
		else if (value.isGenericDict())
			for (const auto &entry : value.toGenericDict())
				add(entry.value());
		else if (value.isScalar())
			tensors.push_back(at::scalar_tensor(value.toScalar(), type_of(value)));
		else
			throw failure{vaccel_fail(
				VACCEL_ENOTSUP,
				"the model's output %zu is %.60s; only tensors and numbers, and tuples, "
				"lists and dictionaries of them, can be handed over",
				tensors.size(), value.tagKind().c_str())};
	}

	std::vector<at::Tensor> tensors;

      private:
	static at::ScalarType type_of(const IValue &value)
	{
		if (value.isBool())
			return at::kBool;
		return value.isInt() ? at::kLong : at::kDouble;
	}

	const size_t most;
};

} // namespace

std::vector<IValue> arguments_make(const c10::FunctionSchema &schema,
				   const struct vaccel_tensor *from, size_t nr, c10::Device device,
				   bool copy)
{
	return Arguments(schema, from, nr, device, copy).make();
}

std::string arguments_words(const c10::FunctionSchema &schema, const struct vaccel_tensor *from,
			    size_t nr)
{
	const auto &arguments = schema.arguments();
	std::string words;

	for (size_t i = 0; i < nr; i++)
		words += (i ? ", " : "") +
			 (i + 1 < arguments.size() ? arguments[i + 1].name() + ": " : "") +
			 words_of(from[i]);
	return words;
}

static enum vaccel_torch_data_type our_type(const at::Tensor &tensor, size_t index)
{
	for (const auto &type : types)
		if (type.torchs == tensor.scalar_type())
			return type.ours;
	throw failure{vaccel_fail(
		VACCEL_ENOTSUP,
		"the model's output %zu is of type %.60s, which has no VACCEL_TORCH_* number",
		index, c10::toString(tensor.scalar_type()))};
}

/* Numbers that lie one after the other in this process's memory. */
static at::Tensor plain(at::Tensor tensor)
{
	if (tensor.is_quantized())
		tensor = tensor.dequantize();
	if (tensor.layout() != at::kStrided)
		tensor = tensor.to_dense();
	return tensor.cpu().resolve_neg().contiguous();
}

void results_give(struct vaccel_call *call, const IValue &value, struct vaccel_tensor *to,
		  size_t nr)
{
	Results results(nr);

	results.add(value);
	if (results.tensors.size() < nr)
		throw failure{vaccel_fail(
			VACCEL_EINVAL, "%zu outputs are asked for, and the model has returned %zu",
			nr, results.tensors.size())};
	for (size_t i = 0; i < nr; i++) {
		at::Tensor tensor = plain(results.tensors[i]);
		int ret = vaccel_call_out_tensor(call, &to[i], our_type(tensor, i),
						 (size_t)tensor.dim(), tensor.sizes().data(),
						 tensor.nbytes());

		if (ret)
			throw failure{ret};
		if (tensor.nbytes())
			std::memcpy(to[i].data, tensor.data_ptr(), tensor.nbytes());
	}
}
