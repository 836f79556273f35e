import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import config from './vite.config.ts';

const place = 'services/gateway/console/dist';

/** Packed once here, so that the gateway has nothing to do for it. */
function pack(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(css|html|js|svg|webmanifest)$/.test(name)) continue;
    const path = join(folder, name);
    const plain = readFileSync(path);
    writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
    writeFileSync(
      `${path}.br`,
      brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }),
    );
  }
}

/** What was built must not depend on who builds: in tests React would be the one for its developers, twice the size. */
async function inProduction<T>(work: () => Promise<T>): Promise<T> {
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = before;
  }
}

/** Builds the console into a bundle. Resolves to the files that it was made of. */
export async function buildConsole(bundle: string): Promise<string[]> {
  const outDir = join(bundle, place);
  const built = (await inProduction(() =>
    build({
      ...config,
      configFile: false,
      logLevel: 'warn',
      build: { ...config.build, outDir, emptyOutDir: true },
    }),
  )) as Rolldown.RolldownOutput;
  pack(outDir);
  return built.output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}
