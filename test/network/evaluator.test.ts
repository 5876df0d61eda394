import { type YamlObject, type YamlValue, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';
import { formatPath } from '../../functions/guardrails/yaml/field-path';
import { IpAddress } from '../../functions/guardrails/network/ip-range';
import { PolicySet, allows, isolates } from '../../functions/guardrails/network/policy-set';
import {
  type Endpoint,
  type PodEndpoint,
  type Traffic,
  namespaceLabels,
} from '../../functions/guardrails/network/traffic';
import {
  type Policy,
  type Protocol,
  type ReadPolicy,
  readPolicy,
} from '../../functions/guardrails/network/policy';

const SHOP = { namespace: 'shop', namespaceLabels: namespaceLabels('shop', { team: 'store', env: 'prod' }) };
const LAB = { namespace: 'lab', namespaceLabels: namespaceLabels('lab', { team: 'research' }) };

const PODS: Readonly<Record<string, PodEndpoint>> = {
  frontend: {
    ...SHOP,
    labels: { app: 'frontend', tier: 'web' },
    ports: [{ name: 'http', port: 3000, protocol: 'TCP' }],
    ip: new IpAddress('10.1.0.1'),
  },
  backend: {
    ...SHOP,
    labels: { app: 'backend', tier: 'api', 'example.com/zone': '' },
    ports: [
      { name: 'http', port: 8000, protocol: 'TCP' },
      { name: 'names', port: 53, protocol: 'UDP' },
      { name: undefined, port: 9000, protocol: 'TCP' },
    ],
    ip: new IpAddress('10.1.0.2'),
  },
  db: { ...SHOP, labels: { app: 'db' }, ports: [], ip: new IpAddress('fd00::3') },
  bench: {
    ...LAB,
    labels: { app: 'frontend', tier: 'web' },
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    ip: new IpAddress('10.2.0.1'),
  },
  newcomer: { ...LAB, labels: {}, ports: [] }, // has no address yet
};

/**
 * What a sentence of the API's documentation says, in other words; the specs of policies in the namespace shop; and the
 * traffic that they allow and deny: `from > to port[/protocol]`, where either end is a pod of PODS or an address.
 */
type Case = readonly [
  says: string,
  specs: string | readonly string[],
  traffic: { readonly allowed?: readonly string[]; readonly denied?: readonly string[] },
];

// k8s.io/api networking/v1 types.go, NetworkPolicySpec
const SPEC: readonly Case[] = [
  [
    'podSelector selects the pods that the policy applies to',
    'podSelector: {matchLabels: {app: backend}}',
    { denied: ['frontend > backend 8000', '203.0.113.7 > backend 8000'], allowed: ['frontend > db 5432'] },
  ],
  [
    'the rules apply to any pod that podSelector selects',
    '{podSelector: {matchExpressions: [{key: app, operator: In, values: [backend, db]}]}, ingress: [{ports: [{port: 1}]}]}',
    {
      allowed: ['frontend > backend 1', 'frontend > db 1', 'backend > frontend 2'],
      denied: ['frontend > backend 2', 'frontend > db 2'],
    },
  ],
  [
    "an empty podSelector matches all pods in the policy's namespace",
    'podSelector: {}',
    {
      denied: ['bench > frontend 3000', 'bench > backend 8000', 'bench > db 5432', 'frontend > backend 8000'],
      allowed: ['frontend > bench 80', 'newcomer > bench 80'],
    },
  ],
  [
    'a podSelector that is not specified is an empty one',
    'policyTypes: [Ingress]',
    { denied: ['bench > frontend 3000', 'bench > db 5432'], allowed: ['frontend > bench 80'] },
  ],
  [
    'a podSelector of null is not specified',
    '{podSelector: null, policyTypes: [Ingress]}',
    { denied: ['bench > frontend 3000', 'bench > db 5432'], allowed: ['frontend > bench 80'] },
  ],
  [
    'a spec that is not specified has an empty podSelector and affects ingress',
    'null',
    { denied: ['bench > frontend 3000', 'bench > db 5432'], allowed: ['frontend > bench 80'] },
  ],
  [
    'several policies can select the same pods: their ingress rules add up',
    [
      '{podSelector: {matchLabels: {app: backend}}, ingress: [{from: [{podSelector: {matchLabels: {app: frontend}}}]}]}',
      '{podSelector: {matchLabels: {tier: api}}, ingress: [{ports: [{port: 9000}]}]}',
    ],
    {
      allowed: ['frontend > backend 8000', 'db > backend 9000', 'frontend > backend 9000'],
      denied: ['db > backend 8000', 'bench > backend 8000'],
    },
  ],
  [
    'several policies can select the same pods: their egress rules add up',
    [
      '{podSelector: {matchLabels: {app: frontend}}, policyTypes: [Egress]}',
      '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: backend}}}]}]}',
      '{podSelector: {matchLabels: {tier: web}}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}',
    ],
    {
      allowed: [
        'frontend > backend 8000',
        'frontend > db 443',
        'frontend > 203.0.113.7 443',
        'db > backend 1',
      ],
      denied: ['frontend > db 5432', 'frontend > 203.0.113.7 80', 'db > 203.0.113.7 443'],
    },
  ],
  [
    'ingress: a pod that no policy selects lets everything in',
    'podSelector: {matchLabels: {app: nobody}}',
    { allowed: ['bench > backend 8000', '203.0.113.7 > backend 8000', '2001:db8::7 > db 1/SCTP'] },
  ],
  [
    'ingress: no policy at all',
    [],
    { allowed: ['bench > backend 8000', '203.0.113.7 > backend 8000', 'frontend > 203.0.113.7 443'] },
  ],
  [
    'ingress: one rule that matches, of whichever policy, is enough',
    [
      '{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: nobody}}}]}, {ports: [{port: 8000}]}]}',
      'podSelector: {}',
    ],
    { allowed: ['bench > backend 8000'], denied: ['bench > backend 8001'] },
  ],
  [
    "ingress: a pod's own node may always connect; nodes are not known here, so its address is one like any other",
    'podSelector: {}',
    { denied: ['10.1.0.254 > backend 8000'] },
  ],
  [
    'ingress: without rules nothing is allowed',
    '{podSelector: {}, policyTypes: [Ingress]}',
    { denied: ['frontend > backend 8000', '203.0.113.7 > backend 8000', '2001:db8::7 > db 5432'] },
  ],
  [
    'ingress: an empty list allows nothing',
    '{podSelector: {}, ingress: []}',
    { denied: ['frontend > backend 8000', '203.0.113.7 > backend 8000'] },
  ],
  [
    'ingress: null allows nothing',
    '{podSelector: {}, ingress: null}',
    { denied: ['frontend > backend 8000', '203.0.113.7 > backend 8000'] },
  ],
  [
    'egress: what leaves a pod that no policy selects is allowed',
    '{podSelector: {matchLabels: {app: nobody}}, policyTypes: [Egress]}',
    { allowed: ['backend > bench 80', 'backend > 203.0.113.7 443'] },
  ],
  [
    'egress: one rule that matches, of whichever policy, is enough',
    [
      '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: nobody}}}]}, {ports: [{port: 80}]}]}',
      '{podSelector: {}, policyTypes: [Egress]}',
    ],
    { allowed: ['backend > bench 80'], denied: ['backend > bench 81'] },
  ],
  [
    'egress: without rules nothing may leave',
    '{podSelector: {}, policyTypes: [Egress]}',
    { denied: ['backend > bench 80', 'backend > 203.0.113.7 443', 'db > 2001:db8::7 443'] },
  ],
  [
    'egress: an empty list lets nothing leave',
    '{podSelector: {}, policyTypes: [Egress], egress: []}',
    { denied: ['backend > bench 80', 'backend > 203.0.113.7 443'] },
  ],
  [
    'egress: null lets nothing leave',
    '{podSelector: {}, policyTypes: [Egress], egress: null}',
    { denied: ['backend > bench 80', 'backend > 203.0.113.7 443'] },
  ],
  [
    'policyTypes [Ingress] relates to what comes in alone',
    '{podSelector: {}, policyTypes: [Ingress]}',
    { denied: ['bench > backend 8000'], allowed: ['backend > bench 80', 'backend > 203.0.113.7 443'] },
  ],
  [
    'policyTypes [Egress] relates to what goes out alone',
    '{podSelector: {}, policyTypes: [Egress]}',
    { denied: ['backend > bench 80'], allowed: ['bench > backend 8000', '203.0.113.7 > backend 8000'] },
  ],
  [
    'policyTypes [Ingress, Egress] relates to both',
    '{podSelector: {}, policyTypes: [Ingress, Egress]}',
    { denied: ['bench > backend 8000', 'backend > bench 80'], allowed: ['bench > newcomer 1'] },
  ],
  [
    'policyTypes [Ingress]: egress rules do not hold',
    '{podSelector: {}, policyTypes: [Ingress], egress: [{ports: [{port: 443}]}]}',
    { allowed: ['backend > bench 80'], denied: ['bench > backend 443'] },
  ],
  [
    'policyTypes [Egress]: ingress rules do not hold',
    '{podSelector: {}, policyTypes: [Egress], ingress: [{ports: [{port: 443}]}]}',
    { allowed: ['bench > backend 8000'], denied: ['backend > bench 443'] },
  ],
  [
    'policyTypes not specified: a policy with egress rules affects both',
    '{podSelector: {}, egress: [{ports: [{port: 443}]}]}',
    {
      allowed: ['backend > bench 443'],
      denied: ['backend > bench 80', 'bench > backend 8000', 'bench > backend 443'],
    },
  ],
  [
    'policyTypes not specified: a policy with ingress rules affects ingress alone',
    '{podSelector: {}, ingress: [{ports: [{port: 8000}]}]}',
    { allowed: ['bench > backend 8000', 'backend > bench 80'], denied: ['bench > backend 443'] },
  ],
  [
    'policyTypes not specified: a policy without either section affects ingress',
    'podSelector: {}',
    { denied: ['bench > backend 8000'], allowed: ['backend > bench 80'] },
  ],
  [
    'policyTypes not specified: an empty list of egress rules does not count as an egress section (defaults.go)',
    '{podSelector: {}, egress: []}',
    { denied: ['bench > backend 8000'], allowed: ['backend > bench 80'] },
  ],
  [
    'policyTypes not specified: one empty egress rule is an egress section',
    '{podSelector: {}, egress: [{}]}',
    { denied: ['bench > backend 8000'], allowed: ['backend > bench 80', 'backend > 203.0.113.7 443'] },
  ],
  [
    'an empty list of policyTypes is not specified (defaults.go)',
    '{podSelector: {}, policyTypes: [], egress: [{ports: [{port: 443}]}]}',
    { denied: ['bench > backend 8000', 'backend > bench 80'], allowed: ['backend > bench 443'] },
  ],
  [
    'policyTypes of null are not specified',
    '{podSelector: {}, policyTypes: null}',
    { denied: ['bench > backend 8000'], allowed: ['backend > bench 80'] },
  ],
  [
    'a policy for egress alone names policyTypes [Egress]',
    '{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}',
    { allowed: ['bench > backend 8000', 'backend > bench 443'], denied: ['backend > bench 80'] },
  ],
  [
    'a policy that allows no egress has to name it in policyTypes',
    '{podSelector: {}, policyTypes: [Egress, Ingress]}',
    { denied: ['backend > bench 80', 'bench > backend 8000'] },
  ],
  [
    'isolation is of a direction: a pod that may not be reached may connect',
    [
      '{podSelector: {matchLabels: {app: backend}}, policyTypes: [Ingress]}',
      '{podSelector: {matchLabels: {app: db}}, policyTypes: [Egress]}',
    ],
    {
      allowed: ['backend > db 5432', 'backend > bench 80', 'bench > db 5432'],
      denied: ['db > frontend 3000', 'bench > backend 8000'],
    },
  ],
  [
    'both ends have to allow a connection: only the source does',
    [
      '{podSelector: {matchLabels: {app: frontend}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: backend}}}]}]}',
      '{podSelector: {matchLabels: {app: backend}}, policyTypes: [Ingress]}',
    ],
    { denied: ['frontend > backend 8000'] },
  ],
  [
    'both ends have to allow a connection: only the destination does',
    [
      '{podSelector: {matchLabels: {app: frontend}}, policyTypes: [Egress]}',
      '{podSelector: {matchLabels: {app: backend}}, ingress: [{from: [{podSelector: {matchLabels: {app: frontend}}}]}]}',
    ],
    { denied: ['frontend > backend 8000'] },
  ],
  [
    'both ends have to allow a connection: they do',
    [
      '{podSelector: {matchLabels: {app: frontend}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: backend}}}]}]}',
      '{podSelector: {matchLabels: {app: backend}}, ingress: [{from: [{podSelector: {matchLabels: {app: frontend}}}]}]}',
    ],
    { allowed: ['frontend > backend 8000'], denied: ['frontend > db 5432', 'db > backend 8000'] },
  ],
];

// NetworkPolicyIngressRule and NetworkPolicyEgressRule
const RULES: readonly Case[] = [
  [
    'ingress: traffic must match both ports and from',
    '{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: frontend}}}], ports: [{port: 8000}]}]}',
    {
      allowed: ['frontend > backend 8000'],
      denied: ['frontend > backend 9000', 'db > backend 8000', 'db > backend 9000'],
    },
  ],
  [
    'ingress: ports and from match in one rule, not in two',
    '{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: frontend}}}], ports: [{port: 8000}]}, {from: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 9000}]}]}',
    {
      allowed: ['frontend > backend 8000', 'db > backend 9000'],
      denied: ['frontend > backend 9000', 'db > backend 8000'],
    },
  ],
  [
    'ingress: one of the ports is enough',
    '{podSelector: {}, ingress: [{ports: [{port: 8000}, {port: 53, protocol: UDP}]}]}',
    {
      allowed: ['bench > backend 8000', 'bench > backend 53/UDP'],
      denied: ['bench > backend 53', 'bench > backend 8000/UDP', 'bench > backend 9000'],
    },
  ],
  [
    'ingress: missing ports restrict to no port',
    '{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}',
    {
      allowed: ['frontend > backend 1', 'frontend > backend 65535/UDP', 'frontend > backend 9/SCTP'],
      denied: ['bench > backend 1'],
    },
  ],
  [
    'ingress: empty ports restrict to no port',
    '{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: []}]}',
    { allowed: ['frontend > backend 1', 'frontend > backend 65535/UDP'], denied: ['bench > backend 1'] },
  ],
  [
    'ingress: ports of null restrict to no port',
    '{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: null}]}',
    { allowed: ['frontend > backend 1', 'frontend > backend 65535/UDP'], denied: ['bench > backend 1'] },
  ],
  [
    'ingress: one item in from is enough',
    '{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: db}}}, {ipBlock: {cidr: 203.0.113.0/24}}]}]}',
    {
      allowed: ['db > backend 8000', '203.0.113.7 > backend 8000'],
      denied: ['frontend > backend 8000', '198.51.100.7 > backend 8000'],
    },
  ],
  [
    'ingress: a missing from restricts to no source',
    '{podSelector: {}, ingress: [{ports: [{port: 8000}]}]}',
    {
      allowed: ['bench > backend 8000', 'newcomer > backend 8000', '203.0.113.7 > backend 8000'],
      denied: ['bench > backend 1', '203.0.113.7 > backend 1'],
    },
  ],
  [
    'ingress: an empty from restricts to no source',
    '{podSelector: {}, ingress: [{from: [], ports: [{port: 8000}]}]}',
    { allowed: ['bench > backend 8000', '2001:db8::7 > backend 8000'], denied: ['bench > backend 1'] },
  ],
  [
    'ingress: a from of null restricts to no source',
    '{podSelector: {}, ingress: [{from: null, ports: [{port: 8000}]}]}',
    { allowed: ['bench > backend 8000', '2001:db8::7 > backend 8000'], denied: ['bench > backend 1'] },
  ],
  [
    'ingress: a rule with neither allows everything in',
    '{podSelector: {}, ingress: [{}]}',
    { allowed: ['bench > backend 1', '203.0.113.7 > backend 2/UDP', 'newcomer > db 3/SCTP'] },
  ],
  [
    'ingress: a rule of null has neither',
    '{podSelector: {}, ingress: [null]}',
    { allowed: ['bench > backend 1', '203.0.113.7 > backend 2/UDP', 'newcomer > db 3/SCTP'] },
  ],
  [
    'egress: traffic must match both ports and to',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: backend}}}], ports: [{port: 8000}]}]}',
    {
      allowed: ['frontend > backend 8000'],
      denied: ['frontend > backend 9000', 'frontend > db 8000', 'frontend > db 9000'],
    },
  ],
  [
    'egress: ports are those of the destination; one is enough',
    '{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 443}, {port: 53, protocol: UDP}]}]}',
    {
      allowed: ['backend > bench 443', 'backend > 203.0.113.7 53/UDP'],
      denied: ['backend > bench 53', 'backend > 203.0.113.7 443/UDP'],
    },
  ],
  [
    'egress: missing ports restrict to no port',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}]}]}',
    { allowed: ['backend > bench 1', 'backend > bench 9/SCTP'], denied: ['backend > 203.0.113.7 1'] },
  ],
  [
    'egress: empty ports restrict to no port',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}], ports: []}]}',
    { allowed: ['backend > bench 1', 'backend > bench 9/SCTP'], denied: ['backend > 203.0.113.7 1'] },
  ],
  [
    'egress: one item in to is enough',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}, {ipBlock: {cidr: 203.0.113.0/24}}]}]}',
    {
      allowed: ['backend > db 1', 'backend > 203.0.113.7 1'],
      denied: ['backend > frontend 1', 'backend > 198.51.100.7 1'],
    },
  ],
  [
    'egress: a missing to restricts to no destination',
    '{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}',
    {
      allowed: ['backend > bench 443', 'backend > 203.0.113.7 443', 'backend > 2001:db8::7 443'],
      denied: ['backend > bench 80'],
    },
  ],
  [
    'egress: an empty to restricts to no destination',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: [], ports: [{port: 443}]}]}',
    { allowed: ['backend > bench 443', 'backend > 203.0.113.7 443'], denied: ['backend > bench 80'] },
  ],
  [
    'egress: a to of null restricts to no destination',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: null, ports: [{port: 443}]}]}',
    { allowed: ['backend > bench 443', 'backend > 203.0.113.7 443'], denied: ['backend > bench 80'] },
  ],
  [
    'egress: a rule with neither lets everything leave',
    '{podSelector: {}, policyTypes: [Egress], egress: [{}]}',
    { allowed: ['backend > bench 1', 'backend > 203.0.113.7 2/UDP', 'db > newcomer 3/SCTP'] },
  ],
];

