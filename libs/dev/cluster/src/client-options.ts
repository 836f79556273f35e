import type { ServiceName } from '#client/index';
import type { TlsOptions } from '#client/node';
import { callsByTls, type Certificates } from '#libs/runtime';

/** The addresses of services at these hosts (host:port) for the client package, and how it knows them by TLS. */
export function clientOptions(hosts: Partial<Record<ServiceName, string>>, certificates: Certificates | undefined) {
  const secure = certificates !== undefined && callsByTls(certificates.mode) ? certificates.current() : undefined;
  const scheme = secure === undefined ? 'http' : 'https';
  const addresses = Object.fromEntries(
    Object.entries(hosts).map(([service, host]) => [service, `${scheme}://${host}`]),
  ) as Partial<Record<ServiceName, string>>;
  return secure === undefined ? { addresses } : { addresses, tls: toTlsOptions(secure) };
}

function toTlsOptions({ authorities, certificate, key }: ReturnType<Certificates['current']>): TlsOptions {
  return {
    ...(authorities && { ca: authorities }),
    ...(certificate && { cert: certificate }),
    ...(key && { key }),
  };
}
