/** The range of a node in its text, without anchor and tag: UTF-16 offsets, `end` exclusive. */
interface Range {
  readonly start: number;
  readonly end: number;
}

export interface YamlScalar extends Range {
  readonly kind: 'scalar';
  /** The decoded text: quotes, escapes, folding and block indentation are gone. */
  readonly text: string;
  /** Neither quoted nor a block scalar: its type is resolved from its text. */
  readonly plain: boolean;
  /** As written (`!!str`, `!custom`), or undefined. */
  readonly tag: string | undefined;
}

export interface YamlMapping extends Range {
  readonly kind: 'mapping';
  readonly flow: boolean;
  readonly entries: readonly YamlEntry[];
}

export interface YamlEntry {
  readonly key: YamlNode;
  readonly value: YamlNode;
}

export interface YamlSequence extends Range {
  readonly kind: 'sequence';
  readonly flow: boolean;
  readonly items: readonly YamlNode[];
}

export interface YamlAlias extends Range {
  readonly kind: 'alias';
  readonly target: YamlNode;
}

export type YamlNode = YamlScalar | YamlMapping | YamlSequence | YamlAlias;
