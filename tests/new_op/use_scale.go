// SPDX-License-Identifier: Apache-2.0

// Command use_scale uses the operation that the test adds, in Go: it is there, and it runs.
package main

import (
	"context"
	"fmt"
	"log"

	"vaccel"
)

func main() {
	session, err := vaccel.NewSession()
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	scale := vaccel.ScaleOp{Samples: []float32{1, 2, 3}, Factor: 2, Scaled: make([]float32, 3)}
	if err := session.Run(context.Background(), &scale); err != nil || fmt.Sprint(scale.Scaled) != "[2 4 6]" {
		log.Fatal(scale.Scaled, err)
	}
	fmt.Println("operation 90 runs in Go")
}