// NetworkPolicyPort
const PORTS: readonly Case[] = [
  [
    'traffic must match the protocol: TCP',
    '{podSelector: {}, ingress: [{ports: [{protocol: TCP, port: 53}]}]}',
    { allowed: ['bench > backend 53'], denied: ['bench > backend 53/UDP', 'bench > backend 53/SCTP'] },
  ],
  [
    'traffic must match the protocol: UDP',
    '{podSelector: {}, ingress: [{ports: [{protocol: UDP, port: 53}]}]}',
    { allowed: ['bench > backend 53/UDP'], denied: ['bench > backend 53', 'bench > backend 53/SCTP'] },
  ],
  [
    'traffic must match the protocol: SCTP',
    '{podSelector: {}, ingress: [{ports: [{protocol: SCTP, port: 53}]}]}',
    { allowed: ['bench > backend 53/SCTP'], denied: ['bench > backend 53', 'bench > backend 53/UDP'] },
  ],
  [
    'a protocol that is not specified is TCP',
    '{podSelector: {}, ingress: [{ports: [{port: 53}]}]}',
    { allowed: ['bench > backend 53'], denied: ['bench > backend 53/UDP', 'bench > backend 53/SCTP'] },
  ],
  [
    'a protocol of null is TCP',
    '{podSelector: {}, ingress: [{ports: [{port: 53, protocol: null}]}]}',
    { allowed: ['bench > backend 53'], denied: ['bench > backend 53/UDP'] },
  ],
  [
    'without a port all of the protocol match, also those without a name',
    '{podSelector: {}, ingress: [{ports: [{protocol: UDP}]}]}',
    {
      allowed: ['bench > backend 53/UDP', 'bench > backend 1/UDP', 'bench > backend 65535/UDP'],
      denied: ['bench > backend 53', 'bench > backend 8000'],
    },
  ],
  [
    'an empty entry is every port of TCP',
    '{podSelector: {}, ingress: [{ports: [{}]}]}',
    { allowed: ['bench > backend 8000', 'bench > backend 1'], denied: ['bench > backend 53/UDP'] },
  ],
  [
    'an entry of null is an empty one',
    '{podSelector: {}, ingress: [{ports: [null]}]}',
    { allowed: ['bench > backend 8000', 'bench > backend 1'], denied: ['bench > backend 53/UDP'] },
  ],
  [
    'a number is that port, whether a container declares it or not',
    '{podSelector: {}, ingress: [{ports: [{port: 7}]}]}',
    { allowed: ['bench > backend 7', 'bench > db 7'], denied: ['bench > backend 8', 'bench > backend 6'] },
  ],
  [
    'the first and the last port there is',
    '{podSelector: {}, ingress: [{ports: [{port: 1}, {port: 65535}]}]}',
    { allowed: ['bench > backend 1', 'bench > backend 65535'], denied: ['bench > backend 65534'] },
  ],
  [
    'ingress: a name is the port of that name on the pod that is selected',
    '{podSelector: {}, ingress: [{ports: [{port: http}]}]}',
    {
      allowed: ['bench > frontend 3000', 'bench > backend 8000'],
      denied: ['bench > frontend 8000', 'bench > backend 3000', 'bench > backend 80', 'bench > db 80'],
    },
  ],
  [
    'egress: a name is the port of that name on each destination',
    '{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}',
    {
      allowed: ['db > frontend 3000', 'db > backend 8000', 'db > bench 80'],
      denied: ['frontend > backend 3000', 'frontend > bench 3000', 'frontend > db 3000'],
    },
  ],
  [
    'a name and its protocol: a port of that name on another protocol is not it',
    '{podSelector: {}, ingress: [{ports: [{port: names}]}]}',
    { denied: ['bench > backend 53', 'bench > backend 53/UDP'] },
  ],
  [
    'a name and its protocol: both match',
    '{podSelector: {}, ingress: [{ports: [{port: names, protocol: UDP}]}]}',
    { allowed: ['bench > backend 53/UDP'], denied: ['bench > backend 53'] },
  ],
  [
    'a name that the destination does not have matches no port',
    '{podSelector: {}, ingress: [{ports: [{port: grpc}]}]}',
    { denied: ['bench > backend 8000', 'bench > backend 9000', 'bench > db 5432'] },
  ],
  [
    'a name matches no port of an address outside the cluster',
    '{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}',
    { denied: ['backend > 203.0.113.7 80', 'backend > 203.0.113.7 3000'] },
  ],
  [
    'only the protocol and the port together match',
    '{podSelector: {}, ingress: [{ports: [{protocol: TCP, port: 1}, {protocol: UDP, port: 2}]}]}',
    {
      allowed: ['bench > backend 1', 'bench > backend 2/UDP'],
      denied: ['bench > backend 2', 'bench > backend 1/UDP'],
    },
  ],
  [
    'endPort: every port from port to it, both included',
    '{podSelector: {}, ingress: [{ports: [{port: 8000, endPort: 8002}]}]}',
    {
      allowed: ['bench > backend 8000', 'bench > backend 8001', 'bench > backend 8002'],
      denied: ['bench > backend 7999', 'bench > backend 8003', 'bench > backend 8001/UDP'],
    },
  ],
  [
    'endPort may be equal to port',
    '{podSelector: {}, ingress: [{ports: [{port: 8000, endPort: 8000, protocol: SCTP}]}]}',
    {
      allowed: ['bench > backend 8000/SCTP'],
      denied: ['bench > backend 8001/SCTP', 'bench > backend 7999/SCTP', 'bench > backend 8000'],
    },
  ],
  [
    'endPort of null: the port alone',
    '{podSelector: {}, ingress: [{ports: [{port: 8000, endPort: null}]}]}',
    { allowed: ['bench > backend 8000'], denied: ['bench > backend 8001'] },
  ],
];

