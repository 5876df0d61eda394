// The judge of test/quantity.test.ts: reads pairs of JSON strings, one a line, and prints for each what
// k8s.io/apimachinery, the library that every Kubernetes component reads quantities with, makes of it.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	"k8s.io/apimachinery/pkg/api/resource"
)

type verdict struct {
	OK      [2]bool `json:"ok"`
	Sign    [2]int  `json:"sign"`
	Compare int     `json:"compare"`
}

func judge(pair [2]string) verdict {
	var v verdict
	var quantities [2]resource.Quantity
	for i, text := range pair {
		quantity, err := resource.ParseQuantity(text)
		if err != nil {
			continue
		}
		v.OK[i], v.Sign[i], quantities[i] = true, quantity.Sign(), quantity
	}
	if v.OK[0] && v.OK[1] {
		v.Compare = quantities[0].Cmp(quantities[1])
	}
	return v
}

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	buffer := bufio.NewWriter(os.Stdout)
	defer buffer.Flush()
	out := json.NewEncoder(buffer)
	for {
		var pair [2]string
		if err := in.Decode(&pair); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(judge(pair)); err != nil {
			log.Fatal(err)
		}
	}
}
