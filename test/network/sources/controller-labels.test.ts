import { checkBuild, readBuild, withPolicies } from '../../support/network-build';

const CLIENT = `apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, image: "web:1", env: [{name: DB_URL, value: "http://db:5432"}]}]}
`;
const workload = (kind: string, name: string, labels = `{app: ${name}}`, apiVersion = 'apps/v1') =>
  `apiVersion: ${apiVersion}
kind: ${kind}
metadata: {name: ${name}}
spec:
  selector: {matchLabels: ${labels}}
  template: {metadata: {labels: ${labels}}, spec: {containers: [{name: c, image: "c:1"}]}}
`;
const job = (name: string, labels = '{}') => `apiVersion: batch/v1
kind: Job
metadata: {name: ${name}}
spec: {template: {metadata: {labels: ${labels}}, spec: {containers: [{name: c, image: "c:1"}]}}}
`;
const cronJob = (name: string) => `apiVersion: batch/v1
kind: CronJob
metadata: {name: ${name}}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: c, image: "c:1"}]}}}}}
`;
const service = (selector: string) => `apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: ${selector}, ports: [{port: 5432}]}
`;

/** The workloads to which a Service leads that has a selector, and what is reported. */
function selected(selector: string, ...documents: string[]) {
  const { connections, reports } = readBuild([CLIENT, service(selector), ...documents]);
  const ends = connections.flatMap((line) => /^Pod\/web -> (\w+\/[\w-]+): TCP 5432$/.exec(line)?.[1] ?? []);
  return { ends, reports };
}

describe('labels that controllers add select the pods of their workload', () => {
  const db = workload('StatefulSet', 'db');
  const other = workload('StatefulSet', 'db-0');
  const web = workload('Deployment', 'shop');

  test.each<[string, string, string[], string[]]>([
    [
      'the name of a pod, beside its label',
      '{app: db, statefulset.kubernetes.io/pod-name: db-0}',
      [db, other, web],
      ['StatefulSet/db'],
    ],
    [
      'the name of a pod alone',
      '{statefulset.kubernetes.io/pod-name: db-12}',
      [web, other, db],
      ['StatefulSet/db'],
    ],
    [
      'the name of a pod of a StatefulSet whose name ends in a number',
      '{statefulset.kubernetes.io/pod-name: db-0-1}',
      [db, other],
      ['StatefulSet/db-0'],
    ],
    ['the index of a pod', '{app: db, apps.kubernetes.io/pod-index: "0"}', [db, other], ['StatefulSet/db']],
    [
      'the index of a pod alone, which the StatefulSets of the namespace have',
      '{apps.kubernetes.io/pod-index: "0"}',
      [db, other, web],
      ['StatefulSet/db', 'StatefulSet/db-0'],
    ],
    ['the name of a Job', '{batch.kubernetes.io/job-name: load}', [job('load'), job('other')], ['Job/load']],
    ['its older form', '{job-name: load}', [job('load', '{app: x}'), job('other')], ['Job/load']],
    [
      'a Job of a CronJob',
      '{batch.kubernetes.io/job-name: nightly-28912340}',
      [cronJob('nightly'), cronJob('weekly')],
      ['CronJob/nightly'],
    ],
    ['the hash of a Deployment', '{app: shop, pod-template-hash: 5d4f8c7b9}', [web, db], ['Deployment/shop']],
    [
      'the revision of a DaemonSet',
      '{app: agent, controller-revision-hash: 5d4f8c7b9}',
      [workload('DaemonSet', 'agent')],
      ['DaemonSet/agent'],
    ],
    ['the UID of a Job', '{job-name: load, controller-uid: 0f7e}', [job('load'), job('other')], ['Job/load']],
    [
      'a hash of a controller that is not known',
      '{app: canary, controller-revision-hash: x}',
      [workload('CloneSet', 'canary', '{app: canary}', 'apps.kruise.io/v1alpha1')],
      ['CloneSet/canary'],
    ],
  ])('%s', (_, selector, documents, ends) => {
    expect(selected(selector, ...documents)).toEqual({ ends, reports: [] });
  });

  test.each([
    ['a pod of another StatefulSet', '{statefulset.kubernetes.io/pod-name: cache-0}', db],
    ['no number', '{statefulset.kubernetes.io/pod-name: db-primary}', db],
    ['a number with a zero before it', '{statefulset.kubernetes.io/pod-name: db-00}', db],
    [
      'the labels of two workloads',
      '{app: shop, statefulset.kubernetes.io/pod-name: db-0}',
      db + '---\n' + web,
    ],
    [
      'a pod of a Deployment, whose pods have no numbers',
      '{statefulset.kubernetes.io/pod-name: shop-0}',
      web,
    ],
    ['the revision of a Deployment', '{app: shop, controller-revision-hash: x}', web],
    ['the hash of a StatefulSet', '{app: db, pod-template-hash: x}', db],
    ['the Job of a CronJob by the name of the CronJob', '{job-name: nightly}', cronJob('nightly')],
    ['a name under another label', '{app: db-0}', db],
  ])('%s: selects no pods', (_, selector, documents) => {
    expect(selected(selector, documents)).toEqual({
      ends: [],
      reports: [],
    });
  });

  test.each(['{pod-template-hash: 5d4f8c7b9}', '{controller-uid: a, controller-revision-hash: b}'])(
    '%s: the pods are not known, which is no error',
    (selector) => {
      expect(selected(selector, db, web)).toEqual({
        ends: [],
        reports: [
          'info: env DB_URL refers to Service/db, whose selector has only labels with values that the cluster chooses',
        ],
      });
    },
  );
});

test('a Service of one pod of a StatefulSet opens the StatefulSet', () => {
  const build = [
    CLIENT,
    service('{app: db, statefulset.kubernetes.io/pod-name: db-0}'),
    workload('StatefulSet', 'db'),
  ];
  expect(readBuild(build).policies.db).toMatchObject({
    podSelector: { matchLabels: { app: 'db' } },
    ingress: [
      { from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ protocol: 'TCP', port: 5432 }] },
    ],
  });
  expect(checkBuild(withPolicies(build))).toEqual([]);
});

test('a Job without labels is selected by its name, in one label', () => {
  const { policies } = readBuild([job('load')]);
  expect(policies.load?.podSelector).toEqual({ matchLabels: { 'batch.kubernetes.io/job-name': 'load' } });
});

test('1,000 StatefulSets with a label in common, and a Service for a pod of each', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `db${i}`);
  const documents = names.flatMap((name) => [
    workload('StatefulSet', name, `{part-of: shop, app: ${name}}`),
    service(`{part-of: shop, statefulset.kubernetes.io/pod-name: ${name}-0}`).replace(
      'name: db',
      `name: ${name}`,
    ),
  ]);
  const env = names.map((name) => `{name: U_${name}, value: "http://${name}:5432"}`).join(', ');
  const client = CLIENT.replace(/env: \[.*\]\}\]/, `env: [${env}]}]`);
  // To each of them; and DNS, of the client and of each.
  expect(readBuild([client, ...documents]).connections).toHaveLength(1000 + 1001);
});
