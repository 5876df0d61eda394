import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { InputError } from '../../functions/guardrails/errors';
import { decodeText, splitDocuments } from '../../functions/guardrails/yaml/text';
import { type YamlNode, type YamlValue, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';
import { refusalOf } from '../support/refusal';
import { describeWithTool } from '../support/tools';

/** The value of one document, decoded and parsed as the function does. */
function read(text: string): YamlValue {
  const [root, ...more] = parseYaml(decodeText(Buffer.from(text), 'w'), 'w');
  if (more.length > 0) throw new Error('more than one document');
  return valueOf(root ?? null);
}

/** The value of `v:` in a document. */
function valueIn(text: string): YamlValue | undefined {
  return (read(text) as Record<string, YamlValue>).v;
}

describe('a scalar is read as yaml.v2 reads it', () => {
  it.each<[string, YamlValue]>([
    ['0644', 420],
    ['-0644', -420],
    ['+0644', 420],
    ['0o14', 12],
    ['-0o14', -12],
    ['0x1F', 31],
    ['0X1f', 31],
    ['-0x1F', -31],
    ['0b11', 3],
    ['-0b11', -3],
    ['089', 89],
    ['0', 0],
    ['00', 0],
    ['+12', 12],
    ['1_000', 1000],
    ['0x_1F', 31],
    ['_1', '_1'],
    ['0o8', '0o8'],
    ['0b12', '0b12'],
    ['0xg', '0xg'],
    ['1e3', 1000],
    ['1E+3', 1000],
    ['1e-3', 0.001],
    ['.5', 0.5],
    ['-.5', -0.5],
    ['5.', 5],
    ['1.10', 1.1],
    ['1_0.5', 10.5],
    ['1.2.3', '1.2.3'],
    ['e3', 'e3'],
    ['1e', '1e'],
    ['.', '.'],
    ['+', '+'],
    ['.inf', Infinity],
    ['+.Inf', Infinity],
    ['-.INF', -Infinity],
    ['.nan', NaN],
    ['.iNf', '.iNf'],
    ['inf', 'inf'],
    ['NaN', 'NaN'],
    ['22:22', '22:22'],
    ['190:20:30', '190:20:30'],
    ['2001-12-14', '2001-12-14'],
    ['2001-12-14T21:59:43Z', '2001-12-14T21:59:43Z'],
    ['2001-12-14 21:59:43', '2001-12-14 21:59:43'],
    ...['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'true', 'True', 'TRUE'].map(
      (word): [string, YamlValue] => [word, true],
    ),
    ...['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF', 'false', 'False', 'FALSE'].map(
      (word): [string, YamlValue] => [word, false],
    ),
    ['yEs', 'yEs'],
    ['oN', 'oN'],
    ['tRUE', 'tRUE'],
    ['', null],
    ['~', null],
    ['null', null],
    ['Null', null],
    ['NULL', null],
    ['nULL', 'nULL'],
    ['&anchor', null],
    ['""', ''],
    ["''", ''],
    ['"yes"', 'yes'],
    ["'0644'", '0644'],
    ['"~"', '~'],
    ["'it''s'", "it's"],
    ['"a\\tb\\x41\\u00e9\\U0001F600\\"\\\\"', 'a\tbAé😀"\\'],
    ['"a # b"', 'a # b'],
    ['a#b', 'a#b'],
    ['a #b', 'a'],
    ['http://x:80', 'http://x:80'],
    ['!!str 0644', '0644'],
    ['!!str yes', 'yes'],
    ['!!str', ''],
    ['!!int "12"', 12],
    ['!!int "0644"', 420],
    ['!!float "1e3"', 1000],
    ['!!bool "on"', true],
    ['!!null ""', null],
    ['!<tag:yaml.org,2002:str> 12', '12'],
    ['!<tag:yaml.org,2002:int> "12"', 12],
    ['! 12', '12'],
    ['!custom 12', '12'],
    ['!custom "yes"', 'yes'],
    ['&a !!str 12', '12'],
    ['日本', '日本'],
  ])('%s', (text, expected) => {
    expect(valueIn(`v: ${text}\n`)).toEqual(expected);
  });

  it.each<[string, string, YamlValue]>([
    ['a literal', 'v: |\n  a\n   b\n\n  c\n', 'a\n b\n\nc\n'],
    ['a literal without its last break', 'v: |-\n  0644\n', '0644'],
    ['a literal with all its breaks', 'v: |+\n  a\n\nw: 1\n', 'a\n\n'],
    ['a folded one', 'v: >\n  a\n  b\n\n  c\n   d\n  e\n', 'a b\nc\n d\ne\n'],
    ['a folded one without its last break', 'v: >-\n  a\n  b\n', 'a b'],
    ['an indicated indentation', 'v: |2\n    a\n   b\n', '  a\n b\n'],
    ['a word of YAML in a block', 'v: |-\n  yes\n', 'yes'],
    ['a number sign in a block', 'v: |\n  # a\n', '# a\n'],
    ['a tagged block', 'v: !!int |-\n  12\n', 12],
    ['quotes over several lines', 'v: "a\n  b\n\n  c\\\n  d"\n', 'a b\ncd'],
    ['a plain scalar over several lines', 'v: a\n  b\n\n  c\n', 'a b\nc'],
  ])('%s', (_, text, expected) => {
    expect(valueIn(text)).toBe(expected);
  });

  // A resource must not hide its kind from the rules: `kind: !!binary U2VjcmV0`.
  it.each([
    ['!!binary', '!!binary U2VjcmV0'],
    ['!!binary, quoted', '!!binary "U2VjcmV0"'],
    ['!!binary, as a block', '!!binary |\n  U2Vj\n  cmV0'],
    ['the long form of !!binary', '!<tag:yaml.org,2002:binary> U2VjcmV0'],
  ])('%s is decoded', (_, text) => {
    expect(valueIn(`v: ${text}\n`)).toBe('Secret');
  });
});

describe('a key that readers write in different ways is refused', () => {
  it.each(['1.5', '1e3', '1e10', '.inf', '9007199254740993'])('%s', (key) => {
    expect(() => read(`${key}: a\n`)).toThrow('put the key in quotes');
    expect(read(`'${key}': a\n`)).toEqual({ [key]: 'a' });
  });
});

describe('structures', () => {
  it.each<[string, string, YamlValue]>([
    ['an empty document', '', null],
    ['a comment alone', '# a\n', null],
    ['lists in lists', '- - a\n  - b\n-\n  - c\n', [['a', 'b'], ['c']]],
    ['a list as wide as its key', 'v:\n- a\n- b: 1\n  c: 2\n', { v: ['a', { b: 1, c: 2 }] }],
    ['explicit keys', '? a\n: 1\n? b\n', { a: 1, b: null }],
    ['flow', '{a: [1, {b: c}], "d":e, f, g: , }', { a: [1, { b: 'c' }], d: 'e', f: null, g: null }],
    ['a pair in a flow list', '[a: 1]', [{ a: 1 }]],
    ['JSON', '{"a": [true, null, 1.5, "x\\u0041"]}', { a: [true, null, 1.5, 'xA'] }],
    ['an alias', 'a: &x {b: 1}\nv: [*x, *x]\n', { a: { b: 1 }, v: [{ b: 1 }, { b: 1 }] }],
    ['an anchor set anew', 'a: &x 1\nb: *x\nc: &x 2\nd: *x\n', { a: 1, b: 1, c: 2, d: 2 }],
    ['an alias as a key', 'a: &x k\n*x : 1\n', { a: 'k', k: 1 }],
    ['of equal keys the last wins', 'a: 1\n"a": 2\n? a\n: {b: 3}\n', { a: { b: 3 } }],
    ['keys are strings', '{0644: a, yes: b, !!str 012: e}', { '420': 'a', true: 'b', '012': 'e' }],
    ['equal once they are numbers', '{31: 1, 0x1F: 2}', { '31': 2 }],
    ['a merge key', 'a: &x {k: 1, l: 2}\nv: {<<: *x, m: 3}\n', mergeResult({ k: 1, l: 2, m: 3 })],
    ['a tagged merge key', 'a: &x {k: 1, l: 2}\nv: {!!merge <<: *x}\n', mergeResult({ k: 1, l: 2 })],
    [
      'an own key after a merge key wins',
      'a: &x {k: 1, l: 2}\nv: {<<: *x, k: 3}\n',
      mergeResult({ k: 3, l: 2 }),
    ],
    ['of several sources the first wins', '{<<: [{k: 1}, {k: 2, l: 3}]}', { k: 1, l: 3 }],
    ['a merge in a merged mapping', '{<<: {<<: {k: 1}, l: 2}}', { k: 1, l: 2 }],
    ['a quoted merge key is a key', '{"<<": {k: 1}}', { '<<': { k: 1 } }],
  ])('%s', (_, text, expected) => {
    expect(JSON.parse(JSON.stringify(read(text)))).toEqual(expected);
  });

  // yaml.v2 reads keys in order: a later merge key overwrites, which could hide the kind of a Secret.
  it.each<[string, string, YamlValue]>([
    ['a merge key after an own key', '{kind: ConfigMap, <<: {kind: Secret}}', { kind: 'Secret' }],
    [
      'a list of merge sources after it',
      '{kind: ConfigMap, <<: [{kind: Secret}, {kind: A}]}',
      { kind: 'Secret' },
    ],
    ['a second merge', '{<<: {a: 1}, a: 2, <<: {a: 3}}', { a: 3 }],
  ])('%s wins', (_, text, expected) => {
    expect(JSON.parse(JSON.stringify(read(text)))).toEqual(expected);
  });

  function mergeResult(v: YamlValue) {
    return { a: { k: 1, l: 2 }, v };
  }

  it('a key __proto__ is a key, also from a merge', () => {
    const own = read('{__proto__: {kind: Secret}, constructor: 1}');
    expect(JSON.stringify(own)).toBe('{"__proto__":{"kind":"Secret"},"constructor":1}');
    expect((own as Record<string, YamlValue>).kind).toBeUndefined();
    const merged = read('{<<: {__proto__: {kind: Secret}}}');
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"kind":"Secret"}}');
    expect((merged as Record<string, YamlValue>).kind).toBeUndefined();
    expect(({} as Record<string, unknown>).kind).toBeUndefined();
  });

  it.each([
    ['a number', '{<<: 1}'],
    ['nothing', '{<<: }'],
    ['a list of numbers', '{<<: [1]}'],
    ['a list in a list', '{<<: [[{a: 1}]]}'],
  ])('a merge of %s is refused', (_, text) => {
    expect(() => read(text)).toThrow(InputError);
  });

  it('a mapping or a list as a key is refused', () => {
    expect(() => read('{[a]: 1}')).toThrow(InputError);
    expect(() => read('? {a: 1}\n: 1\n')).toThrow(InputError);
  });

  it('several documents, empty ones too', () => {
    expect(parseYaml('a\n---\n---\nb\n...\n', 'w').map(valueOf)).toEqual(['a', null, 'b']);
  });

  it('an anchor ends with its document', () => {
    expect(() => parseYaml('a: &x 1\n---\nb: *x\n', 'w')).toThrow(InputError);
  });
});

