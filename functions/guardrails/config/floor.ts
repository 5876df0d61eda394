import { ConfigError } from '../errors';
import type { Finding } from '../findings/finding';
import { DIGEST_MODES, RegistryPattern } from '../kubernetes/image-policy';
import { compareQuantities, parseQuantity } from '../kubernetes/quantity';
import { type Message, message, words } from '../message';
import { type FieldPath, formatPath, valueAt } from '../yaml/field-path';
import { type YamlObject, type YamlValue, isObject, objectAt, textOf } from '../yaml/yaml';
import { type Config, DEFAULTS } from './config';
import { type Locate, locationOf, readConfig } from './read-config';
import { CONFIG_KIND } from './schema';

/** What an organisation requires of its repositories. A repository may be stricter, never looser. */
export interface Floor {
  /** As it is written. */
  readonly document: YamlObject;
  readonly locate: Locate;
  /** What holds where a repository says nothing. */
  readonly defaults: Config;
  readonly config: Config;
}

type IsLooser = (own: YamlValue, floor: YamlValue) => boolean;

interface Setting {
  /** From `spec`, or from an entry of `spec.environments`. `*` stands for each key. */
  readonly key: FieldPath;
  /** Whether a repository's value is looser than the floor's. */
  readonly isLooser: IsLooser;
  /** An environment of a floor may have it, because it has its strictest value where a repository says nothing. */
  readonly inEnvironments?: true;
}

/** What a floor may set. A value without an order must be the floor's. */
const SETTINGS: readonly Setting[] = [
  {
    key: ['rules', '*'],
    isLooser: isBelow(['error', 'warning', 'off']),
    inEnvironments: true,
  },
  { key: ['podSecurity', 'level'], isLooser: isBelow(['restricted', 'baseline']), inEnvironments: true },
  // A newer version of Pod Security has more controls, and allows more sysctls.
  { key: ['podSecurity', 'version'], isLooser: isOther },
  { key: ['kubernetesVersion'], isLooser: isOther },
  { key: ['resources', 'add'], isLooser: isBelow(['all', 'requests', 'none']), inEnvironments: true },
  { key: ['resources', 'limits', '*'], isLooser: isLargerLimit },
  { key: ['resources', 'requests', '*'], isLooser: (own, floor) => own === null && floor !== null },
  { key: ['resources', 'max', '*'], isLooser: isLargerLimit },
  { key: ['images', 'registries'], isLooser: allowsMore },
  { key: ['images', 'digest'], isLooser: isBelow(DIGEST_MODES) },
  { key: ['probes', 'add'], isLooser: isBelow([true, false]) },
  { key: ['harden'], isLooser: isBelow(['all', 'safe']), inEnvironments: true },
  { key: ['network', '*', '*'], isLooser: isOther },
  { key: ['network', 'defaultDeny'], isLooser: isOther },
  { key: ['network', 'mesh'], isLooser: isOther },
  { key: ['network', 'unresolved'], isLooser: isBelow(['error', 'warning']), inEnvironments: true },
  { key: ['exemptions', 'maxDays'], isLooser: (own, floor) => Number(own) > Number(floor) },
  { key: ['complete'], isLooser: isBelow([true, false]) },
  { key: ['kustomizeVersion'], isLooser: isOther },
  // What the floor lists is added to what the repository lists.
  { key: ['neverExempt'], isLooser: () => false },
  { key: ['overlays'], isLooser: () => false },
];

/** @param strictestFirst the values of a setting */
function isBelow(strictestFirst: readonly YamlValue[]): IsLooser {
  const rank = (value: YamlValue) => strictestFirst.indexOf(value);
  return (own, floor) => rank(own) > rank(floor);
}

function isOther(own: YamlValue, floor: YamlValue): boolean {
  return JSON.stringify(own) !== JSON.stringify(floor);
}

function isLargerLimit(own: YamlValue, floor: YamlValue): boolean {
  const [written, most] = [parseQuantity(own), parseQuantity(floor)];
  return most !== undefined && (written === undefined || compareQuantities(written, most) > 0);
}

/** Whether an entry allows registries or repositories that no entry of the floor allows. */
function allowsMore(own: YamlValue, floor: YamlValue): boolean {
  const patternsIn = (value: YamlValue) =>
    Array.isArray(value) ? value.map((one) => new RegistryPattern(textOf(one))) : [];
  const required = patternsIn(floor);
  return patternsIn(own).some((pattern) => !required.some((one) => one.includes(pattern)));
}

/** @throws ConfigError an invalid document, or a setting that a floor cannot have */
export function readFloor(document: YamlObject, locate: Locate): Floor {
  const refuse = (field: FieldPath, problem: Message) => {
    throw new ConfigError(message`${locationOf(locate(field))}: ${problem}`);
  };
  if (document.kind !== CONFIG_KIND) refuse(['kind'], message`a floor must be of kind ${words(CONFIG_KIND)}`);
  const config = readConfig(document, locate);
  for (const environment of [undefined, ...config.environments.keys()]) {
    const allowed = SETTINGS.filter(({ inEnvironments }) => environment === undefined || inEnvironments);
    for (const { field, setting } of settingsIn(document, environment)) {
      if (setting !== undefined && allowed.includes(setting)) continue;
      const names = allowed.map(({ key }) => key.join('.')).join(', ');
      refuse(field, message`${formatPath(field)} cannot be set by a floor; use ${words(names)}`);
    }
  }
  const {
    podSecurity,
    resourceDefaults,
    network,
    kustomizeVersion,
    kubernetesMinor,
    complete,
    images,
    probes,
  } = config;
  const defaults = {
    ...DEFAULTS,
    podSecurity: { ...DEFAULTS.podSecurity, minor: podSecurity.minor },
    resourceDefaults: { ...resourceDefaults, add: DEFAULTS.resourceDefaults.add },
    network,
    images,
    probes,
    kustomizeVersion,
    kubernetesMinor,
    complete,
  };
  return { document, locate, defaults, config };
}