// IPBlock
const IP_BLOCKS: readonly Case[] = [
  [
    'ingress: the addresses of the cidr',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.168.1.0/24}}]}]}',
    {
      allowed: ['192.168.1.0 > backend 1', '192.168.1.255 > backend 1'],
      denied: ['192.168.0.255 > backend 1', '192.168.2.0 > backend 1', '2001:db8::1 > backend 1'],
    },
  ],
  [
    'egress: the addresses of the cidr',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "2001:db8::/64"}}]}]}',
    {
      allowed: ['backend > 2001:db8:: 1', 'backend > 2001:db8::ffff:ffff:ffff:ffff 1'],
      denied: ['backend > 2001:db8:0:1:: 1', 'backend > 2001:db7::1 1', 'backend > 192.168.1.1 1'],
    },
  ],
  [
    'what is excepted is not included',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.9.9.9/32]}}]}]}',
    {
      allowed: ['10.0.255.255 > backend 1', '10.2.0.0 > backend 1', '10.9.9.8 > backend 1'],
      denied: [
        '10.1.0.0 > backend 1',
        '10.1.255.255 > backend 1',
        '10.9.9.9 > backend 1',
        '11.0.0.0 > backend 1',
      ],
    },
  ],
  [
    'what is excepted is not included: IPv6',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: "2001:db8::/32", except: ["2001:db8:8000::/33"]}}]}]}',
    {
      allowed: ['2001:db8:7fff::1 > backend 1', '2001:db8:: > backend 1'],
      denied: ['2001:db8:8000::1 > backend 1', '2001:db9:: > backend 1'],
    },
  ],
  [
    'what one block excepts another may include',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {ipBlock: {cidr: 10.1.1.0/24}}]}]}',
    { allowed: ['10.1.1.1 > backend 1', '10.2.0.1 > backend 1'], denied: ['10.1.2.1 > backend 1'] },
  ],
  [
    'an empty list, or null, excepts nothing',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: []}}, {ipBlock: {cidr: 11.0.0.0/8, except: null}}]}]}',
    { allowed: ['10.1.1.1 > backend 1', '11.1.1.1 > backend 1'], denied: ['12.0.0.1 > backend 1'] },
  ],
  [
    'a single address',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.7/32}}, {ipBlock: {cidr: "2001:DB8:0::7/128"}}]}]}',
    {
      allowed: ['203.0.113.7 > backend 1', '2001:db8::7 > backend 1'],
      denied: ['203.0.113.6 > backend 1', '2001:db8::6 > backend 1'],
    },
  ],
  [
    'lengths within a byte',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 172.16.0.0/12}}, {ipBlock: {cidr: "fc00::/7"}}]}]}',
    {
      allowed: ['172.31.255.255 > backend 1', 'fdff::1 > backend 1', 'fc00:: > backend 1'],
      denied: [
        '172.32.0.0 > backend 1',
        '172.15.255.255 > backend 1',
        'fe00:: > backend 1',
        'fbff::1 > backend 1',
      ],
    },
  ],
  [
    'an IPv6 address that ends as an IPv4 one is an IPv6 address',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: "64:ff9b::10.0.0.0/104"}}]}]}',
    {
      allowed: ['64:ff9b::a01:203 > backend 1'],
      denied: ['10.1.2.3 > backend 1', '64:ff9b::b01:203 > backend 1'],
    },
  ],
  [
    'every IPv4 address is no IPv6 address',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}',
    {
      allowed: ['0.0.0.0 > backend 1', '255.255.255.255 > backend 1', 'bench > backend 1'],
      denied: [':: > backend 1', '::1 > backend 1', '2001:db8::7 > backend 1', 'db > backend 1'],
    },
  ],
  [
    'every IPv6 address is no IPv4 address',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "::/0", except: ["fc00::/7"]}}]}]}',
    {
      allowed: ['backend > ::1 1', 'backend > 2001:db8::7 1'],
      denied: ['backend > 169.254.169.254 80', 'backend > 10.0.0.1 1', 'backend > bench 1', 'backend > db 1'],
    },
  ],
  [
    'an IPv4 address that is written as IPv6 is that IPv4 address',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]}',
    {
      allowed: [
        '::ffff:10.2.0.1 > backend 1',
        '::FFFF:a02:1 > backend 1',
        '0:0:0:0:0:ffff:a02:1 > backend 1',
      ],
      denied: ['::ffff:10.1.0.1 > backend 1', '::ffff:11.0.0.1 > backend 1', '::10.2.0.1 > backend 1'],
    },
  ],
  [
    'an IPv4 address that is written as IPv6 is not an IPv6 address',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: "::/0"}}]}]}',
    { denied: ['::ffff:10.2.0.1 > backend 1'], allowed: ['::fffe:10.2.0.1 > backend 1'] },
  ],
  [
    'a name or an invalid address is in no block',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: "::/0"}}]}]}',
    {
      denied: [
        'backend > newcomer 1',
        'backend > todo.example.com 443',
        'backend > 10.0.0 443',
        'backend > 010.0.0.1 443',
        'backend > fe80::1%eth0 443',
      ],
    },
  ],
  [
    'a pod whose address is known is in a block as any address is',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.2.0.0/16}}]}]}',
    { allowed: ['bench > backend 1'], denied: ['frontend > backend 1', 'newcomer > backend 1'] },
  ],
];

