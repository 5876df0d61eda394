import { InputError } from '../errors';
import type { Item } from '../krm/item';
import { type YamlNode, type YamlObject, isObject, parseYaml, textOf, valueOf } from '../yaml/yaml';

/** A shorter text is no secret, and blotting it out would blot out the message. */
const SHORTEST = 4; // characters
const LINE_FEED = 0x0a;
/** What kustomize reads as YAML where the kustomization says so. */
const INLINE_FIELDS = new Set(['patch', 'patches', 'patchesStrategicMerge', 'patchesJson6902']);

/**
 * Makes a text safe to print: every value of a Secret in the package is blotted out, as written, as read, encoded and
 * decoded (base64), and in pieces where a printer would escape what stands between them.
 *
 * @param inputs what generators read: any of it may be in a Secret
 */
export function redactor(
  items: readonly Item[],
  inputs: Iterable<Uint8Array> = [],
): (text: string) => string {
  let longestFirst: readonly string[] | undefined;
  return (text) => {
    longestFirst ??= secretsIn(items, inputs);
    return longestFirst.reduce((safe, secret) => safe.replaceAll(secret, '***'), text);
  };
}

function secretsIn(items: readonly Item[], inputs: Iterable<Uint8Array>): string[] {
  const secrets = new Secrets();
  for (const input of inputs) secrets.collectInput(input);
  for (const { text, value } of items)
    if (mentionsSecrets(text, value)) secrets.collect(parseYaml(text, '')[0] ?? null);
  return [...secrets.texts].sort((a, b) => b.length - a.length);
}

function mentionsSecrets(text: string, { kind }: YamlObject): boolean {
  // A kind may be written in escapes; what a kustomization holds for Secrets may not name them.
  return /secret|patch|literals/i.test(text) || /secret/i.test(textOf(kind));
}

class Secrets {
  readonly texts = new Set<string>();

  collect(node: YamlNode | null, kindOfItems = ''): void {
    if (node === null) return;
    if (node.kind === 'alias') {
      this.collect(node.target, kindOfItems);
      return;
    }
    if (node.kind === 'scalar') {
      // Such as kubectl's copy of what was applied, in an annotation.
      if (/secret/i.test(node.text)) this.collectInline(node.text, false);
      return;
    }
    if (node.kind === 'sequence') {
      for (const item of node.items) this.collect(item, kindOfItems);
      return;
    }
    const value = valueOf(node);
    if (!isObject(value)) return;
    const kind = value.kind === undefined ? kindOfItems : textOf(value.kind);
    for (const { key, value: child } of node.entries) {
      const name = key.kind === 'scalar' ? key.text : '';
      const holdsValues = kind === 'Secret' && (name === 'data' || name === 'stringData');
      const holdsLiterals =
        name === 'secretGenerator' || (kind === 'SecretGenerator' && /^(literals|envs?)$/.test(name));
      if (holdsValues) this.addAll(child);
      else if (holdsLiterals) this.addLiterals(child);
      else if (INLINE_FIELDS.has(name)) this.collectPatches(child, value);
      else this.collect(child, name === 'items' && kind.endsWith('List') ? kind.slice(0, -4) : '');
    }
  }

  /** Every line, and what follows its first `=`. */
  collectInput(bytes: Uint8Array): void {
    for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
      end = bytes.indexOf(LINE_FEED, start);
      if (end === -1) end = bytes.length;
      const line = bytes.subarray(start, end);
      const text = Buffer.from(line).toString('utf8');
      this.add(text);
      this.add(text.slice(text.indexOf('=') + 1));
      // As kustomize shows a line that is not UTF-8.
      this.add(line.join(' '));
    }
  }

  /** A text that is a patch, or a list of patches, as texts or beside their targets. */
  private collectPatches(node: YamlNode, { target }: YamlObject): void {
    if (node.kind === 'alias') this.collectPatches(node.target, {});
    else if (node.kind === 'scalar')
      this.collectInline(node.text, mayBeSecret(isObject(target) ? target : {}));
    else if (node.kind === 'sequence')
      for (const item of node.items)
        if (item.kind === 'scalar') this.collectInline(item.text, false);
        else this.collect(item);
    else this.collect(node);
  }

  /** @param isForSecret whether what it patches may be a Secret */
  private collectInline(text: string, isForSecret: boolean): void {
    let documents: (YamlNode | null)[];
    try {
      documents = parseYaml(text, '');
      documents.forEach(valueOf);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (isForSecret || /secret/i.test(text)) this.addPieces(text);
      return;
    }
    for (const document of documents) {
      if (document === null) continue;
      const value = valueOf(document);
      // A patch without a kind is merged into whatever its target is.
      if (isForSecret && !(isObject(value) && value.kind !== undefined))
        this.addAll(document, JSON_PATCH_KEYS);
      if (document.kind !== 'scalar') this.collect(document);
    }
  }

  /** What cannot be read: every word of it, quotes and keys taken off. */
  private addPieces(text: string): void {
    for (const line of text.split(/[\n,{}]/))
      for (const piece of [line, line.slice(line.indexOf(':') + 1)])
        this.add(piece.trim().replace(/^["'[\]]+|["'[\]]+$/g, ''));
  }

  private addLiterals(node: YamlNode): void {
    if (node.kind === 'alias') this.addLiterals(node.target);
    if (node.kind === 'sequence') for (const item of node.items) this.addLiterals(item);
    if (node.kind === 'mapping')
      for (const { key, value } of node.entries)
        if (key.kind === 'scalar' && key.text === 'literals') this.addLiterals(value);
    if (node.kind !== 'scalar') return;
    const value = node.text.slice(node.text.indexOf('=') + 1);
    this.add(value);
    this.add(value.replace(/^(["'])(.*)\1$/s, '$2'));
  }

  private addAll(node: YamlNode, except: ReadonlySet<string> = NO_KEYS): void {
    if (node.kind === 'alias') this.addAll(node.target, except);
    if (node.kind === 'sequence') for (const item of node.items) this.addAll(item, except);
    if (node.kind === 'mapping')
      for (const { key, value } of node.entries)
        if (key.kind !== 'scalar' || !except.has(key.text)) this.addAll(value, except);
    if (node.kind !== 'scalar') return;
    this.add(node.text);
    this.add(textOf(valueOf(node)));
  }

  private add(secret: string): void {
    const forms = [secret, Buffer.from(secret).toString('base64'), decoded(secret)];
    for (const form of forms)
      // What a printer escapes is left out.
      for (const piece of [
        form,
        JSON.stringify(form).slice(1, -1),
        ...form.split('\n'),
        ...form.split(/[^\x20-\x7e]|["\\]/),
      ])
        if (piece.trim().length >= SHORTEST) this.texts.add(piece);
  }
}

const NO_KEYS: ReadonlySet<string> = new Set();
const JSON_PATCH_KEYS: ReadonlySet<string> = new Set(['op', 'path', 'from']);

/** A target's kind is a regular expression: only a plain other name is surely none. */
function mayBeSecret({ kind }: YamlObject): boolean {
  return typeof kind !== 'string' || kind === 'Secret' || !/^[A-Za-z]+$/.test(kind);
}

function decoded(text: string): string {
  const packed = text.replace(/\s/g, '');
  if (packed === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return '';
  const plain = Buffer.from(packed, 'base64').toString('utf8');
  return plain.includes('\ufffd') ? '' : plain;
}
