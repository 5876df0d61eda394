// Objects of one entry repeated: the time of the function must grow no faster than their size. `npm run bench -- growth`.

const SIZES = [5_000, 20_000, 80_000];
/** Digits of a number for each entry of the other shapes, so that there are 625,000, 2.5 and 10 million. */
const DIGITS = 125;
/** In seconds: by so much the time of one and the same process varies. */
const NOISE = 0.05;
const POD = 'spec:\n  template:\n    spec:\n';
const ONE_CONTAINER =
  '      containers:\n        - name: app\n          image: registry.example.com/app:v1\n';
const HARDENED = `          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
            readOnlyRootFilesystem: true
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {cpu: 500m, memory: 512Mi}
          volumeMounts:
            - {name: guardrails-tmp, mountPath: /tmp}
`;

/** What is repeated, and the input with that many of it. */
const SHAPES = {
  'containers without any security settings': (n) =>
    deployment(`${POD}      containers:\n${many(n, (i) => container(i))}`),
  'hardened containers': (n) =>
    deployment(`${POD}      containers:\n${many(n, (i) => container(i) + HARDENED)}`),
  'containers in JSON on one line': (n) => JSON.stringify(jsonDeployment(n)),
  'aliases of one container': (n) =>
    deployment(
      `${POD}${ONE_CONTAINER.replace('- name', '- &a\n          name')}${many(n, () => '        - *a\n')}`,
    ),
  'aliases of one scalar': (n) =>
    deployment(
      `${POD}${ONE_CONTAINER}          args:\n            - &a x\n${many(n, () => '            - *a\n')}`,
    ),
  'merge keys of one container': (n) =>
    deployment(
      `${POD}${ONE_CONTAINER.replace('- name', '- &a\n          name')}${many(n, (i) => `        - <<: *a\n          name: c${i}\n`)}`,
    ),
  'writable paths': (n) =>
    deployment(
      POD + ONE_CONTAINER,
      `    todo.example.com/writable-paths: "${many(n, (i) => `/p${i}=1Mi,`)}"\n`,
    ),
  'digits of a quantity': (n) =>
    deployment(
      `${POD}${ONE_CONTAINER}          resources:\n            limits:\n              cpu: "${'1'.repeat(n * DIGITS)}"\n`,
    ),
  annotations: (n) =>
    deployment(
      POD + ONE_CONTAINER,
      many(n, (i) => `    example.com/a${i}: b\n`),
    ),
  'volume mounts of one container': (n) =>
    deployment(
      `${POD}${ONE_CONTAINER}          volumeMounts:\n${many(n, (i) => `            - name: data\n              mountPath: /m${i}\n`)}      volumes:\n        - name: data\n          emptyDir: {}\n`,
    ),
  'values of a Secret': (n) =>
    `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n${many(n, (i) => `  k${i}: value-${i}-of-a-secret\n`)}`,
  'comment lines': (n) => deployment(POD + ONE_CONTAINER + many(n, (i) => `          # ${i}\n`)),
  'resources of a List': (n) => `apiVersion: v1\nkind: List\nitems:\n${many(n, (i) => `- ${configMap(i)}`)}`,
  documents: (n) => many(n, (i) => `---\n${configMap(i).replaceAll('\n  ', '\n')}`),
};

/**
 * Prints the time of a whole process for each shape and size, less that for an empty object, and the ratios of one size
 * to the size before: 4 is linear growth, 16 quadratic. A time below NOISE has no ratio.
 *
 * @param time runs the function on an input, whatever its exit code, and returns seconds
 */
export function benchGrowth(time) {
  const start = Math.min(...[1, 2, 3].map(() => time(configMap(0).replaceAll('\n  ', '\n'))));
  process.stdout.write(`an object that grows: ${SIZES.join(', ')} entries, above ${start.toFixed(3)} s\n`);
  for (const [what, make] of Object.entries(SHAPES)) {
    const times = SIZES.map((n) => Math.max(time(make(n)) - start, 0.001));
    const ratios = times
      .slice(1)
      .map((one, i) => (times[i] < NOISE ? '-' : `${(one / times[i]).toFixed(1)} x`));
    const unit = what.startsWith('digits') ? `${what} (times ${DIGITS})` : what;
    process.stdout.write(
      `${times.map((one) => `${one.toFixed(2).padStart(6)} s`).join(' ')}  ${ratios.map((one) => one.padStart(6)).join(' ')}  ${unit}\n`,
    );
  }
  process.stdout.write('\n');
}

function many(n, text) {
  return Array.from({ length: n }, (_, i) => text(i)).join('');
}

function deployment(spec, annotations = '    a: b\n') {
  return `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\n  annotations:\n${annotations}${spec}`;
}

function container(i) {
  return `        - name: c${i}\n          image: registry.example.com/app:v1\n`;
}

function jsonDeployment(n) {
  const containers = Array.from({ length: n }, (_, i) => ({
    name: `c${i}`,
    image: 'registry.example.com/app:v1',
  }));
  const metadata = { name: 'app' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { template: { spec: { containers } } },
  };
}

/** As an item of a list in column 0. */
function configMap(i) {
  return `apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: c${i}\n`;
}
