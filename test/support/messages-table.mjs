// For `npm run update`: the tables of all messages, read from the sources.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/**
 * Every problem with its remedy, every error, and every other message and part of one, as tables of Markdown. Text of the
 * input is `{name}`.
 *
 * @param {string} folder of the function
 * @param {readonly string[]} rules their ids
 */
export function messagesTable(folder, rules) {
  const files = fs.readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.ts'));
  const all = files.sort().flatMap((file) => new MessageReader(folder, file).read());
  const rows = (sort, row) => {
    const seen = new Set();
    const cells = all.filter((one) => one.sort === sort).map(row);
    return cells.filter((one) => !seen.has(JSON.stringify(one)) && seen.add(JSON.stringify(one)));
  };
  const room = (file) => file.split('/')[0].replace(/\.ts$/, '');
  const findings = rows('finding', ({ file, text, remedy }) => [ruleOf(file, rules), text, remedy]);
  const errors = rows('error', ({ file, text }) => [room(file), text]);
  const parts = rows('part', ({ file, text }) => [room(file), text]);
  return [
    `### Findings\n\n${markdownTable([['rule', 'message', 'remedy'], ...findings])}`,
    `### Errors\n\n${markdownTable([['where', 'message'], ...errors])}`,
    `### Other messages, and parts of messages\n\n${markdownTable([['where', 'message'], ...parts])}`,
  ].join('\n');
}

function ruleOf(file, rules) {
  const id = path.basename(file, '.ts');
  if (rules.includes(id)) return `\`${id}\``;
  if (id === 'exemptions') return '`exemption`';
  return /^(network|policies)\//.test(file) ? '`network-policy`' : '';
}

/** Rows of cells as a Markdown table, header first. */
export function markdownTable([header, ...rows]) {
  const escape = (cell) => cell.replaceAll('\n', ' ').replace(/[|<>]/g, '\\$&');
  const line = (cells) => `| ${cells.map(escape).join(' | ')} |\n`;
  return [header, header.map(() => '---'), ...rows].map(line).join('');
}

/** Reads the messages of one file. */
class MessageReader {
  constructor(folder, file) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    this.file = file;
    this.source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    this.found = [];
    /** Expressions that are in a row already. */
    this.used = new Set();
  }

  read() {
    this.each((node) => {
      if (ts.isObjectLiteralExpression(node))
        this.addFinding(propertyOf(node, 'problem'), propertyOf(node, 'remedy'));
      if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText()))
        for (const argument of node.arguments ?? []) this.add('error', argument);
      if (ts.isCallExpression(node) && ['refuse', 'report'].includes(calleeOf(node))) {
        const texts = node.arguments.filter(
          (one) => this.isText(one) || ts.isStringLiteralLike(one) || ts.isTemplateExpression(one),
        );
        this.addFinding(texts[0], texts[1]);
      }
    });
    this.each((node) => {
      if (isMessage(node) && !isNested(node) && !this.used.has(node)) this.add('part', node);
    });
    return this.found;
  }

  each(visit) {
    const walk = (node) => {
      visit(node);
      ts.forEachChild(node, walk);
    };
    walk(this.source);
  }

  addFinding(problem, remedy) {
    if (problem === undefined || !this.isText(problem)) return;
    this.add('finding', problem, remedy === undefined ? '' : this.textsOf(remedy).join(' / '));
  }

  add(sort, node, remedy = '') {
    if (!this.isText(node)) return;
    for (const text of this.textsOf(node))
      // Without letters of its own it is the punctuation of others.
      if (/[a-z]{2}/.test(text.replaceAll(/\{\w+\}/g, '')))
        this.found.push({ file: this.file, sort, text, remedy });
  }

  isText(node) {
    if (isMessage(node)) return true;
    if (ts.isConditionalExpression(node)) return this.isText(node.whenTrue) || this.isText(node.whenFalse);
    if (ts.isParenthesizedExpression(node)) return this.isText(node.expression);
    return ts.isIdentifier(node) && this.constantOf(node) !== undefined;
  }

  /** The texts that an expression may have. */
  textsOf(node) {
    this.used.add(node);
    if (ts.isConditionalExpression(node))
      return [node.whenTrue, node.whenFalse].flatMap((one) => this.textsOf(one));
    if (ts.isParenthesizedExpression(node)) return this.textsOf(node.expression);
    if (ts.isTaggedTemplateExpression(node)) return this.textsOf(node.template);
    if (isMessage(node)) return node.arguments.flatMap((one) => this.textsOf(one));
    if (ts.isStringLiteralLike(node)) return [node.text];
    if (ts.isTemplateExpression(node))
      return node.templateSpans.reduce(
        (texts, { expression, literal }) =>
          texts.flatMap((text) => this.textsOf(expression).map((piece) => text + piece + literal.text)),
        [node.head.text],
      );
    const constant = ts.isIdentifier(node) ? this.constantOf(node) : undefined;
    return constant === undefined ? [`{${nameOf(node)}}`] : this.textsOf(constant);
  }

  /** The last constant of that name before its use, if it is a text. */
  constantOf(identifier) {
    let found;
    this.each((node) => {
      if (!ts.isVariableDeclaration(node) || node.name.getText() !== identifier.text) return;
      if (node.initializer === undefined || node.pos > identifier.pos) return;
      const { initializer } = node;
      const isConstant =
        isMessage(initializer) ||
        ts.isStringLiteralLike(initializer) ||
        ts.isConditionalExpression(initializer);
      found =
        isConstant && (ts.isStringLiteralLike(initializer) || this.isText(initializer))
          ? initializer
          : undefined;
    });
    return found;
  }
}

function isMessage(node) {
  if (ts.isTaggedTemplateExpression(node)) return node.tag.getText() === 'message';
  return ts.isCallExpression(node) && node.expression.getText() === 'words';
}

/** Whether a message is a piece of another one, or a remedy. */
function isNested({ parent }) {
  for (let node = parent; node !== undefined; node = node.parent) {
    if (isMessage(node)) return true;
    if (ts.isPropertyAssignment(node)) return node.name.getText() === 'remedy';
    if (ts.isStatement(node)) return false;
  }
  return false;
}

function calleeOf({ expression }) {
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
}

function propertyOf(object, name) {
  const property = object.properties.find((one) => one.name?.getText() === name);
  if (property === undefined) return undefined;
  return ts.isPropertyAssignment(property) ? property.initializer : property.name;
}

/** `entry.name` is `name`, `JSON.stringify(entry)` is `entry`, `all.join(', ')` is `all`. */
function nameOf(node) {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isElementAccessExpression(node) || ts.isNonNullExpression(node)) return nameOf(node.expression);
  if (ts.isBinaryExpression(node)) return nameOf(node.left);
  if (!ts.isCallExpression(node)) return ts.isIdentifier(node) ? node.text : 'value';
  const { expression } = node;
  if (ts.isPropertyAccessExpression(expression) && expression.expression.getText() !== 'JSON')
    return nameOf(expression.expression);
  return node.arguments[0] === undefined ? expression.getText() : nameOf(node.arguments[0]);
}
