import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { DEFAULTS } from '../../functions/guardrails/config/config';
import { readWire } from '../../functions/guardrails/krm/wire';
import { harden } from '../../functions/guardrails/rules/harden';
import { run } from '../../functions/guardrails/run';
import { type YamlObject, type YamlValue } from '../../functions/guardrails/yaml/yaml';
import {
  ALL_EDITS,
  type Case,
  GROUP_NAMES,
  KINDS,
  SIMPLEST,
  generatedCase,
  workloadOf,
} from '../support/generated-workloads';
import { useOracle } from '../support/oracle';
import { describeWithTool } from '../support/tools';

const MODULE = 'k8s.io/kubernetes v1.37.2';
const SEED = 20_261_127;
/** The shares that are asserted need about a thousand. */
const RUNS = Number(process.env.API_VALIDATION_RUNS ?? 3_000);

/** Without anchors, where the generator uses an object twice. */
const PLAIN = { aliasDuplicateObjects: false };

/** An error for which the API server refuses a resource. */
interface Problem {
  readonly field: string;
  /** `FieldValueInvalid`; `Decode` for a resource that is not decoded. */
  readonly type: string;
  readonly detail: string;
}

/** What the function makes of a workload. */
interface Hardened {
  readonly input: YamlObject;
  /** By the hardening pass alone, whatever the rules report. */
  readonly alone: YamlObject;
  /** By the function: the input again, if it exits with 1. */
  readonly output: YamlObject;
  readonly exitCode: number;
}

interface Judged extends Hardened {
  readonly before: readonly Problem[];
  /** Of the two outputs. */
  readonly after: readonly Problem[];
}

