import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { YamlObject, YamlValue } from '../../functions/guardrails/yaml/yaml';
import type { ContainerPort } from '../../functions/guardrails/network/connection';
import { IpAddress } from '../../functions/guardrails/network/ip-range';
import { type Policy, type Protocol, readPolicy } from '../../functions/guardrails/network/policy';
import { PolicySet, isolates } from '../../functions/guardrails/network/policy-set';
import {
  type Endpoint,
  type PodEndpoint,
  type Traffic,
  isPod,
  namespaceLabels,
} from '../../functions/guardrails/network/traffic';
import { describeWithTool } from '../support/tools';

const SEED = Number(process.env.GUARDRAILS_SEED ?? 20_261_124);
const WORLDS = 500;
const CASES_PER_WORLD = 16;

/** Some namespaces with pods and policies, and connections from, to and between them. */
interface World {
  readonly policies: readonly YamlObject[];
  readonly traffic: readonly Traffic[];
}

// Pods always have app, namespaces always have team: NotIn and empty values are asked of these alone, because of the
// first two rows of DISAGREEMENTS.
const POD_KEYS: Keys = {
  always: 'app',
  values: ['web', 'db', ''],
  sometimes: 'tier',
  others: ['front', 'back'],
};
const NAMESPACE_KEYS: Keys = {
  always: 'team',
  values: ['red', 'blue', ''],
  sometimes: 'env',
  others: ['prod', 'dev'],
};

interface Keys {
  readonly always: string;
  readonly values: readonly string[];
  readonly sometimes: string;
  readonly others: readonly string[];
}

const POD_ADDRESSES = ['10.0.0.5', '10.0.0.6', '10.0.1.5', '10.1.0.5', 'fd00::5', 'fd00:0:1::5', 'fd80::5'];
const OUTSIDE_ADDRESSES = [
  ...['192.0.2.1', '192.0.2.129', '198.51.100.1', '10.200.0.1'],
  ...['2001:db8::1', '2001:db8:8000::1', '2001:DB8:0:0:0:0:0:1', '::ffff:192.0.2.1', '::ffff:a00:5', '::1'],
];
/** Ranges, and what may be excepted from them. */
const RANGES: readonly (readonly [cidr: string, except: readonly string[]])[] = [
  ['0.0.0.0/0', ['10.0.0.0/8', '192.0.2.0/24', '128.0.0.0/1', '10.0.0.5/32']],
  ['10.0.0.0/8', ['10.0.0.0/15', '10.0.0.0/16', '10.0.0.4/30', '10.128.0.0/9']],
  ['10.0.0.0/16', ['10.0.0.0/24', '10.0.1.0/24', '10.0.0.6/31']],
  ['192.0.2.0/24', ['192.0.2.0/25', '192.0.2.1/32']],
  ['10.0.0.5/32', []],
  ['::/0', ['fd00::/8', '2001:db8::/32', '::/1', '2001:db8::1/128']],
  ['fc00::/7', ['fd00::/64', 'fd80::/9', 'fd00::5/128']],
  ['2001:db8::/32', ['2001:db8:8000::/33', '2001:DB8:0:0::/64']],
  ['2001:db8::1/128', []],
];
const NUMBERS = [53, 80, 443, 8080, 8081];
const NAMES = ['http', 'dns', 'web-alt'];
const PROTOCOLS: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];

/** Worlds do not know of each other: the names of their namespaces end in their number. */
function world(number: number): fc.Arbitrary<World> {
  const names = ['a', 'b'].map((name) => `${name}-${number}`);
  return fc
    .tuple(...names.map((name) => labels(NAMESPACE_KEYS).map((own) => ({ name, own }))))
    .chain((namespaces) => {
      const pod = fc
        .record({
          namespace: fc.constantFrom(...namespaces),
          labels: labels(POD_KEYS),
          ports: containerPorts(),
          ip: address(POD_ADDRESSES),
        })
        .map(({ namespace: { name, own }, ...rest }): PodEndpoint => ({
          namespace: name,
          namespaceLabels: namespaceLabels(name, own),
          ...rest,
        }));
      return fc.record({
        policies: fc.array(policy(names), { minLength: 2, maxLength: 7, size: 'max' }),
        traffic: fc
          .array(pod, { minLength: 4, maxLength: 6, size: 'max' })
          .chain((pods) =>
            fc.array(traffic(pods), { minLength: CASES_PER_WORLD, maxLength: CASES_PER_WORLD }),
          ),
      });
    });
}

