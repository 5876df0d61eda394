import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { parse } from 'yaml';
import type { Result } from '../../functions/guardrails/krm/result';
import { run } from '../../functions/guardrails/run';
import { describeWithTool } from '../support/tools';

/** Pod Security admission's own fixtures; the newest version that the module has is also the newest there is. */
const MODULE = 'k8s.io/pod-security-admission@v0.37.2';
const VERSION = 'v1.37';
/** From 1.25 on, Windows pods do not have to set the fields of Linux. */
const OLDER = Array.from({ length: 12 }, (_, i) => `v1.${i + 25}`);

/** The rules that check these controls. */
const RULES = ['run-as-non-root', 'seccomp-profile', 'privilege-escalation', 'capabilities'];
const CONTROLS =
  /^(runasnonroot|runasuser|seccompprofile_(baseline|restricted)|allowprivilegeescalation|privileged|capabilities_(baseline|restricted))\d+\.yaml$/;

/** The images of the fixtures have no tag. */
const CONFIG = `functionConfig:
  apiVersion: todo.example.com/v1alpha1
  kind: Guardrails
  spec:
    environment: fixtures
    environments: { fixtures: { rules: { pinned-image: off } } }
`;

interface Judged {
  /** `<rule> <field>` of the errors of these rules. */
  readonly errors: string[];
  /** The same of their fixes; there are none where there are errors. */
  readonly changes: string[];
  readonly pod: V1Pod;
}

