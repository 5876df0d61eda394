// 40 mutations of the Todo App by a seed: each opens or cuts off something, and check reports each. 10 edits do neither.
import { parseAllDocuments, stringify } from 'yaml';
import { fix } from '../support/fix-package';
import { type PackageFiles, repositoryFiles, withEdit } from '../support/package-files';
import { numbersFrom } from '../support/seeded';

const SEED = Number(process.env.GUARDRAILS_SEED ?? 20_261_127);
const MUTATIONS = 40;
const POLICIES = 'base/network-policies.yaml';
const PROD = 'overlays/prod/kustomization.yaml';
const DIRECTIONS = ['ingress', 'egress'] as const;

interface Rule {
  from?: Peer[];
  to?: Peer[];
  ports?: { protocol: string; port: number }[];
}

interface Peer {
  ipBlock?: { cidr: string; except?: string[] };
}

interface Policy {
  metadata: { name: string };
  spec: {
    podSelector: { matchLabels?: Record<string, string> };
    policyTypes: string[];
    ingress?: Rule[];
    egress?: Rule[];
  };
}

type Pick = <T>(list: readonly T[]) => T;

/** Edits the policies of base; the policy of a workload, one of its rules, and the list that has the rule. */
type PolicyEdit = (policy: Policy, rules: Rule[], rule: Rule, pick: Pick) => void;

const EDITS: Readonly<Record<string, PolicyEdit>> = {
  'a rule without ports': (_, __, rule) => {
    delete rule.ports;
  },
  'a rule without peers': (_, __, rule) => {
    delete rule.from;
    delete rule.to;
  },
  'a rule less': (_, rules, rule) => {
    rules.splice(rules.indexOf(rule), 1);
  },
  'a port less': (_, rules, rule, pick) => {
    const ports = rule.ports ?? [];
    ports.splice(ports.indexOf(pick(ports)), 1);
    if (ports.length === 0) rules.splice(rules.indexOf(rule), 1);
  },
  'a port more': (_, __, rule, pick) => {
    rule.ports?.push({ protocol: 'TCP', port: pick([22, 6443, 9090]) });
  },
  'a direction less': ({ spec }, _, __, pick) => {
    const type = pick(['Ingress', 'Egress']);
    spec.policyTypes = spec.policyTypes.filter((one) => one !== type);
    if (type === 'Ingress') delete spec.ingress;
    else delete spec.egress;
  },
  'another selector': ({ spec }) => {
    spec.podSelector.matchLabels = { app: 'todo-other' };
  },
  'every pod as a peer': (_, __, rule) => {
    rule[rule.from === undefined ? 'to' : 'from'] = [{ podSelector: {} } as Peer];
  },
  'a wider range': (_, __, rule, pick) => {
    const peers = rule.from ?? rule.to ?? [];
    peers.push({ ipBlock: { cidr: pick(['10.0.0.0/8', '169.254.169.254/32', '192.168.0.0/16']) } });
  },
};

function editPolicies(edit: PolicyEdit, pick: Pick): PackageFiles {
  const files = repositoryFiles();
  const policies = parseAllDocuments(files[POLICIES] ?? '').map((one) => one.toJS() as Policy);
  const policy = pick(policies.filter(({ spec }) => spec.podSelector.matchLabels !== undefined));
  const rules = policy.spec[pick(DIRECTIONS)] ?? [];
  edit(policy, rules, pick(rules), pick);
  return { ...files, [POLICIES]: policies.map((one) => stringify(one)).join('---\n') };
}

/** A patch in prod, after the others. */
function patched(patch: object): PackageFiles {
  const files = repositoryFiles();
  const text = `  - patch: |-\n      ${JSON.stringify(patch)}\n`;
  return { ...files, [PROD]: `${(files[PROD] ?? '').trimEnd()}\n${text}` };
}

const NETWORK = 'networking.k8s.io/v1';
const policyPatch = (name: string, more: object) =>
  patched({ apiVersion: NETWORK, kind: 'NetworkPolicy', metadata: { name }, ...more });

