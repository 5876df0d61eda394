import type { Report } from '../findings/finding';
import { type PodSpec, podSpecOf } from '../kubernetes/workload';
import { VOLUME_PREFIX, normalMountPath } from '../kubernetes/writable-paths';
import { message, words } from '../message';
import { type YamlObject, entriesIn, isAbsent, isObject, objectsIn, textOf } from '../yaml/yaml';
import type { Rule } from './rule';

/** A merged patch can produce volumes that kustomize builds, and that the API server or the kubelet rejects. */
export const volumes: Rule = {
  id: 'volumes',
  summary:
    'Every mount has its volume, every path one mount, every volume one name and one source; names that start with `guardrails-` are reserved',
  documentation: 'https://kubernetes.io/docs/concepts/storage/volumes/',
  check: (resource) => {
    const pod = podSpecOf(resource);
    return pod === undefined ? [] : [...checkVolumes(pod), ...checkMounts(pod)];
  },
};

function checkVolumes(pod: PodSpec): Report[] {
  const names = new Set<string>();
  return entriesIn(pod.value.volumes).flatMap((volume, i) => {
    const field = [...pod.path, 'volumes', i];
    if (typeof volume.name !== 'string')
      return [
        { problem: words('has a volume without a name'), remedy: words('give the volume a name'), field },
      ];
    const { name } = volume;
    const reports: Report[] = [];
    const sources = Object.keys(volume).filter((key) => key !== 'name' && !isAbsent(volume[key]));
    if (sources.length > 1)
      reports.push({
        problem: message`volume "${name}" has more than one source: ${sources.join(' and ')}`,
        remedy: words('keep one source; a patch that adds a volume must give it a name of its own'),
        field,
      });
    else if (name.startsWith(VOLUME_PREFIX) && !isOwn(volume))
      reports.push({
        problem: message`volume "${name}" uses a prefix that is reserved for emptyDir volumes that set only sizeLimit`,
        remedy: words(`rename it: names that start with ${VOLUME_PREFIX} are reserved`),
        field,
      });
    if (names.has(name))
      reports.push({
        problem: message`has two volumes with the name "${name}"`,
        remedy: words('rename one of them'),
        field: [...field, 'name'],
        currentValue: name,
      });
    names.add(name);
    return reports;
  });
}

function isOwn({ emptyDir }: YamlObject): boolean {
  if (!isObject(emptyDir)) return false;
  const keys = Object.keys(emptyDir).filter((key) => !isAbsent(emptyDir[key]));
  return keys.join() === 'sizeLimit';
}

const MOUNTS = [
  ['volumeMounts', 'mountPath'],
  ['volumeDevices', 'devicePath'],
] as const;

function checkMounts(pod: PodSpec): Report[] {
  const names = new Set([
    ...objectsIn(pod.value.volumes).map(({ name }) => textOf(name)),
    ...pod.claimTemplates,
  ]);
  return pod.containers.flatMap(({ name: container, subject, value, path }) => {
    const taken = new Set<string>();
    return MOUNTS.flatMap(([list, pathField]) =>
      entriesIn(value[list]).flatMap((mount) => {
        const reports: Report[] = [];
        const at = textOf(mount[pathField]);
        const report = (problem: Report['problem'], remedy: string) =>
          reports.push({ problem, remedy: words(remedy), field: [...path, list], container });
        if (!names.has(textOf(mount.name)))
          report(
            message`${subject} mounts volume "${textOf(mount.name)}", which the pod does not define`,
            'add the volume to the pod, or remove the mount',
          );
        if (taken.has(normalMountPath(at)))
          report(message`${subject} has two mounts at ${at}`, 'remove one of the mounts');
        taken.add(normalMountPath(at));
        return reports;
      }),
    );
  });
}