async function hardened(one: Case): Promise<Hardened> {
  const input = workloadOf(one);
  const list = {
    apiVersion: 'config.kubernetes.io/v1',
    kind: 'ResourceList',
    items: [...one.beside, input],
    functionConfig: {
      apiVersion: 'todo.example.com/v1alpha1',
      kind: 'Guardrails',
      spec: { rules: { 'pinned-image': 'off' } },
    },
  };
  const text = stringify(list, PLAIN);
  const { items } = harden(readWire(text).items, undefined, DEFAULTS, () => DEFAULTS);
  const { stdout, stderr, exitCode } = await run(Buffer.from(text), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  if (exitCode !== 0 && exitCode !== 1) throw new Error(`exit ${exitCode}: ${stderr}\n${text}`);
  const { items: outputs } = parse(stdout) as { items: YamlObject[] };
  const [alone, output] = [items.at(-1)?.value, outputs.at(-1)];
  if (alone === undefined || output === undefined) throw new Error(`the workload is missing:\n${stdout}`);
  return { input, alone, output, exitCode };
}

/** Where a workload has its pods, before the field of a pod. */
const TEMPLATE = /^(?:spec\.(?:jobTemplate\.spec\.)?)?template\./;

/** What a problem is about, whatever container, volume or value it names, and whatever runs the pod. */
function kindOf({ field, type, detail }: Problem): string {
  // Where a resource is not decoded, the text alone names the field.
  return `${type} ${type === 'Decode' ? detail : field.replace(TEMPLATE, '').replace(/\[\d+\]/g, '[]')}`;
}

/** The kinds of problems that only the outputs have. Fixes move no entry of a list, so that fields keep their indices. */
function newKinds({ before, after }: Judged): string[] {
  const known = new Set(before.map(({ type, field }) => `${type} ${field}`));
  return [...new Set(after.filter(({ type, field }) => !known.has(`${type} ${field}`)).map(kindOf))];
}

function printCase({ input, before, after, exitCode }: Judged): string {
  const list = (problems: readonly Problem[]) =>
    problems.map(({ field, detail }) => `  ${field}: ${detail}\n`).join('') || '  none\n';
  return `${stringify(input, PLAIN)}exit code: ${exitCode}
errors before:
${list(before)}errors after:
${list(after)}`;
}

describeWithTool('go', `against the validation of ${MODULE}`, (go) => {
  const judge: (resources: readonly YamlValue[]) => Problem[][] = useOracle<Problem[]>(go, 'pod-validation');

  async function judgedOf(cases: readonly Case[]): Promise<Judged[]> {
    const all: Hardened[] = [];
    for (const one of cases) all.push(await hardened(one));
    // Each resource is asked for once, since most outputs of the function are one of the two others.
    const texts = new Set(
      all.flatMap(({ input, alone, output }) => [input, alone, output].map((one) => JSON.stringify(one))),
    );
    const answers = judge([...texts].map((text) => JSON.parse(text) as YamlValue));
    const problems = new Map([...texts].map((text, i) => [text, answers[i] ?? []]));
    const of = (resource: YamlObject) => problems.get(JSON.stringify(resource)) ?? [];
    return all.map((one) => ({
      ...one,
      before: of(one.input),
      // Both lists are one where the outputs are equal.
      after: [...new Set([of(one.alone), of(one.output)])].flat(),
    }));
  }

  describe('generated network policies', () => {
    it.each(['dev', 'prod'])('of overlays/%s are valid', (overlay) => {
      const golden = readFileSync(path.join(__dirname, `../golden/${overlay}.yaml`), 'utf8');
      const policies = parseAllDocuments(golden)
        .map((document) => document.toJS() as YamlObject)
        .filter(({ kind }) => kind === 'NetworkPolicy');
      expect(policies.length).toBeGreaterThan(0);
      expect(judge(policies)).toEqual(policies.map(() => []));
    });

    it('a mapped IPv4 range, which is in no table of ours, would not be', () => {
      const ipBlock = { cidr: '::/0', except: ['::ffff:0:0/96'] };
      const spec = { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ ipBlock }] }] };
      const policy = {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'a' },
        spec,
      };
      expect(judge([policy])[0]?.map(({ field }) => field)).toContain(
        'spec.egress[0].to[0].ipBlock.except[0]',
      );
    });
  });

  describe('the oracle', () => {
    const container = { name: 'app', image: 'example.com/app:1.0' };
    const podOf = (spec: YamlObject, annotations: YamlObject = {}): YamlObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'pod', annotations },
      spec: { containers: [container], ...spec },
    });

    it.each<[string, YamlObject, Problem[]]>([
      ['a Pod', podOf({}), []],
      [
        'an unknown field',
        podOf({ container: [] }),
        [{ field: '', type: 'Decode', detail: 'strict decoding error: unknown field "spec.container"' }],
      ],
      [
        'a request above its limit',
        podOf({
          containers: [{ ...container, resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }],
        }),
        [
          {
            field: 'spec.containers[0].resources.requests',
            type: 'FieldValueInvalid',
            detail: 'Invalid value: "2": must be less than or equal to cpu limit of 1',
          },
        ],
      ],
      [
        'a field of Linux in a Windows pod',
        podOf({ os: { name: 'windows' }, securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }),
        [
          {
            field: 'spec.securityContext.seccompProfile',
            type: 'FieldValueForbidden',
            detail: 'Forbidden: cannot be set for a windows pod',
          },
        ],
      ],
      [
        'a seccomp profile that its annotation contradicts',
        podOf(
          { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
          { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
        ),
        [
          {
            field: 'spec.securityContext.seccompProfile.type',
            type: 'FieldValueForbidden',
            detail: 'Forbidden: seccomp type in annotation and field must match',
          },
        ],
      ],
    ])('%s', (_, resource, expected) => {
      expect(judge([resource])).toEqual([expected]);
    });

    it.each(KINDS)('a %s of the generator without an edit is valid', (kind) => {
      expect(judge([workloadOf({ ...SIMPLEST, kind, initContainers: ['once', 'sidecar'] })])).toEqual([[]]);
    });
  });

  // In a Pod, and in another kind each time.
  const ALONE = ALL_EDITS.flatMap((edit, i) =>
    [KINDS[0], KINDS[1 + (i % (KINDS.length - 1))] ?? KINDS[0]].map((kind): Case => ({
      ...SIMPLEST,
      kind,
      edits: [{ edit, target: 0 }],
    })),
  );

  describe(`each value alone, and ${RUNS} generated workloads (seed ${SEED})`, () => {
    let generated: Case[];
    let ofGenerated: Judged[];
    let ofAlone: Judged[];
    beforeAll(async () => {
      generated = fc.sample(generatedCase(), { seed: SEED, numRuns: RUNS });
      ofGenerated = await judgedOf(generated);
      ofAlone = await judgedOf(ALONE);
    }, 300_000);

    it('hardening adds no kind of error that the input did not have', async () => {
      const cases = [...ALONE, ...generated];
      const judged = [...ofAlone, ...ofGenerated];
      // What is known need not be asked for again.
      const known = new Map(cases.map((one, i) => [JSON.stringify(one), judged[i] ?? missing()]));
      const resultOf = async (one: Case): Promise<Judged> => {
        const key = JSON.stringify(one);
        const result = known.get(key) ?? (await judgedOf([one]))[0] ?? missing();
        known.set(key, result);
        return result;
      };
      const reports: string[] = [];
      for (const kind of new Set(judged.flatMap(newKinds))) {
        const all = judged.filter((one) => newKinds(one).includes(kind));
        const property = fc.asyncProperty(
          generatedCase(),
          async (one) => !newKinds(await resultOf(one)).includes(kind),
        );
        const shrunk = async () => {
          const { counterexample } = await fc.check(property, { seed: SEED, numRuns: RUNS });
          return counterexample === null ? undefined : resultOf(counterexample[0]);
        };
        // A value alone is smaller than what is left of several.
        const smallest = ofAlone.find((one) => all.includes(one)) ?? (await shrunk()) ?? all[0] ?? missing();
        reports.push(`${kind} (${all.length} workloads); the smallest:\n${printCase(smallest)}`);
      }
      if (reports.length > 0) throw new Error(`${reports.length} kinds of errors:\n${reports.join('\n')}`);
    }, 300_000);

    it('most inputs are valid', () => {
      const valid = ofGenerated.filter(({ before }) => before.length === 0);
      expect(valid.length).toBeGreaterThan(RUNS / 2);
    });

    it('hardening changes nearly all, and the function passes a third or more', () => {
      const changed = ofGenerated.filter(
        ({ input, alone }) => JSON.stringify(input) !== JSON.stringify(alone),
      );
      expect(changed.length).toBeGreaterThan(RUNS * 0.95);
      const passed = ofGenerated.filter(({ exitCode }) => exitCode === 0);
      expect(passed.length).toBeGreaterThan(RUNS / 3);
    });

    it('valid inputs have values of every group and are of every kind', () => {
      const valid = generated.filter((_, i) => ofGenerated[i]?.before.length === 0);
      const rare = GROUP_NAMES.filter(
        (group) =>
          valid.filter(({ edits }) => edits.some(({ edit }) => edit.group === group)).length < RUNS / 200,
      );
      expect(rare).toEqual([]);
      const kinds = KINDS.filter((kind) => valid.filter((one) => one.kind === kind).length < RUNS / 20);
      expect(kinds).toEqual([]);
    });
  });
});

function missing(): never {
  throw new Error('a case was not judged');
}