/**
 * Reads a functionConfig of a repository that a floor binds. Where it says nothing, the stricter of default and floor
 * holds.
 *
 * @returns with an error in `loosenings` for each setting that is looser than the floor's
 */
export function readConfigAbove(
  floor: Floor | undefined,
  functionConfig: YamlValue | undefined,
  locate: Locate = () => undefined,
): Config {
  if (floor === undefined) return readConfig(functionConfig, locate);
  const config = readConfig(functionConfig, locate, floor.defaults);
  const { document } = floor;
  const at = (...field: FieldPath) => message`the floor at ${locationOf(floor.locate(['spec', ...field]))}`;
  const { neverExempt, maxDays } = config.exemptions;
  const written = objectAt(document, 'spec');
  const listed = written.neverExempt === undefined ? [] : floor.config.exemptions.neverExempt.keys();
  const most = floor.config.exemptions.maxDays.days;
  return {
    ...config,
    exemptions: {
      neverExempt: new Map([...neverExempt, ...[...listed].map((id) => [id, at('neverExempt')] as const)]),
      maxDays:
        objectAt(written, 'exemptions').maxDays === undefined || maxDays.days < most
          ? maxDays
          : { days: most, setBy: at('exemptions', 'maxDays') },
    },
    overlays: [...config.overlays, ...floor.config.overlays],
    loosenings: isObject(functionConfig) ? looseningsOf(functionConfig, locate, floor) : [],
  };
}

/** One error for each pair of a setting of the repository and a stricter one of the floor. */
function looseningsOf(own: YamlObject, locate: Locate, floor: Floor): Finding[] {
  const environments = [own, floor.document].flatMap((one) =>
    Object.keys(objectAt(objectAt(one, 'spec'), 'environments')),
  );
  const found = new Map<string, Finding>();
  for (const environment of [undefined, ...environments]) {
    const required = effectiveIn(floor.document, environment);
    for (const [key, { field, value, setting }] of effectiveIn(own, environment)) {
      const least = required.get(key);
      if (least === undefined || setting?.isLooser(value, least.value) !== true) continue;
      found.set(JSON.stringify([field, least.field]), looseningOf(field, value, least, locate, floor));
    }
  }
  return [...found.values()];
}

function looseningOf(
  field: FieldPath,
  value: YamlValue,
  least: Written,
  locate: Locate,
  floor: Floor,
): Finding {
  const required = textOfSetting(least.value);
  return {
    rule: 'floor',
    severity: 'error',
    problem: message`${formatPath(field)} is ${textOfSetting(value)}, but ${locationOf(floor.locate(least.field))} requires ${required}`,
    remedy: message`set it to ${required}, or remove it`,
    field,
    currentValue: value,
    overlays: [],
    source: locate(field),
  };
}

function textOfSetting(value: YamlValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A setting as it is written. */
interface Written {
  readonly field: FieldPath;
  readonly value: YamlValue;
  /** undefined: no floor can set it. */
  readonly setting: Setting | undefined;
}

/** The settings that hold in an environment, by their keys: its own, else those of the top. */
function effectiveIn(document: YamlObject, environment: string | undefined): Map<string, Written> {
  const all = [
    ...settingsIn(document, undefined),
    ...(environment === undefined ? [] : settingsIn(document, environment)),
  ];
  return new Map(all.map((one) => [one.key, one]));
}

/** @param environment undefined: the settings of the top */
function settingsIn(document: YamlObject, environment: string | undefined): (Written & { key: string })[] {
  const start = environment === undefined ? ['spec'] : ['spec', 'environments', environment];
  const written = valueAt(document, start);
  if (!isObject(written)) return [];
  const { allow, ...others } = written;
  const turnedOff = Array.isArray(allow) ? allow : [];
  return [
    ...turnedOff.map((id, i) => ({
      key: JSON.stringify(['rules', id]),
      field: [...start, 'allow', i],
      value: 'off',
      setting: SETTINGS.find(({ key }) => key[0] === 'rules'),
    })),
    ...leavesOf(others, SETTINGS, 0)
      .filter(({ field }) => field[0] !== 'environments')
      .map(({ field, value, setting }) => ({
        key: JSON.stringify(field),
        field: [...start, ...field],
        // YAML reads a plain `off` as false.
        value: field[0] === 'rules' && value === false ? 'off' : value,
        setting,
      })),
  ];
}

/** The values at the depth of the settings that match their keys. */
function leavesOf(value: YamlObject, settings: readonly Setting[], depth: number): Written[] {
  return Object.entries(value).flatMap(([name, child]) => {
    const matching = settings.filter(({ key }) => key[depth] === name || key[depth] === '*');
    const setting = matching.find(({ key }) => key.length === depth + 1);
    if (setting !== undefined || matching.length === 0 || !isObject(child))
      return [{ field: [name], value: child, setting }];
    return leavesOf(child, matching, depth + 1).map((leaf) => ({ ...leaf, field: [name, ...leaf.field] }));
  });
}
