import { annotationNames } from '../../../functions/guardrails/kubernetes/annotation-names';
import { readConnectionMap } from '../../../functions/guardrails/network/connection-map';
import { EXTERNAL_PEERS } from '../../../functions/guardrails/network/external-peers';
import { checkBuild, readBuild, resourcesIn, withPolicies } from '../../support/network-build';

const workload = (
  kind: string,
  name: string,
  pod = '',
  env = '[]',
  labels = `{app: ${name}}`,
) => `apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}}
spec:
  selector: {matchLabels: ${labels}}
  template:
    metadata: {labels: ${labels}}
    spec: {${pod === '' ? '' : `${pod}, `}containers: [{name: c, image: "c:1", env: ${env}}]}
`;
const ON_HOST = 'hostNetwork: true';
const CALLS_API = '[{name: API_URL, value: "http://api"}]';
const AGENT = workload('DaemonSet', 'agent', ON_HOST, CALLS_API);
const API = workload('Deployment', 'api');
const service = (name: string) => `apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: ${name}}, ports: [{port: 80, targetPort: 9000}]}
`;
const policy = (spec: string) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: mine}
spec: ${spec}
`;
const INFO = (name: string) =>
  `info ${name} has pods with hostNetwork, to which NetworkPolicies do not apply; remove hostNetwork, or restrict the traffic at the nodes`;
const INGRESS_WARNING =
  'warning DaemonSet/agent connects to Deployment/api from the addresses of its nodes (hostNetwork) on TCP 9000, which cannot be allowed by labels: DaemonSet/agent env API_URL requires it; allow the addresses of the nodes by a NetworkPolicy of your own';

test('a pod with hostNetwork alone: no policy, and one info', () => {
  const build = [workload('Deployment', 'shop', ON_HOST)];
  expect(readBuild(build)).toEqual({ connections: [], reports: [], policies: {} });
  expect(checkBuild(withPolicies(build))).toEqual([INFO('Deployment/shop')]);
});

test('without labels, too', () => {
  const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {hostNetwork: true, containers: [{name: c, env: ${CALLS_API}}]}\n`;
  expect(checkBuild([pod, API, service('api')]).filter((line) => !line.includes('Deployment/api'))).toEqual([
    INFO('Pod/p'),
  ]);
});

test('hostNetwork: false is isolated like others', () => {
  const build = [workload('Deployment', 'shop', 'hostNetwork: false')];
  expect(Object.keys(readBuild(build).policies)).toEqual(['shop']);
  expect(checkBuild(build)).toEqual([
    expect.stringMatching(/^error Deployment\/shop has pods that no NetworkPolicy isolates/),
  ]);
});

