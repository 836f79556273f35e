// The package for certificates asks for it.
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const dayMs = 86_400_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Both in PEM. */
export interface CertificateWithKey {
  certificate: string;
  key: string;
}

export interface CertificateRequest {
  /** The first is also the common name. */
  dnsNames: readonly string[];
  ipAddresses?: readonly string[];
  /** Default: yesterday, since clocks differ. */
  from?: Date;
  /** Default: in a year. */
  to?: Date;
}

/** Issues certificates for both sides of a connection. */
export interface Authority extends CertificateWithKey {
  issue(request: CertificateRequest): Promise<CertificateWithKey>;
}

const pemOfKey = async (key: webcrypto.CryptoKey): Promise<string> => {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
};

const makeKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;

/** A serial number that no other certificate has; its first byte keeps it positive. */
const newSerial = (): string => `01${randomBytes(15).toString('hex')}`;

function issuerOf(name: string, { privateKey: signingKey, publicKey }: webcrypto.CryptoKeyPair): Authority['issue'] {
  return async ({ dnsNames, ipAddresses = [], from, to }) => {
    const keys = await makeKeys();
    const certificate = await X509CertificateGenerator.create({
      serialNumber: newSerial(),
      issuer: `CN=${name}`,
      subject: `CN=${dnsNames[0] ?? ''}`,
      notBefore: from ?? new Date(Date.now() - dayMs),
      notAfter: to ?? new Date(Date.now() + 365 * dayMs),
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        // Tells apart authorities of the same name.
        await AuthorityKeyIdentifierExtension.create(publicKey),
        new SubjectAlternativeNameExtension([
          ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
          ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
        ]),
      ],
    });
    return { certificate: `${certificate.toString('pem')}\n`, key: await pemOfKey(keys.privateKey) };
  };
}

const defaultName = 'TaskFlow development authority';

/** Makes an authority for tests and for clusters on one machine. */
export async function createAuthority(name = defaultName): Promise<Authority> {
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + 3650 * dayMs),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: await pemOfKey(keys.privateKey),
    issue: issuerOf(name, keys),
  };
}

/** The authority of an earlier start, which was made without a name of its own. */
export async function restoreAuthority({ certificate, key }: CertificateWithKey): Promise<Authority> {
  const privateDer = createPrivateKey(key).export({ format: 'der', type: 'pkcs8' });
  const publicDer = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', privateDer, algorithm, true, ['sign']),
    webcrypto.subtle.importKey('spki', publicDer, algorithm, true, ['verify']),
  ]);
  return { certificate, key, issue: issuerOf(defaultName, { privateKey, publicKey }) };
}
