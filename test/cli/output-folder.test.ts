import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { OutputFolder } from '../../functions/guardrails/cli/output-folder';
import { writeFiles } from '../../functions/guardrails/cli/write-files';
import { printMessage } from '../../functions/guardrails/findings/print';
import { readTree, writeTree } from '../support/tree';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'output-folder-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const LIST = 'dist/.guardrails-files';
const DEV = 'dist/dev.yaml';
const PROD = 'dist/prod.yaml';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** @param outputs path in the package to content */
async function write(outputs: Record<string, string>): Promise<void> {
  const folder = new OutputFolder(path.join(root, 'dist'));
  const byName = Object.entries(outputs).map(([file, text]) => [path.basename(file), text] as const);
  await writeFiles(folder.root, folder.writes(new Map(byName)));
}

async function clear(outputs: readonly string[]): Promise<string[]> {
  const folder = new OutputFolder(path.join(root, 'dist'));
  return (await folder.clear(outputs.map((file) => path.basename(file)))).map((warning) =>
    printMessage(warning, (text) => text),
  );
}

describe('writes only what is its own', () => {
  it('writes the builds and the list of them, which sha256sum can read', async () => {
    await write({ [DEV]: 'dev\n', [PROD]: 'prod\n' });
    expect(readTree(root)).toEqual({
      [DEV]: 'dev\n',
      [PROD]: 'prod\n',
      [LIST]: `${sha256('dev\n')}  dev.yaml\n${sha256('prod\n')}  prod.yaml\n`,
    });
  });

  it('replaces what an earlier run wrote', async () => {
    await write({ [PROD]: 'one\n' });
    await write({ [PROD]: 'two\n' });
    expect(readFileSync(path.join(root, PROD), 'utf8')).toBe('two\n');
  });

  it('deletes the output of an overlay that is gone', async () => {
    await write({ [DEV]: 'dev\n', [PROD]: 'prod\n' });
    await write({ [PROD]: 'prod\n' });
    expect(Object.keys(readTree(root))).toEqual([LIST, PROD]);
  });

  it('leaves every other file of the folder alone', async () => {
    writeTree(root, { 'dist/guardrails.js': 'js', 'dist/other.yaml': 'other', 'dist/sub/prod.yaml': 'sub' });
    await write({ [PROD]: 'prod\n' });
    expect(readTree(root)).toMatchObject({
      'dist/guardrails.js': 'js',
      'dist/other.yaml': 'other',
      'dist/sub/prod.yaml': 'sub',
    });
  });

  it.each([
    ['a file that no run wrote', {}, 'foreign\n'],
    ['a file that was changed since', { [PROD]: 'prod\n' }, 'edited\n'],
    ['an empty file in its place', { [PROD]: 'prod\n' }, ''],
  ])('refuses to replace %s, and writes nothing', async (_, earlier, found) => {
    if (Object.keys(earlier).length > 0) await write(earlier);
    writeTree(root, { [PROD]: found });
    const before = readTree(root);
    await expect(write({ [DEV]: 'dev\n', [PROD]: 'new\n' })).rejects.toThrow(
      'dist/prod.yaml was not written by guardrails, or was changed after that; no file was written; move it away',
    );
    expect(readTree(root)).toEqual(before);
  });

  it('adopts a file with exactly the content to write', async () => {
    writeTree(root, { [PROD]: 'prod\n' });
    await write({ [PROD]: 'prod\n' });
    await write({ [PROD]: 'two\n' });
    expect(readFileSync(path.join(root, PROD), 'utf8')).toBe('two\n');
  });

  it('a list that was tampered with names no file outside the folder', async () => {
    writeTree(root, { 'base/web.yaml': 'web', [LIST]: `${sha256('web')}  ../base/web.yaml\n` });
    await write({ [PROD]: 'prod\n' });
    expect(readTree(root)).toMatchObject({ 'base/web.yaml': 'web' });
    expect(await clear([])).toEqual([]);
    expect(readTree(root)).toMatchObject({ 'base/web.yaml': 'web' });
  });

  it('a folder with the name of an output is refused', async () => {
    mkdirSync(path.join(root, PROD), { recursive: true });
    await expect(write({ [PROD]: 'prod\n' })).rejects.toThrow(
      /^dist\/prod\.yaml (is not a regular file|cannot be read \(ELOOP\))/,
    );
  });

  it('a symbolic link with the name of an output is refused, and its target stays', async () => {
    writeTree(root, { 'secret.txt': 'secret' });
    mkdirSync(path.join(root, 'dist'));
    symlinkSync('../secret.txt', path.join(root, PROD));
    await expect(write({ [PROD]: 'prod\n' })).rejects.toThrow(
      /^dist\/prod\.yaml (is not a regular file|cannot be read \(ELOOP\))/,
    );
    expect(readFileSync(path.join(root, 'secret.txt'), 'utf8')).toBe('secret');
  });
});

describe('after a refusal', () => {
  it('deletes what an earlier run wrote, and the list', async () => {
    await write({ [DEV]: 'dev\n', [PROD]: 'prod\n' });
    expect(await clear([DEV, PROD])).toEqual([]);
    expect(readdirSync(path.join(root, 'dist'))).toEqual([]);
  });

  it('keeps a file that no run wrote, and says so', async () => {
    writeTree(root, { [PROD]: 'foreign\n' });
    expect(await clear([DEV, PROD])).toEqual([
      'dist/prod.yaml was not written by guardrails, or was changed after that, and stays; do not apply it',
    ]);
    expect(readTree(root)).toEqual({ [PROD]: 'foreign\n' });
  });

  it('keeps a file that was changed since, and remembers it', async () => {
    await write({ [DEV]: 'dev\n', [PROD]: 'prod\n' });
    writeFileSync(path.join(root, PROD), 'edited\n');
    expect(await clear([DEV, PROD])).toHaveLength(1);
    expect(readTree(root)).toEqual({ [PROD]: 'edited\n', [LIST]: `${sha256('prod\n')}  prod.yaml\n` });
  });

  it('deletes the output of an overlay that is gone', async () => {
    await write({ [DEV]: 'dev\n', [PROD]: 'prod\n' });
    expect(await clear([PROD])).toEqual([]);
    expect(readTree(root)).toEqual({});
  });

  it('does nothing in a package without a folder', async () => {
    expect(await clear([PROD])).toEqual([]);
    expect(readdirSync(root)).toEqual([]);
  });
});
