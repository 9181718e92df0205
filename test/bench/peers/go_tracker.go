// A tracker as one writes it in Go: the handler answers 201, and a goroutine writes the event into a file, which a
// WaitGroup waits for at SIGTERM. Prints its port. To compare with only. Usage: go_tracker FILE
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

type tracker struct {
	file    *log.Logger
	writing sync.WaitGroup
}

func (t *tracker) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	event, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	t.writing.Add(1)
	answer.WriteHeader(http.StatusCreated)
	go func() {
		defer t.writing.Done()
		t.file.Print(string(event))
	}()
}

func main() {
	file, err := os.Create(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	events := &tracker{file: log.New(file, "", log.LstdFlags)}
	server := &http.Server{Handler: events}
	go server.Serve(listener)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	server.Shutdown(patience)
	events.writing.Wait()
}
