import { parseImageReference } from '../../kubernetes/image-reference';
import { type YamlObject, type YamlValue, isAbsent, isObject, mappingOf } from '../../yaml/yaml';
import { canonicalQuantity } from './canonical-quantity';

/** Field to the value that the API server writes where it is absent. */
type Defaults = Readonly<Record<string, YamlValue>>;
/** What the API server does to an object before policies see it. */
type Defaulting = (object: YamlObject) => YamlObject;

const FILE_MODE = 0o644;
const ROLLING: YamlValue = { maxSurge: '25%', maxUnavailable: '25%' };

/** https://github.com/kubernetes/kubernetes/tree/v1.37.2/pkg/apis: core, apps, batch and autoscaling, v1/defaults.go */
const POD: Defaults = {
  restartPolicy: 'Always',
  dnsPolicy: 'ClusterFirst',
  terminationGracePeriodSeconds: 30,
  schedulerName: 'default-scheduler',
  securityContext: {},
};
const CONTAINER: Defaults = {
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  resources: {},
};
const PROBE: Defaults = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const ROLLING_UPDATE: Defaults = { type: 'RollingUpdate' };

/** By kind: the defaults of the spec, and what else is defaulted in it. */
const KINDS: Readonly<Record<string, { readonly spec: Defaults; readonly then?: Defaulting }>> = {
  Pod: {
    spec: { enableServiceLinks: true, serviceAccountName: 'default', serviceAccount: 'default' },
    then: (spec) => podSpec(withRequests(spec)),
  },
  Deployment: {
    spec: {
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: ROLLING },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
    then: (spec) => withTemplate(within(spec, 'strategy', (one) => rolling(one, ROLLING))),
  },
  StatefulSet: {
    spec: {
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    },
    then: (spec) => withTemplate(within(spec, 'updateStrategy', (one) => rolling(one, { partition: 0 }))),
  },
  DaemonSet: {
    spec: {
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      revisionHistoryLimit: 10,
    },
    then: (spec) =>
      withTemplate(within(spec, 'updateStrategy', (one) => rolling(one, { maxSurge: 0, maxUnavailable: 1 }))),
  },
  ReplicaSet: { spec: { replicas: 1 }, then: withTemplate },
  ReplicationController: { spec: { replicas: 1 }, then: withTemplate },
  Job: { spec: {}, then: jobSpec },
  CronJob: {
    spec: {
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    },
    // Its template gets the defaults of its pods alone.
    then: (spec) => within(spec, 'jobTemplate', (template) => within(template, 'spec', withTemplate)),
  },
  Service: { spec: { type: 'ClusterIP', sessionAffinity: 'None' }, then: serviceSpec },
  PersistentVolumeClaim: {
    spec: { volumeMode: 'Filesystem' },
    then: (spec) => within(spec, 'resources', withQuantities),
  },
  ResourceQuota: { spec: {}, then: (spec) => within(spec, 'hard', quantities) },
  HorizontalPodAutoscaler: { spec: { minReplicas: 1 } },
};

/** An object as the API server passes it to policies: with the defaults of its fields. */
export function withDefaults(object: YamlObject): YamlObject {
  const kind =
    typeof object.kind === 'string' && Object.hasOwn(KINDS, object.kind) ? KINDS[object.kind] : undefined;
  if (kind === undefined) return object;
  return within(object, 'spec', (spec) => (kind.then ?? same)(defaulted(spec, kind.spec)));
}

function same(object: YamlObject): YamlObject {
  return object;
}

function defaulted(object: YamlObject, defaults: Defaults): YamlObject {
  const missing = Object.entries(defaults).filter(([key]) => isAbsent(object[key]));
  return missing.length === 0 ? object : mappingOf(object, Object.fromEntries(missing));
}

/** An object with one field changed, if it is a mapping. */
function within(object: YamlObject, field: string, change: Defaulting): YamlObject {
  const value = object[field];
  return isObject(value) ? mappingOf(object, { [field]: change(value) }) : object;
}

function each(object: YamlObject, field: string, change: Defaulting): YamlObject {
  const list = object[field];
  if (!Array.isArray(list)) return object;
  return mappingOf(object, { [field]: list.map((one) => (isObject(one) ? change(one) : one)) });
}

