// The judge of test/image-reference.test.ts: reads JSON strings, one a line, and prints for each what
// github.com/distribution/reference, the library that kubelet reads image references with, makes of it.
package main

import (
	"bufio"
	_ "crypto/sha256" // go-digest accepts only the algorithms that are linked in; kubelet links these
	_ "crypto/sha512"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	"github.com/distribution/reference"
)

type verdict struct {
	OK     bool   `json:"ok"`
	Domain string `json:"domain,omitempty"`
	Path   string `json:"path,omitempty"`
	Tag    string `json:"tag,omitempty"`
	Digest string `json:"digest,omitempty"`
}

func judge(text string) verdict {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return verdict{}
	}
	v := verdict{OK: true, Domain: reference.Domain(named), Path: reference.Path(named)}
	if tagged, ok := named.(reference.Tagged); ok {
		v.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		v.Digest = digested.Digest().String()
	}
	return v
}

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	buffer := bufio.NewWriter(os.Stdout)
	defer buffer.Flush()
	out := json.NewEncoder(buffer)
	for {
		var text string
		if err := in.Decode(&text); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(judge(text)); err != nil {
			log.Fatal(err)
		}
	}
}
