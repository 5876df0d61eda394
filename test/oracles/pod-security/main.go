// The judge of test/rules/pod-security.test.ts: reads questions in JSON, one a line, and prints for each whether
// k8s.io/pod-security-admission, the library that the API server decides with, admits the pod.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	kjson "sigs.k8s.io/json"
)

type question struct {
	Level   string          `json:"level"`   // baseline, restricted
	Version string          `json:"version"` // v1.30, latest
	Pod     json.RawMessage `json:"pod"`
}

type verdict struct {
	Allowed bool     `json:"allowed"`
	Reasons []string `json:"reasons"`
	Detail  string   `json:"detail"`
}

func judge(evaluator policy.Evaluator, q question) (verdict, error) {
	level, err := api.ParseLevel(q.Level)
	if err != nil {
		return verdict{}, err
	}
	version, err := api.ParseVersion(q.Version)
	if err != nil {
		return verdict{}, err
	}
	var pod corev1.Pod
	// A pod that the API server would not decode proves nothing: an unknown or a duplicate field is an error too.
	strict, err := kjson.UnmarshalStrict(q.Pod, &pod)
	if err := errors.Join(append(strict, err)...); err != nil {
		return verdict{}, err
	}
	setDefaults(&pod.Spec)
	results := evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: version}, &pod.ObjectMeta, &pod.Spec)
	aggregate := policy.AggregateCheckResults(results)
	return verdict{
		Allowed: aggregate.Allowed,
		Reasons: append([]string{}, aggregate.ForbiddenReasons...),
		Detail:  aggregate.ForbiddenDetail(),
	}, nil
}

// A volume without a source is an emptyDir before admission sees it: SetDefaults_Volume in pkg/apis/core/v1/defaults.go of
// k8s.io/kubernetes, which is not a library. No other default changes a verdict.
func setDefaults(spec *corev1.PodSpec) {
	for i := range spec.Volumes {
		if source := &spec.Volumes[i].VolumeSource; *source == (corev1.VolumeSource{}) {
			source.EmptyDir = &corev1.EmptyDirVolumeSource{}
		}
	}
}

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		log.Fatal(err)
	}
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	buffer := bufio.NewWriter(os.Stdout)
	defer buffer.Flush()
	out := json.NewEncoder(buffer)
	for line := 1; ; line++ {
		var q question
		if err := in.Decode(&q); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatalf("line %d: %v", line, err)
		}
		v, err := judge(evaluator, q)
		if err != nil {
			log.Fatalf("line %d: %v: %s", line, err, q.Pod)
		}
		if err := out.Encode(v); err != nil {
			log.Fatal(err)
		}
	}
}
