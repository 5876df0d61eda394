import { formatPath } from '../yaml/field-path';
import { type YamlObject, isObject, textOf } from '../yaml/yaml';
import { type PodSpec, isAbsent, entriesIn, objectsIn, podSpecOf } from '../kubernetes/workload';
import { VOLUME_PREFIX, normalMountPath } from '../kubernetes/writable-paths';
import type { Finding, Rule } from './rule';

/** What a merged patch can do to volumes: kustomize builds it happily, and the API server, or the kubelet, refuses it. */
export const volumes: Rule = {
  id: 'volumes',
  summary: 'Every mount has its volume, every path one mount, every volume one name and one source',
  why: 'https://kubernetes.io/docs/concepts/storage/volumes/',
  check: (resource) => {
    const pod = podSpecOf(resource);
    return pod === undefined ? [] : [...checkVolumes(pod), ...checkMounts(pod)];
  },
};

function checkVolumes(pod: PodSpec): Finding[] {
  const names = new Set<string>();
  return entriesIn(pod.value.volumes).flatMap((volume, i) => {
    const path = [...pod.path, 'volumes', i];
    if (typeof volume.name !== 'string')
      return [{ what: 'has a volume without a name', mend: 'give it one', field: formatPath(path) }];
    const { name } = volume;
    const findings: Finding[] = [];
    const sources = Object.keys(volume).filter((key) => key !== 'name' && !isAbsent(volume[key]));
    if (sources.length > 1)
      findings.push({
        what: `volume "${name}" has two sources: ${sources.join(' and ')}`,
        mend: 'keep one; a patch that adds a volume needs a name of its own',
        field: formatPath(path),
      });
    else if (name.startsWith(VOLUME_PREFIX) && !isOwn(volume))
      findings.push({
        what: `volume "${name}" is not the emptyDir with a sizeLimit that this name stands for`,
        mend: `names that start with ${VOLUME_PREFIX} are reserved; give it another`,
        field: formatPath(path),
      });
    if (names.has(name))
      findings.push({
        what: `two volumes have the name "${name}"`,
        mend: 'give each a name of its own',
        field: formatPath([...path, 'name']),
        currentValue: name,
      });
    names.add(name);
    return findings;
  });
}

function isOwn({ emptyDir }: YamlObject): boolean {
  if (!isObject(emptyDir)) return false;
  return (
    Object.keys(emptyDir)
      .filter((key) => !isAbsent(emptyDir[key]))
      .join() === 'sizeLimit'
  );
}

function checkMounts(pod: PodSpec): Finding[] {
  const names = new Set([
    ...objectsIn(pod.value.volumes).map(({ name }) => textOf(name)),
    ...pod.claimTemplates,
  ]);
  return pod.containers.flatMap(({ name: container, subject, value, path }) => {
    const taken = new Set<string>();
    return (
      [
        ['volumeMounts', 'mountPath'],
        ['volumeDevices', 'devicePath'],
      ] as const
    ).flatMap(([list, pathField]) =>
      entriesIn(value[list]).flatMap((mount) => {
        const findings: Finding[] = [];
        const where = normalMountPath(textOf(mount[pathField]));
        const field = formatPath([...path, list]);
        if (!names.has(textOf(mount.name)))
          findings.push({
            what: `${subject} mounts volume "${textOf(mount.name)}", which the pod does not have`,
            mend: 'add the volume, or remove the mount',
            field,
            container,
          });
        if (taken.has(where))
          findings.push({
            what: `${subject} mounts two volumes at ${textOf(mount[pathField])}`,
            mend: 'keep one',
            field,
            container,
          });
        taken.add(where);
        return findings;
      }),
    );
  });
}