function address(texts: readonly string[]): fc.Arbitrary<IpAddress> {
  return fc.constantFrom(...texts).map((text) => new IpAddress(text));
}

function labels(
  { always, values, sometimes, others }: Keys,
  requiredKeys: string[] = [always],
): fc.Arbitrary<Record<string, string>> {
  const pairs = { [always]: fc.constantFrom(...values), [sometimes]: fc.constantFrom(...others) };
  return fc.record(pairs, { requiredKeys });
}

/** A port has one name, because of the last row of DISAGREEMENTS. */
function containerPorts(): fc.Arbitrary<ContainerPort[]> {
  return fc.uniqueArray(
    fc.record({
      name: fc.option(fc.constantFrom(...NAMES), { nil: undefined, freq: 4 }),
      port: fc.constantFrom(...NUMBERS),
      protocol: fc.constantFrom('TCP', ...PROTOCOLS),
    }),
    { maxLength: 4, size: 'max', selector: ({ port, protocol }) => `${port}/${protocol}` },
  );
}

function traffic(pods: readonly PodEndpoint[]): fc.Arbitrary<Traffic> {
  const pod = fc.constantFrom(...pods);
  const outside = fc.record({ ip: address(OUTSIDE_ADDRESSES) });
  const ends = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(pod, pod) },
    { weight: 2, arbitrary: fc.tuple(outside, pod) },
    { weight: 2, arbitrary: fc.tuple(pod, outside) },
  );
  return fc
    .tuple(ends, fc.nat(), fc.constantFrom(...NUMBERS), fc.constantFrom('TCP', ...PROTOCOLS))
    .map(([[from, to], choice, port, protocol]) => {
      // Half of what goes to a pod goes to a port that it declares.
      const declared = isPod(to) ? to.ports[choice % (2 * to.ports.length || 1)] : undefined;
      return { from, to, port: declared?.port ?? port, protocol: declared?.protocol ?? protocol };
    });
}

function policy(namespaces: readonly string[]): fc.Arbitrary<YamlObject> {
  const rules = (peersKey: 'from' | 'to') =>
    optional(fc.array(rule(peersKey, namespaces), { maxLength: 3, size: 'max' }), 6);
  return fc
    .record({
      namespace: fc.constantFrom(...namespaces),
      podSelector: optional(fc.oneof(fc.constant({}), selector(POD_KEYS)), 6),
      policyTypes: optional(
        fc.constantFrom<string[][]>(
          [],
          ['Ingress'],
          ['Egress'],
          ['Ingress', 'Egress'],
          ['Egress', 'Ingress'],
        ),
        3,
      ),
      ingress: rules('from'),
      egress: rules('to'),
    })
    .map(({ namespace, ...spec }) => networkPolicy(namespace, withoutUndefined(spec)));
}

function networkPolicy(namespace: string, spec: YamlObject): YamlObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'policy', namespace },
    spec,
  };
}

function rule(peersKey: 'from' | 'to', namespaces: readonly string[]): fc.Arbitrary<YamlObject> {
  const listOf = (entry: fc.Arbitrary<YamlObject>) =>
    optional(fc.array(entry, { maxLength: 3, size: 'max' }), 4);
  const whole = fc
    .record({ [peersKey]: listOf(peer(namespaces)), ports: listOf(policyPort()) })
    .map(withoutUndefined);
  return fc.oneof({ weight: 15, arbitrary: whole }, { weight: 1, arbitrary: fc.constant({}) });
}

