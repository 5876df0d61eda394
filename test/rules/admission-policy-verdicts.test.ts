// The verdicts of admission policies, compared with those that an API server gave (test/oracles/admission-policies).
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ServedKinds } from '../../functions/guardrails/rules/admission-policy/kinds';
import { readPolicies } from '../../functions/guardrails/rules/admission-policy/policies';
import { judgedObjects } from '../../functions/guardrails/rules/admission-policy/subjects';
import { verdictsOf } from '../../functions/guardrails/rules/admission-policy/verdicts';
import { type Placed, resourceRef } from '../../functions/guardrails/krm/resource';
import type { YamlObject } from '../../functions/guardrails/yaml/yaml';

const FOLDER = path.join(__dirname, '../oracles/admission-policies');
/** Those of a request that only a cluster knows. */
const NOT_EVALUABLE = 'example.com/not-evaluable';

interface Said {
  readonly allowed: boolean;
  readonly binding?: string;
  readonly message?: string;
  readonly warnings?: readonly string[];
  readonly audit?: readonly string[];
}

const recorded = JSON.parse(readFileSync(path.join(FOLDER, 'verdicts.json'), 'utf8')) as {
  readonly objects: readonly string[];
  readonly verdicts: Readonly<Record<string, Readonly<Record<string, Said>>>>;
};
/**
 * The API server does not know the type of the variable of `optMap` over an optional of unknown type, and then finds no overload of
 * `string(s)`, `timestamp(t)` and the like. The evaluator here calls the function of the value's type.
 */
const QUIRK = 'optional-variable';
const QUIRKS = new Set(['job-limits Job/shop-dev/job-008']);

const objectsIn = (file: string): Placed[] =>
  parseAllDocuments(readFileSync(path.join(FOLDER, file), 'utf8')).map((document) => ({
    resource: document.toJS() as YamlObject,
    path: [],
  }));

/** Every cluster has the namespace default. */
const cluster = [
  ...objectsIn('cluster.yaml'),
  { resource: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } }, path: [] },
];
const objects = objectsIn('objects.yaml');
const nameOf = ({ resource }: Placed) => {
  const { kind, namespace, name } = resourceRef(resource);
  return [kind, namespace, name].filter((part) => part !== undefined).join('/');
};

const files = readdirSync(path.join(FOLDER, 'policies'));

test('20 policies and 300 objects at least, and one known difference', () => {
  expect(files.length).toBeGreaterThanOrEqual(20);
  expect(recorded.objects.length).toBeGreaterThanOrEqual(300);
  expect(recorded.objects).toEqual(objects.map(nameOf));
});

test.each(files.filter((file) => file !== `${QUIRK}.yaml`))('%s', (file) => {
  const own = objectsIn(path.join('policies', file));
  const [policy] = readPolicies(own);
  if (policy === undefined) throw new Error('the file has no policy');
  const annotations = (policy.at.resource.metadata as { annotations?: object }).annotations ?? {};
  const candidates = [...cluster, ...own, ...objects];
  const kinds = new ServedKinds(candidates);
  const judged = judgedObjects([...cluster, ...objects], kinds).filter(
    ({ template, at }) => template === undefined && objects.includes(at),
  );
  const unknown: string[] = [];
  const found: Record<string, Said> = {};
  for (const object of judged) {
    const denials: Said[] = [];
    const warnings: string[] = [];
    const audit: string[] = [];
    for (const binding of policy.bindings)
      for (const verdict of verdictsOf(policy, binding, object, { resources: candidates, areAll: true })) {
        if (verdict.is === 'unknown') {
          unknown.push(`${nameOf(object.at)}: ${verdict.reason}`);
          continue;
        }
        if (binding.actions.includes('Deny'))
          denials.push({ allowed: false, binding: binding.name, message: verdict.message });
        if (binding.actions.includes('Warn')) warnings.push(verdict.message);
        if (binding.actions.includes('Audit')) audit.push(verdict.message);
      }
    const said = {
      allowed: true,
      ...denials[0],
      ...(warnings.length > 0 ? { warnings } : {}),
      ...(audit.length > 0 ? { audit } : {}),
    };
    if (!said.allowed || warnings.length + audit.length > 0) found[nameOf(object.at)] = said;
  }
  if (NOT_EVALUABLE in annotations) {
    expect(unknown.length).toBeGreaterThan(0);
    return;
  }
  expect(unknown).toEqual([]);
  const expected = Object.entries(recorded.verdicts[policy.name] ?? {})
    .filter(([name]) => !QUIRKS.has(`${policy.name} ${name}`))
    .map(([name, { allowed, binding, message, warnings, audit }]) => [
      name,
      JSON.parse(JSON.stringify({ allowed, binding, message, warnings, audit })) as Said,
    ]);
  expect(expected.length).toBeGreaterThan(4);
  expect(found).toEqual(Object.fromEntries(expected));
});
