import { parse, stringify } from 'yaml';
import { run } from '../../functions/guardrails/run';
import { type PackageFiles, repositoryFiles, resourceList, withEdit } from '../support/package-files';
import { findKustomizeForTests } from '../support/tools';

// Adds policies to a ResourceList in every form that it may have, and removes them again.

interface List {
  apiVersion: string;
  kind: string;
  items: { kind: string; metadata: { name: string } }[];
  functionConfig?: object;
  results?: { severity: string; message: string }[];
}

const WORKER = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: added
spec:
  selector:
    matchLabels:
      app: added
  template:
    metadata:
      labels:
        app: added
    spec:
      containers:
        - name: added
          image: registry.example.com/added:v1
          env:
            - name: BACKEND_URL
              value: http://todo-backend
`;
const REPOSITORY: PackageFiles = repositoryFiles();
const WITH_WORKER = withEdit(
  { ...REPOSITORY, 'base/added.yaml': WORKER },
  'base/kustomization.yaml',
  'resources:\n',
  'resources:\n  - added.yaml\n',
);

const FORMS: Record<string, (list: string) => string> = {
  'block, lists in the column of their key': (list) => list,
  'block, lists indented': (list) => stringify(parse(list), { indentSeq: true, lineWidth: 0 }),
  'block with CRLF': (list) => list.replaceAll('\n', '\r\n'),
  'block, no newline at the end': (list) => list.replace(/\n$/, ''),
  'JSON on one line': (list) => JSON.stringify(parse(list)),
  'JSON over many lines': (list) => JSON.stringify(parse(list), null, 2),
  'block with a flow list of items': (list) => {
    const { items, ...rest } = parse(list) as List;
    return `${stringify(rest)}items: ${JSON.stringify(items)}\n`;
  },
};

async function runList(input: string): Promise<{ stdout: string; list: List }> {
  const { exitCode, stdout, stderr } = await run(Buffer.from(input), () =>
    Promise.resolve(findKustomizeForTests()),
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return { stdout, list: parse(stdout) as List };
}

/** The items as a set, without the order of keys and the indentation for kpt. */
function sorted({ items }: List): string[] {
  return items.map((item) => JSON.stringify(item, sortKeys)).sort();
}

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([key]) => key !== 'internal.config.kubernetes.io/seqindent');
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function policiesOf({ items }: List): string[] {
  return items.filter(({ kind }) => kind === 'NetworkPolicy').map(({ metadata }) => metadata.name);
}

/** The rule for the calls of the added workload, in the policy of the workload that it calls. */
const CALLS_OF_ADDED = {
  from: [{ podSelector: { matchLabels: { app: 'added' } } }],
  ports: [{ protocol: 'TCP', port: 8000 }],
};

function policyOf({ items }: List, name: string) {
  return items.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === name);
}

let asBlock: List;
let repository: List;
beforeAll(async () => {
  repository = (await runList(resourceList(REPOSITORY))).list;
  asBlock = (await runList(resourceList(WITH_WORKER))).list;
});

describe.each(Object.entries(FORMS))('%s', (_, form) => {
  test('a policy is added, another is updated, and a second run changes no byte', async () => {
    const { stdout, list } = await runList(form(resourceList(WITH_WORKER)));
    const before = policiesOf(parse(resourceList(REPOSITORY)) as List);
    expect(
      policiesOf(list)
        .filter((name) => !before.includes(name))
        .sort(),
    ).toEqual(['added']);
    expect(policyOf(list, 'todo-backend')).toMatchObject({
      spec: { ingress: expect.arrayContaining([CALLS_OF_ADDED]) as object },
    });
    expect(sorted(list)).toEqual(sorted(asBlock));
    const again = await runList(stdout);
    const { results: reported = [], ...first } = list;
    const { results = [], ...second } = again.list;
    expect(second).toEqual(first);
    expect(reported.length).toBeGreaterThan(results.length);
    expect((await runList(again.stdout)).stdout).toBe(again.stdout);
  });

  test('policies lose what was added with the workload', async () => {
    const { items, ...rest } = asBlock;
    const kept = items
      .filter(({ metadata }) => metadata.name !== 'added')
      .map((item) => ('resources' in item ? withoutWorker(item) : item));
    const block = stringify({ ...rest, items: kept, results: undefined }, { indentSeq: false, lineWidth: 0 });
    const { list } = await runList(form(block));
    expect(sorted(list)).toEqual(sorted(repository));
  });
});

function withoutWorker(item: { resources?: unknown }): object {
  const { resources } = item;
  return Array.isArray(resources)
    ? { ...item, resources: resources.filter((one) => one !== 'added.yaml') }
    : item;
}
