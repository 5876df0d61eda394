import { IpAddress } from '../../functions/guardrails/network/ip-range';
import { isNetworkPolicy, readPolicy } from '../../functions/guardrails/network/policy';
import { PolicySet } from '../../functions/guardrails/network/policy-set';
import { type Endpoint, namespaceLabels } from '../../functions/guardrails/network/traffic';
import { isObject, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';
import {
  buildOverlay,
  buildText,
  furtherWorkloads,
  type KubernetesResource,
  type OverlayName,
  resourcesOf,
} from '../support/built-overlay';

/**
 * The allowed traffic, cell by cell, typed from the specification (4.2) and the decisions on it: default deny both
 * ways; ingress controller -> frontend:3000 and backend:8000; frontend -> backend:8000; backend -> internet on 443 and
 * 5432, IPv4 and IPv6, private, link-local and carrier-grade ranges excepted; DNS for both; in prod, where there is TLS,
 * ingress controller -> ACME solver:8089. Columns are ports, TCP but for `53u`, which is UDP. Further workloads are not
 * in the matrix.
 */
const DEV = `
                                       22   53  53u   80  443 3000 5432 8000 8089
frontend         -> frontend            .    .    .    .    .    .    .    .    .
frontend         -> backend             .    .    .    .    .    .    .    +    .
frontend         -> otherpod            .    .    .    .    .    .    .    .    .
frontend         -> solver              .    .    .    .    .    .    .    .    .
frontend         -> controller          .    .    .    .    .    .    .    .    .
frontend         -> neighbour           .    .    .    .    .    .    .    .    .
frontend         -> impostor            .    .    .    .    .    .    .    .    .
frontend         -> dns                 .    +    +    .    .    .    .    .    .
frontend         -> ipv4                .    .    .    .    .    .    .    .    .
frontend         -> ipv6                .    .    .    .    .    .    .    .    .
frontend         -> 10/8                .    .    .    .    .    .    .    .    .
frontend         -> 172.16/12           .    .    .    .    .    .    .    .    .
frontend         -> 192.168/16          .    .    .    .    .    .    .    .    .
frontend         -> 100.64/10           .    .    .    .    .    .    .    .    .
frontend         -> 169.254.169.254     .    .    .    .    .    .    .    .    .
frontend         -> fd00:ec2::254       .    .    .    .    .    .    .    .    .
frontend         -> node-local-dns      .    +    +    .    .    .    .    .    .
backend          -> frontend            .    .    .    .    .    .    .    .    .
backend          -> backend             .    .    .    .    .    .    .    .    .
backend          -> otherpod            .    .    .    .    .    .    .    .    .
backend          -> solver              .    .    .    .    .    .    .    .    .
backend          -> controller          .    .    .    .    .    .    .    .    .
backend          -> neighbour           .    .    .    .    .    .    .    .    .
backend          -> impostor            .    .    .    .    .    .    .    .    .
backend          -> dns                 .    +    +    .    .    .    .    .    .
backend          -> ipv4                .    .    .    .    +    .    +    .    .
backend          -> ipv6                .    .    .    .    +    .    +    .    .
backend          -> 10/8                .    .    .    .    .    .    .    .    .
backend          -> 172.16/12           .    .    .    .    .    .    .    .    .
backend          -> 192.168/16          .    .    .    .    .    .    .    .    .
backend          -> 100.64/10           .    .    .    .    .    .    .    .    .
backend          -> 169.254.169.254     .    .    .    .    .    .    .    .    .
backend          -> fd00:ec2::254       .    .    .    .    .    .    .    .    .
backend          -> node-local-dns      .    +    +    .    .    .    .    .    .
otherpod         -> frontend            .    .    .    .    .    .    .    .    .
otherpod         -> backend             .    .    .    .    .    .    .    .    .
otherpod         -> otherpod            .    .    .    .    .    .    .    .    .
otherpod         -> solver              .    .    .    .    .    .    .    .    .
otherpod         -> controller          .    .    .    .    .    .    .    .    .
otherpod         -> neighbour           .    .    .    .    .    .    .    .    .
otherpod         -> impostor            .    .    .    .    .    .    .    .    .
otherpod         -> dns                 .    .    .    .    .    .    .    .    .
otherpod         -> ipv4                .    .    .    .    .    .    .    .    .
otherpod         -> ipv6                .    .    .    .    .    .    .    .    .
otherpod         -> 10/8                .    .    .    .    .    .    .    .    .
otherpod         -> 172.16/12           .    .    .    .    .    .    .    .    .
otherpod         -> 192.168/16          .    .    .    .    .    .    .    .    .
otherpod         -> 100.64/10           .    .    .    .    .    .    .    .    .
otherpod         -> 169.254.169.254     .    .    .    .    .    .    .    .    .
otherpod         -> fd00:ec2::254       .    .    .    .    .    .    .    .    .
otherpod         -> node-local-dns      .    .    .    .    .    .    .    .    .
solver           -> frontend            .    .    .    .    .    .    .    .    .
solver           -> backend             .    .    .    .    .    .    .    .    .
solver           -> otherpod            .    .    .    .    .    .    .    .    .
solver           -> solver              .    .    .    .    .    .    .    .    .
solver           -> controller          .    .    .    .    .    .    .    .    .
solver           -> neighbour           .    .    .    .    .    .    .    .    .
solver           -> impostor            .    .    .    .    .    .    .    .    .
solver           -> dns                 .    .    .    .    .    .    .    .    .
solver           -> ipv4                .    .    .    .    .    .    .    .    .
solver           -> ipv6                .    .    .    .    .    .    .    .    .
solver           -> 10/8                .    .    .    .    .    .    .    .    .
solver           -> 172.16/12           .    .    .    .    .    .    .    .    .
solver           -> 192.168/16          .    .    .    .    .    .    .    .    .
solver           -> 100.64/10           .    .    .    .    .    .    .    .    .
solver           -> 169.254.169.254     .    .    .    .    .    .    .    .    .
solver           -> fd00:ec2::254       .    .    .    .    .    .    .    .    .
solver           -> node-local-dns      .    .    .    .    .    .    .    .    .
controller       -> frontend            .    .    .    .    .    +    .    .    .
controller       -> backend             .    .    .    .    .    .    .    +    .
controller       -> otherpod            .    .    .    .    .    .    .    .    .
controller       -> solver              .    .    .    .    .    .    .    .    .
neighbour        -> frontend            .    .    .    .    .    .    .    .    .
neighbour        -> backend             .    .    .    .    .    .    .    .    .
neighbour        -> otherpod            .    .    .    .    .    .    .    .    .
neighbour        -> solver              .    .    .    .    .    .    .    .    .
impostor         -> frontend            .    .    .    .    .    .    .    .    .
impostor         -> backend             .    .    .    .    .    .    .    .    .
impostor         -> otherpod            .    .    .    .    .    .    .    .    .
impostor         -> solver              .    .    .    .    .    .    .    .    .
dns              -> frontend            .    .    .    .    .    .    .    .    .
dns              -> backend             .    .    .    .    .    .    .    .    .
dns              -> otherpod            .    .    .    .    .    .    .    .    .
dns              -> solver              .    .    .    .    .    .    .    .    .
ipv4             -> frontend            .    .    .    .    .    .    .    .    .
ipv4             -> backend             .    .    .    .    .    .    .    .    .
ipv4             -> otherpod            .    .    .    .    .    .    .    .    .
ipv4             -> solver              .    .    .    .    .    .    .    .    .
ipv6             -> frontend            .    .    .    .    .    .    .    .    .
ipv6             -> backend             .    .    .    .    .    .    .    .    .
ipv6             -> otherpod            .    .    .    .    .    .    .    .    .
ipv6             -> solver              .    .    .    .    .    .    .    .    .
10/8             -> frontend            .    .    .    .    .    .    .    .    .
10/8             -> backend             .    .    .    .    .    .    .    .    .
10/8             -> otherpod            .    .    .    .    .    .    .    .    .
10/8             -> solver              .    .    .    .    .    .    .    .    .
172.16/12        -> frontend            .    .    .    .    .    .    .    .    .
172.16/12        -> backend             .    .    .    .    .    .    .    .    .
172.16/12        -> otherpod            .    .    .    .    .    .    .    .    .
172.16/12        -> solver              .    .    .    .    .    .    .    .    .
192.168/16       -> frontend            .    .    .    .    .    .    .    .    .
192.168/16       -> backend             .    .    .    .    .    .    .    .    .
192.168/16       -> otherpod            .    .    .    .    .    .    .    .    .
192.168/16       -> solver              .    .    .    .    .    .    .    .    .
100.64/10        -> frontend            .    .    .    .    .    .    .    .    .
100.64/10        -> backend             .    .    .    .    .    .    .    .    .
100.64/10        -> otherpod            .    .    .    .    .    .    .    .    .
100.64/10        -> solver              .    .    .    .    .    .    .    .    .
169.254.169.254  -> frontend            .    .    .    .    .    .    .    .    .
169.254.169.254  -> backend             .    .    .    .    .    .    .    .    .
169.254.169.254  -> otherpod            .    .    .    .    .    .    .    .    .
169.254.169.254  -> solver              .    .    .    .    .    .    .    .    .
fd00:ec2::254    -> frontend            .    .    .    .    .    .    .    .    .
fd00:ec2::254    -> backend             .    .    .    .    .    .    .    .    .
fd00:ec2::254    -> otherpod            .    .    .    .    .    .    .    .    .
fd00:ec2::254    -> solver              .    .    .    .    .    .    .    .    .
node-local-dns   -> frontend            .    .    .    .    .    .    .    .    .
node-local-dns   -> backend             .    .    .    .    .    .    .    .    .
node-local-dns   -> otherpod            .    .    .    .    .    .    .    .    .
node-local-dns   -> solver              .    .    .    .    .    .    .    .    .
`;
const PROD = `
                                       22   53  53u   80  443 3000 5432 8000 8089
frontend         -> frontend            .    .    .    .    .    .    .    .    .
frontend         -> backend             .    .    .    .    .    .    .    +    .
frontend         -> otherpod            .    .    .    .    .    .    .    .    .
frontend         -> solver              .    .    .    .    .    .    .    .    .
frontend         -> controller          .    .    .    .    .    .    .    .    .
frontend         -> neighbour           .    .    .    .    .    .    .    .    .
frontend         -> impostor            .    .    .    .    .    .    .    .    .
frontend         -> dns                 .    +    +    .    .    .    .    .    .
frontend         -> ipv4                .    .    .    .    .    .    .    .    .
frontend         -> ipv6                .    .    .    .    .    .    .    .    .
frontend         -> 10/8                .    .    .    .    .    .    .    .    .
frontend         -> 172.16/12           .    .    .    .    .    .    .    .    .
frontend         -> 192.168/16          .    .    .    .    .    .    .    .    .
frontend         -> 100.64/10           .    .    .    .    .    .    .    .    .
frontend         -> 169.254.169.254     .    .    .    .    .    .    .    .    .
frontend         -> fd00:ec2::254       .    .    .    .    .    .    .    .    .
frontend         -> node-local-dns      .    +    +    .    .    .    .    .    .
backend          -> frontend            .    .    .    .    .    .    .    .    .
backend          -> backend             .    .    .    .    .    .    .    .    .
backend          -> otherpod            .    .    .    .    .    .    .    .    .
backend          -> solver              .    .    .    .    .    .    .    .    .
backend          -> controller          .    .    .    .    .    .    .    .    .
backend          -> neighbour           .    .    .    .    .    .    .    .    .
backend          -> impostor            .    .    .    .    .    .    .    .    .
backend          -> dns                 .    +    +    .    .    .    .    .    .
backend          -> ipv4                .    .    .    .    +    .    +    .    .
backend          -> ipv6                .    .    .    .    +    .    +    .    .
backend          -> 10/8                .    .    .    .    .    .    .    .    .
backend          -> 172.16/12           .    .    .    .    .    .    .    .    .
backend          -> 192.168/16          .    .    .    .    .    .    .    .    .
backend          -> 100.64/10           .    .    .    .    .    .    .    .    .
backend          -> 169.254.169.254     .    .    .    .    .    .    .    .    .
backend          -> fd00:ec2::254       .    .    .    .    .    .    .    .    .
backend          -> node-local-dns      .    +    +    .    .    .    .    .    .
otherpod         -> frontend            .    .    .    .    .    .    .    .    .
otherpod         -> backend             .    .    .    .    .    .    .    .    .
otherpod         -> otherpod            .    .    .    .    .    .    .    .    .
otherpod         -> solver              .    .    .    .    .    .    .    .    .
otherpod         -> controller          .    .    .    .    .    .    .    .    .
otherpod         -> neighbour           .    .    .    .    .    .    .    .    .
otherpod         -> impostor            .    .    .    .    .    .    .    .    .
otherpod         -> dns                 .    .    .    .    .    .    .    .    .
otherpod         -> ipv4                .    .    .    .    .    .    .    .    .
otherpod         -> ipv6                .    .    .    .    .    .    .    .    .
otherpod         -> 10/8                .    .    .    .    .    .    .    .    .
otherpod         -> 172.16/12           .    .    .    .    .    .    .    .    .
otherpod         -> 192.168/16          .    .    .    .    .    .    .    .    .
otherpod         -> 100.64/10           .    .    .    .    .    .    .    .    .
otherpod         -> 169.254.169.254     .    .    .    .    .    .    .    .    .
otherpod         -> fd00:ec2::254       .    .    .    .    .    .    .    .    .
otherpod         -> node-local-dns      .    .    .    .    .    .    .    .    .
solver           -> frontend            .    .    .    .    .    .    .    .    .
solver           -> backend             .    .    .    .    .    .    .    .    .
solver           -> otherpod            .    .    .    .    .    .    .    .    .
solver           -> solver              .    .    .    .    .    .    .    .    .
solver           -> controller          .    .    .    .    .    .    .    .    .
solver           -> neighbour           .    .    .    .    .    .    .    .    .
solver           -> impostor            .    .    .    .    .    .    .    .    .
solver           -> dns                 .    .    .    .    .    .    .    .    .
solver           -> ipv4                .    .    .    .    .    .    .    .    .
solver           -> ipv6                .    .    .    .    .    .    .    .    .
solver           -> 10/8                .    .    .    .    .    .    .    .    .
solver           -> 172.16/12           .    .    .    .    .    .    .    .    .
solver           -> 192.168/16          .    .    .    .    .    .    .    .    .
solver           -> 100.64/10           .    .    .    .    .    .    .    .    .
solver           -> 169.254.169.254     .    .    .    .    .    .    .    .    .
solver           -> fd00:ec2::254       .    .    .    .    .    .    .    .    .
solver           -> node-local-dns      .    .    .    .    .    .    .    .    .
controller       -> frontend            .    .    .    .    .    +    .    .    .
controller       -> backend             .    .    .    .    .    .    .    +    .
controller       -> otherpod            .    .    .    .    .    .    .    .    .
controller       -> solver              .    .    .    .    .    .    .    .    +
neighbour        -> frontend            .    .    .    .    .    .    .    .    .
neighbour        -> backend             .    .    .    .    .    .    .    .    .
neighbour        -> otherpod            .    .    .    .    .    .    .    .    .
neighbour        -> solver              .    .    .    .    .    .    .    .    .
impostor         -> frontend            .    .    .    .    .    .    .    .    .
impostor         -> backend             .    .    .    .    .    .    .    .    .
impostor         -> otherpod            .    .    .    .    .    .    .    .    .
impostor         -> solver              .    .    .    .    .    .    .    .    .
dns              -> frontend            .    .    .    .    .    .    .    .    .
dns              -> backend             .    .    .    .    .    .    .    .    .
dns              -> otherpod            .    .    .    .    .    .    .    .    .
dns              -> solver              .    .    .    .    .    .    .    .    .
ipv4             -> frontend            .    .    .    .    .    .    .    .    .
ipv4             -> backend             .    .    .    .    .    .    .    .    .
ipv4             -> otherpod            .    .    .    .    .    .    .    .    .
ipv4             -> solver              .    .    .    .    .    .    .    .    .
ipv6             -> frontend            .    .    .    .    .    .    .    .    .
ipv6             -> backend             .    .    .    .    .    .    .    .    .
ipv6             -> otherpod            .    .    .    .    .    .    .    .    .
ipv6             -> solver              .    .    .    .    .    .    .    .    .
10/8             -> frontend            .    .    .    .    .    .    .    .    .
10/8             -> backend             .    .    .    .    .    .    .    .    .
10/8             -> otherpod            .    .    .    .    .    .    .    .    .
10/8             -> solver              .    .    .    .    .    .    .    .    .
172.16/12        -> frontend            .    .    .    .    .    .    .    .    .
172.16/12        -> backend             .    .    .    .    .    .    .    .    .
172.16/12        -> otherpod            .    .    .    .    .    .    .    .    .
172.16/12        -> solver              .    .    .    .    .    .    .    .    .
192.168/16       -> frontend            .    .    .    .    .    .    .    .    .
192.168/16       -> backend             .    .    .    .    .    .    .    .    .
192.168/16       -> otherpod            .    .    .    .    .    .    .    .    .
192.168/16       -> solver              .    .    .    .    .    .    .    .    .
100.64/10        -> frontend            .    .    .    .    .    .    .    .    .
100.64/10        -> backend             .    .    .    .    .    .    .    .    .
100.64/10        -> otherpod            .    .    .    .    .    .    .    .    .
100.64/10        -> solver              .    .    .    .    .    .    .    .    .
169.254.169.254  -> frontend            .    .    .    .    .    .    .    .    .
169.254.169.254  -> backend             .    .    .    .    .    .    .    .    .
169.254.169.254  -> otherpod            .    .    .    .    .    .    .    .    .
169.254.169.254  -> solver              .    .    .    .    .    .    .    .    .
fd00:ec2::254    -> frontend            .    .    .    .    .    .    .    .    .
fd00:ec2::254    -> backend             .    .    .    .    .    .    .    .    .
fd00:ec2::254    -> otherpod            .    .    .    .    .    .    .    .    .
fd00:ec2::254    -> solver              .    .    .    .    .    .    .    .    .
node-local-dns   -> frontend            .    .    .    .    .    .    .    .    .
node-local-dns   -> backend             .    .    .    .    .    .    .    .    .
node-local-dns   -> otherpod            .    .    .    .    .    .    .    .    .
node-local-dns   -> solver              .    .    .    .    .    .    .    .    .
`;

const NAMESPACES = { dev: 'todo-dev', prod: 'todo-prod' };

function pod(namespace: string, labels: Record<string, string>): Endpoint {
  return { namespace, labels, namespaceLabels: namespaceLabels(namespace), ports: [] };
}

function endpoints(app: string): Record<string, Endpoint> {
  const controller = {
    'app.kubernetes.io/name': 'ingress-nginx',
    'app.kubernetes.io/component': 'controller',
  };
  return {
    frontend: pod(app, { app: 'todo-frontend' }),
    backend: pod(app, { app: 'todo-backend', version: 'v1' }),
    otherpod: pod(app, { app: 'otherpod' }),
    solver: pod(app, { 'acme.cert-manager.io/http01-solver': 'true' }),
    controller: pod('ingress-nginx', controller),
    neighbour: pod('ingress-nginx', { app: 'neighbour' }),
    impostor: pod('elsewhere', { app: 'todo-frontend' }),
    dns: pod('kube-system', { 'k8s-app': 'kube-dns' }),
    ipv4: { ip: new IpAddress('104.18.7.192') },
    ipv6: { ip: new IpAddress('2606:4700::6812:7c0') },
    '10/8': { ip: new IpAddress('10.96.0.1') },
    '172.16/12': { ip: new IpAddress('172.31.255.254') },
    '192.168/16': { ip: new IpAddress('192.168.1.1') },
    '100.64/10': { ip: new IpAddress('100.127.255.254') },
    '169.254.169.254': { ip: new IpAddress('169.254.169.254') },
    'fd00:ec2::254': { ip: new IpAddress('fd00:ec2::254') },
    'node-local-dns': { ip: new IpAddress('169.254.20.10') },
  };
}

interface Cell {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly isAllowed: boolean;
}

function cellsOf(table: string): Cell[] {
  const [header = '', ...rows] = table.trim().split('\n');
  const ports = header.trim().split(/\s+/);
  return rows.flatMap((row) => {
    const [from = '', , to = '', ...cells] = row.trim().split(/\s+/);
    return ports.map((port, i) => ({ from, to, port, isAllowed: cells[i] === '+' }));
  });
}

describe.each<[OverlayName, string]>([
  ['dev', DEV],
  ['prod', PROD],
])('overlays/%s', (overlay, table) => {
  const policies = parseYaml(buildText(overlay), overlay)
    .map(valueOf)
    .filter(isObject)
    .filter(isNetworkPolicy)
    .map(readPolicy);
  const ends = endpoints(NAMESPACES[overlay]);

  test('the API accepts every policy as it is', () => {
    expect(policies.map(({ problems }) => problems)).toEqual(policies.map(() => []));
  });

  test.each(
    cellsOf(table).map(
      (cell) =>
        [`${cell.from} -> ${cell.to} ${cell.port}: ${cell.isAllowed ? 'allowed' : 'denied'}`, cell] as const,
    ),
  )('%s', (_, { from, to, port, isAllowed }) => {
    const [source, destination] = [ends[from], ends[to]];
    if (source === undefined || destination === undefined) throw new Error(`no such end: ${from}, ${to}`);
    const protocol = port.endsWith('u') ? 'UDP' : 'TCP';
    const traffic = { from: source, to: destination, port: parseInt(port), protocol } as const;
    const { allowed } = new PolicySet(policies.map(({ policy }) => policy)).verdict(traffic);
    expect(allowed).toBe(isAllowed);
  });

  test('further workloads are isolated: DNS and what the manifests name is allowed, and nothing else', () => {
    const build = buildOverlay(overlay);
    const further = furtherWorkloads(build);
    const furtherEnds = further.map(({ metadata, spec }): [string, Endpoint] => [
      metadata.name,
      pod(NAMESPACES[overlay], spec?.template.metadata?.labels ?? {}),
    ]);
    const all = [...Object.entries(ends), ...furtherEnds];
    const ports = [22, 53, 80, 443, 3000, 5432, 8000, 8080, 8089];
    const set = new PolicySet(policies.map(({ policy }) => policy));
    const pairs = furtherEnds.flatMap((one) =>
      all.flatMap((other) => [[one, other] as const, [other, one] as const]),
    );
    const unexpected = pairs.flatMap(([[from, source], [to, destination]]) =>
      ports
        .filter((port) => {
          const traffic = { from: source, to: destination, port, protocol: 'TCP' } as const;
          return set.verdict(traffic).allowed;
        })
        .filter((port) => !isNamed(build, from, to, port))
        .map((port) => `${from} -> ${to} ${port}`),
    );
    expect(unexpected).toEqual([]);
  });
});

const SPECIFIED: Readonly<Record<string, string>> = { frontend: 'todo-frontend', backend: 'todo-backend' };

/** Whether the manifests of the source name the destination: as DNS, as the internet, or as a Service of it. */
function isNamed(build: readonly KubernetesResource[], from: string, to: string, port: number): boolean {
  if (to === 'dns' || to === 'node-local-dns') return port === 53;
  const source =
    from === 'controller'
      ? resourcesOf(build, 'Ingress')
      : build.filter(
          ({ kind, metadata }) => kind !== 'Service' && metadata.name === (SPECIFIED[from] ?? from),
        );
  if (to === 'ipv4' || to === 'ipv6')
    return source.some(({ metadata }) =>
      metadata.annotations?.['todo.example.com/internet-egress']?.split(', ').includes(String(port)),
    );
  const labels = build
    .filter(({ metadata }) => metadata.name === (SPECIFIED[to] ?? to))
    .flatMap((each) => resourcesOf([each], 'Deployment'))
    .map(({ spec }) => spec?.template.metadata?.labels);
  return resourcesOf(build, 'Service').some(
    ({ metadata, spec }) =>
      JSON.stringify(source).includes(metadata.name) &&
      spec?.ports?.some(
        (each) => typeof each.targetPort === 'string' || (each.targetPort ?? each.port) === port,
      ) &&
      labels.some((label) =>
        Object.entries(spec.selector ?? {}).every(([key, value]) => label?.[key] === value),
      ),
  );
}
