import { InputError } from '../errors';
import type { Item } from '../krm/item';
import { isSecretText, namesSecret } from '../krm/secret-names';
import type { YamlAlias, YamlEntry, YamlMapping, YamlNode, YamlScalar } from '../yaml/nodes';
import type { YamlObject, YamlValue } from '../yaml/yaml';
import { isMergeKey, isObject, parseYaml, textOf, valueOf } from '../yaml/yaml';
import type { Redact } from './print';

/** Characters that a value must have to be redacted as a complete token, and to be redacted anywhere. */
const SHORTEST = 4;
const SHORTEST_ANYWHERE = 8;
/** What delimits a token: an end, a blank, a quote, a comma, `=` or a bracket, also if escaped. */
const BEFORE_TOKEN = '(?<=^|[\\s"\'`,=()[\\]{}<>]|\\\\[nrt])';
const AFTER_TOKEN = '(?=$|[\\s"\'`,=()[\\]{}<>\\\\])';
const MAY_BE_SECRET = /secret|patch|literals|passw|pass\b|api[-_]?key|credential|[-_]token|private[-_]?key/i;
/** Fields of a kustomization that may contain YAML as text. */
const INLINE_FIELDS: readonly string[] = ['patch', 'patches', 'patchesStrategicMerge', 'patchesJson6902'];
const JSON_PATCH_KEYS: readonly string[] = ['op', 'path', 'from'];

/**
 * Makes a text safe to print: replaces the values of Secrets with `***`.
 *
 * A value is secret because of where it is defined: in `data` or `stringData` of a Secret or of a patch to one, in
 * `literals` of a secretGenerator or a SecretGenerator plugin, in a line of a file that one of these reads, or as the value
 * of an entry of `env` or of a ConfigMap whose name is that of a secret. It is
 * redacted as written, as read, base64-encoded and decoded, line by line, and escaped. Values of 8 or more characters are
 * redacted wherever they occur, values of 4 to 7 characters only as a complete token. A value that the package uses as a
 * name outside of Secrets (see `publicNames`) is not redacted, because it is printed anyway.
 *
 * @param others what is secret in files that are not items
 */
export function redactor(items: readonly Item[], others: OtherSources = NO_OTHERS): Redact {
  let index: SecretIndex | undefined;
  return (text) => {
    index ??= new SecretIndex(secretsIn(items, others));
    return index.secretsIn(text).reduce(redactOne, text);
  };
}

/** Secrets up to this number are searched for one by one, which is faster for few of them. */
const LINEAR_SEARCH_LIMIT = 1000;

/** Finds the secrets that a text contains, in time that hardly grows with their number. */
class SecretIndex {
  private readonly ranks = new Map<string, number>();
  /** A replacement can make a text that contains one of these. */
  private readonly withStars: readonly string[];
  private readonly starts = new Set<string>();
  private readonly sorted: readonly string[];
  /** For each secret that starts with other secrets, the longest of them. */
  private readonly prefixes = new Map<string, string>();

  constructor(private readonly longestFirst: readonly string[]) {
    const isIndexed = longestFirst.length > LINEAR_SEARCH_LIMIT;
    this.withStars = isIndexed ? longestFirst.filter((one) => one.includes('*')) : [];
    this.sorted = isIndexed ? longestFirst.toSorted((a, b) => (a < b ? -1 : 1)) : [];
    if (isIndexed) longestFirst.forEach((one, rank) => this.ranks.set(one, rank));
    const open: string[] = [];
    for (const one of this.sorted) {
      this.starts.add(one.slice(0, SHORTEST));
      while (open.length > 0 && !one.startsWith(open.at(-1) ?? '')) open.pop();
      const prefix = open.at(-1);
      if (prefix !== undefined) this.prefixes.set(one, prefix);
      open.push(one);
    }
  }

  /** Longest first: at least those that are replaced in the text. */
  secretsIn(text: string): readonly string[] {
    if (this.sorted.length === 0) return this.longestFirst;
    const found = new Set(this.withStars);
    for (let at = 0; at <= text.length - SHORTEST; at++) {
      if (!this.starts.has(text.slice(at, at + SHORTEST))) continue;
      let secret = this.lastUpTo(text.slice(at));
      while (secret !== undefined && !text.startsWith(secret, at)) secret = this.prefixes.get(secret);
      for (; secret !== undefined && !found.has(secret); secret = this.prefixes.get(secret))
        found.add(secret);
    }
    const rankOf = (secret: string) => this.ranks.get(secret) ?? 0;
    return [...found].sort((a, b) => rankOf(a) - rankOf(b));
  }

  /** Binary search: the last secret that sorts at or before `text`. If any secret starts `text`, it is this one or one of its prefixes. */
  private lastUpTo(text: string): string | undefined {
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.sorted[middle] ?? '') <= text) low = middle + 1;
      else high = middle;
    }
    return this.sorted[low - 1];
  }
}

