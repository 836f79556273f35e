import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './kubernetes-schema.ts';

const deploy = join(import.meta.dirname, '..');
export const overlays = ['dev', 'staging', 'production'] as const;
export type Overlay = (typeof overlays)[number];
/** With what is applied by itself, before the overlay that it lies in. */
export const renderings = [...overlays, 'production/provision', 'production-tls'] as const;
export type Rendering = (typeof renderings)[number];

/** Whether there is a kubectl, which has kustomize in it. */
export const canRender = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;

function build(directory: string): string {
  return execFileSync('kubectl', ['kustomize', directory], { encoding: 'utf8', maxBuffer: 64 << 20 });
}

/** kustomize breaks long base64 into lines, which the API accepts and its schema does not. */
function joinLines(manifest: Manifest & { data?: Record<string, string> }): Manifest {
  if (manifest.kind !== 'Secret') return manifest;
  return {
    ...manifest,
    data: Object.fromEntries(
      Object.entries(manifest.data ?? {}).map(([key, value]) => [key, value.replaceAll('\n', '')]),
    ),
  } as Manifest;
}

/** Throws on anything the YAML parser warns about, such as a key that stands twice. */
function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text, { uniqueKeys: true }).map((document) => {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) throw fault;
    return joinLines(document.toJS() as Manifest);
  });
}

/** Every object of the kustomization in a folder. Needs kubectl. */
export const renderFolder = (directory: string): Manifest[] => parseManifests(build(directory));

/** What `act` makes of a copy of the manifests, which has secrets for the overlay dev: new ones, or empty files. */
function withCopy<T>(secrets: 'new' | 'empty', act: (overlays: string) => T): T {
  const copy = mkdtempSync(join(tmpdir(), 'taskflow-kustomize-'));
  try {
    for (const folder of ['kubernetes', 'observability'])
      cpSync(join(deploy, folder), join(copy, folder), { recursive: true });
    const folder = join(copy, 'kubernetes/overlays/dev/secrets');
    mkdirSync(folder, { recursive: true });
    execFileSync(process.execPath, [join(deploy, 'secrets.ts'), folder, '--postgres', 'taskflow-postgres:5432']);
    if (secrets === 'empty')
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
        if (entry.isFile()) writeFileSync(join(entry.parentPath, entry.name), '');
    return act(join(copy, 'kubernetes/overlays'));
  } finally {
    rmSync(copy, { recursive: true });
  }
}

const recordOf = (name: Rendering): string => join(import.meta.dirname, 'rendered', `${name.replace('/', '-')}.jsonl`);

/** What kubectl makes of the overlay now, as it is recorded: one object a line, without secrets. */
export const renderForRecord = (name: Rendering): string =>
  withCopy('empty', (folder) =>
    renderFolder(join(folder, name))
      .map((manifest) => `${JSON.stringify(manifest)}\n`)
      .sort()
      .join(''),
  );

export const readRecord = (name: Rendering): string => readFileSync(recordOf(name), 'utf8');
export const writeRecord = (name: Rendering, text: string): void => writeFileSync(recordOf(name), text);

/** The recorded objects, with secrets of this run in place of the empty ones. */
function parseRecord(name: Rendering, secrets: string): Manifest[] {
  const manifests = readRecord(name).trimEnd().split('\n');
  return manifests.map((line) => {
    const manifest = JSON.parse(line) as Manifest & { data?: Record<string, string> };
    if (manifest.kind !== 'Secret') return manifest;
    const [, owner = ''] = manifest.metadata.name.split('-');
    const data = Object.keys(manifest.data ?? {}).map((key) => [
      key,
      readFileSync(join(secrets, owner, key), 'base64'),
    ]);
    return { ...manifest, data: Object.fromEntries(data) as Record<string, string> };
  });
}

/**
 * Every object of every overlay, as `kubectl apply -k` would send it, with secrets made for this run. Where there is no
 * kubectl, as it was when it was recorded.
 */
export function renderOverlays(): Record<Rendering, Manifest[]> {
  return withCopy('new', (folder) => {
    const render = (name: Rendering): Manifest[] =>
      canRender ? renderFolder(join(folder, name)) : parseRecord(name, join(folder, 'dev/secrets'));
    return Object.fromEntries(renderings.map((name) => [name, render(name)])) as Record<Rendering, Manifest[]>;
  });
}

export const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

/** The one of this kind and name, as that kind. */
export const findOne = <T extends Manifest>(manifests: readonly Manifest[], kind: string, name: string) =>
  ofKind<T>(manifests, kind).find(({ metadata }) => metadata.name === name);

/** Those of one kind, as that kind. */
export function ofKind<T extends Manifest>(manifests: readonly Manifest[], kind: string): T[] {
  return manifests.filter((manifest) => manifest.kind === kind) as T[];
}
