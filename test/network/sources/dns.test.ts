import { readConfig } from '../../../functions/guardrails/config/read-config';
import { EXTERNAL_PEERS, type ExternalPeers } from '../../../functions/guardrails/network/external-peers';
import { parseYaml, valueOf } from '../../../functions/guardrails/yaml/yaml';
import { checkBuild, readBuild, withPolicies } from '../../support/network-build';

const client = (pod = '') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      ${pod}
      containers:
      - {name: web, image: "web:1", env: [{name: API_URL, value: "http://api"}]}
`;
const API = `apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "api:1", ports: [{containerPort: 9000}]}]
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 9000}]}
`;
const TO_API = 'Deployment/web -> Deployment/api: TCP 9000';
const DNS_OF_API = 'Deployment/api -> dns: UDP 53, TCP 53';

function configured(spec: string) {
  const text = `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata: {name: g}\nspec: ${spec}\n`;
  const [document = null] = parseYaml(text, 'test');
  return readConfig(document === null ? null : valueOf(document));
}

describe('ports of the DNS servers', () => {
  const openShift = (ports: readonly number[]): ExternalPeers => ({
    ...EXTERNAL_PEERS,
    dns: {
      namespace: 'openshift-dns',
      podLabels: { 'dns.operator.openshift.io/daemonset-dns': 'default' },
      addresses: [],
      ports,
    },
  });

  test.each<[readonly number[], string]>([
    [[53], 'UDP 53, TCP 53'],
    [[5353], 'UDP 5353, TCP 5353'],
    [[53, 5353], 'UDP 53, TCP 53, UDP 5353, TCP 5353'],
  ])('%j', (ports, text) => {
    const build = [client(), API];
    const peers = openShift(ports);
    expect(readBuild(build, peers).connections).toEqual([
      TO_API,
      `Deployment/web -> dns: ${text}`,
      `Deployment/api -> dns: ${text}`,
    ]);
    expect(checkBuild(withPolicies(build, peers), peers)).toEqual([]);
  });

  test('a policy names the pods and the ports', () => {
    expect(readBuild([client(), API], openShift([5353])).policies.web).toMatchObject({
      egress: [
        {},
        {
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'openshift-dns' } },
              podSelector: {
                matchExpressions: [
                  { key: 'dns.operator.openshift.io/daemonset-dns', operator: 'In', values: ['default'] },
                ],
              },
            },
          ],
          ports: [
            { protocol: 'UDP', port: 5353 },
            { protocol: 'TCP', port: 5353 },
          ],
        },
      ],
    });
  });

  test('what is generated for port 53 blocks 5353', () => {
    const build = withPolicies([client(), API], openShift([53]));
    expect(checkBuild(build, openShift([5353]))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^error NetworkPolicy\/web blocks required egress traffic from Deployment\/web to DNS on UDP port 5353/,
        ),
      ]),
    );
  });

  // A rule for port 53 does not answer for 5353, which only the DNS pods of OpenShift have.
  test.each([
    ['5353 without a peer', 5353, []],
    ['another port without a peer', 5354, [expect.stringMatching(/^warning NetworkPolicy\/mine lets /)]],
  ])('a hand-written policy for %s', (_, port, findings) => {
    const mine = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: mine}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: ${port}}]}]}
`;
    const peers = openShift([5353]);
    const warnings = checkBuild([...withPolicies([client(), API], peers), mine], peers);
    expect(warnings.filter((line) => line.startsWith('warning'))).toEqual(findings);
  });

  test('an environment has ports of its own', () => {
    const config = configured(
      '{network: {dns: {ports: [53, 5353]}}, environments: {overlays/dev: {network: {dns: {ports: [1053]}}}, overlays/prod: {}}}',
    );
    expect(config.network.dns.ports).toEqual([53, 5353]);
    expect(config.environments.get('overlays/dev')?.network.dns).toEqual({
      ...EXTERNAL_PEERS.dns,
      ports: [1053],
    });
    expect(config.environments.get('overlays/prod')?.network.dns.ports).toEqual([53, 5353]);
  });

  test.each([
    [
      'openshift-dns without ports',
      '{network: {dns: {namespace: openshift-dns}}}',
      [
        'functionConfig: spec.network.dns names openshift-dns, whose pods listen on port 5353; set ports: [5353] there',
      ],
    ],
    [
      'openshift-dns in an environment',
      '{environments: {overlays/ocp: {network: {dns: {namespace: openshift-dns, ports: [53]}}}}}',
      [
        'functionConfig: spec.environments.overlays/ocp.network.dns names openshift-dns, whose pods listen on port 5353; set ports: [5353] there',
      ],
    ],
    ['openshift-dns with its port', '{network: {dns: {namespace: openshift-dns, ports: [5353]}}}', []],
    ['another namespace', '{network: {dns: {namespace: dns}}}', []],
    [
      'an environment that inherits the port',
      '{network: {dns: {ports: [5353]}}, environments: {a: {network: {dns: {namespace: openshift-dns}}}}}',
      [],
    ],
  ])('a warning for %s', (_, spec, warnings) => {
    expect(configured(spec).warnings.map(({ raw }) => raw)).toEqual(warnings);
  });
});

