import type { X509Certificate } from 'node:crypto';
import { serviceNames, type ServiceName } from '#libs/contract';
import { namesService } from '#libs/runtime';

/** The client certificate of a connection, issued by an authority of ours. */
export interface CallerCertificate {
  /** The services that it names. */
  services: readonly ServiceName[];
  /** The serial number, by which the authority knows whom it was issued to. */
  serial: string;
}

export function readCallerCertificate(certificate: X509Certificate): CallerCertificate {
  return {
    services: serviceNames.filter((name) => namesService(certificate, name)),
    serial: certificate.serialNumber,
  };
}
