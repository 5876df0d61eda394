// For `npm run update`: the table of all messages, read from the sources.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/**
 * Every problem with its remedy, and every error, as two tables of Markdown. Text of the input is `{name}`.
 *
 * @param {string} folder of the function
 * @param {readonly string[]} rules their ids
 */
export function messagesTable(folder, rules) {
  const files = fs.readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.ts'));
  const found = files.sort().flatMap((file) => messagesIn(folder, file));
  const ofRules = found.filter(({ remedy, isError }) => remedy !== undefined && !isError);
  const errors = found.filter(({ isError }) => isError);
  const findings = ofRules.map(({ file, text, remedy }) => [ruleOf(file, rules), text, remedy ?? '']);
  const others = errors.map(({ file, text }) => [file.split('/')[0].replace(/\.ts$/, ''), text]);
  return `### Findings\n\n${markdownTable([['rule', 'message', 'remedy'], ...findings])}
### Errors\n\n${markdownTable([['where', 'message'], ...others])}`;
}

function ruleOf(file, rules) {
  const [room, name = ''] = file.split('/');
  const id = name.replace(/\.ts$/, '');
  if (rules.includes(id)) return `\`${id}\``;
  if (['network', 'policies', 'rules'].includes(room))
    return id === 'exemptions' ? '`exemption`' : id === 'harden' ? 'none' : '`network-policy`';
  return 'none';
}

function messagesIn(folder, file) {
  const text = fs.readFileSync(path.join(folder, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    if (ts.isObjectLiteralExpression(node)) {
      const problem = propertyOf(node, 'problem');
      if (problem !== undefined && isText(problem))
        for (const message of textsOf(problem, source))
          found.push({ file, text: message, remedy: remedyOf(node, source), isError: false });
    }
    if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText(source)))
      for (const argument of node.arguments ?? [])
        if (isText(argument))
          for (const message of textsOf(argument, source)) found.push({ file, text: message, isError: true });
    if (ts.isCallExpression(node) && ['refuse', 'report', 'note'].includes(calleeOf(node))) {
      const texts = node.arguments.filter(isText);
      const remedy = texts[1] === undefined ? undefined : textsOf(texts[1], source).join(' / ');
      if (texts[0] !== undefined)
        for (const message of textsOf(texts[0], source))
          found.push({ file, text: message, remedy: remedy ?? '', isError: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const seen = new Set();
  return found.filter((one) => {
    const key = JSON.stringify(one);
    return !seen.has(key) && seen.add(key);
  });
}

function calleeOf({ expression }) {
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
}

function propertyOf(object, name) {
  const property = object.properties.find((one) => one.name?.getText() === name);
  if (property === undefined) return undefined;
  return ts.isPropertyAssignment(property) ? property.initializer : property.name;
}

function remedyOf(object, source) {
  const remedy = propertyOf(object, 'remedy');
  return remedy === undefined ? '' : textsOf(remedy, source).join(' / ');
}

function isText(node) {
  if (ts.isTaggedTemplateExpression(node)) return node.tag.getText() === 'message';
  if (ts.isCallExpression(node)) return node.expression.getText() === 'words';
  if (ts.isConditionalExpression(node)) return isText(node.whenTrue) || isText(node.whenFalse);
  if (ts.isBinaryExpression(node)) return isText(node.left) || isText(node.right);
  return ts.isParenthesizedExpression(node) && isText(node.expression);
}

/** The texts that an expression may have, each `${name}` as `{name}`. */
function textsOf(node, source) {
  if (ts.isConditionalExpression(node))
    return [node.whenTrue, node.whenFalse].flatMap((one) => textsOf(one, source));
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression, source);
  if (ts.isTaggedTemplateExpression(node)) return textsOf(node.template, source);
  if (ts.isCallExpression(node) && node.expression.getText() === 'words')
    return node.arguments.flatMap((one) => textsOf(one, source));
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node))
    return node.templateSpans.reduce(
      (texts, { expression, literal }) =>
        texts.flatMap((text) => piecesOf(expression, source).map((piece) => text + piece + literal.text)),
      [node.head.text],
    );
  if (ts.isIdentifier(node)) {
    const value = constantOf(node, source);
    if (value !== undefined) return textsOf(value, source);
  }
  return [`{${nameOf(node)}}`];
}

/** What a template holds at one place: own words where they are written there, else a placeholder. */
function piecesOf(node, source) {
  if (isText(node) || ts.isConditionalExpression(node)) return textsOf(node, source);
  if (ts.isIdentifier(node) && constantOf(node, source) !== undefined) return textsOf(node, source);
  if (ts.isStringLiteralLike(node)) return [node.text];
  return [`{${nameOf(node)}}`];
}

/** The initializer of a constant of the file that is a text. */
function constantOf(identifier, source) {
  let found;
  const visit = (node) => {
    if (ts.isVariableDeclaration(node) && node.name.getText(source) === identifier.text && node.initializer)
      if (ts.isStringLiteralLike(node.initializer) || isText(node.initializer)) found ??= node.initializer;
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** `entry.name` is `name`, `JSON.stringify(entry)` is `entry`, `all.join(', ')` is `all`. */
function nameOf(node) {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isElementAccessExpression(node)) return nameOf(node.expression);
  if (ts.isBinaryExpression(node)) return nameOf(node.left);
  if (ts.isNonNullExpression(node) || ts.isParenthesizedExpression(node)) return nameOf(node.expression);
  if (!ts.isCallExpression(node)) return ts.isIdentifier(node) ? node.text : 'value';
  const { expression } = node;
  if (ts.isPropertyAccessExpression(expression) && expression.expression.getText() !== 'JSON')
    return nameOf(expression.expression);
  return node.arguments[0] === undefined ? expression.getText() : nameOf(node.arguments[0]);
}

/** Rows of cells as a Markdown table, header first. */
export function markdownTable([header, ...rows]) {
  const line = (cells) =>
    `| ${cells.map((cell) => cell.replaceAll('\n', ' ').replace(/[|<>]/g, '\\$&')).join(' | ')} |\n`;
  return [header, header.map(() => '---'), ...rows].map(line).join('');
}
