/**
 * How servers listen and services call. Each mode works beside the one before it and the one after it, so a running
 * cluster changes from one to the next without an outage.
 *
 * - off: in plaintext.
 * - offered: servers also take TLS; services call in plaintext.
 * - preferred: servers also take plaintext; services call by TLS.
 * - required: only TLS.
 * - mutual: only TLS, and internal methods only from services that prove their names by a certificate.
 */
export const tlsModes = ['off', 'offered', 'preferred', 'required', 'mutual'] as const;

export type TlsMode = (typeof tlsModes)[number];

const plaintextServers: ReadonlySet<TlsMode> = new Set(['off', 'offered', 'preferred']);
const plaintextCallers: ReadonlySet<TlsMode> = new Set(['off', 'offered']);

export const acceptsPlaintext = (mode: TlsMode): boolean => plaintextServers.has(mode);
export const callsByTls = (mode: TlsMode): boolean => !plaintextCallers.has(mode);
