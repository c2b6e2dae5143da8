// SPDX-License-Identifier: Apache-2.0

// Command bench measures what a call costs from Go beside the same call from C, in turn
// and in one process.
//
// usage: bench [-plugins NAMES] [-rounds N]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"slices"
	"time"

	"vaccel"
	"vaccel/internal/floor"
)

// Calls of a round, whose mean is one sample.
const batch = 2000

func main() {
	log.SetFlags(0)
	plugins := flag.String("plugins", "noop", "which to load; auto: as the environment says")
	rounds := flag.Int("rounds", 500, "how often to measure")
	flag.Parse()
	if err := measure(*plugins, *rounds); err != nil {
		log.Fatal("bench: ", err)
	}
}

func measure(plugins string, rounds int) error {
	if err := vaccel.Open(vaccel.Config{Plugins: plugins}); err != nil {
		return err
	}
	session, err := vaccel.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	inC, err := floor.Open()
	if err != nil {
		return err
	}
	canEnd, cancel := context.WithCancel(context.Background())
	defer cancel()

	rows := []row{
		{name: "C", run: func() error { return inC.Noops(batch) }},
		{name: "an empty call by cgo", run: func() error { return floor.Empty(batch) }},
		{name: "Go", run: func() error { return noops(context.Background(), session) }},
		{name: "Go, a context that can end", run: func() error { return noops(canEnd, session) }},
	}
	for round := 0; round < rounds; round++ {
		for i := range rows {
			if err := rows[i].sample(); err != nil {
				return err
			}
		}
	}
	show(rows)
	return nil
}

type row struct {
	name    string
	run     func() error
	samples []float64 // nanoseconds of a call
}

func (r *row) sample() error {
	began := time.Now()
	err := r.run()
	r.samples = append(r.samples, float64(time.Since(began).Nanoseconds())/batch)
	return err
}

// show prints the rows, each beside the first.
func show(rows []row) {
	fmt.Printf("%-30s %10s %10s %12s %8s\n", "noop", "median", "p99", "over C", "ratio")
	base := quantile(rows[0].samples, 0.5)
	for _, row := range rows {
		median := quantile(row.samples, 0.5)
		fmt.Printf("%-30s %7.1f ns %7.1f ns %9.1f ns %8.2f\n",
			row.name, median, quantile(row.samples, 0.99), median-base, median/base)
	}
}

func noops(ctx context.Context, session *vaccel.Session) error {
	for i := 0; i < batch; i++ {
		if err := session.Run(ctx, &vaccel.NoopOp{}); err != nil {
			return err
		}
	}
	return nil
}

func quantile(samples []float64, q float64) float64 {
	sorted := slices.Clone(samples)
	slices.Sort(sorted)
	return sorted[int(q*float64(len(sorted)-1))]
}
