import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buildOverlay, resource } from './support/built-overlay';
import { devProdTable } from './support/dev-prod-table';

const dev = buildOverlay('dev');
const prod = buildOverlay('prod');

test('the table in README.md shows what the builds differ in, row for row', () => {
  expect({ 'run npm run update': tableOfReadme() }).toEqual({
    'run npm run update': devProdTable(dev, prod),
  });
});

test('the rows of the Todo App', () => {
  expect(devProdTable(dev, prod).map(([what]) => what)).toEqual(
    expect.arrayContaining([
      'Namespace',
      'Host',
      'TLS',
      'API documentation',
      'Image of the backend',
      'Image of the frontend',
      'Replicas of the backend',
      'Replicas of the frontend',
      'PodDisruptionBudget',
      '`ENVIRONMENT`',
      '`LOG_LEVEL`',
      '`ALLOWED_ORIGINS`',
      '`NEXT_PUBLIC_API_URL`',
      '`backend-secrets`',
      'Policy for ACME HTTP-01 solver pods',
    ]),
  );
});

test('a row whose cells are equal is left out', () => {
  const alike = structuredClone(prod);
  Object.assign(resource(alike, 'Deployment', 'todo-backend').spec ?? {}, { replicas: 2 });
  const rows = devProdTable(dev, alike).map(([what]) => what);
  expect(rows).not.toContain('Replicas of the backend');
  expect(rows).toContain('Replicas of the frontend');
});

test('a difference that no row shows is an error', () => {
  const changed = structuredClone(prod);
  resource(changed, 'Service', 'todo-backend').metadata.labels = { changed: 'true' };
  changed.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new' } });
  expect(() => devProdTable(dev, changed)).toThrow(
    'differ in Service/todo-backend, ConfigMap/new, which the table of README.md does not show; add a row in test/support/dev-prod-table.ts',
  );
});

/** Cells between the markers, header first, without Prettier's padding. */
function tableOfReadme(): string[][] {
  const readme = readFileSync(path.join(__dirname, '../README.md'), 'utf8');
  const table = /<!-- dev-prod-table:start -->\n([^]*?)<!-- dev-prod-table:end -->/.exec(readme)?.[1] ?? '';
  return table
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^[|\s:-]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
