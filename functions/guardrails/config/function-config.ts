import { ConfigError } from '../errors';
import { type Item, pathOf } from '../krm/item';
import { message } from '../message';
import { placesIn } from '../yaml/place';
import { type YamlValue, isObject, objectsIn } from '../yaml/yaml';
import type { Locate } from './read-config';
import { CONFIG_KIND } from './schema';

/**
 * Reads the configuration that the Kptfile's pipeline gives the function; without a Kptfile, the only one there is.
 *
 * @param read makes a configuration of the functionConfig, and locates fields of it in messages
 * @throws ConfigError several configurations
 */
export function readFunctionConfig<Config>(
  items: readonly Item[],
  read: (functionConfig: YamlValue | undefined, locate?: Locate) => Config,
): Config {
  const item = functionConfigIn(items);
  if (item === undefined) return read(undefined);
  return read(item.value, locateIn(item));
}

/** Finds the fields of an item in its file. */
export function locateIn({ path: file = '', line = 1, text }: Item): Locate {
  const placeOf = placesIn(text);
  return (field) => ({ file, line: line - 1 + (placeOf(field)?.line ?? 1) });
}

/** The functionConfig of a package: what `readFunctionConfig` reads. @throws ConfigError several configurations */
export function functionConfigIn(items: readonly Item[]): Item | undefined {
  const [first, ...more] = functionConfigsIn(items);
  if (first !== undefined && more.length > 0)
    throw new ConfigError(
      message`the package has several Guardrails configurations: ${[first, ...more].map(({ path: file }) => file).join(' and ')}; keep one`,
    );
  return first;
}

/**
 * The file of a Guardrails that is the functionConfig; undefined for a functionConfig of another kind, and where its file
 * is not known.
 *
 * @param functionConfig as it came in a ResourceList, with the annotation that names its file, if kpt sends one
 */
export function fileOfGuardrails(
  items: readonly Item[],
  functionConfig: YamlValue | undefined,
): string | undefined {
  if (!isObject(functionConfig) || functionConfig.kind !== CONFIG_KIND) return undefined;
  const named = pathOf(functionConfig);
  const isInPackage = items.some(({ value, path: file }) => file === named && value.kind === CONFIG_KIND);
  if (named !== undefined && isInPackage) return named;
  const [only, ...more] = functionConfigsIn(items);
  return more.length === 0 && only?.value.kind === CONFIG_KIND ? only.path : undefined;
}

function functionConfigsIn(items: readonly Item[]): Item[] {
  const guardrails = items.filter(({ value }) => value.kind === CONFIG_KIND);
  const kptfile = items.find(({ path: file }) => file === 'Kptfile');
  if (kptfile === undefined) return guardrails;
  const { pipeline } = kptfile.value;
  const steps = isObject(pipeline) ? [pipeline.mutators, pipeline.validators].flatMap(objectsIn) : [];
  const paths = steps.map(({ configPath }) => configPath).filter((one) => typeof one === 'string');
  const ours = guardrails.find(({ path: file }) => paths.includes(file ?? ''));
  if (ours !== undefined) return [ours];
  // The reader refuses one of another kind, as it does when kpt sends it.
  return paths.length === 1 ? items.filter(({ path: file }) => file === paths[0]).slice(0, 1) : [];
}