describe('a client with hostNetwork', () => {
  const build = [AGENT, API, service('api')];

  test('the destination is isolated, without a rule for it; a warning names the client', () => {
    expect(readBuild(build)).toEqual({
      connections: [],
      reports: [],
      policies: {
        api: { podSelector: { matchLabels: { app: 'api' } }, policyTypes: ['Ingress', 'Egress'] },
      },
    });
    expect(checkBuild(withPolicies(build))).toEqual([INFO('DaemonSet/agent'), INGRESS_WARNING]);
  });

  test('no warning where nothing isolates the destination', () => {
    expect(checkBuild(build).filter((line) => line.startsWith('warning'))).toEqual([]);
    const egress = policy('{podSelector: {}, policyTypes: [Egress]}');
    expect(checkBuild([...build, egress]).filter((line) => line.startsWith('warning'))).toEqual([]);
  });

  test.each([
    ['addresses, on the port', '{from: [{ipBlock: {cidr: 10.0.0.0/16}}], ports: [{port: 9000}]}', false],
    ['addresses, on every port', '{from: [{ipBlock: {cidr: 192.0.2.0/28}}]}', false],
    ['every source, on the port', '{ports: [{port: 9000}]}', false],
    ['addresses, on another port', '{from: [{ipBlock: {cidr: 10.0.0.0/16}}], ports: [{port: 80}]}', true],
    [
      'the labels of the client',
      '{from: [{podSelector: {matchLabels: {app: agent}}}], ports: [{port: 9000}]}',
      true,
    ],
  ])('a policy of your own allows %s', (_, rule, isWarned) => {
    const mine = policy(`{podSelector: {matchLabels: {app: api}}, ingress: [${rule}]}`);
    const found = checkBuild([...withPolicies(build), mine]);
    expect(found.includes(INGRESS_WARNING)).toBe(isWarned);
    expect(found.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  test('a generated policy that has its labels as a peer is an excess', () => {
    const [agent, api, ofApi, ...policies] = withPolicies([
      workload('DaemonSet', 'agent', '', CALLS_API),
      API,
      service('api'),
    ]);
    expect([agent, api, ofApi]).toHaveLength(3);
    expect(checkBuild([...build, ...policies])).toEqual([
      INFO('DaemonSet/agent'),
      INGRESS_WARNING,
      expect.stringMatching(
        /^error NetworkPolicy\/agent allows traffic from pods with app=agent to Deployment\/api/,
      ),
      expect.stringMatching(
        /^error NetworkPolicy\/api allows traffic from pods with app=agent to Deployment\/api/,
      ),
    ]);
  });

  test('a client of two ports is warned once; another client is warned too', () => {
    const two = service('api').replace(
      '[{port: 80, targetPort: 9000}]',
      '[{name: a, port: 80, targetPort: 9000}, {name: b, port: 81, targetPort: 9001, protocol: UDP}]',
    );
    const agent = workload('DaemonSet', 'agent', ON_HOST, '[{name: API_HOST, value: api}]');
    const other = workload('DaemonSet', 'other', ON_HOST, CALLS_API);
    const found = checkBuild(withPolicies([agent, other, API, two]));
    expect(found.filter((line) => line.startsWith('warning')).map((line) => line.split(',')[0])).toEqual([
      'warning DaemonSet/agent connects to Deployment/api from the addresses of its nodes (hostNetwork) on TCP 9000',
      'warning DaemonSet/other connects to Deployment/api from the addresses of its nodes (hostNetwork) on TCP 9000',
    ]);
  });
});

describe('a destination with hostNetwork', () => {
  const web = workload('Deployment', 'web', '', '[{name: AGENT_URL, value: "http://agent"}]');
  const agent = workload('DaemonSet', 'agent', ON_HOST);
  const build = [web, agent, service('agent')];
  const WARNING =
    'warning Deployment/web connects to DaemonSet/agent at the addresses of its nodes (hostNetwork) on TCP 9000, which cannot be allowed by labels: Deployment/web env AGENT_URL requires it; allow the addresses of the nodes by a NetworkPolicy of your own';

  test('the client is isolated but for DNS; a warning says so', () => {
    expect(readBuild(build).connections).toEqual(['Deployment/web -> dns: UDP 53, TCP 53']);
    expect(checkBuild(withPolicies(build))).toEqual([INFO('DaemonSet/agent'), WARNING]);
  });

  test('a generated rule for the internet does not allow nodes, a policy of your own does', () => {
    const annotated = web.replace(
      '{name: web}',
      '{name: web, annotations: {todo.example.com/internet-egress: "9000"}}',
    );
    const open = withPolicies([annotated, agent, service('agent')]);
    expect(checkBuild(open)).toEqual([INFO('DaemonSet/agent'), WARNING]);
    const mine = policy(
      '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/16}}], ports: [{port: 9000}]}]}',
    );
    expect(checkBuild([...open, mine]).filter((line) => line.startsWith('warning'))).toEqual([]);
  });

  test('from an Ingress: nothing to allow, nothing to report', () => {
    const ingress = `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {defaultBackend: {service: {name: agent, port: {number: 80}}}}\n`;
    const routed = [agent, service('agent'), ingress];
    expect(readBuild(routed)).toEqual({ connections: [], reports: [], policies: {} });
    expect(checkBuild(withPolicies(routed))).toEqual([INFO('DaemonSet/agent')]);
  });

  test('a hostPort or a NodePort is open, because no policy applies', () => {
    const deny = policy('{podSelector: {}, policyTypes: [Ingress, Egress]}');
    const exposed = service('agent').replace('spec: {', 'spec: {type: NodePort, ');
    const ports = agent.replace(
      'image: "c:1"',
      'image: "c:1", ports: [{containerPort: 9000, hostPort: 9000}]',
    );
    expect(checkBuild([ports, exposed, deny])).toEqual([INFO('DaemonSet/agent')]);
  });

  test('a hand-written policy that opens everything does not open them', () => {
    const open = policy('{podSelector: {}, ingress: [{}]}');
    expect(checkBuild([agent, open]).filter((line) => line.startsWith('warning'))).toEqual([]);
  });
});

test('two workloads with hostNetwork connect by the addresses of nodes alone', () => {
  const api = workload('Deployment', 'api', ON_HOST);
  const build = [AGENT, api, service('api')];
  expect(readBuild(build)).toEqual({ connections: [], reports: [], policies: {} });
  const deny = policy('{podSelector: {}, policyTypes: [Ingress, Egress]}');
  expect(checkBuild([...build, deny])).toEqual([INFO('DaemonSet/agent'), INFO('Deployment/api')]);
});

describe('the diagram', () => {
  const allowed = (documents: readonly string[]) =>
    readConnectionMap(resourcesIn(documents), EXTERNAL_PEERS, annotationNames()).connections.map(
      ({ from, to }) => `${from.name} -> ${to.name}`,
    );

  test('shows that policies neither open nor close a pod with hostNetwork', () => {
    const mine = policy(
      '{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: agent}}}]}]}',
    );
    const lines = allowed([...withPolicies([AGENT, API, service('api')]), mine]);
    expect(lines).toContain('agent (hostNetwork) -> internet');
    expect(lines).toContain('ingress controller -> agent (hostNetwork)');
    expect(lines).not.toContain('agent (hostNetwork) -> api');
    expect(lines).not.toContain('api -> agent (hostNetwork)');
    // The policy lets other pods with these labels in.
    expect(lines).toContain('pods with app=agent -> api');
  });

  test('a pod of its own network with the same labels has its policies', () => {
    const lines = allowed(withPolicies([workload('DaemonSet', 'agent', '', CALLS_API), API, service('api')]));
    expect(lines).toContain('agent -> api');
    expect(lines).not.toContain('agent -> internet');
  });
});