function peer(namespaces: readonly string[]): fc.Arbitrary<YamlObject> {
  const podSelector = selector(POD_KEYS);
  const namespaceSelector = fc.oneof(
    { weight: 3, arbitrary: selector(NAMESPACE_KEYS) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(...namespaces)
        .map((name) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } })),
    },
  );
  const ipBlock = fc
    .constantFrom(...RANGES)
    .chain(([cidr, except]) =>
      fc.record({ cidr: fc.constant(cidr), except: optional(fc.subarray([...except]), 3) }),
    )
    .map(withoutUndefined);
  return fc.oneof(
    fc.record({ podSelector }),
    fc.record({ namespaceSelector }),
    fc.record({ podSelector, namespaceSelector }),
    fc.record({ ipBlock }),
  );
}

function selector(keys: Keys): fc.Arbitrary<YamlObject> {
  const { always, values, sometimes, others } = keys;
  const some = (list: readonly string[]) => fc.subarray([...list], { minLength: 1, maxLength: 2 });
  const expression: fc.Arbitrary<YamlObject> = fc.oneof(
    fc.record({ key: fc.constant(always), operator: fc.constantFrom('In', 'NotIn'), values: some(values) }),
    fc.record({ key: fc.constant(sometimes), operator: fc.constant('In'), values: some(others) }),
    fc.record({
      key: fc.constantFrom(always, sometimes),
      operator: fc.constantFrom('Exists', 'DoesNotExist'),
    }),
  );
  return fc
    .record({
      matchLabels: optional(labels(keys, []), 1),
      matchExpressions: optional(fc.array(expression, { maxLength: 2 }), 1),
    })
    .map(withoutUndefined);
}

function policyPort(): fc.Arbitrary<YamlObject> {
  const protocol = optional(fc.constantFrom(...PROTOCOLS), 2);
  const number = fc.constantFrom(...NUMBERS);
  return fc
    .oneof(
      fc.record({ protocol }),
      fc.record({ protocol, port: number }),
      fc.record({ protocol, port: fc.constantFrom(...NAMES) }),
      fc
        .record({ protocol, port: number, length: fc.constantFrom(0, 1, 30, 400, 8000) })
        .map(({ length, ...rest }) => ({ ...rest, endPort: rest.port + length })),
    )
    .map(withoutUndefined);
}

