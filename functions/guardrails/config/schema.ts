import * as v from 'valibot';
import { LONGEST_DOMAIN, isAnnotationDomain } from '../kubernetes/annotation-names';
import { DIGEST_MODES, LONGEST_REGISTRY, REGISTRY_FORM, isRegistryPattern } from '../kubernetes/image-policy';
import { NEWEST_MINOR, OLDEST_MINOR } from '../kubernetes/pod-security';
import { parseQuantity } from '../kubernetes/quantity';
import type { ResourceName } from '../kubernetes/resource-defaults';
import { API_SERVER_PORTS, MESHES } from '../network/external-peers';
import type { SelectedPods } from '../network/selector';
import { readIpRange } from '../network/ip-range';
import { RULES } from '../rules';
import { DEFAULTS } from './config';

export const CONFIG_API_VERSION = 'todo.example.com/v1alpha1';
export const CONFIG_KIND = 'Guardrails';

/** What the JSON Schema says of a key or a value. The reader does not use it. */
interface Annotations {
  readonly title?: string;
  readonly description?: string;
  /** The value of `spec` where the key is missing. */
  readonly default?: unknown;
  /** What a check of the reader requires, in the keywords of JSON Schema. */
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly type?: 'integer';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  /** Keys that exclude each other, one of which is required. */
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
  /** Keys that need others. */
  readonly dependencies?: Readonly<Record<string, readonly string[]>>;
  readonly deprecated?: true;
  /** What the YAML language server reports for another text. */
  readonly patternErrorMessage?: string;
}

/** valibot accepts a list where it expects an object. */
const NO_LIST = v.check((value: unknown) => !Array.isArray(value), 'a mapping');
const RULE_ID = v.picklist(RULES.map(({ id }) => id));
// YAML reads a plain `off` as false.
const LEVEL = v.union([v.picklist(['error', 'warning', 'off']), v.literal(false)]);
const LEVELS = strict(
  Object.fromEntries(RULES.map(({ id, summary }) => [id, key(LEVEL, summary, { default: 'error' })])),
);
const QUANTITY = v.pipe(
  v.string(),
  v.check((text) => (parseQuantity(text)?.digits ?? -1n) >= 0n, 'a quantity, such as 100m or 128Mi'),
  annotated({
    // A number that is not negative, with a suffix or with an exponent of at most 100.
    pattern:
      '^(?:\\+?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)|-(?:0+(?:\\.0*)?|\\.0+))(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?0*(?:100|[0-9]{1,2}))?$',
    patternErrorMessage: 'must be a quantity, such as 100m or 128Mi',
    maxLength: 200,
  }),
);
const DAYS = v.pipe(
  v.number(),
  v.check((days) => Number.isInteger(days) && days > 0 && days <= 36_500, 'a number of days from 1 to 36500'),
  annotated({ type: 'integer', minimum: 1, maximum: 36_500 }),
);
const CIDR = v.pipe(
  v.string(),
  v.check((text) => readIpRange(text) !== undefined, 'a CIDR range, such as 169.254.20.10/32'),
);
const PORT = v.pipe(
  v.number(),
  v.check((port) => Number.isInteger(port) && port > 0 && port <= 65_535, 'a port from 1 to 65535'),
  annotated({ type: 'integer', minimum: 1, maximum: 65_535 }),
);
const PORTS = v.pipe(
  v.array(PORT),
  v.check((ports) => ports.length > 0, 'a list of at least one port'),
  annotated({ minItems: 1 }),
);
const CIDRS = v.pipe(
  v.array(CIDR),
  v.check((ranges) => ranges.length > 0, 'a list of at least one CIDR range'),
  annotated({ minItems: 1 }),
);
const REGISTRY = v.pipe(
  v.string(),
  v.check(
    isRegistryPattern,
    'a registry, such as ghcr.io, or a registry and the start of a repository name, such as docker.io/library',
  ),
  annotated({
    pattern: REGISTRY_FORM,
    patternErrorMessage: 'must be a registry, such as ghcr.io, or start with one, such as docker.io/library',
    maxLength: LONGEST_REGISTRY,
  }),
);
const REGISTRIES = v.pipe(
  v.array(REGISTRY),
  v.check((registries) => registries.length > 0, 'a list of at least one registry'),
  annotated({ minItems: 1 }),
);
const ANNOTATION_DOMAIN = v.pipe(
  v.string(),
  v.check(
    isAnnotationDomain,
    `a DNS subdomain of at most ${LONGEST_DOMAIN} characters that Kubernetes does not reserve, such as guardrails.example.com`,
  ),
  annotated({ maxLength: LONGEST_DOMAIN }),
);
const MINORS = Array.from({ length: NEWEST_MINOR - OLDEST_MINOR + 1 }, (_, i) => OLDEST_MINOR + i);
const VERSIONS = [...MINORS.map((minor) => `v1.${minor}`), 'latest'];
/** A kind and a glob of names. */
const EXTERNAL = v.pipe(
  v.string(),
  v.check(
    (text) => /^[A-Z][A-Za-z0-9]*\/[^/]+$/.test(text),
    'a kind and a glob of names, such as Secret/postgres-*',
  ),
  annotated({
    pattern: '^[A-Z][A-Za-z0-9]*/[^/]+$',
    patternErrorMessage: 'must be a kind and a glob of names, such as Secret/postgres-*',
  }),
);
/** Older clusters miss more of the API than the versions that this setting is about. */
const OLDEST_KUBERNETES = 20;
const KUBERNETES_VERSIONS = [
  ...Array.from({ length: NEWEST_MINOR - OLDEST_KUBERNETES + 1 }, (_, i) => `v1.${OLDEST_KUBERNETES + i}`),
  'latest',
];
const { resourceDefaults, network } = DEFAULTS;