const OTHER: Readonly<Record<string, (pick: Pick) => PackageFiles>> = {
  'a policy less': (pick) => {
    const files = repositoryFiles();
    const policies = parseAllDocuments(files[POLICIES] ?? '').map((one) => one.toJS() as Policy);
    // Without the default deny, the policies of the workloads isolate them all the same.
    const gone = pick(policies.filter(({ metadata }) => metadata.name !== 'default-deny'));
    const left = policies.filter((one) => one !== gone && one.metadata.name !== 'default-deny');
    return { ...files, [POLICIES]: left.map((one) => stringify(one)).join('---\n') };
  },
  'a Service with another name': (pick) => {
    const name = pick(['backend', 'frontend']);
    const file = `base/${name}/${name}-service.yaml`;
    return withEdit(repositoryFiles(), file, `name: todo-${name}\n`, `name: todo-${name}-renamed\n`);
  },
  'a Service with another targetPort': (pick) => {
    const name = pick(['backend', 'frontend']);
    const file = `base/${name}/${name}-service.yaml`;
    return withEdit(repositoryFiles(), file, 'targetPort: ', 'targetPort: 9');
  },
  'a policy in an overlay that allows everything': (pick) => {
    const direction = pick(DIRECTIONS);
    const spec = {
      podSelector: {},
      policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'],
      [direction]: [{}],
    };
    const policy = { apiVersion: NETWORK, kind: 'NetworkPolicy', metadata: { name: 'allow-all' }, spec };
    const files = withEdit(repositoryFiles(), PROD, 'resources:\n', 'resources:\n  - allow-all.yaml\n');
    return { ...files, 'overlays/prod/allow-all.yaml': stringify(policy) };
  },
  'a patch that deletes a policy': (pick) =>
    policyPatch(pick(['todo-backend', 'todo-frontend', 'default-deny']), { $patch: 'delete' }),
  'a patch that ends the isolation': (pick) =>
    policyPatch(pick(['todo-backend', 'todo-frontend']), { spec: { policyTypes: null, egress: null } }),
  'a patch that adds a host': () =>
    patched({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'todo-frontend' },
      spec: {
        template: {
          spec: {
            containers: [{ name: 'frontend', env: [{ name: 'PAY_URL', value: 'https://pay.example.org' }] }],
          },
        },
      },
    }),
};

const NAMES = [...Object.keys(EDITS), ...Object.keys(OTHER)];

async function reportedOf(files: PackageFiles): Promise<string[]> {
  const { errors, reported } = await fix(files, { asIs: true });
  const weaker = reported.filter(
    (text) => /NetworkPolicy|isolat/.test(text) && !text.includes('Kustomization'),
  );
  return [...errors, ...weaker];
}

test.each(Array.from({ length: MUTATIONS }, (_, i) => [NAMES[i % NAMES.length] ?? '', SEED + i] as const))(
  '%s (seed %i) is reported',
  async (name, seed) => {
    const random = numbersFrom(seed);
    const pick: Pick = (list) => {
      const one = list[Math.floor(random() * list.length)];
      if (one === undefined) throw new Error(`${name}: nothing to choose from`);
      return one;
    };
    const edit = EDITS[name];
    const files = edit === undefined ? (OTHER[name]?.(pick) ?? {}) : editPolicies(edit, pick);
    expect(await reportedOf(files)).not.toEqual([]);
  },
  60_000,
);

const DEPLOYMENT = 'base/backend/backend-deployment.yaml';
const SERVICE = 'base/backend/backend-service.yaml';

test.each<[string, () => PackageFiles]>([
  ['nothing', () => repositoryFiles()],
  ['a comment', () => withEdit(repositoryFiles(), POLICIES, '    # DNS\n', '    # DNS, for names\n')],
  [
    'an annotation of a policy',
    () =>
      withEdit(
        repositoryFiles(),
        POLICIES,
        '  name: todo-backend\n',
        '  name: todo-backend\n  annotations:\n    note: x\n',
      ),
  ],
  ['rules in another order', () => reordered()],
  [
    'a label of a Service',
    () => withEdit(repositoryFiles(), SERVICE, 'metadata:\n', 'metadata:\n  labels:\n    team: a\n'),
  ],
  ['more replicas', () => withEdit(repositoryFiles(), PROD, 'count: 3', 'count: 4')],
  ['another tag', () => withEdit(repositoryFiles(), PROD, 'newTag: v1.0.0', 'newTag: v1.0.1')],
  [
    'a variable that is no address',
    () =>
      withEdit(
        repositoryFiles(),
        DEPLOYMENT,
        '          envFrom:\n',
        '          env:\n            - name: MODE\n              value: fast\n          envFrom:\n',
      ),
  ],
  [
    'another origin',
    () =>
      withEdit(
        repositoryFiles(),
        PROD,
        'ALLOWED_ORIGINS=https://todo.example.com',
        'ALLOWED_ORIGINS=https://todo.example.org',
      ),
  ],
  [
    'a ConfigMap that nobody reads',
    () => {
      const files = withEdit(repositoryFiles(), PROD, 'resources:\n', 'resources:\n  - notes.yaml\n');
      const notes = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'notes' },
        data: { A: 'http://x.example.org' },
      };
      return { ...files, 'overlays/prod/notes.yaml': stringify(notes) };
    },
  ],
])(
  'harmless: %s',
  async (_, files) => {
    expect(await reportedOf(files())).toEqual([]);
  },
  60_000,
);

function reordered(): PackageFiles {
  const files = repositoryFiles();
  const policies = parseAllDocuments(files[POLICIES] ?? '').map((one) => one.toJS() as Policy);
  for (const { spec } of policies) for (const direction of DIRECTIONS) spec[direction]?.reverse();
  return { ...files, [POLICIES]: policies.map((one) => stringify(one)).join('---\n') };
}