function redactOne(text: string, secret: string): string {
  if (!text.includes(secret)) return text;
  if (secret.length >= SHORTEST_ANYWHERE) return text.replaceAll(secret, '***');
  const escaped = secret.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return text.replace(new RegExp(`${BEFORE_TOKEN}${escaped}${AFTER_TOKEN}`, 'g'), '***');
}

/** What is secret in the files of a package that are not items. */
export interface OtherSources {
  /** The content of every file that a secretGenerator reads. */
  readonly inputs: readonly Uint8Array[];
  /** Patches, which may be patches to Secrets. */
  readonly patches: readonly string[];
  /** Other YAML, which may hold Secrets. */
  readonly documents: readonly string[];
}

const NO_OTHERS: OtherSources = { inputs: [], patches: [], documents: [] };

function secretsIn(items: readonly Item[], { inputs, patches, documents }: OtherSources): string[] {
  const secrets = new Secrets();
  for (const input of inputs) secrets.addInput(input);
  for (const patch of patches) secrets.addInline(patch, true);
  for (const document of documents) if (MAY_BE_SECRET.test(document)) secrets.addInline(document, false);
  for (const { text, value } of items)
    // The text of a kind may have escapes, and a kustomization may have patches to Secrets that do not name the kind.
    if (MAY_BE_SECRET.test(text) || /secret/i.test(textOf(value.kind)))
      secrets.collectDocument(text, parseYaml(text, '')[0] ?? null);
  if (secrets.texts.size === 0) return [];
  const names = publicNames(items);
  return [...secrets.texts].filter((text) => !names.has(text)).sort((a, b) => b.length - a.length);
}

/** Values of `name`, `namespace` and `kind`, and segments of file paths and image repositories, outside of Secrets. */
function publicNames(items: readonly Item[]): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (value: YamlValue): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isObject(value) || value.kind === 'Secret' || value.kind === 'SecretList') return;
    for (const [key, child] of Object.entries(value))
      if (typeof child !== 'string') visit(child);
      else if (/^(name|namespace|kind)$/.test(key)) names.add(child);
      else if (key === 'image')
        for (const segment of child.replace(/@.*|:[^/:@]*(@.*)?$/s, '').split('/')) names.add(segment);
  };
  for (const { path = '', value } of items) {
    visit(value);
    for (const segment of path.split('/')) names.add(segment).add(segment.replace(/\.[^.]*$/, ''));
  }
  return names;
}

class Secrets {
  readonly texts = new Set<string>();
  /** The text of the document that is being read. */
  private document = '';

  collectDocument(text: string, root: YamlNode | null): void {
    const outer = this.document;
    this.document = text;
    this.collect(root);
    this.document = outer;
  }

  /** @param impliedKind the kind of a mapping that has none of its own */
  collect(aliased: YamlNode | null, impliedKind = ''): void {
    if (aliased === null) return;
    const node = resolve(aliased);
    // Such as the copy of a resource that kubectl puts into an annotation.
    if (node.kind === 'scalar' && /secret/i.test(node.text)) this.addInline(node.text, false);
    if (node.kind === 'sequence') for (const item of node.items) this.collect(item, impliedKind);
    if (node.kind !== 'mapping') return;
    const value = valueOf(node) as YamlObject;
    const kind = value.kind === undefined ? impliedKind : textOf(value.kind);
    const kindOfItems = kind.endsWith('List') ? kind.slice(0, -4) : '';
    this.addNamed(value, kind);
    for (const { key, value: child } of entriesOf(node)) {
      const name = key.kind === 'scalar' ? key.text : '';
      if (kind === 'Secret' && (name === 'data' || name === 'stringData')) this.addValues(child);
      else if (kind === 'SecretGenerator' && name === 'literals') this.addLiterals(child);
      else if (name === 'secretGenerator') this.collect(child, 'SecretGenerator');
      else if (INLINE_FIELDS.includes(name)) this.addPatches(child, value);
      else this.collect(child, name === 'items' ? kindOfItems : '');
    }
  }

  /** Values under names of secrets: of a variable of a container, and in the data of a ConfigMap. */
  private addNamed({ name, value, data }: YamlObject, kind: string): void {
    const named = kind === 'ConfigMap' && isObject(data) ? Object.entries(data) : [[name, value] as const];
    for (const [key, text] of named)
      if (typeof key === 'string' && typeof text === 'string' && namesSecret(key) && isSecretText(text, key))
        this.add(text);
  }

  /** The content of a generator's file: every line, and what follows its first `=`. */
  addInput(bytes: Uint8Array): void {
    for (const latin1 of Buffer.from(bytes).toString('latin1').split('\n')) {
      const line = Buffer.from(latin1, 'latin1');
      const text = line.toString('utf8');
      // The messages of kustomize contain a line that is not UTF-8 as numbers.
      this.add(text, text.slice(text.indexOf('=') + 1), line.join(' '));
    }
  }

