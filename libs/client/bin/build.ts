// Makes dist/, what the package consists of, before `npm pack`; with --remove it goes again.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const inPackage = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

rmSync(inPackage('dist'), { recursive: true, force: true });
rmSync(inPackage('LICENSE'), { force: true });
if (!process.argv.includes('--remove')) {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', inPackage('tsconfig.json')], { stdio: 'inherit' });
  // tsc leaves the endings of imports in declarations as they are, which some readers of them do not know.
  for (const file of globSync(inPackage('dist/**/*.d.ts')))
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(from '\.\/[^']+)\.ts'/g, "$1.js'"));
  // protoc-gen-es has written JavaScript with declarations, which tsc does not emit.
  cpSync(inPackage('src/gen'), inPackage('dist/gen'), {
    recursive: true,
    filter: (path) => !path.endsWith('reasons.ts'),
  });
  copyFileSync(inPackage('../../LICENSE'), inPackage('LICENSE'));
}
