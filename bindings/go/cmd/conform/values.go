// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"

	"vaccel"
)

// runner has what cases share: a session, and resources that are the same in several.
type runner struct {
	session   *vaccel.Session
	resources map[string]*vaccel.Resource
}

func newRunner() (*runner, error) {
	session, err := vaccel.NewSession()
	return &runner{session, map[string]*vaccel.Resource{}}, err
}

func (r *runner) close() {
	for _, resource := range r.resources {
		resource.Close()
	}
	r.session.Close()
}

// set gives an argument the value that a case has for it.
func (r *runner) set(to reflect.Value, value json.RawMessage) error {
	text := string(value)
	if text == "null" {
		return nil
	}
	switch at := to.Addr().Interface().(type) {
	case *vaccel.Text:
		if room, ok := roomOf(value); ok {
			*at = make(vaccel.Text, room)
			return nil
		}
		var text string
		err := json.Unmarshal(value, &text)
		*at = vaccel.Text(text)
		return err
	case *[]byte:
		return setBytes(at, value)
	case **vaccel.Resource:
		resource, err := r.resource(value)
		*at = resource
		return err
	case *vaccel.RawTensor:
		return setTensor(at, value)
	case *vaccel.Arg:
		return setArg(at, value)
	case *string:
		return json.Unmarshal(value, at)
	}
	switch to.Kind() {
	case reflect.Slice:
		return r.setSlice(to, value)
	case reflect.Struct:
		var members map[string]json.RawMessage
		if err := json.Unmarshal(value, &members); err != nil {
			return err
		}
		for name, member := range membersOf(to) {
			if err := r.set(member, members[name]); err != nil {
				return err
			}
		}
		return nil
	case reflect.Float32, reflect.Float64:
		if number, ok := notFinite[text]; ok {
			to.SetFloat(number)
			return nil
		}
	}
	if text == "true" || text == "false" {
		// Whether an output is wanted: from Go it always is.
		return nil
	}
	return json.Unmarshal(value, to.Addr().Interface())
}

var notFinite = map[string]float64{`"NaN"`: math.NaN(), `"Infinity"`: math.Inf(1), `"-Infinity"`: math.Inf(-1)}

// roomOf is how many bytes an output has room for.
func roomOf(value json.RawMessage) (int, bool) {
	var room struct{ Room *int }
	if json.Unmarshal(value, &room) != nil || room.Room == nil {
		return 0, false
	}
	return *room.Room, true
}

func setBytes(to *[]byte, value json.RawMessage) error {
	if room, ok := roomOf(value); ok {
		*to = make([]byte, room)
		return nil
	}
	var digits *string
	err := json.Unmarshal(value, &digits)
	if err == nil && digits != nil {
		*to, err = hex.DecodeString(*digits)
	}
	return err
}

// setSlice makes a slice of values; or of room, or of so many tensors.
func (r *runner) setSlice(to reflect.Value, value json.RawMessage) error {
	var number int
	if room, ok := roomOf(value); ok {
		number = room / int(to.Type().Elem().Size())
	} else if json.Unmarshal(value, &number) != nil {
		var values []json.RawMessage
		if err := json.Unmarshal(value, &values); err != nil {
			return err
		}
		to.Set(reflect.MakeSlice(to.Type(), len(values), len(values)))
		for i := range values {
			if err := r.set(to.Index(i), values[i]); err != nil {
				return err
			}
		}
		return nil
	}
	to.Set(reflect.MakeSlice(to.Type(), number, number))
	return nil
}

func setTensor(to *vaccel.RawTensor, value json.RawMessage) error {
	var tensor struct {
		Type int32
		Dims []int64
		Data json.RawMessage
	}
	if err := json.Unmarshal(value, &tensor); err != nil {
		return err
	}
	to.Type, to.Dims = tensor.Type, tensor.Dims
	return setBytes(&to.Data, tensor.Data)
}

func setArg(to *vaccel.Arg, value json.RawMessage) error {
	var arg struct {
		Type       vaccel.ArgType
		CustomType uint32 `json:"custom_type"`
		Data       json.RawMessage
	}
	if err := json.Unmarshal(value, &arg); err != nil {
		return err
	}
	to.Type, to.CustomID = arg.Type, arg.CustomType
	return setBytes(&to.Data, arg.Data)
}

// resource is the one that a case names, registered unless it says otherwise.
func (r *runner) resource(value json.RawMessage) (*vaccel.Resource, error) {
	if resource := r.resources[string(value)]; resource != nil {
		return resource, nil
	}
	named := struct {
		Type       string
		Files      []string
		Bytes      string
		Registered bool
	}{Registered: true}
	if err := json.Unmarshal(value, &named); err != nil {
		return nil, err
	}
	kinds := map[string]vaccel.ResourceType{"LIB": vaccel.Library, "DATA": vaccel.Data, "MODEL": vaccel.Model}
	kind, known := kinds[named.Type]
	if !known {
		return nil, fmt.Errorf("there is no type %s of resources", named.Type)
	}
	var resource *vaccel.Resource
	content, err := hex.DecodeString(named.Bytes)
	if err == nil && named.Files != nil {
		resource, err = vaccel.NewResource(kind, named.Files...)
	} else if err == nil {
		resource, err = vaccel.NewResourceFromBytes(kind, content, "")
	}
	if err == nil && named.Registered {
		err = r.session.Register(resource)
	}
	r.resources[string(value)] = resource
	return resource, err
}

// same compares what came with what was to come.
func same(got, wanted reflect.Value, tolerance float64) bool {
	switch got.Kind() {
	case reflect.Slice:
		if text, ok := got.Interface().(vaccel.Text); ok {
			return text.String() == strings.TrimRight(string(wanted.Bytes()), "\x00")
		}
		if got.Len() != wanted.Len() {
			return false
		}
		for i := 0; i < got.Len(); i++ {
			if !same(got.Index(i), wanted.Index(i), tolerance) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := 0; i < got.NumField(); i++ {
			if !same(got.Field(i), wanted.Field(i), tolerance) {
				return false
			}
		}
		return true
	case reflect.Float32, reflect.Float64:
		a, b := got.Float(), wanted.Float()
		return a == b || (math.IsNaN(a) && math.IsNaN(b)) ||
			math.Abs(a-b) <= tolerance*math.Max(1, math.Abs(b))
	default:
		return got.Interface() == wanted.Interface()
	}
}