  /** A patch as text, or a list of patches, as texts or with targets. */
  private addPatches(aliased: YamlNode, { target }: YamlObject): void {
    const node = resolve(aliased);
    if (node.kind === 'scalar') this.addInline(node.text, mayBeSecret(isObject(target) ? target : {}));
    else if (node.kind === 'mapping') this.collect(node);
    else
      for (const item of node.items.map(resolve))
        if (item.kind === 'scalar') this.addInline(item.text, false);
        else this.collect(item);
  }

  /** @param isForSecret whether it may be a patch to a Secret */
  addInline(text: string, isForSecret: boolean): void {
    let documents: (readonly [YamlNode | null, YamlValue])[];
    try {
      documents = parseYaml(text, '').map((document) => [document, valueOf(document)]);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (isForSecret || /secret/i.test(text)) this.addPieces(text);
      return;
    }
    const outer = this.document;
    this.document = text;
    for (const [document, value] of documents) {
      // The kind of a patch without one is the kind of its target.
      if (document !== null && isForSecret && !(isObject(value) && value.kind !== undefined))
        this.addValues(document, JSON_PATCH_KEYS);
      if (document?.kind !== 'scalar') this.collect(document);
    }
    this.document = outer;
  }

  /** Every part of a text that is not YAML, without quotes and keys. */
  private addPieces(text: string): void {
    for (const line of text.split(/[\n,{}]/))
      for (const piece of [line, line.slice(line.indexOf(':') + 1)]) this.add(unquoted(piece.trim()));
  }

  private addLiterals(node: YamlNode): void {
    for (const { text } of scalarsIn(node)) {
      const value = text.slice(text.indexOf('=') + 1);
      this.add(value, value.replace(/^(["'])(.*)\1$/s, '$2'));
    }
  }

  private addValues(node: YamlNode, except: readonly string[] = []): void {
    for (const scalar of scalarsIn(node, except)) {
      this.add(scalar.text, textOf(valueOf(scalar)));
      // A diff has a quoted value of several lines as it is written, line by line.
      const written = this.document.slice(scalar.start, scalar.end);
      if (written.includes('\n')) for (const line of written.split('\n')) this.add(unquoted(line.trim()));
    }
  }

  private add(...secrets: readonly string[]): void {
    const forms = secrets.flatMap((one) => [one, ...encoded(Buffer.from(one)), decoded(one)]);
    for (const form of forms) {
      // A message may have only a line of it, or may escape characters in it.
      const escaped = JSON.stringify(form).slice(1, -1);
      for (const piece of [form, escaped, ...form.split('\n'), ...form.split(/[^\x20-\x7e]|["\\]/)])
        if (piece.trim().length >= SHORTEST) this.texts.add(piece.trim());
    }
  }
}

/** A text without quotes and brackets at its ends. */
function unquoted(text: string): string {
  const isMark = (at: number) => '"\'[]'.includes(text.charAt(at));
  let [start, end] = [0, text.length];
  while (start < end && isMark(start)) start++;
  while (end > start && isMark(end - 1)) end--;
  return text.slice(start, end);
}

function resolve(node: YamlNode): Exclude<YamlNode, YamlAlias> {
  return node.kind === 'alias' ? resolve(node.target) : node;
}

/** The entries of a mapping, and those that its merge keys bring. */
function entriesOf({ entries }: YamlMapping): YamlEntry[] {
  return entries.flatMap((entry) => {
    if (!isMergeKey(entry.key)) return [entry];
    const source = resolve(entry.value);
    return (source.kind === 'sequence' ? source.items.map(resolve) : [source]).flatMap((one) =>
      one.kind === 'mapping' ? entriesOf(one) : [],
    );
  });
}

/** @param except keys whose values to leave out */
function scalarsIn(aliased: YamlNode, except: readonly string[] = []): YamlScalar[] {
  const node = resolve(aliased);
  if (node.kind === 'scalar') return [node];
  if (node.kind === 'sequence') return node.items.flatMap((item) => scalarsIn(item, except));
  return entriesOf(node).flatMap(({ key, value }) =>
    key.kind === 'scalar' && except.includes(key.text) ? [] : scalarsIn(value, except),
  );
}

/** The kind of a target is a regular expression: only a literal other kind excludes Secrets. */
function mayBeSecret({ kind }: YamlObject): boolean {
  return typeof kind !== 'string' || kind === 'Secret' || !/^[A-Za-z]+$/.test(kind);
}

/** In one line, and in lines as kustomize writes it. */
function encoded(bytes: Uint8Array): [string, string] {
  const line = Buffer.from(bytes).toString('base64');
  return [line, line.replace(/.{70}/g, '$&\n')];
}

function decoded(text: string): string {
  const packed = text.replace(/\s/g, '');
  if (packed === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return '';
  const plain = Buffer.from(packed, 'base64').toString('utf8');
  return plain.includes('\ufffd') ? '' : plain;
}
