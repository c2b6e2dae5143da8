// SPDX-License-Identifier: Apache-2.0

// Command opgen writes the Go side of each operation, from what `vaccel ops --json` says.
//
// usage: opgen [-vaccel COMMAND | -table FILE] [-o FILE]
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"log"
	"os"
	"os/exec"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("opgen: ")
	command := flag.String("vaccel", "vaccel", "the command that lists the operations")
	table := flag.String("table", "", "a file with what it prints, instead")
	output := flag.String("o", "", "where to write; standard output unless given")
	flag.Parse()

	listed, err := list(*command, *table)
	if err != nil {
		log.Fatal(err)
	}
	source, err := Generate(listed)
	if err != nil {
		log.Fatal(err)
	}
	if *output == "" {
		_, err = os.Stdout.Write(source)
	} else {
		err = os.WriteFile(*output, source, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func list(command, table string) ([]byte, error) {
	if table != "" {
		return os.ReadFile(table)
	}
	listed, err := exec.Command(command, "ops", "--json").Output()
	if err != nil {
		return nil, fmt.Errorf("%s ops --json: %w", command, err)
	}
	return listed, nil
}

// Generate makes Go of a table of operations in JSON.
func Generate(listed []byte) ([]byte, error) {
	var ops []op
	if err := json.Unmarshal(listed, &ops); err != nil {
		return nil, err
	}
	var g generator
	if err := g.file(ops); err != nil {
		return nil, err
	}
	return format.Source(bytes.TrimSpace(g.Bytes()))
}
