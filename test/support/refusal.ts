import { InputError } from '../../functions/guardrails/errors';

/** The message of the InputError that an action throws; `accepted` if it throws none. */
export function refusalOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return 'accepted';
}