describe('limits', () => {
  const bomb = (levels: number, width: number) =>
    [
      `a0: &a0 [${'x, '.repeat(width)}]`,
      ...Array.from({ length: levels }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(width)}]`),
    ].join('\n');

  it('a bomb of aliases is refused, at once', () => {
    const start = performance.now();
    expect(() => parseYaml(bomb(30, 10), 'w')).toThrow(InputError);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('a bomb whose aliases are alone in lists of their own is refused', () => {
    const text = `${bomb(4, 10)}\nb: [${'[*a4], '.repeat(1000)}]\n`;
    expect(() => parseYaml(text, 'w')).toThrow(InputError);
  });

  it('a bomb of merge keys is refused', () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}: 1`).join(', ');
    const merges = `[${'*m, '.repeat(2000)}]`;
    expect(() => parseYaml(`m: &m {${keys}}\nv: {<<: ${merges}}\n`, 'w')).toThrow(InputError);
  });

  it('aliases in ordinary numbers are not', () => {
    expect(() => parseYaml(bomb(3, 10), 'w')).not.toThrow();
  });

  it.each([
    ['flow lists', (n: number) => '['.repeat(n) + ']'.repeat(n)],
    ['flow mappings', (n: number) => '{a: '.repeat(n) + '1' + '}'.repeat(n)],
    ['block lists', (n: number) => `${'- '.repeat(n)}1`],
  ])('%s: 150 levels pass, 100,000 are refused', (_, nested) => {
    expect(() => parseYaml(nested(150), 'w')).not.toThrow();
    expect(() => parseYaml(nested(100_000), 'w')).toThrow(InputError);
  });
});

