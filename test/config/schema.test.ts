import Ajv from 'ajv';
import fc from 'fast-check';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { DEFAULTS } from '../../functions/guardrails/config/config';
import { readConfig } from '../../functions/guardrails/config/read-config';
import { ConfigError } from '../../functions/guardrails/errors';
import { RULES } from '../../functions/guardrails/rules';
import { formatPath } from '../../functions/guardrails/yaml/field-path';
import { type YamlObject, type YamlValue, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';

const ROOT = path.join(__dirname, '../..');
const SCHEMA_FILE = 'functions/guardrails/docs/guardrails.schema.json';
const SEED = 20261127;

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: YamlValue;
  readonly deprecated?: boolean;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: false | SchemaNode;
  readonly required?: readonly string[];
}

const SCHEMA = JSON.parse(read(SCHEMA_FILE)) as SchemaNode;
// ajv checks the schema against draft-07, and knows no keywords of editors.
const ajv = new Ajv();
ajv.addKeyword('patternErrorMessage');
const isAccepted = ajv.compile(SCHEMA);

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** `accepted`, or the message of the function. */
function verdictOf(config: YamlValue): string {
  try {
    readConfig(config);
    return 'accepted';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

/** Both verdicts on a configuration. */
function judge(config: YamlValue) {
  return { reader: verdictOf(config), schema: isAccepted(config) ? 'accepted' : 'refused' };
}

const ACCEPTED = { reader: 'accepted', schema: 'accepted' };

function withSpec(spec: YamlValue): YamlObject {
  return { apiVersion: 'todo.example.com/v1alpha1', kind: 'Guardrails', spec };
}

/** The value of a YAML document, as the function reads it. */
function valueIn(text: string): YamlValue {
  const [document] = parseYaml(text, 'test.yaml');
  if (document === undefined) throw new Error('no document');
  return valueOf(document);
}

/** Every node of the schema with the path of a key that it describes; a mapping with any keys has one, `overlays/dev`. */
function nodesOf(node: SchemaNode, at: readonly string[] = []): [at: readonly string[], node: SchemaNode][] {
  const { properties = {}, additionalProperties: values } = node;
  const children = Object.entries(properties);
  if (typeof values === 'object') children.push(['overlays/dev', values]);
  return [[at, node], ...children.flatMap(([key, child]) => nodesOf(child, [...at, key]))];
}

describe('the configurations of this repository', () => {
  const files = ['base', 'test/packages'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => path.basename(file) === 'guardrails.yaml')
      .map((file) => `${folder}/${file}`),
  );
  const blocks = ['README.md', 'CONTRIBUTING.md', 'functions/guardrails/README.md'].flatMap((file) =>
    [...read(file).matchAll(/^```yaml\n(.*?)^```$/gms)]
      .map(([, text = '']) => text)
      .filter((text) => /^kind: Guardrails$/m.test(text))
      .map((text): [string, string] => [`the example in ${file}`, text]),
  );
  const bad = 'test/packages/bad-configuration/base/guardrails.yaml';
  const good = files.filter((file) => file !== bad).map((file): [string, string] => [file, read(file)]);

  it('are found', () => {
    expect(files).toEqual(expect.arrayContaining(['base/guardrails.yaml', bad]));
    expect(blocks.map(([name]) => name)).toContain('the example in functions/guardrails/README.md');
  });

  it.each([...good, ...blocks])('%s is accepted', (_, text) => {
    expect(judge(valueIn(text))).toEqual(ACCEPTED);
    // Editors read YAML 1.2, in which a plain `off` is a string.
    expect(judge(parse(text) as YamlValue)).toEqual(ACCEPTED);
  });

  it('the one with a misspelt key is refused', () => {
    expect(judge(valueIn(read(bad)))).toEqual({
      reader: expect.stringContaining('spec.enviroments is an unknown key') as string,
      schema: 'refused',
    });
  });

  it.each([['base/guardrails.yaml', read('base/guardrails.yaml')], ...blocks])(
    'the first line of %s names the schema',
    (_, text) => {
      const [, target = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
      expect(path.posix.join('base', target)).toBe(SCHEMA_FILE);
    },
  );
});

/** What is wrong, a wrong spec, the reader's message, and nearly the same spec without the defect. */
const WRONG_SPECS: readonly [defect: string, wrong: string, message: string, right: string][] = [
  // Unknown keys
  ['an unknown key', '{enviroments: {}}', 'spec.enviroments is an unknown key', '{environments: {}}'],
  ['an unknown rule', '{rules: {pinned-images: off}}', 'unknown key', '{rules: {pinned-image: off}}'],
  ['an unknown key', '{podSecurity: {mode: warn}}', 'unknown key', '{podSecurity: {level: baseline}}'],
  ['an unknown key', '{resources: {limit: {}}}', 'unknown key', '{resources: {limits: {}}}'],
  ['an unknown key', '{resources: {requests: {disk: 1Gi}}}', 'unknown key', '{resources: {requests: {}}}'],
  ['an unknown key', '{resources: {limits: {gpu: "1"}}}', 'unknown key', '{resources: {limits: {cpu: "1"}}}'],
  ['an unknown key', '{network: {ingress: {}}}', 'unknown key', '{network: {ingressController: {}}}'],
  [
    'an unknown key',
    '{network: {ingressController: {labels: {}}}}',
    'unknown key',
    '{network: {ingressController: {podLabels: {}}}}',
  ],
  [
    'an unknown key',
    '{network: {gateways: {addresses: []}}}',
    'unknown key',
    '{network: {dns: {addresses: []}}}',
  ],
  ['an unknown key', '{network: {dns: {port: 5353}}}', 'unknown key', '{network: {dns: {ports: [5353]}}}'],
  [
    'no port',
    '{network: {dns: {ports: []}}}',
    'spec.network.dns.ports must be a list of at least one port',
    '{network: {dns: {ports: [53, 5353]}}}',
  ],
  [
    'a number that is no port',
    '{network: {dns: {ports: [65536]}}}',
    'spec.network.dns.ports[0] must be a port from 1 to 65535',
    '{network: {dns: {ports: [65535]}}}',
  ],
  [
    'a text for a port',
    '{network: {dns: {ports: ["53"]}}}',
    'must be a number',
    '{network: {dns: {ports: [53]}}}',
  ],
  [
    'an unknown key',
    '{network: {apiServer: {addresses: [10.0.0.1/32], port: 443}}}',
    'unknown key',
    '{network: {apiServer: {addresses: [10.0.0.1/32], ports: [443]}}}',
  ],
  [
    'no addresses',
    '{network: {apiServer: {ports: [443]}}}',
    'spec.network.apiServer.addresses is missing',
    '{network: {apiServer: {addresses: ["fd00::1/128"]}}}',
  ],
  [
    'an empty list of addresses',
    '{network: {apiServer: {addresses: []}}}',
    'spec.network.apiServer.addresses must be a list of at least one CIDR range',
    '{network: {apiServer: {addresses: [10.0.0.1/32]}}}',
  ],
  [
    'no port',
    '{network: {apiServer: {addresses: [10.0.0.1/32], ports: []}}}',
    'spec.network.apiServer.ports must be a list of at least one port',
    '{network: {apiServer: {addresses: [10.0.0.1/32], ports: [6443]}}}',
  ],
  [
    'no namespace',
    '{network: {monitoring: {podLabels: {app: prometheus}}}}',
    'spec.network.monitoring.namespace is missing',
    '{network: {monitoring: {namespace: monitoring, podLabels: {app: prometheus}}}}',
  ],
  [
    'a list of namespaces',
    '{network: {monitoring: {namespace: [monitoring]}}}',
    'spec.network.monitoring.namespace must be a string, found a list',
    '{network: {monitoring: {namespace: monitoring}}}',
  ],
  ['another mesh', '{network: {mesh: consul}}', 'found "consul"', '{network: {mesh: istio}}'],
  ['a mapping', '{network: {mesh: {name: linkerd}}}', 'found a mapping', '{network: {mesh: linkerd}}'],
  ['another mode', '{network: {mesh: ambient}}', 'found "ambient"', '{network: {mesh: istio-ambient}}'],
  [
    'another severity',
    '{network: {unresolved: info}}',
    'spec.network.unresolved must be one of "error", "warning", found "info"',
    '{network: {unresolved: warning}}',
  ],
  [
    'off',
    '{environments: {a: {network: {unresolved: off}}}}',
    'spec.environments.a.network.unresolved must be one of "error", "warning", found false',
    '{environments: {a: {network: {unresolved: error}}}}',
  ],
  [
    'an unknown key',
    '{network: {router: {classes: []}}}',
    'unknown key',
    '{network: {router: {namespace: openshift-ingress, podLabels: {}}}}',
  ],
  [
    'a text for classes',
    '{network: {ingressController: {classes: nginx}}}',
    'spec.network.ingressController.classes must be a list',
    '{network: {ingressController: {classes: [nginx, ""]}}}',
  ],
  [
    'a list of controllers',
    '{network: {ingressControllers: [{namespace: traefik}]}}',
    'spec.network.ingressControllers must be a mapping, found a list',
    '{network: {ingressControllers: {}}}',
  ],
  [
    'a controller without anything',
    '{network: {ingressControllers: {internal: {}}}}',
    'spec.network.ingressControllers.internal must be either namespace, with podLabels or without, or cidrs',
    '{network: {ingressControllers: {internal: {namespace: traefik}}}}',
  ],
  [
    'a controller with pods and addresses',
    '{network: {ingressControllers: {alb: {namespace: a, cidrs: [10.0.0.0/8]}}}}',
    'must be either namespace, with podLabels or without, or cidrs',
    '{network: {ingressControllers: {alb: {cidrs: [10.0.0.0/8]}}}}',
  ],
  [
    'a controller with labels alone',
    '{network: {ingressControllers: {internal: {podLabels: {app: traefik}}}}}',
    'must be either namespace, with podLabels or without, or cidrs',
    '{network: {ingressControllers: {internal: {namespace: traefik, podLabels: {app: traefik}}}}}',
  ],
  [
    'a controller with labels and addresses',
    '{network: {ingressControllers: {alb: {podLabels: {}, cidrs: [10.0.0.0/8]}}}}',
    'must be either namespace, with podLabels or without, or cidrs',
    '{network: {ingressControllers: {alb: {cidrs: [10.0.0.0/8, "fd00::/8"]}}}}',
  ],
  [
    'a controller without addresses',
    '{network: {ingressControllers: {alb: {cidrs: []}}}}',
    'spec.network.ingressControllers.alb.cidrs must be a list of at least one CIDR range',
    '{network: {ingressControllers: {alb: {cidrs: [192.0.2.1/32]}}}}',
  ],
  [
    'an unknown key of a controller',
    '{network: {ingressControllers: {alb: {namespace: a, addresses: []}}}}',
    'unknown key',
    '{network: {ingressControllers: {alb: {namespace: a}}}}',
  ],
  ['an unknown key', '{exemptions: {days: 1}}', 'unknown key', '{exemptions: {maxDays: 1}}'],
  [
    'a key of the top in an environment',
    '{environments: {overlays/dev: {complete: true}}}',
    'spec.environments.overlays/dev.complete is an unknown key',
    '{complete: true, environments: {overlays/dev: {}}}',
  ],
  ['a key of an environment at the top', '{allow: []}', 'unknown key', '{environments: {a: {allow: []}}}'],
  [
    'an unknown rule in an environment',
    '{environments: {a: {rules: {image: off}}}}',
    'unknown key',
    '{environments: {a: {rules: {pinned-image: off}}}}',
  ],
  [
    'an unknown key in an environment',
    '{environments: {a: {resources: {limits: {gpu: "1"}}}}}',
    'unknown key',
    '{environments: {a: {resources: {limits: {cpu: "1"}}}}}',
  ],
  // Wrong types
  ['no mapping', '1', 'spec must be a mapping', '{}'],
  ['nothing', '', 'spec must be a mapping, found nothing', '{}'],
  ['a list for the spec', '[]', 'spec must be a mapping, found a list', '{}'],
  ['a list for the rules', '{rules: [pinned-image]}', 'must be a mapping, found a list', '{rules: {}}'],
  ['a list for environments', '{environments: []}', 'must be a mapping', '{environments: {}}'],
  [
    'a list for labels',
    '{network: {dns: {podLabels: [dns]}}}',
    'must be a mapping, found a list',
    '{network: {dns: {podLabels: {app: dns}}}}',
  ],
  [
    'a number as a label',
    '{network: {dns: {podLabels: {tier: 1}}}}',
    'spec.network.dns.podLabels.tier must be a string, found the number 1; quote it',
    '{network: {dns: {podLabels: {tier: "1"}}}}',
  ],
  [
    'a namespace that is a number',
    '{network: {gateways: {namespace: 1}}}',
    'quote it',
    '{network: {gateways: {namespace: "1"}}}',
  ],
  ['a text for a truth value', '{complete: "true"}', 'must be true or false', '{complete: true}'],
  ['a text for a list', '{overlays: envs/*}', 'must be a list', '{overlays: [envs/*]}'],
  ['a number in a list', '{bases: [1]}', 'must be a string', '{bases: ["1"]}'],
  ['a number as a version', '{kustomizeVersion: 5.8}', 'quote it', '{kustomizeVersion: "5.8"}'],
  ['a list of files', '{substitute: [a.yaml]}', 'must be a string', '{substitute: a.yaml}'],
  ['a list of overlays', '{environment: [a]}', 'must be a string', '{environment: a}'],
  ['a truth value', '{harden: true}', 'must be one of "all", "safe", found true', '{harden: all}'],
  // Values
  ['another level', '{rules: {resources: info}}', 'found "info"', '{rules: {resources: warning}}'],
  ['on', '{rules: {resources: on}}', 'found true', '{rules: {resources: off}}'],
  ['no level', '{rules: {resources: }}', 'found nothing', '{rules: {resources: error}}'],
  ['another level', '{podSecurity: {level: privileged}}', 'found', '{podSecurity: {level: restricted}}'],
  ['an older version', '{podSecurity: {version: v1.24}}', 'found', '{podSecurity: {version: v1.25}}'],
  ['a newer version', '{podSecurity: {version: v1.38}}', 'found', '{podSecurity: {version: v1.37}}'],
  ['a number', '{podSecurity: {version: 1.30}}', 'found the number 1.3', '{podSecurity: {version: v1.30}}'],
  ['another value', '{harden: some}', 'found "some"', '{harden: safe}'],
  ['another value', '{knownImages: write}', 'found "write"', '{knownImages: apply}'],
  ['another value', '{resources: {add: limits}}', 'found "limits"', '{resources: {add: requests}}'],
  ['an unknown rule', '{neverExempt: [root]}', 'found "root"', '{neverExempt: [run-as-non-root]}'],
  [
    'an unknown rule',
    '{environments: {a: {allow: [latest]}}}',
    'found "latest"',
    '{environments: {a: {allow: [pinned-image]}}}',
  ],
  ['negative days', '{exemptions: {maxDays: -1}}', 'from 1 to 36500', '{exemptions: {maxDays: 1}}'],
  ['no days', '{exemptions: {maxDays: 0}}', 'from 1 to 36500', '{exemptions: {maxDays: 36500}}'],
  ['days that are no integer', '{exemptions: {maxDays: 1.5}}', '36500', '{exemptions: {maxDays: 1.0}}'],
  ['too many days', '{exemptions: {maxDays: 36501}}', '36500', '{exemptions: {maxDays: 365}}'],
  ['a text of days', '{exemptions: {maxDays: "30"}}', 'must be a number', '{exemptions: {maxDays: 30}}'],
  ...(
    [
      ['1 Gi', '1Gi'],
      ['100 m', '100m'],
      ['1gi', '1Gi'],
      ['1K', '1k'],
      ['1mi', '1Mi'],
      ['1.5.0', '1.50'],
      ['.', '.5'],
      ['1e101', '1e100'],
      ['1e', '1E'],
      ['-1', '+1'],
      ['-0.5', '-0.0'],
      ['lots', '1'],
      ['', '0'],
    ] as const
  ).map(([wrong, right]): [string, string, string, string] => [
    'a text that is no quantity',
    `{resources: {limits: {memory: "${wrong}"}, requests: {memory: null}}}`,
    'spec.resources.limits.memory must be a quantity, such as 100m or 128Mi',
    `{resources: {limits: {memory: "${right}"}, requests: {memory: null}}}`,
  ]),
  ['an unknown key', '{resources: {max: {disk: "1"}}}', 'unknown key', '{resources: {max: {cpu: "1"}}}'],
  [
    'no quantity',
    '{resources: {max: {memory: much}}}',
    'must be a quantity',
    '{resources: {max: {memory: null}}}',
  ],
  ['an unknown key', '{images: {registry: []}}', 'unknown key', '{images: {registries: [ghcr.io]}}'],
  ['another value', '{images: {digest: always}}', 'found "always"', '{images: {digest: required}}'],
  [
    'no registries',
    '{images: {registries: []}}',
    'a list of at least one registry',
    '{images: {registries: [localhost]}}',
  ],
  ...(
    [
      ['bitnami', 'docker.io/bitnami'],
      ['nginx:1.27', 'localhost:5000/nginx'],
      ['https://ghcr.io', 'ghcr.io/'],
      ['ghcr.io/Acme', 'ghcr.io/acme'],
      ['ghcr.io//acme', '"*.ghcr.io/acme/*"'],
      ['', '"[fd00::1]:5000"'],
    ] as const
  ).map(([wrong, right]): [string, string, string, string] => [
    'what is no registry',
    `{images: {registries: ["${wrong}"]}}`,
    'must be a registry, such as ghcr.io',
    `{images: {registries: [${right}]}}`,
  ]),
  ['an unknown key', '{probes: {readiness: true}}', 'unknown key', '{probes: {add: true}}'],
  ['a text', '{probes: {add: "true"}}', 'must be true or false', '{probes: {add: false}}'],
  [
    'a quantity that is a number',
    '{resources: {limits: {cpu: 1}}}',
    'spec.resources.limits.cpu must be a string, found the number 1; quote it',
    '{resources: {limits: {cpu: null}}}',
  ],
];

it.each(WRONG_SPECS)('%s is refused: spec: %s', (_, wrong, message, right) => {
  const document = (spec: string) =>
    valueIn(`apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nspec: ${spec}\n`);
  expect(judge(document(wrong))).toEqual({
    reader: expect.stringContaining(message) as string,
    schema: 'refused',
  });
  expect(judge(document(right))).toEqual(ACCEPTED);
});

it.each([
  ['another kind', '{apiVersion: todo.example.com/v1alpha1, kind: Guardrail}', 'kind must be "Guardrails"'],
  ['no kind', '{apiVersion: todo.example.com/v1alpha1}', 'kind is missing'],
  ['another version', '{apiVersion: todo.example.com/v1, kind: Guardrails}', 'apiVersion must be '],
  [
    'an unknown key',
    '{apiVersion: todo.example.com/v1alpha1, kind: Guardrails, data: {}}',
    'data is an unknown',
  ],
  ['a list', '[]', 'the configuration must be a mapping, found a list'],
])('%s is refused: %s', (_, text, message) => {
  expect(judge(valueIn(text))).toEqual({
    reader: expect.stringContaining(message) as string,
    schema: 'refused',
  });
});

it.each([
  ['without a spec', '{apiVersion: todo.example.com/v1alpha1, kind: Guardrails}'],
  [
    'with any metadata',
    '{apiVersion: todo.example.com/v1alpha1, kind: Guardrails, metadata: {a: [1, {b: null}]}}',
  ],
])('a Guardrails %s is accepted', (_, text) => {
  expect(judge(valueIn(text))).toEqual(ACCEPTED);
});

/** What the reader refuses and JSON Schema cannot express. */
const NOT_IN_SCHEMA = {
  'a request above its limit': {
    spec: '{resources: {requests: {cpu: "2"}, limits: {cpu: "1"}}}',
    message: 'that exceeds its limit of ',
    neighbour: '{resources: {requests: {cpu: "1"}, limits: {cpu: "1"}}}',
  },
  'a text that is no CIDR range': {
    spec: '{network: {dns: {addresses: [10.0.0.1/8]}}}',
    message: ' must be a CIDR range, such as ',
    neighbour: '{network: {dns: {addresses: [10.0.0.0/8]}}}',
  },
};

it.each(Object.entries(NOT_IN_SCHEMA))('only the reader refuses %s', (_, { spec, message, neighbour }) => {
  expect(judge(withSpec(valueIn(spec)))).toEqual({
    reader: expect.stringContaining(message) as string,
    schema: 'accepted',
  });
  expect(judge(withSpec(valueIn(neighbour)))).toEqual(ACCEPTED);
});

it.each(['constructor', 'prototype'])(
  'only the schema looks into an environment with the name %s, which no overlay has',
  (name) => {
    expect(judge(withSpec({ environments: { [name]: 1 } }))).toEqual({
      reader: 'accepted',
      schema: 'refused',
    });
    expect(judge(withSpec({ environments: { overlays: 1 } }))).toEqual({
      reader: expect.stringContaining('spec.environments.overlays must be a mapping') as string,
      schema: 'refused',
    });
  },
);

describe('the keys', () => {
  const nodes = nodesOf(SCHEMA);
  const mappings = nodes.filter(([, { properties }]) => properties !== undefined);
  /** Whether a key is in a mapping of the spec that has required keys. */
  const isOptional = (at: readonly string[]) =>
    mappings.some(
      ([parent, { required = [] }]) =>
        parent.length > 0 && required.length > 0 && at.slice(0, parent.length).join(' ') === parent.join(' '),
    );

  it('of every mapping are those that the reader allows', () => {
    for (const [at, { properties = {}, additionalProperties }] of mappings) {
      const wrong = [...at, 'no-such-key'].reduceRight<YamlValue>((value, key) => ({ [key]: value }), 0);
      const field = formatPath([...at, 'no-such-key']);
      const [line] = verdictOf({ ...withSpec({}), ...(wrong as YamlObject) })
        .split('\n')
        .filter((text) => text.startsWith(`functionConfig: ${field} is `));
      expect(line).toBe(
        `functionConfig: ${field} is an unknown key; allowed: ${Object.keys(properties).join(', ')}`,
      );
      expect(additionalProperties).toBe(false);
    }
    const paths = mappings.map(([at]) => at.join(' '));
    expect(paths).toEqual(
      expect.arrayContaining(['', 'spec rules', 'spec environments overlays/dev resources limits']),
    );
    // Below it the schema says nothing, and the reader reads nothing.
    const free = nodes.filter(([, { type, enum: values, anyOf, const: value }]) =>
      [type, values, anyOf, value].every((one) => one === undefined),
    );
    expect(free.map(([at]) => at)).toEqual([['metadata']]);
  });

  it('have a description each', () => {
    const without = nodes.filter(
      ([at, { description = '' }]) => description === '' && at.at(-2) !== 'podLabels',
    );
    expect(without.map(([at]) => at)).toEqual([]);
    expect(nodes.length).toBeGreaterThanOrEqual(100);
  });

  it('allow is deprecated, and nothing else', () => {
    const deprecated = nodes.filter(([, node]) => node.deprecated === true);
    expect(deprecated.map(([at]) => at)).toEqual([['spec', 'environments', 'overlays/dev', 'allow']]);
  });

  it('have the defaults of the reader, in environments none', () => {
    const spec: Record<string, YamlValue> = {};
    for (const [at, { default: value }] of nodes) {
      if (value === undefined) continue;
      const [, ...keys] = at;
      if (isOptional(at)) continue;
      expect(keys[0]).not.toBe('environments');
      const parent = keys.slice(0, -1).reduce((object, key) => {
        object[key] ??= {};
        return object[key] as Record<string, YamlValue>;
      }, spec);
      parent[keys.at(-1) ?? ''] = value;
    }
    const { levels, ...config } = readConfig(withSpec(spec));
    expect({ ...config, levels: DEFAULTS.levels }).toEqual(DEFAULTS);
    expect([...new Set(levels.values())]).toEqual(['error']);
    expect(levels.size).toBe(Object.keys(spec.rules as object).length);
  });

  it('of what is left out as a whole have their defaults where it is given', () => {
    const defaults = nodes.filter(([at, { default: value }]) => value !== undefined && isOptional(at));
    expect(defaults.map(([at, { default: value }]) => [at.join('.'), value])).toEqual([
      ['spec.network.apiServer.ports', [443, 6443]],
      ['spec.network.monitoring.podLabels', {}],
    ]);
    const [addresses, namespace] = [['10.0.0.1/32'], 'monitoring'];
    const { network } = readConfig(
      withSpec({ network: { apiServer: { addresses }, monitoring: { namespace } } }),
    );
    expect(network).toMatchObject({
      apiServer: { addresses, ports: [443, 6443] },
      monitoring: { namespace, podLabels: {} },
    });
  });
});

describe('random configurations', () => {
  const level = fc.constantFrom('error', 'warning', 'off', false);
  const rules = fc.dictionary(fc.constantFrom(...RULES.map(({ id }) => id)), level, { maxKeys: 3 });
  const quantity = fc.constantFrom(null, '100m', '0.5', '1e3', '2Gi', '128Mi');
  const amounts = someOf({ cpu: quantity, memory: quantity });
  const pods = {
    namespace: fc.constantFrom('ingress', 'kube-system'),
    podLabels: fc.dictionary(fc.constantFrom('app', 'k8s-app'), fc.constantFrom('dns', ''), { maxKeys: 2 }),
  };
  const addresses = fc.subarray(['10.0.0.10/32', 'fd00::/8']);
  const cidrs = fc.subarray(['10.0.0.10/32', 'fd00::/8'], { minLength: 1 });
  const ports = fc.subarray([53, 5353], { minLength: 1 });
  const selectedPods = fc.record(pods, { requiredKeys: ['namespace'] });
  const controller = fc.oneof(selectedPods, fc.record({ cidrs }));
  const settings = {
    rules,
    podSecurity: someOf({
      level: fc.constantFrom('restricted', 'baseline'),
      version: fc.constantFrom('v1.25', 'v1.30', 'v1.37', 'latest'),
    }),
    resources: someOf({
      add: fc.constantFrom('all', 'requests', 'none'),
      requests: amounts,
      limits: amounts,
      max: amounts,
    }),
    images: someOf({
      registries: fc.subarray(['ghcr.io', 'docker.io/library', '*.example.com/a/*'], { minLength: 1 }),
      digest: fc.constantFrom('required', 'optional'),
    }),
    probes: someOf({ add: fc.boolean() }),
    harden: fc.constantFrom('all', 'safe'),
    knownImages: fc.constantFrom('propose', 'apply'),
    network: someOf({
      ingressController: someOf({ ...pods, classes: fc.subarray(['nginx', 'internal', '']) }),
      ingressControllers: fc.dictionary(fc.constantFrom('alb', 'traefik'), controller, { maxKeys: 2 }),
      router: someOf(pods),
      apiServer: fc.record({ addresses: cidrs, ports }, { requiredKeys: ['addresses'] }),
      monitoring: selectedPods,
      mesh: fc.constantFrom('istio', 'istio-ambient', 'linkerd'),
      unresolved: fc.constantFrom('error', 'warning'),
      gateways: someOf(pods),
      dns: someOf({ ...pods, addresses, ports }),
    }),
    substitute: fc.constant('variables.yaml'),
    kubernetesVersion: fc.constantFrom('v1.20', 'v1.37', 'latest'),
  };
  const ruleList = fc.subarray(['pinned-image', 'plain-secret', 'volumes']);
  const folders = fc.subarray(['envs/*', 'apps/**']);
  const valid = fc.record(
    {
      apiVersion: fc.constant('todo.example.com/v1alpha1'),
      kind: fc.constant('Guardrails'),
      metadata: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<YamlValue>,
      spec: someOf({
        ...settings,
        environments: fc.dictionary(
          fc.constantFrom('overlays/dev', 'overlays/prod'),
          someOf({ ...settings, allow: ruleList }),
          { maxKeys: 2 },
        ),
        environment: fc.constantFrom('overlays/dev', ''),
        complete: fc.boolean(),
        neverExempt: ruleList,
        exemptions: someOf({ maxDays: fc.integer({ min: 1, max: 36_500 }) }),
        overlays: folders,
        bases: folders,
        kustomizeVersion: fc.constantFrom('v5.8.1', 'any'),
        schemas: fc.subarray(['crds/a.yaml', 'crds/b.yaml']),
      }),
    },
    { requiredKeys: ['apiVersion', 'kind'] },
  ) as fc.Arbitrary<YamlObject>;
  const noise = fc.constantFrom<YamlValue>(
    null,
    true,
    0,
    1.5,
    '',
    'x',
    '1 Gi',
    '9Ei',
    [],
    ['x'],
    {},
    { x: 1 },
  );
  /** A valid configuration with a value of some key replaced, or with a key added beside it. */
  const nearlyValid = fc
    .tuple(
      valid,
      fc.nat(),
      noise,
      fc.constantFrom('', 'x', 'rules', 'cpu', 'namespace', 'podLabels', 'cidrs'),
    )
    .map(([config, position, value, key]) => {
      const copy = structuredClone(config);
      const places = placesIn(copy);
      const place = places[position % places.length];
      if (place !== undefined) place.parent[key === '' ? place.key : key] = value;
      return copy;
    });

  test(`the schema accepts what the reader accepts, and nothing else that it can express, 5,000 times (seed ${SEED})`, () => {
    const unexpressed = Object.values(NOT_IN_SCHEMA).map(({ message }) => message);
    const verdicts = { accepted: 0, refused: 0, unexpressed: 0 };
    fc.assert(
      fc.property(fc.oneof(valid, nearlyValid), (config) => {
        const { reader, schema } = judge(config);
        const isUnexpressed = reader
          .split('\n')
          .every((line) => unexpressed.some((message) => line.includes(message)));
        expect({ reader, schema }).toEqual({
          reader,
          schema: reader === 'accepted' || isUnexpressed ? 'accepted' : 'refused',
        });
        verdicts[reader === 'accepted' ? 'accepted' : isUnexpressed ? 'unexpressed' : 'refused']++;
      }),
      { seed: SEED, numRuns: 5_000 },
    );
    expect(Math.min(...Object.values(verdicts))).toBeGreaterThan(100);
  });

  test(`the pattern of a quantity accepts what the reader accepts, 5,000 times (seed ${SEED})`, () => {
    const digits = fc.constantFrom('', '0', '00', '1', '100', '1'.repeat(199));
    const text = fc
      .tuple(
        fc.constantFrom('', '', '+', '-', ' '),
        digits,
        fc.constantFrom('', '', '.', ','),
        digits,
        fc.constantFrom('', 'Ki', 'Ei', 'k', 'K', 'm', 'n', 'u', 'E', 'e', 'e+', 'E-', 'e--', ' m'),
        fc.constantFrom('', '', '0', '5', '099', '100', '101', 'i'),
      )
      .map((parts) => parts.join(''));
    const verdicts = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(text, (cpu) => {
        const { reader, schema } = judge(
          withSpec({ resources: { requests: { cpu: null }, limits: { cpu } } }),
        );
        expect(`${JSON.stringify(cpu)} is ${schema}`).toBe(
          `${JSON.stringify(cpu)} is ${reader === 'accepted' ? 'accepted' : 'refused'}`,
        );
        verdicts[reader === 'accepted' ? 'accepted' : 'refused']++;
      }),
      { seed: SEED, numRuns: 5_000 },
    );
    expect(Math.min(...Object.values(verdicts))).toBeGreaterThan(500);
  });
});

/** Mappings with any of some keys. */
function someOf(keys: Record<string, fc.Arbitrary<YamlValue>>): fc.Arbitrary<YamlObject> {
  return fc.record(keys, { requiredKeys: [] }) as fc.Arbitrary<YamlObject>;
}

/** Every key and every index in a value, except those of metadata. */
function placesIn(value: YamlValue): { parent: Record<string, YamlValue>; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const parent = value as Record<string, YamlValue>;
  const keys = Object.keys(parent).filter((key) => key !== 'metadata');
  return keys.flatMap((key) => [{ parent, key }, ...placesIn(parent[key] ?? null)]);
}
