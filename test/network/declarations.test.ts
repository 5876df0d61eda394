// The grammar of the annotations about traffic.
import { annotationNames } from '../../functions/guardrails/kubernetes/annotation-names';
import { printMessage } from '../../functions/guardrails/findings/print';
import { readTopology } from '../../functions/guardrails/network/topology';
import { lineOf, resourcesIn } from '../support/network-build';

const SERVICE = `apiVersion: v1
kind: Service
metadata: { name: api, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: http }] }
`;

function read(annotations: string) {
  const workload = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  annotations: ${annotations}
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: "web:1", ports: [{ name: http, containerPort: 8080 }] }] }
`;
  const topology = readTopology(resourcesIn([workload, SERVICE]), annotationNames());
  return {
    connections: topology.connections.map(lineOf).filter((line) => !line.includes('-> dns')),
    needs: topology.needs.map(({ direction }) => direction),
    reports: topology.reports.map(({ report }) => printMessage(report.problem, (text) => text)),
  };
}

test.each<[string, string[]]>([
  ['api:80', ['Deployment/web -> Deployment/web: TCP 8080']],
  ['api:http', ['Deployment/web -> Deployment/web: TCP 8080']],
  ['api.shop.svc:80', ['Deployment/web -> Deployment/web: TCP 8080']],
  ['db.data:5432', ['Deployment/web -> data: TCP 5432']],
  ['db.data.svc.cluster.local:5432', ['Deployment/web -> data: TCP 5432']],
  // A Service of its own namespace that another package has.
  ['redis.shop:6379', ['Deployment/web -> shop: TCP 6379']],
  ['api.stripe.com:443', ['Deployment/web -> internet: TCP 443']],
  ['stats.example.org:8125/UDP', ['Deployment/web -> internet: UDP 8125']],
  ['10.0.0.5:5432', ['Deployment/web -> 10.0.0.5/32: TCP 5432']],
  ['10.0.0.0/8:5432', ['Deployment/web -> 10.0.0.0/8: TCP 5432']],
  ['[fd00::/8]:5432', ['Deployment/web -> fd00::/8: TCP 5432']],
  [
    'db.data:5432, api.stripe.com:443',
    ['Deployment/web -> data: TCP 5432', 'Deployment/web -> internet: TCP 443'],
  ],
  ['none', []],
])('connects-to: %s', (entry, connections) => {
  expect(read(`{ todo.example.com/connects-to: "${entry}" }`)).toMatchObject({ connections, reports: [] });
});

test.each<[string, string[]]>([
  ['monitoring/app=prometheus:9090', ['monitoring app=prometheus -> Deployment/web: TCP 9090']],
  [
    'monitoring/app.kubernetes.io/name=prometheus:9090',
    ['monitoring app.kubernetes.io/name=prometheus -> Deployment/web: TCP 9090'],
  ],
  ['monitoring/*:8080', ['monitoring -> Deployment/web: TCP 8080']],
  ['monitoring/*:http', ['monitoring -> Deployment/web: TCP 8080']],
  ['10.0.0.0/8:8080', ['10.0.0.0/8 -> Deployment/web: TCP 8080']],
  ['[fd00::/8]:8080', ['fd00::/8 -> Deployment/web: TCP 8080']],
  ['dns/app=resolver:53/UDP', ['dns app=resolver -> Deployment/web: UDP 53']],
  ['none', []],
])('accepts-from: %s', (entry, connections) => {
  expect(read(`{ todo.example.com/accepts-from: "${entry}" }`)).toMatchObject({ connections, reports: [] });
});

test.each<[string, string[]]>([
  ['443', ['Deployment/web -> internet: TCP 443']],
  ['443, 53/UDP', ['Deployment/web -> internet: TCP 443, UDP 53']],
  ['none', []],
])('internet-egress: %s', (entry, connections) => {
  expect(read(`{ todo.example.com/internet-egress: "${entry}" }`)).toMatchObject({
    connections,
    reports: [],
  });
});

const KEY = 'annotation todo.example.com';
test.each([
  [
    'connects-to',
    'gone:80',
    `${KEY}/connects-to has the invalid entry "gone:80": the build has no Service/gone`,
  ],
  ['connects-to', 'api', `${KEY}/connects-to has the invalid entry "api": it must be name:port`],
  ['connects-to', 'api:99', `${KEY}/connects-to refers to Service/api, which has no port 99`],
  ['connects-to', 'api:0', `${KEY}/connects-to has the invalid entry "api:0": it must be name:port`],
  ['connects-to', 'api:70000', `${KEY}/connects-to has the invalid entry "api:70000": it must be name:port`],
  ['connects-to', 'a/b:80', `${KEY}/connects-to has the invalid entry "a/b:80": it must be name:port`],
  [
    'connects-to',
    'db.data:postgres',
    `${KEY}/connects-to has the invalid entry "db.data:postgres": the build has no Service/db.data, so its port postgres is not known`,
  ],
  [
    'connects-to',
    'db.corp.internal:5432',
    `${KEY}/connects-to has the invalid entry "db.corp.internal:5432": db.corp.internal is not a public name, and its addresses are not known`,
  ],
  [
    'connects-to',
    'localhost:80',
    `${KEY}/connects-to has the invalid entry "localhost:80": localhost is not the name of another host`,
  ],
  ['connects-to', '', `${KEY}/connects-to is empty`],
  ['connects-to', 'none, api:80', `${KEY}/connects-to has none beside other entries`],
  ['internet-egress', 'https', `${KEY}/internet-egress has the invalid entry "https": it must be a port`],
  ['internet-egress', '0', `${KEY}/internet-egress has the invalid entry "0": it must be a port`],
  ...[
    'monitoring:9090',
    'monitoring/app=prometheus',
    'monitoring/app:9090',
    'Monitoring/*:9090',
    '*/*:9090',
    'monitoring/a b=c:9090',
    'monitoring/app=-x:9090',
    '10.0.0.1/8:80',
    'monitoring/*:grpc',
  ].map((entry) => [
    'accepts-from',
    entry,
    `${KEY}/accepts-from has the invalid entry ${JSON.stringify(entry)}: it must be namespace/label=value:port, namespace/*:port or range:port, with a port of the pods`,
  ]),
])('%s: %s is an error', (name = '', entry = '', report = '') => {
  expect(read(`{ todo.example.com/${name}: ${JSON.stringify(entry)} }`).reports).toEqual([report]);
});

test.each<[string, string[]]>([
  ['{}', ['ingress']],
  ['{ todo.example.com/accepts-from: none }', []],
  ['{ todo.example.com/accepts-from: "monitoring/*:8080" }', []],
  ['{ todo.example.com/accepts-from: "monitoring/*:9090" }', ['ingress']],
  ['{ todo.example.com/connects-to: none }', ['ingress']],
])('a Service without a client in the build, with %s', (annotations, needs) => {
  expect(read(annotations).needs).toEqual(needs);
});
