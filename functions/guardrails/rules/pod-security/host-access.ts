import type { Report } from '../../findings/finding';
import { securityContextHolders } from '../../kubernetes/workload';
import { message, words } from '../../message';
import { entriesIn, isAbsent, objectAt, textOf } from '../../yaml/yaml';
import type { ControlCheck } from './control-check';

const NAMESPACES = [
  ['hostNetwork', 'network'],
  ['hostPID', 'PID'],
  ['hostIPC', 'IPC'],
] as const;

export const hostNamespaces: ControlCheck = {
  id: 'hostNamespaces',
  violations: ({ value, path }) =>
    NAMESPACES.filter(([field]) => !isAbsent(value[field]) && value[field] !== false).map(
      ([field, name]) => ({
        problem: words(`pod uses the host ${name} namespace`),
        remedy: words(`remove ${field}`),
        field: [...path, field],
        currentValue: value[field],
      }),
    ),
};

export const hostPorts: ControlCheck = {
  id: 'hostPorts',
  violations: ({ containers }) =>
    containers.flatMap(({ name: container, subject, value, path }) =>
      entriesIn(value.ports).flatMap(({ hostPort }, i): Report[] => {
        if (isAbsent(hostPort) || hostPort === 0) return [];
        return [
          {
            problem: message`${subject} uses host port ${textOf(hostPort)}`,
            remedy: words('remove hostPort, and expose the pod with a Service'),
            field: [...path, 'ports', i, 'hostPort'],
            currentValue: hostPort,
            container,
          },
        ];
      }),
    ),
};

/** What the kubelet connects to. A host other than the pod lets a manifest send requests from the node. */
const HANDLERS = [
  ['livenessProbe'],
  ['readinessProbe'],
  ['startupProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
] as const;
const ACTIONS = ['httpGet', 'tcpSocket'] as const;

export const hostProbesAndHostLifecycle: ControlCheck = {
  id: 'hostProbesAndHostLifecycle',
  violations: ({ containers }) =>
    containers.flatMap(({ name: container, subject, value, path }) =>
      HANDLERS.flatMap((steps) => {
        const handler = steps.reduce(objectAt, value);
        return ACTIONS.flatMap((action): Report[] => {
          const { host } = objectAt(handler, action);
          if (isAbsent(host) || host === '') return [];
          return [
            {
              problem: message`${subject} sets the host ${textOf(host)} in ${words(steps.join('.'))}.${words(action)}`,
              remedy: words('remove host: the kubelet then connects to the pod'),
              field: [...path, ...steps, action, 'host'],
              currentValue: host,
              container,
            },
          ];
        });
      }),
    ),
};

export const windowsHostProcess: ControlCheck = {
  id: 'windowsHostProcess',
  violations: (pod) =>
    securityContextHolders(pod).flatMap(({ subject, value, path, container }): Report[] => {
      const { hostProcess } = objectAt(objectAt(value, 'securityContext'), 'windowsOptions');
      if (isAbsent(hostProcess) || hostProcess === false) return [];
      return [
        {
          problem: message`${subject} sets windowsOptions.hostProcess`,
          remedy: words('remove windowsOptions.hostProcess'),
          field: [...path, 'securityContext', 'windowsOptions', 'hostProcess'],
          currentValue: hostProcess,
          container,
        },
      ];
    }),
};
