// The judge of test/rules/api-validation.test.ts and of generated policies: reads resources in JSON, one a line, and prints for each a list of the
// errors for which the API server of k8s.io/kubernetes would refuse to create it, with its feature gates at their defaults.
// A resource is decoded strictly, gets the defaults of the API, and passes the validation of its kind; admission, such as
// that of a LimitRange, is not part of it. The strategies of pkg/registry would need three times as many packages.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/capabilities"
)

type problem struct {
	Field  string `json:"field"`
	Type   string `json:"type"` // FieldValueInvalid; Decode for a resource that cannot be decoded
	Detail string `json:"detail"`
}

var codecs = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)

func judge(resource []byte) ([]problem, error) {
	// Decoding applies the defaults, and converts to the internal version.
	object, kind, err := codecs.UniversalDecoder().Decode(resource, nil, nil)
	if err != nil && kind != nil && legacyscheme.Scheme.Recognizes(*kind) {
		return []problem{{Type: "Decode", Detail: err.Error()}}, nil
	} else if err != nil {
		return nil, err
	}
	found, err := validate(object)
	if err != nil {
		return nil, err
	}
	problems := []problem{}
	for _, one := range found {
		problems = append(problems, problem{Field: one.Field, Type: string(one.Type), Detail: one.ErrorBody()})
	}
	return problems, nil
}

// What PrepareForCreate and Validate of the strategies in pkg/registry do.
func validate(object runtime.Object) (field.ErrorList, error) {
	switch one := object.(type) {
	case *core.Pod:
		setNamespace(&one.ObjectMeta)
		one.Status = core.PodStatus{Phase: core.PodPending}
		podutil.DropDisabledPodFields(one, nil)
		podutil.DefaultPodLevelResources(one)
		options := podutil.GetValidationOptionsFromPodSpecAndMeta(&one.Spec, nil, &one.ObjectMeta, nil)
		options.ResourceIsPod = true
		return corevalidation.ValidatePodCreate(one, options), nil
	case *core.PodTemplate:
		setNamespace(&one.ObjectMeta)
		return corevalidation.ValidatePodTemplate(one, optionsOf(&one.Template)), nil
	case *core.ReplicationController:
		setNamespace(&one.ObjectMeta)
		return corevalidation.ValidateReplicationController(one, optionsOf(one.Spec.Template)), nil
	case *apps.Deployment:
		setNamespace(&one.ObjectMeta)
		return appsvalidation.ValidateDeployment(one, optionsOf(&one.Spec.Template)), nil
	case *apps.ReplicaSet:
		setNamespace(&one.ObjectMeta)
		return appsvalidation.ValidateReplicaSet(one, optionsOf(&one.Spec.Template)), nil
	case *apps.DaemonSet:
		setNamespace(&one.ObjectMeta)
		return appsvalidation.ValidateDaemonSet(one, optionsOf(&one.Spec.Template)), nil
	case *apps.StatefulSet:
		setNamespace(&one.ObjectMeta)
		options := optionsOf(&one.Spec.Template)
		return appsvalidation.ValidateStatefulSet(one, appsvalidation.StatefulSetValidationOptions{}, options), nil
	case *batch.Job:
		setNamespace(&one.ObjectMeta)
		options := batchvalidation.JobValidationOptions{
			PodValidationOptions:  optionsOf(&one.Spec.Template),
			RequirePrefixedLabels: true,
		}
		if !*one.Spec.ManualSelector {
			generateSelector(one)
		}
		return batchvalidation.ValidateJobCreate(one, options), nil
	case *batch.CronJob:
		setNamespace(&one.ObjectMeta)
		return batchvalidation.ValidateCronJobCreate(one, optionsOf(&one.Spec.JobTemplate.Spec.Template)), nil
	case *networking.NetworkPolicy:
		setNamespace(&one.ObjectMeta)
		return networkingvalidation.ValidateNetworkPolicy(one, networkingvalidation.ValidationOptionsForNetworking(one, nil)), nil
	}
	return nil, fmt.Errorf("the API validates no %T here", object)
}

// The API server sets the namespace of the request.
func setNamespace(metadata *metav1.ObjectMeta) {
	if metadata.Namespace == "" {
		metadata.Namespace = metav1.NamespaceDefault
	}
}

func optionsOf(template *core.PodTemplateSpec) corevalidation.PodValidationOptions {
	podutil.DropDisabledTemplateFields(template, nil)
	return podutil.GetValidationOptionsFromPodTemplate(template, nil)
}

// generateSelector in pkg/registry/batch/job/strategy.go, for a Job that was given a UID.
func generateSelector(job *batch.Job) {
	const uid = "00000000-0000-0000-0000-000000000001"
	job.UID = uid
	template := &job.Spec.Template
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	for label, value := range map[string]string{
		batch.LegacyJobNameLabel:       job.Name,
		batch.JobNameLabel:             job.Name,
		batch.LegacyControllerUidLabel: uid,
		batch.ControllerUidLabel:       uid,
	} {
		if _, isSet := template.Labels[label]; !isSet {
			template.Labels[label] = value
		}
	}
	if job.Spec.Selector == nil {
		job.Spec.Selector = &metav1.LabelSelector{}
	}
	if job.Spec.Selector.MatchLabels == nil {
		job.Spec.Selector.MatchLabels = map[string]string{}
	}
	if _, isSet := job.Spec.Selector.MatchLabels[batch.ControllerUidLabel]; !isSet {
		job.Spec.Selector.MatchLabels[batch.ControllerUidLabel] = uid
	}
}

func main() {
	// --allow-privileged: without it no privileged container is valid, whatever else it sets.
	capabilities.Setup(true, 0)
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	buffer := bufio.NewWriter(os.Stdout)
	defer buffer.Flush()
	out := json.NewEncoder(buffer)
	for line := 1; ; line++ {
		var resource json.RawMessage
		if err := in.Decode(&resource); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatalf("line %d: %v", line, err)
		}
		problems, err := judge(resource)
		if err != nil {
			log.Fatalf("line %d: %v: %s", line, err, resource)
		}
		if err := out.Encode(problems); err != nil {
			log.Fatal(err)
		}
	}
}
