import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';

/** The parts of a set of certificates; each comes from a file of its own. */
export type CertificatePart = 'certificate' | 'key' | 'authorities';

/** PEM. Programs outside the cluster may have no certificate of their own, and believe the usual authorities. */
export type CertificateSet = Partial<Record<CertificatePart, Buffer>>;

export interface CertificateFault {
  part: CertificatePart;
  /** Continues "the file …". */
  text: string;
}

interface Judgement {
  faults: CertificateFault[];
  /** When the certificate ends. */
  expireTime: Date | undefined;
}

export interface CheckOptions {
  /** The certificate must name this service and allow both sides of a connection. */
  service?: string | undefined;
  /** Clients outside believe the issuer of the certificate, not the authorities of the set. */
  issuedElsewhere?: boolean | undefined;
  now?: Date;
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Of extended key usage. */
const purposes = { '1.3.6.1.5.5.7.3.1': 'server auth', '1.3.6.1.5.5.7.3.2': 'client auth' } as const;

/** undefined when one of them cannot be parsed, or when there is none. */
function parseCertificates(pem: Buffer): X509Certificate[] | undefined {
  try {
    const blocks = String(pem).match(pemCertificate) ?? [];
    return blocks.length === 0 ? undefined : blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function parseKey(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

/** Whether a chain of the others leads from the certificate to an authority. */
function leadsTo(authorities: X509Certificate[], certificate: X509Certificate, others: X509Certificate[]): boolean {
  if (authorities.some((one) => one.raw.equals(certificate.raw) || isIssuedBy(certificate, one))) return true;
  return others.some(
    (one) =>
      isIssuedBy(certificate, one) &&
      leadsTo(
        authorities,
        one,
        others.filter((other) => other !== one),
      ),
  );
}

function findOwnFaults(certificate: X509Certificate, { service, now = new Date() }: CheckOptions): string[] {
  const { validFromDate: from, validToDate: to, keyUsage } = certificate;
  const missing = Object.entries(purposes).filter(([id]) => (keyUsage as string[] | undefined)?.includes(id) === false);
  const isOfService = service === undefined || namesService(certificate, service);
  return [
    ...(now > to ? [`has a certificate that expired at ${to.toISOString()}`] : []),
    ...(now < from ? [`has a certificate that is valid from ${from.toISOString()} on only`] : []),
    ...(isOfService ? [] : [`has a certificate without the DNS name "${service}", by which services know each other`]),
    ...(service === undefined ? [] : missing.map(([, purpose]) => `has a certificate that is not for ${purpose}`)),
  ];
}

/** Whether the certificate has the service's name as one of its DNS names. */
export function namesService(certificate: X509Certificate, service: string): boolean {
  return certificate.checkHost(service, { subject: 'never', wildcards: false }) !== undefined;
}

interface Parsed {
  certificate?: X509Certificate | undefined;
  /** Between the certificate and an authority. */
  others?: X509Certificate[];
  authorities?: X509Certificate[] | undefined;
  key?: KeyObject | undefined;
}

const formFaults: Readonly<Record<CertificatePart, string>> = {
  certificate: 'has no certificate in PEM',
  key: 'has no private key in PEM',
  authorities: 'has no certificate in PEM',
};

function parse(set: CertificateSet): { parsed: Parsed; faults: CertificateFault[] } {
  const [certificate, ...others] = (set.certificate && parseCertificates(set.certificate)) ?? [];
  const authorities = set.authorities && parseCertificates(set.authorities);
  const parsed = { certificate, others, authorities, key: set.key && parseKey(set.key) };
  const parts = Object.keys(formFaults) as CertificatePart[];
  const faulty = parts.filter((part) => set[part] !== undefined && parsed[part] === undefined);
  return { parsed, faults: faulty.map((part) => ({ part, text: formFaults[part] })) };
}

/** Finds everything that is wrong with a set. A part that is absent is right. */
export function checkCertificates(set: CertificateSet, options: CheckOptions = {}): Judgement {
  const { parsed, faults } = parse(set);
  const { certificate, others = [], authorities, key } = parsed;
  if (certificate === undefined) return { faults, expireTime: undefined };
  const blame = (part: CertificatePart, text: string): void => void faults.push({ part, text });
  for (const text of findOwnFaults(certificate, options)) blame('certificate', text);
  if (key !== undefined && !certificate.checkPrivateKey(key)) blame('key', 'has the key of another certificate');
  if (authorities !== undefined && options.issuedElsewhere !== true && !leadsTo(authorities, certificate, others))
    blame('certificate', 'has a certificate of none of the authorities');
  return { faults, expireTime: certificate.validToDate };
}
