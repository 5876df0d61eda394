import path from 'node:path/posix';
import * as v from 'valibot';
import { ConfigError, InputError } from '../errors';
import type { Finding } from '../findings/finding';
import { type Item, lineOfItem } from '../krm/item';
import { resourceRef } from '../krm/resource';
import type { PackageDirectory } from '../kustomize/graph';
import { Message, message, words } from '../message';
import { RULES } from '../rules';
import { currentDay } from '../rules/exemptions';
import { type ListedExemption, ListedExemptions } from '../rules/listed-exemptions';
import type { FieldPath } from '../yaml/field-path';
import type { YamlNode } from '../yaml/nodes';
import { type Place, placesIn } from '../yaml/place';
import { isMergeKey, keyText, parseYaml } from '../yaml/yaml';
import type { Config } from './config';
import { parse } from './read-config';
import { CONFIG_API_VERSION, CONFIG_KIND, strict } from './schema';

/** The file of exemptions, in the folder of the Guardrails of a package. */
export const EXEMPTIONS_FILE = 'guardrails-exemptions.yaml';
export const EXEMPTIONS_KIND = 'GuardrailsExemptions';

const TEXT = v.pipe(
  v.string(),
  v.check((text) => text !== '', 'a text that is not empty'),
);
const RESOURCE = v.pipe(
  v.string(),
  v.check((text) => /^[^/]+\/[^/]+$/.test(text), 'a kind and a name, such as Deployment/web'),
);
const ENTRY = strict({
  rule: TEXT,
  resource: RESOURCE,
  namespace: v.exactOptional(TEXT),
  container: v.exactOptional(TEXT),
  reason: v.string(),
  until: v.exactOptional(v.string()),
});
const EXEMPTIONS = strict({
  apiVersion: v.literal(CONFIG_API_VERSION),
  kind: v.literal(EXEMPTIONS_KIND),
  metadata: v.optional(v.unknown()),
  spec: strict({ exemptions: v.array(ENTRY) }),
});

/** Where to look for the exemptions file. */
export interface ExemptionsPlace {
  /** Without kustomizations the items are a stream, in which no exemptions file has an effect. */
  readonly isPackage: boolean;
  /** The file of the Guardrails in use; undefined: there is none, or its file is not known. */
  readonly configFile: string | undefined;
  /** Where the items come from, if that is known. */
  readonly directory: PackageDirectory | undefined;
}

/** What the documents of kind GuardrailsExemptions say. */
export interface ReadExemptions {
  /** The entries of the exemptions file; undefined: there is none. */
  readonly listed: ListedExemptions | undefined;
  /** Warnings of those that have no effect. */
  readonly findings: readonly Finding[];
}

/**
 * Reads the exemptions file of a package.
 *
 * @throws ConfigError an unknown key, a missing or repeated one, or a wrong type; InputError a file that cannot be read
 */
export function readExemptionsFile(
  items: readonly Item[],
  { exemptions: limits, annotations }: Config,
  { isPackage, configFile, directory }: ExemptionsPlace,
): ReadExemptions {
  const all = items.filter(({ value }) => value.kind === EXEMPTIONS_KIND);
  if (!isPackage) {
    const noEffect = inStream(annotations.exemptionPrefix);
    return { listed: undefined, findings: all.map((item) => withoutEffect(item, noEffect)) };
  }
  if (configFile === undefined)
    return { listed: undefined, findings: all.map((item) => withoutEffect(item, NO_CONFIGURATION)) };
  const file = path.join(path.dirname(configFile), EXEMPTIONS_FILE);
  const documents = items.filter((item) => item.path === file);
  // Of another kind: a misspelt one is refused, not passed over.
  const own =
    documents.find(({ value }) => value.kind === EXEMPTIONS_KIND) ??
    documents.find(({ value }) => value.kind !== CONFIG_KIND);
  const others = all
    .filter((item) => item !== own)
    .map((item) => withoutEffect(item, item.path === file ? secondIn(file) : elsewhere(file)));
  if (own !== undefined) return { listed: readEntries(own, documents, limits), findings: others };
  return { listed: undefined, findings: [...others, ...checkUnread(file, documents, directory)] };
}

