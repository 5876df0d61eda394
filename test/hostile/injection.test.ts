import { instance } from '@viz-js/viz';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { escapeMarkdown, printTable } from '../../functions/guardrails/formats/connection-table';
import { printDot } from '../../functions/guardrails/formats/dot';
import { printMermaid } from '../../functions/guardrails/formats/mermaid';
import type { ConnectionMap, PortRange } from '../../functions/guardrails/network/connection-map';
import { run as runFunction } from '../../functions/guardrails/run';
import { CONFIG_MAP, KUSTOMIZATION, useHostileRun } from '../support/hostile-run';
import { findKustomizeForTests } from '../support/tools';
import type { Tree } from '../support/tree';

const ROOT = path.join(__dirname, '../..');
const MARKERS = '<!-- connections:start -->\n<!-- connections:end -->\n';
const LONG = 'x'.repeat(10_000);

/** What a hostile name does, the name, how every output shows it, and a table; undefined: as it is. */
type Hostile = readonly [title: string, name: string, shown?: string, cell?: string];

const HOSTILE: readonly Hostile[] = [
  ['clears the screen', '\x1b[2Ja', '\\u{1b}[2Ja'],
  ['clears the screen with one character', '\x9b2Ja', '\\u{9b}2Ja'],
  ['sets the title of the window', '\x1b]0;a\x07b', '\\u{1b}]0;a\\u{7}b'],
  ['rings and deletes', 'a\x07\x08\x7f', 'a\\u{7}\\u{8}\\u{7f}'],
  ['starts a line with a command', 'a\n::error::x', 'a\\u{a}::error::x'],
  [
    'starts a line with an indented command',
    'a\r\n \t::set-output name=x::y',
    'a\\u{d}\\u{a} \\u{9}::set-output name=x::y',
  ],
  ['is a command', '::add-mask::x'],
  ['is a command of the older form', '##[error]x'],
  ['is a command of the older form, after a sign', '###[group]x'],
  ['overwrites its line', 'a\rb', 'a\\u{d}b'],
  ['has a line break of JavaScript', 'a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
  ['has a line break of IBM', 'a\x85b', 'a\\u{85}b'],
  ['reverses the text', 'a\u202eb\u202c', 'a\\u{202e}b\\u{202c}'],
  ['isolates the text', '\u2066a\u2069', '\\u{2066}a\\u{2069}'],
  ['hides a blank', 'a\u200bb\ufeffc\u00add', 'a\\u{200b}b\\u{feff}c\\u{ad}d'],
  ['has a half of a character', 'a\ud800b', 'a\\u{d800}b'],
  ['has what no XML may hold', 'a\uffffb\ufffec', 'a\\u{ffff}b\\u{fffe}c'],
  ['is code', '`a`'],
  ['ends code', 'a``b` c'],
  ['ends a fence', '\n```\n# x', '\\u{a}```\\u{a}# x'],
  ['ends quotes', 'a"b'],
  ['ends a node', 'a"] --> n9["b'],
  ['ends a node without quotes', 'a] b) c} d'],
  ['ends a label', 'a"| n9 %% b'],
  ['ends a cell', 'a|b'],
  ['ends a cell after a backslash', 'a\\|b', 'a\\|b', 'a\\\\u{7c}b'],
  ['ends a cell after two backslashes', 'a\\\\|b|', 'a\\\\|b|', 'a\\\\\\u{7c}b|'],
  ['ends with a backslash', 'a\\'],
  ['is a script', '<script>alert(1)</script>'],
  ['is an image with a script', '<img src=x onerror="alert(1)">'],
  ['is a frame', '<iframe srcdoc="x"></iframe>'],
  ['is a line break', 'a<br/>b'],
  ['is the end of CDATA', 'a]]>b<![CDATA[c'],
  ['is a comment', '<!-- connections:end -->'],
  ['is a directive', '%%{init: {"theme":"dark","securityLevel":"loose"}}%%'],
  ['is a comment of Mermaid', '%% a'],
  ['is a keyword', 'end'],
  ['is a click', 'click n1 href "javascript:x"'],
  ['is a style with a code', 'style a:<b> c'],
  ['is a class with a code', 'classDef a:<b> c'],
  ['has a code of Mermaid', '#quot;#35;#lt;'],
  ['has a code of Mermaid as it is read', 'a\ufb02\u00b0\u00b060\u00b6\u00dfb'],
  ['is text in Markdown for Mermaid', '`**b**`'],
  ['is bold', '**b**'],
  ['is italic', '_i_ *j*'],
  ['is struck', '~~gone~~ ~a~'],
  ['is a formula', '$x^2$'],
  ['is a link', '[a](b)'],
  ['is a link by reference', '[a][b]'],
  ['is a footnote', '[^1]'],
  ['is an image', '![a](https://evil.example/x.png)'],
  ['is an address', 'https://evil.example/x'],
  ['is an address in capitals', 'HTTPS://evil.example'],
  ['is an address without a scheme', 'www.evil.example'],
  ['is an address of mail', 'a@evil.example'],
  ['is an address in brackets', '<https://evil.example>'],
  ['is a mention', '@someone'],
  ['is an issue', '#1 GH-1'],
  ['is an emoji', 'a:tada:b'],
  ['is an emoji in an address', '2001:100::7'],
  ['is a list', '- [ ] a'],
  ['is a heading', '# a #'],
  ['is a rule', '---'],
  ['has references', '&lt;b&gt; &amp; &#60; &#x3c; &copy;'],
  ['names a node of DOT', '\\N \\G \\E \\T \\H \\L'],
  ['aligns lines of DOT', 'a\\lb\\rc'],
  ['is a node of DOT', '"];n9 [label="x'],
  ['is a node of DOT after a backslash', '\\"];n9 [label=\\"x'],
  ['is HTML of DOT', '<<b>a</b>>'],
  ['continues in the next line', 'a\\\nb', 'a\\\\u{a}b'],
  ['is long', LONG],
];

/** Each of these in three places of a name. */
const NAMES = HOSTILE.flatMap(([title, name, shown = name, cell = shown]) => [
  { title, name, shown, cell },
  {
    title: `${title}, in a name`,
    name: `web ${name} api`,
    shown: `web ${shown} api`,
    cell: `web ${cell} api`,
  },
  { title: `${title}, twice`, name: `${name}.${name}`, shown: `${shown}.${shown}`, cell: `${cell}.${cell}` },
]);
const EACH = NAMES.map((one, index) => [one.title, { ...one, index }] as const);

const TCP: readonly PortRange[] = [{ protocol: 'TCP', first: 80, last: 80 }];

/** A diagram with a name in all places: a node, a namespace, a node outside of it, and a host. */
function mapOf(name: string): ConnectionMap {
  const through = { name, namespace: undefined, ends: [] };
  const to = { name, namespace: name, ends: [] };
  return {
    entrances: [{ through, hosts: [name, 'a.example'], ports: TCP }],
    connections: [{ from: through, to, ports: TCP }],
  };
}

const asIs = (text: string) => text;

/** Runs a module in a process of its own, since jest does not load the packages that it imports: JSON in, JSON out. */
function inModule(script: string, input: unknown): unknown {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: ROOT,
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const READ = `import { readFileSync } from 'node:fs';\nconst inputs = JSON.parse(readFileSync(0, 'utf8'));\n`;

/** Text of XML or HTML, with its references read. */
function unescaped(text: string): string {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return text.replace(
    /&(?:#(\d+)|([a-z]+));/g,
    (whole, code: string | undefined, name: string | undefined) =>
      code === undefined ? (named[name ?? ''] ?? whole) : String.fromCodePoint(Number(code)),
  );
}

describe('Mermaid, as its parser reads it', () => {
  interface Flowchart {
    readonly error?: string;
    readonly diagramType?: string;
    readonly config?: object;
    readonly nodes?: readonly Readonly<Record<string, unknown>>[];
    readonly edges?: readonly Readonly<Record<string, unknown>>[];
    readonly groups?: readonly Readonly<Record<string, unknown>>[];
    readonly rest?: unknown;
  }

  // The purifier of HTML needs a browser. Without it, a text must be safe already.
  const SCRIPT = `${READ}
import purify from 'dompurify';
Object.assign(purify, { sanitize: (text) => text, addHook: () => undefined });
const { default: mermaid } = await import('mermaid');
const outputs = [];
for (const text of inputs)
  try {
    const { diagramType, config } = await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const rest = [db.getClasses().size, db.getTooltip('n1') ?? '', db.getAccTitle(), db.getAccDescription(), db.getDiagramTitle()];
    outputs.push({ diagramType, config, nodes: [...db.getVertices().values()], edges: db.getEdges(), groups: db.getSubGraphs(), rest });
  } catch (error) {
    outputs.push({ error: String(error) });
  }
process.stdout.write(JSON.stringify(outputs));`;

  let charts: readonly Flowchart[];
  beforeAll(() => {
    charts = inModule(
      SCRIPT,
      NAMES.map(({ name }) => printMermaid(mapOf(name), asIs)),
    ) as readonly Flowchart[];
  });

  /** A label, with the codes read: the parser writes #60; in this way. */
  const read = (label: unknown) =>
    String(label).replace(/\ufb02\u00b0\u00b0(\d+)\u00b6\u00df/g, (_, code: string) =>
      String.fromCodePoint(Number(code)),
    );

  test.each(EACH)('%s', (_, { index, shown }) => {
    const { error, diagramType, config, nodes = [], edges = [], groups = [], rest } = charts[index] ?? {};
    expect({ error, diagramType, config, rest }).toEqual({
      diagramType: 'flowchart-v2',
      config: {},
      rest: [0, '', '', '', ''],
    });
    const marked = { labelType: 'string', styles: [], classes: [], type: 'square', props: {} };
    expect(
      nodes.map(({ domId, ...node }) => ({ ...node, text: read(node.text), domId: typeof domId })),
    ).toEqual([
      { ...marked, id: 'n1', text: 'outside world', domId: 'string' },
      { ...marked, id: 'n2', text: shown, domId: 'string' },
      { ...marked, id: 'n3', text: shown, domId: 'string' },
    ]);
    expect(
      edges.map(({ start, end, text, labelType, classes }) => [start, end, read(text), labelType, classes]),
    ).toEqual([
      ['n1', 'n2', `${shown}, a.example: TCP 80`, 'string', []],
      ['n2', 'n3', 'TCP 80', 'string', []],
    ]);
    expect(
      groups.map(({ nodes, title, labelType, classes }) => [nodes, read(title), labelType, classes]),
    ).toEqual([[['n3'], shown, 'string', []]]);
  });

  // Mermaid reads the codes of a label, and then looks for these.
  test.each([
    ['a line break', 'a\\nb', 'a\\u{5c}nb'],
    ['a formula', '$$x$$', '\\u{24}$x\\u{24}$'],
    ['a formula with three signs', '$$$x$$$', '\\u{24}\\u{24}$x\\u{24}\\u{24}$'],
    ['an icon', 'fa:fa-ban', 'fa\\u{3a}fa-ban'],
    ['an icon of a brand, in a word', 'xfab:fa-github-alt', 'xfab\\u{3a}fa-github-alt'],
  ])('%s is not made of a name', (_, name, shown) => {
    const [chart] = inModule(SCRIPT, [printMermaid(mapOf(name), asIs)]) as readonly Flowchart[];
    expect(chart?.nodes?.map(({ text }) => read(text))).toEqual(['outside world', shown, shown]);
  });
});

/** Markdown of GitHub to HTML. */
function toHtml(texts: readonly string[]): string[] {
  return inModule(
    `${READ}
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
const options = { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true };
process.stdout.write(JSON.stringify(inputs.map((text) => micromark(text, options))));`,
    texts,
  ) as string[];
}

function tagsOf(html: string): string[] {
  return [
    ...new Set(
      [...html.matchAll(/<\/?([a-z][a-z0-9]*)[^>]*>|<[!?]/gi)].map(([whole, name]) => name ?? whole),
    ),
  ];
}

/** The text of HTML, and as much of it as is not code. */
const textOf = (html: string) => unescaped(html.replace(/<[^>]*>/g, ''));
const proseOf = (html: string) => textOf(html.replace(/<code>[^<]*<\/code>/g, ''));
/** What GitHub makes something of that the parser does not know: mentions, issues, formulas, emoji, and further links. */
const OBEYED = /[@#$~`&<>[\]\\]|:\/\/|www\.|:[\w+-]+:/i;

describe('Markdown, as GitHub reads it', () => {
  let tables: readonly string[];
  let headings: readonly string[];
  beforeAll(() => {
    const texts = NAMES.map(({ name }) => printTable(mapOf(name), asIs));
    tables = toHtml(texts);
    headings = toHtml(NAMES.map(({ name }) => `### ${escapeMarkdown(name)}\n\ntext\n`));
  });

  test.each(EACH)('%s: in a table', (_, { index, cell }) => {
    const html = tables[index] ?? '';
    expect(['table', 'thead', 'tbody', 'tr', 'th', 'td', 'code']).toEqual(
      expect.arrayContaining(tagsOf(html)),
    );
    const rows = [...html.matchAll(/<tr>([^]*?)<\/tr>/g)].map(([, row = '']) =>
      [...row.matchAll(/<t[hd]>([^]*?)<\/t[hd]>/g)].map(([, text = '']) => textOf(text)),
    );
    expect(rows).toEqual([
      ['From', 'To', 'Ports'],
      ['outside world', cell, `${cell}, a.example: TCP 80`],
      [cell, `${cell} (${cell})`, 'TCP 80'],
    ]);
    expect(proseOf(html)).not.toMatch(OBEYED);
  });

  test.each(EACH)('%s: in a heading', (_, { index, shown }) => {
    const html = headings[index] ?? '';
    const [heading = '', text] = html.split('\n');
    expect(text).toBe('<p>text</p>');
    expect(['h3', 'code']).toEqual(expect.arrayContaining(tagsOf(heading)));
    expect(textOf(heading)).toBe(shown);
    expect(proseOf(heading)).not.toMatch(OBEYED);
  });
});

/** The elements of XML in order, and the texts of `text` elements. @throws Error it is not well-formed */
function readXml(xml: string): { elements: string[]; texts: string[] } {
  const token =
    /<\?xml [^<>?]*\?>|<!DOCTYPE [^<>[\]]*>|<!--(?:(?!--)[^])*-->|<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)(\/?)>|[^<]+/gy;
  if (/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(xml))
    throw new Error('not a character of XML');
  if (/&(?!(?:amp|lt|gt|quot|#\d+);)/.test(xml)) throw new Error('not a reference of XML');
  const [elements, open, texts]: [string[], string[], string[]] = [[], [], []];
  let at = 0;
  for (const [whole, isEnd, name, , isEmpty] of xml.matchAll(token)) {
    at += whole.length;
    if (name === undefined) {
      if (open.at(-1) === 'text' && !whole.startsWith('<')) texts.push(unescaped(whole));
      continue;
    }
    elements.push(`${isEnd ?? ''}${name}`);
    if (isEnd === '/' && open.pop() !== name) throw new Error(`${name} is not open`);
    if (isEnd === '' && isEmpty === '') open.push(name);
  }
  if (at !== xml.length) throw new Error(`not XML: ${JSON.stringify(xml.slice(at, at + 80))}`);
  if (open.length > 0) throw new Error(`${open.join(' ')} not closed`);
  return { elements, texts };
}

describe('SVG, as Graphviz draws it', () => {
  let draw: (name: string) => ReturnType<typeof readXml>;
  beforeAll(async () => {
    const viz = await instance();
    draw = (name) => readXml(viz.renderString(printDot(mapOf(name), name, asIs), { format: 'svg' }));
  });

  test.each(EACH)('%s', (_, { name, shown }) => {
    const { elements, texts } = draw(name);
    expect(elements).toEqual(draw('innocent').elements);
    const shownTexts = texts.map((text) => text.replaceAll('\u00a0', ' ').trim());
    expect(shownTexts.sort()).toEqual(
      [shown, shown, shown, shown, 'outside world', `${shown}, a.example: TCP 80`, 'TCP 80'].sort(),
    );
  });
});

const run = useHostileRun();
const OVERLAY = 'overlays/prod/kustomization.yaml';

/** A text in JSON and YAML, with codes for all characters that are not ASCII. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** No output makes a terminal, or a workflow of GitHub, do something. */
function expectInert(...outputs: readonly string[]): void {
  for (const output of outputs) {
    expect(output.match(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/gu)?.filter((c) => c !== '\n') ?? []).toEqual([]);
    expect(output.match(/^\s*::[a-z].*/gim) ?? []).toEqual([]);
    expect(output).not.toContain('##[');
  }
}

/** The function on standard input, in this process. */
const inProcess = (input: string) =>
  runFunction(Buffer.from(input), () => Promise.resolve(findKustomizeForTests()));

describe('a terminal', () => {
  const resources = (name: string) => {
    const text = quoted(name);
    return {
      pod: `{apiVersion: v1, kind: Pod, metadata: {name: ${text}, labels: {app: ${text}}, annotations: {${quoted(`exempt.todo.example.com/${name}`)}: ${text}, todo.example.com/connects-to: ${text}}}, spec: {containers: [{name: ${text}, image: ${quoted(`${name}:latest`)}, volumeMounts: [{name: ${text}, mountPath: ${text}}]}]}}`,
      service: `{apiVersion: v1, kind: Service, metadata: {name: ${text}}, spec: {selector: {app: ${text}}, type: NodePort, ports: [{name: ${text}, port: 80, targetPort: ${text}}]}}`,
      ingress: `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ${text}}, spec: {rules: [{host: ${text}, http: {paths: [{path: ${text}, pathType: Prefix, backend: {service: {name: ${quoted(`${name}-gone`)}, port: {name: ${text}}}}}]}}]}}`,
      policy: `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${text}}, spec: {podSelector: {matchLabels: {app: ${text}}}, policyTypes: [${text}]}}`,
      secret: `{apiVersion: v1, kind: Secret, metadata: {name: ${text}}, stringData: {${text}: some-value}}`,
      other: `{apiVersion: ${text}, kind: ${text}, metadata: {name: ${text}, namespace: ${text}}, spec: {template: {spec: {containers: [${text}]}}}}`,
    };
  };
  /** What is said of a Pod, in a message for each image. */
  const errorsOf = (shown: string) => [`Pod/${shown} container "`, `" runs ${shown}:latest, which `];
  /** All of `##[`, in every name that has it. */
  const OLD_COMMANDS = [
    '#\\u{23}[error]x',
    'web #\\u{23}[error]x api',
    '#\\u{23}[error]x.#\\u{23}[error]x',
    '##\\u{23}[group]x',
    'web ##\\u{23}[group]x api',
    '##\\u{23}[group]x.##\\u{23}[group]x',
  ];

  test('names in a build: of resources, containers, images, annotations, ports and hosts', () => {
    run().realKustomize();
    // What kustomize writes as it read it, and what a message does not shorten.
    const names = NAMES.filter(
      ({ name }) => !/[\x7f-\x9f\u2028\ud800\uffff\ufffe]/.test(name) && name.length < 150,
    );
    const documents = names.flatMap(({ name }, i) => {
      const { pod, service, ingress, policy } = resources(name);
      return i % 3 === 0 ? [pod, service, ingress, policy] : [pod];
    });
    run().write({
      [OVERLAY]: `${KUSTOMIZATION}resources: [all.yaml]\n`,
      'overlays/prod/all.yaml': documents.map((one) => `${one}\n`).join('---\n'),
    });
    const { status, stdout, stderr } = run().render();
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expectInert(stdout);
    const ordinary = names.map(({ shown }) => shown).filter((shown) => !shown.includes('##['));
    const wanted = [
      ...[...ordinary, ...OLD_COMMANDS].flatMap(errorsOf),
      ...ordinary.map(
        (shown) => ` annotation exempt.todo.example.com/${shown}: the rule "${shown}" does not exist `,
      ),
    ];
    expect(wanted.filter((text) => !stdout.includes(text))).toEqual([]);
  });

  test('names in a stream, also of kinds and Secrets: standard error, and the results that kpt prints', async () => {
    const names = NAMES.filter(({ name }) => !name.includes('\ud800'));
    const items = names.flatMap(({ name }) => Object.values(resources(name)));
    const { exitCode, stdout, stderr } = await inProcess(
      `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.map((one) => `- ${one}\n`).join('')}`,
    );
    expect(exitCode).toBe(1);
    expectInert(stderr);
    const { results } = parse(stdout) as { results: Record<string, unknown>[] };
    const ordinary = names.map(({ shown }) => shown).filter((shown) => !/##\[|xxx/.test(shown));
    const wanted = [...ordinary, ...OLD_COMMANDS].flatMap(errorsOf);
    expect(wanted.filter((text) => !stderr.includes(text))).toEqual([]);
    expect(results.length).toBeGreaterThan(names.length);
    for (const { message, resourceRef, field, tags } of results) {
      const { path: at } = (field ?? {}) as { path?: string };
      const texts = Object.values({ ...(resourceRef as object), ...(tags as object) });
      expectInert(...[message, at, ...texts].map(String));
    }
  });

  test('folders', () => {
    run().realKustomize();
    const folders = HOSTILE.filter(
      ([, name]) => !name.includes('/') && Buffer.from(name).toString() === name && name.length < 200,
    );
    expect(folders.length).toBeGreaterThan(50);
    const files = folders.flatMap(([, name], i) => [
      [`${name}/kustomization.yaml`, `${KUSTOMIZATION}resources: [map.yaml]\n`],
      [`${name}/map.yaml`, CONFIG_MAP.replace('plain', `p${i}`)],
    ]);
    run().write({ ...(Object.fromEntries(files) as Tree), 'README.md': `a\n${MARKERS}` });
    const rendered = run().render();
    expect(rendered).toMatchObject({ status: 0, stderr: '' });
    expectInert(rendered.stdout);
    for (const [, name, shown = name] of folders.filter(([, name]) => !/^(##|::)/.test(name)))
      expect(rendered.stdout).toContain(`${shown}: 1 resource, 0 errors`);
    expect(rendered.stdout).toContain('\n\\u{3a}:add-mask::x: 1 resource, 0 errors');
    expect(rendered.stdout).toContain('\n#\\u{23}[error]x: 1 resource, 0 errors');

    const drawn = run().graph();
    expect(drawn).toMatchObject({ status: 0, stderr: '' });
    expectInert(drawn.stdout);
    const readme = readFileSync(path.join(run().dir, 'README.md'), 'utf8');
    const [html = ''] = toHtml([readme]);
    expect(new Set(tagsOf(html))).toEqual(
      new Set(['p', '<!', 'h3', 'pre', 'code', 'a', 'table', 'thead', 'tr', 'th']),
    );
    const headings = [...html.matchAll(/<h3>(.*)<\/h3>/g)].map(([, heading = '']) => heading);
    expect(headings.map(textOf).sort()).toEqual(folders.map(([, name, shown = name]) => shown).sort());
    for (const heading of headings) expect(proseOf(heading)).not.toMatch(OBEYED);
    const links = [...html.matchAll(/<a href="([^"]*)">/g)].map(([, link = '']) =>
      decodeURIComponent(unescaped(link)),
    );
    expect(links.sort()).toEqual(folders.map(([, name]) => `docs/connections/${name}.svg`).sort());
    for (const link of links) readXml(readFileSync(path.join(run().dir, link), 'utf8'));
  });

  test('files that a kustomization names', () => {
    run().write({
      [OVERLAY]: `${KUSTOMIZATION}resources: [${NAMES.map(({ name }) => quoted(name).replace('\\ud800', '')).join(', ')}]\n`,
    });
    const { status, stdout, stderr } = run().render();
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expectInert(stdout);
    expect(
      stdout.match(/^ {2}\[error\] overlays\/prod: overlays\/prod\/kustomization\.yaml: resources names /gm),
    ).toHaveLength(NAMES.length);
  });

  /** Three of each kind, as bytes of a file or of an output. */
  const BYTES: [string, string[]][] = [
    ['clears the screen', ['\x1b[2Ja', 'a \x1b[2J\x1b[H', '\x1bca']],
    ['sets the title', ['\x1b]0;a\x07', 'a\x1b]2;b\x1b\\', '\x9d0;a\x9c']],
    ['deletes', ['abc\x08\x08\x08', 'a\x7f', '\x1b[1Ka']],
    ['is a command', ['::error::a', 'a\n::warning file=b::c', 'a\n\n\t ::stop-commands::b']],
    ['is a command in capitals', ['::ERROR::a', 'a\r\n::Error::b', 'a\n\u00a0::set-env name=b::c']],
    ['is a command after a line break of its own', ['a\r::error::b', 'a\u2028::error::b', 'a\x85::error::b']],
    ['is a command of the older form', ['##[error]a', 'a ##[group]b', '###[section]a']],
    ['overwrites', ['abc\rd', 'a\r', '\r\r\na']],
    ['reverses', ['\u202ea', 'a\u2067b', 'a\u200fb']],
    ['hides', ['a\u200bb', '\ufeffa', 'a\u2060b\u{e0041}']],
  ];
  const EACH_BYTES = BYTES.flatMap(([title, texts]) =>
    texts.map((text, i) => [`${title} (${i + 1})`, text] as const),
  );

  /** Shell: prints the bytes of a text. */
  const printf = (text: string) =>
    `printf '${[...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`;

  const PACKAGE: Tree = {
    [OVERLAY]: `${KUSTOMIZATION}resources: [map.yaml]\n`,
    'overlays/prod/map.yaml': CONFIG_MAP,
    '.krmignore': 'dist/\n',
  };

  test.each(EACH_BYTES)('what kustomize says %s', (_, text) => {
    run().write(PACKAGE);
    run().program('kustomize', `#!/bin/sh\n${printf(`${text}\nError: ${text}\n${text}`)} >&2\nexit 1\n`);
    const failed = run().render();
    expect(failed).toMatchObject({ status: 1, stderr: '' });
    expect(failed.stdout).toContain('overlays/prod: kustomize failed (exit 1): ');
    expectInert(failed.stdout);
    run().program('kustomize', `#!/bin/sh\n${printf(`${text}\na\n${text}`)} >&2\n${printf(CONFIG_MAP)}\n`);
    const warned = run().render();
    expect(warned).toMatchObject({ status: 0, stderr: '' });
    expect(warned.stdout).toContain('overlays/prod: kustomize reports: ');
    expectInert(warned.stdout);
    run().program('kustomize', `#!/bin/sh\n${printf(`${CONFIG_MAP}a: [\n"${text}`)}\n`);
    const broken = run().render();
    expect(broken).toMatchObject({ status: 1, stderr: '' });
    expect(broken.stdout).toContain('build of overlays/prod:');
    expectInert(broken.stdout);
  });

  test.each(EACH_BYTES)('a file that is not YAML, and its name, %s', async (_, text) => {
    const contents = [
      text,
      `${text}: 1\n${text}: 2\n`,
      `a: *${text}\n`,
      `a: !${text} b\n`,
      `a: "${text}\n`,
      `- ${text}`,
    ];
    for (const content of contents) {
      const { exitCode, stdout, stderr } = await inProcess(content);
      expect([0, 2]).toContain(exitCode);
      if (exitCode === 2) expect(stdout).toBe('');
      expectInert(stderr);
    }
    run().write({ [`base/${text.replaceAll('/', '')}.yaml`]: `a: "${text}\n` });
    const { status, stdout, stderr } = run().render();
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^base\//);
    expectInert(stderr);
  });

  test.each(EACH_BYTES)('a configuration that %s', async (_, text) => {
    const config = (spec: string) =>
      `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata: {name: g}\nspec: {${spec}}\n`;
    const specs = [
      `? ${quoted(text)} : 1`,
      `environments: {prod: {? ${quoted(text)} : 1}}`,
      `rules: {? ${quoted(text)} : off}`,
      `rules: {pinned-image: ${quoted(text)}}`,
      `neverExempt: [${quoted(text)}]`,
    ];
    run().write(PACKAGE);
    for (const spec of specs) {
      const list = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nfunctionConfig:\n${config(spec).replace(/^/gm, '  ')}\n`;
      const { exitCode, stderr } = await inProcess(list);
      expect([spec, exitCode]).toEqual([spec, 3]);
      expectInert(stderr);
    }
    run().write({ 'config.yaml': config(`environments: {? ${quoted(text)} : {}}`) });
    const { status, stdout, stderr } = run().render();
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toContain('environments names the overlay "');
    expectInert(stderr);
  });
});
