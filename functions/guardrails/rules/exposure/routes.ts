import type { PlacedReport } from '../../findings/finding';
import { type Placed, groupOf } from '../../krm/resource';
import { type Message, message, words } from '../../message';
import { type YamlValue, isAbsent, isObject, objectAt } from '../../yaml/yaml';
import { isPublicHost } from './hosts';

/** Routes of OpenShift that serve a public host without TLS; one without a host gets one of the cluster. */
export function checkRoutes(resources: readonly Placed[]): PlacedReport[] {
  return resources.flatMap((at): PlacedReport[] => {
    const { resource } = at;
    if (resource.kind !== 'Route' || groupOf(resource) !== 'route.openshift.io') return [];
    const spec = objectAt(resource, 'spec');
    const host = hostOf(spec.host);
    if (isObject(spec.tls) || host === undefined) return [];
    return [
      {
        at,
        report: {
          problem: message`serves ${host} without TLS`,
          remedy: words('add spec.tls, such as termination: edge'),
          field: ['spec'],
          severity: 'warning',
        },
      },
    ];
  });
}

function hostOf(host: YamlValue | undefined): Message | undefined {
  if (isAbsent(host) || host === '') return words('a host of the cluster');
  return isPublicHost(host) ? message`${host}` : undefined;
}
