import { ConfigError } from '../errors';
import type { Finding, Inspected } from '../findings/finding';
import { substitute, unknownVariables, variablesOf } from '../kubernetes/substitution';
import type { PackageDirectory } from '../kustomize/graph';
import type { Package } from '../kustomize/package';
import { Message, message, words } from '../message';
import { formatPath } from '../yaml/field-path';
import { decodeText } from '../yaml/text';
import { type YamlObject, isObject, parseYaml, valueOf } from '../yaml/yaml';
import { type Config, settingsFor } from './config';

type Variables = ReadonlyMap<string, string>;

const NONE: Variables = new Map();

/** The variables that Flux replaces in the builds of a package after kustomize, from the files of `spec.substitute`. */
export class Substitutions {
  private readonly byFile = new Map<string, Variables>();

  constructor(
    private readonly config: Config,
    private readonly pkg: Package,
    private readonly directory: PackageDirectory | undefined,
  ) {}

  /** Resources with the variables of an overlay replaced. */
  replace(overlay: string, resources: readonly YamlObject[]): readonly YamlObject[] {
    const variables = this.variablesFor(overlay);
    return variables.size === 0 ? resources : resources.map((one) => substitute(one, variables));
  }

  /** Findings, where a value is unknown because of a variable, with that as the problem. */
  explain(overlay: string, found: readonly Inspected[]): Inspected[] {
    const variables = this.variablesFor(overlay);
    return found.map((one) => ({ ...one, finding: explained(one.finding, variables) }));
  }

  private variablesFor(overlay: string): Variables {
    const file = settingsFor(this.config, overlay).substitute;
    if (file === undefined) return NONE;
    const variables = this.byFile.get(file) ?? this.readVariables(file);
    this.byFile.set(file, variables);
    return variables;
  }

  /** @throws ConfigError the file is not in the package, or holds no mapping */
  private readVariables(file: string): Variables {
    const documents = this.pkg.files.get(file)?.map(({ value }) => value) ?? this.readOther(file);
    const mappings = documents.filter(isObject);
    if (mappings.length === 0)
      throw new ConfigError(
        message`configuration: substitute names ${file}, which is not a file of variables in the package; write a mapping of variables to values, or a ConfigMap`,
      );
    return new Map(mappings.flatMap((one) => [...variablesOf(one)]));
  }

  private readOther(file: string) {
    const content = this.directory?.read(file);
    if (content === undefined || content instanceof Message) return [];
    return parseYaml(decodeText(content, file), file).map(valueOf);
  }
}

function explained(finding: Finding, variables: Variables): Finding {
  const { currentValue = null, field = [], container, severity } = finding;
  const [name] = severity === 'info' ? [] : unknownVariables(currentValue, variables);
  if (name === undefined) return finding;
  const subject = container === undefined ? '' : message`container ${JSON.stringify(container)} `;
  return {
    ...finding,
    problem: message`${subject}has ${words('${')}${name}${words('}')} in ${formatPath(field)}, which Flux replaces after the build, so the value is unknown`,
    remedy: message`give ${name} a value in a file, and name the file under spec.substitute`,
  };
}
