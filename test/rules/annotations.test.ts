import { parse } from 'yaml';
import { type Outcome, run } from '../../functions/guardrails/run';

function runText(text: string) {
  return run(Buffer.from(text), () => Promise.reject(new Error('a stream needs no kustomize')));
}

function webWith(annotations: Record<string, string>, ofPod: Record<string, string> = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', annotations },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' }, annotations: ofPod },
        spec: { containers: [{ name: 'web', image: 'example.com/web:1' }] },
      },
    },
  };
}

function reported({ exitCode, stderr }: Outcome) {
  return { exitCode, errors: stderr.split('\n').filter((line) => line.startsWith('[error]')) };
}

async function judge(annotations: Record<string, string>, ofPod: Record<string, string> = {}) {
  return reported(await runText(JSON.stringify(webWith(annotations, ofPod))));
}

/** A stream with a configuration. */
function runWith(spec: object, ...items: readonly object[]) {
  const functionConfig = { apiVersion: 'todo.example.com/v1alpha1', kind: 'Guardrails', spec };
  return runText(
    JSON.stringify({ apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items, functionConfig }),
  );
}

describe('a misspelt annotation of the function is an error', () => {
  it.each([
    ['todo.example.com/writable-path', 'writable-paths'],
    ['todo.example.com/writeable-paths', 'writable-paths'],
    ['todo.example.com/connect-to', 'connects-to'],
    ['todo.example.com/internet-egres', 'internet-egress'],
    ['todo.example.com/Harden', 'harden'],
  ])('%s', async (key, known) => {
    expect(await judge({ [key]: '/var/run=1Mi' })).toEqual({
      exitCode: 1,
      errors: [
        `[error] Deployment/web annotation ${key} has no effect, because its name is misspelt; write todo.example.com/${known}`,
      ],
    });
  });

  it.each([
    'todo.example.com/owner',
    'todo.example.com/paths',
    'example.com/writable-path',
    'todo.example.com.example.com/harden',
  ])('%s is an annotation of somebody else', async (key) => {
    expect(await judge({ [key]: 'x' })).toEqual({ exitCode: 0, errors: [] });
  });
});

describe('an annotation of a workload', () => {
  it.each(['todo.example.com/writable-paths', 'todo.example.com/harden'])(
    '%s has no effect at its pods',
    async (key) => {
      const value = key.endsWith('harden') ? 'all' : '/var/run=1Mi';
      expect(await judge({}, { [key]: value })).toEqual({
        exitCode: 1,
        errors: [
          `[error] Deployment/web annotation ${key} has no effect in the pod template; move it to the metadata of the workload`,
        ],
      });
      expect(await judge({ [key]: value })).toEqual({ exitCode: 0, errors: [] });
    },
  );
});

describe('a misspelt prefix of exemptions is an error', () => {
  it.each([
    ['exempts.todo.example.com/capabilities', 'exempt.todo.example.com/capabilities'],
    ['exemption.todo.example.com/capabilites', 'exempt.todo.example.com/capabilities'],
    ['exempted.todo.example.com/resources', 'exempt.todo.example.com/resources'],
    ['exemptions.todo.example.com/x', 'exempt.todo.example.com/<rule>'],
    ['exmpt.todo.example.com/volumes', 'exempt.todo.example.com/volumes'],
    ['Exempt.todo.example.com/volumes', 'exempt.todo.example.com/volumes'],
  ])('%s', async (key, correct) => {
    expect(await judge({ [key]: 'ticket 42' })).toEqual({
      exitCode: 1,
      errors: [
        `[error] Deployment/web annotation ${key} has no effect, because its name is misspelt; write ${correct}`,
      ],
    });
  });

  it.each([
    'except.todo.example.com/audit',
    'export.todo.example.com/volumes',
    'exempt.shop.todo.example.com/volumes',
    'exempts.example.com/volumes',
    'exempts/volumes',
  ])('%s is an annotation of somebody else', async (key) => {
    expect(await judge({ [key]: 'x' })).toEqual({ exitCode: 0, errors: [] });
  });
});