const POD_SECURITY = strict({
  level: key(
    v.picklist(['restricted', 'baseline']),
    'The level that the namespace enforces; at `baseline`, what only `restricted` forbids is a warning',
    { default: DEFAULTS.podSecurity.level },
  ),
  version: key(
    v.picklist(VERSIONS),
    `The version of the Pod Security Standards: \`v1.${OLDEST_MINOR}\` to \`v1.${NEWEST_MINOR}\`, or \`latest\``,
    { default: 'latest' },
  ),
});
const RESOURCES = strict({
  add: key(
    v.picklist(['all', 'requests', 'none']),
    'What a container must have, and gets: `all`, `requests` or `none`',
    { default: resourceDefaults.add },
  ),
  requests: amounts('request', resourceDefaults.requests),
  limits: amounts('limit', resourceDefaults.limits),
  max: key(
    strict({ cpu: maximum('cpu'), memory: maximum('memory') }),
    'What no request and no limit of a container may exceed',
  ),
});
const IMAGES = strict({
  registries: key(
    REGISTRIES,
    'The registries, such as `ghcr.io`, and the starts of repository names, such as `docker.io/library`, that images may come from; `*` stands for any characters but `/`. Without it, from any',
  ),
  digest: key(v.picklist(DIGEST_MODES), '`required`: an image with a tag and without a digest is an error', {
    default: DEFAULTS.images.digest,
  }),
});
const PROBES = strict({
  add: key(
    v.boolean(),
    'Whether a container that a Service sends traffic to must have a readiness probe, and gets a `tcpSocket` probe on that port where it has none; without it, a missing one is a warning',
    { default: DEFAULTS.probes.add },
  ),
});
/** A controller: its pods, or the addresses of a load balancer without pods. */
const INGRESS_CONTROLLER = v.pipe(
  strict({
    namespace: key(v.string(), 'The namespace of the controller'),
    podLabels: key(mapping(v.string()), 'Labels that select the pods of the controller'),
    cidrs: key(CIDRS, 'CIDR ranges of a load balancer that has no pods'),
  }),
  v.check(
    ({ namespace, podLabels, cidrs }) =>
      cidrs === undefined ? namespace !== undefined : namespace === undefined && podLabels === undefined,
    'either namespace, with podLabels or without, or cidrs',
  ),
  annotated({
    oneOf: [{ required: ['namespace'] }, { required: ['cidrs'] }],
    dependencies: { podLabels: ['namespace'] },
  }),
);
const NETWORK = strict({
  ingressController: key(
    strict({
      ...externalPods('the ingress controller', network.ingressController),
      classes: key(
        v.array(v.string()),
        'The Ingress classes that it serves, beside an Ingress without a class',
        { default: network.ingressController.classes },
      ),
    }),
    'How policies select the ingress controller',
  ),
  ingressControllers: key(
    mapping(v.pipe(INGRESS_CONTROLLER, annotated({ description: 'The controller of this class' }))),
    'How policies select the controllers of other Ingress classes, by class: `namespace` and `podLabels`, or `cidrs`',
  ),
  gateways: key(
    strict(externalPods('the gateways of the Gateway API', network.gateways)),
    'How policies select the gateways of the Gateway API',
  ),
  router: key(
    strict(externalPods('the router of OpenShift', network.router)),
    'How policies select the pods that serve the Routes of OpenShift',
  ),
  dns: key(
    strict({
      ...externalPods('the DNS servers', network.dns),
      addresses: key(v.array(CIDR), 'CIDR ranges of DNS servers that are not pods', {
        default: network.dns.addresses,
      }),
      ports: key(PORTS, 'Ports of the DNS servers, for UDP and TCP; those of OpenShift listen on 5353', {
        default: network.dns.ports,
      }),
    }),
    'How policies select the DNS servers',
  ),
  apiServer: key(
    strict({
      addresses: v.pipe(CIDRS, annotated({ description: 'CIDR ranges of the API server' })),
      ports: key(PORTS, 'Ports of the API server', { default: API_SERVER_PORTS }),
    }),
    'The addresses of the API server, for its clients, and for webhooks and APIServices; without it, they are not isolated',
  ),
  monitoring: key(
    strict({
      namespace: v.pipe(
        v.string(),
        annotated({ description: 'The namespace of the pods that collect metrics' }),
      ),
      podLabels: key(mapping(v.string()), 'Labels that select the pods that collect metrics', {
        default: {},
      }),
    }),
    'How policies select the pods that collect metrics; without it, pods that show metrics are not isolated',
  ),
  mesh: key(
    v.picklist(MESHES),
    `The service mesh, one of ${MESHES.map((one) => `\`${one}\``).join(', ')}; without it, pods in a mesh are not isolated`,
  ),
  unresolved: key(
    v.picklist(['error', 'warning']),
    'The severity of a workload that is not isolated because the build does not show all of its traffic',
    { default: network.unresolved },
  ),
  defaultDeny: key(
    v.picklist(['namespace']),
    '`namespace`: isolate all pods of the namespace. Without it, a default deny is written only where the build has the Namespace, and the pods of other packages stay open',
  ),
});
/** What the top and the environments have. */
const SETTINGS = {
  rules: key(
    LEVELS,
    'The level of each rule: `error`, `warning` (findings are warnings at most) or `off` (infos, no fix)',
  ),
  podSecurity: key(POD_SECURITY, 'What Pod Security admission enforces in the namespace'),
  resources: key(RESOURCES, 'The requests and limits of containers'),
  images: key(IMAGES, 'Which images may run'),
  probes: key(PROBES, 'The readiness probes of containers behind Services'),
  harden: key(
    v.picklist(['all', 'safe']),
    '`all` adds all that a rule requires, `safe` only what rarely stops a workload (privilege escalation, seccomp, token), and network policies; the annotation `todo.example.com/harden` overrides it for a workload',
    { default: DEFAULTS.harden },
  ),
  knownImages: key(
    v.picklist(['propose', 'apply']),
    '`apply` writes the user and the folders that a known public image needs, `propose` names them',
    { default: DEFAULTS.knownImages },
  ),
  network: key(NETWORK, 'The peers outside the package, as the network policies select them'),
  substitute: key(v.string(), 'The file with the variables that Flux replaces after the build'),
  external: key(
    v.array(EXTERNAL),
    'Objects that exist outside of the package, by kind and a glob of names: `Secret/postgres-*`; an environment adds to those in `spec`',
  ),
  kubernetesVersion: key(
    v.picklist(KUBERNETES_VERSIONS),
    `The version of Kubernetes that serves the resources, \`v1.${OLDEST_KUBERNETES}\` to \`v1.${NEWEST_MINOR}\`, or \`latest\`: an apiVersion that only a newer one removes is no finding`,
    { default: 'latest' },
  ),
};
const SETTING_NAMES = Object.keys(SETTINGS).map((name) => `\`${name}\``);
const ENVIRONMENT = strict({
  ...SETTINGS,
  allow: key(v.array(RULE_ID), 'Deprecated: rules that are off; write `rules: {RULE: off}` instead', {
    deprecated: true,
  }),
});
const SPEC = strict({
  ...SETTINGS,
  environments: key(
    mapping(v.pipe(ENVIRONMENT, annotated({ description: 'The settings of the overlay in this folder' }))),
    `The values that differ from those in \`spec\` for an overlay, which is named by its folder: ${SETTING_NAMES.join(', ')}`,
  ),
  environment: key(v.string(), 'The overlay whose settings apply to a stream'),
  complete: key(
    v.boolean(),
    'Whether the stream is a complete build, for which `network-policy` reports errors instead of warnings',
    { default: DEFAULTS.complete },
  ),
  neverExempt: key(v.array(RULE_ID), 'Rules that no annotation exempts from', {
    default: [...DEFAULTS.exemptions.neverExempt.keys()],
  }),
  exemptions: key(
    strict({
      maxDays: key(DAYS, 'How many days from today an exemption may end at most', {
        default: DEFAULTS.exemptions.maxDays.days,
      }),
    }),
    'Limits of exemptions',
  ),
  overlays: key(v.array(v.string()), 'Globs of folders that are overlays, whatever their names say'),
  bases: key(v.array(v.string()), 'Globs of folders that are bases, whatever their names say'),
  policies: key(
    v.array(v.string()),
    'Files and folders of the package with ValidatingAdmissionPolicies, their bindings and parameters, which every build must satisfy',
  ),
  kustomizeVersion: key(
    v.string(),
    'The version of kustomize that must build: another one is an error. Without it, any version builds',
  ),
  schemas: key(
    v.array(v.string()),
    'Files of the package with CustomResourceDefinitions, besides those in the builds; custom resources are checked by their schemas',
    { default: [] },
  ),
  annotationDomain: key(
    ANNOTATION_DOMAIN,
    'The domain of the annotations of the function, and of the label of generated policies',
    { default: DEFAULTS.annotations.domain },
  ),
});
export type WrittenSpec = v.InferOutput<typeof SPEC>;
/** Settings of the top or of an environment, as they are written. */
export type WrittenSettings = Omit<v.InferOutput<typeof ENVIRONMENT>, 'allow'>;
/** The configuration file. */
export const GUARDRAILS = v.pipe(
  strict({
    apiVersion: v.pipe(v.literal(CONFIG_API_VERSION), annotated({ description: 'The version of this kind' })),
    kind: v.pipe(v.literal(CONFIG_KIND), annotated({ description: 'The kind of the configuration' })),
    metadata: key(v.unknown(), 'The metadata of the object, which holds no settings'),
    spec: key(SPEC, 'The settings of the function'),
  }),
  annotated({ title: CONFIG_KIND, description: 'The configuration of the function guardrails' }),
);
/** The ConfigMap that `kpt fn eval -- key=value` sends. */
export const CONFIG_MAP = v.object({
  data: v.optional(
    strict({
      environment: v.optional(v.string()),
      complete: v.optional(v.picklist(['true', 'false'])),
    }),
  ),
});

