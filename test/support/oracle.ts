import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Milliseconds for the first build of an oracle, which downloads its modules and compiles them. */
const FIRST_BUILD = 600_000;

/**
 * For the tests of a describe block: a Go program of test/oracles, built in a temporary folder. It reads questions in JSON,
 * one a line, and answers each in a line of JSON.
 *
 * @throws Error (of the returned function) the program ended with an error, or did not answer every question
 */
export function useOracle<Answer>(go: string, name: string): (questions: readonly unknown[]) => Answer[] {
  let folder = '';
  const binary = () => path.join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), `${name}-oracle-`));
    execFileSync(go, ['build', '-buildvcs=false', '-o', binary(), '.'], {
      cwd: path.join(__dirname, '../oracles', name),
    });
  }, FIRST_BUILD);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return (questions) => {
    if (questions.length === 0) return [];
    const input = questions.map((question) => JSON.stringify(question)).join('\n');
    const output = execFileSync(binary(), { input, encoding: 'utf8', maxBuffer: 1 << 28 });
    const answers = output.trimEnd().split('\n');
    if (answers.length !== questions.length)
      throw new Error(`the oracle ${name} gave ${answers.length} answers to ${questions.length} questions`);
    return answers.map((answer) => JSON.parse(answer) as Answer);
  };
}