describe('nameservers of a pod', () => {
  test.each<[string, string, string[]]>([
    ['IPv4', 'dnsConfig: {nameservers: [10.0.0.53]}', ['Deployment/web -> 10.0.0.53/32: UDP 53, TCP 53']],
    [
      'IPv4 and IPv6',
      'dnsConfig: {nameservers: [10.0.0.53, "FD00:0::53"]}',
      ['Deployment/web -> 10.0.0.53/32, fd00::53/128: UDP 53, TCP 53'],
    ],
    [
      'a resolver in the pod needs no rule',
      'dnsConfig: {nameservers: [127.0.0.1, "::1", 192.0.2.1]}',
      ['Deployment/web -> 192.0.2.1/32: UDP 53, TCP 53'],
    ],
    ['a resolver in the pod alone', 'dnsConfig: {nameservers: [127.0.0.53]}', []],
  ])('dnsPolicy None: %s, in place of the DNS servers of the cluster', (_, dnsConfig, connections) => {
    const build = [client(`dnsPolicy: None\n      ${dnsConfig}`), API];
    expect(readBuild(build)).toMatchObject({
      connections: [TO_API, ...connections, DNS_OF_API],
      reports: [],
    });
    expect(checkBuild(withPolicies(build))).toEqual([]);
  });

  test('their ports are not those of the DNS pods', () => {
    const peers = { ...EXTERNAL_PEERS, dns: { ...EXTERNAL_PEERS.dns, ports: [5353] } };
    const build = [client('dnsPolicy: None\n      dnsConfig: {nameservers: [10.0.0.53]}'), API];
    expect(readBuild(build, peers).policies.web).toMatchObject({
      egress: [
        { to: [{ podSelector: { matchLabels: { app: 'api' } } }] },
        {
          to: [{ ipBlock: { cidr: '10.0.0.53/32' } }],
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
        },
      ],
    });
  });

  test('a policy for the DNS servers of the cluster blocks them, and allows more than is required', () => {
    const build = [client('dnsPolicy: None\n      dnsConfig: {nameservers: [10.0.0.53]}'), API];
    const [, , ...policies] = withPolicies([client(), API]);
    expect(checkBuild([...build, ...policies])).toEqual([
      expect.stringMatching(
        /^error NetworkPolicy\/web blocks required egress traffic from Deployment\/web to its nameserver \(10\.0\.0\.53\) on UDP port 53/,
      ),
      expect.stringMatching(
        /^error NetworkPolicy\/web blocks required egress traffic from Deployment\/web to its nameserver \(10\.0\.0\.53\) on TCP port 53/,
      ),
      expect.stringMatching(
        /^error NetworkPolicy\/web allows traffic from Deployment\/web to pods with k8s-app=kube-dns/,
      ),
    ]);
  });

  test('a range around a nameserver is an excess', () => {
    const build = [client('dnsPolicy: None\n      dnsConfig: {nameservers: [10.0.0.53]}'), API];
    const [web, api, ...policies] = withPolicies(build);
    const wider = policies.map((one) => one.replace('10.0.0.53/32', '10.0.0.52/31'));
    expect(checkBuild([web ?? '', api ?? '', ...wider])).toEqual([
      expect.stringMatching(
        /^error NetworkPolicy\/web allows traffic from Deployment\/web to 10\.0\.0\.52 on UDP 53/,
      ),
    ]);
  });

  test.each([
    ['none', ''],
    ['an empty list', 'dnsConfig: {nameservers: []}'],
    ['a name', 'dnsConfig: {nameservers: [dns.example.com]}'],
    ['an address with a port', 'dnsConfig: {nameservers: ["10.0.0.53:5353"]}'],
  ])('dnsPolicy None with %s is refused', (_, dnsConfig) => {
    expect(readBuild([client(`dnsPolicy: None\n      ${dnsConfig}`), API])).toMatchObject({
      connections: [TO_API, DNS_OF_API],
      reports: ['error: has dnsPolicy None without valid nameservers, which the API server refuses'],
    });
  });

  test.each(['ClusterFirst', 'ClusterFirstWithHostNet'])(
    'dnsPolicy %s asks the cluster first',
    (dnsPolicy) => {
      const pod = `dnsPolicy: ${dnsPolicy}\n      dnsConfig: {nameservers: [10.0.0.53]}`;
      expect(readBuild([client(pod), API])).toMatchObject({
        connections: [TO_API, 'Deployment/web -> dns: UDP 53, TCP 53', DNS_OF_API],
        reports: [],
      });
    },
  );

  const ON_NODE =
    'info: has dnsPolicy Default, and the addresses of the DNS servers of its nodes are not known';

  test('dnsPolicy Default: the resolver of the node is not known', () => {
    expect(readBuild([client('dnsPolicy: Default'), API])).toMatchObject({
      connections: [TO_API, 'Deployment/web -> dns: UDP 53, TCP 53', DNS_OF_API],
      reports: [ON_NODE],
    });
  });

  test('a workload that connects to nothing resolves names too', () => {
    const pod = 'dnsPolicy: None\n      dnsConfig: {nameservers: [10.0.0.53]}';
    const quiet = client(pod).replace('http://api', 'on');
    expect(readBuild([quiet, API])).toMatchObject({
      connections: ['Deployment/web -> 10.0.0.53/32: UDP 53, TCP 53', DNS_OF_API],
      reports: [],
    });
    const onNode = client('dnsPolicy: Default').replace('http://api', 'on');
    expect(readBuild([onNode, API])).toMatchObject({
      connections: ['Deployment/web -> dns: UDP 53, TCP 53', DNS_OF_API],
      reports: [ON_NODE],
    });
  });
});
