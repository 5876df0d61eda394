import path from 'node:path';

/** The absolute path of what the user typed. npm changes to the top of this repository before it runs a script of it. */
export function typedPath(typed: string): string {
  const { npm_package_name: name, INIT_CWD: typedIn = '.' } = process.env;
  return path.resolve(name === 'todo-guardrails' ? typedIn : '.', typed);
}
