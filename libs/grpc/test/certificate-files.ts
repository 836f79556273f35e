import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Authority, CertificateRequest, CertificateWithKey } from '#dev/cluster';
import { openCertificates, type Certificates, type Logger, type Metrics, type TlsMode } from '#libs/runtime';

type Contents = Partial<CertificateWithKey & { authorities: string }>;

/** The files of certificates in a folder of their own, as Kubernetes mounts them: links to links, swapped as a whole. */
export interface CertificateFiles {
  files: { certificate: string; key: string; authorities: string };
  /** Swaps all files at once; what is left out stays. */
  replace(contents: Contents): void;
  /** Writes one file in place, as a careless script would. */
  write(part: keyof Contents, text: string): void;
  remove(): void;
}

const names = { certificate: 'tls.crt', key: 'tls.key', authorities: 'ca.crt' } as const;

export function createFiles(first: Required<Contents>): CertificateFiles {
  const dir = mkdtempSync(join(tmpdir(), 'taskflow-certificates-'));
  const parts = Object.keys(names) as (keyof typeof names)[];
  let current: Required<Contents> = first;
  let version = 0;
  const replace = (contents: Contents): void => {
    current = { ...current, ...contents };
    version += 1;
    const folder = `version-${version}`;
    mkdirSync(join(dir, folder));
    for (const part of parts) writeFileSync(join(dir, folder, names[part]), current[part]);
    symlinkSync(folder, join(dir, '..new'));
    renameSync(join(dir, '..new'), join(dir, '..data'));
  };
  replace(first);
  for (const part of parts) symlinkSync(join('..data', names[part]), join(dir, names[part]));
  const files = Object.fromEntries(parts.map((part) => [part, join(dir, names[part])]));
  return {
    files: files as CertificateFiles['files'],
    replace,
    write: (part, text) => writeFileSync(join(dir, names[part]), text),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

interface Place {
  mode?: TlsMode;
  service?: string;
  logger?: Logger;
  metrics?: Metrics;
}

export interface OpenFiles extends CertificateFiles {
  certificates: Certificates;
}

/** The certificates of somebody whose files can be replaced; they are looked at all the time. */
export async function openFiles(
  authority: Authority,
  request: CertificateRequest,
  { mode = 'mutual', ...place }: Place = {},
): Promise<OpenFiles> {
  const { certificate, key } = await authority.issue(request);
  const made = createFiles({ certificate, key, authorities: authority.certificate });
  const certificates = openCertificates({ mode, files: made.files, intervalMs: 20, ...place });
  const remove = (): void => {
    certificates.stop();
    made.remove();
  };
  return { ...made, certificates, remove };
}

/** The certificates of somebody outside the cluster, who has none of their own. */
export function openOutsider(authorities: string, mode: TlsMode = 'required'): Certificates & { remove(): void } {
  const made = createFiles({ certificate: '', key: '', authorities });
  const certificates = openCertificates({ mode, files: { authorities: made.files.authorities }, intervalMs: 20 });
  const remove = (): void => {
    certificates.stop();
    made.remove();
  };
  return { ...certificates, remove };
}
