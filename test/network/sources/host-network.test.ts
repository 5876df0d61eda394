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
const FROM_NODES =
  'DaemonSet/agent connects to it from the addresses of its nodes (hostNetwork); add the range of the nodes to todo.example.com/accepts-from, such as 10.0.0.0/16:9000';
const OPEN = `error Deployment/api is not isolated for ingress: ${FROM_NODES}`;
const isolatedBy = (name: string, effect: string) =>
  `Deployment/api is isolated for ingress by NetworkPolicy/${name}, which ${effect} off what is not known: ${FROM_NODES}`;
/** A document of a workload, with an annotation. */
const annotated = (text: string, annotation: string) =>
  text.replace(/^metadata: \{(.*)\}$/m, `metadata: {$1, annotations: {todo.example.com/${annotation}}}`);

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

  test('the destination stays open for ingress; an error names the client', () => {
    expect(readBuild(build)).toEqual({
      connections: ['Deployment/api -> dns: UDP 53, TCP 53'],
      reports: [],
      policies: {
        api: {
          podSelector: { matchLabels: { app: 'api' } },
          policyTypes: ['Egress'],
          egress: [expect.anything()],
        },
      },
    });
    expect(checkBuild(withPolicies(build))).toEqual([OPEN, INFO('DaemonSet/agent')]);
  });

  test('the addresses of the nodes in accepts-from answer, and so does none', () => {
    const named = annotated(API, 'accepts-from: "10.0.0.0/16:9000"');
    expect(readBuild([AGENT, named, service('api')]).policies.api).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/16' } }], ports: [{ protocol: 'TCP', port: 9000 }] }],
    });
    for (const api of [named, annotated(API, 'accepts-from: none')])
      expect(checkBuild(withPolicies([AGENT, api, service('api')]))).toEqual([INFO('DaemonSet/agent')]);
  });

  test('a policy for egress does not isolate the destination', () => {
    const egress = policy('{podSelector: {}, policyTypes: [Egress]}');
    expect(checkBuild([...withPolicies(build), egress])).toEqual([OPEN, INFO('DaemonSet/agent')]);
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
    const warning = `warning ${isolatedBy('mine', 'may cut')}`;
    expect(found.filter((line) => line.includes('cut off'))).toEqual(isWarned ? [warning] : []);
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
      `error ${isolatedBy('api', 'cuts')}`,
      INFO('DaemonSet/agent'),
      expect.stringMatching(
        /^error NetworkPolicy\/agent allows traffic from pods with app=agent to Deployment\/api/,
      ),
      expect.stringMatching(
        /^error NetworkPolicy\/api allows traffic from pods with app=agent to Deployment\/api/,
      ),
    ]);
  });

  test('a client of two ports is named once; another client is named too', () => {
    const two = service('api').replace(
      '[{port: 80, targetPort: 9000}]',
      '[{name: a, port: 80, targetPort: 9000}, {name: b, port: 81, targetPort: 9001, protocol: UDP}]',
    );
    const agent = workload('DaemonSet', 'agent', ON_HOST, '[{name: API_HOST, value: api}]');
    const other = workload('DaemonSet', 'other', ON_HOST, CALLS_API);
    expect(checkBuild(withPolicies([agent, other, API, two]))).toEqual([
      'error Deployment/api is not isolated for ingress: DaemonSet/agent connects to it from the addresses of its nodes (hostNetwork), DaemonSet/other connects to it from the addresses of its nodes (hostNetwork); add the range of the nodes to todo.example.com/accepts-from, such as 10.0.0.0/16:9000',
      INFO('DaemonSet/agent'),
      INFO('DaemonSet/other'),
    ]);
  });
});

describe('a destination with hostNetwork', () => {
  const web = workload('Deployment', 'web', '', '[{name: AGENT_URL, value: "http://agent"}]');
  const agent = workload('DaemonSet', 'agent', ON_HOST);
  const build = [web, agent, service('agent')];
  const OPEN_CLIENT =
    'error Deployment/web is not isolated for egress: it connects to DaemonSet/agent at the addresses of its nodes (hostNetwork); add the range of the nodes to todo.example.com/connects-to, such as 10.0.0.0/16:9000';

  test('the client stays open for egress; an error names the destination', () => {
    const { connections, policies } = readBuild(build);
    expect(connections).toEqual(['Deployment/web -> dns: UDP 53, TCP 53']);
    expect(policies).toEqual({
      web: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] },
    });
    expect(checkBuild(withPolicies(build))).toEqual([OPEN_CLIENT, INFO('DaemonSet/agent')]);
  });

  test('the addresses of the nodes in connects-to answer, and so does none', () => {
    for (const entry of ['"10.0.0.0/16:9000"', 'none']) {
      const answered = [annotated(web, `connects-to: ${entry}`), agent, service('agent')];
      expect(checkBuild(withPolicies(answered))).toEqual([INFO('DaemonSet/agent')]);
    }
  });

  test('a generated rule for the internet does not allow nodes, a policy of your own does', () => {
    const online = annotated(web, 'internet-egress: "9000"');
    const open = withPolicies([online, agent, service('agent')]);
    expect(checkBuild(open)).toEqual([OPEN_CLIENT, INFO('DaemonSet/agent')]);
    const mine = policy(
      '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/16}}], ports: [{port: 9000}]}]}',
    );
    const found = checkBuild([...open, mine]);
    expect(found.filter((line) => /not isolated|cut off/.test(line))).toEqual([]);
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