describe('spec.annotationDomain: guardrails.acme.io', () => {
  const SPEC = { annotationDomain: 'guardrails.acme.io' };
  const judgeWith = async (annotations: Record<string, string>, ofPod: Record<string, string> = {}) =>
    reported(await runWith(SPEC, webWith(annotations, ofPod)));

  it('the annotations of that domain have an effect', async () => {
    const annotations = {
      'guardrails.acme.io/harden': 'all',
      'guardrails.acme.io/writable-paths': '/app/cache=8Mi',
      'exempt.guardrails.acme.io/resources': 'ticket 42',
    };
    const { exitCode, stdout } = await runWith({ ...SPEC, harden: 'safe' }, webWith(annotations));
    const { items } = parse(stdout) as { items: { spec: { template: { spec: object } } }[] };
    expect({ exitCode, pod: items[0]?.spec.template.spec }).toEqual({
      exitCode: 0,
      pod: {
        containers: [
          {
            name: 'web',
            image: 'example.com/web:1',
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
              readOnlyRootFilesystem: true,
            },
            volumeMounts: [
              { name: 'guardrails-tmp', mountPath: '/tmp' },
              { name: 'guardrails-app-cache', mountPath: '/app/cache' },
            ],
          },
        ],
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        volumes: [
          { name: 'guardrails-tmp', emptyDir: { sizeLimit: '64Mi' } },
          { name: 'guardrails-app-cache', emptyDir: { sizeLimit: '8Mi' } },
        ],
        automountServiceAccountToken: false,
      },
    });
  });

  it.each([
    [
      'guardrails.acme.io/writable-paths',
      '/cache',
      'annotation guardrails.acme.io/writable-paths: the entry "/cache" is invalid; use the form "/path=size", and separate entries with commas',
    ],
    [
      'guardrails.acme.io/harden',
      'none',
      'annotation guardrails.acme.io/harden must be all or safe, found none; correct the value, or remove the annotation',
    ],
    [
      'guardrails.acme.io/connect-to',
      'api:80',
      'annotation guardrails.acme.io/connect-to has no effect, because its name is misspelt; write guardrails.acme.io/connects-to',
    ],
    [
      'exemptions.guardrails.acme.io/capabilities',
      'ticket 42',
      'annotation exemptions.guardrails.acme.io/capabilities has no effect, because its name is misspelt; write exempt.guardrails.acme.io/capabilities',
    ],
    [
      'todo.example.com/harden',
      'safe',
      'annotation todo.example.com/harden has no effect, because the annotation domain is guardrails.acme.io; write guardrails.acme.io/harden',
    ],
    [
      'todo.example.com/writable-path',
      '/cache=1Mi',
      'annotation todo.example.com/writable-path has no effect, because the annotation domain is guardrails.acme.io; write guardrails.acme.io/writable-paths',
    ],
    [
      'exempt.todo.example.com/volumes',
      'ticket 42',
      'annotation exempt.todo.example.com/volumes has no effect, because the annotation domain is guardrails.acme.io; write exempt.guardrails.acme.io/volumes',
    ],
    [
      'exempts.todo.example.com/volumes',
      'ticket 42',
      'annotation exempts.todo.example.com/volumes has no effect, because the annotation domain is guardrails.acme.io; write exempt.guardrails.acme.io/volumes',
    ],
  ])('%s: %s is an error', async (key, value, error) => {
    expect(await judgeWith({ [key]: value })).toEqual({
      exitCode: 1,
      errors: [`[error] Deployment/web ${error}`],
    });
  });

  it('an unknown rule is an error', async () => {
    const { exitCode, errors } = await judgeWith({ 'exempt.guardrails.acme.io/capabilites': 'ticket 42' });
    expect({ exitCode, errors: errors.map((one) => one.slice(0, 122)) }).toEqual({
      exitCode: 1,
      errors: [
        '[error] Deployment/web annotation exempt.guardrails.acme.io/capabilites: the rule "capabilites" does not exist; use one of',
      ],
    });
  });

  it.each([
    ['guardrails.acme.io/harden', 'move it to the metadata of the workload'],
    ['todo.example.com/harden', 'write guardrails.acme.io/harden in the metadata of the workload'],
  ])('%s has no effect at the pods', async (key, remedy) => {
    expect(await judgeWith({}, { [key]: 'safe' })).toEqual({
      exitCode: 1,
      errors: [`[error] Deployment/web annotation ${key} has no effect in the pod template; ${remedy}`],
    });
  });

  it.each([
    'app.openshift.io/connects-to',
    'exempt.openshift.io/volumes',
    'acme.io/harden',
    'www.guardrails.acme.io/harden',
    'guardrails.acme.io.example.com/harden',
    'guardrails.acme.io/owner',
    'todo.example.com/owner',
    'exempt.todo.example.com/audit',
    'connects-to',
  ])('%s is an annotation of somebody else', async (key) => {
    const foreign = { [key]: 'x' };
    expect(await judgeWith(foreign, foreign)).toEqual({ exitCode: 0, errors: [] });
  });

  it.each([
    ['openshift.io', 'app.openshift.io/connects-to'],
    ['app.openshift.io.example.com', 'app.openshift.io/connects-to'],
  ])('%s: a tool with a longer or shorter domain keeps its annotations', async (domain, key) => {
    const { exitCode } = await runWith({ annotationDomain: domain }, webWith({ [key]: 'x' }));
    expect(exitCode).toBe(0);
  });

  it('a domain below the default has its own annotations', async () => {
    const spec = { annotationDomain: 'exempt.todo.example.com' };
    const ok = await runWith(spec, webWith({ 'exempt.todo.example.com/harden': 'all' }));
    expect(reported(ok)).toEqual({ exitCode: 0, errors: [] });
    const former = await runWith(spec, webWith({ 'exempt.todo.example.com/volumes': 'ticket 42' }));
    expect(reported(former)).toEqual({
      exitCode: 1,
      errors: [
        '[error] Deployment/web annotation exempt.todo.example.com/volumes has no effect, because the annotation domain is exempt.todo.example.com; write exempt.exempt.todo.example.com/volumes',
      ],
    });
  });

  it('the connections of a complete stream are read from them', async () => {
    const spec = { ...SPEC, complete: true };
    const web = webWith({
      'guardrails.acme.io/connects-to': 'api:80',
      'guardrails.acme.io/internet-egress': '443, x',
    });
    const { exitCode, errors } = reported(await runWith(spec, web));
    expect({ exitCode, errors }).toEqual({
      exitCode: 1,
      errors: [
        '[error] Deployment/web annotation guardrails.acme.io/connects-to has the invalid entry "api:80": the build has no Service/api; write the name of a Service, or its name and namespace for one of another package',
        '[error] Deployment/web annotation guardrails.acme.io/internet-egress has the invalid entry "x": it must be a port; write a port such as 443 or 53/UDP',
        '[error] Deployment/web has pods that no NetworkPolicy isolates for ingress and egress; add a NetworkPolicy that selects them; in a package, `guardrails fix` writes one',
      ],
    });
  });

  it('a Secret with the domain as its value does not hide the key to write', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'host' },
      stringData: { HOST: 'guardrails.acme.io' },
    };
    const web = webWith({ 'todo.example.com/harden': 'safe' });
    expect(reported(await runWith({ ...SPEC, rules: { 'plain-secret': 'off' } }, secret, web))).toEqual({
      exitCode: 1,
      errors: [
        '[error] Deployment/web annotation todo.example.com/harden has no effect, because the annotation domain is guardrails.acme.io; write guardrails.acme.io/harden',
      ],
    });
  });
});