function amounts(what: string, defaults: Readonly<Record<ResourceName, string | null>>) {
  const amount = (name: ResourceName) =>
    key(
      v.nullable(QUANTITY),
      `The ${name} ${what} of a container that sets none; \`null\`: none is needed, none is added`,
      { default: defaults[name] },
    );
  return key(
    strict({ cpu: amount('cpu'), memory: amount('memory') }),
    `The ${what}s of a container that sets none`,
  );
}

function maximum(name: ResourceName) {
  return key(v.nullable(QUANTITY), `The maximum for ${name}; \`null\`: there is none`, {
    default: resourceDefaults.max[name],
  });
}

function externalPods(whose: string, defaults: SelectedPods) {
  return {
    namespace: key(v.string(), `The namespace of ${whose}`, { default: defaults.namespace }),
    podLabels: key(mapping(v.string()), `Labels that select the pods of ${whose}`, {
      default: defaults.podLabels,
    }),
  };
}

/** A key that may be left out. Editors and the README show its description. */
function key<const Schema extends v.GenericSchema>(
  schema: Schema,
  description: string,
  annotations: Annotations = {},
) {
  return v.exactOptional(v.pipe(schema, annotated<v.InferOutput<Schema>>({ description, ...annotations })));
}

function annotated<Value>(annotations: Annotations) {
  return v.metadata<Value, Record<string, unknown>>({ ...annotations });
}

/** An object whose unknown keys are errors that list the known ones. */
export function strict<const Entries extends v.ObjectEntries>(entries: Entries) {
  const known = `unknown key; allowed: ${Object.keys(entries).join(', ')}`;
  const schema = v.strictObject(entries, ({ expected }) => (expected === 'never' ? known : 'a mapping'));
  return v.pipe(v.unknown(), NO_LIST, schema);
}

/** An object with any keys. */
function mapping<const Schema extends v.GenericSchema>(values: Schema) {
  return v.pipe(v.unknown(), NO_LIST, v.record(v.string(), values));
}
