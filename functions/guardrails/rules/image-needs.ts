import type { Report } from '../findings/finding';
import type { Severity } from '../krm/result';
import { type KnownImage, knownImageOf } from '../kubernetes/known-images';
import type { Container, PodSpec } from '../kubernetes/workload';
import { mountPathsOf } from '../kubernetes/writable-paths';
import { type Message, joinMessages, message, words } from '../message';
import { isAbsent, objectAt, objectsIn, textOf } from '../yaml/yaml';

/** Containers that start with the pod and run as the user of their image: no runAsUser, and runAsNonRoot is not false. */
function containersOfUnknownUser(pod: PodSpec): Container[] {
  const ofPod = objectAt(pod.value, 'securityContext').runAsUser;
  return pod.containers.filter(({ value, sort }) => {
    const { runAsUser = ofPod, runAsNonRoot } = objectAt(value, 'securityContext');
    return sort !== 'ephemeralContainer' && runAsNonRoot !== false && isAbsent(runAsUser);
  });
}

/** The needs of an application that is public knowledge; undefined for other images. */
function applicationOf({ value }: Container): KnownImage | undefined {
  const known = typeof value.image === 'string' ? knownImageOf(value.image) : undefined;
  return known?.kind === 'application' && !known.isAssumed ? known : undefined;
}

/**
 * What a pod needs to start with `runAsNonRoot: true`, and with what else is added to it; undefined if the package shows
 * that it starts. The kubelet starts neither an image of root nor one whose USER is a name.
 */
export function imageNeeds(pod: PodSpec): Message | undefined {
  const unknown: Message[] = [];
  const needs: Message[] = [];
  for (const container of containersOfUnknownUser(pod)) {
    const known = applicationOf(container);
    if (known === undefined) unknown.push(container.subject);
    else if (!known.runsRestricted) needs.push(otherImage(container, known));
    else if (known.defaultUser !== 'number')
      needs.push(message`${container.subject} needs ${valuesOf(container, known)}`);
  }
  if (unknown.length > 0)
    needs.unshift(
      message`the image of ${joinMessages(unknown, ' and of ')} must set a numeric USER other than 0`,
    );
  needs.push(...pod.containers.flatMap((one) => portNeeds(one)), ...claimNeeds(pod));
  return needs.length === 0 ? undefined : joinMessages(needs, '; ');
}

function otherImage({ subject, value }: Container, { restrictedImage }: KnownImage): Message {
  const other = restrictedImage === undefined ? '' : message`, but ${restrictedImage} does`;
  return message`the image ${textOf(value.image)} of ${subject} does not run as a non-root user with its own configuration${other}`;
}

/** `runAsUser: 999, runAsGroup: 999, a volume at /var/lib/mysql`. */
function valuesOf({ value }: Container, { uid, gid, writes }: KnownImage): Message {
  const mounted = mountPathsOf(value);
  const folders = writes.filter(({ path }) => path !== '/tmp' && mounted.at(path) === undefined);
  return joinMessages(
    [
      words(`runAsUser: ${uid}`),
      words(`runAsGroup: ${gid}`),
      ...folders.map(({ path }) => words(`a volume at ${path}`)),
    ],
    ', ',
  );
}

/** Ports below this one are privileged, unless a runtime lowers net.ipv4.ip_unprivileged_port_start. */
const FIRST_UNPRIVILEGED = 1024;

function portNeeds({ subject, value }: Container): Message[] {
  const { add } = objectAt(objectAt(value, 'securityContext'), 'capabilities');
  if (Array.isArray(add) && add.includes('NET_BIND_SERVICE')) return [];
  const ports = objectsIn(value.ports).flatMap(({ containerPort: port }) =>
    typeof port === 'number' && port < FIRST_UNPRIVILEGED ? [port] : [],
  );
  if (ports.length === 0) return [];
  return [
    message`${subject} may fail to bind port ${ports.join(' and ')} without the capability NET_BIND_SERVICE`,
  ];
}

/** The files of a new volume belong to root, unless fsGroup is set. */
function claimNeeds({ value, containers, claimTemplates }: PodSpec): Message[] {
  if (!isAbsent(objectAt(value, 'securityContext').fsGroup)) return [];
  const ofPod = objectsIn(value.volumes).filter(
    (one) => !isAbsent(one.persistentVolumeClaim) || !isAbsent(one.ephemeral),
  );
  const claims = new Set([...claimTemplates, ...ofPod.map(({ name }) => textOf(name))]);
  const mounted = containers.flatMap((one) =>
    objectsIn(one.value.volumeMounts).map(({ name }) => textOf(name)),
  );
  const used = [...new Set(mounted)].filter((name) => claims.has(name));
  return used.length === 0
    ? []
    : [message`the pod may need fsGroup to write to ${used.map((name) => `volume "${name}"`).join(' and ')}`];
}

/** The users of known images that start as root or as a user with a name. */
export function usersOfImages(pod: PodSpec, severity: Severity): Report[] {
  return containersOfUnknownUser(pod).flatMap((container): Report[] => {
    const known = applicationOf(container);
    if (!known?.runsRestricted || known.defaultUser === 'number') return [];
    const path = [...container.path, 'securityContext'];
    const { runAsGroup } = objectAt(container.value, 'securityContext');
    const ofGroup = isAbsent(runAsGroup) ? [{ path: [...path, 'runAsGroup'], value: known.gid }] : [];
    return [
      {
        problem: message`${container.subject} has no runAsUser, and its image does not set a numeric user`,
        remedy: words(`set runAsUser: ${known.uid}`),
        field: [...path, 'runAsUser'],
        container: container.name,
        severity,
        fixes: [{ path: [...path, 'runAsUser'], value: known.uid }, ...ofGroup],
      },
    ];
  });
}

/** The folders that the image of a container writes to and that keep nothing: path to size. */
export function scratchFolders(container: Container): (readonly [path: string, size: string])[] {
  const writes = applicationOf(container)?.writes ?? [];
  return writes.flatMap(({ path, size, holds }) => (holds === 'scratch' ? [[path, size] as const] : []));
}
