import type { Report } from '../../findings/finding';
import { type PodSpec, securityContextHolders } from '../../kubernetes/workload';
import { message, words } from '../../message';
import { type YamlValue, entriesIn, isAbsent, isObject, objectAt, textOf } from '../../yaml/yaml';
import type { ControlCheck } from './control-check';

const APPARMOR_TYPES = ['RuntimeDefault', 'Localhost'];
/** The annotation of a container, before AppArmor had a field (Kubernetes 1.30). */
const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';

export const appArmorProfile: ControlCheck = {
  id: 'appArmorProfile',
  violations: (pod) => [
    ...securityContextHolders(pod).flatMap(({ subject, value, path, container }): Report[] => {
      const profile = objectAt(value, 'securityContext').appArmorProfile;
      const type = isObject(profile) ? profile.type : profile;
      if (isAbsent(profile) || (isObject(profile) && APPARMOR_TYPES.includes(textOf(type)))) return [];
      return [
        {
          problem: isAbsent(type)
            ? message`${subject} has an AppArmor profile without a type`
            : message`${subject} has an AppArmor profile of type ${textOf(type)}`,
          remedy: words(`set the type to ${APPARMOR_TYPES.join(' or ')}`),
          field: [...path, 'securityContext', 'appArmorProfile', 'type'],
          currentValue: type,
          container,
        },
      ];
    }),
    ...appArmorAnnotations(pod),
  ],
};

function appArmorAnnotations({ metadata, path }: PodSpec): Report[] {
  return Object.entries(objectAt(metadata, 'annotations')).flatMap(([key, value]) => {
    if (!key.startsWith(APPARMOR_ANNOTATION)) return [];
    const profile = textOf(value);
    const isAllowed =
      isAbsent(value) || ['', 'runtime/default'].includes(profile) || profile.startsWith('localhost/');
    if (isAllowed) return [];
    return [
      {
        problem: message`annotation ${key} sets the AppArmor profile ${profile}`,
        remedy: words('remove the annotation, or set it to runtime/default'),
        field: [...path.slice(0, -1), 'metadata', 'annotations', key],
        currentValue: value,
        container: key.slice(APPARMOR_ANNOTATION.length),
      },
    ];
  });
}

/** SELinux type to the minor version that allows it. */
const SELINUX_TYPES = new Map([
  ['container_t', 0],
  ['container_init_t', 0],
  ['container_kvm_t', 0],
  ['container_engine_t', 31],
]);

export const seLinuxOptions: ControlCheck = {
  id: 'seLinuxOptions',
  violations: (pod, { minor }) =>
    securityContextHolders(pod).flatMap(({ subject, value, path, container }) => {
      const options = objectAt(objectAt(value, 'securityContext'), 'seLinuxOptions');
      return (['type', 'user', 'role'] as const).flatMap((key): Report[] => {
        const option = options[key];
        const isAllowed = key === 'type' && allows(SELINUX_TYPES, option, minor);
        if (isAbsent(option) || option === '' || isAllowed) return [];
        const types = [...SELINUX_TYPES.keys()].filter((type) => allows(SELINUX_TYPES, type, minor));
        return [
          {
            problem: message`${subject} sets the SELinux ${words(key)} ${textOf(option)}`,
            remedy: words(
              key === 'type'
                ? `remove it, or use one of ${types.join(', ')}`
                : `remove seLinuxOptions.${key}`,
            ),
            field: [...path, 'securityContext', 'seLinuxOptions', key],
            currentValue: option,
            container,
          },
        ];
      });
    }),
};

export const procMount: ControlCheck = { id: 'procMount', violations: procMounts };
export const procMountRestricted: ControlCheck = { id: 'procMount_restricted', violations: procMounts };

function procMounts({ containers }: PodSpec): Report[] {
  return containers.flatMap(({ name: container, subject, value, path }): Report[] => {
    const mount = objectAt(value, 'securityContext').procMount;
    if (isAbsent(mount) || mount === 'Default') return [];
    return [
      {
        problem: message`${subject} sets procMount to ${textOf(mount)}`,
        remedy: words('remove procMount'),
        field: [...path, 'securityContext', 'procMount'],
        currentValue: mount,
        container,
      },
    ];
  });
}

/** Sysctl to the minor version that allows it: those that the kernel keeps apart for each pod. */
const SYSCTLS = new Map([
  ['kernel.shm_rmid_forced', 0],
  ['net.ipv4.ip_local_port_range', 0],
  ['net.ipv4.tcp_syncookies', 0],
  ['net.ipv4.ping_group_range', 0],
  ['net.ipv4.ip_unprivileged_port_start', 0],
  ['net.ipv4.ip_local_reserved_ports', 27],
  ['net.ipv4.tcp_keepalive_time', 29],
  ['net.ipv4.tcp_fin_timeout', 29],
  ['net.ipv4.tcp_keepalive_intvl', 29],
  ['net.ipv4.tcp_keepalive_probes', 29],
  ['net.ipv4.tcp_rmem', 32],
  ['net.ipv4.tcp_wmem', 32],
  ['net.ipv4.tcp_slow_start_after_idle', 37],
  ['net.ipv4.tcp_notsent_lowat', 37],
]);

export const sysctls: ControlCheck = {
  id: 'sysctls',
  violations: ({ value, path }, { minor }) =>
    entriesIn(objectAt(value, 'securityContext').sysctls).flatMap(({ name }, i): Report[] => {
      if (allows(SYSCTLS, name, minor)) return [];
      const since = SYSCTLS.get(textOf(name));
      return [
        {
          problem: message`pod sets the sysctl ${textOf(name)}`,
          remedy:
            since === undefined
              ? words('remove it from sysctls')
              : words(`remove it from sysctls; v1.${since} and later allow it`),
          field: [...path, 'securityContext', 'sysctls', i, 'name'],
          currentValue: name,
        },
      ];
    }),
};

/** Whether a value is allowed by a minor version of the standards. */
function allows(since: ReadonlyMap<string, number>, value: YamlValue | undefined, minor: number): boolean {
  const from = since.get(textOf(value));
  return from !== undefined && from <= minor;
}