interface NoEffect {
  readonly problem: Message;
  readonly remedy: Message;
}

const inStream = (exemptionPrefix: string): NoEffect => ({
  problem: words('has no effect, because the input is a stream, without kustomizations'),
  remedy: words(`write the annotation ${exemptionPrefix}<rule>, or set spec.rules in the functionConfig`),
});

const NO_CONFIGURATION: NoEffect = {
  problem: words('has no effect, because there is no Guardrails configuration of the package beside it'),
  remedy: words(
    `add one to the package as ${CONFIG_KIND.toLowerCase()}.yaml, and move the exemptions to ${EXEMPTIONS_FILE} in its folder`,
  ),
};

function elsewhere(file: string): NoEffect {
  return {
    problem: words('has no effect in this file'),
    remedy: message`move its entries to ${file}`,
  };
}

function secondIn(file: string): NoEffect {
  return {
    problem: words('has no effect, because it is not the first one in its file'),
    remedy: message`move its entries to the first one in ${file}`,
  };
}

function withoutEffect({ value, path: file }: Item, noEffect: NoEffect): Finding {
  return {
    rule: 'exemption',
    severity: 'warning',
    ...noEffect,
    resource: resourceRef(value),
    overlays: [],
    source: file === undefined ? undefined : { file },
  };
}

/** A file that the directory has, and that is not among the items: it is unreadable, empty, or hidden. */
function checkUnread(
  file: string,
  documents: readonly Item[],
  directory: PackageDirectory | undefined,
): Finding[] {
  const content = documents.length > 0 ? undefined : directory?.read(file);
  if (content instanceof Message) throw new InputError(message`${file} ${content}`);
  const [hidden] = content === undefined ? [] : (directory?.documentsOf(file) ?? []);
  if (hidden === undefined) return [];
  return [
    withoutEffect(hidden, {
      problem: words('has no effect, because .krmignore excludes it'),
      remedy: words('remove the pattern that matches it from .krmignore'),
    }),
  ];
}

function readEntries(item: Item, documents: readonly Item[], limits: Config['exemptions']): ListedExemptions {
  const { value, text, path: file = '' } = item;
  const first = lineOfItem(item, documents);
  const placeInText = placesIn(text);
  const placeOf = (field: FieldPath): Place => {
    const { line, column } = placeInText(field) ?? { line: 1, column: 1 };
    return { line: first + line - 1, column };
  };
  const locate = (field: FieldPath) => message`${file}:${placeOf(field).line}`;
  refuseRepeatedKeys(parseYaml(text, file, first)[0] ?? null, [], locate);
  const { spec } = parse(EXEMPTIONS, value, locate);
  const entries = spec.exemptions.map((entry, i): ListedExemption => {
    const { rule, resource, namespace, container, reason, until } = entry;
    const field = ['spec', 'exemptions', i];
    const [kind = '', name = ''] = resource.split('/');
    return {
      rule,
      kind,
      name,
      namespace,
      container,
      reason: reason.trim(),
      end: until,
      field,
      source: { file, ...placeOf(field) },
    };
  });
  const check = { ruleIds: RULES.map(({ id }) => id), limits, today: currentDay() };
  return new ListedExemptions(resourceRef(value), entries, check);
}

/** Refuses a key that a mapping has twice: readers differ on which of them counts. @throws ConfigError */
function refuseRepeatedKeys(
  node: YamlNode | null,
  field: FieldPath,
  locate: (field: FieldPath) => Message,
): void {
  if (node?.kind === 'sequence')
    for (const [i, one] of node.items.entries()) refuseRepeatedKeys(one, [...field, i], locate);
  if (node?.kind !== 'mapping') return;
  const keys = new Set<string>();
  for (const { key, value } of node.entries) {
    const name = keyText(key);
    const path = [...field, name];
    if (keys.has(name) && !isMergeKey(key))
      throw new ConfigError(message`${locate(path)}: the key ${name} is repeated; keep one`);
    keys.add(name);
    refuseRepeatedKeys(value, path, locate);
  }
}