describe('invalid YAML is refused with the line, without the text', () => {
  it.each<[string, string, number]>([
    ['an alias without its anchor', 'a: 1\nb: *canary\n', 2],
    ['an alias of a node that contains it', 'a: 1\nb: 2\nc: &canary [*canary]\n', 3],
    ['quotes that do not end', 'a: 1\nb: "canary\n', 3],
    ['a list that does not end', 'a: 1\nb: [canary\n', 3],
    ['two values', 'a: canary: 1\n', 1],
    ['a wrong escape', 'a: 1\n\nb: "canary\\q"\n', 3],
    ['a tab for indentation', 'a:\n\t- canary\n', 2],
    ['a key that is too far left', 'a:\n    b: 1\n  canary: 1\n', 3],
    ['a reserved character', 'a: @canary\n', 1],
    ['a value that reads as a tag', 'a: 1\nb: !canary{7d1}\n', 2],
    ['a value that reads as a tag with a handle', 'a: 1\nb: !canary!7d1\n', 2],
    ['a value that reads as a verbatim tag', 'a: 1\nb: !<canary 7d1>\n', 2],
  ])('%s', (_, text, line) => {
    const message = refusalOf(() => parseYaml(text, 'some/file.yaml'));
    expect(message).toMatch(new RegExp(`^some/file\\.yaml:${line}: `));
    expect(message).not.toMatch(/canary|7d1/);
  });
});

