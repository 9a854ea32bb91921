// SPDX-License-Identifier: GPL-2.0

// What Go's goroutines take for the same: memory of one that waits, a switch there and back
// (iter.Pull, which hands its thread over: coroswitch), a value there and back through
// unbuffered channels, and growth of a stack. Prints lines as selftests/bench/run.sh does,
// "NAME COUNT SAMPLE...", in bytes or ns. With one P, so that no other thread runs goroutines.
//
// usage: go run peers.go		(Go 1.23 or later)
package main

import (
	"fmt"
	"iter"
	"runtime"
	"strings"
	"time"
)

const (
	rounds = 31
	parked = 100000
	trips  = 1000
	depth  = 10000
)

func row(name string, count int, rounds int, sample func() int64) {
	fmt.Print(name, " ", count)
	for i := -1; i < rounds; i++ {
		if value := sample(); i >= 0 {
			fmt.Print(" ", value)
		}
	}
	fmt.Println()
}

func inUse() int64 {
	var stats runtime.MemStats

	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.StackInuse + stats.HeapInuse)
}

// Once: what an earlier round has freed is kept for reuse.
func parkedBytes() {
	gate := make(chan bool)
	before := inUse()
	for i := 0; i < parked; i++ {
		go func() { <-gate }()
	}
	time.Sleep(time.Second)
	fmt.Println("go_parked", parked, inUse()-before)
	close(gate)
}

// The generic function's instance and the loop are what a user of iter.Pull has.
func pulls() int64 {
	next, stop := iter.Pull(func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	})
	next()
	start := time.Now()
	for i := 0; i < trips; i++ {
		next()
	}
	elapsed := time.Since(start)
	stop()
	return elapsed.Nanoseconds()
}

func roundTrips() int64 {
	there, back := make(chan int), make(chan int)
	go func() {
		for value := range there {
			back <- value
		}
	}()
	start := time.Now()
	for i := 0; i < trips; i++ {
		there <- i
		<-back
	}
	elapsed := time.Since(start)
	close(there)
	return elapsed.Nanoseconds()
}

//go:noinline
func descend(levels int, above *int) int {
	here := levels
	if levels > 0 {
		*above += descend(levels-1, &here)
	}
	return here
}

// The first climb of a goroutine less the second.
func growth() int64 {
	result := make(chan int64)
	go func() {
		var top int
		start := time.Now()
		descend(depth, &top)
		middle := time.Now()
		descend(depth, &top)
		result <- (middle.Sub(start) - time.Since(middle)).Nanoseconds()
	}()
	return <-result
}

func main() {
	runtime.GOMAXPROCS(1)
	fmt.Println("# go", strings.TrimPrefix(runtime.Version(), "go"))
	parkedBytes()
	row("go_pull", trips, rounds, pulls)
	row("go_chan_roundtrip", trips, rounds, roundTrips)
	row("go_growth_frame", depth, rounds, growth)
}
