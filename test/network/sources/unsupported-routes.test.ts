import { annotationNames } from '../../../functions/guardrails/kubernetes/annotation-names';
import { readTopology } from '../../../functions/guardrails/network/topology';
import { messageOf, printMessage } from '../../../functions/guardrails/findings/print';
import { resourceRef } from '../../../functions/guardrails/krm/resource';
import { resourcesIn } from '../../support/network-build';

const document = (apiVersion: string, kind: string) => `apiVersion: ${apiVersion}
kind: ${kind}
metadata: {name: shop}
spec: {hosts: [shop.example.com], http: [{route: [{destination: {host: shop}}]}]}
`;

/** `severity message` of each report. */
function read(documents: readonly string[], domain?: string): string[] {
  return readTopology(resourcesIn(documents), annotationNames(domain)).reports.map(({ at, report }) => {
    const { problem, remedy, severity = 'error' } = report;
    const finding = { severity, problem, remedy, resource: resourceRef(at.resource), overlays: [] };
    return `${severity} ${printMessage(messageOf(finding), (text) => text)}`;
  });
}

test.each([
  ['networking.istio.io/v1', 'VirtualService'],
  ['networking.istio.io/v1beta1', 'VirtualService'],
  ['traefik.io/v1alpha1', 'IngressRoute'],
  ['traefik.containo.us/v1alpha1', 'IngressRouteTCP'],
  ['traefik.io/v1alpha1', 'IngressRouteUDP'],
  ['projectcontour.io/v1', 'HTTPProxy'],
  ['getambassador.io/v3alpha1', 'Mapping'],
  ['getambassador.io/v2', 'TCPMapping'],
])('%s %s is reported once', (apiVersion, kind) => {
  expect(read([document(apiVersion, kind)])).toEqual([
    `info ${kind}/shop is not understood: the Services that it leads to are not known; state the clients of those workloads in the annotation todo.example.com/accepts-from`,
  ]);
});

test.each([
  ['example.com/v1', 'VirtualService'],
  ['networking.istio.io/v1', 'DestinationRule'],
  ['networking.istio.io/v1', 'IngressRoute'],
  ['traefik.io/v1alpha1', 'Middleware'],
  ['v1', 'Mapping'],
])('%s %s is not', (apiVersion, kind) => {
  expect(read([document(apiVersion, kind)])).toEqual([]);
});

test('the annotation has the domain of the configuration', () => {
  expect(read([document('projectcontour.io/v1', 'HTTPProxy')], 'acme.test')).toEqual([
    expect.stringContaining('in the annotation acme.test/accepts-from'),
  ]);
});
