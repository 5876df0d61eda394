import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'yaml';
import { InputError } from '../../functions/guardrails/errors';
import { parseKrmIgnore } from '../../functions/guardrails/cli/krmignore';
import { readPackageDirectory } from '../../functions/guardrails/cli/package-directory';
import { describeWithTool } from '../support/tools';

const TREE = [
  '!x.yaml',
  '#x.yaml',
  '.a.yaml',
  '.hidden/x.yaml',
  'a b.yaml',
  'a-b.yaml',
  'a.yaml',
  'a/b/x.yaml',
  'a/x.yaml',
  'ab/x.yaml',
  'b.yml',
  'b/a/x.yaml',
  'c.json',
  'node_modules/p/package.json',
  'x.yaml',
  'x/x.yaml',
  'é.yaml',
  '日.yaml',
];
const EVERY_X = ['.hidden/', 'a/', 'a/b/', 'ab/', 'b/a/', 'x/'].map((folder) => `${folder}x.yaml`);

/** What a .krmignore with this text hides of TREE; each row was measured with kpt and is again where kpt is there. */
const CASES: readonly {
  readonly text: string;
  readonly hidden: readonly string[];
  readonly note?: string;
}[] = [
  { text: '', hidden: [] },
  { text: '\n  \n\n', hidden: [], note: 'blank lines' },
  { text: '# a.yaml\n #x.yaml\n', hidden: [], note: 'comments, also after spaces' },
  { text: '\\#x.yaml\n', hidden: ['#x.yaml'] },
  { text: '\\!x.yaml\n', hidden: [], note: 'no escape as in git' },
  { text: '[!]x.yaml\n', hidden: ['!x.yaml'], note: 'the way to name a leading !' },
  { text: 'a.yaml', hidden: ['a.yaml'], note: 'no newline at the end' },
  { text: 'a.yaml  \n', hidden: ['a.yaml'], note: 'trailing spaces' },
  { text: '  a.yaml\n', hidden: ['a.yaml'], note: 'leading spaces' },
  { text: 'a.yaml\t\n', hidden: [], note: 'a tab is part of the pattern' },
  { text: 'a.yaml\r\nc.json\r\n', hidden: ['a.yaml', 'c.json'], note: 'CRLF' },
  { text: 'a.yaml \r\nc.json\r', hidden: ['a.yaml', 'c.json'], note: 'CRLF after spaces and at the end' },
  { text: '\uFEFFa.yaml\nc.json\n', hidden: ['c.json'], note: 'a byte order mark is part of the pattern' },
  { text: 'a b.yaml\n', hidden: ['a b.yaml'] },
  { text: 'x.yaml\n', hidden: ['x.yaml', ...EVERY_X], note: 'at any depth' },
  { text: 'x\n', hidden: ['x/x.yaml'], note: 'a folder by its name' },
  { text: 'x/\n', hidden: ['x/x.yaml'] },
  { text: 'x//\n', hidden: ['x/x.yaml'] },
  { text: 'x.yaml/\n', hidden: [], note: 'only a folder' },
  { text: 'a/\n', hidden: ['a/b/x.yaml', 'a/x.yaml', 'b/a/x.yaml'] },
  { text: '/a\n', hidden: ['a/b/x.yaml', 'a/x.yaml'] },
  { text: '/a/\n', hidden: ['a/b/x.yaml', 'a/x.yaml'] },
  { text: '//a\n', hidden: ['a/b/x.yaml', 'a/x.yaml'] },
  { text: '/x.yaml\n', hidden: ['x.yaml'] },
  { text: 'a/x.yaml\n', hidden: ['a/x.yaml', 'b/a/x.yaml'], note: 'git would anchor it' },
  { text: '/a/x.yaml\n', hidden: ['a/x.yaml'] },
  { text: 'a//x.yaml\n', hidden: [] },
  { text: './x.yaml\n', hidden: [], note: 'no path starts with ./' },
  { text: '*.json\n', hidden: ['c.json', 'node_modules/p/package.json'] },
  { text: '.*.yaml\n', hidden: ['.a.yaml'] },
  { text: '.*\n', hidden: ['.a.yaml', '.hidden/x.yaml'] },
  { text: 'node_modules/\n', hidden: ['node_modules/p/package.json'] },
  { text: '*\n', hidden: TREE },
  { text: '**\n', hidden: TREE },
  { text: '/*\n', hidden: TREE },
  { text: '*/\n', hidden: TREE.filter((path) => path.includes('/')) },
  { text: '**/x.yaml\n', hidden: EVERY_X, note: 'not at the top' },
  { text: '**/b/x.yaml\n', hidden: ['a/b/x.yaml'] },
  { text: 'a/**\n', hidden: ['a/b/x.yaml', 'a/x.yaml', 'b/a/x.yaml'] },
  { text: '/a/*/x.yaml\n', hidden: ['a/b/x.yaml'] },
  {
    text: '/**/x.yaml\n',
    hidden: EVERY_X.filter((path) => path.split('/').length === 2),
    note: 'one folder down',
  },
  { text: '*.yaml\n!a.yaml\n', hidden: TREE.filter((path) => path.endsWith('.yaml') && path !== 'a.yaml') },
  { text: '!a.yaml\na.yaml\n', hidden: [], note: 'the order does not matter' },
  {
    text: 'a/\n!a/x.yaml\n',
    hidden: ['a/b/x.yaml', 'a/x.yaml', 'b/a/x.yaml'],
    note: 'a hidden folder is not entered',
  },
  { text: 'a/*\n!x.yaml\n', hidden: ['a/b/x.yaml'] },
  { text: '! a.yaml\na.yaml\n', hidden: ['a.yaml'], note: 'a space after ! is part of the pattern' },
  { text: '?.yaml\n', hidden: ['a.yaml', 'x.yaml', ...EVERY_X, 'é.yaml', '日.yaml'] },
  {
    text: '*??.yaml\n',
    hidden: ['!x.yaml', '#x.yaml', '.a.yaml', 'a b.yaml', 'a-b.yaml', '日.yaml'],
    note: 'after a star, Go may count the bytes of a letter: 日 has three, é two',
  },
  { text: '[a-x].yaml\n', hidden: ['a.yaml', 'x.yaml', ...EVERY_X] },
  { text: '[^a-w].yaml\n', hidden: ['x.yaml', ...EVERY_X, 'é.yaml', '日.yaml'] },
  { text: '[!a].yaml\n', hidden: ['a.yaml'], note: 'only ^ negates' },
  { text: 'a[ \\-]b.yaml\n', hidden: ['a b.yaml', 'a-b.yaml'] },
  {
    text: '[x-a].yaml\n[.yaml\n[].yaml\n[]a].yaml\n[-a].yaml\n[a-].yaml\n[^].yaml\n*.yaml\\\n',
    hidden: [],
    note: 'not well-formed',
  },
  { text: 'a\\.yaml\n', hidden: [], note: 'without * ? [ a backslash is itself' },
  { text: '?\\.yaml\n', hidden: ['a.yaml', 'x.yaml', ...EVERY_X, 'é.yaml', '日.yaml'] },
  { text: '/a[^c]\n', hidden: ['a/b/x.yaml', 'a/x.yaml', 'ab/x.yaml'], note: 'a class takes the slash' },
  { text: 'a[/]x.yaml\n', hidden: ['a/x.yaml', 'b/a/x.yaml'] },
  { text: 'a?x.yaml\n', hidden: [] },
  { text: '[a/]?x.yaml\n', hidden: [], note: '? does not take it' },
  { text: '*[/.]yaml\n', hidden: [], note: 'nor does a star' },
  { text: 'a[/b]*\n', hidden: ['a/b/x.yaml', 'a/x.yaml', 'b/a/x.yaml'] },
  { text: 'a[/\\-]b.yaml\n', hidden: [], note: 'the slash in a class counts as a segment' },
  { text: '/a[^c]/\n', hidden: ['ab/x.yaml'] },
  { text: `#${'x'.repeat(65_534)}\na.yaml\n`, hidden: ['a.yaml'], note: 'a line of 65,535 bytes' },
  { text: `#${'x'.repeat(65_535)}\na.yaml\n`, hidden: [], note: 'nothing counts from a longer line on' },
].map((row) => ({ ...row, hidden: [...new Set(row.hidden)] }));

