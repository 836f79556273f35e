import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import { acceptsPlaintext, type Certificates } from '#libs/runtime';
import { readCallerCertificate, type CallerCertificate } from '../wire/caller-certificate.ts';

/** Why a connection was not secured. */
export type HandshakeFault = 'plaintext' | 'timeout' | 'certificate' | 'protocol' | 'aborted';

export interface HandshakesOptions {
  /** Undefined: every connection is in plaintext. */
  certificates: Certificates | undefined;
  /** Serves a connection. */
  accept: (socket: Socket, certificate?: CallerCertificate) => void;
  /** A connection is served now. */
  onServed: (security: 'tls' | 'plaintext') => void;
  onFailed: (address: string, fault: HandshakeFault, message: string) => void;
  /** Default: HTTP/2 alone. With HTTP/1.1 those that ask for nothing are served, too. */
  protocols?: readonly ('h2' | 'http/1.1')[];
  /** Whether clients are asked for certificates in the mode `mutual`. Default: yes. */
  asksForCertificates?: boolean;
}

export interface Handshakes {
  /** Takes a new connection. */
  begin(socket: Socket): void;
  /** Closes the connections that are not secured yet. */
  stop(): void;
}

/** How long a client may take until the connection is secured. */
const handshakeMs = 10_000;
/** The first byte of TLS. HTTP/2 begins with "PRI". */
const handshakeRecord = 0x16;

const plaintextCodes = new Set([
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);
/** The client does not believe our certificate, and says so by one of these alerts. */
const certificateAlert = /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA)/;

function faultOf(code = ''): HandshakeFault {
  if (plaintextCodes.has(code)) return 'plaintext';
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  return certificateAlert.test(code) ? 'certificate' : 'protocol';
}

const secureOptions = constants.SSL_OP_NO_TICKET;

/** No session is resumed: one could outlive the authority that its client was believed for. */
function contextOf(certificates: Certificates): SecureContextOptions {
  const { certificate, key, authorities } = certificates.current();
  return { cert: certificate, key, ca: authorities, secureOptions };
}

type TlsOptions = Pick<HandshakesOptions, 'protocols' | 'asksForCertificates'>;

const onlyHttp2 = ['h2'] as const;

/** Only `mutual` asks for certificates. Whether a call needs one is decided by its method: users have none. */
function createTlsServer(
  certificates: Certificates,
  { protocols = onlyHttp2, asksForCertificates = true }: TlsOptions,
): Server {
  return createServer({
    ...contextOf(certificates),
    ALPNProtocols: [...protocols],
    handshakeTimeout: handshakeMs,
    requestCert: asksForCertificates && certificates.mode === 'mutual',
    rejectUnauthorized: false,
  });
}

/** The reason why a client certificate is not valid: a code, such as CERT_HAS_EXPIRED. */
const invalidity = ({ authorizationError: error }: TLSSocket): string =>
  String((error as Error & { code?: string })?.code ?? error);

/** Calls `next` with the first byte, which stays unread. A connection without one is closed after a while. */
function peek(socket: Socket, next: (first: number) => void): void {
  const close = (): void => void socket.destroy();
  const timer = setTimeout(close, handshakeMs).unref();
  const look = (): void => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    clearTimeout(timer);
    socket.off('readable', look).off('end', close).off('error', close);
    socket.unshift(bytes);
    next(bytes[0] ?? 0);
  };
  socket.once('close', () => clearTimeout(timer));
  socket.on('readable', look).on('end', close).on('error', close);
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}:${remotePort}`;

/** Of OpenSSL's errors only the short text. */
const reasonOf = (error: Error & { reason?: string }): string => error.reason ?? error.message;

/** What is wrong with a connection that TLS has secured. */
function findFault(
  socket: TLSSocket,
  certificate: X509Certificate | undefined,
  { protocols = onlyHttp2 }: TlsOptions,
): [HandshakeFault, string] | undefined {
  if (certificate !== undefined && !socket.authorized)
    return ['certificate', `the client certificate is not valid: ${invalidity(socket)}`];
  if (socket.alpnProtocol !== 'h2' && !protocols.includes('http/1.1'))
    return ['protocol', 'the client does not ask for HTTP/2'];
  return undefined;
}

/** The connections that are not secured yet. One whose client leaves before it is has failed, too. */
function createPending({ onFailed }: HandshakesOptions) {
  const open = new Map<string, Socket>();
  return {
    add: (socket: Socket): void => {
      const [peer, address] = [peerOf(socket), socket.remoteAddress ?? ''];
      open.set(peer, socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        if (open.get(peer) !== socket) return;
        open.delete(peer);
        // Whoever sends nothing only looks whether the port is open, as load balancers do.
        if (socket.bytesRead > 0) onFailed(address, 'aborted', 'the client left during the handshake');
      });
    },
    /** Returns false when it had ended already. */
    remove: (socket: Socket): boolean => open.delete(peerOf(socket)),
    close: (): void => {
      const sockets = [...open.values()];
      open.clear();
      sockets.forEach((socket) => socket.destroy());
    },
  };
}

/** Starts TLS on connections that are pending. */
function openTls(certificates: Certificates, pending: ReturnType<typeof createPending>, options: HandshakesOptions) {
  const { accept, onServed, onFailed } = options;
  const server = createTlsServer(certificates, options);
  server.on('secureConnection', (socket) => {
    pending.remove(socket);
    socket.on('error', () => undefined);
    const certificate = socket.getPeerX509Certificate();
    const fault = findFault(socket, certificate, options);
    if (fault === undefined) {
      onServed('tls');
      return accept(socket, certificate && readCallerCertificate(certificate));
    }
    onFailed(socket.remoteAddress ?? '', ...fault);
    socket.destroy();
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // Node no longer knows the peer of a connection that is closed; its end is reported by `pending`.
    if (pending.remove(socket)) onFailed(socket.remoteAddress ?? '', faultOf(error.code), reasonOf(error));
    socket.destroy();
  });
  return {
    secure: (socket: Socket) => void server.emit('connection', socket),
    renew: () => server.setSecureContext(contextOf(certificates)),
  };
}

/**
 * Secures new connections, if there are certificates. Modes that also take plaintext look at the first byte. New
 * connections use the current certificates; open ones live on until their age.
 */
export function openHandshakes(options: HandshakesOptions): Handshakes {
  const { certificates, accept, onServed } = options;
  const serve = (socket: Socket): void => {
    onServed('plaintext');
    accept(socket);
  };
  if (certificates === undefined) return { begin: serve, stop: () => undefined };
  const pending = createPending(options);
  const { secure, renew } = openTls(certificates, pending, options);
  const unsubscribe = certificates.subscribe(renew);
  const choose = (socket: Socket, first: number): void => {
    if (first === handshakeRecord) return secure(socket);
    pending.remove(socket);
    serve(socket);
  };
  const takesPlaintext = acceptsPlaintext(certificates.mode);
  return {
    begin: (socket) => {
      pending.add(socket);
      if (takesPlaintext) peek(socket, (first) => choose(socket, first));
      else secure(socket);
    },
    stop: () => {
      unsubscribe();
      pending.close();
    },
  };
}
