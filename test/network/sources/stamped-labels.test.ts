import { checkBuild, readBuild, withPolicies } from '../../support/network-build';

const POD = '{containers: [{name: app, image: "app:v1"}]}';
/** As an overlay builds it that adds the label `team: shop` to all pods. */
const WEB = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shared}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web, team: shop}}, spec: ${POD}}}
`;
const JOB = (labels: string) => `apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shared}
spec: {template: {metadata: {labels: ${labels}}, spec: ${POD}}}
`;
const CRON_JOB = (name: string, labels: string) => `apiVersion: batch/v1
kind: CronJob
metadata: {name: ${name}, namespace: shared}
spec: {schedule: "@daily", jobTemplate: {spec: {template: {metadata: {labels: ${labels}}, spec: ${POD}}}}}
`;
const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shared}\n';

const DENY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shared}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
`;
const ALLOW_DNS = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-dns, namespace: shared}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
      podSelector: {matchLabels: {k8s-app: kube-dns}}
    - ipBlock: {cidr: 169.254.20.10/32}
    ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
`;
const OPEN =
  'error CronJob/report has pods that no NetworkPolicy isolates for ingress and egress; add a label of its own to the pod template, so that a NetworkPolicy can select the pods';

const selectorsOf = (documents: readonly string[]) =>
  Object.fromEntries(
    Object.entries(readBuild(documents).policies).map(([name, { podSelector }]) => [name, podSelector]),
  );
const WEB_POLICY = { web: { matchLabels: { app: 'web' } } };

describe('a label that all pods have is not the selector of a policy', () => {
  test('a Job is selected by the label of its controller too', () => {
    const documents = [WEB, JOB('{team: shop}')];
    expect(selectorsOf(documents)).toEqual({
      ...WEB_POLICY,
      migrate: { matchLabels: { 'batch.kubernetes.io/job-name': 'migrate', team: 'shop' } },
    });
    expect(checkBuild(withPolicies(documents))).toEqual([]);
  });

  test('a CronJob gets no policy, and an error asks for a label of its own', () => {
    const documents = [WEB, CRON_JOB('report', '{team: shop}')];
    expect(selectorsOf(documents)).toEqual(WEB_POLICY);
    expect(checkBuild(withPolicies(documents))).toEqual([OPEN]);
  });

  test('in a namespace of the build too: a default deny would close its DNS', () => {
    const documents = [WEB, CRON_JOB('report', '{team: shop}'), NAMESPACE];
    expect(selectorsOf(documents)).toEqual(WEB_POLICY);
    expect(checkBuild(withPolicies(documents))).toEqual([OPEN]);
  });

  test('policies for all pods isolate it, and must let it resolve names', () => {
    const documents = withPolicies([WEB, CRON_JOB('report', '{team: shop}')]);
    expect(checkBuild([...documents, DENY, ALLOW_DNS])).toEqual([]);
    expect(checkBuild([...documents, DENY])).toEqual(
      ['DNS on UDP', 'DNS on TCP', 'DNS (169.254.20.10) on UDP', 'DNS (169.254.20.10) on TCP'].map(
        (to) =>
          `error NetworkPolicy/deny blocks required egress traffic from CronJob/report to ${to} port 53: every pod must resolve names; add a policy that allows it; in a package, \`guardrails fix\` writes one`,
      ),
    );
  });

  test('a connection of it cannot be allowed', () => {
    const client = CRON_JOB('report', '{team: shop}').replace(
      'namespace: shared}',
      'namespace: shared, annotations: {todo.example.com/internet-egress: "443"}}',
    );
    expect(readBuild([WEB, client, NAMESPACE]).reports).toEqual([
      'error: has pods with labels that other pods have too, so no NetworkPolicy can select them alone',
    ]);
  });
});

describe('innocent neighbours', () => {
  test('a CronJob with a label of its own', () => {
    expect(selectorsOf([WEB, CRON_JOB('report', '{app: report, team: shop}')])).toEqual({
      ...WEB_POLICY,
      report: { matchLabels: { app: 'report', team: 'shop' } },
    });
  });

  test('CronJobs with the same labels', () => {
    const selector = { matchLabels: { app: 'jobs', team: 'shop' } };
    const documents = [WEB, ...['mail', 'report'].map((name) => CRON_JOB(name, '{app: jobs, team: shop}'))];
    expect(selectorsOf(documents)).toEqual({ ...WEB_POLICY, mail: selector, report: selector });
    expect(checkBuild(withPolicies(documents))).toEqual([]);
  });

  test('the only pods with the label', () => {
    expect(selectorsOf([CRON_JOB('report', '{team: shop}')])).toEqual({
      report: { matchLabels: { team: 'shop' } },
    });
  });
});

test('a selector that does not match the labels of the pods: the remedy says so', () => {
  const other = WEB.replace('labels: {app: web, team: shop}', 'labels: {app: shop}');
  expect(checkBuild(withPolicies([other]))).toEqual([
    'error Deployment/web has pods that no NetworkPolicy isolates for ingress and egress; make spec.selector match the labels of the pod template, as the API server requires',
  ]);
});
