import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Bundle, buildBundle } from './support/bundle';

const DEPLOYMENT = 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\n';
const SAID = 'that no NetworkPolicy isolates for';
const CHANGED = SAID.toUpperCase(); // as long: V8 looks at the length of the text alone

let bundle: Bundle;
let cache: string;
let original: Buffer;

beforeAll(() => {
  bundle = buildBundle();
  cache = path.join(bundle.dist, 'guardrails.bundle.cache');
  original = readFileSync(cache);
});
afterAll(() => {
  bundle.remove();
});
afterEach(() => {
  writeFileSync(cache, original);
});

function run(file: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    input: `${DEPLOYMENT}spec:\n  template:\n    spec:\n      containers: [{ name: app, image: 'app:1' }]\n`,
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

test('the code that V8 made is what runs', () => {
  const other = `${bundle.dist}-changed`;
  cpSync(bundle.dist, other, { recursive: true });
  try {
    const [file, ofIt] = ['guardrails.bundle.js', 'guardrails.bundle.cache'].map((name) =>
      path.join(other, name),
    );
    if (file === undefined || ofIt === undefined) throw new Error('two files');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(SAID, CHANGED));
    const { mtimeMs } = statSync(file);
    utimesSync(ofIt, new Date(), new Date(mtimeMs + 1000));
    expect(run(path.join(other, 'guardrails.js')).stderr).toContain(SAID);
    utimesSync(ofIt, new Date(), new Date(mtimeMs - 1000));
    expect(run(path.join(other, 'guardrails.js')).stderr).toContain(CHANGED);
  } finally {
    rmSync(other, { recursive: true });
  }
});

/** Both copies of the code, changed in the same way. */
function inBoth(change: (code: Buffer) => Buffer): Buffer {
  const code = change(Buffer.from(original.subarray(0, original.length / 2)));
  return Buffer.concat([code, code]);
}

test.each<[string, () => Buffer | undefined]>([
  ['is not there', () => undefined],
  ['is empty', () => Buffer.alloc(0)],
  ['lost its end', () => original.subarray(0, original.length - 1000)],
  ['lost its second copy', () => original.subarray(0, original.length / 2)],
  [
    'has one bit changed',
    () => {
      const code = Buffer.from(original);
      code.writeUInt8(code.readUInt8(100_000) ^ 1, 100_000);
      return code;
    },
  ],
  [
    'is of another V8',
    () => inBoth((code) => Buffer.concat([code.subarray(0, 4), Buffer.alloc(4), code.subarray(8)])),
  ],
  ['is something else', () => inBoth(() => Buffer.from('something else'))],
])('code that %s is passed over', (_, make) => {
  const expected = run(bundle.wholeGuardrails);
  expect(expected).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('runAsNonRoot: true') as string,
  });
  const code = make();
  if (code === undefined) rmSync(cache);
  else writeFileSync(cache, code);
  expect(run(bundle.guardrails)).toEqual(expected);
});

test('code that cannot be read is passed over', () => {
  const expected = run(bundle.wholeGuardrails);
  rmSync(cache);
  mkdirSync(cache);
  expect(run(bundle.guardrails)).toEqual(expected);
  rmSync(cache, { recursive: true });
});

test('the start without its bundle says so, and ends with 2', () => {
  const alone = `${bundle.dist}-alone`;
  mkdirSync(alone);
  cpSync(bundle.guardrails, path.join(alone, 'guardrails.js'));
  const { status, stdout, stderr } = run(path.join(alone, 'guardrails.js'));
  rmSync(alone, { recursive: true });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/guardrails\.bundle\.js is missing, .*: npm run build makes both\n$/);
});

test('another Node.js option than at build time is no fault', () => {
  const { status } = spawnSync(process.execPath, ['--no-lazy', bundle.guardrails], { input: DEPLOYMENT });
  expect(status).toBe(0);
});
