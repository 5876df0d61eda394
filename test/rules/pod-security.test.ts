import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { DEFAULTS } from '../../functions/guardrails/config/config';
import { printMessage } from '../../functions/guardrails/findings/print';
import type { Result } from '../../functions/guardrails/krm/result';
import { inspect } from '../../functions/guardrails/rules/inspect';
import { run } from '../../functions/guardrails/run';
import { formatPath } from '../../functions/guardrails/yaml/field-path';
import {
  type YamlObject,
  type YamlValue,
  isObject,
  objectAt,
  parseYaml,
  valueOf,
} from '../../functions/guardrails/yaml/yaml';
import {
  ALL_EDITS,
  CONTROLS,
  type Case,
  KINDS,
  type Level,
  SIMPLEST,
  VERSIONS,
  generatedCase,
  podOf,
  wrapped,
} from '../support/generated-pods';
import { useOracle } from '../support/oracle';
import { describeWithTool } from '../support/tools';

/** Pod Security admission; its newest version is also the newest that the rules know. */
const MODULE = 'k8s.io/pod-security-admission@v0.37.2';
const LEVELS = ['baseline', 'restricted'] as const;
/** Below `baseline` and `restricted`, v1.25 to v1.37. */
const FIXTURES = 1732;

/** The rules that together are Pod Security. */
const RULES = ['pod-security', 'run-as-non-root', 'seccomp-profile', 'privilege-escalation', 'capabilities'];

const SEED = 20_261_127;
/** The shares that are asserted need about a thousand. */
const RUNS = Number(process.env.POD_SECURITY_RUNS ?? 5_000);

interface Question {
  readonly level: Level;
  /** `v1.30` or `latest`. */
  readonly version: string;
  readonly pod: YamlValue;
}

/** Of the library. */
interface Verdict {
  readonly allowed: boolean;
  readonly reasons: readonly string[];
  readonly detail: string;
}

/**
 * `<rule> <field>: <problem>` of the errors for which the rules refuse each resource; empty: admitted. Each of the rules sees
 * one resource at a time; to inspect many at once saves the time of the others.
 */
function refusalsOfAll(resources: readonly YamlObject[], level: Level, version: string): string[][] {
  const minor = version === 'latest' ? Infinity : Number(version.slice('v1.'.length));
  const refusals = new Map(resources.map((resource): [YamlObject, string[]] => [resource, []]));
  const inspected = inspect(resources, {
    ...DEFAULTS,
    levels: new Map(),
    kustomization: undefined,
    scope: 'build',
    podSecurity: { level, minor },
  });
  for (const { root, finding } of inspected) {
    const { rule = '', severity, field = [], problem } = finding;
    if (severity === 'error' && RULES.includes(rule))
      refusals.get(root)?.push(`${rule} ${formatPath(field)}: ${printMessage(problem, (text) => text)}`);
  }
  return [...refusals.values()];
}

function readPod(text: string, name: string): YamlObject {
  const value = valueOf(parseYaml(text, name)[0] ?? null);
  if (!isObject(value)) throw new Error(`${name} is not a Pod`);
  return value;
}

function questionOf(one: Case): Question {
  return { level: one.level, version: one.version, pod: podOf(one) };
}

/** For each case. Of the text of the pod: the rules see what the YAML reader makes of it. */
function ownRefusals(cases: readonly Case[]): string[][] {
  const refusals = new Map<Case, string[]>();
  for (const level of LEVELS)
    for (const version of [...VERSIONS, 'latest']) {
      const group = cases.filter((one) => one.level === level && one.version === version);
      const resources = group.map((one) =>
        readPod(JSON.stringify(wrapped(podOf(one), one.kind)), 'generated.json'),
      );
      refusalsOfAll(resources, level, version).forEach((own, i) => {
        refusals.set(group[i] ?? SIMPLEST, own);
      });
    }
  return cases.map((one) => refusals.get(one) ?? ['not judged']);
}

/** A case with both verdicts; undefined where they agree. */
function disagreement(one: Case, library: Verdict | undefined, own: readonly string[]): string | undefined {
  if (library?.allowed === (own.length === 0)) return undefined;
  return [
    `level ${one.level}, version ${one.version}, in a ${one.kind}`,
    stringify(podOf(one)),
    `library: ${library?.allowed === true ? 'allowed' : `refused: ${library?.detail ?? ''}`}`,
    `rules: ${own.length === 0 ? 'allowed' : `refused: ${own.join('; ')}`}`,
  ].join('\n');
}

