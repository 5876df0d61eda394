import { checkBuild, readBuild, withPolicies } from '../../support/network-build';

const INGRESS = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: shop, tier: web}, ports: [{port: 80, targetPort: 8080}]}
`;
const deployment = (
  name: string,
  matchLabels: string,
  labels: string,
  namespace = '""',
) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: ${matchLabels}}
  template: {metadata: {labels: ${labels}}, spec: {containers: [{name: c, image: "c:1"}]}}
`;
const WEB = deployment('web', '{app: shop}', '{app: shop, tier: web, version: v1}');
const selectorsOf = (...documents: string[]) =>
  Object.fromEntries(
    Object.entries(readBuild(documents).policies).map(([name, { podSelector }]) => [name, podSelector]),
  );

test.each([
  [
    'selects pods with more labels',
    deployment('worker', '{app: shop, tier: worker}', '{app: shop, tier: worker}'),
    { app: 'shop', tier: 'worker' },
  ],
  [
    'equals that of another workload',
    deployment('worker', '{app: shop}', '{app: shop, tier: worker}'),
    { app: 'shop', tier: 'worker' },
  ],
  [
    'selects the pods of a CronJob, which has no selector',
    `apiVersion: batch/v1
kind: CronJob
metadata: {name: worker}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: shop, tier: worker}}, spec: {containers: []}}}}}
`,
    { app: 'shop', tier: 'worker' },
  ],
])('a selector that %s: the labels of the own pods select in policies', (_, worker, ofWorker) => {
  const ofWeb = { app: 'shop', tier: 'web', version: 'v1' };
  for (const build of [
    [WEB, worker, INGRESS],
    [worker, INGRESS, WEB],
  ]) {
    expect(selectorsOf(...build)).toEqual({
      web: { matchLabels: ofWeb },
      worker: { matchLabels: ofWorker },
    });
    expect(checkBuild(withPolicies(build))).toEqual([]);
  }
});

test.each([
  ['alone', ''],
  ['beside pods with another value', deployment('worker', '{app: work}', '{app: work, tier: worker}')],
  [
    'beside the same labels in another namespace',
    deployment('worker', '{app: shop}', '{app: shop}', 'other'),
  ],
  ['beside pods without the label', deployment('worker', '{tier: worker}', '{tier: worker, part-of: shop}')],
])('a selector %s stays', (_, ...others) => {
  const { web } = selectorsOf(WEB, ...others.filter((one) => one !== ''));
  expect(web).toEqual({ matchLabels: { app: 'shop' } });
});

test('a peer is selected by the same labels', () => {
  const client = WEB.replace(
    '{name: c, image: "c:1"}',
    '{name: c, image: "c:1", env: [{name: API_URL, value: "http://api"}]}',
  );
  const worker = deployment('worker', '{app: shop, tier: worker}', '{app: shop, tier: worker}');
  const api = deployment('api', '{app: api}', '{app: api}');
  const service = `apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80}]}
`;
  expect(readBuild([client, worker, api, service]).policies.api).toMatchObject({
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'shop', tier: 'web', version: 'v1' } } }] }],
  });
});

test('where own labels do not distinguish the pods, the excess is an error', () => {
  const bare = deployment('web', '{app: shop}', '{app: shop}');
  const worker = deployment('worker', '{app: shop, tier: worker}', '{app: shop, tier: worker}');
  const service = INGRESS.replace('{app: shop, tier: web}', '{app: shop}');
  // The Service selects both, so both are open; the policy of one must not open the other on another port.
  expect(readBuild([bare, worker, service]).connections).toEqual([
    'ingress-controller -> Deployment/web: TCP 8080',
    'ingress-controller -> Deployment/worker: TCP 8080',
    'Deployment/web -> dns: UDP 53, TCP 53',
    'Deployment/worker -> dns: UDP 53, TCP 53',
  ]);
  expect(checkBuild(withPolicies([bare, worker, service]))).toEqual([]);
  const client = bare.replace('image: "c:1"', 'image: "c:1", env: [{name: API_URL, value: "http://api"}]');
  const api = deployment('api', '{app: api}', '{app: api}');
  const ofApi = `apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80}]}
`;
  expect(checkBuild(withPolicies([client, worker, api, ofApi]))).toEqual([
    expect.stringMatching(
      /^error NetworkPolicy\/api allows traffic from Deployment\/worker to Deployment\/api on TCP 80/,
    ),
    expect.stringMatching(/^error NetworkPolicy\/web allows traffic from Deployment\/worker to /),
  ]);
});

test('of workloads that share each of their labels with more than 100 others, the labels of the pods select', () => {
  const bits = (i: number) =>
    Array.from({ length: 8 }, (_, bit) => `b${bit}: "${(i >> bit) & 1}"`).join(', ');
  const documents = Array.from({ length: 256 }, (_, i) =>
    deployment(`w${i}`, `{${bits(i)}}`, `{${bits(i)}, app: w${i}}`),
  );
  const { policies } = readBuild(documents);
  expect(policies.w5?.podSelector).toEqual({
    matchLabels: { b0: '1', b1: '0', b2: '1', b3: '0', b4: '0', b5: '0', b6: '0', b7: '0', app: 'w5' },
  });
  expect(Object.keys(policies)).toHaveLength(256);
});
