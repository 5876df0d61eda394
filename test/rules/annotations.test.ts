import { run } from '../../functions/guardrails/run';

async function judge(annotations: Record<string, string>, ofPod: Record<string, string> = {}) {
  const resource = {
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
  const { exitCode, stderr } = await run(Buffer.from(JSON.stringify(resource)), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  return { exitCode, errors: stderr.split('\n').filter((line) => line.startsWith('[error]')) };
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
