import { ConfigError } from '../errors';
import type { Item } from '../krm/item';
import { isDefinition } from '../krm/resource';
import type { PackageDirectory } from '../kustomize/graph';
import { Message, message } from '../message';
import { decodeText } from '../yaml/text';
import { type YamlObject, isObject, parseYaml, valueOf } from '../yaml/yaml';

/**
 * The CustomResourceDefinitions in the files of `spec.schemas`.
 *
 * @param directory where the items come from, if that is known
 * @param isPackage false for a stream, which carries no other files
 * @throws ConfigError a file that is not in the package, or has none; InputError a file that is not YAML
 */
export function readSchemas(
  files: readonly string[],
  items: readonly Item[],
  directory: PackageDirectory | undefined,
  isPackage: boolean,
): YamlObject[] {
  return files.flatMap((file) => {
    const inItems = items.filter(({ path }) => path === file).map(({ value }) => value);
    const documents = inItems.length > 0 ? inItems : readOther(file, directory);
    const definitions = documents.filter(isDefinition);
    if (definitions.length === 0 && (isPackage || directory !== undefined))
      throw new ConfigError(
        message`configuration: schemas names ${file}, which is not a file with CustomResourceDefinitions in the package; write their path from the root of the package`,
      );
    return definitions;
  });
}

function readOther(file: string, directory: PackageDirectory | undefined): YamlObject[] {
  const content = directory?.read(file);
  if (content === undefined || content instanceof Message) return [];
  return parseYaml(decodeText(content, file), file).map(valueOf).filter(isObject);
}