async function judge(text: string): Promise<Judged> {
  const list = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- ${text.trimEnd().replaceAll('\n', '\n  ')}\n${CONFIG}`;
  const { stdout } = await run(Buffer.from(list), () => Promise.reject(new Error('not needed in a stream')));
  const { items, results } = parse(stdout) as { items: [V1Pod]; results: Result[] };
  const reported = (wanted: Result['severity']) =>
    results
      .filter(({ severity, tags }) => severity === wanted && RULES.includes(tags?.rule ?? ''))
      .map(({ tags, field }) => `${tags?.rule ?? ''} ${field?.path ?? ''}`);
  return { errors: reported('error'), changes: reported('info'), pod: items[0] };
}

const C = 'spec.containers[0].securityContext';
const I = 'spec.initContainers[0].securityContext';

/** The fixture sets a refused value: it is kept and reported. */
const REFUSED: readonly (readonly [fixture: string, ...errors: string[]])[] = [
  ['restricted runasnonroot1', 'run-as-non-root spec.securityContext.runAsNonRoot'],
  ['restricted runasnonroot2', `run-as-non-root ${C}.runAsNonRoot`],
  ['restricted runasnonroot3', `run-as-non-root ${I}.runAsNonRoot`],
  ['restricted runasuser0', 'run-as-non-root spec.securityContext.runAsUser'],
  ['restricted runasuser1', `run-as-non-root ${C}.runAsUser`],
  ['restricted runasuser2', `run-as-non-root ${I}.runAsUser`],
  ['restricted seccompprofile_baseline0', 'seccomp-profile spec.securityContext.seccompProfile.type'],
  ['restricted seccompprofile_baseline1', `seccomp-profile ${C}.seccompProfile.type`],
  ['restricted seccompprofile_baseline2', `seccomp-profile ${I}.seccompProfile.type`],
  ['restricted seccompprofile_restricted1', 'seccomp-profile spec.securityContext.seccompProfile.type'],
  ['restricted seccompprofile_restricted4', `seccomp-profile ${I}.seccompProfile.type`],
  ['restricted allowprivilegeescalation0', `privilege-escalation ${C}.allowPrivilegeEscalation`],
  ['restricted allowprivilegeescalation1', `privilege-escalation ${I}.allowPrivilegeEscalation`],
  ['restricted privileged0', `privilege-escalation ${C}.privileged`],
  ['restricted privileged1', `privilege-escalation ${I}.privileged`],
  ['restricted capabilities_baseline0', `capabilities ${C}.capabilities.add`],
  ['restricted capabilities_baseline1', `capabilities ${I}.capabilities.add`],
  ['restricted capabilities_baseline2', `capabilities ${C}.capabilities.add`],
  ['restricted capabilities_baseline3', `capabilities ${C}.capabilities.add`],
  [
    'restricted capabilities_restricted3',
    `capabilities ${C}.capabilities.add`,
    `capabilities ${I}.capabilities.add`,
  ],
  ['baseline seccompprofile_baseline0', 'seccomp-profile spec.securityContext.seccompProfile.type'],
  ['baseline seccompprofile_baseline1', `seccomp-profile ${C}.seccompProfile.type`],
  ['baseline seccompprofile_baseline2', `seccomp-profile ${I}.seccompProfile.type`],
  ['baseline privileged0', `privilege-escalation ${C}.privileged`],
  ['baseline privileged1', `privilege-escalation ${I}.privileged`],
  ['baseline capabilities_baseline0', `capabilities ${C}.capabilities.add`],
  ['baseline capabilities_baseline1', `capabilities ${I}.capabilities.add`],
  ['baseline capabilities_baseline2', `capabilities ${C}.capabilities.add`],
  ['baseline capabilities_baseline3', `capabilities ${C}.capabilities.add`],
];

/** The fixture omits a required value: it is added. */
const FIXED: readonly (readonly [fixture: string, ...changes: string[]])[] = [
  ['restricted runasnonroot0', 'run-as-non-root spec.securityContext.runAsNonRoot'],
  ['restricted seccompprofile_restricted0', 'seccomp-profile spec.securityContext.seccompProfile.type'],
  ['restricted seccompprofile_restricted2', 'seccomp-profile spec.securityContext.seccompProfile.type'],
  ['restricted seccompprofile_restricted3', 'seccomp-profile spec.securityContext.seccompProfile.type'],
  ['restricted allowprivilegeescalation2', `privilege-escalation ${C}.allowPrivilegeEscalation`],
  [
    'restricted allowprivilegeescalation3',
    `privilege-escalation ${C}.allowPrivilegeEscalation`,
    `capabilities ${C}.capabilities.drop`,
  ],
  ['restricted capabilities_restricted0', `capabilities ${C}.capabilities.drop`],
  ['restricted capabilities_restricted1', `capabilities ${I}.capabilities.drop`],
  [
    'restricted capabilities_restricted2',
    `capabilities ${I}.capabilities.drop`,
    `capabilities ${C}.capabilities.drop`,
  ],
];

/**
 * Where the rules and Pod Security admission differ, by the fixture's name. None: of the relaxations for pods in a user
 * namespace (`hostUsers: false`, from 1.35 on) the module has no fixture that does without the fields.
 */
const DISAGREEMENTS: readonly string[] = [];

describeWithTool('go', `against the fixtures of ${MODULE}, ${VERSION}`, (go) => {
  const downloaded = execFileSync(go, ['mod', 'download', '-json', MODULE], {
    cwd: tmpdir(),
    encoding: 'utf8',
  });
  const testdata = join((JSON.parse(downloaded) as { Dir: string }).Dir, 'test/testdata');
  const folder = (level: string, sort: string, version = VERSION) => join(testdata, level, version, sort);
  const read = (fixture: string, sort: 'pass' | 'fail') => {
    const [level = '', name = ''] = fixture.split(' ');
    return readFileSync(join(folder(level, sort), `${name}.yaml`), 'utf8');
  };
  const names = (level: string, sort: string) =>
    readdirSync(folder(level, sort)).map((file) => `${level} ${file.replace('.yaml', '')}`);
  const isCovered = (fixture: string) => CONTROLS.test(`${fixture.split(' ')[1] ?? ''}.yaml`);
  const failing = ['restricted', 'baseline'].flatMap((level) => names(level, 'fail'));

  it('each failing fixture of these controls is in a table here', () => {
    expect([...REFUSED, ...FIXED].map(([fixture]) => fixture).sort()).toEqual(
      failing.filter(isCovered).sort(),
    );
  });

  it.each(REFUSED.map(([fixture, ...errors]) => [fixture, errors] as const))(
    '%s is refused',
    async (fixture, expected) => {
      const text = read(fixture, 'fail');
      const { errors, pod } = await judge(text);
      // A baseline fixture omits what restricted requires; missing values are errors too where others are.
      const missing =
        /runAsNonRoot$|allowPrivilegeEscalation$|capabilities\.drop$|spec\.securityContext\.seccompProfile/;
      const own = fixture.startsWith('baseline')
        ? errors.filter((one) => expected.includes(one) || !missing.test(one))
        : errors;
      expect(own.sort()).toEqual([...expected].sort());
      expect(pod).toEqual(parse(text));
    },
  );

  it.each(FIXED.map(([fixture, ...changes]) => [fixture, changes] as const))(
    '%s is fixed to what the passing fixture has',
    async (fixture, expected) => {
      const { errors, changes, pod } = await judge(read(fixture, 'fail'));
      expect({ errors, changes: changes.sort() }).toEqual({ errors: [], changes: [...expected].sort() });
      const base = parse(read('restricted base', 'pass')) as V1Pod;
      const dropsAll = { capabilities: { drop: expect.arrayContaining(['ALL']) as string[] } };
      const container = { securityContext: { allowPrivilegeEscalation: false, ...dropsAll } };
      expect(base.spec).toMatchObject({ containers: [container], initContainers: [container] });
      expect(pod.spec).toMatchObject({
        securityContext: base.spec?.securityContext,
        containers: [container],
        initContainers: [container],
      });
    },
  );

  it.each(names('restricted', 'pass').filter((fixture) => !DISAGREEMENTS.includes(fixture)))(
    '%s passes unchanged',
    async (fixture) => {
      const { errors, changes } = await judge(read(fixture, 'pass'));
      expect({ errors, changes }).toEqual({ errors: [], changes: [] });
    },
  );

  it.each(failing.filter((fixture) => fixture.startsWith('restricted') && !isCovered(fixture)))(
    '%s fails for a reason that these rules do not check',
    async (fixture) => {
      const { errors, changes } = await judge(read(fixture, 'fail'));
      expect({ errors, changes }).toEqual({ errors: [], changes: [] });
    },
  );

  it('a Windows pod gets no field of Linux', async () => {
    const { pod } = await judge(read('restricted base_windows', 'pass'));
    expect(pod.spec?.securityContext).toEqual({ runAsNonRoot: true });
    for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])])
      expect(Object.keys(container).sort()).toEqual(['image', 'name', 'resources']);
  });

  it('the older versions have the same failing fixtures of these controls', () => {
    for (const version of OLDER)
      for (const fixture of failing.filter(isCovered)) {
        const [level = '', name = ''] = fixture.split(' ');
        const older = join(folder(level, 'fail', version), `${name}.yaml`);
        expect(existsSync(older) ? readFileSync(older, 'utf8') : `${older} is not there`).toBe(
          read(fixture, 'fail'),
        );
      }
  });
});
