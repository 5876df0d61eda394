import path from 'node:path/posix';
import { ConfigError } from '../errors';
import type { Finding } from '../findings/finding';
import { type Item, isKustomizationFile } from '../krm/item';
import { expandLists, resourceRef } from '../krm/resource';
import type { PackageDirectory } from '../kustomize/graph';
import { placeInFile } from '../kustomize/source-place';
import { message, words } from '../message';
import { type ConfiguredPolicies, admissionPolicy, checkConfigured } from '../rules/admission-policy';
import type { YamlObject } from '../yaml/yaml';
import type { Config } from './config';

/** What the files of `spec.policies` hold. */
export interface PolicyFiles extends ConfiguredPolicies {
  /** What is wrong with the files and the policies in them, given what is built; not yet at the level of the rule. */
  readonly check: (builds: readonly (readonly YamlObject[])[]) => Finding[];
}

/**
 * Reads the files and folders of `spec.policies`.
 *
 * @param isStream the items have no files, so that missing ones are a warning
 * @throws ConfigError an entry that names nothing in the package; InputError a file that holds something else
 */
export function readPolicyFiles(
  { policyFiles: entries }: Pick<Config, 'policyFiles'>,
  items: readonly Item[],
  directory: PackageDirectory | undefined,
  isStream: boolean,
): PolicyFiles {
  const missing: string[] = [];
  const found = entries.flatMap((entry) => {
    const name = path.join(entry, '.');
    const isNamed = (file: string) => file === name || file.startsWith(`${name}/`);
    const named = items.filter(({ path: file }) => file !== undefined && isNamed(file));
    const others = [name, ...(directory?.files ?? [])].filter(
      (file) => isNamed(file) && !isKustomizationFile(file) && !named.some((one) => one.path === file),
    );
    const documents = [
      ...named,
      ...[...new Set(others)].flatMap((file) => directory?.documentsOf(file) ?? []),
    ];
    if (documents.length === 0) missing.push(entry);
    return documents;
  });
  const [first] = missing;
  if (first !== undefined && !isStream)
    throw new ConfigError(
      message`configuration: spec.policies names ${first}, which is neither a file nor a folder of resources in the package`,
    );
  const unread = missing.map((entry): Finding => ({
    severity: 'warning',
    rule: admissionPolicy.id,
    problem: message`spec.policies names ${entry}, which is not in the input, so its policies are not evaluated`,
    remedy: words('pass its documents in the input, or check the package'),
    overlays: [],
  }));
  const itemOf = new Map(found.map((item) => [item.value, item]));
  const placed = [...itemOf.keys()].flatMap((root) => expandLists(root).map((one) => ({ ...one, root })));
  return {
    policies: placed,
    check: (builds) => {
      const reports = checkConfigured(placed, builds);
      const own = reports.map(({ at, report }): Finding => {
        const root = placed.find(({ resource }) => resource === at.resource)?.root;
        const item = root && itemOf.get(root);
        const file = item?.path;
        const documents = found.filter((one) => one.path === file);
        return {
          ...report,
          rule: admissionPolicy.id,
          documentation: admissionPolicy.documentation,
          severity: report.severity ?? 'error',
          resource: resourceRef(at.resource),
          overlays: [],
          source: file === undefined ? undefined : { file, ...placeInFile(documents, item, report.field) },
        };
      });
      return [...unread, ...own];
    },
  };
}
