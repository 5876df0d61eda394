import type { Report } from '../../findings/finding';
import { isNear } from '../../kubernetes/spelling';
import type { Container } from '../../kubernetes/workload';
import { type Message, joinMessages, message, words } from '../../message';
import { containerPortsIn } from '../../network/services';
import type { FieldPath } from '../../yaml/field-path';
import { type YamlObject, isAbsent, isObject, objectAt } from '../../yaml/yaml';

const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
const HOOKS = ['postStart', 'preStop'] as const;
/** Of probes, and of hooks (core/v1, ProbeHandler and LifecycleHandler): each has exactly one. */
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;
/** Handlers with a port that may be a name. */
const WITH_PORT = ['httpGet', 'tcpSocket'] as const;

/** What a name of a port may be, in any letter case (apimachinery, validation.IsValidPortName). */
const PORT_NAME = /^[a-z0-9-]{1,15}$/i;

/** A probe or a hook of a container. */
interface Place {
  /** `readinessProbe`, `preStop hook`. */
  readonly subject: Message;
  readonly value: YamlObject;
  readonly field: FieldPath;
}

/** Probes and hooks of a container that the API server refuses, and those that name a port that it does not have. */
export function checkHandlers(container: Container): Report[] {
  const { value, path } = container;
  const lifecycle = objectAt(value, 'lifecycle');
  const places = [
    ...PROBES.map((key) => ({ subject: words(key), value: value[key], field: [...path, key] })),
    ...HOOKS.map((key) => ({
      subject: words(`${key} hook`),
      value: lifecycle[key],
      field: [...path, 'lifecycle', key],
    })),
  ];
  return places.flatMap((place) => {
    if (!isObject(place.value)) return [];
    const checked = { ...place, value: place.value };
    return [...checkNumber(checked, container), ...checkPorts(checked, container)];
  });
}

/** The API server refuses a probe with no handler, and one with two, such as one that a patch merges. */
function checkNumber({ subject, value, field }: Place, { subject: of, name }: Container): Report[] {
  const handlers = HANDLERS.filter((key) => !isAbsent(value[key]));
  if (handlers.length === 1) return [];
  const problem =
    handlers.length === 0
      ? message`${of} has a ${subject} without a handler`
      : message`${of} has a ${subject} with several handlers: ${joinMessages(handlers.map(words), ', ')}`;
  const remedy = words(
    handlers.length === 0
      ? 'add one, such as httpGet, or remove the field'
      : 'keep one; a patch sets the others to null',
  );
  return [{ problem, remedy, field, container: name }];
}

/** The kubelet looks for a name among the ports of the container alone (kubernetes, pkg/probe/util.go, ResolveContainerPort). */
function checkPorts({ subject, value, field }: Place, container: Container): Report[] {
  return WITH_PORT.flatMap((handler) => {
    const { port } = objectAt(value, handler);
    // A number in quotes is a number to the kubelet, and other text, such as a variable, is no name.
    if (typeof port !== 'string' || !PORT_NAME.test(port) || /^\d+$/.test(port)) return [];
    const names = containerPortsIn(container.value).flatMap(({ name }) => name ?? []);
    if (names.includes(port)) return [];
    return [
      {
        problem: message`${container.subject} has a ${subject} on port ${JSON.stringify(port)}, which it does not have${suggestion(port, names)}`,
        remedy: remedyFor(port, names),
        field: [...field, handler, 'port'],
        currentValue: port,
        container: container.name,
      },
    ];
  });
}

function suggestion(port: string, names: readonly string[]): Message {
  const near = names.find((name) => isNear(port.toLowerCase(), name.toLowerCase()));
  return near === undefined ? words('') : message`; did you mean ${JSON.stringify(near)}?`;
}

function remedyFor(port: string, names: readonly string[]): Message {
  return names.length === 0
    ? message`use a number, or add a port with the name ${port} to its ports`
    : message`use a number, or one of its port names: ${joinMessages(names, ', ')}`;
}