/** A value, or more seldom null or no key at all. */
function optional<Value>(value: fc.Arbitrary<Value>, weight: number): fc.Arbitrary<Value | null | undefined> {
  return fc.oneof(
    { weight: 2 * weight, arbitrary: value },
    { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
  );
}

function withoutUndefined(object: Readonly<Record<string, YamlValue | undefined>>): YamlObject {
  return Object.fromEntries(
    Object.entries(object).filter((entry): entry is [string, YamlValue] => entry[1] !== undefined),
  );
}

/** What has to occur under each key of the policies that isolate an end of a connection, and in the connection. */
const FEATURES = Object.entries({
  podSelector: [
    'absent',
    'null',
    '{}',
    '{matchLabels}',
    '{matchExpressions}',
    '{matchLabels, matchExpressions}',
  ],
  namespaceSelector: ['{}', '{matchLabels}', '{matchExpressions}', '{matchLabels, matchExpressions}'],
  matchLabels: ['null', '{}', '{app}', '{tier}', '{app, tier}', '{team}', '{env}', '{team, env}'],
  app: ['""', 'web'],
  team: ['""', 'red'],
  'kubernetes.io/metadata.name': ['a name'],
  matchExpressions: ['null', '[]', 'several'],
  operator: ['In', 'NotIn', 'Exists', 'DoesNotExist'],
  policyTypes: ['absent', 'null', '[]', 'Ingress', 'Egress', 'several'],
  ingress: ['absent', 'null', '[]', '{}', '{from}', '{ports}', '{from, ports}', 'several'],
  egress: ['absent', 'null', '[]', '{}', '{to}', '{ports}', '{to, ports}', 'several'],
  from: [
    'null',
    '[]',
    '{podSelector}',
    '{namespaceSelector}',
    '{podSelector, namespaceSelector}',
    '{ipBlock}',
    'several',
  ],
  to: [
    'null',
    '[]',
    '{podSelector}',
    '{namespaceSelector}',
    '{podSelector, namespaceSelector}',
    '{ipBlock}',
    'several',
  ],
  ipBlock: ['{cidr}', '{cidr, except}'],
  cidr: ['IPv4', 'IPv6'],
  except: ['null', '[]', 'IPv4', 'IPv6', 'several'],
  ports: [
    'null',
    '[]',
    '{}',
    '{protocol}',
    '{port}',
    '{protocol, port}',
    '{port, endPort}',
    '{protocol, port, endPort}',
    'several',
  ],
  protocol: ['null', 'TCP', 'UDP', 'SCTP'],
  port: ['number', 'string'],
  connection: ['from outside', 'to outside', 'TCP', 'UDP', 'SCTP', 'to a port with a name', 'IPv4 as IPv6'],
}).flatMap(([key, shapes]) => shapes.map((shape) => `${key}: ${shape}`));

function featuresOf(traffic: Traffic, isolating: readonly Policy[]): Set<string> {
  const { from, to, protocol } = traffic;
  const features = new Set([`connection: ${protocol}`]);
  if (!isPod(from)) features.add('connection: from outside');
  if (!isPod(to)) features.add('connection: to outside');
  if (portName(traffic) !== '') features.add('connection: to a port with a name');
  if ([from.ip, to.ip].some((ip) => ip?.text.startsWith('::ffff:'))) features.add('connection: IPv4 as IPv6');
  for (const { resource } of isolating) {
    const spec = resource.spec as YamlObject;
    for (const key of ['podSelector', 'policyTypes', 'ingress', 'egress'])
      for (const shape of key in spec ? shapesOf(key, spec[key] ?? null) : [`${key}: absent`])
        features.add(shape);
  }
  return features;
}

/** The values under a key, at any depth. */
function shapesOf(key: string, value: YamlValue): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${key}: []`];
    return [...value.flatMap((one) => shapesOf(key, one)), ...(value.length > 1 ? [`${key}: several`] : [])];
  }
  if (typeof value === 'object' && value !== null)
    return [
      `${key}: {${Object.keys(value).join(', ')}}`,
      ...Object.entries(value).flatMap(([inner, one]) => shapesOf(inner, one)),
    ];
  switch (key) {
    case 'cidr':
    case 'except':
      return [`${key}: ${value === null ? 'null' : String(value).includes(':') ? 'IPv6' : 'IPv4'}`];
    case 'port':
      return [`port: ${typeof value}`];
    case 'kubernetes.io/metadata.name':
      return [`${key}: a name`];
    default:
      return [`${key}: ${value === '' ? '""' : String(value)}`];
  }
}

/** What cyclonus is known to answer otherwise, and the sentence of the API that decides. */
interface Disagreement {
  readonly name: string;
  readonly decides: string;
  readonly spec: YamlObject;
  readonly traffic: Traffic;
  readonly ours: 'allowed' | 'denied';
  /** Or what it ends with. */
  readonly cyclonus: 'allowed' | 'denied' | RegExp;
}

const NEWCOMER: PodEndpoint = {
  namespace: 'a',
  namespaceLabels: namespaceLabels('a'),
  labels: { app: 'web' },
  ports: [],
};
const CLIENT = { ...NEWCOMER, ip: new IpAddress('10.0.0.5') };
const SERVER: PodEndpoint = {
  ...NEWCOMER,
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  ip: new IpAddress('10.0.0.6'),
};
const TO_SERVER: Traffic = { from: CLIENT, to: SERVER, port: 80, protocol: 'TCP' };

const DISAGREEMENTS: readonly Disagreement[] = [
  {
    name: 'NotIn, and the label is not there',
    decides: 'NotIn also matches where the label is missing (labels.Requirement.Matches)',
    spec: ingressFrom({ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }] }),
    traffic: TO_SERVER,
    ours: 'allowed',
    cyclonus: 'denied',
  },
  {
    name: 'an empty value in matchLabels, and the label is not there',
    decides: 'a pair in matchLabels is the same as In with that one value (LabelSelector)',
    spec: ingressFrom({ matchLabels: { tier: '' } }),
    traffic: TO_SERVER,
    ours: 'denied',
    cyclonus: 'allowed',
  },
  {
    name: 'policyTypes are not specified',
    decides: 'they default by whether there are egress rules (NetworkPolicySpec)',
    spec: { podSelector: {}, egress: [{}] },
    traffic: TO_SERVER,
    ours: 'denied',
    cyclonus: /missing spec\.policyTypes/,
  },
  {
    name: 'an ipBlock, and the address of the pod is not known',
    decides: 'an ipBlock allows a range of addresses (IPBlock), so not a pod that has none',
    spec: {
      podSelector: {},
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }],
    },
    traffic: { ...TO_SERVER, from: NEWCOMER },
    ours: 'denied',
    cyclonus: /unable to parse IP/,
  },
  {
    name: 'a port has two names',
    decides:
      'port is a named port on a pod (NetworkPolicyPort): either name is; a query of cyclonus carries one',
    spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 'web' }] }] },
    traffic: {
      ...TO_SERVER,
      to: { ...SERVER, ports: [...SERVER.ports, { name: 'web', port: 80, protocol: 'TCP' }] },
    },
    ours: 'allowed',
    cyclonus: 'denied',
  },
];

function ingressFrom(podSelector: YamlObject): YamlObject {
  return { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector }] }] };
}

describeWithTool('cyclonus', `against cyclonus 0.5.6 (GUARDRAILS_SEED=${SEED})`, (cyclonus) => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'cyclonus-'));
  });

  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  /** Its verdicts on connections, in their order; or what it says when it gives none. */
  function judge(
    policies: readonly YamlObject[],
    traffic: readonly Traffic[],
    simplify = false,
  ): string[] | string {
    const policyPath = join(directory, 'policies.json');
    const trafficPath = join(directory, 'traffic.json');
    const list = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicyList', items: policies };
    writeFileSync(policyPath, JSON.stringify(list));
    writeFileSync(trafficPath, JSON.stringify(traffic.map(asCyclonus)));
    const { status, stdout, stderr } = spawnSync(
      cyclonus,
      [
        ...['analyze', '--mode', 'query-traffic', `--simplify-policies=${simplify}`],
        ...['--policy-path', policyPath, '--traffic-path', trafficPath],
      ],
      { encoding: 'utf8', maxBuffer: 1 << 28 },
    );
    if (status !== 0) return stderr;
    const verdicts = stdout.matchAll(/^\| IS ALLOWED\? \|\s+(TRUE|FALSE)\s/gm);
    return Array.from(verdicts, ([, verdict]) => (verdict === 'TRUE' ? 'allowed' : 'denied'));
  }

  it.each(DISAGREEMENTS)('known to differ: $name; $decides', ({ spec, traffic, ours, cyclonus: theirs }) => {
    const resource = networkPolicy('a', spec);
    const { policy, problems } = readPolicy(resource);
    expect(problems).toEqual([]);
    expect(new PolicySet([policy]).verdict(traffic).allowed ? 'allowed' : 'denied').toBe(ours);
    expect(judge([resource], [traffic])).toEqual(
      theirs instanceof RegExp ? expect.stringMatching(theirs) : [theirs],
    );
  });

  // It keeps the ranges of a rule's peers in one slice, and adds to it what other rules allow one of them.
  it('known to differ: ranges of ports, when it simplifies; a rule allows what matches both ports and from', () => {
    const peers = ['front', 'back'].map((tier) => ({ podSelector: { matchLabels: { tier } } }));
    const ranges = [1, 10, 20].map((port) => ({ port, endPort: port + 1 }));
    const resource = networkPolicy('a', {
      podSelector: {},
      policyTypes: ['Ingress'],
      ingress: [
        { from: peers, ports: ranges },
        { from: peers.slice(0, 1), ports: [{ port: 100, endPort: 101 }] },
        { from: peers.slice(1), ports: [{ port: 200, endPort: 201 }] },
      ],
    });
    const traffic = [100, 200].flatMap((port) =>
      ['front', 'back'].map((tier): Traffic => ({
        ...TO_SERVER,
        from: { ...CLIENT, labels: { tier } },
        port,
      })),
    );
    const { policy } = readPolicy(resource);
    const ours = traffic.map((one) => (new PolicySet([policy]).verdict(one).allowed ? 'allowed' : 'denied'));
    expect(ours).toEqual(['allowed', 'denied', 'denied', 'allowed']);
    expect(judge([resource], traffic)).toEqual(ours);
    // Which of the two ranges is lost is left to chance.
    expect([
      ['allowed', 'allowed', 'denied', 'denied'],
      ['denied', 'denied', 'allowed', 'allowed'],
    ]).toContainEqual(judge([resource], traffic, true));
  });

  it(`says the same of ${WORLDS * CASES_PER_WORLD} generated connections`, () => {
    const [worlds = []] = fc.sample(fc.tuple(...Array.from({ length: WORLDS }, (_, i) => world(i))), {
      seed: SEED,
      numRuns: 1,
    });
    const resources = worlds.flatMap(({ policies }) => policies);
    const read = resources.map(readPolicy);
    expect(
      read
        .flatMap(({ problems }) => problems)
        .filter(({ problem }) => !problem.raw.includes('without effect')),
    ).toEqual([]);
    const policies = read.map(({ policy }) => policy);
    const cases = worlds.flatMap(({ traffic }) => traffic);
    const theirs = judge(resources.map(withPolicyTypes), cases);
    const set = new PolicySet(policies);
    const ours = cases.map((one) => (set.verdict(one).allowed ? 'allowed' : 'denied'));
    expect(theirs).toHaveLength(cases.length);

    const differing = cases.flatMap((one, i) =>
      ours[i] === theirs[i]
        ? []
        : [{ ours: ours[i], theirs: theirs[i], ...one, specs: isolatingPolicies(policies, one).map(specOf) }],
    );
    expect(differing.slice(0, 5)).toEqual([]);

    // Enough of everything for the agreement to mean something.
    const counts = new Map<string, number>();
    let isolated = 0;
    let allowed = 0;
    cases.forEach((one, i) => {
      const isolating = isolatingPolicies(policies, one);
      if (isolating.length === 0) return;
      isolated++;
      if (ours[i] === 'allowed') allowed++;
      for (const feature of featuresOf(one, isolating)) counts.set(feature, (counts.get(feature) ?? 0) + 1);
    });
    expect(isolated).toBeGreaterThan(5000);
    expect(allowed / isolated).toBeGreaterThan(0.2);
    expect(allowed / isolated).toBeLessThan(0.8);
    expect(FEATURES.filter((feature) => (counts.get(feature) ?? 0) < isolated / 100)).toEqual([]);
  });
});

function isolatingPolicies(policies: readonly Policy[], { from, to }: Traffic): Policy[] {
  return policies.filter(
    (one) => (isPod(from) && isolates(one, from, 'egress')) || (isPod(to) && isolates(one, to, 'ingress')),
  );
}

function specOf({ resource }: Policy): YamlValue | undefined {
  return resource.spec;
}

/** The API server's defaults (SetDefaults_NetworkPolicy), because of a row of DISAGREEMENTS. */
function withPolicyTypes(resource: YamlObject): YamlObject {
  const spec = resource.spec as { policyTypes?: string[] | null; egress?: YamlValue[] | null };
  if (spec.policyTypes?.length) return resource;
  return {
    ...resource,
    spec: { ...spec, policyTypes: spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'] },
  };
}

/** matcher.Traffic */
function asCyclonus(traffic: Traffic) {
  const { from, to, port, protocol } = traffic;
  return {
    Source: asPeer(from),
    Destination: asPeer(to),
    ResolvedPort: port,
    ResolvedPortName: portName(traffic),
    Protocol: protocol,
  };
}

function asPeer(endpoint: Endpoint) {
  if (!isPod(endpoint)) return { IP: endpoint.ip.text };
  const { namespace, labels: own, ip } = endpoint;
  const ofNamespace = { ...endpoint.namespaceLabels, 'kubernetes.io/metadata.name': namespace };
  return { Internal: { Namespace: namespace, PodLabels: own, NamespaceLabels: ofNamespace }, IP: ip?.text };
}

/** The first name that the destination has for the port of a connection, or ''. */
function portName({ to, port, protocol }: Traffic): string {
  const ports = isPod(to) ? to.ports : [];
  return ports.find((one) => one.port === port && one.protocol === protocol)?.name ?? '';
}
