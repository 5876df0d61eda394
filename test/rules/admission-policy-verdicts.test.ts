// The verdicts of admission policies, compared with those that an API server gave (test/oracles/admission-policies).
import { existsSync, readFileSync, readdirSync } from 'node:fs';
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

const recorded = existsSync(path.join(FOLDER, 'verdicts.json'))
  ? (JSON.parse(readFileSync(path.join(FOLDER, 'verdicts.json'), 'utf8')) as {
      kubernetes: string;
      objects: string[];
      verdicts: Record<string, Record<string, Said>>;
    })
  : undefined;

const objectsIn = (file: string): Placed[] =>
  parseAllDocuments(readFileSync(path.join(FOLDER, file), 'utf8')).map((document) => ({
    resource: document.toJS() as YamlObject,
    path: [],
  }));

const cluster = objectsIn('cluster.yaml');
const objects = objectsIn('objects.yaml');
const nameOf = ({ resource }: Placed) => {
  const { kind, namespace, name } = resourceRef(resource);
  return [kind, namespace, name].filter((part) => part !== undefined).join('/');
};

test.each(readdirSync(path.join(FOLDER, 'policies')))('%s', (file) => {
  const files = objectsIn(path.join('policies', file));
  const [policy] = readPolicies(files);
  if (policy === undefined) throw new Error('the file has no policy');
  const isEvaluable = resourceRef(policy.at.resource).name !== undefined;
  const annotations = (policy.at.resource.metadata as { annotations?: object }).annotations ?? {};
  const candidates = [...cluster, ...files, ...objects];
  const kinds = new ServedKinds(candidates);
  const judged = judgedObjects([...cluster, ...objects], kinds).filter(
    ({ isPodOfTemplate, at }) => !isPodOfTemplate && objects.includes(at),
  );
  expect(isEvaluable).toBe(true);
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
        if (binding.actions.includes('Warn'))
          warnings.push(
            `Validation failed for ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}': ${verdict.message}`,
          );
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
  const expected = recorded?.verdicts[policy.name];
  if (expected === undefined) {
    console.log(
      file,
      judged.length,
      Object.keys(found).length,
      [
        ...new Set(Object.values(found).map((one) => one.message ?? one.warnings?.[0] ?? one.audit?.[0])),
      ].slice(0, 6),
    );
    return;
  }
  const withoutReason = Object.fromEntries(
    Object.entries(expected).map(([name, { allowed, binding, message, warnings, audit }]) => [
      name,
      JSON.parse(JSON.stringify({ allowed, binding, message, warnings, audit })) as Said,
    ]),
  );
  expect(found).toEqual(withoutReason);
});
