/**
 * Bundles what an image can do: node libs/dev/cluster/bin/bundle.ts FOLDER [SERVICE]; with a service, only what that one
 * needs. Entries keep the paths of their sources below the folder, which also gets the data files that sources read,
 * the licences of what is bundled, and a package.json that names what is not.
 */
import { globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown, type OutputChunk, type Plugin } from 'rolldown';
import { buildConsole } from '../../../../services/gateway/console/build.ts';

/** Packages that cannot be bundled: an image has them in node_modules. */
const external = [
  // A native addon.
  '@node-rs/argon2',
  // A native addon for unpacking, which msgpackr does without when it is absent: BullMQ only packs. No image has it.
  'msgpackr-extract',
  // MikroORM would look for entities in files with it, which nobody asks for. Not installed at all.
  'tinyglobby',
];
const viewer = 'node_modules/redoc/bundles/redoc.standalone.js';
/** What sources read by their own place, and where it stands in the bundle when that is elsewhere. */
const data: Record<string, string> = {
  'libs/contract/src/gen/descriptors.binpb': 'libs/contract/src/gen/descriptors.binpb',
  'proto/docs/openapi.json': 'proto/docs/openapi.json',
  [viewer]: 'proto/docs/redoc.standalone.js',
  [`${viewer}.LICENSE.txt`]: 'proto/docs/redoc.standalone.js.LICENSE.txt',
};
const tools = [
  'libs/db/bin/provision.ts',
  'libs/audit/bin/verify-audit.ts',
  'deploy/healthcheck.ts',
  'deploy/secrets.ts',
];

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const [out = '', service] = process.argv.slice(2);

/** A source finds its files by its own place, although it has become a part of a chunk elsewhere. */
const ownPlaces: Plugin = {
  name: 'own places',
  transform: {
    filter: { id: /\.ts$/, code: 'import.meta.url' },
    handler: (code, id) => ({
      code: code.replaceAll('import.meta.url', `new URL('${relative(root, id)}', bundleFolder).href`),
      map: null,
    }),
  },
};

/** An import of node:http reads all of its getters, and one of them loads undici: an eighth of a service's start. */
const lazyHttp: Plugin = {
  name: 'lazy http',
  resolveId: { filter: { id: /^node:http$/ }, handler: () => '\0http' },
  load: { filter: { id: /^\0http$/ }, handler: () => "module.exports = process.getBuiltinModule('node:http');" },
};

async function bundle(): Promise<OutputChunk[]> {
  const entries = globSync('services/*/src/{main,migrate,after-restore,admin,reencrypt,db/migrations/*}.ts', {
    cwd: root,
  });
  const input = Object.fromEntries([...tools, ...entries].map((path) => [path.slice(0, -3), join(root, path)]));
  const build = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    tsconfig: false,
    external,
    plugins: [ownPlaces, lazyHttp],
  });
  const { output } = await build.generate({
    dir: resolve(out),
    entryFileNames: '[name].js',
    chunkFileNames: ({ name }) => `chunks/${name.split('~')[0] ?? name}.js`,
    // MikroORM, metrics and log lines use the names of classes.
    keepNames: true,
    // Packages stand in chunks of their own: to read their maps too would hold up a service at its first error.
    codeSplitting: { groups: [{ name: 'packages', test: /node_modules/, entriesAware: true }] },
    sourcemap: true,
    sourcemapExcludeSources: true,
    banner: ({ fileName }) => {
      const up = '../'.repeat(fileName.split('/').length - 1);
      return `const bundleFolder = new URL('./${up}', import.meta.url);`;
    },
  });
  await build.close();
  return output.filter((file) => file.type === 'chunk');
}

/** What the entries of one service and the tools load, at once or later. */
function reachable(chunks: readonly OutputChunk[]): OutputChunk[] {
  if (service === undefined) return [...chunks];
  const wanted = new Set(
    chunks
      .filter(({ isEntry, name }) => isEntry && (!name.startsWith('services/') || name.split('/')[1] === service))
      .map(({ fileName }) => fileName),
  );
  // A set that grows while it is walked is walked to its new end.
  for (const fileName of wanted) {
    const chunk = chunks.find((each) => each.fileName === fileName);
    for (const next of [...(chunk?.imports ?? []), ...(chunk?.dynamicImports ?? [])]) wanted.add(next);
  }
  return chunks.filter(({ fileName }) => wanted.has(fileName));
}

function licencesOf(chunks: readonly OutputChunk[], pages: readonly string[]): string {
  const modules = [...chunks.flatMap(({ moduleIds }) => moduleIds), ...pages];
  const files = [...Object.keys(data).map((path) => join(root, path)), ...modules];
  const packages = new Set(files.flatMap((id) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []));
  return [...packages]
    .toSorted()
    .map((folder) => {
      const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
      const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'));
      return [relative(root, folder), ...texts].join('\n\n');
    })
    .join('\n\n');
}

function manifestOf(chunks: readonly OutputChunk[]): string {
  const { name, version, license, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    [key: string]: unknown;
    dependencies: Record<string, string>;
  };
  const imported = new Set(chunks.flatMap(({ imports }) => imports));
  const kept = Object.entries(dependencies).filter(([dependency]) => imported.has(dependency));
  return JSON.stringify({ name, version, license, type: 'module', dependencies: Object.fromEntries(kept) }, null, 2);
}

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(out, path)), { recursive: true });
  writeFileSync(join(out, path), content);
}

const chunks = reachable(await bundle());
for (const { fileName, moduleIds, code, map } of chunks) {
  const isMapped = map !== null && moduleIds.some((id) => !id.includes('node_modules'));
  write(fileName, isMapped ? code : code.replace(/\n\/\/# sourceMappingURL=.*/, ''));
  if (isMapped) write(`${fileName}.map`, JSON.stringify(map));
}
for (const [path, place] of Object.entries(data)) write(place, readFileSync(join(root, path)));
write('package.json', manifestOf(chunks));
// The gateway serves the console, and the services nothing of it.
const pages = service === undefined || service === 'gateway' ? await buildConsole(resolve(out)) : [];
write('LICENSES.txt', licencesOf(chunks, pages));