function title({ text, note }: (typeof CASES)[number]): string {
  const shown = text.length > 80 ? 'a long line' : JSON.stringify(text);
  return note === undefined ? shown : `${shown} (${note})`;
}

/** A package is a folder of a `root`, so that one run of kpt reads them all. No name starts with another one. */
interface Package {
  readonly name: string;
  readonly krmignore: string;
  readonly paths: readonly string[];
}

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

function writePackages(packages: readonly Package[]): string {
  const root = mkdtempSync(join(tmpdir(), 'krmignore-'));
  roots.push(root);
  for (const { name, krmignore, paths } of packages) {
    for (const path of ['Kptfile', ...paths]) {
      const file = join(root, name, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n');
    }
    writeFileSync(join(root, name, '.krmignore'), krmignore);
  }
  return root;
}

async function ourPaths(root: string): Promise<string[]> {
  return (await readPackageDirectory(root)).files.map(({ path }) => path);
}

function kptPaths(kpt: string, root: string): string[] {
  const output = execFileSync(kpt, ['fn', 'source', root], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const list = parse(output) as { items: { metadata: { annotations: Record<string, string> } }[] };
  return list.items.map(({ metadata }) => metadata.annotations['internal.config.kubernetes.io/path'] ?? '');
}

function caseName(index: number): string {
  return `case-${String(index).padStart(3, '0')}`;
}

describe('a .krmignore', () => {
  test.each(CASES.map((row, index) => ({ row, index, title: title(row) })))(
    '$title',
    async ({ row, index }) => {
      const name = caseName(index);
      const root = writePackages([{ name, krmignore: row.text, paths: TREE }]);
      const kept = new Set(await ourPaths(root));
      expect(TREE.filter((path) => !kept.has(`${name}/${path}`))).toEqual(
        TREE.filter((path) => row.hidden.includes(path)),
      );
    },
  );

  test.each([
    ['/', 1],
    ['!', 1],
    ['!/', 1],
    ['  / ', 1],
    ['a\n\n/\n', 3],
  ])('with a line that crashes kpt is refused: %j', (text, line) => {
    expect(() => parseKrmIgnore(text, 'sub/.krmignore')).toThrow(InputError);
    expect(() => parseKrmIgnore(text, 'sub/.krmignore')).toThrow(
      new RegExp(`^sub/\\.krmignore:${line}: the pattern ".*" names no file, .*; delete the line$`),
    );
  });

  test('costs no more than pattern times name', () => {
    const start = performance.now();
    expect(parseKrmIgnore(`${'*a'.repeat(60)}b`).ignores('a'.repeat(250), false)).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

const segment = fc.constantFrom(
  'a',
  'b',
  'ab',
  'a.b',
  '.a',
  'é',
  '日本',
  '😀',
  '\uE000',
  'x y',
  'a-b',
  '[a]',
  '*',
  '#a',
  '!a',
  'a\\b',
);
const extension = fc.constantFrom('.yaml', '.yml', '.json', '.txt', '');
const filePath = fc
  .tuple(fc.array(segment, { maxLength: 3 }), segment, extension)
  .map(([folders, name, end]) => [...folders.map((folder) => `${folder}.d`), `${name}${end}`].join('/'));
const glob = fc
  .array(
    fc.constantFrom(
      '*',
      '?',
      '??',
      '*?',
      '/',
      '.',
      'a',
      'b',
      '.d',
      '.yaml',
      '[^a]',
      '[a-z]',
      '[/]',
      '[',
      '\\',
      'é',
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''));
const pattern = fc
  .tuple(
    fc.constantFrom('', '', '', '/', '!', '**/', './', ' '),
    fc.oneof(filePath, glob),
    fc.constantFrom('', '', '/', '/*', ' ', '\t', '\r'),
  )
  .map((parts) => parts.join(''))
  .filter((line) => !/^ *!?\/? *\r?$/.test(line));
const randomPackage = fc.record({
  krmignore: fc.array(pattern, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n')),
  paths: fc.uniqueArray(filePath, { minLength: 3, maxLength: 10 }),
});

describeWithTool('kpt', 'readPackageDirectory agrees with kpt fn source', (kpt) => {
  test('on every row of the table', async () => {
    const root = writePackages(
      CASES.map(({ text }, index) => ({ name: caseName(index), krmignore: text, paths: TREE })),
    );
    expect(await ourPaths(root)).toEqual(kptPaths(kpt, root));
  });

  test('on random patterns and trees', async () => {
    const samples = fc.sample(randomPackage, { seed: 20_261, numRuns: 40 });
    const root = writePackages(samples.map((sample, index) => ({ name: caseName(index), ...sample })));
    expect(await ourPaths(root)).toEqual(kptPaths(kpt, root));
  });

  test.each(['/', '!', '!/'])('and kpt crashes on the line %s', (line) => {
    const root = writePackages([{ name: 'case', krmignore: `${line}\n`, paths: ['a.yaml'] }]);
    expect(() => execFileSync(kpt, ['fn', 'source', root], { stdio: 'pipe' })).toThrow(/panic/);
  });
});