describe('spec.annotationDomain', () => {
  const LONGEST = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.ee`;
  const FORM =
    'must be a DNS subdomain of at most 246 characters that Kubernetes does not reserve, such as guardrails.example.com, found';

  it.each(['acme.io', 'acme', '1.a-b.io', 'my-kubernetes.io', LONGEST])('may be %s', async (domain) => {
    const web = webWith({ [`${domain}/hardn`]: 'safe' });
    expect(reported(await runWith({ annotationDomain: domain }, web))).toEqual({
      exitCode: 1,
      errors: [expect.stringContaining(`is misspelt; write ${domain}/harden`)],
    });
  });

  it.each<[unknown, string]>([
    ['acme.io/', `${FORM} "acme.io/"`],
    ['Acme.io', `${FORM} "Acme.io"`],
    ['https://acme.io', `${FORM} "https://acme.io"`],
    ['acme..io', `${FORM} "acme..io"`],
    ['.acme.io', `${FORM} ".acme.io"`],
    ['acme.io.', `${FORM} "acme.io."`],
    ['-acme.io', `${FORM} "-acme.io"`],
    ['acme_1.io', `${FORM} "acme_1.io"`],
    ['acme.io\n', `${FORM} "acme.io\\n"`],
    ['', `${FORM} ""`],
    ['k8s.io', `${FORM} "k8s.io"`],
    ['config.kubernetes.io', `${FORM} "config.kubernetes.io"`],
    [7, 'must be a string, found the number 7; quote it'],
    [null, 'must be a string, found nothing'],
    [['acme.io'], 'must be a string, found a list'],
  ])('may not be %j', async (domain, problem) => {
    const { exitCode, stderr } = await runWith({ annotationDomain: domain }, webWith({}));
    expect({ exitCode, stderr }).toEqual({
      exitCode: 3,
      stderr: `functionConfig: spec.annotationDomain ${problem}\n`,
    });
  });

  it('may not be longer than 246 characters', async () => {
    expect(LONGEST).toHaveLength(246);
    const { exitCode } = await runWith({ annotationDomain: `${LONGEST}e` }, webWith({}));
    expect(exitCode).toBe(3);
  });

  it('is not a setting of an environment', async () => {
    const spec = { environments: { prod: { annotationDomain: 'acme.io' } } };
    const { exitCode, stderr } = await runWith(spec, webWith({}));
    expect(exitCode).toBe(3);
    expect(stderr).toContain('spec.environments.prod.annotationDomain is an unknown key; allowed: ');
  });
});