interface KnownDifference {
  readonly name: string;
  /** Of a Pod at restricted, v1.37. */
  readonly spec: YamlObject;
  /** Whether they admit it. */
  readonly library: boolean;
  readonly rules: boolean;
}

const RESTRICTED = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'app',
      image: 'example.com/app:1.0',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
};

/** Where the rules and the library differ, with the reason. The generator avoids these. */
const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    name: 'a volume with two sources: the library looks at one; the API server refuses it',
    spec: { ...RESTRICTED, volumes: [{ name: 'data', emptyDir: {}, hostPath: { path: '/' } }] },
    library: true,
    rules: false,
  },
  {
    name: 'a runAsUser below 0: the API server refuses it',
    spec: { ...RESTRICTED, securityContext: { ...RESTRICTED.securityContext, runAsUser: -1 } },
    library: true,
    rules: false,
  },
  {
    name: 'no containers and no field of the pod: the API server refuses it',
    spec: { containers: [] },
    library: true,
    rules: false,
  },
];

describeWithTool('go', `against ${MODULE}`, (go) => {
  const judge: (questions: readonly Question[]) => Verdict[] = useOracle<Verdict>(go, 'pod-security');

  describe('fixtures', () => {
    const downloaded = execFileSync(go, ['mod', 'download', '-json', MODULE], {
      cwd: tmpdir(),
      encoding: 'utf8',
    });
    const testdata = join((JSON.parse(downloaded) as { Dir: string }).Dir, 'test/testdata');
    const folders = LEVELS.flatMap((level) =>
      VERSIONS.flatMap((version) =>
        (['pass', 'fail'] as const).map((expected) => {
          const fixtures = readdirSync(join(testdata, level, version, expected)).map((file) => {
            const text = readFileSync(join(testdata, level, version, expected, file), 'utf8');
            return { name: file.replace('.yaml', ''), text, pod: readPod(text, file) };
          });
          return { level, version, expected, fixtures };
        }),
      ),
    );

    it(`there are ${FIXTURES}, and the library gives the verdict of their folder`, () => {
      const all = folders.flatMap(({ fixtures, ...folder }) =>
        fixtures.map((fixture) => ({ ...folder, ...fixture })),
      );
      expect(all).toHaveLength(FIXTURES);
      const verdicts = judge(all.map(({ level, version, pod }) => ({ level, version, pod })));
      const wrong = all.filter(({ expected }, i) => verdicts[i]?.allowed !== (expected === 'pass'));
      expect(wrong.map(({ level, version, name }) => `${level} ${version} ${name}`)).toEqual([]);
    });

    const cases = folders.flatMap((folder) => KINDS.map((kind) => ({ ...folder, kind })));
    it.each(cases)(
      '$level $version: the rules give the verdict of the folder $expected, as $kind',
      ({ level, version, expected, fixtures, kind }) => {
        const resources = fixtures.map(({ pod }) => wrapped(pod, kind));
        const all = refusalsOfAll(resources, level, version);
        const wrong = fixtures.flatMap(({ name }, i) => {
          const refusals = all[i] ?? [];
          return (refusals.length === 0) === (expected === 'pass') ? [] : [{ name, refusals }];
        });
        expect(wrong).toEqual([]);
      },
    );

    it('at baseline, what restricted alone refuses is a warning', () => {
      const pod = folders[0]?.fixtures.find(({ name }) => name === 'base')?.pod ?? {};
      const podSecurity = { level: 'baseline', minor: 37 } as const;
      const context = { ...DEFAULTS, kustomization: undefined, scope: 'build', podSecurity } as const;
      const severities = inspect([pod], context)
        .filter(({ finding: { rule = '' } }) => RULES.includes(rule))
        .map(
          ({ finding: { rule, field, severity } }) => `${severity} ${rule ?? ''} ${formatPath(field ?? [])}`,
        );
      expect(severities.sort()).toEqual([
        'warning capabilities spec.containers[0].securityContext.capabilities.drop',
        'warning capabilities spec.initContainers[0].securityContext.capabilities.drop',
        'warning privilege-escalation spec.containers[0].securityContext.allowPrivilegeEscalation',
        'warning privilege-escalation spec.initContainers[0].securityContext.allowPrivilegeEscalation',
        'warning run-as-non-root spec.securityContext.runAsNonRoot',
        'warning seccomp-profile spec.securityContext.seccompProfile.type',
      ]);
    });

    describe('hardened in a stream', () => {
      const restricted = folders.filter(({ level }) => level === 'restricted');
      const hardened = new Map<string, Hardened>();
      const key = (version: string, expected: string, name: string) => `${version} ${expected} ${name}`;

      beforeAll(async () => {
        const outcomes: { key: string; version: string; outcome: Outcome }[] = [];
        for (const { version, expected, fixtures } of restricted)
          for (const { name, text } of fixtures) {
            const outcome = await harden(text, version);
            outcomes.push({ key: key(version, expected, name), version, outcome });
          }
        const verdicts = judge(
          outcomes.map(({ version, outcome: { pod } }) => ({ level: 'restricted', version, pod })),
        );
        outcomes.forEach(({ key, outcome }, i) => {
          hardened.set(key, { ...outcome, admitted: verdicts[i]?.allowed === true });
        });
      }, 120_000);

      const of = (version: string, expected: string, name: string): Hardened => {
        const one = hardened.get(key(version, expected, name));
        if (one === undefined) throw new Error(`${name} was not run`);
        return one;
      };
      const namesOf = (version: string, expected: string) =>
        restricted
          .filter((folder) => folder.version === version && folder.expected === expected)
          .flatMap(({ fixtures }) => fixtures);

      it.each(VERSIONS)('%s: what restricted admits passes and gets none of the fields', (version) => {
        const wrong = namesOf(version, 'pass').flatMap(({ name }) => {
          const { exitCode, errors, changes, admitted } = of(version, 'pass', name);
          return exitCode === 0 && changes.length === 0 && admitted
            ? []
            : [{ name, exitCode, errors, changes, admitted }];
        });
        expect(wrong).toEqual([]);
      });

      it.each(VERSIONS)('%s: a missing field is added, and restricted admits the result', (version) => {
        const fixed = namesOf(version, 'fail').filter(({ name }) => FIXED.has(name));
        const outcomes = fixed.map(({ name }) => {
          const { exitCode, errors, changes, admitted } = of(version, 'fail', name);
          return [name, { exitCode, errors, changes, admitted }] as const;
        });
        expect(new Map(outcomes)).toEqual(
          new Map(
            [...FIXED].map(([name, changes]) => [name, { exitCode: 0, errors: [], changes, admitted: true }]),
          ),
        );
      });

      it.each(VERSIONS)('%s: any other is refused with its cause, and comes back as it was', (version) => {
        const wrong = namesOf(version, 'fail').flatMap(({ name, pod: original, text }) => {
          if (FIXED.has(name)) return [];
          const cause = CAUSES[name.replace(/\d+$/, '')];
          if (cause === undefined) return [`${name}: not in the table`];
          const [rule, ...words] = cause;
          // The message about a volume names its source.
          const sources = name.startsWith('restrictedvolumes') ? sourcesOf(original) : [];
          const { exitCode, errors, pod } = of(version, 'fail', name);
          const named = errors.some(
            (error) =>
              error.startsWith(`${rule} `) && [...words, ...sources].every((one) => error.includes(one)),
          );
          expect(pod).toEqual(parse(text));
          return exitCode === 1 && named ? [] : [`${name}: exit ${exitCode}: ${errors.join(', ')}`];
        });
        expect(wrong).toEqual([]);
      });

      it('a Windows pod gets no field of Linux', () => {
        const { pod } = of('v1.37', 'pass', 'base_windows');
        expect(pod).toMatchObject({ spec: { securityContext: { runAsNonRoot: true } } });
        const spec = objectAt(pod, 'spec');
        expect(Object.keys(objectAt(spec, 'securityContext'))).toEqual(['runAsNonRoot']);
        for (const list of [spec.containers, spec.initContainers])
          expect((list as YamlObject[]).map((container) => Object.keys(container).sort())).toEqual([
            ['image', 'name', 'resources'],
          ]);
      });
    });
  });

  describe(`${RUNS} generated pods (seed ${SEED})`, () => {
    let cases: Case[];
    let verdicts: Verdict[];
    beforeAll(() => {
      cases = fc.sample(generatedCase(), { seed: SEED, numRuns: RUNS });
      verdicts = judge(cases.map(questionOf));
    });

    it('the rules refuse what the library refuses, and nothing else', () => {
      const own = ownRefusals(cases);
      const wrong = cases.flatMap((one, i) => disagreement(one, verdicts[i], own[i] ?? []) ?? []);
      if (wrong.length === 0) return;
      // The verdicts of the cases are known; only the smaller ones have to be asked for.
      const known = new Map(
        cases.map((one, i) => [JSON.stringify(one), disagreement(one, verdicts[i], own[i] ?? [])]),
      );
      const disagrees = (one: Case) => {
        const key = JSON.stringify(one);
        if (!known.has(key))
          known.set(key, disagreement(one, judge([questionOf(one)])[0], ownRefusals([one])[0] ?? []));
        return known.get(key);
      };
      const property = fc.property(generatedCase(), (one) => disagrees(one) === undefined);
      const { counterexample } = fc.check(property, { seed: SEED, numRuns: RUNS });
      const smallest = counterexample === null ? wrong[0] : disagrees(counterexample[0]);
      throw new Error(`${wrong.length} of ${RUNS} verdicts differ; the smallest:\n${smallest ?? ''}`);
    });

    it('both verdicts are frequent, and each control decides some', () => {
      const allowed = verdicts.filter((verdict) => verdict.allowed).length;
      expect(allowed).toBeGreaterThan(RUNS * 0.3);
      expect(RUNS - allowed).toBeGreaterThan(RUNS * 0.3);
      const rare = LEVELS.flatMap((level) =>
        Object.entries(CONTROLS).flatMap(([control, { reason }]) => {
          const wanted = reason[level];
          if (wanted === undefined) return [];
          const decided = verdicts.filter(
            ({ reasons }, i) =>
              cases[i]?.level === level &&
              reasons.every((one) => one.startsWith(wanted)) &&
              reasons.length > 0,
          ).length;
          return decided < Math.floor(RUNS / 500) ? [`${control} at ${level} decided ${decided}`] : [];
        }),
      );
      expect(rare).toEqual([]);
    });

    it('at least a fifth of the values of each control are at the edge of what is allowed', () => {
      const rare = Object.keys(CONTROLS).flatMap((control) => {
        const edits = cases.flatMap((one) => one.edits).filter(({ edit }) => edit.control === control);
        const edges = edits.filter(({ edit }) => edit.isEdge);
        return edits.length > RUNS / 50 && edges.length >= edits.length / 5
          ? []
          : [`${control}: ${edges.length} of ${edits.length}`];
      });
      expect(rare).toEqual([]);
    });

    it('each change of the standards changes a verdict', () => {
      const pods = cases.map(questionOf);
      // Nothing changed in v1.26, v1.28, v1.30, v1.33 and v1.36.
      const versions = ['v1.25', 'v1.26', 'v1.27', 'v1.29', 'v1.31', 'v1.32', 'v1.34', 'v1.35', 'v1.37'];
      const allowed = versions.map((version) =>
        judge(pods.map((question) => ({ ...question, version }))).map((verdict) => verdict.allowed),
      );
      const changes = versions
        .slice(1)
        .map((_, before) => pods.filter((_, i) => allowed[before]?.[i] !== allowed[before + 1]?.[i]).length);
      expect(changes).toEqual([0, ...changes.slice(1)]);
      expect(Math.min(...changes.slice(1))).toBeGreaterThanOrEqual(Math.floor(RUNS / 2000));
    });
  });

  describe('each value of a control alone, at each level and version', () => {
    let cases: Case[];
    let verdicts: Verdict[];
    beforeAll(() => {
      const styles = ['pod', 'containers', 'both'] as const;
      cases = ALL_EDITS.flatMap((edit, i) =>
        LEVELS.flatMap((level) =>
          [...VERSIONS, 'latest'].map((version, j): Case => {
            const style = styles[(i + j) % styles.length] ?? 'pod';
            // A container of another sort each time.
            return { ...SIMPLEST, level, version, style, edits: [{ edit, target: i + j }] };
          }),
        ),
      );
      verdicts = judge(cases.map(questionOf));
    });

    it('the rules refuse what the library refuses, and nothing else', () => {
      const own = ownRefusals(cases);
      const wrong = cases.flatMap((one, i) => disagreement(one, verdicts[i], own[i] ?? []) ?? []);
      expect(wrong.slice(0, 5)).toEqual([]);
    });

    it('one at the edge is allowed somewhere, and another is refused somewhere', () => {
      const seen = new Set(
        cases.flatMap(({ edits: [only] }, i) =>
          verdicts[i]?.allowed === only?.edit.isEdge ? [only?.edit] : [],
        ),
      );
      expect(ALL_EDITS.filter((edit) => !seen.has(edit))).toEqual([]);
    });
  });

  it.each(KNOWN_DIFFERENCES)('differs on purpose: $name', ({ spec, library, rules }) => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod' }, spec };
    const question = { level: 'restricted', version: 'v1.37', pod } as const;
    expect({
      library: judge([question])[0]?.allowed,
      rules: refusalsOfAll([pod], question.level, question.version)[0]?.length === 0,
    }).toEqual({ library, rules });
  });
});

