import { parseAllDocuments } from 'yaml';
import { fileOfGuardrails } from '../../functions/guardrails/config/function-config';
import { readConfig } from '../../functions/guardrails/config/read-config';
import { printKrmResults } from '../../functions/guardrails/formats/krm-results';
import { type Item, readItem } from '../../functions/guardrails/krm/item';
import { judge } from '../../functions/guardrails/pipeline';
import { findingsOf } from '../../functions/guardrails/run';
import { joinDocuments, splitDocuments } from '../../functions/guardrails/yaml/text';
import type { KubernetesResource, NetworkPolicy } from './built-overlay';
import type { PackageFiles } from './package-files';
import { findKustomizeForTests } from './tools';

export interface Fixed {
  readonly files: PackageFiles;
  readonly errors: readonly string[];
  /** Every other finding. */
  readonly reported: readonly string[];
  /** Overlay to what kustomize builds of the files. */
  readonly builds: Readonly<Record<string, string>>;
}

/** The documents of a package. */
export function itemsOf(files: PackageFiles): Item[] {
  return Object.entries(files).flatMap(([file, text]) =>
    splitDocuments(text).flatMap(({ text: document, start, line }, index) => {
      const range = { start, end: start + document.length, column: 0, line };
      return readItem(document, file, range, { path: file, index, line }) ?? [];
    }),
  );
}

/** What `guardrails fix` makes of a package, with the real kustomize. */
export async function fix(files: PackageFiles, { asIs = false } = {}): Promise<Fixed> {
  const items = itemsOf(files);
  const guardrails = items.find(({ value }) => value.kind === 'Guardrails')?.value;
  const judged = await judge(items, readConfig(guardrails), {
    findKustomize: () => Promise.resolve(findKustomizeForTests()),
    configFile: fileOfGuardrails(items, guardrails),
    asIs,
  });
  const documents = new Map<string, string[]>();
  for (const { path: file = '', text } of [...judged.revision.items].sort((a, b) => a.index - b.index))
    documents.set(file, [...(documents.get(file) ?? []), text]);
  const results = printKrmResults(findingsOf(judged, []), (text) => text);
  const textsOf = (isError: boolean) =>
    results.filter(({ severity }) => (severity === 'error') === isError).map(({ message }) => message);
  return {
    files: Object.fromEntries(
      [...documents].map(([file, texts]) => [file, joinDocuments(texts)] as const).sort(),
    ),
    errors: textsOf(true),
    reported: textsOf(false),
    builds: Object.fromEntries(judged.builds.map(({ overlay = '', manifests }) => [overlay, manifests])),
  };
}

/** A package after `guardrails fix`: without errors, and a second run changes nothing. */
export async function fixed(files: PackageFiles): Promise<Fixed> {
  const first = await fix(files);
  expect(first.errors).toEqual([]);
  const second = await fix(first.files);
  expect(second.files).toEqual(first.files);
  return first;
}

/** The policies of a text, as the library yaml reads it. */
export function policiesIn(text = ''): (NetworkPolicy & KubernetesResource)[] {
  return parseAllDocuments(text)
    .map((document) => {
      if (document.errors[0] !== undefined) throw document.errors[0];
      return document.toJS() as (NetworkPolicy & KubernetesResource) | null;
    })
    .filter((one) => one !== null)
    .filter(({ kind }) => kind === 'NetworkPolicy');
}

export const namesIn = (text?: string) => policiesIn(text).map(({ metadata }) => metadata.name);

/** The specs of the policies of a text by their name. */
export const specsIn = (text?: string) =>
  Object.fromEntries(policiesIn(text).map(({ metadata, spec }) => [metadata.name, spec]));
