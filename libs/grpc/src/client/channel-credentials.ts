import { isIP } from 'node:net';
import { checkServerIdentity, getCACertificates, type PeerCertificate } from 'node:tls';
import { credentials, experimental, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { callsByTls, type Certificates } from '#libs/runtime';

type Provider = experimental.CertificateProvider;
type AuthorityListener = Parameters<Provider['addCaCertificateListener']>[0];
type IdentityListener = Parameters<Provider['addIdentityCertificateListener']>[0];

/** The usual authorities of this machine, read at the first use. */
let usual: Buffer | undefined;
const usualAuthorities = (): Buffer => (usual ??= Buffer.from(getCACertificates('default').join('\n')));

/** Hands the certificates to grpc-js, which takes the current ones for each new connection. */
function createProvider(certificates: Certificates): Provider {
  const ofAuthorities = new Set<AuthorityListener>();
  const ofIdentity = new Set<IdentityListener>();
  const authorities = () => ({ caCertificate: certificates.current().authorities ?? usualAuthorities() });
  const identity = () => {
    const { certificate, key } = certificates.current();
    return certificate === undefined || key === undefined ? null : { certificate, privateKey: key };
  };
  certificates.subscribe(() => {
    ofAuthorities.forEach((listener) => listener(authorities()));
    ofIdentity.forEach((listener) => listener(identity()));
  });
  return {
    addCaCertificateListener: (listener) => {
      ofAuthorities.add(listener);
      listener(authorities());
    },
    removeCaCertificateListener: (listener) => void ofAuthorities.delete(listener),
    addIdentityCertificateListener: (listener) => {
      ofIdentity.add(listener);
      listener(identity());
    },
    removeIdentityCertificateListener: (listener) => void ofIdentity.delete(listener),
  };
}

// Channels with the same provider share connections.
const providers = new WeakMap<Certificates, Provider>();

function providerOf(certificates: Certificates): Provider {
  const provider = providers.get(certificates) ?? createProvider(certificates);
  providers.set(certificates, provider);
  return provider;
}

/** The first host of a gRPC target: "localhost:50051", "dns:///tasks:50053", "ipv4:127.0.0.1:1,127.0.0.1:2". */
function hostOf(target: string): string {
  const [first = ''] = target.replace(/^(dns|ipv4|ipv6):(\/\/[^/]*\/)?/, '').split(',');
  return first.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** Stands for a server that is called by its address, which TLS does not allow as a name. */
const anyName = 'address.invalid';

/**
 * The credentials and options of a channel to a target: plaintext without certificates. The server must prove the given
 * name, by default the host of the target.
 */
export function channelCredentials(
  certificates: Certificates | undefined,
  target: string,
  name = hostOf(target),
): { credentials: ChannelCredentials; options: ChannelOptions } {
  if (certificates === undefined || !callsByTls(certificates.mode))
    return { credentials: credentials.createInsecure(), options: {} };
  const { certificate, key } = certificates.current();
  const provider = providerOf(certificates);
  const own = certificate === undefined || key === undefined ? null : provider;
  const create = experimental.createCertificateProviderChannelCredentials;
  if (isIP(name) === 0)
    return { credentials: create(provider, own), options: { 'grpc.ssl_target_name_override': name } };
  const check = (_host: string, peer: PeerCertificate): Error | undefined => checkServerIdentity(name, peer);
  return {
    credentials: create(provider, own, { checkServerIdentity: check }),
    options: { 'grpc.ssl_target_name_override': anyName },
  };
}