// NetworkPolicyPeer
const PEERS: readonly Case[] = [
  [
    "podSelector alone: the pods that match in the policy's own namespace",
    '{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: frontend}}}]}]}',
    {
      allowed: ['frontend > backend 1'],
      denied: ['bench > backend 1', 'db > backend 1', '10.1.0.1 > backend 1'],
    },
  ],
  [
    'podSelector present but empty: all pods of that namespace',
    '{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}',
    {
      allowed: ['frontend > backend 1', 'db > backend 1', 'backend > backend 1'],
      denied: ['bench > backend 1', 'newcomer > backend 1', '10.1.0.1 > backend 1'],
    },
  ],
  [
    'podSelector present, its parts empty or null: it is empty',
    '{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: null, matchExpressions: []}}]}]}',
    { allowed: ['frontend > backend 1', 'db > backend 1'], denied: ['bench > backend 1'] },
  ],
  [
    'namespaceSelector alone: all pods in the namespaces with these labels',
    '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: research}}}]}]}',
    {
      allowed: ['bench > backend 1', 'newcomer > backend 1'],
      denied: ['frontend > backend 1', '10.2.0.1 > backend 1'],
    },
  ],
  [
    'namespaceSelector present but empty: all namespaces',
    '{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}',
    {
      allowed: ['bench > backend 1', 'newcomer > backend 1', 'frontend > backend 1'],
      denied: ['203.0.113.7 > backend 1', '10.2.0.1 > backend 1'],
    },
  ],
  [
    'both in one item: the pods that match, in the namespaces that match',
    '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: research}}, podSelector: {matchLabels: {app: frontend}}}]}]}',
    {
      allowed: ['bench > backend 1'],
      denied: ['newcomer > backend 1', 'frontend > backend 1', 'db > backend 1'],
    },
  ],
  [
    'both in two items: either is enough',
    '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: research}}}, {podSelector: {matchLabels: {app: frontend}}}]}]}',
    {
      allowed: ['bench > backend 1', 'newcomer > backend 1', 'frontend > backend 1'],
      denied: ['db > backend 1'],
    },
  ],
  [
    'both, the pods of any name: all pods in the namespaces that match',
    '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: research}}, podSelector: {}}]}]}',
    { allowed: ['bench > backend 1', 'newcomer > backend 1'], denied: ['frontend > backend 1'] },
  ],
  [
    'both, all namespaces: the pods that match in every one',
    '{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: frontend}}}]}]}',
    {
      allowed: ['bench > backend 1', 'frontend > backend 1'],
      denied: ['newcomer > backend 1', 'db > backend 1'],
    },
  ],
  [
    'a namespaceSelector of null is not set',
    '{podSelector: {}, ingress: [{from: [{namespaceSelector: null, ipBlock: null, podSelector: {matchLabels: {app: frontend}}}]}]}',
    { allowed: ['frontend > backend 1'], denied: ['bench > backend 1'] },
  ],
  [
    'a podSelector of null is not set',
    '{podSelector: {}, ingress: [{from: [{podSelector: null, namespaceSelector: {matchLabels: {team: research}}}]}]}',
    { allowed: ['newcomer > backend 1'], denied: ['frontend > backend 1'] },
  ],
  [
    "namespaces are selected by their labels, not by their pods'",
    '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {app: frontend}}}, {podSelector: {matchLabels: {team: store}}}]}]}',
    { denied: ['frontend > backend 1', 'bench > backend 1'] },
  ],
  [
    'a namespace always has its name as the label kubernetes.io/metadata.name',
    '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: lab}}}]}]}',
    { allowed: ['bench > backend 1', 'newcomer > backend 1'], denied: ['frontend > backend 1'] },
  ],
  [
    'egress: to selects as from does',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: frontend}}}, {namespaceSelector: {matchLabels: {team: research}}, podSelector: {matchLabels: {tier: web}}}]}]}',
    {
      allowed: ['backend > frontend 1', 'backend > bench 1'],
      denied: ['backend > db 1', 'backend > newcomer 1', 'backend > 10.1.0.1 1'],
    },
  ],
];

