// What Go measures of the same, in the same run: `peers NAME NUMBER…` prints the figure of one benchmark, and for the
// stressed alternation the writers that were heard least and most, in percent of the mean.
package main

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"sync"
	"time"
)

func perOperation(start time.Time, count int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(count)
}

func pingPong(trips int) float64 {
	there, back := make(chan uint64), make(chan uint64)
	go func() {
		for value := range there {
			back <- value
		}
	}()
	trip := func(value uint64) {
		there <- value
		if <-back != value {
			panic("another value came back")
		}
	}
	for i := 0; i < trips/10; i++ {
		trip(uint64(i))
	}
	start := time.Now()
	for i := 0; i < trips; i++ {
		trip(uint64(i))
	}
	return perOperation(start, trips)
}

func commstime(loops int) float64 {
	a, b, c, d := make(chan uint64), make(chan uint64), make(chan uint64), make(chan uint64)
	go func() {
		a <- 0
		for value := range b {
			a <- value
		}
	}()
	go func() {
		for value := range a {
			c <- value
			d <- value
		}
	}()
	go func() {
		for value := range c {
			b <- value + 1
		}
	}()
	for i := 0; i < loops/10; i++ {
		<-d
	}
	start := time.Now()
	for i := 0; i < loops; i++ {
		<-d
	}
	return perOperation(start, loops*4)
}

func ring(processes, hops int) float64 {
	rounds := hops / processes
	first := make(chan uint64)
	input := first
	for i := 1; i < processes; i++ {
		from, to := input, make(chan uint64)
		go func() {
			for hops := range from {
				to <- hops + 1
			}
		}()
		input = to
	}
	var start time.Time
	for round := 0; round <= rounds; round++ {
		first <- 1
		if <-input != uint64(processes) {
			panic("a hop is missing")
		}
		if round == 0 {
			start = time.Now()
		}
	}
	return perOperation(start, processes*rounds)
}

func anyToAny(values int) float64 {
	c := make(chan uint64)
	counts := make(chan int)
	start := time.Now()
	var writers sync.WaitGroup
	for i := 0; i < 4; i++ {
		writers.Add(1)
		go func() {
			for value := 0; value < values/4; value++ {
				c <- uint64(value)
			}
			writers.Done()
		}()
		go func() {
			count := 0
			for range c {
				count++
			}
			counts <- count
		}()
	}
	writers.Wait()
	close(c)
	total := 0
	for i := 0; i < 4; i++ {
		total += <-counts
	}
	if total != values {
		panic("a value is missing")
	}
	return perOperation(start, values)
}

func stream(count int) float64 {
	c := make(chan uint64)
	go func() {
		for value := 0; value < count; value++ {
			c <- uint64(value)
		}
		close(c)
	}()
	<-c
	start := time.Now()
	for range c {
	}
	return perOperation(start, count-1)
}

func stressed(selections int) (float64, float64, float64) {
	const channels, writers = 8, 8
	var c [channels]chan int
	for i := range c {
		c[i] = make(chan int)
	}
	for number := 0; number < channels*writers; number++ {
		output, number := c[number/writers], number
		go func() {
			for {
				output <- number
			}
		}()
	}
	var hits [channels * writers]int
	var start time.Time
	for selection := 0; selection < selections+selections/10; selection++ {
		if selection == selections/10 {
			start = time.Now()
			hits = [channels * writers]int{}
		}
		var number int
		select {
		case number = <-c[0]:
		case number = <-c[1]:
		case number = <-c[2]:
		case number = <-c[3]:
		case number = <-c[4]:
		case number = <-c[5]:
		case number = <-c[6]:
		case number = <-c[7]:
		}
		hits[number]++
	}
	figure := perOperation(start, selections)
	mean := float64(selections) / float64(len(hits))
	least, most := hits[0], hits[0]
	for _, heard := range hits {
		if heard < least {
			least = heard
		}
		if heard > most {
			most = heard
		}
	}
	return figure, float64(least) / mean * 100, float64(most) / mean * 100
}

func opposite(count int) float64 {
	c, d := make(chan uint64), make(chan uint64)
	alternate := func(output, input chan uint64) float64 {
		var start time.Time
		for round := 0; round < count+count/10; round++ {
			if round == count/10 {
				start = time.Now()
			}
			select {
			case output <- uint64(round):
			case <-input:
			}
		}
		return perOperation(start, count)
	}
	other := make(chan float64)
	go func() { other <- alternate(c, d) }()
	time := alternate(d, c)
	if late := <-other; late > time {
		return late
	}
	return time
}

func many(guards, count int) float64 {
	c := make([]chan uint64, guards)
	cases := make([]reflect.SelectCase, guards)
	for i := range c {
		c[i] = make(chan uint64)
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c[i])}
	}
	go func() {
		for round := 0; round < count; round++ {
			c[round*7919%guards] <- uint64(round)
		}
	}()
	start := time.Now()
	for round := 0; round < count; round++ {
		_, value, _ := reflect.Select(cases)
		if value.Uint() != uint64(round) {
			panic("another value came")
		}
	}
	return perOperation(start, count*guards)
}

func spawn(rounds, processes int) float64 {
	start := time.Now()
	for i := 0; i < rounds; i++ {
		var all sync.WaitGroup
		all.Add(processes)
		for j := 0; j < processes; j++ {
			go all.Done()
		}
		all.Wait()
	}
	return perOperation(start, rounds*processes)
}

func main() {
	number := func(place int) int {
		value, err := strconv.Atoi(os.Args[place])
		if err != nil {
			panic(err)
		}
		return value
	}
	switch os.Args[1] {
	case "ping-pong":
		fmt.Println(pingPong(number(2)))
	case "commstime":
		fmt.Println(commstime(number(2)))
	case "ring":
		fmt.Println(ring(number(2), number(3)))
	case "any-to-any":
		fmt.Println(anyToAny(number(2)))
	case "stream":
		fmt.Println(stream(number(2)))
	case "stressed":
		fmt.Println(stressed(number(2)))
	case "opposite":
		fmt.Println(opposite(number(2)))
	case "many":
		fmt.Println(many(number(2), number(3)))
	case "spawn":
		fmt.Println(spawn(number(2), number(3)))
	default:
		fmt.Fprintln(os.Stderr, "no benchmark of this name:", os.Args[1])
		os.Exit(2)
	}
}