/** A run of the function on a fixture. */
interface Outcome {
  readonly exitCode: number;
  /** `<rule> <field>: <message>` of the errors of the rules. */
  readonly errors: readonly string[];
  /** `<rule> <field>` of the fixes of the rules. */
  readonly changes: readonly string[];
  readonly pod: YamlObject;
}

interface Hardened extends Outcome {
  /** The library admits the pod that came out. */
  readonly admitted: boolean;
}

async function harden(text: string, version: string): Promise<Outcome> {
  const list = `apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- ${text.trimEnd().replaceAll('\n', '\n  ')}
functionConfig:
  apiVersion: todo.example.com/v1alpha1
  kind: Guardrails
  spec:
    podSecurity: { level: restricted, version: ${version} }
    # The images of the fixtures have no tag.
    rules: { pinned-image: off }
`;
  const { stdout, exitCode } = await run(Buffer.from(list), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  const { items, results = [] } = parse(stdout) as { items: [YamlObject]; results?: Result[] };
  const of = (wanted: Result['severity']) =>
    results.filter(({ severity, tags }) => severity === wanted && RULES.includes(tags?.rule ?? ''));
  const at = ({ tags, field }: Result) => `${tags?.rule ?? ''} ${field?.path ?? ''}`;
  return {
    exitCode,
    errors: of('error').map((result) => `${at(result)}: ${result.message}`),
    // An info without a field says what the changes ask for.
    changes: of('info')
      .filter(({ field }) => field !== undefined)
      .map(at)
      .sort(),
    pod: items[0],
  };
}

/** The sources of the volumes of a pod. */
function sourcesOf(pod: YamlObject): string[] {
  const { volumes } = objectAt(pod, 'spec');
  return (Array.isArray(volumes) ? volumes : []).flatMap((volume) =>
    isObject(volume) ? Object.keys(volume).filter((field) => field !== 'name') : [],
  );
}

const C = 'spec.containers[0].securityContext';
const I = 'spec.initContainers[0].securityContext';

/** Fixtures of restricted that omit a required value, and the fields that are added. */
const FIXED: ReadonlyMap<string, readonly string[]> = new Map([
  ['runasnonroot0', ['run-as-non-root spec.securityContext.runAsNonRoot']],
  ['seccompprofile_restricted0', ['seccomp-profile spec.securityContext.seccompProfile.type']],
  ['seccompprofile_restricted2', ['seccomp-profile spec.securityContext.seccompProfile.type']],
  ['seccompprofile_restricted3', ['seccomp-profile spec.securityContext.seccompProfile.type']],
  ['allowprivilegeescalation2', [`privilege-escalation ${C}.allowPrivilegeEscalation`]],
  [
    'allowprivilegeescalation3',
    [`capabilities ${C}.capabilities.drop`, `privilege-escalation ${C}.allowPrivilegeEscalation`],
  ],
  ['capabilities_restricted0', [`capabilities ${C}.capabilities.drop`]],
  ['capabilities_restricted1', [`capabilities ${I}.capabilities.drop`]],
  [
    'capabilities_restricted2',
    [`capabilities ${C}.capabilities.drop`, `capabilities ${I}.capabilities.drop`],
  ],
]);

/** The rule that refuses a fixture, by the control in its name, and words of its field or message. */
const CAUSES: Readonly<Record<string, readonly [rule: string, ...words: string[]]>> = {
  allowprivilegeescalation: ['privilege-escalation', 'allowPrivilegeEscalation'],
  apparmorprofile: ['pod-security', 'AppArmor'],
  capabilities_baseline: ['capabilities', 'capabilities.add'],
  capabilities_restricted: ['capabilities', 'capabilities.add'],
  hostnamespaces: ['pod-security', 'spec.host'],
  hostpathvolumes: ['pod-security', 'hostPath'],
  hostports: ['pod-security', 'hostPort'],
  hostprobesandhostlifecycle: ['pod-security', '.host'],
  privileged: ['privilege-escalation', 'privileged'],
  procmount: ['pod-security', 'procMount'],
  procmount_restricted: ['pod-security', 'procMount'],
  restrictedvolumes: ['pod-security', 'spec.volumes[0]'],
  runasnonroot: ['run-as-non-root', 'runAsNonRoot'],
  runasuser: ['run-as-non-root', 'runAsUser', 'root'],
  seccompprofile_baseline: ['seccomp-profile', 'seccompProfile.type'],
  seccompprofile_restricted: ['seccomp-profile', 'seccompProfile.type'],
  selinuxoptions: ['pod-security', 'seLinuxOptions'],
  sysctls: ['pod-security', 'sysctl'],
  windowshostprocess: ['pod-security', 'hostProcess'],
};