// k8s.io/apimachinery meta/v1 types.go, LabelSelector and LabelSelectorRequirement; here of the pods that may connect
const SELECTORS: readonly Case[] = [
  [
    'a pair in matchLabels is the value that the label must have',
    from('matchLabels: {app: frontend}'),
    { allowed: ['frontend > backend 1'], denied: ['db > backend 1', 'backend > backend 1'] },
  ],
  [
    'a pair in matchLabels is the same as In with that one value',
    from('matchExpressions: [{key: app, operator: In, values: [frontend]}]'),
    { allowed: ['frontend > backend 1'], denied: ['db > backend 1', 'backend > backend 1'] },
  ],
  [
    'a pair with an empty value asks for the label, with an empty value',
    from('matchLabels: {example.com/zone: ""}'),
    { allowed: ['backend > backend 1'], denied: ['frontend > backend 1', 'db > backend 1'] },
  ],
  [
    'a pair with a value of null asks for an empty value, as Go reads it',
    from('matchLabels: {example.com/zone: null}'),
    { allowed: ['backend > backend 1'], denied: ['frontend > backend 1', 'db > backend 1'] },
  ],
  [
    'In with an empty value asks for the label, with an empty value',
    from('matchExpressions: [{key: example.com/zone, operator: In, values: [""]}]'),
    { allowed: ['backend > backend 1'], denied: ['frontend > backend 1', 'db > backend 1'] },
  ],
  [
    'all pairs in matchLabels must hold',
    from('matchLabels: {app: frontend, tier: web}'),
    { allowed: ['frontend > backend 1'], denied: ['backend > backend 1', 'db > backend 1'] },
  ],
  [
    'all pairs in matchLabels must hold: one does not',
    from('matchLabels: {app: frontend, tier: api}'),
    { denied: ['frontend > backend 1', 'backend > backend 1', 'db > backend 1'] },
  ],
  [
    'matchLabels and matchExpressions must both hold',
    from('{matchLabels: {app: frontend}, matchExpressions: [{key: tier, operator: NotIn, values: [web]}]}'),
    { denied: ['frontend > backend 1', 'backend > backend 1', 'db > backend 1'] },
  ],
  [
    'all matchExpressions must hold',
    from('matchExpressions: [{key: tier, operator: Exists}, {key: app, operator: NotIn, values: [backend]}]'),
    { allowed: ['frontend > backend 1'], denied: ['backend > backend 1', 'db > backend 1'] },
  ],
  [
    'In: the label has one of the values',
    from('matchExpressions: [{key: app, operator: In, values: [frontend, db]}]'),
    { allowed: ['frontend > backend 1', 'db > backend 1'], denied: ['backend > backend 1'] },
  ],
  [
    'In: a label that is not there has none of them',
    from('matchExpressions: [{key: tier, operator: In, values: [web, ""]}]'),
    { allowed: ['frontend > backend 1'], denied: ['backend > backend 1', 'db > backend 1'] },
  ],
  [
    'NotIn: the label has none of the values',
    from('matchExpressions: [{key: app, operator: NotIn, values: [frontend, db]}]'),
    { allowed: ['backend > backend 1'], denied: ['frontend > backend 1', 'db > backend 1'] },
  ],
  [
    'NotIn: also where the label is not there (labels.Requirement.Matches)',
    from('matchExpressions: [{key: tier, operator: NotIn, values: [web]}]'),
    { allowed: ['backend > backend 1', 'db > backend 1'], denied: ['frontend > backend 1'] },
  ],
  [
    'Exists: the label is there, with whatever value',
    from('matchExpressions: [{key: tier, operator: Exists}]'),
    { allowed: ['frontend > backend 1', 'backend > backend 1'], denied: ['db > backend 1'] },
  ],
  [
    'Exists: also with an empty value',
    from('matchExpressions: [{key: example.com/zone, operator: Exists, values: []}]'),
    { allowed: ['backend > backend 1'], denied: ['frontend > backend 1', 'db > backend 1'] },
  ],
  [
    'DoesNotExist: the label is not there',
    from('matchExpressions: [{key: tier, operator: DoesNotExist, values: null}]'),
    { allowed: ['db > backend 1'], denied: ['frontend > backend 1', 'backend > backend 1'] },
  ],
  [
    'DoesNotExist: an empty value is there',
    from('matchExpressions: [{key: example.com/zone, operator: DoesNotExist}]'),
    { allowed: ['frontend > backend 1', 'db > backend 1'], denied: ['backend > backend 1'] },
  ],
  [
    'a label that JavaScript objects have is none of a pod',
    from('matchExpressions: [{key: constructor, operator: Exists}]'),
    { denied: ['frontend > backend 1', 'backend > backend 1', 'db > backend 1'] },
  ],
];

function from(podSelector: string): string {
  const selector = podSelector.startsWith('{') ? podSelector : `{${podSelector}}`;
  return `{podSelector: {}, ingress: [{from: [{podSelector: ${selector}}]}]}`;
}

describe.each([
  ['NetworkPolicySpec', SPEC],
  ['NetworkPolicyIngressRule, NetworkPolicyEgressRule', RULES],
  ['NetworkPolicyPort', PORTS],
  ['IPBlock', IP_BLOCKS],
  ['NetworkPolicyPeer', PEERS],
  ['LabelSelector, LabelSelectorRequirement', SELECTORS],
])('%s', (_type, cases) => {
  it.each(cases)('%s', (_says, specs, { allowed = [], denied = [] }) => {
    const policies = [specs].flat().map((spec) => readSpec(spec).policy);
    const verdicts = [...allowed, ...denied].map((text) => [
      text,
      new PolicySet(policies).verdict(trafficOf(text)).allowed ? 'allowed' : 'denied',
    ]);
    expect(verdicts).toEqual([
      ...allowed.map((text) => [text, 'allowed']),
      ...denied.map((text) => [text, 'denied']),
    ]);
  });
});

/** A spec that the API server refuses, with kubectl's strict decoding, and its report. */
type Refusal = readonly [what: string, spec: string, problem: string];

const FIX = '; fix the field, which the API server refuses';

const REFUSED_RULES: readonly Refusal[] = [
  [
    'the key _from, as the JavaScript client calls from',
    '{podSelector: {}, ingress: [{_from: [{podSelector: {matchLabels: {app: nobody}}}]}]}',
    'has the unknown field spec.ingress[0]._from; use one of from, ports, or remove the field',
  ],
  [
    'a key of the other direction',
    '{podSelector: {}, ingress: [{to: [{podSelector: {matchLabels: {app: nobody}}}]}]}',
    'has the unknown field spec.ingress[0].to; use one of from, ports, or remove the field',
  ],
  [
    'a key of the other direction, egress',
    '{podSelector: {}, egress: [{from: [{podSelector: {matchLabels: {app: nobody}}}]}]}',
    'has the unknown field spec.egress[0].from; use one of to, ports, or remove the field',
  ],
  [
    'a key in another case',
    '{podSelector: {}, ingress: [{From: []}]}',
    'has the unknown field spec.ingress[0].From; use one of from, ports, or remove the field',
  ],
  [
    'from as a mapping',
    '{podSelector: {}, ingress: [{from: {podSelector: {matchLabels: {app: nobody}}}}]}',
    `has an invalid spec.ingress[0].from: it must be a list, found {"podSelector":{"matchLabels":{"app":"nobody"}}}${FIX}`,
  ],
  [
    'to as a text',
    '{podSelector: {}, egress: [{to: all}]}',
    `has an invalid spec.egress[0].to: it must be a list, found "all"${FIX}`,
  ],
  [
    'ports as a number',
    '{podSelector: {}, ingress: [{ports: 443}]}',
    `has an invalid spec.ingress[0].ports: it must be a list, found 443${FIX}`,
  ],
  [
    'rules as a mapping',
    '{podSelector: {}, ingress: {from: []}}',
    `has an invalid spec.ingress: it must be a list, found {"from":[]}${FIX}`,
  ],
  [
    'a rule that is a text',
    '{podSelector: {}, ingress: [from]}',
    `has an invalid spec.ingress[0]: it must be a mapping, found "from"${FIX}`,
  ],
];

const REFUSED_PEERS: readonly Refusal[] = [
  [
    'an empty peer',
    peer('{}'),
    `has an invalid spec.ingress[0].from[0]: it must be either selectors or an ipBlock, found {}${FIX}`,
  ],
  [
    'a peer of null',
    peer('null'),
    `has an invalid spec.ingress[0].from[0]: it must be either selectors or an ipBlock, found null${FIX}`,
  ],
  [
    'a peer that is a text',
    peer('frontend'),
    `has an invalid spec.ingress[0].from[0]: it must be a mapping, found "frontend"${FIX}`,
  ],
  [
    'ipBlock and podSelector',
    peer('{ipBlock: {cidr: 0.0.0.0/0}, podSelector: {}}'),
    `has an invalid spec.ingress[0].from[0]: it must be either selectors or an ipBlock, found {"ipBlock":{"cidr":"0.0.0.0/0"},"podSelector":{}}${FIX}`,
  ],
  [
    'ipBlock and namespaceSelector',
    peer('{ipBlock: {cidr: 0.0.0.0/0}, namespaceSelector: {}}'),
    `has an invalid spec.ingress[0].from[0]: it must be either selectors or an ipBlock, found {"ipBlock":{"cidr":"0.0.0.0/0"},"namespaceSelector":{}}${FIX}`,
  ],
  [
    'an unknown key',
    peer('{podSelector: {}, namespace: lab}'),
    'has the unknown field spec.ingress[0].from[0].namespace; use one of podSelector, namespaceSelector, ipBlock, or remove the field',
  ],
  [
    'the labels right under the peer',
    peer('{namespaceSelector: {}, matchLabels: {app: nobody}}'),
    'has the unknown field spec.ingress[0].from[0].matchLabels; use one of podSelector, namespaceSelector, ipBlock, or remove the field',
  ],
  [
    'a podSelector that is a text, beside a namespaceSelector',
    peer('{podSelector: nobody, namespaceSelector: {}}'),
    `has an invalid spec.ingress[0].from[0].podSelector: it must be a mapping, found "nobody"${FIX}`,
  ],
  [
    'a namespaceSelector that is a list, beside a podSelector',
    peer('{podSelector: {}, namespaceSelector: []}'),
    `has an invalid spec.ingress[0].from[0].namespaceSelector: it must be a mapping, found []${FIX}`,
  ],
];

