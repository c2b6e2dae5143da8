// SPDX-License-Identifier: Apache-2.0

package vaccel

import "context"

// A model is a resource of type [Model] that is registered with the session. It is loaded
// by the operations whose names end in ModelLoadOp.

// RunONNX runs an ONNX model on inputs in the model's order, and returns its first outputs.
func (s *Session) RunONNX(ctx context.Context, model *Resource, inputs []AnyTensor, outputs int) ([]AnyTensor, error) {
	op := ONNXModelRunOp{Model: model}
	return runModel(inputs, outputs, onnx, &op.In, &op.Out, func() error { return s.Run(ctx, &op) })
}

// RunONNXByName runs an ONNX model on inputs that are named, and returns the outputs of
// these names.
func (s *Session) RunONNXByName(ctx context.Context, model *Resource, inputs map[string]AnyTensor, outputs ...string) ([]AnyTensor, error) {
	op := ONNXModelRunOp{Model: model}
	var tensors []AnyTensor
	for name, tensor := range inputs {
		op.InNames = append(op.InNames, ONNXName{name})
		tensors = append(tensors, tensor)
	}
	for _, name := range outputs {
		op.OutNames = append(op.OutNames, ONNXName{name})
	}
	return runModel(tensors, len(outputs), onnx, &op.In, &op.Out, func() error { return s.Run(ctx, &op) })
}

// RunTF runs a TensorFlow model, and returns the outputs of these nodes.
func (s *Session) RunTF(ctx context.Context, model *Resource, inputs map[TFNode]AnyTensor, outputs ...TFNode) ([]AnyTensor, error) {
	op := TFModelRunOp{Model: model, OutNodes: outputs}
	var tensors []AnyTensor
	for node, tensor := range inputs {
		op.InNodes = append(op.InNodes, node)
		tensors = append(tensors, tensor)
	}
	return runModel(tensors, len(outputs), tf, &op.In, &op.Out, func() error { return s.Run(ctx, &op) })
}

// RunTFLite runs a TensorFlow Lite model, and returns its first outputs.
func (s *Session) RunTFLite(ctx context.Context, model *Resource, inputs []AnyTensor, outputs int) ([]AnyTensor, error) {
	op := TFLiteModelRunOp{Model: model}
	return runModel(inputs, outputs, tflite, &op.In, &op.Out, func() error { return s.Run(ctx, &op) })
}

// RunTorch runs a TorchScript model, and returns its first outputs.
func (s *Session) RunTorch(ctx context.Context, model *Resource, inputs []AnyTensor, outputs int) ([]AnyTensor, error) {
	op := TorchModelRunOp{Model: model}
	return runModel(inputs, outputs, torch, &op.In, &op.Out, func() error { return s.Run(ctx, &op) })
}

// runModel runs an operation whose tensors in and out are these.
func runModel(inputs []AnyTensor, outputs int, f framework, in, out *[]RawTensor, run func() error) ([]AnyTensor, error) {
	raw, err := rawTensors(inputs, f)
	if err != nil {
		return nil, err
	}
	*in, *out = raw, make([]RawTensor, max(outputs, 0))
	if err := run(); err != nil {
		return nil, err
	}
	return typedTensors(*out, f)
}
