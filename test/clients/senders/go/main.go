// Sends with the CloudEvents SDK for Go: cloudevents-go ADDRESS KEY COUNT BATCH ODD, an event a request, structured
// and binary in turn, with the retries that the SDK documents.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
)

var first = time.Date(2026, 11, 21, 8, 15, 30, 0, time.UTC)

type reason struct {
	N   int    `json:"n"`
	Why string `json:"why"`
}

type report struct {
	Delivered []int    `json:"delivered"`
	Failed    []reason `json:"failed"`
	Refused   []reason `json:"refused"`
}

func nested(depth int) any {
	value := []any{}
	for level := 1; level < depth; level++ {
		value = []any{value}
	}
	return value
}

// makeEvent returns event number n; sort is what is odd about it.
func makeEvent(n int, sort string) (cloudevents.Event, error) {
	user, name := fmt.Sprintf("user-%d", n), "Order Completed"
	data := map[string]any{"n": n, "total": 12.5, "note": `Grüße "€"`}
	switch sort {
	case "half-surrogate": // as UTF-8 would have it: Go's strings are bytes
		data["odd"] = "cut \xed\xa0\xbd"
	case "control-character":
		name = "Order\aCompleted"
	case "long-user":
		user = strings.Repeat("u", 1500)
	case "nan":
		data["odd"] = math.NaN()
	case "depth":
		data["odd"] = nested(140)
	case "no-name":
		name = ""
	}
	event := cloudevents.NewEvent()
	event.SetID(fmt.Sprintf("e-%d", n))
	event.SetSource("/clients")
	event.SetType(name)
	event.SetSubject(user)
	event.SetTime(first.Add(time.Duration(n) * time.Second))
	err := event.SetData(cloudevents.ApplicationJSON, data)
	if err == nil {
		err = event.Validate()
	}
	return event, err
}

func main() {
	address, key := os.Args[1], os.Args[2]
	sorts := map[string]string{}
	for _, one := range strings.Split(os.Args[5], ",") {
		n, sort, _ := strings.Cut(one, ":")
		sorts[n] = sort
	}
	count, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	client, err := cloudevents.NewClientHTTP(
		cloudevents.WithTarget(address+"/events"), cloudevents.WithHeader("Authorization", "Bearer "+key))
	if err != nil {
		log.Fatal(err)
	}
	retrying := cloudevents.ContextWithRetriesExponentialBackoff(context.Background(), 100*time.Millisecond, 8)
	found := report{Delivered: []int{}, Failed: []reason{}, Refused: []reason{}}
	for n := 0; n < count; n++ {
		event, err := makeEvent(n, sorts[strconv.Itoa(n)])
		if err != nil {
			found.Refused = append(found.Refused, reason{n, err.Error()})
			continue
		}
		mode := cloudevents.WithEncodingStructured(retrying)
		if n%2 == 1 {
			mode = cloudevents.WithEncodingBinary(retrying)
		}
		if result := client.Send(mode, event); cloudevents.IsACK(result) {
			found.Delivered = append(found.Delivered, n)
		} else {
			found.Failed = append(found.Failed, reason{n, result.Error()})
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}