const SELECTOR = 'spec.ingress[0].from[0].podSelector';

const REFUSED_SELECTORS: readonly Refusal[] = [
  [
    'the labels right under the selector',
    from('app: nobody'),
    `has the unknown field ${SELECTOR}.app; use one of matchLabels, matchExpressions, or remove the field`,
  ],
  [
    'a key in another case',
    from('matchlabels: {app: nobody}'),
    `has the unknown field ${SELECTOR}.matchlabels; use one of matchLabels, matchExpressions, or remove the field`,
  ],
  [
    'a label that is a number',
    from('matchLabels: {tier: 1}'),
    `has an invalid ${SELECTOR}.matchLabels.tier: it must be a quoted string, found 1${FIX}`,
  ],
  [
    'a label that is a boolean, beside a valid one',
    from('matchLabels: {app: frontend, canary: yes}'),
    `has an invalid ${SELECTOR}.matchLabels.canary: it must be a quoted string, found true${FIX}`,
  ],
  [
    'a label that is a mapping',
    from('matchLabels: {app: {}}'),
    `has an invalid ${SELECTOR}.matchLabels.app: it must be a quoted string, found {}${FIX}`,
  ],
  [
    'matchLabels as a list',
    from('matchLabels: [app]'),
    `has an invalid ${SELECTOR}.matchLabels: it must be a mapping, found ["app"]${FIX}`,
  ],
  [
    'an invalid label: the characters',
    from('matchLabels: {app: "front end"}'),
    `has an invalid ${SELECTOR}.matchLabels.app: it must be a valid label value, found "front end"${FIX}`,
  ],
  [
    'an invalid label: the length',
    from(`matchExpressions: [{key: app, operator: NotIn, values: [${'a'.repeat(64)}]}]`),
    `has an invalid ${SELECTOR}.matchExpressions[0].values[0]: it must be a valid label value, found "${'a'.repeat(64)}"${FIX}`,
  ],
  [
    'an invalid key: the characters',
    from('matchLabels: {"a b": c}'),
    `has an invalid ${SELECTOR}.matchLabels: it must be a mapping with valid label keys, found "a b"${FIX}`,
  ],
  [
    'an invalid key: two prefixes',
    from('matchExpressions: [{key: a/b/c, operator: DoesNotExist}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].key: it must be a valid label key, found "a/b/c"${FIX}`,
  ],
  [
    'an invalid key: a prefix in upper case',
    from('matchExpressions: [{key: Example.com/a, operator: DoesNotExist}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].key: it must be a valid label key, found "Example.com/a"${FIX}`,
  ],
  [
    'an invalid key: nothing after the prefix',
    from('matchExpressions: [{key: example.com/, operator: DoesNotExist}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].key: it must be a valid label key, found "example.com/"${FIX}`,
  ],
  [
    'an expression without its key',
    from('matchExpressions: [{operator: DoesNotExist}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].key: it must be a valid label key, found null${FIX}`,
  ],
  [
    'matchExpressions as a mapping',
    from('matchExpressions: {key: tier, operator: Exists}'),
    `has an invalid ${SELECTOR}.matchExpressions: it must be a list, found {"key":"tier","operator":"Exists"}${FIX}`,
  ],
  [
    'an expression that is a text',
    from('matchExpressions: ["app in (nobody)"]'),
    `has an invalid ${SELECTOR}.matchExpressions[0]: it must be a mapping, found "app in (nobody)"${FIX}`,
  ],
  [
    'an unknown key in an expression',
    from('matchExpressions: [{key: tier, operator: DoesNotExist, value: web}]'),
    `has the unknown field ${SELECTOR}.matchExpressions[0].value; use one of key, operator, values, or remove the field`,
  ],
  [
    'an unknown operator',
    from('matchExpressions: [{key: app, operator: Equals, values: [frontend]}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].operator: it must be one of In, NotIn, Exists, DoesNotExist, found "Equals"${FIX}`,
  ],
  [
    'an operator in another case',
    from('matchExpressions: [{key: app, operator: exists}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].operator: it must be one of In, NotIn, Exists, DoesNotExist, found "exists"${FIX}`,
  ],
  [
    'no operator',
    from('matchExpressions: [{key: app, values: [frontend]}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].operator: it must be one of In, NotIn, Exists, DoesNotExist, found null${FIX}`,
  ],
  [
    'In without values',
    from('matchExpressions: [{key: app, operator: In}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].values: it must be a non-empty list with In, found null${FIX}`,
  ],
  [
    'NotIn with an empty list of values',
    from('matchExpressions: [{key: app, operator: NotIn, values: []}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].values: it must be a non-empty list with NotIn, found []${FIX}`,
  ],
  [
    'Exists with values',
    from('matchExpressions: [{key: app, operator: Exists, values: [frontend]}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].values: it must be absent with Exists, found ["frontend"]${FIX}`,
  ],
  [
    'DoesNotExist with values',
    from('matchExpressions: [{key: tier, operator: DoesNotExist, values: [web]}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].values: it must be absent with DoesNotExist, found ["web"]${FIX}`,
  ],
  [
    'a value that is a number',
    from('matchExpressions: [{key: tier, operator: NotIn, values: [1]}]'),
    `has an invalid ${SELECTOR}.matchExpressions[0].values[0]: it must be a quoted string, found 1${FIX}`,
  ],
];

const IP_BLOCK = 'spec.ingress[0].from[0].ipBlock';
const NO_RANGE = 'a range such as 10.0.0.0/8 or 2001:db8::/32, with no bits set after the prefix';

const REFUSED_IP_BLOCKS: readonly Refusal[] = [
  ...[
    ['an address', '203.0.113.7'],
    ['nothing after the slash', '203.0.113.7/'],
    ['a length beyond 32', '10.0.0.0/33'],
    ['a length beyond 128', '2001:db8::/129'],
    ['a length with a leading zero', '10.0.0.0/08'],
    ['a netmask', '10.0.0.0/255.0.0.0'],
    ['three bytes', '10.0.0/8'],
    ['a byte with a leading zero', '010.0.0.0/8'],
    ['a byte beyond 255', '10.0.0.256/32'],
    ['a group of five digits', '2001:0db80::/32'],
    ['bits beyond the length', '10.0.0.1/8'],
    ['bits beyond the length, IPv6', '2001:db8::1/64'],
    ['an IPv4 range written as IPv6', '::ffff:10.0.0.0/104'],
    ['a zone', 'fe80::%eth0/10'],
    ['white space', ' 10.0.0.0/8'],
    ['a newline at the end', '10.0.0.0/8\n'],
    ['a name', 'todo.example.com/8'],
    ['nothing', ''],
  ].map(([what, cidr]): Refusal => [
    `an invalid cidr: ${what}`,
    peer(`{ipBlock: {cidr: ${JSON.stringify(cidr)}}}`),
    `has an invalid ${IP_BLOCK}.cidr: it must be ${NO_RANGE}, found ${JSON.stringify(cidr)}${FIX}`,
  ]),
  [
    'no cidr',
    peer('{ipBlock: {}}'),
    `has an invalid ${IP_BLOCK}.cidr: it must be ${NO_RANGE}, found null${FIX}`,
  ],
  [
    'a cidr that is a number',
    peer('{ipBlock: {cidr: 10}}'),
    `has an invalid ${IP_BLOCK}.cidr: it must be ${NO_RANGE}, found 10${FIX}`,
  ],
  [
    'an ipBlock that is a text',
    peer('{ipBlock: 0.0.0.0/0}'),
    `has an invalid ${IP_BLOCK}: it must be a mapping, found "0.0.0.0/0"${FIX}`,
  ],
  [
    'an unknown key',
    peer('{ipBlock: {cidr: 0.0.0.0/0, exept: [10.0.0.0/8]}}'),
    `has the unknown field ${IP_BLOCK}.exept; use one of cidr, except, or remove the field`,
  ],
  [
    'except as a text',
    peer('{ipBlock: {cidr: 0.0.0.0/0, except: 10.0.0.0/8}}'),
    `has an invalid ${IP_BLOCK}.except: it must be a list, found "10.0.0.0/8"${FIX}`,
  ],
  [
    'an invalid except',
    peer('{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.1]}}'),
    `has an invalid ${IP_BLOCK}.except[0]: it must be ${NO_RANGE}, found "10.0.0.1"${FIX}`,
  ],
  [
    'except of null',
    peer('{ipBlock: {cidr: 0.0.0.0/0, except: [null]}}'),
    `has an invalid ${IP_BLOCK}.except[0]: it must be ${NO_RANGE}, found null${FIX}`,
  ],
  [
    'except outside the cidr',
    peer('{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 11.0.0.0/16]}}'),
    `has an invalid ${IP_BLOCK}.except[1]: it must be a smaller range within cidr, found "11.0.0.0/16"${FIX}`,
  ],
  [
    'except around the cidr',
    peer('{ipBlock: {cidr: 10.1.0.0/16, except: [10.0.0.0/8]}}'),
    `has an invalid ${IP_BLOCK}.except[0]: it must be a smaller range within cidr, found "10.0.0.0/8"${FIX}`,
  ],
  [
    'except is all of the cidr',
    peer('{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}'),
    `has an invalid ${IP_BLOCK}.except[0]: it must be a smaller range within cidr, found "10.0.0.0/8"${FIX}`,
  ],
  [
    'except of the other version',
    peer('{ipBlock: {cidr: "::/0", except: [10.0.0.0/8]}}'),
    `has an invalid ${IP_BLOCK}.except[0]: it must be a smaller range within cidr, found "10.0.0.0/8"${FIX}`,
  ],
];

const PORT = 'spec.ingress[0].ports[0]';
const NO_PORT = 'a number from 1 to 65535, or the name of a container port';
const NO_END = 'a number from port to 65535, with a numeric port';

const REFUSED_PORTS: readonly Refusal[] = [
  ...(
    [
      ['0', 0],
      ['-1', -1],
      ['65536', 65536],
      ['80.5', 80.5],
      ['true', true],
      ['[80]', [80]],
      ['"80"', '80'],
      ['""', ''],
      ['HTTP', 'HTTP'],
      ['http_alt', 'http_alt'],
      ['-http', '-http'],
      ['http-', 'http-'],
      ['ht--tp', 'ht--tp'],
      ['name-of-sixteens', 'name-of-sixteens'],
    ] as const
  ).map(([text, value]): Refusal => [
    `an invalid port: ${text}`,
    port(`{port: ${text}}`),
    `has an invalid ${PORT}.port: it must be ${NO_PORT}, found ${JSON.stringify(value)}${FIX}`,
  ]),
  [
    'a protocol in lower case',
    port('{protocol: tcp}'),
    `has an invalid ${PORT}.protocol: it must be one of TCP, UDP, SCTP, found "tcp"${FIX}`,
  ],
  [
    'an unknown protocol',
    port('{protocol: ICMP}'),
    `has an invalid ${PORT}.protocol: it must be one of TCP, UDP, SCTP, found "ICMP"${FIX}`,
  ],
  [
    'an empty protocol',
    port('{protocol: ""}'),
    `has an invalid ${PORT}.protocol: it must be one of TCP, UDP, SCTP, found ""${FIX}`,
  ],
  [
    'endPort without port',
    port('{endPort: 65535}'),
    `has an invalid ${PORT}.endPort: it must be ${NO_END}, found 65535${FIX}`,
  ],
  [
    'endPort below port',
    port('{port: 8000, endPort: 7999}'),
    `has an invalid ${PORT}.endPort: it must be ${NO_END}, found 7999${FIX}`,
  ],
  [
    'endPort with a name',
    port('{port: http, endPort: 9000}'),
    `has an invalid ${PORT}.endPort: it must be ${NO_END}, found 9000${FIX}`,
  ],
  [
    'endPort beyond 65535',
    port('{port: 1, endPort: 65536}'),
    `has an invalid ${PORT}.endPort: it must be ${NO_END}, found 65536${FIX}`,
  ],
  [
    'endPort of 0',
    port('{port: 1, endPort: 0}'),
    `has an invalid ${PORT}.endPort: it must be ${NO_END}, found 0${FIX}`,
  ],
  [
    'endPort that is a text',
    port('{port: 1, endPort: "9"}'),
    `has an invalid ${PORT}.endPort: it must be ${NO_END}, found "9"${FIX}`,
  ],
  [
    'an unknown key',
    port('{protocol: TCP, number: 8000}'),
    `has the unknown field ${PORT}.number; use one of protocol, port, endPort, or remove the field`,
  ],
  [
    'a port that is a number alone',
    port('8000'),
    `has an invalid ${PORT}: it must be a mapping, found 8000${FIX}`,
  ],
];

function peer(text: string): string {
  return `{podSelector: {}, ingress: [{from: [${text}]}]}`;
}

function port(text: string): string {
  return `{podSelector: {}, ingress: [{ports: [${text}]}]}`;
}

const SOME_TRAFFIC = [
  ...['frontend > backend 8000', 'backend > frontend 3000', 'db > backend 9000', 'backend > db 1'],
  ...['bench > backend 1', 'newcomer > backend 8000', 'backend > bench 80', 'frontend > backend 53/UDP'],
  ...[
    '203.0.113.7 > backend 8000',
    'backend > 203.0.113.7 443',
    '10.0.0.1 > backend 1',
    '2001:db8::7 > db 1',
  ],
];

function allowedBy(policy: Policy): string[] {
  return SOME_TRAFFIC.filter((text) =>
    (['ingress', 'egress'] as const).some((direction) => allows(policy, direction, trafficOf(text))),
  );
}

describe.each([
  ['rules', REFUSED_RULES],
  ['peers', REFUSED_PEERS],
  ['selectors', REFUSED_SELECTORS],
  ['ipBlocks', REFUSED_IP_BLOCKS],
  ['ports', REFUSED_PORTS],
])('what the API server refuses is reported and allows nothing: %s', (_kind, refusals) => {
  it.each(refusals)('%s', (_what, spec, problem) => {
    const { policy, problems } = readSpec(spec);
    expect(textsOf(problems)).toEqual([problem]);
    expect(allowedBy(policy)).toEqual([]);
  });
});

describe('beside what the API server refuses the other entries of a list hold', () => {
  it.each([
    ['rules', '{podSelector: {}, ingress: [{_from: []}, {ports: [{port: 8000}]}]}'],
    ['peers', '{podSelector: {}, ingress: [{from: [{}, {namespaceSelector: {}}], ports: [{port: 8000}]}]}'],
    ['ports', '{podSelector: {}, ingress: [{ports: [{port: 8000, endPort: 1}, {port: 8000}]}]}'],
  ])('%s', (_kind, spec) => {
    const { policy, problems } = readSpec(spec);
    expect(problems).toHaveLength(1);
    expect(new PolicySet([policy]).verdict(trafficOf('bench > backend 8000')).allowed).toBe(true);
    expect(new PolicySet([policy]).verdict(trafficOf('bench > backend 8001')).allowed).toBe(false);
  });
});

/** Neither does a pod count as isolated by such a policy. */
const REFUSED_WHOLE: readonly (readonly [what: string, rest: string, problem: string])[] = [
  [
    'an unknown key in the policy',
    'sepc: {podSelector: {}}',
    'has the unknown field sepc; use one of apiVersion, kind, metadata, spec, or remove the field',
  ],
  [
    'a status, which NetworkPolicies had for a while',
    '{spec: {podSelector: {}}, status: {}}',
    'has the unknown field status; use one of apiVersion, kind, metadata, spec, or remove the field',
  ],
  [
    'a spec that is a list',
    'spec: [{podSelector: {}}]',
    `has an invalid spec: it must be a mapping, found [{"podSelector":{}}]${FIX}`,
  ],
  [
    'an unknown key in the spec',
    'spec: {podSelector: {}, policyType: [Egress], ingress: [{}]}',
    'has the unknown field spec.policyType; use one of podSelector, policyTypes, ingress, egress, or remove the field',
  ],
  [
    'an unknown policy type',
    'spec: {podSelector: {}, policyTypes: [Ingress, egress]}',
    `has an invalid spec.policyTypes: it must be Ingress, Egress, or both, found ["Ingress","egress"]${FIX}`,
  ],
  [
    'a policy type of null',
    'spec: {podSelector: {}, policyTypes: [null]}',
    `has an invalid spec.policyTypes: it must be Ingress, Egress, or both, found [null]${FIX}`,
  ],
  [
    'three policy types',
    'spec: {podSelector: {}, policyTypes: [Ingress, Egress, Ingress]}',
    `has an invalid spec.policyTypes: it must be Ingress, Egress, or both, found ["Ingress","Egress","Ingress"]${FIX}`,
  ],
  [
    'policy types as a text',
    'spec: {podSelector: {}, policyTypes: Egress}',
    `has an invalid spec.policyTypes: it must be a list, found "Egress"${FIX}`,
  ],
  [
    'a podSelector that is a text',
    'spec: {podSelector: backend}',
    `has an invalid spec.podSelector: it must be a mapping, found "backend"${FIX}`,
  ],
  [
    'the labels right under podSelector',
    'spec: {podSelector: {app: backend}}',
    'has the unknown field spec.podSelector.app; use one of matchLabels, matchExpressions, or remove the field',
  ],
  [
    'a podSelector with a label that is a number',
    'spec: {podSelector: {matchLabels: {app: backend, version: 2}}}',
    `has an invalid spec.podSelector.matchLabels.version: it must be a quoted string, found 2${FIX}`,
  ],
  [
    'a podSelector with an expression without values',
    'spec: {podSelector: {matchExpressions: [{key: app, operator: NotIn}]}}',
    `has an invalid spec.podSelector.matchExpressions[0].values: it must be a non-empty list with NotIn, found null${FIX}`,
  ],
];

describe('what the API server refuses of a policy itself is reported, and the policy has no effect', () => {
  it.each(REFUSED_WHOLE)('%s', (_what, rest, problem) => {
    const { policy, problems } = readPolicy(networkPolicy(yaml(rest) as YamlObject));
    expect(textsOf(problems)).toEqual([problem]);
    for (const pod of Object.values(PODS)) {
      expect(isolates(policy, pod, 'ingress')).toBe(false);
      expect(isolates(policy, pod, 'egress')).toBe(false);
    }
    expect(allowedBy(policy)).toEqual([]);
  });
});

const ACCEPTED: readonly (readonly [what: string, spec: string])[] = [
  ['nothing', '{}'],
  ['a policy type twice', '{policyTypes: [Ingress, Ingress]}'],
  ['nulls', '{podSelector: null, policyTypes: null, ingress: null, egress: null}'],
  ['nulls in lists', '{ingress: [null, {ports: [null], from: null}]}'],
  ['null for a label', '{podSelector: {matchLabels: {app: null}}}'],
  ['null for a value', '{podSelector: {matchExpressions: [{key: app, operator: In, values: [null]}]}}'],
  ['keys with a prefix', '{podSelector: {matchLabels: {app.kubernetes.io/name: a, 1.x-y/Z_z.z-9: a_B-c.9}}}'],
  ['a label of 63 characters', `{podSelector: {matchLabels: {${'k'.repeat(63)}: ${'v'.repeat(63)}}}}`],
  ['a prefix of 253 characters', `{podSelector: {matchLabels: {${'p.'.repeat(126)}p/a: ""}}}`],
  [
    'names of ports',
    '{ingress: [{ports: [{port: a}, {port: 0-z}, {port: name-of-fifteen}, {port: 8080-tcp}]}]}',
  ],
  [
    'the first and the last port',
    '{ingress: [{ports: [{port: 1, endPort: 65535}, {port: 65535, endPort: 65535}]}]}',
  ],
  ['numbers that YAML writes otherwise', '{ingress: [{ports: [{port: 0x50, endPort: 1e3}, {port: 80.0}]}]}'],
  [
    'ranges',
    '{egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [128.0.0.0/1, 1.2.3.4/32]}}, {ipBlock: {cidr: "2001:0DB8:0:0::/64", except: ["2001:db8::1/128"]}}, {ipBlock: {cidr: "::1.2.3.4/128"}}]}]}',
  ],
  ['rules for a direction that holds', '{policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}'],
];

it.each(ACCEPTED)('accepted as the API server accepts it: %s', (_what, spec) => {
  expect(readSpec(spec).problems).toEqual([]);
});

it.each([
  [
    'Ingress',
    '{policyTypes: [Egress], ingress: [{}]}',
    'has ingress rules without effect: spec.policyTypes does not contain Ingress; add Ingress to spec.policyTypes, or remove the rules',
  ],
  [
    'Egress',
    '{policyTypes: [Ingress], egress: [{}]}',
    'has egress rules without effect: spec.policyTypes does not contain Egress; add Egress to spec.policyTypes, or remove the rules',
  ],
])('rules of a direction that policyTypes does not contain are reported: %s', (_type, spec, problem) => {
  expect(textsOf(readSpec(spec).problems)).toEqual([problem]);
});

it('every problem of a policy is reported, with the path of its field', () => {
  const { problems } = readSpec(
    '{podSelector: {app: a}, ingress: [{from: [{}, {ipBlock: {cidr: a}}], ports: [{protocol: tcp, port: 0, endPort: 1}]}], egress: [{from: []}]}',
  );
  expect(problems.map(({ field, problem }) => [formatPath(field), problem.raw.split(': ')[0]])).toEqual([
    ['spec.podSelector.app', 'has the unknown field spec.podSelector.app'],
    ['spec.ingress[0].from[0]', 'has an invalid spec.ingress[0].from[0]'],
    ['spec.ingress[0].from[1].ipBlock.cidr', 'has an invalid spec.ingress[0].from[1].ipBlock.cidr'],
    ['spec.ingress[0].ports[0].port', 'has an invalid spec.ingress[0].ports[0].port'],
    ['spec.ingress[0].ports[0].endPort', 'has an invalid spec.ingress[0].ports[0].endPort'],
    ['spec.ingress[0].ports[0].protocol', 'has an invalid spec.ingress[0].ports[0].protocol'],
    ['spec.egress[0].from', 'has the unknown field spec.egress[0].from'],
  ]);
});

describe('a verdict names the policies that isolate an end and do not allow the connection', () => {
  const closed = readSpec(
    '{podSelector: {matchLabels: {app: backend}}, policyTypes: [Ingress, Egress]}',
  ).policy;
  const other = readSpec('{podSelector: {}, ingress: [{ports: [{port: 1}]}]}').policy;

  it.each([
    ['bench > backend 8000', [], [closed, other]],
    ['backend > bench 80', [closed], []],
    ['backend > frontend 3000', [closed], [other]],
    ['bench > backend 1', [], []],
    ['db > bench 80', [], []],
  ] as const)('%s', (text, deniedAtSource, deniedAtDestination) => {
    expect(new PolicySet([closed, other]).verdict(trafficOf(text))).toEqual({
      allowed: deniedAtSource.length + deniedAtDestination.length === 0,
      deniedAtSource,
      deniedAtDestination,
    });
  });
});

it('a policy holds in its own namespace', () => {
  const shop = readSpec('podSelector: {}').policy;
  const lab = readPolicy(networkPolicy({ metadata: { name: 'b', namespace: 'lab' }, spec: {} })).policy;
  const unset = readPolicy(networkPolicy({ metadata: { name: 'c' }, spec: {} })).policy;
  const isolated = [shop, lab, unset].map(({ name, namespace }, i, policies) => [
    name,
    namespace,
    Object.entries(PODS)
      .filter(([, pod]) => policies[i] !== undefined && isolates(policies[i], pod, 'ingress'))
      .map(([pod]) => pod),
  ]);
  expect(isolated).toEqual([
    ['a', 'shop', ['frontend', 'backend', 'db']],
    ['b', 'lab', ['bench', 'newcomer']],
    ['c', '', []],
  ]);
});

/** The texts of problems, each of which has the path of its field. */
function textsOf(problems: ReadPolicy['problems']): string[] {
  return problems.map(({ field, problem, remedy }) => {
    expect(problem.raw).toContain(
      field.length === 2 && field[0] === 'spec' ? String(field[1]) : formatPath(field),
    );
    return `${problem.raw}; ${remedy.raw}`;
  });
}

function readSpec(spec: string): ReadPolicy {
  return readPolicy(networkPolicy({ spec: yaml(spec) }));
}

function networkPolicy(rest: YamlObject): YamlObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'a', namespace: 'shop' },
    ...rest,
  };
}

function yaml(text: string): YamlValue {
  return valueOf(parseYaml(text, 'the case')[0] ?? null);
}

function trafficOf(text: string): Traffic {
  const [, from = '', to = '', port, protocol = 'TCP'] = /^(\S+) > (\S+) (\d+)(?:\/(\w+))?$/.exec(text) ?? [];
  return { from: endpoint(from), to: endpoint(to), port: Number(port), protocol: protocol as Protocol };
}

function endpoint(text: string): Endpoint {
  return PODS[text] ?? { ip: new IpAddress(text) };
}
