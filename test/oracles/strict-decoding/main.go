// The judge of test/rules/api-schema-decoder.test.ts: reads JSON strings, one a line, each the text of a resource in JSON,
// which may have a key twice, and prints for each the list of errors with which the strict decoder of the API server
// refuses it. For the string "fields", it prints the fields of all types.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"reflect"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

var decoder = serializer.NewSerializerWithOptions(
	serializer.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, serializer.SerializerOptions{Strict: true},
)

func judge(text []byte) []string {
	_, _, err := decoder.Decode(text, nil, nil)
	if strict, ok := runtime.AsStrictDecodingError(err); ok {
		found := []string{}
		for _, one := range strict.Errors() {
			found = append(found, one.Error())
		}
		return found
	}
	if err != nil {
		return []string{err.Error()}
	}
	return []string{}
}

// A type with fields, by the path and name of its Go type, as field name to type: `string`, `integer 32`, `[]k8s.io/api/core/v1.Container`.
type fields map[string]string

// The types of all kinds, and for each apiVersion and kind its type.
type dump struct {
	Kinds map[string]string `json:"kinds"`
	Types map[string]fields `json:"types"`
}

func dumpOf(kinds map[schema.GroupVersionKind]reflect.Type) dump {
	all := dump{Kinds: map[string]string{}, Types: map[string]fields{}}
	for kind, of := range kinds {
		if kind.Version == runtime.APIVersionInternal || of.PkgPath() == "k8s.io/apimachinery/pkg/apis/meta/v1" {
			continue
		}
		all.Kinds[kind.GroupVersion().String()+" "+kind.Kind] = all.nameOf(of)
	}
	return all
}

func (all dump) nameOf(of reflect.Type) string {
	name := of.PkgPath() + "." + of.Name()
	switch of {
	case reflect.TypeFor[resource.Quantity]():
		return "quantity"
	case reflect.TypeFor[intstr.IntOrString]():
		return "integer or string"
	case reflect.TypeFor[metav1.Time]():
		return "time"
	case reflect.TypeFor[metav1.MicroTime]():
		return "microtime"
	case reflect.TypeFor[metav1.Duration]():
		return "string"
	}
	if reflect.PointerTo(of).Implements(reflect.TypeFor[json.Unmarshaler]()) && of.Kind() != reflect.Pointer {
		return "custom " + name
	}
	switch of.Kind() {
	case reflect.Pointer:
		return all.nameOf(of.Elem())
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + all.nameOf(of.Elem())
	case reflect.Map:
		return "{}" + all.nameOf(of.Elem())
	case reflect.Struct:
		if _, known := all.Types[name]; !known {
			all.Types[name] = fields{}
			all.addFields(of, all.Types[name])
		}
		return name
	default:
		return of.Kind().String()
	}
}

func (all dump) addFields(of reflect.Type, into fields) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if field.Anonymous && (name == "" || strings.Contains(options, "inline")) {
			embedded := field.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			all.addFields(embedded, into)
			continue
		}
		if name != "" {
			into[name] = all.nameOf(field.Type)
		}
	}
}

func main() {
	for _, add := range []func(*runtime.Scheme) error{apiextensionsv1.AddToScheme, apiregistrationv1.AddToScheme} {
		if err := add(scheme.Scheme); err != nil {
			log.Fatal(err)
		}
	}
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
		var answer any
		if text == "fields" {
			answer = dumpOf(scheme.Scheme.AllKnownTypes())
		} else {
			answer = judge([]byte(text))
		}
		if err := out.Encode(answer); err != nil {
			log.Fatal(err)
		}
	}
}
