import { messageOf, printMessage } from '../../functions/guardrails/findings/print';
import { expandLists, resourceRef } from '../../functions/guardrails/krm/resource';
import { annotationNames } from '../../functions/guardrails/kubernetes/annotation-names';
import { checkPolicies } from '../../functions/guardrails/network/check-policies';
import { EXTERNAL_PEERS } from '../../functions/guardrails/network/external-peers';
import { type YamlObject, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';

const workload = (name: string, annotations = '') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop, annotations: {${annotations}}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - {name: app, image: "app:v1", ports: [{name: http, containerPort: 8080}]}
`;
const DENY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-dns, namespace: shop}
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
const policy = (spec: string, labels = '') => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: mine, namespace: shop, labels: {${labels}}}
spec: ${spec}
`;
const service = (type: string) => `apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: ${type}, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
`;

/** `severity message` of what is reported of resources other than workloads. */
function reported(...documents: string[]): string[] {
  const resources = documents
    .flatMap((text) => parseYaml(text, 'test'))
    .flatMap((node) => (node === null ? [] : expandLists(valueOf(node) as YamlObject)));
  return checkPolicies(resources, EXTERNAL_PEERS, annotationNames())
    .filter(({ at }) => resourceRef(at.resource).kind !== 'Deployment')
    .map(({ at, report }) => {
      const { problem, remedy, severity = 'error' } = report;
      const finding = { severity, problem, remedy, resource: resourceRef(at.resource), overlays: [] };
      return `${severity} ${printMessage(messageOf(finding), (text) => text)}`;
    });
}

const REMEDY = 'name the peers and the ports that are needed';

describe('a hand-written policy that opens everything is a warning with the pods that it opens', () => {
  test.each([
    [
      'no `from`',
      '{podSelector: {matchLabels: {app: web}}, ingress: [{}]}',
      'lets every source connect to Deployment/web',
    ],
    [
      'an empty `from`, on one port',
      '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [], ports: [{port: 8080}]}]}',
      'lets every source connect to Deployment/web',
    ],
    [
      'every namespace, for all pods',
      '{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}',
      'lets every pod of every namespace connect to Deployment/web, Deployment/api',
    ],
    [
      'every namespace and every pod, beside a narrow peer',
      '{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}, {namespaceSelector: {}, podSelector: {}}]}]}',
      'lets every pod of every namespace connect to Deployment/api',
    ],
    [
      'every pod of the namespace',
      '{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {}}]}]}',
      'lets every pod of its namespace connect to Deployment/api',
    ],
    [
      '0.0.0.0/0 in',
      '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}',
      'lets every address connect to Deployment/web',
    ],
    [
      '::/0 out',
      '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "::/0"}}], ports: [{port: 443}]}]}',
      'lets Deployment/web connect to every address',
    ],
    [
      'no `to`',
      '{podSelector: {}, policyTypes: [Egress], egress: [{}]}',
      'lets Deployment/web, Deployment/api connect to every destination',
    ],
    [
      'DNS, and another port',
      '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}, {port: 443}]}]}',
      'lets Deployment/web connect to every destination',
    ],
    [
      'a range of ports that starts at 53',
      '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: 53, endPort: 60000}]}]}',
      'lets Deployment/web connect to every destination',
    ],
  ])('%s', (_, spec, problem) => {
    expect(reported(workload('web'), workload('api'), DENY, policy(spec))).toEqual([
      `warning NetworkPolicy/mine ${problem}; ${REMEDY}`,
    ]);
  });

  test('with four workloads, three are named', () => {
    const workloads = ['a', 'b', 'c', 'd'].map((name) => workload(name));
    expect(reported(...workloads, DENY, policy('{podSelector: {}, ingress: [{}]}'))).toEqual([
      `warning NetworkPolicy/mine lets every source connect to Deployment/a, Deployment/b, Deployment/c and 1 more; ${REMEDY}`,
    ]);
  });
});

describe('no warning', () => {
  const isWarning = (line: string) => line.startsWith('warning NetworkPolicy/mine');

  test.each([
    [
      'named pods',
      '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: api}}}]}]}',
    ],
    [
      'the pods of one namespace',
      '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: store}}}]}]}',
    ],
    [
      'some pods of every namespace',
      '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: prometheus}}}]}]}',
    ],
    [
      'DNS to every namespace',
      '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}, {port: 53}]}]}',
    ],
    [
      'the internet, without private ranges',
      '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}',
    ],
    [
      'a narrow range',
      '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}',
    ],
    ['pods that are not in the build', '{podSelector: {matchLabels: {app: other}}, ingress: [{}]}'],
    [
      'a rule without effect',
      '{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], egress: [{}]}',
    ],
    ['nothing', '{podSelector: {matchLabels: {app: web}}, ingress: []}'],
  ])('%s', (_, spec) => {
    expect(reported(workload('web'), workload('api'), DENY, policy(spec)).filter(isWarning)).toEqual([]);
  });

  test.each(['LoadBalancer', 'NodePort'])('everyone may use the port of a %s', (type) => {
    const open = policy('{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]}');
    const byName = policy('{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: http}]}]}');
    expect(reported(workload('web'), service(type), DENY, open).filter(isWarning)).toEqual([]);
    expect(reported(workload('web'), service(type), DENY, byName).filter(isWarning)).toEqual([]);
    const wider = policy(
      '{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}, {port: 9090}]}]}',
    );
    expect(reported(workload('web'), service(type), DENY, wider).filter(isWarning)).toHaveLength(1);
    expect(reported(workload('web'), service('ClusterIP'), DENY, open).filter(isWarning)).toHaveLength(1);
  });

  test('a generated policy that is too wide is an error, as before', () => {
    const label = 'todo.example.com/generated-by: guardrails';
    const wide = policy('{podSelector: {matchLabels: {app: web}}, ingress: [{}]}', label);
    expect(reported(workload('web'), DENY, wide)).toEqual([
      expect.stringMatching(
        /^error NetworkPolicy\/mine allows traffic from any source to Deployment\/web on TCP 1,/,
      ),
    ]);
  });
});

describe('policies of other APIs', () => {
  test.each([
    ['policy.networking.k8s.io/v1alpha1', 'AdminNetworkPolicy'],
    ['policy.networking.k8s.io/v1alpha1', 'BaselineAdminNetworkPolicy'],
    ['policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy'],
    ['crd.projectcalico.org/v1', 'GlobalNetworkPolicy'],
    ['projectcalico.org/v3', 'NetworkPolicy'],
    ['cilium.io/v2', 'CiliumNetworkPolicy'],
    ['cilium.io/v2', 'CiliumClusterwideNetworkPolicy'],
  ])('%s %s: not understood, once', (apiVersion, kind) => {
    const other = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: mine}\nspec: {}\n`;
    expect(reported(workload('web'), DENY, other)).toEqual([
      `info ${kind}/mine is not understood: it may open what is reported as closed, and close what is reported as open; check the traffic that it decides about yourself`,
    ]);
  });

  test.each([
    ['cilium.io/v2', 'CiliumEndpoint'],
    ['example.com/v1', 'NetworkPolicy'],
  ])('%s %s: no finding', (apiVersion, kind) => {
    const other = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: mine}\nspec: {}\n`;
    expect(reported(workload('web'), DENY, other)).toEqual([]);
  });
});
