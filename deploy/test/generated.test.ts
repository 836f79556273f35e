import { expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const deploy = join(import.meta.dirname, '..');
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ya?ml|json|md|ini|sql)$/.test(name))
    .sort();

it('what is generated is what the generator makes of its sources now (npm run manifests), and nothing else lies there', () => {
  const copy = mkdtempSync(join(tmpdir(), 'taskflow-generated-'));
  const folders = ['kubernetes', 'observability', 'pgbouncer'];
  for (const part of [...folders, 'scaling.md']) cpSync(join(deploy, part), join(copy, part), { recursive: true });
  for (const folder of ['kubernetes/components/sizes', 'observability/dashboards', 'pgbouncer'])
    rmSync(join(copy, folder), { recursive: true });
  execFileSync(process.execPath, [join(deploy, 'generate.ts'), copy]);
  const allOf = (top: string): string[] =>
    folders.flatMap((part) => filesOf(join(top, part)).map((name) => join(part, name)));
  const files = allOf(deploy);
  expect(allOf(copy)).toEqual(files);
  for (const file of ['scaling.md', ...files])
    expect(readFileSync(join(copy, file), 'utf8')).toBe(readFileSync(join(deploy, file), 'utf8'));
  rmSync(copy, { recursive: true });
});
