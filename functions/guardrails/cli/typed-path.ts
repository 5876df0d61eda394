import path from 'node:path';

/** The absolute path of what the user typed, in the folder where the user typed it (see functions/start.mjs). */
export function typedPath(typed: string): string {
  return path.resolve(process.env.GUARDRAILS_TYPED_IN ?? '.', typed);
}
