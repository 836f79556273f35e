import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsMode } from '#libs/runtime';
import { createAuthority, restoreAuthority, type Authority } from './authority.ts';
import { makePrivateFolder, writePrivateFile } from './instance.ts';
import { forEachService, serviceNames, type ProcessName } from './service-names.ts';

/** The settings of each process that secure its connections. */
export type TlsSettings = Record<ProcessName, Record<string, string>>;

/** The authority of the folder, which clients were told to believe; made the first time. */
async function keepAuthority(folder: string): Promise<{ authority: Authority; file: string }> {
  const [file, keyFile] = [join(folder, 'ca.crt'), join(folder, 'ca.key')];
  if (existsSync(file) && existsSync(keyFile)) {
    const kept = { certificate: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    return { authority: await restoreAuthority(kept), file };
  }
  const authority = await createAuthority();
  writePrivateFile(keyFile, authority.key);
  writePrivateFile(file, authority.certificate);
  return { authority, file };
}

/** Writes a new certificate for each service into the folder. Returns the file of their authority. */
async function issueAll(folder: string): Promise<string> {
  const { authority, file } = await keepAuthority(folder);
  for (const service of serviceNames) {
    const { certificate, key } = await authority.issue({
      dnsNames: [service, 'localhost'],
      ipAddresses: ['127.0.0.1', '::1'],
    });
    writePrivateFile(join(folder, `${service}.key`), key);
    writePrivateFile(join(folder, `${service}.crt`), certificate);
  }
  return file;
}

const folderOf = (dir: string): string => join(dir, 'certificates');

/**
 * Issues a certificate to each service of a cluster on this machine: for its name, by which other services know it, and
 * for the addresses by which clients reach it. They are new at each start and so never end.
 */
export async function keepCertificates(dir: string, mode: TlsMode): Promise<TlsSettings> {
  const folder = makePrivateFolder(folderOf(dir));
  const file = await issueAll(folder);
  const gateway = { TASKFLOW_TLS: mode, TASKFLOW_TLS_CA_FILE: file };
  const services = forEachService((service) => ({
    ...gateway,
    TASKFLOW_TLS_CERT_FILE: join(folder, `${service}.crt`),
    TASKFLOW_TLS_KEY_FILE: join(folder, `${service}.key`),
  }));
  return { ...services, gateway };
}

/** Replaces the certificates of a running cluster, for tests. */
export async function renewCertificates(dir: string): Promise<void> {
  await issueAll(folderOf(dir));
}
