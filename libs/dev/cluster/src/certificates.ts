import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { TlsMode } from '#libs/runtime';
import { createAuthority, restoreAuthority, type Authority } from './authority.ts';
import { writePrivateFile } from './instance.ts';
import { processNames, type ProcessName } from './service-names.ts';

/** The settings of each process that secure its connections. */
export type TlsSettings = Record<ProcessName, Record<string, string>>;

interface IssueOptions {
  /** Host names and addresses by which clients call the services, besides their own names. */
  names: readonly string[];
  /** The user to whom the files of the services belong; otherwise whoever runs this. */
  owner?: number | undefined;
}

/** The authority of the folder, which clients were told to believe; made the first time. */
async function keepAuthority(folder: string): Promise<Authority> {
  const [file, keyFile] = [join(folder, 'ca.crt'), join(folder, 'ca.key')];
  if (existsSync(file) && existsSync(keyFile))
    return restoreAuthority({ certificate: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') });
  const authority = await createAuthority();
  writePrivateFile(keyFile, authority.key);
  writePrivateFile(file, authority.certificate);
  return authority;
}

/**
 * Issues a new certificate to each process, by the authority of the folder: SERVICE/tls.crt, tls.key and ca.crt, each
 * replaced at once, and for clients ca.crt beside them. A running service takes them up by itself.
 */
export async function issueCertificates(folder: string, { names, owner }: IssueOptions): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authority = await keepAuthority(folder);
  const [ipAddresses, dnsNames] = [true, false].map((isAddress) =>
    names.filter((name) => isIP(name) > 0 === isAddress),
  );
  for (const service of processNames) {
    const issued = await authority.issue({ dnsNames: [service, ...(dnsNames ?? [])], ipAddresses: ipAddresses ?? [] });
    const files = { 'tls.key': issued.key, 'tls.crt': issued.certificate, 'ca.crt': authority.certificate };
    const own = join(folder, service);
    mkdirSync(own, { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(files)) {
      writePrivateFile(join(own, name), text);
      if (owner !== undefined) chownSync(join(own, name), owner, owner);
    }
    if (owner !== undefined) chownSync(own, owner, owner);
  }
}

const folderOf = (dir: string): string => join(dir, 'certificates');
const local = { names: ['localhost', '127.0.0.1', '::1'] };

/** Certificates for a cluster on this machine. They are new at each start, and so never end. */
export async function keepCertificates(dir: string, mode: TlsMode): Promise<TlsSettings> {
  const folder = folderOf(dir);
  await issueCertificates(folder, local);
  const settings = processNames.map((name) => [
    name,
    {
      TASKFLOW_TLS: mode,
      TASKFLOW_TLS_CA_FILE: join(folder, 'ca.crt'),
      TASKFLOW_TLS_CERT_FILE: join(folder, name, 'tls.crt'),
      TASKFLOW_TLS_KEY_FILE: join(folder, name, 'tls.key'),
    },
  ]);
  return Object.fromEntries(settings) as TlsSettings;
}

/** Replaces the certificates of a running cluster, for tests. */
export const renewCertificates = (dir: string): Promise<void> => issueCertificates(folderOf(dir), local);
