// SPDX-License-Identifier: Apache-2.0
/*
 * A session's module is made from the one that all share when it is first run. Parameters, which
 * are the most of it, stay shared unless the model writes to them.
 */
#include "torch/state.h"

#include <mutex>
#include <new>
#include <unordered_map>

using torch::jit::Module;
using ObjectPtr = c10::intrusive_ptr<c10::ivalue::Object>;

namespace
{

/* A module of its own over the same parameters, which it shares unless they are written to. */
class Copier
{
      public:
	explicit Copier(bool parameters) : parameters(parameters)
	{
	}

	ObjectPtr object(const ObjectPtr &from)
	{
		ObjectPtr &copy = copies[from.get()];

		if (copy)
			return copy;
		copy = c10::ivalue::Object::create(
			c10::StrongTypePtr(from->compilation_unit(), from->type()),
			from->slots().size());
		ObjectPtr made = copy;
		for (size_t i = 0; i < from->slots().size(); i++)
			made->setSlot(i, slot(*from->type(), i, from->slots()[i]));
		return made;
	}

      private:
	c10::IValue slot(const c10::ClassType &type, size_t index, const c10::IValue &value)
	{
		if (value.isModule())
			return object(value.toObject());
		/* Such as packed weights, which nothing in TorchScript changes. */
		if (value.isObject())
			return value;
		if (!value.isTensor())
			return value.deepcopy();
		if (!value.toTensor().defined() || (type.is_parameter(index) && !parameters))
			return value;
		return value.toTensor().clone();
	}

	const bool parameters;
	std::unordered_map<const c10::ivalue::Object *, ObjectPtr> copies;
};

/* A session's module, made under its lock, and run under it. */
struct State : own {
	std::mutex busy;
	std::unique_ptr<Module> module;
};

void drop(struct own *own)
{
	delete static_cast<State *>(own);
}

struct owns states = {PTHREAD_MUTEX_INITIALIZER, nullptr, drop};

State &state_of(const struct script *script, const void *session)
{
	pthread_mutex_lock(&states.lock);
	auto *state = static_cast<State *>(owns_find(&states, script, session));
	if (!state && (state = new (std::nothrow) State))
		owns_add(&states, state, script, session);
	pthread_mutex_unlock(&states.lock);
	if (!state)
		throw std::bad_alloc();
	return *state;
}

} // namespace

c10::IValue script_run(const struct script *script, const void *session,
		       std::vector<c10::IValue> arguments)
{
	if (!script->keeps_state)
		return script->module->get_method("forward")(std::move(arguments));

	State &state = state_of(script, session);
	std::lock_guard<std::mutex> guard(state.busy);

	if (!state.module)
		state.module = std::make_unique<Module>(
			Copier(script->writes_parameters).object(script->module->_ivalue()));
	return state.module->get_method("forward")(std::move(arguments));
}

void state_forget(const struct script *script)
{
	owns_forget(&states, script, nullptr);
}

void state_session_close(struct vaccel_session *, void *slot)
{
	owns_forget(&states, nullptr, slot);
	free(slot);
}
