import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '../../functions/guardrails/config/read-config';
import type { Result } from '../../functions/guardrails/krm/result';
import { printKrmResults } from '../../functions/guardrails/formats/krm-results';
import { judge } from '../../functions/guardrails/pipeline';
import { run } from '../../functions/guardrails/run';
import { parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';
import { itemsOf } from './fix-package';
import type { PackageFiles } from './package-files';
import { findKustomizeForTests } from './tools';

type Spec = Record<string, unknown>;

/** The findings of a rule in a complete build, as YAML documents: `severity Kind/name field: problem; remedy`. */
export async function findingsOf(rule: string, documents: string, spec: Spec = {}): Promise<string[]> {
  const items = parseAllDocuments(documents).map((one) => one.toJS() as Spec | null);
  const functionConfig = {
    apiVersion: 'todo.example.com/v1alpha1',
    kind: 'Guardrails',
    metadata: { name: 'guardrails' },
    spec: { complete: true, ...spec },
  };
  const list = {
    apiVersion: 'config.kubernetes.io/v1',
    kind: 'ResourceList',
    items: items.filter((one) => one !== null),
    functionConfig,
  };
  const results = await resultsOf(list);
  return results.filter(({ tags }) => tags?.rule === rule).map(lineOf);
}

/** The findings of a rule in a stream of resources, without remedies: `severity Kind/name field: problem`. */
export async function problemsOf(rule: string, items: readonly Spec[], spec?: Spec): Promise<string[]> {
  const functionConfig = spec && { apiVersion: 'todo.example.com/v1alpha1', kind: 'Guardrails', spec };
  const list = { apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items, functionConfig };
  return (await resultsOf(list))
    .filter(({ tags }) => tags?.rule === rule)
    .map((result) => lineOf(result).split('; ')[0] ?? '');
}

async function resultsOf(list: object): Promise<Result[]> {
  const { stdout } = await run(Buffer.from(JSON.stringify(list)), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  return (parse(stdout) as { results?: Result[] }).results ?? [];
}

/** The findings of a rule in the overlays of a package, as the real kustomize builds them: `severity message`. */
export async function findingsInPackage(
  rule: string,
  files: PackageFiles,
  spec: Spec = {},
): Promise<string[]> {
  const config = { apiVersion: 'todo.example.com/v1alpha1', kind: 'Guardrails', spec };
  const [functionConfig] = parseYaml(JSON.stringify(config), 'configuration').map(valueOf);
  const { findings } = await judge(itemsOf(files), readConfig(functionConfig), {
    findKustomize: () => Promise.resolve(findKustomizeForTests()),
    asIs: true,
  });
  expect(findings.filter((one) => one.rule === 'build' && one.severity === 'error')).toEqual([]);
  return printKrmResults(
    findings.filter((one) => one.rule === rule),
    (text) => text,
  ).map(({ severity, message }) => `${severity} ${message}`);
}

function lineOf({ severity, field, resourceRef, message }: Result): string {
  const { kind = '', name = '' } = resourceRef ?? {};
  const text = message.replace(`${kind}/${name} `, '');
  return `${severity} ${kind}/${name} ${field?.path ?? ''}: ${text}`;
}