describe('decodeText', () => {
  const decode = (text: string) => decodeText(Buffer.from(text), 'some/file.yaml');

  it.each([
    ['plain', 'a: é 日 😀\n'],
    ['CRLF', 'a: 1\r\nb: "x\r\n  y"\r\n'],
    ['tabs', 'a: "x\ty" \t# c\n'],
    ['no break at the end', 'a: 1'],
    ['empty', ''],
  ])('%s comes back as it is', (_, text) => {
    expect(decode(text)).toBe(text);
  });

  it('a byte order mark is removed, at the latest by splitDocuments', () => {
    expect(splitDocuments(decode('\ufeffa: 1\n')).map(({ text }) => text)).toEqual(['a: 1\n']);
  });

  it.each([
    ['a byte that starts nothing', [0x61, 0xff]],
    ['a character cut short', [0x61, 0xe2, 0x80]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['UTF-16', [0xff, 0xfe, 0x61, 0x00]],
  ])('refuses %s', (_, bytes) => {
    expect(refusalOf(() => decodeText(Uint8Array.from(bytes), 'some/file.yaml'))).toBe(
      'some/file.yaml is not valid UTF-8; save the file as UTF-8',
    );
  });

  it.each(['\0', '\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x7f'])('refuses the control character %j', (c) => {
    const message = refusalOf(() => decode(`a: 1\nb: "canary${c}"\n`));
    expect(message).toBe(
      'some/file.yaml:2: the text contains a control character, which YAML does not allow; remove it',
    );
  });

  describe.each([
    ['U+0085', '\u0085'],
    ['U+2028', '\u2028'],
    ['U+2029', '\u2029'],
  ])('%s', (_, c) => {
    it.each<[string, string, number]>([
      ['in a plain scalar', `a: 1\nb: canary${c}x\n`, 2],
      ['in a comment', `a: 1 # canary${c}hostNetwork: true\n`, 1],
      ['in a comment of its own', `a: 1\n\n# canary${c}b: 2\n`, 3],
      ['in a block scalar', `a: |\n  canary${c}x\n`, 2],
      ['in a plain key', `can${c}ary: 1\n`, 1],
      ['between values', `a: "x"\n${c}\nb: "canary"\n`, 2],
      ['in an anchor', `a: &x${c}canary 1\n`, 1],
      ['at the end', `a: canary\n${c}`, 2],
      ['twice', `a: canary${c}\nb: ${c}\n`, 1],
      ['after a quoted one', `a: "${c}"\nb: canary${c}\n`, 2],
      ['before a quoted one', `a: canary${c}\nb: "${c}"\n`, 1],
      ['in a plain scalar that starts with a quoted word', `a: x "${c}canary"\n`, 1],
      ['in a block scalar with quotes', `a: |\n  "${c}canary"\n`, 2],
      ['in a comment with quotes', `a: 1 # "${c}canary"\n`, 1],
      ['in a second document', `a: 1\n---\nb: canary${c}\n`, 3],
    ])('is refused %s', (_, text, line) => {
      const message = refusalOf(() => decode(text));
      expect(message).toMatch(new RegExp(`^some/file\\.yaml:${line}: `));
      expect(message).not.toContain('canary');
    });

    it.each([
      ['double quotes', `a: "x${c}y"\n`],
      ['single quotes', `a: 'x${c}y'\n`],
      ['a quoted key', `{"x${c}y": 1}\n`],
      ['a list', `- a\n- ["x${c}", 'y${c}']\n`],
      ['JSON', `{"a": {"b": ["x${c}y"]}}\n`],
    ])('is accepted in %s', (_, text) => {
      expect(decode(text)).toBe(text);
    });
  });
});

describe('splitDocuments', () => {
  it.each<[string, string, string[]]>([
    ['one', 'a: 1\n', ['a: 1\n']],
    ['two', 'a: 1\n---\nb: 2\n', ['a: 1\n', '\nb: 2\n']],
    ['a marker at the start', '---\na: 1\n', ['\na: 1\n']],
    ['a comment before the first marker', '# c\n---\na: 1\n', ['# c\n', '\na: 1\n']],
    ['an empty document between', 'a\n---\n---\nb\n', ['a\n', '\n', '\nb\n']],
    ['a marker at the end', 'a: 1\n---', ['a: 1\n', '']],
    ['text after the marker', '--- a\n---\tb\n', [' a\n', '\tb\n']],
    ['a comment after the marker', 'a: 1\n--- # c\nb: 2\n', ['a: 1\n', ' # c\nb: 2\n']],
    ['CRLF', 'a: 1\r\n---\r\nb: 2\r\n', ['a: 1\r\n', '\r\nb: 2\r\n']],
    ['four dashes are not a marker', '----\n', ['----\n']],
    ['three dashes before a word are not a marker', '---a\n', ['---a\n']],
    ['an indented one is not a marker', 'a: |\n  x\n  ---\n  y\n', ['a: |\n  x\n  ---\n  y\n']],
    ['a byte order mark', '\ufeffa: 1\n---\nb: 2\n', ['a: 1\n', '\nb: 2\n']],
    ['nothing', '', ['']],
  ])('%s', (_, text, expected) => {
    const documents = splitDocuments(text);
    expect(documents.map((document) => document.text)).toEqual(expected);
    for (const document of documents) expect(text.startsWith(document.text, document.start)).toBe(true);
  });
});

describe('a node has the right offsets', () => {
  /** The text of a node whose first line starts in a column. */
  interface Source {
    readonly kind: YamlNode['kind'];
    readonly write: (column: number) => string;
    /** Of a mapping: key, value, key, value. */
    readonly children: readonly Source[];
  }

  const scalar = (text: string): Source => ({ kind: 'scalar', write: () => text, children: [] });
  const plain = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/).map(scalar);
  const quotable = fc.string({
    unit: fc.constantFrom(...Array.from('ab ]}[{,:#-é日😀\u2028'), '- ', ' #', ': ', '&a', '*a'),
    maxLength: 8,
  });
  const key = fc.oneof(
    plain,
    quotable.map((text) => scalar(`'${text}'`)),
    quotable.map((text) => scalar(JSON.stringify(text))),
  );
  const flowSpace = fc.constantFrom('', ' ', '  ');
  const { flow, block } = fc.letrec<{ flow: Source; block: Source }>((tie) => {
    const pairs = (value: fc.Arbitrary<Source>) =>
      fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 4 }).map((entries) => entries.flat());
    const written = ({ children }: Pick<Source, 'children'>, column: number) =>
      children.map((child) => child.write(column));
    return {
      flow: fc.oneof(
        { maxDepth: 3 },
        key,
        fc.tuple(fc.array(tie('flow'), { maxLength: 4 }), flowSpace).map(([children, space]): Source => ({
          kind: 'sequence',
          write: (column) => `[${space}${written({ children }, column).join(`,${space}`)}${space}]`,
          children,
        })),
        fc.tuple(pairs(tie('flow')), flowSpace).map(([children, space]): Source => ({
          kind: 'mapping',
          write: (column) => {
            const texts = written({ children }, column);
            const entries = texts.flatMap((text, i) =>
              i % 2 === 0 ? [`${text}: ${texts[i + 1] ?? ''}`] : [],
            );
            return `{${space}${entries.join(`,${space}`)}${space}}`;
          },
          children,
        })),
      ),
      block: fc.oneof(
        { maxDepth: 2 },
        tie('flow'),
        fc.array(tie('block'), { minLength: 1, maxLength: 3 }).map((children): Source => ({
          kind: 'sequence',
          write: (column) =>
            children.map((child) => `- ${child.write(column + 2)}`).join(`\n${' '.repeat(column)}`),
          children,
        })),
        pairs(tie('block')).map((children): Source => ({
          kind: 'mapping',
          write: (column) =>
            children
              .flatMap((child, i) => {
                if (i % 2 === 1) return [];
                const indent = `\n${' '.repeat(column + 2)}`;
                return [`${child.write(column)}:${indent}${children[i + 1]?.write(column + 2) ?? ''}`];
              })
              .join(`  # ' " ] }\n${' '.repeat(column)}`),
          children,
        })),
      ),
    };
  });

  function check(node: YamlNode, source: Source, text: string): void {
    expect(node.kind).toBe(source.kind);
    const column = node.start - (text.lastIndexOf('\n', node.start - 1) + 1);
    expect(text.slice(node.start, node.end)).toBe(source.write(column));
    const children =
      node.kind === 'mapping'
        ? node.entries.flatMap(({ key, value }) => [key, value])
        : node.kind === 'sequence'
          ? node.items
          : [];
    expect(children).toHaveLength(source.children.length);
    children.forEach((child, i) => {
      const written = source.children[i];
      if (written !== undefined) check(child, written, text);
    });
  }

  it.each([
    ['flow', flow],
    ['block', block],
  ])('%s', (_, sources) => {
    fc.assert(
      fc.property(sources, fc.constantFrom('', '# head\n', '---\n'), (source, head) => {
        const text = `${head}${source.write(0)}\n`;
        const [root] = parseYaml(text, 'w');
        if (root === undefined || root === null) throw new Error('empty');
        check(root, source, text);
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ['a bracket in a comment', 'a: [b, # ]\n  c # }\n  ]\n', '[b, # ]\n  c # }\n  ]'],
    ['an empty list', 'a: [ ]\n', '[ ]'],
    ['an empty mapping', 'a: { # }\n }\n', '{ # }\n }'],
    ['a comma at the end', 'a: [b , ]\n', '[b , ]'],
    ['an empty value at the end', 'a: {b: }\n', '{b: }'],
    ['an anchor and a tag outside', 'a: &x !!seq [b]\n', '[b]'],
    ['an alias', 'b: &x 1\na: *x\n', '*x'],
    ['quotes', 'a: !!str "b" # c\n', '"b"'],
    ['a block scalar without its header', 'a: | # c\n  b\n\nc: d\n', '  b\n\n'],
  ])('%s', (_, text, expected) => {
    const [root] = parseYaml(text, 'w');
    if (root?.kind !== 'mapping') throw new Error('no mapping');
    const value = root.entries.find(({ key }) => key.kind === 'scalar' && key.text === 'a')?.value;
    expect(text.slice(value?.start, value?.end)).toBe(expected);
  });
});

/** Values of `v:`; lines after the first are indented from the key. */
const TEXTS: readonly string[] = [
  ...['0644', '-0644', '+0644', '0o14', '0O14', '-0o14', '0x1F', '0X1F', '-0x1F', '0b11', '-0b11', '0b-1'],
  ...['0b', '0o', '0x', '0xg', '0x-1', '089', '08', '0_7', '0_', '0_b1', '+12', '--1', '+-1', '1_000', '1_'],
  ...['_1', '-_1', '0x_1F', '0x1_', '0o_14', '1e3', '1E+3', '1e-3', '1e03', '1e', 'e3', '1e_3', '.5', '5.'],
  ...['-.5', '.5_0', '-.1_5', '._5', '1_0.5', '1.10', '1.0', '-0', '-0.0', '1.e3', '1.2.3', '.', '+', '00.5'],
  ...['22:22', '190:20:30', '-1:20', '2001-12-14', '2001-12-14T21:59:43Z', '2001-12-14 21:59:43', '2001-1-1'],
  ...[
    'yes',
    'Yes',
    'YES',
    'yEs',
    'y',
    'Y',
    'n',
    'N',
    'on',
    'On',
    'ON',
    'oN',
    'off',
    'no',
    'No',
    'nO',
    'true',
  ],
  ...[
    'True',
    'tRue',
    '~',
    'null',
    'Null',
    'NULL',
    'nULL',
    '.iNf',
    'inf',
    'NaN',
    '0x1p-2',
    '1,000',
    '<<',
    '=',
  ],
  ...['9007199254740993', '9223372036854775808', '18446744073709551616', '-9223372036854775809'],
  ...['0xFFFFFFFFFFFFFFFF', '0x10000000000000000', '1e400', '-1e400', '0b1'.padEnd(67, '1')],
  ...['', '""', "''", '"yes"', "'0644'", "'it''s'", '"a\\tb\\x41\\u00e9\\U0001F600\\"\\\\\\e\\0\\N\\_\\L"'],
  ...[
    'a#b',
    'a #b',
    '"a # b"',
    'http://x:80',
    'a:b',
    'a,b',
    'a]b',
    ':c',
    '-c',
    '?c',
    'a&b',
    '日本',
    '1 2',
    '1#2',
  ],
  ...['!!str 0644', '!!str', '!!int "12"', '!!int "0644"', '!!float "1e3"', '!!float 0644', '!!bool "on"'],
  ...[
    '!!null ""',
    '!!timestamp 2001-12-14',
    '! 12',
    '!custom 12',
    '!custom "yes"',
    '!custom {a: 1}',
    '!!foo yes',
  ],
  ...[
    '!<tag:yaml.org,2002:str> 12',
    '!<tag:yaml.org,2002:int> "12"',
    '!<foo> 12',
    '!!s%74r 12',
    '!!map {a: 1}',
  ],
  ...['!!binary U2VjcmV0', '!!binary "U2VjcmV0"', '!!binary |\n  U2Vj\n  cmV0', '!!binary ""'],
  ...[
    '|\n  a\n   b\n\n  c',
    '|-\n  yes',
    '|+\n  a\n',
    '>\n  a\n  b\n\n  c\n   d\n  e',
    '>-\n  a\n  b',
    '|2\n    a\n   b',
  ],
  ...['"a\n  b\n\n  c\\\n  d"', "'a\n  b'", 'a\n  b\n\n  c', '!!int |-\n  12', '"x\u2028y"', '"x\u0085y"'],
  ...['[]', '{}', '[a, b, ]', '[a: 1]', '{a: , b}', '{"a":1,\'b\':2}', '{a:1}', '[a:b, -1]', '{? a : 1}'],
  ...['\n- a\n- - b\n  - c\n-\n  d: 1\n- # c\n  e: 1', '\n  ? a\n  : 1\n  ? b', '\n  ? |\n    a\n  : 1'],
  ...['{a: 1, a: 2}', '{a: {b: 1}, a: {c: 2}}', '{31: 1, 0x1F: 2}', '{yes: 1, on: 2}'],
  ...['{0644: a, yes: b, !!str 012: d}', '{2001-12-14: a, 22:22: b}'],
  ...['{!!binary a2luZA==: a}'],
  ...[
    '&k1 {a: 1, b: 2}',
    '{<<: *k1, c: 3}',
    '{<<: *k1, a: 3}',
    '{a: 3, <<: *k1}',
    '{<<: [*k1, {a: 4, d: 5}]}',
  ],
  ...['{b: 9, <<: [{a: 1}, {a: 2, b: 3}]}', '{<<: {a: 1}, a: 2, <<: {a: 3}}', '{<<: {<<: {a: 1}, b: 2}}'],
  ...[
    '{"<<": {a: 1}}',
    '{!!str <<: {a: 1}}',
    '{!!merge <<: {a: 1}}',
    '{!!merge "<<": {a: 1}}',
    '{! <<: {a: 1}}',
  ],
  ...[
    '{__proto__: 1, constructor: 2}',
    '{<<: {__proto__: {kind: a}}}',
    '[&k2 1, *k2, &k2 2, *k2]',
    '{&k3 a: *k2}',
  ],
];

describeWithTool('kubectl', 'kubectl reads the same', (kubectl) => {
  const label = (input: string, format: string) =>
    execFileSync(kubectl, ['label', '--local', '--overwrite', '-f', '-', 'x=y', '-o', format], {
      input,
      encoding: 'utf8',
    });
  const head = 'apiVersion: x/v1\nkind: Foo\nmetadata: {name: foo}\n';

  describe('values', () => {
    const entries = TEXTS.map((text, i) => `  v${i}: ${text.replace(/\n(?=.)/g, '\n  ')}\n`);
    const text = `${head}spec:\n${entries.join('')}`;
    let theirs: Record<string, YamlValue>;
    beforeAll(() => {
      theirs = (JSON.parse(label(text, 'json')) as { spec: typeof theirs }).spec;
    });

    it.each(TEXTS.map((written, i) => ({ written, i })))('$written', ({ i }) => {
      const { spec } = JSON.parse(JSON.stringify(read(text))) as { spec: Record<string, YamlValue> };
      expect(spec[`v${i}`]).toEqual(theirs[`v${i}`]);
    });
  });

  // Forms of a kind that a text search misses.
  const kinds = [
    'kind: "Secret"',
    '"kind": Secret',
    "'kind': 'Secret'",
    '"\\x6bind": Secret',
    'kind: !!str Secret',
    '!!str kind: Secret',
    'kind: "S\\u0065cret"',
    '&a kind: Secret',
    'kind: &a Secret',
    'kind: Secret # a comment',
    'kind: ConfigMap\nkind: Secret',
    '? kind\n: Secret',
    'kind:\n  Secret',
    'kind: >-\n  Secret',
    'k: &k {kind: Secret}\n<<: *k',
    'kind: ConfigMap\n<<: {kind: Secret}',
    'kind: !!binary U2VjcmV0',
    '!!binary a2luZA==: Secret',
    'a: &a Secret\nkind: *a',
    'a: &a kind\n*a : Secret',
  ];
  const documents = kinds.map((kind) => `apiVersion: x/v1\nmetadata: {name: foo}\n${kind}\n`);
  it.each(kinds.map((kind, i) => ({ kind, i })))('$kind', ({ i }) => {
    expect(read(documents[i] ?? '')).toMatchObject({ kind: 'Secret' });
  });

  it('each of these is a Secret to kubectl', () => {
    const theirs = label(documents.join('---\n'), 'jsonpath={.kind}{"\\n"}');
    expect(theirs).toBe('Secret\n'.repeat(kinds.length));
  });
});
