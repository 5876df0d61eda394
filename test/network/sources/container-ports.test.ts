import { checkBuild, readBuild, withPolicies } from '../../support/network-build';

const INGRESS = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
`;
const service = (port: string) => `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [${port}]}
`;
const pod = (containers: string, initContainers = '[]') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {initContainers: ${initContainers}, containers: ${containers}}
`;
const HTTP = '{port: 80, targetPort: http}';
const WEB = '[{name: web, image: "web:1", ports: [{name: web, containerPort: 8080}]}]';
const DNS = 'Deployment/web -> dns: UDP 53, TCP 53';
const connected = (port: string) => [`ingress-controller -> Deployment/web: ${port}`, DNS];

describe('the port that a targetPort names', () => {
  test.each([
    ['of a container', pod('[{name: a, ports: [{name: http, containerPort: 8080}]}]'), 'TCP 8080'],
    [
      'of a sidecar',
      pod(WEB, '[{name: p, restartPolicy: Always, ports: [{name: http, containerPort: 7000}]}]'),
      'TCP 7000',
    ],
    [
      'of a container, whatever sidecars call so',
      pod(
        '[{name: a, ports: [{name: http, containerPort: 8080}]}]',
        '[{name: p, restartPolicy: Always, ports: [{name: http, containerPort: 7000}]}]',
      ),
      'TCP 8080',
    ],
    [
      'of the first of two containers',
      pod(
        '[{name: a, ports: [{name: x, containerPort: 1}, {name: http, containerPort: 8080}]}, {name: b, ports: [{name: http, containerPort: 9090}]}]',
      ),
      'TCP 8080',
    ],
    [
      'of the protocol of the Service',
      pod(
        '[{name: a, ports: [{name: http, containerPort: 8080, protocol: UDP}, {name: http, containerPort: 9090}]}]',
      ),
      'TCP 9090',
    ],
    [
      'beside a plain init container',
      pod(
        '[{name: a, ports: [{name: http, containerPort: 8080}]}]',
        '[{name: m, ports: [{name: http, containerPort: 7000}]}]',
      ),
      'TCP 8080',
    ],
  ])('%s', (_, workload, port) => {
    const build = [workload, service(HTTP), INGRESS];
    expect(readBuild(build)).toMatchObject({ connections: connected(port), reports: [] });
    expect(checkBuild(withPolicies(build))).toEqual([]);
  });

  test.each([
    ['a plain init container', '[{name: m, ports: [{name: http, containerPort: 7000}]}]'],
    [
      'an init container that is restarted on failure alone',
      '[{name: m, restartPolicy: OnFailure, ports: [{name: http, containerPort: 7000}]}]',
    ],
    [
      'a plain init container after a sidecar',
      '[{name: p, restartPolicy: Always}, {name: m, ports: [{name: http, containerPort: 7000}]}]',
    ],
  ])('%s has none', (_, initContainers) => {
    expect(readBuild([pod(WEB, initContainers), service(HTTP), INGRESS])).toMatchObject({
      connections: [DNS],
      reports: [],
    });
  });

  test('a number needs no container port', () => {
    const build = [pod(WEB), service('{port: 80, targetPort: 7000}'), INGRESS];
    expect(readBuild(build)).toMatchObject({ connections: connected('TCP 7000'), reports: [] });
  });
});
