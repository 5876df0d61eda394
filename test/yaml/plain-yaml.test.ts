import fc from 'fast-check';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parsePlainYaml } from '../../functions/guardrails/yaml/plain-yaml';
import { parseAnyYaml } from '../../functions/guardrails/yaml/yaml';

// The fast path must return the same nodes and offsets as the parser, js-yaml, or leave the text to it.

const SEED = 20_251_125;
const ROOT = path.join(__dirname, '../..');

const MANIFESTS = ['base', 'overlays'].flatMap((folder) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => readFileSync(path.join(ROOT, folder, file), 'utf8')),
);

/** @throws Error the fast path and the parser return different nodes */
function agreement(text: string): 'read' | 'left' {
  const fast = parsePlainYaml(text);
  if (fast === undefined) return 'left';
  if (JSON.stringify(fast) !== JSON.stringify(parseAnyYaml(text, 'text')))
    throw new Error(JSON.stringify(text));
  return 'read';
}

test.each([
  ['a mapping', 'a: 1\nb: two words\n'],
  ['a sequence in the column of its key', 'a:\n- 1\n- b: 2\n  c: 3\nd: 4\n'],
  ['an indented sequence', 'a:\n  - 1\n  - - 2\n    - 3\nd: 4\n'],
  ['a dash alone', 'a:\n  -\n    b: 1\n  -\n  - c\n'],
  ['a key without a value', 'a:\nb:\n  c:\n  d: 1\n'],
  ['a last key without a value', 'a:\n  b:'],
  ['comments', '# one\na: 1 # two\n  # three\nb: # four\n  # five\n  c: x#y # six\n# seven'],
  ['quotes', `a: 'it''s'\nb: "x: y # z"\n'c': "d"\n"e": ''\n`],
  ['colons and dashes inside', 'image: registry:5000/a:1\nurl: http://x:80\n-a: -1\n:b: a:b\n?c: --\n'],
  ['brackets inside', 'a: b{c}[d],e\nf: (g)\n'],
  ['empty collections', 'a: {}\nb: [] # none\nc:\n  - {}\n  - []\n'],
  ['two documents', '---\na: 1\n---\nb: 2\n'],
  ['a document that starts further right', '  a: 1\n  b:\n   - 2\n'],
  ['no newline at the end', 'a: b'],
  ['spaces at the ends of lines', 'a: 1  \nb:   \n  c: 2 \n\n   \nd: 3\n'],
  ['letters of other alphabets', 'a: Größe\nключ: 値\n'],
  ['a key __proto__', '__proto__: 1\n'],
])('%s: as the parser reads it', (_, text) => {
  expect(agreement(text)).toBe('read');
});

test.each([
  ['an anchor', 'a: &b 1\n'],
  ['an alias', 'a: *b\n'],
  ['a tag', 'a: !!str 1\n'],
  ['a block scalar', 'a: |\n  b\n'],
  ['a flow mapping', 'a: {b: 1}\n'],
  ['a scalar of two lines', 'a: b\n  c\n'],
  ['a scalar of two lines, in a sequence', '- b\n  c\n'],
  ['quotes over two lines', 'a: "b\n  c"\n'],
  ['an escape', 'a: "\\n"\n'],
  ['a tab', 'a:\t1\n'],
  ['a carriage return', 'a: 1\r\nb: 2\r\n'],
  ['U+0085', 'a: b\u0085c\n'],
  ['U+2028', 'a: b\u2028c\n'],
  ['a byte order mark', '\ufeffa: 1\n'],
  ['an explicit key', '? a\n: b\n'],
  ['a directive', '%YAML 1.2\n---\na: 1\n'],
  ['the end of a document', 'a: 1\n...\n'],
  ['an empty document', 'a: 1\n---\n'],
  ['text after a marker', '--- a\n'],
  ['a mapping after a second marker', '---\n--- a: b\n'],
  ['a flow mapping after a second marker', '---\n--- {a: b}\n'],
  ['an indented marker', '  --- a: 1\n'],
  ['a scalar alone', 'a\n'],
  ['no text', ''],
  ['comments alone', '# a\n'],
  ['a mapping on the line of a key', 'a: b: c\n'],
  ['a line too far left', '  a: 1\n b: 2\n'],
  ['a line too far right', 'a: 1\n  b: 2\n'],
  ['text after quotes', 'a: "b" c\n'],
  ['a reserved character', 'a: @b\n'],
  ['nesting without end', Array.from({ length: 101 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')],
])('%s: left to the parser', (_, text) => {
  expect(parsePlainYaml(text)).toBeUndefined();
});

test('four manifests of the repository in five are plain', () => {
  const read = MANIFESTS.filter((text) => agreement(text) === 'read');
  expect(read.length).toBeGreaterThan(10);
  expect(read.length / MANIFESTS.length).toBeGreaterThan(0.8);
});

/** Pieces of lines, so that most generated texts are nearly YAML. */
const PIECES = fc.constantFrom(
  ...[
    'a',
    'b',
    'key',
    '1',
    '- ',
    '-',
    ': ',
    ':',
    '  ',
    ' ',
    '\n',
    '\n  ',
    '\n- ',
    '\n    ',
    '#',
    ' # c',
    "'",
    '"',
  ],
  ...[
    '---\n',
    '\n---\n',
    '...',
    '{}',
    '[]',
    '{',
    ']',
    ',',
    '&x',
    '*x',
    '!',
    '|',
    '>',
    '? ',
    '%',
    '@',
    '\\',
    '\t',
    'é',
  ],
);

test(`random lines: the same nodes or none, 30,000 times (seed ${SEED})`, () => {
  const counts = { read: 0, left: 0 };
  fc.assert(
    fc.property(fc.array(PIECES, { maxLength: 25 }), (pieces) => {
      counts[agreement(pieces.join(''))]++;
    }),
    { seed: SEED, numRuns: 30_000 },
  );
  expect(counts.read).toBeGreaterThan(500);
});

test(`manifests with random insertions and removals: the same nodes or none, 5,000 times (seed ${SEED})`, () => {
  const counts = { read: 0, left: 0 };
  fc.assert(
    fc.property(
      fc.constantFrom(...MANIFESTS),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), PIECES, fc.nat(4)), {
        minLength: 1,
        maxLength: 3,
      }),
      (text, changes) => {
        const changed = changes.reduce((now, [where, piece, gone]) => {
          const at = Math.floor(where * now.length);
          return now.slice(0, at) + piece + now.slice(at + gone);
        }, text);
        counts[agreement(changed)]++;
      },
    ),
    { seed: SEED, numRuns: 5_000 },
  );
  expect(counts.read).toBeGreaterThan(500);
});