function rolling(strategy: YamlObject, parameters: YamlValue): YamlObject {
  const typed = defaulted(strategy, ROLLING_UPDATE);
  if (typed.type !== 'RollingUpdate' || !isObject(parameters)) return typed;
  const given = isObject(typed.rollingUpdate) ? typed.rollingUpdate : {};
  return mappingOf(typed, { rollingUpdate: defaulted(given, parameters) });
}

function withTemplate(spec: YamlObject): YamlObject {
  return within(spec, 'template', (template) => within(template, 'spec', podSpec));
}

function jobSpec(spec: YamlObject): YamlObject {
  const { completions, parallelism } = spec;
  const counts =
    isAbsent(completions) && isAbsent(parallelism) ? { completions: 1, parallelism: 1 } : { parallelism: 1 };
  return withTemplate(
    defaulted(spec, {
      ...counts,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: 'TerminatingOrFailed',
    }),
  );
}

/** A mapping whose values are quantities. */
function quantities(amounts: YamlObject): YamlObject {
  return mappingOf(
    Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, canonicalQuantity(amount)])),
  );
}

function withQuantities(resources: YamlObject): YamlObject {
  return within(within(resources, 'limits', quantities), 'requests', quantities);
}

function podSpec(spec: YamlObject): YamlObject {
  let pod = defaulted(spec, POD);
  for (const list of ['containers', 'initContainers']) pod = each(pod, list, container);
  return each(pod, 'volumes', volume);
}

function container(written: YamlObject): YamlObject {
  let one = defaulted(written, { ...CONTAINER, imagePullPolicy: pullPolicyOf(written.image) });
  one = within(one, 'resources', withQuantities);
  one = each(one, 'ports', (port) => defaulted(port, { protocol: 'TCP' }));
  one = each(one, 'env', (entry) =>
    within(entry, 'valueFrom', (from) =>
      within(from, 'fieldRef', (field) => defaulted(field, { apiVersion: 'v1' })),
    ),
  );
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'])
    one = within(one, probe, (value) => httpGet(defaulted(value, PROBE)));
  return within(one, 'lifecycle', (hooks) => within(within(hooks, 'preStop', httpGet), 'postStart', httpGet));
}

function httpGet(handler: YamlObject): YamlObject {
  return within(handler, 'httpGet', (value) => defaulted(value, { path: '/', scheme: 'HTTP' }));
}

/** `Always` for the tag latest, written or not. */
function pullPolicyOf(image: YamlValue | undefined): string {
  const reference = parseImageReference(typeof image === 'string' ? image : '');
  if ('invalid' in reference) return 'IfNotPresent';
  const { tag, digest } = reference;
  return tag === 'latest' || (tag === undefined && digest === undefined) ? 'Always' : 'IfNotPresent';
}

function volume(written: YamlObject): YamlObject {
  let one = written;
  for (const source of ['secret', 'configMap', 'downwardAPI', 'projected'])
    one = within(one, source, (value) => defaulted(value, { defaultMode: FILE_MODE }));
  one = within(one, 'emptyDir', (value) =>
    isAbsent(value.sizeLimit) ? value : mappingOf(value, { sizeLimit: canonicalQuantity(value.sizeLimit) }),
  );
  return within(one, 'hostPath', (value) => defaulted(value, { type: '' }));
}

/** A pod's requests are its limits where it sets no request. */
function withRequests(spec: YamlObject): YamlObject {
  const requested = (one: YamlObject) =>
    within(one, 'resources', (resources) => {
      const { limits, requests } = resources;
      if (!isObject(limits)) return resources;
      return mappingOf(resources, { requests: mappingOf(limits, isObject(requests) ? requests : {}) });
    });
  return each(each(spec, 'containers', requested), 'initContainers', requested);
}

function serviceSpec(spec: YamlObject): YamlObject {
  const isExternal = spec.type === 'ExternalName';
  const traffic = isExternal ? {} : { internalTrafficPolicy: 'Cluster' };
  const isOpen = spec.type === 'LoadBalancer' || spec.type === 'NodePort';
  const external = isOpen ? { externalTrafficPolicy: 'Cluster' } : {};
  const balanced = spec.type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {};
  return each(defaulted(spec, { ...traffic, ...external, ...balanced }), 'ports', (port) =>
    defaulted(port, { protocol: 'TCP', ...(isAbsent(port.port) ? {} : { targetPort: port.port }) }),
  );
}
