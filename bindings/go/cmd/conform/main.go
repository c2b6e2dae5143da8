// SPDX-License-Identifier: Apache-2.0

// Command conform makes the calls that the suite of backends recorded, from Go, and looks
// whether the same comes of them. tests/conform/cases.md says what the cases look like.
//
// usage: conform [-plugin NAME] CASES
//
// It is to be started in the build directory, with VACCEL_PLUGINS as the cases want it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"reflect"

	"vaccel"
)

type testCase struct {
	Name      string
	Plugin    string
	Op        string
	Args      map[string]json.RawMessage
	Code      vaccel.Code
	Words     string
	Results   map[string]json.RawMessage
	Tolerance float64
}

func main() {
	log.SetFlags(0)
	plugin := flag.String("plugin", "", "whose cases to run; all unless given")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: conform [-plugin NAME] CASES")
	}
	if err := run(flag.Arg(0), *plugin); err != nil {
		log.Fatal("conform: ", err)
	}
}

func run(path, plugin string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var all struct{ Cases []testCase }
	if err := json.Unmarshal(content, &all); err != nil {
		return err
	}
	r, err := newRunner()
	if err != nil {
		return err
	}
	defer r.close()
	passed, failed := 0, 0
	for _, c := range all.Cases {
		if plugin != "" && c.Plugin != plugin {
			continue
		}
		if err := r.check(c); err != nil {
			failed++
			fmt.Printf("%s: %v\n", c.Name, err)
		} else {
			passed++
		}
	}
	fmt.Printf("%d cases passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		return errors.New("the binding does not do what C does")
	}
	return nil
}

// check makes the call of one case.
func (r *runner) check(c testCase) error {
	op := vaccel.NewOp(c.Op)
	if op == nil {
		return fmt.Errorf("there is no operation %s", c.Op)
	}
	members := membersOf(reflect.ValueOf(op).Elem())
	for name, value := range c.Args {
		member, ok := members[name]
		if !ok {
			return fmt.Errorf("%s has no argument %s", c.Op, name)
		}
		if err := r.set(member, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	err := r.session.Run(context.Background(), op)
	if c.Code != 0 {
		return checkError(err, c)
	}
	if err != nil {
		return err
	}
	for name, value := range c.Results {
		wanted := reflect.New(members[name].Type()).Elem()
		if err := r.set(wanted, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !same(members[name], wanted, c.Tolerance) {
			return fmt.Errorf("%s is %v, and should be %v", name, members[name], wanted)
		}
	}
	return nil
}

// checkError looks whether a call has failed as it was to, and says why.
func checkError(err error, c testCase) error {
	var failure *vaccel.Error
	if !errors.As(err, &failure) || !errors.Is(err, c.Code) {
		return fmt.Errorf("ended with %v, and should with %v", err, c.Code)
	}
	if failure.Words == "" {
		return fmt.Errorf("failed with %v, and says nothing", c.Code)
	}
	if c.Words != "" && failure.Words != c.Words {
		return fmt.Errorf("says %q, and should %q", failure.Words, c.Words)
	}
	return nil
}

// membersOf are the members of an operation or of a list's item by their names in the table.
func membersOf(of reflect.Value) map[string]reflect.Value {
	members := map[string]reflect.Value{}
	for i := 0; i < of.NumField(); i++ {
		members[of.Type().Field(i).Tag.Get("vaccel")] = of.Field(i)
	}
	return members
}
