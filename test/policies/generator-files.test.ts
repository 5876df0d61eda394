import { writeFileSync } from 'node:fs';
import { PACKAGES } from '../support/generator-packages';
import type { PackageFiles } from '../support/package-files';
import { byCommandLine, byKpt } from '../support/ways-in';

const out: Record<string, unknown> = {};
afterAll(() => writeFileSync('/tmp/wH/out.json', JSON.stringify(out, null, 1)));
const diff = (a: PackageFiles, b: PackageFiles) =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((f) => a[f] !== b[f]).map((f) => [f, b[f]]),
  );
test.each(Object.entries(PACKAGES))('%s', async (name, files) => {
  const fixed = await byCommandLine(files as PackageFiles);
  const kpt = await byKpt(fixed.files);
  const check = await byCommandLine(kpt.files);
  const bare = await byKpt(files as PackageFiles);
  const bareAsIs = await byCommandLine(bare.files, { asIs: true });
  const bareFixed = await byCommandLine(bare.files);
  const again = await byKpt(bareFixed.files);
  const show = (j: typeof kpt) => [...j.network, ...j.otherErrors.map((m) => 'OTHER ' + m)];
  out[name] = {
    fixed: show(fixed),
    policies: Object.fromEntries(Object.entries(fixed.files).filter(([f]) => f.endsWith('policies.yaml'))),
    kpt: show(kpt),
    kptChanged: diff(fixed.files, kpt.files),
    check: show(check),
    checkChanged: diff(kpt.files, check.files),
    bare: show(bare),
    barePolicies: Object.fromEntries(Object.entries(bare.files).filter(([f]) => f.endsWith('policies.yaml'))),
    bareAsIs: show(bareAsIs),
    bareFixed: show(bareFixed),
    sameAsFixed: diff(fixed.files, bareFixed.files),
    again: show(again),
    againChanged: diff(bareFixed.files, again.files),
    bad: [...kpt.messages, ...bare.messages, ...again.messages].filter((m) =>
      /<\?>|GUARDRAILS_PLACEHOLDER|-[2456789bcdfghkmt]{10}(?![a-z0-9])/.test(m),
    ),
  };
});
